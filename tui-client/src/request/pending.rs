//! A request that waits for its reply.

use std::time::Duration;

/// Why a request was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// A person asked, with this line.
    Typed(String),
    /// To refresh the table.
    Refresh,
    /// For the watched keys, with this selector.
    Watch(String),
    /// To find out whether the server knows the selector extension; it has this key.
    Probe(String),
}

/// A request without its reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Comes back with the reply.
    pub id: u64,
    /// The request.
    pub line: String,
    /// Why it was made.
    pub purpose: Purpose,
    /// When it was made.
    pub since: Duration,
    /// Points of the reply so far.
    pub points: u64,
}

/// A request that is due.
pub type Due = (String, Purpose);
