//! Which keys a selector is about: a key, or a glob. `*` is any run of characters, `?` one Unicode
//! character, `{a,b}` alternatives; everything else is itself.
//!
//! [`Pattern`] is a checked text that borrows, [`Glob`] one that is ready to be matched.

use std::fmt;
use std::iter::Peekable;
use std::ops::Range;
use std::str::{Chars, FromStr};

use crate::key::{Key, is_forbidden};
use crate::limits::{MAX_GLOB_DEPTH, MAX_KEY, MAX_SELECTOR};

/// A pattern of the protocol: a key, or a glob without braces in braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pattern<'a>(&'a str);

/// Why a text is no pattern, and which of it is to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {}: {reason}", .character + 1)]
pub struct PatternError {
    /// The rule that is broken.
    pub reason: PatternErrorReason,
    /// The offending bytes; empty where something is missing.
    pub at: Range<usize>,
    /// The characters before them.
    pub character: usize,
}

/// The rules of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternErrorReason {
    /// No characters at all.
    #[error("a key or a pattern is missing")]
    Empty,
    /// More than [`MAX_SELECTOR`] bytes.
    #[error("a pattern is no longer than a line has room for")]
    TooLong,
    /// White space, a control character or a square bracket.
    #[error("no key holds this character")]
    Forbidden,
    /// A brace that is not closed.
    #[error("a {{ without its }}")]
    UnclosedBrace,
    /// A brace that closes nothing.
    #[error("a }} without its {{")]
    UnopenedBrace,
    /// More braces in each other than are allowed.
    #[error("too many braces in each other")]
    NestedTooDeep,
}

impl<'a> Pattern<'a> {
    /// `*`: every key.
    pub const ALL: Pattern<'static> = Pattern("*");

    /// Checks `text`.
    ///
    /// # Errors
    /// [`PatternError`] has the first place where it is no pattern.
    pub fn new(text: &'a str) -> Result<Self, PatternError> {
        check(text, 1).map(|()| Self(text))
    }

    /// The pattern as it was written.
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// It is `*`, which matches every key.
    pub fn is_all(self) -> bool {
        self == Self::ALL
    }

    /// The one key that it matches, unless it is a glob.
    pub fn as_key(self) -> Option<Key<'a>> {
        Key::new(self.0).ok()
    }
}

impl<'a> From<Key<'a>> for Pattern<'a> {
    fn from(key: Key<'a>) -> Self {
        Self(key.as_str())
    }
}

impl fmt::Display for Pattern<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A pattern that is ready to be matched and owns its text. Read from a text, it may have braces
/// in braces, [`MAX_GLOB_DEPTH`] deep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    text: String,
    /// What each key begins with. The whole key, when there is no `rest`.
    prefix: String,
    /// What stands between the prefix and the suffix.
    rest: Vec<GlobPart>,
    /// What each key ends with.
    suffix: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum GlobPart {
    Literal(String),
    AnyCharacter,
    AnyRun,
    Alternatives(Vec<Vec<GlobPart>>),
}

impl Glob {
    /// The glob as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Each key that matches begins with one of these texts, which are of the first alternatives;
    /// one of them is empty when nothing is certain.
    pub fn prefixes(&self) -> Vec<String> {
        let Some(GlobPart::Alternatives(alternatives)) = self.rest.first() else {
            return vec![self.prefix.clone()];
        };
        let is_all = self.rest.len() == 1;
        let each = alternatives.iter().map(|parts| match &parts[..] {
            [] if is_all => format!("{}{}", self.prefix, self.suffix),
            [GlobPart::Literal(literal)] if is_all => {
                format!("{}{literal}{}", self.prefix, self.suffix)
            }
            [GlobPart::Literal(literal), ..] => format!("{}{literal}", self.prefix),
            _ => self.prefix.clone(),
        });
        each.collect()
    }

    /// It is one run of any characters, and matches every key.
    pub fn is_all(&self) -> bool {
        self.prefix.is_empty() && self.suffix.is_empty() && self.rest == [GlobPart::AnyRun]
    }

    /// The only texts that match, in any order, or `None` when there is a wildcard or they are more than
    /// `max`.
    pub fn literals(&self, max: usize) -> Option<Vec<String>> {
        let all = expand(vec![self.prefix.clone()], &self.rest, max)?;
        Some(all.into_iter().map(|text| text + &self.suffix).collect())
    }

    /// It can match one key only: itself.
    pub fn is_key(&self) -> bool {
        self.rest.is_empty()
    }

    /// Whether the whole of `text` matches; what is longer than a key does not. Takes time in
    /// proportion to the length of the glob times the length of the text at most.
    pub fn matches(&self, text: &str) -> bool {
        let Some(length) = text.len().checked_sub(self.prefix.len() + self.suffix.len()) else {
            return false;
        };
        let (prefix, behind) = text.as_bytes().split_at(self.prefix.len());
        let (middle, suffix) = behind.split_at(length);
        if text.len() > MAX_KEY || !begins(prefix, &self.prefix) || !begins(suffix, &self.suffix) {
            return false;
        }
        match &self.rest[..] {
            [] => middle.is_empty(),
            [GlobPart::AnyRun] => true,
            rest => fits(rest, middle),
        }
    }

    /// Compiles a text that was checked.
    fn compile(text: &str) -> Self {
        let mut rest = parse_sequence(&mut text.chars().peekable(), false);
        let mut prefix = String::new();
        if let Some(GlobPart::Literal(literal)) = rest.first_mut() {
            prefix = std::mem::take(literal);
            rest.remove(0);
        }
        let suffix = match rest.pop() {
            Some(GlobPart::Literal(literal)) => literal,
            last => {
                rest.extend(last);
                String::new()
            }
        };
        Self { text: text.to_owned(), prefix, rest, suffix }
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Glob {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        check(text, MAX_GLOB_DEPTH).map(|()| Self::compile(text))
    }
}

impl From<Pattern<'_>> for Glob {
    fn from(pattern: Pattern<'_>) -> Self {
        Self::compile(pattern.0)
    }
}

/// Finds the first place where `text` is no pattern with braces so deep in each other.
fn check(text: &str, max_depth: usize) -> Result<(), PatternError> {
    let bad = |reason, at: Range<usize>| {
        let character = text[..at.start].chars().count();
        Err(PatternError { reason, at, character })
    };
    if text.is_empty() {
        return bad(PatternErrorReason::Empty, 0..0);
    }
    if text.len() > MAX_SELECTOR {
        return bad(PatternErrorReason::TooLong, 0..text.len());
    }
    let in_no_key = |&(_, c): &(usize, char)| is_forbidden(c) || matches!(c, '[' | ']');
    if let Some((at, c)) = text.char_indices().find(in_no_key) {
        return bad(PatternErrorReason::Forbidden, at..at + c.len_utf8());
    }
    let mut open = Vec::new();
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' if open.len() == max_depth => {
                return bad(PatternErrorReason::NestedTooDeep, at..at + 1);
            }
            b'{' => open.push(at),
            b'}' if open.pop().is_none() => {
                return bad(PatternErrorReason::UnopenedBrace, at..at + 1);
            }
            _ => {}
        }
    }
    match open.pop() {
        Some(at) => bad(PatternErrorReason::UnclosedBrace, at..at + 1),
        None => Ok(()),
    }
}

/// The parts up to the end; within braces, up to the `,` or `}` that ends an alternative.
fn parse_sequence(chars: &mut Peekable<Chars<'_>>, in_braces: bool) -> Vec<GlobPart> {
    let mut parts = Vec::new();
    while let Some(c) = chars.next_if(|c| !in_braces || !matches!(c, ',' | '}')) {
        match (c, parts.last_mut()) {
            ('*', Some(GlobPart::AnyRun)) => {}
            ('*', _) => parts.push(GlobPart::AnyRun),
            ('?', _) => parts.push(GlobPart::AnyCharacter),
            ('{', _) => parts.push(parse_alternatives(chars)),
            (other, Some(GlobPart::Literal(literal))) => literal.push(other),
            (other, _) => parts.push(GlobPart::Literal(other.into())),
        }
    }
    parts
}

/// What stands behind a `{`, up to its `}`.
fn parse_alternatives(chars: &mut Peekable<Chars<'_>>) -> GlobPart {
    let mut alternatives = Vec::new();
    loop {
        alternatives.push(parse_sequence(chars, true));
        if chars.next() != Some(',') {
            return GlobPart::Alternatives(alternatives);
        }
    }
}

/// Each of the texts with each of the texts that the parts stand for behind it; see [`Glob::literals`].
fn expand(begun: Vec<String>, parts: &[GlobPart], max: usize) -> Option<Vec<String>> {
    parts.iter().try_fold(begun, |begun, part| match part {
        GlobPart::Literal(literal) => Some(begun.into_iter().map(|text| text + literal).collect()),
        GlobPart::AnyCharacter | GlobPart::AnyRun => None,
        GlobPart::Alternatives(alternatives) => {
            let mut all = Vec::new();
            for parts in alternatives {
                all.extend(expand(begun.clone(), parts, max)?);
                if all.len() > max {
                    return None;
                }
            }
            Some(all)
        }
    })
}

/// Whether the parts match all of a text that is no longer than a key.
fn fits(parts: &[GlobPart], text: &[u8]) -> bool {
    const WORDS: usize = MAX_KEY / 64 + 1;
    // Nearly all keys are short.
    if text.len() < 64 { fits_in::<1>(parts, text) } else { fits_in::<WORDS>(parts, text) }
}

fn fits_in<const WORDS: usize>(parts: &[GlobPart], text: &[u8]) -> bool {
    let mut begin = Places::<WORDS>::new(text.len());
    begin.insert(0);
    step_all(parts, text, begin).contains(text.len())
}

/// Every place in `text` where a match of all `parts` can end that begins at one of `places`.
/// Each part is visited once, so that alternatives and runs cost no backtracking.
fn step_all<const WORDS: usize>(
    parts: &[GlobPart],
    text: &[u8],
    places: Places<WORDS>,
) -> Places<WORDS> {
    parts.iter().fold(places, |places, part| step(part, text, &places))
}

fn step<const WORDS: usize>(part: &GlobPart, text: &[u8], places: &Places<WORDS>) -> Places<WORDS> {
    let mut next = Places::new(text.len());
    match part {
        GlobPart::Literal(literal) => places.for_each(|at| {
            if begins(&text[at..], literal) {
                next.insert(at + literal.len());
            }
        }),
        GlobPart::AnyCharacter => places.for_each(|at| {
            // By the first byte of UTF-8; within a character there is none.
            match text.get(at) {
                None | Some(0x80..0xc0) => {}
                Some(..0x80) => next.insert(at + 1),
                Some(0xc0..0xe0) => next.insert(at + 2),
                Some(0xe0..0xf0) => next.insert(at + 3),
                Some(0xf0..) => next.insert(at + 4),
            }
        }),
        GlobPart::AnyRun => {
            if let Some(first) = places.first() {
                next.insert_from(first);
            }
        }
        GlobPart::Alternatives(alternatives) => {
            for parts in alternatives {
                next.add(&step_all(parts, text, *places));
            }
        }
    }
    next
}

/// Whether a text begins with a literal, byte by byte: keys are short, and a call costs more.
fn begins(text: &[u8], literal: &str) -> bool {
    literal.len() <= text.len() && literal.bytes().zip(text).all(|(wanted, &byte)| wanted == byte)
}

/// Places in a text, its end included, as a set of bits in so many words. After a run they may lie
/// within a character, where neither a literal nor a single character matches.
#[derive(Debug, Clone, Copy)]
struct Places<const WORDS: usize> {
    words: [u64; WORDS],
    /// The last place.
    end: usize,
}

impl<const WORDS: usize> Places<WORDS> {
    /// None of the places of a text of this length.
    fn new(length: usize) -> Self {
        Self { words: [0; WORDS], end: length }
    }

    fn words(&self) -> &[u64] {
        &self.words[..=self.end / 64]
    }

    fn insert(&mut self, place: usize) {
        self.words[place / 64] |= 1 << (place % 64);
    }

    /// Inserts a place and all behind it.
    fn insert_from(&mut self, place: usize) {
        let (first, last) = (place / 64, self.end / 64);
        self.words[first..=last].fill(u64::MAX);
        self.words[first] &= u64::MAX << (place % 64);
        self.words[last] &= u64::MAX >> (63 - self.end % 64);
    }

    fn add(&mut self, other: &Self) {
        let words = self.end / 64;
        self.words[..=words].iter_mut().zip(other.words()).for_each(|(word, other)| *word |= other);
    }

    fn contains(&self, place: usize) -> bool {
        self.words[place / 64] & 1 << (place % 64) != 0
    }

    fn first(&self) -> Option<usize> {
        let index = self.words().iter().position(|&word| word != 0)?;
        Some(index * 64 + self.words[index].trailing_zeros() as usize)
    }

    /// By rising order.
    fn for_each(&self, mut each: impl FnMut(usize)) {
        for (index, &word) in self.words().iter().enumerate() {
            let mut rest = word;
            while rest != 0 {
                each(index * 64 + rest.trailing_zeros() as usize);
                rest &= rest - 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_keys() {
        let long = "k".repeat(MAX_KEY);
        for (glob, yes, no) in [
            ("palm.cpu", &["palm.cpu"][..], &["palm.cpu2", "palm", "PALM.cpu"][..]),
            ("palm.*", &["palm.cpu", "palm.", "palm.a.b"], &["palm", "xpalm.cpu"]),
            ("*.cpu", &["palm.cpu", ".cpu", "a.cpu.cpu"], &["palm.cpu.x"]),
            ("?", &["a", "火"], &["", "ab"]),
            ("*?", &["a", "火", "火a"], &[""]),
            ("a*a", &["aa", "aba"], &["a"]),
            ("*火*", &["火", "a火b"], &["ab", "灬"]),
            ("{a,b}.{cpu,mem}", &["a.cpu", "b.mem"], &["a.b", "c.cpu"]),
            ("{a,b{1,2}*}", &["a", "b1", "b2x"], &["b", "b3"]),
            ("a{,b}", &["a", "ab"], &["b", "abb"]),
            ("{b}", &["b"], &["{b}", ""]),
            ("{*.cpu,?}x", &["a.cpux", "火x"], &["x", "a.cpu"]),
            ("*", &["", "x", "😀", &long], &[]),
            ("k*k", &[&long], &[&long[1..MAX_KEY - 1].replace('k', "é")]),
            ("a**b", &["ab", "axxb"], &["a"]),
            ("a,b", &["a,b"], &["a"]),
        ] {
            let compiled: Glob = glob.parse().unwrap();
            assert_eq!(compiled.to_string(), glob);
            for text in yes {
                assert!(compiled.matches(text), "{glob} matches {text}");
            }
            for text in no {
                assert!(!compiled.matches(text), "{glob} does not match {text}");
            }
            assert_eq!(compiled.is_key(), Key::new(glob).is_ok(), "{glob}");
        }
    }

    #[test]
    fn matching_keys_begin_with_one_of_the_prefixes() {
        for (glob, prefixes) in [
            ("a.b", &["a.b"][..]),
            ("a.*", &["a."]),
            ("*a", &[""]),
            ("{a,b.c}", &["a", "b.c"]),
            ("x{a,b*}.y", &["xa.y", "xb"]),
            ("x{a,}.y", &["xa.y", "x.y"]),
            ("x{a,?b}", &["xa", "x"]),
            ("{a,{b,c}d}", &["a", ""]),
            ("{a,b}{c,d}", &["a", "b"]),
        ] {
            assert_eq!(glob.parse::<Glob>().unwrap().prefixes(), prefixes, "{glob}");
        }
    }

    #[test]
    fn a_glob_without_wildcards_is_a_list_of_texts() {
        for (glob, literals) in [
            ("a.b", Some(&["a.b"][..])),
            ("{a,b.c}", Some(&["a", "b.c"])),
            ("x{a,{b,}c}.{d,e}", Some(&["xa.d", "xbc.d", "xc.d", "xa.e", "xbc.e", "xc.e"])),
            ("a{b,c*}", None),
            ("{a,b}?", None),
            ("{a,b}{a,b}{a,b}", None),
        ] {
            let found = glob.parse::<Glob>().unwrap().literals(6);
            assert_eq!(
                found,
                literals.map(|all| all.iter().map(ToString::to_string).collect()),
                "{glob}"
            );
        }
    }

    #[test]
    fn a_bad_pattern_has_a_place() {
        use PatternErrorReason as Why;
        let long = "*".repeat(MAX_SELECTOR + 1);
        for (glob, reason, at, character) in [
            ("", Why::Empty, 0..0, 0),
            ("a b", Why::Forbidden, 1..2, 1),
            ("火\u{a0}b", Why::Forbidden, 3..5, 1),
            ("x[1]", Why::Forbidden, 1..2, 1),
            ("火{b", Why::UnclosedBrace, 3..4, 1),
            ("a}b", Why::UnopenedBrace, 1..2, 1),
            ("{{{{{{{{{a", Why::NestedTooDeep, 8..9, 8),
            (&long, Why::TooLong, 0..MAX_SELECTOR + 1, 0),
        ] {
            let bad = PatternError { reason, at, character };
            assert_eq!(glob.parse::<Glob>(), Err(bad), "{glob}");
        }
        let bad = Pattern::new("a{b{c}}").unwrap_err();
        assert_eq!((bad.reason, bad.at.clone()), (Why::NestedTooDeep, 3..4));
        assert_eq!(bad.to_string(), "at character 4: too many braces in each other");
    }

    #[test]
    fn a_pattern_is_all_a_key_or_a_glob() {
        assert!(Pattern::new("*").unwrap().is_all());
        assert_eq!(Pattern::new("palm.cpu").unwrap().as_key(), Key::new("palm.cpu").ok());
        let glob = Pattern::new("palm.{cpu,mem}").unwrap();
        assert_eq!((glob.is_all(), glob.as_key()), (false, None));
        assert!(Glob::from(glob).matches("palm.mem"));
        let is_all = |glob: &str| glob.parse::<Glob>().unwrap().is_all();
        assert!(is_all("*") && is_all("**"));
        assert!(!is_all("a*") && !is_all("*a") && !is_all("?*") && !is_all("a"));
    }

    /// With backtracking, each of these would take years.
    #[test]
    fn runs_and_alternatives_cost_no_backtracking() {
        let text = "a".repeat(MAX_KEY);
        for (glob, matches) in [
            ("a*".repeat(500) + "b", false),
            ("{a,aa,*}".repeat(100), true),
            ("{a,aa}".repeat(170) + "b", false),
            ("?*".repeat(500) + "{b,c}?", false),
        ] {
            assert_eq!(glob.parse::<Glob>().unwrap().matches(&text), matches, "{glob}");
        }
    }
}
