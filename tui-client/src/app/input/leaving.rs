//! A word that ends the program, typed where letters are keys: in an overlay that the first letter
//! closes, the rest would be keys of what is below.

use crate::event::{KeyCode, KeyPress};

const WORDS: [&str; 2] = ["quit", "exit"];

/// The beginning of such a word that was typed last.
#[derive(Debug, Default)]
pub struct LeavingWord {
    word: &'static str,
    typed: usize,
}

/// What a key is to such a word.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// None, or its first letter: the key has its own meaning.
    Own,
    /// A letter within it, which has no other meaning.
    Letter,
    /// Its last letter.
    Last,
}

impl LeavingWord {
    /// Takes a key press; a word begins only where the keyboard `is_over` an overlay.
    pub fn press(&mut self, key: KeyPress, is_over: bool) -> Part {
        let letter = match key {
            KeyPress { code: KeyCode::Char(c), ctrl: false, alt: false } => Some(c),
            _ => None,
        };
        let goes_on = self.typed > 0 && letter == self.word.chars().nth(self.typed);
        if goes_on {
            self.typed += 1;
            if self.typed < self.word.len() {
                return Part::Letter;
            }
            *self = Self::default();
            return Part::Last;
        }
        let begun = letter.filter(|_| is_over);
        let word = begun.and_then(|letter| WORDS.into_iter().find(|word| word.starts_with(letter)));
        *self = word.map_or(Self::default(), |word| Self { word, typed: 1 });
        Part::Own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(keys: &str, is_over: bool) -> Vec<Part> {
        let mut word = LeavingWord::default();
        let over = std::iter::once(is_over).chain(std::iter::repeat(false));
        keys.chars().zip(over).map(|(c, over)| word.press(KeyPress::char(c), over)).collect()
    }

    #[test]
    fn only_a_whole_word_from_an_overlay_on_leaves() {
        use Part::{Last, Letter, Own};
        assert_eq!(parts("quit", true), [Own, Letter, Letter, Last]);
        assert_eq!(parts("exit", true), [Own, Letter, Letter, Last]);
        assert_eq!(parts("quit", false), [Own, Own, Own, Own]);
        assert_eq!(parts("qi", true), [Own, Own]);
        assert_eq!(parts("quuit", true), [Own, Letter, Own, Own, Own]);
        assert_eq!(parts("quitq", true), [Own, Letter, Letter, Last, Own]);
    }
}
