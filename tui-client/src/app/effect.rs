//! Everything the application wants done, as data; the runtime does it.

use super::reply::Detail;

/// A wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Try to connect; the answer is `Connected` or `Disconnected`.
    Connect,
    /// Send a request; the answer is `Reply`, `NotSent` or `Disconnected`.
    Send(Outgoing),
    /// Put text into the clipboard.
    Copy(String),
    /// Stop until the shell wakes the program again.
    Suspend,
    /// Leave the program.
    Quit,
}

/// A request on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Comes back with the reply.
    pub id: u64,
    /// One line without its end.
    pub line: String,
    /// How much of the reply to keep.
    pub detail: Detail,
}
