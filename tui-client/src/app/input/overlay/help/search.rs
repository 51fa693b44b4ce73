//! The search in the list of keys: words in any order, in what an action does, its keys, other words
//! for it and its section.

use std::ops::Range;

use crate::text::find::find_ignoring_case;

/// The words that are typed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Query {
    typed: String,
    /// In lower case.
    words: Vec<String>,
}

/// What a line can be found by.
pub struct Searched<'a> {
    /// The names of the keys, separated by blanks.
    pub keys: &'a str,
    /// What the action does: its heart, and behind a colon, a comma or the like what explains it.
    pub text: &'a str,
    /// Other words for it.
    pub also: &'a str,
    /// The heading.
    pub section: &'a str,
    /// The action can be performed from where the focus is.
    pub is_possible: bool,
    /// Added to the rank.
    pub handicap: u32,
}

/// Added to the ranks of what can't be performed.
const IMPOSSIBLE: u32 = 1 << 16;

impl Query {
    /// The words of a line; a slash before them is by the habit of other programs.
    pub fn new(line: &str) -> Self {
        let typed = line.trim();
        let typed = typed.strip_prefix('/').filter(|rest| !rest.is_empty()).unwrap_or(typed);
        let words = typed.split_whitespace().map(str::to_lowercase).collect();
        Self { typed: typed.to_owned(), words }
    }

    /// Nothing is typed.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Every word is in one of these texts.
    pub fn is_in(&self, texts: &[&str]) -> bool {
        let is_in =
            |word: &String| texts.iter().any(|text| find_ignoring_case(text, word).is_some());
        self.words.iter().all(is_in)
    }

    /// How well a line matches, the best lowest; `None` if it does not.
    pub fn rank(&self, line: &Searched<'_>) -> Option<u32> {
        let impossible = if line.is_possible { 0 } else { IMPOSSIBLE };
        if line.keys.split(' ').any(|key| key == self.typed) {
            return Some(impossible);
        }
        let (heart, explanation) = line.text.split_at(heart_of(line.text));
        let mut rank = impossible + line.handicap + 1;
        let mut is_of_section = true;
        for word in &self.words {
            let of_word = |text: &str, ranks: [u32; 4]| {
                place(text, word).map(|place| {
                    let is_whole = is_border(text, place.end);
                    match (place.start, is_whole) {
                        (0, true) => ranks[0],
                        (0, false) => ranks[1],
                        (at, _) if is_border(text, at) => ranks[2],
                        _ => ranks[3],
                    }
                })
            };
            let is_key = |key: &str| {
                key.eq_ignore_ascii_case(word)
                    || word.len() > 1 && find_ignoring_case(key, word).is_some()
            };
            let own = of_word(heart, [0, 1, 2, 7])
                .into_iter()
                .chain(of_word(line.also, [3, 3, 4, 8]))
                .chain(of_word(explanation, [5, 5, 5, 8]))
                .chain(line.keys.split(' ').any(is_key).then_some(6))
                .min();
            is_of_section &= own.is_none();
            rank += own.or_else(|| of_word(line.section, [9, 9, 9, 10]))?;
        }
        // A section alone is too much.
        (!is_of_section).then_some(rank)
    }

    /// The bytes of a text that match, in order and apart from each other.
    pub fn marks(&self, text: &str) -> Vec<Range<usize>> {
        let mut marks: Vec<_> = self.words.iter().filter_map(|word| place(text, word)).collect();
        marks.sort_unstable_by_key(|mark| (mark.start, mark.end));
        let mut apart: Vec<Range<usize>> = Vec::with_capacity(marks.len());
        for mark in marks {
            match apart.last_mut() {
                Some(last) if mark.start <= last.end => last.end = last.end.max(mark.end),
                _ => apart.push(mark),
            }
        }
        apart
    }
}

/// Where the heart of an action ends, and what explains it begins.
fn heart_of(text: &str) -> usize {
    text.find([':', ';', ',', '(']).unwrap_or(text.len())
}

/// The first match of a word that begins a word of the text, else the first one.
fn place(text: &str, word: &str) -> Option<Range<usize>> {
    let first = find_ignoring_case(text, word)?;
    let mut next = Some(first.clone());
    while let Some(place) = next {
        if is_border(text, place.start) {
            return Some(place);
        }
        let behind = place.start + text[place.start..].chars().next().map_or(1, char::len_utf8);
        let found = find_ignoring_case(&text[behind..], word);
        next = found.map(|found| behind + found.start..behind + found.end);
    }
    Some(first)
}

/// A word of the text begins or ends there.
fn is_border(text: &str, at: usize) -> bool {
    let is_inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    !is_inside(text[..at].chars().next_back()) || !is_inside(text[at..].chars().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(query: &str, keys: &str, text: &str) -> Option<u32> {
        let line =
            Searched { keys, text, also: "export", section: "Log", is_possible: true, handicap: 0 };
        Query::new(query).rank(&line)
    }

    #[test]
    fn words_match_in_any_order_and_case() {
        assert!(rank("log save", "s", "save the log").is_some());
        assert!(rank("SAVE", "s", "save the log").is_some());
        assert!(rank("/save", "s", "save the log").is_some(), "by habit");
        assert!(rank("export", "s", "save it").is_some(), "another word for it");
        assert_eq!(rank("save picture", "s", "save the log"), None);
        assert!(rank("log copy", "y", "copy it").is_some(), "a word of the heading");
        assert_eq!(rank("log", "y", "copy it"), None, "not the whole section");
    }

    #[test]
    fn the_nearest_match_is_the_best() {
        let ranks = [
            rank("s", "s", "anything"),
            rank("save", "x", "save the log"),
            rank("sav", "x", "save the log"),
            rank("save", "x", "to save the log"),
            rank("export", "x", "save"),
            rank("save", "x", "log: save it"),
            rank("save", "x", "unsaved"),
        ];
        assert!(ranks.iter().all(Option::is_some) && ranks.is_sorted(), "{ranks:?}");
        let line = |is_possible| Searched {
            keys: "s",
            text: if is_possible { "unsaved" } else { "save" },
            also: "",
            section: "",
            is_possible,
            handicap: 0,
        };
        let query = Query::new("save");
        assert!(query.rank(&line(true)) < query.rank(&line(false)), "what can be done comes first");
    }

    #[test]
    fn marks_are_apart_and_prefer_the_beginnings_of_words() {
        for (query, text, marked) in [
            ("log", "catalogue of the log", &["log"][..]),
            ("sa save", "save", &["save"]),
            ("re rev", "reverse the reverse", &["rev"]),
            ("b a", "a b", &["a", "b"]),
            ("x", "abc", &[]),
            ("é", "Été", &["É"]),
        ] {
            let marks = Query::new(query).marks(text);
            let is: Vec<&str> = marks.iter().map(|mark| &text[mark.clone()]).collect();
            assert_eq!(is, marked, "{query} in {text}");
        }
        assert_eq!(Query::new("log").marks("catalogue of the log")[0].start, 17);
    }
}
