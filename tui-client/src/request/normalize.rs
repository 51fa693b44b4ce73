//! Typed and pasted lines, made into the strict form of the wire. Shared by the terminal UI
//! and the plain mode.

use std::borrow::Cow;
use std::ops::Range;

use shared::request::{Argument, BadRequestReason, Request};

/// The byte order mark that some programs on Windows put before a text, and so into the middle of one
/// that is made of several.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What `copy` of Windows puts behind the last line of files that it joins.
const END_OF_FILE: &[u8] = b"\x1a";

/// Prompts that documents and shells put before a request.
const PROMPTS: [&[u8]; 4] = [b"> ", b"$ ", b"C: ", b"% "];

/// A line to send.
#[derive(Debug, PartialEq, Eq)]
pub struct WireLine<'a> {
    /// The request without its `\n`; empty when there is nothing to send.
    pub bytes: Cow<'a, [u8]>,
    /// The timestamp that was missing and is now filled in.
    pub filled: Option<i64>,
    /// The timestamp that was there.
    pub given: Option<i64>,
}

/// Drops a leading byte order mark and prompt, blanks around and a literal `\n` at the end, and fills in the time
/// `now` where a `put` has none. Everything else stays as it is, right or wrong: the server
/// decides.
pub fn wire_line(line: &[u8], now: i64) -> WireLine<'_> {
    with_time(&line[body(line)], now)
}

/// What was typed of a request: it without the time that was filled in.
pub fn without_filled<'a>(typed: &str, request: &'a str) -> &'a str {
    if wire_line(typed.as_bytes(), 0).filled.is_none() {
        return request;
    }
    request.rsplit_once(' ').map_or(request, |(request, _)| request)
}

fn with_time(line: &[u8], now: i64) -> WireLine<'_> {
    match Request::decode(line) {
        Err(bad) if bad.reason == BadRequestReason::Missing(Argument::Timestamp) => WireLine {
            bytes: [line, b" ", now.to_string().as_bytes()].concat().into(),
            filled: Some(now),
            given: None,
        },
        Ok(Request::Put(_, point)) => {
            WireLine { bytes: line.into(), filled: None, given: Some(point.timestamp) }
        }
        _ => WireLine { bytes: line.into(), filled: None, given: None },
    }
}

/// The put of a data line `NAME VALUE [TIME]`, with a prefix before its name. The time `now` is filled
/// in where there is none; everything else stays as it is, right or wrong.
pub fn data_line(line: &[u8], prefix: &str, now: i64) -> WireLine<'static> {
    // A name may begin with a byte order mark.
    let line = line.trim_ascii();
    if line.is_empty() || line == END_OF_FILE {
        return WireLine { bytes: Cow::Borrowed(b""), filled: None, given: None };
    }
    let put = [b"put ", prefix.as_bytes(), line].concat();
    let WireLine { bytes, filled, given } = with_time(&put, now);
    WireLine { bytes: bytes.into_owned().into(), filled, given }
}

/// The place of the request in what was typed, without a leading byte order mark and prompt, blanks
/// around and a literal `\n` at the end.
pub fn body(line: &[u8]) -> Range<usize> {
    let mut rest = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line).trim_ascii_start();
    if let Some(behind) = PROMPTS.iter().find_map(|prompt| rest.strip_prefix(*prompt)) {
        rest = behind.trim_ascii_start();
    } else if rest.trim_ascii_end() == b">" || rest == END_OF_FILE {
        rest = b"";
    }
    let start = line.len() - rest.len();
    rest = rest.trim_ascii_end();
    while let Some(before) = rest.strip_suffix(b"\\n") {
        rest = before.trim_ascii_end();
    }
    start..start + rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_copied_from_documents_become_requests() {
        for (typed, sent, filled) in [
            ("get *", "get *", false),
            ("  get * \r", "get *", false),
            ("> get palm.cpu", "get palm.cpu", false),
            ("C: put a 1 2\\n", "put a 1 2", false),
            ("put a 1", "put a 1 77", true),
            ("> put a 1\\n", "put a 1 77", true),
            ("put a", "put a", false),
            ("put a x", "put a x 77", true),
            ("put a 1 2 3", "put a 1 2 3", false),
            ("got *", "got *", false),
            (">", "", false),
            ("\\n", "", false),
            ("\u{feff}get a\r", "get a", false),
            ("\u{feff}> get a", "get a", false),
            ("\u{feff}", "", false),
            ("\u{1a}", "", false),
            ("get \u{1a}", "get \u{1a}", false),
        ] {
            let line = wire_line(typed.as_bytes(), 77);
            assert_eq!(line.bytes, sent.as_bytes(), "{typed:?}");
            assert_eq!(line.filled.is_some(), filled, "{typed:?}");
        }
    }

    #[test]
    fn data_lines_become_puts() {
        for (typed, sent, filled) in [
            ("load1 0.5", "put run1.load1 0.5 77", true),
            (" load1\t0.5 ", "put run1.load1\t0.5 77", true),
            ("load1 0.5 7", "put run1.load1 0.5 7", false),
            ("> 5", "put run1.> 5 77", true),
            ("load1", "put run1.load1", false),
            ("load1 1 2 3", "put run1.load1 1 2 3", false),
            ("  ", "", false),
            ("\u{feff}load1 1 2\r", "put run1.\u{feff}load1 1 2", false),
            ("\u{1a}", "", false),
        ] {
            let line = data_line(typed.as_bytes(), "run1.", 77);
            assert_eq!((&*line.bytes, line.filled.is_some()), (sent.as_bytes(), filled), "{typed}");
        }
    }
}
