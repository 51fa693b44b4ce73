//! The inputs of the application, as data; the time of an event comes with it.

use std::time::Duration;

use bytes::Bytes;
use shared::response::Status;

use crate::import::ImportNews;
use crate::metrics::reply::Reply;
use crate::metrics::series::summary::Answer;
use crate::metrics::sort::Sorted;
use crate::session::SessionFile;
use crate::sources::SourceState;

/// The time of an event, on the monotonic and on the wall clock.
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

    /// The next multiple of a period of Unix time in milliseconds, as time since the start.
    pub fn next_multiple(self, period_ms: i64) -> Duration {
        let left = (period_ms - self.unix_ms.rem_euclid(period_ms)).unsigned_abs();
        self.elapsed + Duration::from_millis(left)
    }
}

/// The reason for which a file of a name that is taken is not written.
pub const FILE_EXISTS: &str = "there is such a file already";

/// An input of the application: keys, the network, files, the clock.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "fields are explained with their variant")]
pub enum Event {
    /// A key was pressed.
    Key(KeyPress),
    /// A click or a turn of the mouse wheel.
    Mouse(MouseEvent),
    /// Text was pasted in one piece.
    Paste(String),
    /// More of the text that was pasted last came after a pause.
    PasteGoesOn(String),
    /// Pasted text was too long to be taken.
    PasteDropped,
    /// The terminal has a new size in columns and rows.
    Resize { width: u16, height: u16 },
    /// The moment that [`crate::app::App::next_wake`] asked for has come.
    Tick,
    /// The connection is established.
    Connected,
    /// The connection could not be made, or ended, with the reason to show.
    Disconnected(String),
    /// The request with this id could not be handed to the network.
    NotSent { id: u64 },
    /// A large reply is still arriving: the id of its request, and the points and bytes so far.
    Progress { id: u64, points: u64, bytes: u64 },
    /// The first series of a large reply that is still arriving.
    FirstSeries { id: u64, answer: Box<Answer> },
    /// The status line of a raw reply came; `id` is that of its request.
    ReplyBegins { id: u64, status: Status },
    /// Data lines of a raw reply came, safe to show, each ending with `\n`.
    Lines { id: u64, status: Status, lines: String },
    /// A complete reply came.
    Reply(Box<Reply>),
    /// The connection for data ended, or could not be made, with the reason to show; the requests
    /// with these ids get no reply.
    DataLost { ids: Vec<u64>, reason: String },
    /// News of the follow with this id.
    Follow { id: u64, news: FollowNews },
    /// Progress or end of the import of pasted lines.
    Import(ImportNews),
    /// The lines entered in earlier sessions, oldest first.
    History(Vec<String>),
    /// The log is saved: the absolute path, and the number of lines.
    Saved { path: String, lines: u64 },
    /// The log is not saved: the path as it was typed, and the reason to show.
    NotSaved { path: String, reason: String },
    /// The picture of the screen is saved: the absolute path.
    PictureSaved { path: String },
    /// The picture of the screen is not saved: the path as it was typed, and the reason to show.
    PictureNotSaved { path: String, reason: String },
    /// The view was saved to a file with this absolute path, which was typed otherwise.
    ViewSaved { path: String, typed: String },
    /// The view was not saved to the file with this path, as typed, because there is one: it may be meant.
    ViewExists { path: String },
    /// The view could not be saved to the file with this path, as typed.
    ViewNotSaved { path: String, reason: String },
    /// The session is saved in this file.
    SessionSaved(Box<SessionFile>),
    /// The session is not saved: the path as it was typed, and the reason to show.
    SessionNotSaved { path: String, reason: String },
    /// The history could not be read or written, with the reason to show.
    FileFailed(String),
    /// The text is not copied, with the reason to show.
    NotCopied(String),
    /// How the sources of the view stand, in their order.
    Sources(Vec<SourceState>),
    /// A large table is arranged.
    Sorted(Sorted),
    /// A signal asks the program to end.
    Terminate,
}

/// What comes of a follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FollowNews {
    /// The server has taken the request: every later put is told.
    Begun,
    /// Whole data lines, as [`shared::response::decode_news`] reads them.
    Lines(Bytes),
    /// The server has ended the reply: it does not follow.
    Ended,
    /// The server has refused the request, with its reason.
    Refused(String),
    /// The connection could not be made, or the reply broke off, with the reason to show.
    Lost(String),
}

/// A mouse event and its cell, independent of any terminal library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MouseEvent {
    /// The kind of event.
    pub kind: MouseKind,
    /// The column, from 0.
    pub column: u16,
    /// The row, from 0.
    pub row: u16,
}

/// The kinds of mouse events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MouseKind {
    /// The main button went down.
    Click,
    /// The wheel turned up.
    WheelUp,
    /// The wheel turned down.
    WheelDown,
}

/// A key press, independent of any terminal library.
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
