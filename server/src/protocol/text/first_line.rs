//! The first line of a connection: whether it is that of another protocol.
//!
//! A browser can be told by any web page to send to this port, and what stands behind the first line
//! of such a request could be puts. So nothing is served before that line is known.

use memchr::memchr;

use crate::protocol::ForeignProtocol;

/// The first byte of a TLS connection.
const TLS_HANDSHAKE: u8 = 0x16;

/// How the first line of an HTTP request ends.
const HTTP_ENDS: [&[u8]; 3] = [b" HTTP/1.0", b" HTTP/1.1", b" HTTP/2.0"];

/// Bytes of such an end, with a `\r`.
const MAX_END: usize = 10;

/// The first line as far as it has come, whatever its length.
#[derive(Debug, Default)]
pub struct FirstLine {
    has_begun: bool,
    /// Its last bytes so far, at most [`MAX_END`].
    tail: Vec<u8>,
    /// Bytes at the front of the next input that were seen before.
    seen: usize,
}

impl FirstLine {
    /// Looks at input that begins where the last one was left. Answers whether the line has ended.
    ///
    /// # Errors
    /// When the line is that of another protocol.
    pub fn look_at(&mut self, input: &[u8]) -> Result<bool, ForeignProtocol> {
        let unseen = input.get(self.seen..).unwrap_or_default();
        if !self.has_begun && unseen.first() == Some(&TLS_HANDSHAKE) {
            return Err(ForeignProtocol::Tls);
        }
        self.has_begun |= !unseen.is_empty();
        let end = memchr(b'\n', unseen);
        let line = &unseen[..end.unwrap_or(unseen.len())];
        self.tail.extend_from_slice(&line[line.len().saturating_sub(MAX_END)..]);
        self.tail.drain(..self.tail.len().saturating_sub(MAX_END));
        if end.is_none() {
            return Ok(false);
        }
        let tail = self.tail.strip_suffix(b"\r").unwrap_or(&self.tail);
        if HTTP_ENDS.iter().any(|end| tail.ends_with(end)) {
            return Err(ForeignProtocol::Http);
        }
        Ok(true)
    }

    /// Says that the next input begins with so many bytes that were seen already.
    pub fn leave(&mut self, seen: usize) {
        self.seen = seen;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks at pieces, all but the last of which are kept or dropped.
    fn look(text: &[u8], piece: usize, is_kept: bool) -> Result<bool, ForeignProtocol> {
        let (mut line, mut kept) = (FirstLine::default(), Vec::new());
        for piece in text.chunks(piece) {
            kept.extend_from_slice(piece);
            if line.look_at(&kept)? {
                return Ok(true);
            }
            if !is_kept {
                kept.clear();
            }
            line.leave(kept.len());
        }
        Ok(false)
    }

    #[test]
    fn only_whole_first_lines_of_http_and_the_first_byte_of_tls_are_foreign() {
        let long = format!("GET /{} HTTP/1.1\r\nput a 1 1\n", "x".repeat(10_000));
        for (text, expected) in [
            (&b"GET / HTTP/1.1\r\n"[..], Err(ForeignProtocol::Http)),
            (b"POST /x HTTP/1.0\nput a 1 1\n", Err(ForeignProtocol::Http)),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Err(ForeignProtocol::Http)),
            (long.as_bytes(), Err(ForeignProtocol::Http)),
            (b"\x16\x03\x01", Err(ForeignProtocol::Tls)),
            (b"GET x\n", Ok(true)),
            (b"GET / HTTP/1.2\n", Ok(true)),
            (b"GET /HTTP/1.1\n", Ok(true)),
            (b"GET / HTTP/1.1 \n", Ok(true)),
            (b"GET / http/1.1\n", Ok(true)),
            (b"get a\nGET / HTTP/1.1\n", Ok(true)),
            (b"\nGET / HTTP/1.1\n", Ok(true)),
            (b"a\x16\n", Ok(true)),
            (b"GET / HTTP/1.1", Ok(false)),
        ] {
            for piece in [1, 3, 7, 20_000] {
                for is_kept in [true, false] {
                    let found = look(text, piece, is_kept);
                    let shown = String::from_utf8_lossy(&text[..text.len().min(40)]);
                    assert_eq!(found, expected, "{shown:?} in pieces of {piece}");
                }
            }
        }
    }
}
