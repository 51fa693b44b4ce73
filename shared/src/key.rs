//! Names of series, checked once at construction: an invalid [`Key`] can't exist.

use std::fmt;
use std::sync::Arc;

use crate::limits::MAX_KEY;

/// The name of a series, such as `palm.cpu`: 1 to 1,024 bytes of UTF-8 without white space,
/// control characters or any of `* ? [ ] { }`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key<'a>(&'a str);

/// Why a word is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No bytes at all.
    #[error("a key needs at least one character")]
    Empty,
    /// More than [`MAX_KEY`] bytes.
    #[error("a key has at most {MAX_KEY} bytes")]
    TooLong,
    /// Not UTF-8.
    #[error("a key is UTF-8 text")]
    NotUtf8,
    /// White space, a control character or one of `* ? [ ] { }`.
    #[error("a key holds no {0:?}")]
    Forbidden(char),
}

impl<'a> Key<'a> {
    /// Checks `text`.
    ///
    /// # Errors
    /// [`KeyError`] says which rule it breaks.
    pub fn new(text: &'a str) -> Result<Self, KeyError> {
        Self::from_bytes(text.as_bytes())
    }

    /// Checks `bytes`, in one pass for the usual ASCII key.
    ///
    /// # Errors
    /// [`KeyError`] says which rule they break.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, KeyError> {
        check_length(bytes)?;
        let text = str::from_utf8(bytes).map_err(|_| KeyError::NotUtf8)?;
        if bytes.iter().all(|&b| PLAIN[usize::from(b)]) {
            return Ok(Self(text));
        }
        match text.chars().find(|&c| is_forbidden(c) || is_pattern(c)) {
            Some(c) => Err(KeyError::Forbidden(c)),
            None => Ok(Self(text)),
        }
    }

    /// Takes the usual ASCII key off the front of `bytes`, with what follows it. `None` says that
    /// there is none, or one that needs a second look.
    pub(crate) fn plain_prefix(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let end = bytes.iter().position(|&byte| !PLAIN[usize::from(byte)])?;
        let (key, rest) = bytes.split_at(end);
        check_length(key).ok()?;
        Some((Self(str::from_utf8(key).ok()?), rest))
    }

    /// The key as text.
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// The key as bytes.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0.as_bytes()
    }

    /// A copy that owns its text and is cheap to clone.
    pub fn to_owned(self) -> KeyBuf {
        KeyBuf(self.0.into())
    }
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0, f)
    }
}

/// A [`Key`] that owns its text; clones share it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyBuf(Arc<str>);

impl KeyBuf {
    /// The borrowed form.
    pub fn as_key(&self) -> Key<'_> {
        Key(&self.0)
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for KeyBuf {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for KeyBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl std::str::FromStr for KeyBuf {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Key::new(text).map(Key::to_owned)
    }
}

fn check_length(bytes: &[u8]) -> Result<(), KeyError> {
    match bytes.len() {
        0 => Err(KeyError::Empty),
        1..=MAX_KEY => Ok(()),
        _ => Err(KeyError::TooLong),
    }
}

pub(crate) fn is_pattern(c: char) -> bool {
    matches!(c, '*' | '?' | '[' | ']' | '{' | '}')
}

pub(crate) fn is_forbidden(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

/// The ASCII bytes that need no second look.
const PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte: u8 = 0x21;
    while byte < 0x7f {
        table[byte as usize] = !matches!(byte, b'*' | b'?' | b'[' | b']' | b'{' | b'}');
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_follow_the_rules_of_the_protocol() {
        for good in ["a", "palm.cpu", "ключ.cpu", "😀", "a:b/c-d_e,f=1", &"k".repeat(MAX_KEY)]
        {
            assert_eq!(Key::new(good).map(Key::as_str), Ok(good));
        }
        for (bad, why) in [
            ("", KeyError::Empty),
            (&*"k".repeat(MAX_KEY + 1), KeyError::TooLong),
            ("a b", KeyError::Forbidden(' ')),
            ("a\u{a0}b", KeyError::Forbidden('\u{a0}')),
            ("a\u{2028}b", KeyError::Forbidden('\u{2028}')),
            ("a\u{7f}", KeyError::Forbidden('\u{7f}')),
            ("a\u{85}", KeyError::Forbidden('\u{85}')),
            ("a\0", KeyError::Forbidden('\0')),
            ("palm.*", KeyError::Forbidden('*')),
            ("{a}", KeyError::Forbidden('{')),
        ] {
            assert_eq!(Key::new(bad), Err(why), "{bad:?}");
        }
        assert_eq!(Key::from_bytes(b"a\xff"), Err(KeyError::NotUtf8));
    }
}
