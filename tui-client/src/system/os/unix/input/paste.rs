//! Pasted text between the marks of the terminal. The mark at the end may never come.

use std::mem;
use std::time::Duration;

use crossterm::event::Event;
use memchr::memmem;

use crate::system::os::terminal_input::TerminalInput;

/// Ends a paste.
const END: &[u8] = b"\x1b[201~";

/// A paste has stalled when nothing came for so long.
const PATIENCE: Duration = Duration::from_secs(1);

/// After a stall, so few bytes are a key, and more are the rest of the paste.
const MAX_KEY: usize = 16;

/// After a stall, bytes that come within so long belong together.
const KEY_PATIENCE: Duration = Duration::from_millis(50);

/// Bytes of a paste. A file that is longer goes through a pipe.
const MAX_PASTE: usize = 64 * 1024 * 1024;

/// A paste that has begun.
#[derive(Debug, Default)]
pub struct OpenPaste {
    text: Vec<u8>,
    is_too_long: bool,
    /// The keyboard is back until more comes.
    is_stalled: bool,
    /// Bytes after a stall that may be a key.
    doubtful: Vec<u8>,
    /// Some of the text is handed out.
    goes_on: bool,
}

impl OpenPaste {
    /// What came is handed out, and nothing has come since but what may be a key.
    pub fn is_stalled(&self) -> bool {
        self.is_stalled
    }

    /// Takes bytes after a stall; true while they may be a key, and not the rest of the paste.
    pub fn doubts(&mut self, bytes: &[u8]) -> bool {
        self.doubtful.extend_from_slice(bytes);
        let ends = memmem::find(&[&self.text[..], &self.doubtful].concat(), END).is_some();
        self.is_stalled = self.doubtful.len() <= MAX_KEY && !ends;
        self.is_stalled
    }

    /// Takes the bytes that belong before those that come next.
    pub fn take_doubtful(&mut self) -> Vec<u8> {
        mem::take(&mut self.doubtful)
    }

    /// Adds bytes; returns how many of them end the paste, once its end is there.
    pub fn add(&mut self, bytes: &[u8]) -> Option<usize> {
        let before = self.text.len();
        // The mark may come in pieces.
        let from = before.saturating_sub(END.len() - 1);
        self.text.extend_from_slice(bytes);
        if let Some(end) = memmem::find(&self.text[from..], END) {
            self.text.truncate(from + end);
            return Some(from + end + END.len() - before);
        }
        if self.text.len() > MAX_PASTE {
            self.is_too_long = true;
            self.text.drain(..self.text.len() - END.len());
        }
        None
    }

    /// How long to wait for more; none once nothing is waited for.
    pub fn patience(&self) -> Option<Duration> {
        match (self.is_stalled, self.doubtful.is_empty()) {
            (false, _) => Some(PATIENCE),
            (true, false) => Some(KEY_PATIENCE),
            (true, true) => None,
        }
    }

    /// Hands out what came so far, because no more has come; the first half of a mark is none of it.
    pub fn stall(&mut self) -> Option<TerminalInput> {
        self.is_stalled = true;
        let cut = (1..END.len()).rev().find(|&count| self.text.ends_with(&END[..count]));
        let mark = self.text.split_off(self.text.len() - cut.unwrap_or(0));
        let is_empty = self.text.is_empty() && !self.is_too_long;
        let input = if is_empty { None } else { self.hand_out() };
        self.text = mark;
        input
    }

    /// The rest of the paste.
    pub fn finish(mut self) -> Option<TerminalInput> {
        self.hand_out()
    }

    fn hand_out(&mut self) -> Option<TerminalInput> {
        let text = mem::take(&mut self.text);
        let goes_on = mem::replace(&mut self.goes_on, true);
        if self.is_too_long {
            return Some(TerminalInput::PasteDropped);
        }
        let text = String::from_utf8(text)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        match (goes_on, text.is_empty()) {
            (true, true) => None,
            (true, false) => Some(TerminalInput::PasteGoesOn(text)),
            (false, _) => Some(TerminalInput::Event(Event::Paste(text))),
        }
    }
}
