//! What lines are searched for: a part of the text. Small letters stand for both kinds, and a
//! leading `!` turns the meaning round.

use std::ops::Range;

/// What a line must have, or must not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    typed: Box<str>,
    part: Box<str>,
    /// Lines with it are not meant.
    inverted: bool,
    /// Capitals and small letters are the same.
    folded: bool,
}

impl Pattern {
    /// What was typed; nothing when that says nothing yet.
    pub fn new(typed: &str) -> Option<Self> {
        let (inverted, part) = match typed.strip_prefix('!') {
            Some(part) => (true, part),
            None => (false, typed),
        };
        (!part.is_empty()).then(|| Self {
            typed: typed.into(),
            part: part.into(),
            inverted,
            folded: !part.contains(char::is_uppercase),
        })
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        &self.typed
    }

    /// The line is meant.
    pub fn matches(&self, line: &str) -> bool {
        self.find(line, 0).is_some() != self.inverted
    }

    /// The places to mark in a line.
    pub fn places<'a>(&'a self, line: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        let mut from = 0;
        std::iter::from_fn(move || {
            let place = self.find(line, from).filter(|_| !self.inverted)?;
            from = place.end;
            Some(place)
        })
    }

    /// The first place of the part at or after a byte.
    fn find(&self, line: &str, from: usize) -> Option<Range<usize>> {
        let rest = line.get(from..)?;
        if !self.folded {
            let at = from + rest.find(&*self.part)?;
            return Some(at..at + self.part.len());
        }
        if self.part.is_ascii() {
            let (part, bytes) = (self.part.as_bytes(), rest.as_bytes());
            let (first, last) = (part[0], part.len());
            let upper = first.to_ascii_uppercase();
            let fits = |&at: &usize| {
                (bytes[at] == first || bytes[at] == upper)
                    && bytes[at..at + last].eq_ignore_ascii_case(part)
            };
            let at = from + (0..(bytes.len() + 1).saturating_sub(last)).find(fits)?;
            return Some(at..at + last);
        }
        let lower = |c: char| c.to_lowercase().next().unwrap_or(c);
        rest.char_indices().find_map(|(at, _)| {
            let mut text = rest[at..].chars();
            let mut part = self.part.chars();
            loop {
                match (part.next(), text.as_str()) {
                    (None, left) => return Some(from + at..line.len() - left.len()),
                    (Some(p), _) if text.next().map(lower) == Some(p) => {}
                    _ => return None,
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_letters_stand_for_both_kinds() {
        for (pattern, line, places) in [
            ("err", "Error: err", &[(0, 3), (7, 10)][..]),
            ("Err", "Error: err", &[(0, 3)]),
            ("ключ", "Ключ ключ x", &[(0, 8), (9, 17)]),
            ("x", "", &[]),
            ("aa", "aaa", &[(0, 2)]),
            ("long", "lon", &[]),
            ("é", "É", &[(0, 2)]),
        ] {
            let pattern = Pattern::new(pattern).unwrap();
            let found: Vec<_> = pattern.places(line).map(|at| (at.start, at.end)).collect();
            assert_eq!(found, places, "{pattern:?} in {line}");
            assert_eq!(pattern.matches(line), !places.is_empty());
        }
        assert_eq!(Pattern::new(""), None);
        assert_eq!(Pattern::new("!"), None);
        let not = Pattern::new("!ok").unwrap();
        assert!(not.matches("error") && !not.matches("ok"));
        assert_eq!(not.places("ok").count(), 0);
    }
}
