//! What a client asks: decoding and encoding side by side, borrowing from the line.

use std::ops::Range;

use crate::frame::Line;
use crate::key::{Key, KeyError};
use crate::point::{NumberError, Point, parse_timestamp, parse_value};
use crate::selector::{Selector, SelectorErrorReason};

/// A line that is wrong on purpose: its sender finds out how a server answers. Clients in the wild send
/// it, and ours before the first request that is sent ahead of a reply.
pub const PROBE: &[u8] = b"get wrong command test";

/// Another one: a selector that none takes, by which a server with selectors is told from one to which
/// all of it is a key.
pub const SELECTOR_PROBE: &[u8] = b"get tui-client.probe[first]";

/// A request, checked: everything in it may be stored and asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Request<'a> {
    /// `put <key> <value> <timestamp>`
    Put(Key<'a>, Point),
    /// `get <selector>`
    Get(Selector<'a>),
    /// `del <selector>`: keys, with or without a range. An extension that a server may not have.
    Del(Selector<'a>),
}

/// Why a line is no request, and which of its bytes are to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct BadRequest {
    /// The rule that is broken.
    pub reason: BadRequestReason,
    /// The offending bytes of the line; empty at the place where a word is missing.
    pub at: Range<usize>,
}

/// The rules of a request line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRequestReason {
    /// No words at all.
    #[error("a request begins with put, get or del")]
    Empty,
    /// Longer than [`crate::limits::MAX_LINE`].
    #[error("a request has at most {} bytes", crate::limits::MAX_LINE)]
    TooLong,
    /// Neither `put` nor `get` nor `del`.
    #[error("the commands are put, del and get, in lower case")]
    UnknownCommand,
    /// The line ends where another word is due.
    #[error("{0} is missing")]
    Missing(Argument),
    /// A word after the last one.
    #[error("nothing may follow here")]
    Surplus,
    /// The key, or a selector that is not made of the characters that one may have.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A selector that does not parse, never for a [`SelectorErrorReason::Key`]. A server that
    /// serves no selectors takes it for the name of a series that is not there.
    #[error(transparent)]
    Selector(SelectorErrorReason),
    /// A selector of a `del` with a step, `last` or `+`.
    #[error("del takes keys with or without a range FROM:TO, and nothing else in brackets")]
    NotDeletable,
    /// The value or timestamp.
    #[error(transparent)]
    Number(#[from] NumberError),
}

/// The words of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// The name of a series.
    Key,
    /// A decimal number.
    Value,
    /// Unix seconds.
    Timestamp,
    /// A key or `*`.
    Selector,
}

impl std::fmt::Display for Argument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Key => "a key",
            Self::Value => "a value",
            Self::Timestamp => "a timestamp",
            Self::Selector => "a key or *",
        })
    }
}

impl<'a> Request<'a> {
    /// Reads one line, its end already cut off.
    ///
    /// # Errors
    /// [`BadRequest`] names the first offending word.
    pub fn decode(line: &'a [u8]) -> Result<Self, BadRequest> {
        match Self::decode_put_fast(line) {
            Some(put) => Ok(put),
            None => Self::decode_words(line),
        }
    }

    /// Reads a put of plain words with single blanks between them, as nearly all are, in one pass
    /// and half the time. `None` for any other line, good or bad.
    fn decode_put_fast(line: &'a [u8]) -> Option<Self> {
        let (key, rest) = Key::plain_prefix(line.strip_prefix(b"put ")?)?;
        Some(Self::Put(key, Point::decode_fast(rest.strip_prefix(b" ")?)?))
    }

    fn decode_words(line: &'a [u8]) -> Result<Self, BadRequest> {
        let mut words = Words { line, at: 0 };
        let command = words.next().ok_or_else(|| words.bad(BadRequestReason::Empty))?;
        let request = match &line[command.clone()] {
            b"put" => {
                let key = words.required(Argument::Key)?;
                let value = words.required(Argument::Value)?;
                let timestamp = words.required(Argument::Timestamp)?;
                Self::Put(
                    Key::from_bytes(&line[key.clone()]).map_err(|why| bad(why, key))?,
                    Point {
                        value: parse_value(&line[value.clone()]).map_err(|why| bad(why, value))?,
                        timestamp: parse_timestamp(&line[timestamp.clone()])
                            .map_err(|why| bad(why, timestamp))?,
                    },
                )
            }
            b"get" => Self::Get(words.selector()?.0),
            b"del" => match words.selector()? {
                (selector, _) if selector.is_range() => Self::Del(selector),
                (_, word) => return Err(bad(BadRequestReason::NotDeletable, word)),
            },
            _ => return Err(bad(BadRequestReason::UnknownCommand, command)),
        };
        match words.next() {
            Some(surplus) => Err(bad(BadRequestReason::Surplus, surplus)),
            None => Ok(request),
        }
    }

    /// Reads what a framer found.
    ///
    /// # Errors
    /// As [`Request::decode`]; a line that was too long is a bad request as well.
    pub fn decode_line(line: Line<'a>) -> Result<Self, BadRequest> {
        match line {
            Line::Text(text) => Self::decode(text),
            Line::TooLong => Err(bad(BadRequestReason::TooLong, 0..0)),
        }
    }

    /// Appends the request with its `\n`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Put(key, point) => {
                out.extend_from_slice(b"put ");
                out.extend_from_slice(key.as_bytes());
                out.push(b' ');
                point.encode(out);
            }
            Self::Get(selector) => {
                out.extend_from_slice(b"get ");
                selector.encode(out);
            }
            Self::Del(selector) => {
                out.extend_from_slice(b"del ");
                selector.encode(out);
            }
        }
        out.push(b'\n');
    }
}

fn bad(reason: impl Into<BadRequestReason>, at: Range<usize>) -> BadRequest {
    BadRequest { reason: reason.into(), at }
}

/// Words between spaces and tabs, as places in the line.
struct Words<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Words<'a> {
    /// The selector that is due, and its place.
    fn selector(&mut self) -> Result<(Selector<'a>, Range<usize>), BadRequest> {
        let word = self.required(Argument::Selector)?;
        match Selector::from_bytes(&self.line[word.clone()]) {
            Ok(selector) => Ok((selector, word)),
            Err(error) => Err(match (error.reason, self.next()) {
                (SelectorErrorReason::Key(reason), _) => bad(reason, word),
                // No server takes a second word, but some take any selector.
                (_, Some(surplus)) => bad(BadRequestReason::Surplus, surplus),
                (reason, None) => BadRequest {
                    reason: BadRequestReason::Selector(reason),
                    at: word.start + error.at.start..word.start + error.at.end,
                },
            }),
        }
    }

    fn required(&mut self, argument: Argument) -> Result<Range<usize>, BadRequest> {
        self.next().ok_or_else(|| self.bad(BadRequestReason::Missing(argument)))
    }

    fn bad(&self, reason: BadRequestReason) -> BadRequest {
        bad(reason, self.at..self.at)
    }
}

impl Iterator for Words<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let rest = &self.line[self.at..];
        let Some(blanks) = rest.iter().position(|&byte| !is_blank(byte)) else {
            self.at = self.line.len();
            return None;
        };
        let start = self.at + blanks;
        let word = &self.line[start..];
        self.at = start + word.iter().position(|&byte| is_blank(byte)).unwrap_or(word.len());
        Some(start..self.at)
    }
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::PatternErrorReason;

    #[test]
    fn a_bad_request_points_at_the_word_to_blame() {
        use BadRequestReason as Why;
        for (line, reason, at) in [
            ("", Why::Empty, 0..0),
            (" \t ", Why::Empty, 3..3),
            ("got *", Why::UnknownCommand, 0..3),
            (" PUT a 1 1", Why::UnknownCommand, 1..4),
            ("put", Why::Missing(Argument::Key), 3..3),
            ("put a ", Why::Missing(Argument::Value), 6..6),
            ("put a 1", Why::Missing(Argument::Timestamp), 7..7),
            ("put a 1 1 1", Why::Surplus, 10..11),
            ("put a* 1 1", Why::Key(KeyError::Forbidden('*')), 4..6),
            ("put a 1,5 1", Why::Number(NumberError::NotDecimal), 6..9),
            ("put a 1e999 1", Why::Number(NumberError::NotFinite), 6..11),
            ("put a 1 1.5", Why::Number(NumberError::NotInteger), 8..11),
            ("get", Why::Missing(Argument::Selector), 3..3),
            ("get a b", Why::Surplus, 6..7),
            ("get *\u{1}", Why::Key(KeyError::Forbidden('\u{1}')), 4..6),
            ("get a{b c", Why::Surplus, 8..9),
            ("get a{b", Why::Selector(PatternErrorReason::UnclosedBrace.into()), 5..6),
            (
                "get  a[1:x]",
                Why::Selector(SelectorErrorReason::Time(NumberError::NotInteger)),
                9..10,
            ),
        ] {
            assert_eq!(
                Request::decode(line.as_bytes()),
                Err(BadRequest { reason, at }),
                "{line:?}"
            );
        }
    }
}
