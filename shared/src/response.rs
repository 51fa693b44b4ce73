//! What a server answers: decoding and encoding side by side.
//!
//! A reply may be larger than memory, so decoding is incremental: [`ReplyDecoder`] hands out
//! events as their bytes arrive.

use memchr::{memchr, memrchr};

use crate::frame::{Line, LineFramer};
use crate::key::Key;
use crate::point::{Point, encode_timestamp, encode_value, parse_timestamp, parse_value};

/// The whole reply to a good `put`, and the beginning of every good reply.
pub const OK: &[u8] = b"ok\n\n";

/// The reason given for every request that is not as the protocol has it.
pub const WRONG_COMMAND: &str = "wrong command";

/// Begins the reason why a connection is refused for which the server has no place; the limit follows.
pub const NO_PLACE: &str = "there are too many connections";

/// Begins the reason why a `get` is refused that would have to leave out points which the disk has lost; a key
/// and the times follow.
pub const LOST_POINTS: &str = "the disk has lost points of ";

/// Ends such a reason when the points may be read again later.
pub const UNREAD_POINTS: &str = ": they can't be read at the moment";

/// Appends the status line of a good reply; data lines and [`encode_end`] follow.
pub fn encode_status_ok(out: &mut Vec<u8>) {
    out.extend_from_slice(b"ok\n");
}

/// Appends the empty line that ends a reply.
pub fn encode_end(out: &mut Vec<u8>) {
    out.push(b'\n');
}

/// Appends a whole error reply. Line ends in `reason` become blanks.
pub fn encode_error(reason: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"error\n");
    out.extend(reason.bytes().map(|byte| if byte.is_ascii_control() { b' ' } else { byte }));
    out.extend_from_slice(b"\n\n");
}

/// Appends the data line of a point.
pub fn encode_point(key: Key<'_>, point: Point, out: &mut Vec<u8>) {
    out.extend_from_slice(key.as_bytes());
    out.push(b' ');
    encode_value(point.value, out);
    out.push(b' ');
    encode_timestamp(point.timestamp, out);
    out.push(b'\n');
}

/// Appends the data line of a point that was taken back.
pub fn encode_deletion(key: Key<'_>, timestamp: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b" - ");
    encode_timestamp(timestamp, out);
    out.push(b'\n');
}

/// The first line of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The request was served.
    Ok,
    /// The request failed; the data line says why.
    Error,
}

/// A part of a reply, in the order of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyEvent<'a> {
    /// The reply begins.
    Status(Status),
    /// One or more whole data lines, each with its `\n`: see [`decode_points`].
    Data(&'a [u8]),
    /// The reply is complete.
    End,
}

/// The peer speaks another protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadReply {
    /// Neither `ok` nor `error`.
    #[error("a reply begins with ok or error, not {0:?}")]
    Status(String),
    /// The peer answers with HTTP.
    #[error("it speaks HTTP")]
    Http,
    /// The peer answers with an alert of TLS, or begins a handshake.
    #[error("it speaks TLS; --tls has this client speak it, too")]
    Tls,
    /// Longer than [`crate::limits::MAX_LINE`].
    #[error("a line of the reply is longer than {} bytes", crate::limits::MAX_LINE)]
    LineTooLong,
    /// Not `<key> <value> <timestamp>`.
    #[error("a data line is not <key> <value> <timestamp>: {0:?}")]
    Data(String),
}

impl BadReply {
    /// What a first line that is no status tells of the peer.
    fn of_status(line: &[u8]) -> Self {
        const PAGES: [&[u8]; 3] = [b"http/", b"<!doctype html", b"<html"];
        let begins = |page: &&[u8]| {
            line.get(..page.len()).is_some_and(|begun| begun.eq_ignore_ascii_case(page))
        };
        match line {
            _ if Self::is_tls(line) => Self::Tls,
            _ if PAGES.iter().any(begins) => Self::Http,
            other => Self::Status(lossy(other)),
        }
    }

    /// The bytes begin a record of TLS: an alert or a handshake.
    pub fn is_tls(bytes: &[u8]) -> bool {
        matches!(bytes, [0x15 | 0x16, 0x03, ..])
    }
}

/// Cuts a byte stream into replies. As with [`LineFramer`], the bytes stay with the caller.
#[derive(Debug, Default)]
pub struct ReplyDecoder {
    lines: LineFramer,
    inside: bool,
}

impl ReplyDecoder {
    /// Takes the next event off the front of `input`, or `None` when more bytes are needed.
    ///
    /// Data lines come together, as many as are complete.
    ///
    /// # Errors
    /// [`BadReply`] when this is no reply; the stream is of no use after that.
    pub fn next_event<'a>(
        &mut self,
        input: &mut &'a [u8],
    ) -> Result<Option<ReplyEvent<'a>>, BadReply> {
        let before = *input;
        if self.inside {
            return self.next_inside(input, before);
        }
        match self.next_line_of_status(input) {
            None => Ok(None),
            Some(Line::Text(b"ok")) => Ok(Some(self.begin(Status::Ok))),
            Some(Line::Text(b"error")) => Ok(Some(self.begin(Status::Error))),
            Some(Line::Text(other)) => Err(BadReply::of_status(other)),
            Some(Line::TooLong) => Err(BadReply::LineTooLong),
        }
    }

    /// The next line that is not empty: some servers send empty lines between replies.
    fn next_line_of_status<'a>(&mut self, input: &mut &'a [u8]) -> Option<Line<'a>> {
        loop {
            let line = self.lines.next_line(input)?;
            if line != Line::Text(b"") {
                return Some(line);
            }
        }
    }

    /// Whether the last reply is complete and no part of the next one has come.
    pub fn is_between_replies(&self) -> bool {
        !self.inside && self.lines.is_between_lines()
    }

    fn begin(&mut self, status: Status) -> ReplyEvent<'static> {
        self.inside = true;
        ReplyEvent::Status(status)
    }

    fn next_inside<'a>(
        &mut self,
        input: &mut &'a [u8],
        before: &'a [u8],
    ) -> Result<Option<ReplyEvent<'a>>, BadReply> {
        let mut taken = 0;
        loop {
            // All lines up to the last one in sight, unless an empty one ends the reply first.
            let rest = *input;
            match self.lines.next_line(input) {
                Some(Line::Text(b"")) if taken == 0 => {
                    self.inside = false;
                    return Ok(Some(ReplyEvent::End));
                }
                Some(Line::Text(b"")) => {
                    *input = rest;
                    return Ok(Some(ReplyEvent::Data(&before[..taken])));
                }
                Some(Line::Text(_)) => taken = before.len() - input.len(),
                Some(Line::TooLong) => return Err(BadReply::LineTooLong),
                None if taken == 0 => return Ok(None),
                None => return Ok(Some(ReplyEvent::Data(&before[..taken]))),
            }
        }
    }
}

/// A data line of the reply to a follow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum News<'a> {
    /// `<key> <value> <timestamp>`: a point, new or with a new value.
    Point(Key<'a>, Point),
    /// `<key> - <timestamp>`: the point with this timestamp is taken back.
    TakenBack(Key<'a>, i64),
}

/// Reads the lines of a [`ReplyEvent::Data`], one point each. A value may be `inf` or `-inf`, which
/// the sum of a bucket can be.
///
/// # Errors
/// Each line that is not `<key> <value> <timestamp>` is a [`BadReply::Data`].
pub fn decode_points(data: &[u8]) -> impl Iterator<Item = Result<(Key<'_>, Point), BadReply>> {
    data_lines(data).map(decode_point)
}

/// Reads the lines of a [`ReplyEvent::Data`] of a follow, one point or removal each.
///
/// # Errors
/// Each line that is neither is a [`BadReply::Data`].
pub fn decode_news(data: &[u8]) -> impl Iterator<Item = Result<News<'_>, BadReply>> {
    data_lines(data).map(|line| match decode_point(line) {
        Ok((key, point)) => Ok(News::Point(key, point)),
        Err(bad) => split_removal(line).ok_or(bad),
    })
}

/// The lines, without their ends; the last one may lack its end.
fn data_lines(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = data;
    std::iter::from_fn(move || {
        let (line, after) = match memchr(b'\n', rest) {
            Some(end) => (&rest[..end], &rest[end + 1..]),
            None if rest.is_empty() => return None,
            None => (rest, &rest[rest.len()..]),
        };
        rest = after;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    })
}

fn decode_point(line: &[u8]) -> Result<(Key<'_>, Point), BadReply> {
    decode_point_fast(line).or_else(|| split_point(line)).ok_or_else(|| BadReply::Data(lossy(line)))
}

/// Reads a data line of a plain key and plain numbers, as nearly all are, in one pass.
fn decode_point_fast(line: &[u8]) -> Option<(Key<'_>, Point)> {
    let (key, rest) = Key::plain_prefix(line)?;
    Some((key, Point::decode_fast(rest.strip_prefix(b" ")?)?))
}

fn split_point(line: &[u8]) -> Option<(Key<'_>, Point)> {
    let (key, value, timestamp) = split_line(line)?;
    let value = match value {
        b"inf" => f64::INFINITY,
        b"-inf" => f64::NEG_INFINITY,
        value => parse_value(value).ok()?,
    };
    Some((key, Point { timestamp, value }))
}

fn split_removal(line: &[u8]) -> Option<News<'_>> {
    let (key, value, timestamp) = split_line(line)?;
    (value == b"-").then_some(News::TakenBack(key, timestamp))
}

/// Key, value and timestamp of a line.
fn split_line(line: &[u8]) -> Option<(Key<'_>, &[u8], i64)> {
    // From the right: the numbers are short, the key may be long.
    let timestamp = memrchr(b' ', line)?;
    let value = memrchr(b' ', &line[..timestamp])?;
    let key = Key::from_bytes(&line[..value]).ok()?;
    let number = parse_timestamp(&line[timestamp + 1..]).ok()?;
    Some((key, &line[value + 1..timestamp], number))
}

fn lossy(bytes: &[u8]) -> String {
    const MAX_SHOWN: usize = 80;
    String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_SHOWN)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_lines_between_replies_are_skipped() {
        let replies = b"\nok\n\n\n\r\nerror\nno\n\n\nok\na 1 1\n\n";
        for size in 1..=replies.len() {
            let (mut decoder, mut buffer) = (ReplyDecoder::default(), Vec::new());
            let mut ends = 0;
            for piece in replies.chunks(size) {
                buffer.extend_from_slice(piece);
                let mut rest = &buffer[..];
                while let Some(event) = decoder.next_event(&mut rest).unwrap() {
                    ends += usize::from(event == ReplyEvent::End);
                }
                buffer = rest.to_vec();
            }
            assert_eq!((ends, decoder.is_between_replies()), (3, true), "{size} bytes at once");
        }
    }

    #[test]
    fn sums_may_be_infinite_and_points_taken_back() {
        let key = Key::new("a").unwrap();
        let point = |value| Point { timestamp: 7, value };
        let data = b"a inf 7\na -inf 7\r\na 1.5 7\na - 7\n";
        let mut points = decode_points(data);
        for value in [f64::INFINITY, f64::NEG_INFINITY, 1.5] {
            assert_eq!(points.next(), Some(Ok((key, point(value)))));
        }
        assert_eq!(points.next(), Some(Err(BadReply::Data("a - 7".to_owned()))));
        let news: Vec<_> = decode_news(data).skip(2).map(Result::unwrap).collect();
        assert_eq!(news, [News::Point(key, point(1.5)), News::TakenBack(key, 7)]);
        for line in ["a nan 7", "a +inf 7", "a infinity 7", "a -- 7", "a - 7.5", "- 7", "a  - 7"] {
            assert_eq!(decode_news(line.as_bytes()).next().unwrap().ok(), None, "{line}");
        }
        let mut text = Vec::new();
        encode_point(key, point(f64::NEG_INFINITY), &mut text);
        assert_eq!(text, b"a -inf 7\n");
    }
}
