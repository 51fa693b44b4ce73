//! A part of a text, found whatever the case of its letters.

use std::ops::Range;

/// The bytes of the first match of `part`, which is in lower case, in a text in any case; the empty
/// range at its start of an empty part.
pub fn find_ignoring_case(text: &str, part: &str) -> Option<Range<usize>> {
    let Some(&first) = part.as_bytes().first() else { return Some(0..0) };
    if part.is_ascii() && text.is_ascii() {
        let (text, part) = (text.as_bytes(), part.as_bytes());
        let (upper, len) = (first.to_ascii_uppercase(), part.len());
        let fits = |&at: &usize| {
            (text[at] == first || text[at] == upper)
                && text[at..at + len].eq_ignore_ascii_case(part)
        };
        let at = (0..(text.len() + 1).saturating_sub(len)).find(fits)?;
        return Some(at..at + len);
    }
    text.char_indices().find_map(|(at, _)| {
        let len = length_of_match(&text[at..], part)?;
        Some(at..at + len)
    })
}

/// The bytes at the beginning of a text that match a part in lower case.
fn length_of_match(text: &str, part: &str) -> Option<usize> {
    let mut part = part.chars().map(folded).peekable();
    for (at, c) in text.char_indices() {
        for lower in c.to_lowercase() {
            match part.peek() {
                None => break,
                Some(&wanted) if wanted == folded(lower) => drop(part.next()),
                Some(_) => return None,
            }
        }
        if part.peek().is_none() {
            return Some(at + c.len_utf8());
        }
    }
    None
}

/// A sigma at the end of a word is the same letter.
fn folded(c: char) -> char {
    if c == 'ς' { 'σ' } else { c }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_place_of_a_match_is_that_of_whole_characters() {
        for (text, part, found) in [
            ("palm.CPU", "cpu", Some("CPU")),
            ("palm.cpu", "", Some("")),
            ("", "a", None),
            ("aab", "ab", Some("ab")),
            ("ТЕМП.cpu", "темп", Some("ТЕМП")),
            ("火.Temp", "temp", Some("Temp")),
            ("ΟΔΟΣ.cpu", "οδος", Some("ΟΔΟΣ")),
            // Its dot is a character of its own in lower case.
            ("İstanbul", "ist", None),
            ("İstanbul", "i\u{307}st", Some("İst")),
            ("palm", "palms", None),
        ] {
            let is = find_ignoring_case(text, part).map(|place| &text[place]);
            assert_eq!(is, found, "{part} in {text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_lower_case_has(text in "[a-cA-C.é火É ]{0,12}", part in "[a-c.é火]{0,3}") {
            let is = find_ignoring_case(&text, &part);
            prop_assert_eq!(is.is_some(), text.to_lowercase().contains(&part));
            if let Some(place) = is {
                prop_assert_eq!(text[place.clone()].to_lowercase(), part.clone());
                prop_assert_eq!(text.to_lowercase().find(&part), Some(text[..place.start].to_lowercase().len()));
            }
        }
    }
}
