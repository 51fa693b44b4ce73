//! Where does a line end? Bounded, and it never looks twice at what it has seen.
//!
//! Knows no meaning: commands and replies are [`crate::request`] and [`crate::response`].

use memchr::memchr;

use crate::limits::MAX_LINE;

/// One line, without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    /// At most [`MAX_LINE`] bytes.
    Text(&'a [u8]),
    /// The end of a line whose bytes were thrown away because it was longer than that.
    TooLong,
}

/// Cuts a byte stream into lines. The bytes stay with the caller, in a buffer that begins where
/// the last line ended; the framer only remembers how far it has looked.
#[derive(Debug, Default)]
pub struct LineFramer {
    /// Bytes at the front of the caller's buffer known to hold no `\n`.
    scanned: usize,
    /// Inside a line that is already too long.
    discarding: bool,
}

impl LineFramer {
    /// Takes the next line off the front of `input`.
    ///
    /// On `None`, what is left in `input` is the beginning of a line (at most [`MAX_LINE`] bytes
    /// and a `\r`): call again with the same bytes followed by more.
    pub fn next_line<'a>(&mut self, input: &mut &'a [u8]) -> Option<Line<'a>> {
        let bytes = *input;
        let Some(found) = memchr(b'\n', bytes.get(self.scanned..).unwrap_or_default()) else {
            self.keep_or_discard(input);
            return None;
        };
        let end = self.scanned + found;
        self.scanned = 0;
        *input = &bytes[end + 1..];
        let line = match &bytes[..end] {
            [line @ .., b'\r'] | line => line,
        };
        if std::mem::take(&mut self.discarding) || line.len() > MAX_LINE {
            return Some(Line::TooLong);
        }
        Some(Line::Text(line))
    }

    /// Whether the last line has ended and nothing of the next one has come.
    pub fn is_between_lines(&self) -> bool {
        self.scanned == 0 && !self.discarding
    }

    fn keep_or_discard(&mut self, input: &mut &[u8]) {
        let fits =
            input.len() <= MAX_LINE || (input.len() == MAX_LINE + 1 && input.ends_with(b"\r"));
        if fits && !self.discarding {
            self.scanned = input.len();
        } else {
            self.discarding = true;
            self.scanned = 0;
            *input = &[];
        }
    }
}

/// Cuts what a client sends into requests: lines, with the one empty line swallowed that follows
/// a request and comes before that request is answered.
#[derive(Debug, Default)]
pub struct RequestFramer {
    lines: LineFramer,
    /// The last line was a request that is not answered yet.
    open: bool,
}

impl RequestFramer {
    /// Takes the next request line off the front of `input`, as [`LineFramer::next_line`] does.
    pub fn next_request<'a>(&mut self, input: &mut &'a [u8]) -> Option<Line<'a>> {
        loop {
            let line = self.lines.next_line(input)?;
            if line == Line::Text(b"") && std::mem::take(&mut self.open) {
                continue;
            }
            self.open = true;
            // At once where it is in sight: a long answer is sent in pieces.
            self.absorb_empty_line(input);
            return Some(line);
        }
    }

    /// Takes the empty line that belongs to the last request off the front of `input`. To be
    /// asked with what has come since the last [`RequestFramer::next_request`], before answering.
    pub fn absorb_empty_line(&mut self, input: &mut &[u8]) {
        if self.open && self.lines.is_between_lines() {
            self.open = match *input {
                [b'\n', rest @ ..] | [b'\r', b'\n', rest @ ..] => {
                    *input = rest;
                    false
                }
                _ => true,
            };
        }
    }

    /// Says that an empty line may belong to the last request again, though one did already: it is
    /// what ended the reply to that.
    pub fn reopen(&mut self) {
        self.open = true;
    }

    /// Whether the last line has ended and nothing of the next one has come.
    pub fn is_between_lines(&self) -> bool {
        self.lines.is_between_lines()
    }

    /// Says that all requests so far are answered: an empty line from here on stands on its own.
    pub fn answered(&mut self) {
        self.open = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(pieces: &[&[u8]]) -> Vec<String> {
        let mut framer = RequestFramer::default();
        let (mut buffer, mut found) = (Vec::new(), Vec::new());
        for piece in pieces {
            buffer.extend_from_slice(piece);
            let mut input = buffer.as_slice();
            while let Some(line) = framer.next_request(&mut input) {
                found.push(match line {
                    Line::Text(text) => String::from_utf8_lossy(text).into_owned(),
                    Line::TooLong => "<too long>".to_owned(),
                });
            }
            let left = input.len();
            buffer.drain(..buffer.len() - left);
            assert!(buffer.len() <= MAX_LINE + 1, "a line is never buffered whole");
        }
        found
    }

    #[test]
    fn an_empty_line_belongs_to_the_request_before_it() {
        assert_eq!(requests(&[b"a\n\nb\r\n\r\nc\n"]), ["a", "b", "c"]);
        assert_eq!(requests(&[b"a\n", b"\n", b"\n"]), ["a", ""]);
        assert_eq!(requests(&[b"\na\n"]), ["", "a"]);
    }

    #[test]
    fn an_empty_line_after_the_answer_stands_alone() {
        let mut framer = RequestFramer::default();
        assert_eq!(framer.next_request(&mut &b"a\n"[..]), Some(Line::Text(b"a")));
        framer.answered();
        assert_eq!(framer.next_request(&mut &b"\n"[..]), Some(Line::Text(b"")));
    }

    #[test]
    fn the_longest_line_passes_and_one_byte_more_does_not() {
        let longest = "x".repeat(MAX_LINE);
        for end in ["\n", "\r\n"] {
            let fits = format!("{longest}{end}");
            let over = format!("{longest}y{end}next\n");
            for piece in [1, 7, 4096, 10_000] {
                let pieces: Vec<_> = fits.as_bytes().chunks(piece).collect();
                assert_eq!(requests(&pieces), [longest.as_str()]);
                let pieces: Vec<_> = over.as_bytes().chunks(piece).collect();
                assert_eq!(requests(&pieces), ["<too long>", "next"]);
            }
        }
        let endless = [b'z'; 1000];
        assert!(requests(&[&endless[..]; 50]).is_empty());
    }
}
