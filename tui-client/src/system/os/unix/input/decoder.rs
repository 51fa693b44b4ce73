//! Bytes of the terminal as events, however the bytes are cut into pieces. It knows no clock: the
//! caller waits for more bytes as long as [`Decoder::patience`] says, and then calls
//! [`Decoder::give_up`].

use std::collections::VecDeque;
use std::mem;
use std::str;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

use super::paste::OpenPaste;
use super::sequences::{
    colour_reply, console_key, control_sequence, raw_mouse, single_shift, version_reply,
};
use crate::system::os::terminal_input::TerminalInput;

/// An Esc waits so long for the rest of a sequence before it is a key of its own.
const ESC_PATIENCE: Duration = Duration::from_millis(50);

/// A sequence that has begun waits so long for its next byte. No key that is bound here begins so.
const SEQUENCE_PATIENCE: Duration = Duration::from_secs(1);

/// Bytes of a control sequence; none that a terminal sends is longer.
const MAX_SEQUENCE: usize = 64;

/// Bytes of a string that are kept; what is asked for here is shorter.
const MAX_STRING: usize = 1024;

/// Bytes in which the rest of a reply that was given up ends.
const MAX_REST: usize = 256;

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;

/// Decodes the bytes of a terminal.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The bytes of a sequence that is not complete.
    pending: Vec<u8>,
    paste: Option<OpenPaste>,
    /// The reply whose beginning was given up.
    broken: Option<Broken>,
    ready: VecDeque<TerminalInput>,
}

/// The kinds of replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Broken {
    /// Up to BEL or `ESC \`.
    String,
    /// Numbers and a final byte.
    Control,
}

/// What the first bytes are.
#[derive(Debug, PartialEq, Eq)]
enum Parsed {
    /// The beginning of something.
    Incomplete,
    /// So many bytes with this meaning, or without any.
    Done(usize, Option<TerminalInput>),
    /// The bytes that begin a paste.
    PasteBegins(usize),
}

impl Decoder {
    /// Takes bytes as they were read at once.
    pub fn feed(&mut self, bytes: &[u8]) {
        let mut rest = match self.broken.take() {
            Some(kind) => &bytes[rest_of_reply(kind, bytes)..],
            None => bytes,
        };
        let after_stall;
        if let Some(paste) = self.paste.as_mut().filter(|paste| paste.is_stalled()) {
            if paste.doubts(rest) {
                return;
            }
            after_stall = paste.take_doubtful();
            rest = &after_stall;
        }
        while !rest.is_empty() {
            rest = match &mut self.paste {
                Some(paste) => {
                    let Some(used) = paste.add(rest) else { return };
                    self.ready.extend(self.paste.take().and_then(OpenPaste::finish));
                    &rest[used..]
                }
                None => self.parse(rest),
            };
        }
    }

    /// The next event, if one is complete.
    pub fn next(&mut self) -> Option<TerminalInput> {
        self.ready.pop_front()
    }

    /// How long to wait for the rest of what is incomplete; none when nothing is.
    pub fn patience(&self) -> Option<Duration> {
        match (&self.paste, &self.pending[..]) {
            (Some(paste), _) => paste.patience(),
            (None, []) => None,
            (None, [ESC] | [ESC, ESC]) => Some(ESC_PATIENCE),
            (None, _) => Some(SEQUENCE_PATIENCE),
        }
    }

    /// Takes what is incomplete for what it is so far.
    pub fn give_up(&mut self) {
        if let Some(paste) = &mut self.paste {
            match &paste.take_doubtful()[..] {
                [] => self.ready.extend(paste.stall()),
                key => {
                    self.paste = None;
                    self.parse(key);
                }
            }
            return;
        }
        let mut pending = mem::take(&mut self.pending);
        // An Esc before another one is a key.
        while let [ESC, ESC, ..] = pending[..] {
            self.push_key(KeyCode::Esc, KeyModifiers::NONE);
            pending.remove(0);
        }
        match pending[..] {
            [ESC] => self.push_key(KeyCode::Esc, KeyModifiers::NONE),
            [ESC, c] if c.is_ascii() => self.push_key(KeyCode::Char(c.into()), KeyModifiers::ALT),
            [ESC, kind @ (b']' | b'P' | b'_'), ref rest @ ..] => {
                // Some terminals forget the backslash behind the last Esc.
                match string(kind, &[rest, b"\\"].concat()) {
                    Parsed::Done(_, reply) => self.ready.extend(reply),
                    _ => self.broken = Some(Broken::String),
                }
            }
            [ESC, b'[', b'<'..=b'?', ..] => self.broken = Some(Broken::Control),
            // A piece of a key or of a character.
            _ => {}
        }
    }

    fn push_key(&mut self, code: KeyCode, modifiers: KeyModifiers) {
        self.ready.push_back(key(code, modifiers));
    }

    /// Decodes bytes up to the end, or to the text of a paste, which is returned.
    fn parse<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let mut pending = mem::take(&mut self.pending);
        pending.extend_from_slice(bytes);
        let mut rest = &pending[..];
        while !rest.is_empty() {
            match first(rest) {
                Parsed::Incomplete => break,
                Parsed::Done(count, input) => {
                    self.ready.extend(input);
                    rest = &rest[count..];
                }
                Parsed::PasteBegins(count) => {
                    self.paste = Some(OpenPaste::default());
                    // What is left is the end of the bytes, whatever waited before them.
                    return &bytes[bytes.len() - (rest.len() - count)..];
                }
            }
        }
        self.pending = rest.to_vec();
        bound_string(&mut self.pending);
        &[]
    }
}

/// Drops the middle of a string that is longer than any that is asked for.
fn bound_string(pending: &mut Vec<u8>) {
    if pending.len() > MAX_STRING {
        // The end may be the first half of a terminator, and the beginning says what it is.
        pending.drain(3..pending.len() - 1);
    }
}

/// How many of the bytes are the rest of a reply whose beginning was given up. Keys come one by one, and
/// do not end as a reply does.
fn rest_of_reply(kind: Broken, bytes: &[u8]) -> usize {
    match kind {
        Broken::String => {
            let is_text = |byte: &u8| (0x20..0x7f).contains(byte);
            let end = bytes.iter().take(MAX_REST).position(|byte| !is_text(byte));
            match end.map(|end| (end, &bytes[end..])) {
                Some((end, [BEL, ..])) => end + 1,
                Some((end, [ESC, b'\\', ..])) => end + 2,
                _ => 0,
            }
        }
        Broken::Control => {
            let is_parameter = |byte: &u8| (0x20..0x40).contains(byte);
            let end = bytes.iter().take(MAX_SEQUENCE).position(|byte| !is_parameter(byte));
            match end.map(|end| (end, bytes[end])) {
                Some((end, 0x40..=0x7e)) => end + 1,
                _ => 0,
            }
        }
    }
}

/// What these bytes begin with; there is at least one.
fn first(bytes: &[u8]) -> Parsed {
    match *bytes {
        [] | [ESC] | [ESC, b']' | b'P' | b'_'] => Parsed::Incomplete,
        [ESC, b'[', ref rest @ ..] => control(rest),
        [ESC, b'O', ref rest @ ..] => shifted(rest),
        [ESC, kind, byte, ..] if begins_string(kind, byte) => string(kind, &bytes[2..]),
        [ESC, ESC, ..] => escaped(&bytes[1..]),
        [ESC, ref rest @ ..] => match first(rest) {
            Parsed::Done(count, input) => Parsed::Done(count + 1, input.map(with_alt)),
            other => other,
        },
        [byte, ..] => character(byte, bytes),
    }
}

/// What an Esc begins before another one: a key with Alt, as `PuTTY`, rxvt and Terminal.app send it, if
/// the rest is a key that has a sequence, else the key Esc.
fn escaped(rest: &[u8]) -> Parsed {
    let alone = Parsed::Done(1, Some(key(KeyCode::Esc, KeyModifiers::NONE)));
    if !matches!(rest, [ESC] | [ESC, b'[' | b'O', ..]) {
        return alone;
    }
    match first(rest) {
        Parsed::Done(count, Some(input @ TerminalInput::Event(Event::Key(_)))) => {
            Parsed::Done(count + 1, Some(with_alt(input)))
        }
        Parsed::Incomplete => Parsed::Incomplete,
        _ => alone,
    }
}

/// What comes after `ESC [`.
fn control(rest: &[u8]) -> Parsed {
    const BEGIN: usize = 2;
    match *rest {
        [b'[', letter, ..] => return Parsed::Done(BEGIN + 2, console_key(letter)),
        [b'M', button, column, row, ..] => {
            return Parsed::Done(BEGIN + 4, raw_mouse([button, column, row]));
        }
        [b'[' | b'M', ..] => return Parsed::Incomplete,
        _ => {}
    }
    let end = rest.iter().position(|byte| !(0x20..0x40).contains(byte));
    // With the shift key, rxvt ends a sequence in a byte that ends no other one.
    let number = rest.iter().position(|byte| !byte.is_ascii_digit());
    let end = number.filter(|&end| end > 0 && rest[end] == b'$').or(end);
    match end.map(|end| (end, rest[end])) {
        None if rest.len() > MAX_SEQUENCE => Parsed::Done(BEGIN + rest.len(), None),
        None => Parsed::Incomplete,
        Some((end, b'~')) if &rest[..end] == b"200" => Parsed::PasteBegins(BEGIN + end + 1),
        Some((end, last @ (b'$' | 0x40..=0x7e))) => {
            Parsed::Done(BEGIN + end + 1, control_sequence(&rest[..end], last))
        }
        // It is cut off by something else, which may be a key.
        Some((end, _)) => Parsed::Done(BEGIN + end, None),
    }
}

/// What comes after `ESC O`.
fn shifted(rest: &[u8]) -> Parsed {
    const BEGIN: usize = 2;
    let end = rest.iter().position(|byte| !byte.is_ascii_digit());
    match end.map(|end| (end, rest[end])) {
        None if rest.len() > MAX_SEQUENCE => Parsed::Done(BEGIN + rest.len(), None),
        None => Parsed::Incomplete,
        Some((end, last @ 0x40..=0x7e)) => {
            Parsed::Done(BEGIN + end + 1, single_shift(&rest[..end], last))
        }
        Some((end, _)) => Parsed::Done(BEGIN + end, None),
    }
}

/// Whether a string begins with this byte, as the replies of terminals do; else it is a key with Alt.
fn begins_string(kind: u8, byte: u8) -> bool {
    match kind {
        b']' => byte.is_ascii_digit(),
        b'P' => byte.is_ascii_digit() || b">!+$".contains(&byte),
        b'_' => byte == b'G',
        _ => false,
    }
}

/// What comes after the beginning of a string: its text up to BEL, `ESC \` or what no string has in
/// it. An Esc alone ends it as well: some terminals forget the backslash.
fn string(kind: u8, rest: &[u8]) -> Parsed {
    const BEGIN: usize = 2;
    let Some(end) = rest.iter().position(|&byte| byte < 0x20 || byte == 0x7f) else {
        return Parsed::Incomplete;
    };
    let reply = match kind {
        b']' => colour_reply(&rest[..end]),
        b'P' => version_reply(&rest[..end]),
        _ => None,
    };
    match rest[end..] {
        [BEL, ..] | [ESC, ESC, ..] => Parsed::Done(BEGIN + end + 1, reply),
        [ESC, b'\\', ..] => Parsed::Done(BEGIN + end + 2, reply),
        [ESC] => Parsed::Incomplete,
        [ESC, ..] => Parsed::Done(BEGIN + end, reply),
        _ => Parsed::Done(BEGIN + end, None),
    }
}

/// A character of one or more bytes.
fn character(byte: u8, bytes: &[u8]) -> Parsed {
    let (plain, ctrl) = (KeyModifiers::NONE, KeyModifiers::CONTROL);
    let (code, modifiers) = match byte {
        // What was typed before the program started has its line ends from the terminal.
        b'\r' | b'\n' => (KeyCode::Enter, plain),
        b'\t' => (KeyCode::Tab, plain),
        0x7f => (KeyCode::Backspace, plain),
        0 => (KeyCode::Char(' '), ctrl),
        1..=0x1a => (KeyCode::Char((byte - 1 + b'a').into()), ctrl),
        0x1f => (KeyCode::Char('_'), ctrl),
        0x1b..0x1f => (KeyCode::Char((byte - 0x1c + b'4').into()), ctrl),
        0x20..0x7f => (KeyCode::Char(byte.into()), plain),
        _ => return multibyte(bytes),
    };
    Parsed::Done(1, Some(key(code, modifiers)))
}

fn multibyte(bytes: &[u8]) -> Parsed {
    let bytes = &bytes[..bytes.len().min(4)];
    let (valid, error) = match str::from_utf8(bytes) {
        Ok(text) => (text, None),
        Err(error) => (
            str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
            Some(error.error_len()),
        ),
    };
    match (valid.chars().next(), error) {
        (Some(c), _) => Parsed::Done(c.len_utf8(), Some(key(KeyCode::Char(c), KeyModifiers::NONE))),
        (None, Some(None)) => Parsed::Incomplete,
        // No character: the next byte may be one.
        (None, Some(Some(wrong))) => Parsed::Done(wrong, None),
        (None, None) => Parsed::Done(1, None),
    }
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> TerminalInput {
    TerminalInput::Event(Event::Key(KeyEvent::new(code, modifiers)))
}

fn with_alt(input: TerminalInput) -> TerminalInput {
    match input {
        TerminalInput::Event(Event::Key(mut key)) => {
            key.modifiers |= KeyModifiers::ALT;
            TerminalInput::Event(Event::Key(key))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests;
