//! The requests that wait for their replies.

use std::time::Duration;

/// The purpose of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// Typed as this line.
    Typed(String),
    /// A poll of the table.
    Refresh,
    /// A poll of the watched keys with this selector.
    Watch(String),
    /// A probe for the selector extension with this key.
    Probe(String),
}

/// A request without its reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The id that comes back with the reply.
    pub id: u64,
    /// The request line.
    pub line: String,
    /// The purpose.
    pub purpose: Purpose,
    /// The time of the request, since the start of the program.
    pub since: Duration,
    /// Points of the reply so far.
    pub points: u64,
}

/// A request to be sent: its line and its purpose.
pub type Due = (String, Purpose);
