//! Globs over keys, as the protocol's selector extension has them: `*` any run of characters,
//! `?` one character, `{a,b}` alternatives. Matched here because a server may not know them.

use std::fmt;
use std::str::FromStr;

use shared::Key;

/// Alternatives that a glob may spell out: each is tried on every key.
const MOST_ALTERNATIVES: usize = 64;

/// What is wrong with a glob, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadGlob {
    /// Characters before the fault.
    pub at: usize,
    /// For a person.
    pub reason: String,
}

impl fmt::Display for BadGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at character {}: {}", self.at + 1, self.reason)
    }
}

impl std::error::Error for BadGlob {}

/// A checked glob. One without any of the special characters matches exactly itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    text: String,
    alternatives: Vec<Vec<Part>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Char(char),
    One,
    Run,
}

impl Glob {
    /// The glob as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// It can match one key only: itself.
    pub fn is_key(&self) -> bool {
        Key::new(&self.text).is_ok()
    }

    /// Whether the whole of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        self.alternatives.iter().any(|parts| fits(parts, text))
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Glob {
    type Err = BadGlob;

    fn from_str(text: &str) -> Result<Self, BadGlob> {
        let bad = |at, reason: &str| BadGlob { at, reason: reason.to_owned() };
        if text.is_empty() {
            return Err(bad(0, "a key or a pattern is missing"));
        }
        if text.len() > shared::limits::MAX_KEY {
            return Err(bad(0, "a pattern is no longer than a key may be"));
        }
        let chars: Vec<char> = text.chars().collect();
        let special = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '[' | ']');
        if let Some(at) = chars.iter().position(|&c| special(c)) {
            return Err(bad(at, "no key holds this character"));
        }
        let mut reader = Reader { chars: &chars, at: 0 };
        let alternatives = reader.sequence(0)?;
        Ok(Self { text: text.to_owned(), alternatives })
    }
}

/// Spells out the alternatives while it reads.
struct Reader<'a> {
    chars: &'a [char],
    at: usize,
}

impl Reader<'_> {
    /// Up to the end, or up to the `,` or `}` that ends an alternative.
    fn sequence(&mut self, depth: usize) -> Result<Vec<Vec<Part>>, BadGlob> {
        let mut all = vec![Vec::new()];
        while let Some(&c) = self.chars.get(self.at) {
            let part = match c {
                ',' | '}' if depth > 0 => return Ok(all),
                '{' => {
                    let choices = self.choices(depth)?;
                    all = self.product(&all, &choices)?;
                    continue;
                }
                '}' => return Err(self.bad("a } without its {")),
                '*' => Part::Run,
                '?' => Part::One,
                other => Part::Char(other),
            };
            for parts in &mut all {
                // Two runs are one.
                if part != Part::Run || parts.last() != Some(&Part::Run) {
                    parts.push(part);
                }
            }
            self.at += 1;
        }
        Ok(all)
    }

    fn choices(&mut self, depth: usize) -> Result<Vec<Vec<Part>>, BadGlob> {
        /// Braces in braces.
        const DEEPEST: usize = 8;
        let open = self.at;
        if depth >= DEEPEST {
            return Err(self.bad("too many braces in each other"));
        }
        let mut choices = Vec::new();
        loop {
            self.at += 1;
            choices.extend(self.sequence(depth + 1)?);
            if choices.len() > MOST_ALTERNATIVES {
                return Err(self.bad("too many alternatives"));
            }
            match self.chars.get(self.at) {
                Some('}') => break,
                Some(_) => {}
                None => {
                    self.at = open;
                    return Err(self.bad("a { without its }"));
                }
            }
        }
        self.at += 1;
        Ok(choices)
    }

    fn product(&self, left: &[Vec<Part>], right: &[Vec<Part>]) -> Result<Vec<Vec<Part>>, BadGlob> {
        if left.len() * right.len() > MOST_ALTERNATIVES {
            return Err(self.bad("too many alternatives"));
        }
        let pairs = left.iter().flat_map(|a| right.iter().map(move |b| (a, b)));
        Ok(pairs.map(|(a, b)| [&a[..], &b[..]].concat()).collect())
    }

    fn bad(&self, reason: &str) -> BadGlob {
        BadGlob { at: self.at, reason: reason.to_owned() }
    }
}

/// Greedy, with one place to come back to: the last run. At worst length times length.
fn fits(parts: &[Part], text: &str) -> bool {
    let (mut part, mut rest) = (0, text);
    let mut again: Option<(usize, &str)> = None;
    loop {
        let mut chars = rest.chars();
        match (parts.get(part), chars.next()) {
            (Some(Part::Run), _) => {
                part += 1;
                again = Some((part, rest));
                continue;
            }
            (Some(Part::One), Some(_)) => {
                (part, rest) = (part + 1, chars.as_str());
                continue;
            }
            (Some(&Part::Char(wanted)), Some(c)) if wanted == c => {
                (part, rest) = (part + 1, chars.as_str());
                continue;
            }
            (None, None) => return true,
            _ => {}
        }
        let Some((after, from)) = again else { return false };
        let mut longer = from.chars();
        if longer.next().is_none() {
            return false;
        }
        (part, rest) = (after, longer.as_str());
        again = Some((after, rest));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_match_whole_keys() {
        for (glob, yes, no) in [
            ("palm.cpu", &["palm.cpu"][..], &["palm.cpu2", "palm", "PALM.cpu"][..]),
            ("palm.*", &["palm.cpu", "palm.", "palm.a.b"], &["palm", "xpalm.cpu"]),
            ("*.cpu", &["palm.cpu", ".cpu", "a.cpu.cpu"], &["palm.cpu.x"]),
            ("?", &["a", "火"], &["", "ab"]),
            ("{a,b}.{cpu,mem}", &["a.cpu", "b.mem"], &["a.b", "c.cpu"]),
            ("{a,b{1,2}*}", &["a", "b1", "b2x"], &["b", "b3"]),
            ("*", &["", "x", "😀"], &[]),
            ("a**b", &["ab", "axxb"], &["a"]),
            ("a,b", &["a,b"], &["a"]),
        ] {
            let compiled: Glob = glob.parse().unwrap();
            assert!(yes.iter().all(|text| compiled.matches(text)), "{glob}");
            assert!(!no.iter().any(|text| compiled.matches(text)), "{glob}");
        }
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        for (glob, at) in
            [("", 0), ("a b", 1), ("a{b", 1), ("a}b", 1), ("x[1]", 1), ("{{{{{{{{{a", 8)]
        {
            assert_eq!(glob.parse::<Glob>().unwrap_err().at, at, "{glob}");
        }
        let many = "{a,b}".repeat(7);
        assert!(many.parse::<Glob>().is_err(), "128 alternatives");
    }

    /// As the definition says, however slow.
    fn naive(parts: &[Part], text: &[char]) -> bool {
        match (parts.split_first(), text.split_first()) {
            (None, _) => text.is_empty(),
            (Some((Part::Run, rest)), _) => (0..=text.len()).any(|skip| naive(rest, &text[skip..])),
            (Some((Part::One, rest)), Some((_, tail))) => naive(rest, tail),
            (Some((Part::Char(wanted), rest)), Some((c, tail))) => wanted == c && naive(rest, tail),
            (Some(_), None) => false,
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_glob_or_has_a_fault_within(text in "[a-b*?{},. \\[火]{0,20}") {
            match text.parse::<Glob>() {
                Ok(glob) => { glob.matches("ab.火"); }
                Err(bad) => prop_assert!(bad.at <= text.chars().count()),
            }
        }

        #[test]
        fn it_agrees_with_the_definition(glob in "[ab*?{},]{1,10}", text in "[ab,]{0,8}") {
            if let Ok(glob) = glob.parse::<Glob>() {
                let chars: Vec<_> = text.chars().collect();
                let expected = glob.alternatives.iter().any(|parts| naive(parts, &chars));
                prop_assert_eq!(glob.matches(&text), expected);
            }
        }
    }
}
