//! Everything that can happen to the application, as data. Time comes along, never from a clock.

use std::time::Duration;

use shared::response::Status;

use crate::import::ImportNews;
use crate::metrics::reply::Reply;
use crate::metrics::sort::Sorted;

/// When a message arrived, on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Since the program started; never goes back.
    pub elapsed: Duration,
    /// Unix time in milliseconds.
    pub unix_ms: i64,
}

impl Moment {
    /// Unix time in whole seconds, as the protocol counts.
    pub fn unix(self) -> i64 {
        self.unix_ms.div_euclid(1000)
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A key was pressed.
    Key(KeyPress),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// Text was pasted in one piece.
    Paste(String),
    /// The terminal has a new size.
    Resize {
        /// Columns.
        width: u16,
        /// Rows.
        height: u16,
    },
    /// The moment that [`crate::app::App::next_wake`] asked for has come.
    Tick,
    /// The connection stands.
    Connected,
    /// The connection could not be made, or ended; the reason is for a person.
    Disconnected(String),
    /// A request could not be handed to the network.
    NotSent {
        /// Which one.
        id: u64,
    },
    /// A large reply is still arriving.
    Progress {
        /// The request it answers.
        id: u64,
        /// Points so far.
        points: u64,
    },
    /// The status line of a raw reply came.
    ReplyBegins {
        /// The request it answers.
        id: u64,
        /// `ok` or `error`.
        status: Status,
    },
    /// Some data lines of a raw reply came.
    Lines {
        /// The request it answers.
        id: u64,
        /// Of the reply.
        status: Status,
        /// Safe to show; each ends with `\n`.
        lines: String,
    },
    /// A reply came, whole.
    Reply(Box<Reply>),
    /// How far pasted lines have come.
    Import(ImportNews),
    /// The lines entered in earlier sessions, oldest first.
    History(Vec<String>),
    /// The log is saved.
    Saved {
        /// Where, from the root on.
        path: String,
        /// Lines of it.
        lines: u64,
    },
    /// The log is not saved.
    NotSaved {
        /// As it was typed.
        path: String,
        /// For a person.
        reason: String,
    },
    /// The history could not be read or written; the reason is for a person.
    FileFailed(String),
    /// A large table is arranged.
    Sorted(Sorted),
    /// The system wants the program to end.
    Terminate,
}

/// What the mouse did and where, free of any terminal library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MouseEvent {
    /// What.
    pub kind: MouseKind,
    /// The column.
    pub column: u16,
    /// The row.
    pub row: u16,
}

/// What a mouse can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MouseKind {
    /// The main button went down.
    Click,
    /// The wheel turned up.
    WheelUp,
    /// The wheel turned down.
    WheelDown,
}

/// A key press, free of any terminal library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyPress {
    /// The key.
    pub code: KeyCode,
    /// Ctrl was held.
    pub ctrl: bool,
    /// Alt was held.
    pub alt: bool,
}

impl KeyPress {
    /// The key alone.
    pub const fn plain(code: KeyCode) -> Self {
        Self { code, ctrl: false, alt: false }
    }

    /// A character alone.
    pub const fn char(c: char) -> Self {
        Self::plain(KeyCode::Char(c))
    }

    /// A character with Ctrl.
    pub const fn ctrl(c: char) -> Self {
        Self { code: KeyCode::Char(c), ctrl: true, alt: false }
    }

    /// A key with Alt.
    pub const fn alt(code: KeyCode) -> Self {
        Self { code, ctrl: false, alt: true }
    }
}

/// The keys that may be bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are on the keys")]
pub enum KeyCode {
    Char(char),
    Enter,
    Tab,
    BackTab,
    Esc,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    F(u8),
}
