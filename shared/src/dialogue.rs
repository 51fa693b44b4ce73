//! The `C:`/`S:` notation of the protocol document, read from files, so that the codec, the
//! server and the clients are tested with the same dialogues.
//!
//! ```text
//! # a comment
//! C: put palm.cpu 23.7 1150864247     a line the client sends, with \n
//! C+ put palm                         bytes without \n: the rest comes later
//! S: ok                               a line the server answers, with \n
//! S:
//! C. close                            the client closes its sending side
//! ```
//! Client lines in a row are sent in one piece; `\t \r \n \0 \s \\ \xHH` are escapes (`\s` is a
//! blank, because blanks at the end of a line are dropped), and `\{N}c` is `c` N times, where `c`
//! is a character or an escape.

/// One side's turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Bytes that the client sends in one piece.
    Client(Vec<u8>),
    /// Bytes that the server answers.
    Server(Vec<u8>),
    /// The client closes its sending side.
    Close,
}

/// Reads a dialogue.
///
/// # Errors
/// A sentence with the number of the first line that is not in the notation.
pub fn parse(text: &str) -> Result<Vec<Turn>, String> {
    let mut turns: Vec<Turn> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_end();
        let (mark, rest) = line.split_at_checked(2).unwrap_or((line, ""));
        let said = || {
            unescape(rest.strip_prefix(' ').unwrap_or(rest))
                .ok_or_else(|| format!("line {}: a bad escape: {line}", number + 1))
        };
        match mark {
            "" | "# " | "#" => {}
            "C:" => extend(&mut turns, true, &[&said()?, b"\n"]),
            "C+" => extend(&mut turns, true, &[&said()?]),
            "S:" => extend(&mut turns, false, &[&said()?, b"\n"]),
            "C." => turns.push(Turn::Close),
            _ => return Err(format!("line {}: neither C: nor S: {line}", number + 1)),
        }
    }
    Ok(turns)
}

fn extend(turns: &mut Vec<Turn>, client: bool, pieces: &[&[u8]]) {
    let bytes = match turns.last_mut() {
        Some(Turn::Client(bytes)) if client => bytes,
        Some(Turn::Server(bytes)) if !client => bytes,
        _ => {
            turns.push(if client { Turn::Client(Vec::new()) } else { Turn::Server(Vec::new()) });
            return extend(turns, client, pieces);
        }
    };
    for piece in pieces {
        bytes.extend_from_slice(piece);
    }
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (bytes, tail) = next_unit(rest)?;
        out.extend(bytes);
        rest = tail;
    }
    Some(out)
}

/// One character or escape off the front, as bytes.
fn next_unit(text: &str) -> Option<(Vec<u8>, &str)> {
    let character = text.chars().next()?;
    let Some(escape) = text.strip_prefix('\\') else {
        return Some((character.to_string().into_bytes(), &text[character.len_utf8()..]));
    };
    let byte = match escape.as_bytes().first()? {
        b't' => b'\t',
        b'r' => b'\r',
        b'n' => b'\n',
        b'0' => 0,
        b's' => b' ',
        b'\\' => b'\\',
        b'x' => {
            let byte = u8::from_str_radix(escape.get(1..3)?, 16).ok()?;
            return Some((vec![byte], &escape[3..]));
        }
        b'{' => {
            let (times, repeated) = escape[1..].split_once('}')?;
            let (bytes, tail) = next_unit(repeated)?;
            return Some((bytes.repeat(times.parse().ok()?), tail));
        }
        _ => return None,
    };
    Some((vec![byte], &escape[1..]))
}
