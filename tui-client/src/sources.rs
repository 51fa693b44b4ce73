//! Sources that stand in one view as one server would: several servers, each with a name before its
//! keys. Knows no sockets: what a source is asked for a request to all, and what its lines become.

mod data_lines;
mod names;
mod request;
mod rest_of_glob;

use std::sync::Arc;
use std::time::Duration;

use shared::client::ConnectOptions;
use shared::host::with_port;

pub use data_lines::DataLines;
pub use names::{MAX_NAME, NameError, check_name, named_hosts};
pub use request::{Kind, Routed, Target, route};

/// What ends the name of a source before a key: a key may hold it, a name does not, so that the first
/// one in a key ends the name.
pub const SEPARATOR: char = '/';

/// A server, and what its keys are called in the view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What stands before its keys, without the [`SEPARATOR`].
    pub name: String,
    /// Where it is.
    pub server: ConnectOptions,
}

impl Source {
    /// What stands before each of its keys.
    pub fn prefix(&self) -> String {
        format!("{}{SEPARATOR}", self.name)
    }
}

/// The name of the source and the key there, of a key in the view.
pub fn split_key(key: &str) -> Option<(&str, &str)> {
    key.split_once(SEPARATOR)
}

/// What a source is called, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLabel {
    /// What stands before its keys, without the [`SEPARATOR`].
    pub name: String,
    /// `host:port`.
    pub address: String,
}

impl From<&Source> for SourceLabel {
    fn from(Source { name, server }: &Source) -> Self {
        Self { name: name.clone(), address: with_port(&server.host, server.port) }
    }
}

/// The keys of sources that are away: an answer may lack them although they have points. Clones share
/// the names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Away(Arc<[String]>);

impl Away {
    /// The keys of sources of these names.
    pub fn named(names: impl IntoIterator<Item = String>) -> Self {
        Self(names.into_iter().collect())
    }

    /// There are no such keys.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// It is such a key.
    pub fn has(&self, key: &str) -> bool {
        !self.is_empty()
            && split_key(key).is_some_and(|(name, _)| self.0.iter().any(|it| it == name))
    }
}

/// How a source stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are explained with their variant")]
pub enum SourceState {
    /// It is not known yet whether it is there.
    Connecting,
    /// It answers; `round_trip` is the time to the first byte of its last small answer.
    Here { round_trip: Option<Duration> },
    /// It does not; the next try is made by itself.
    Away { reason: String },
}

impl SourceState {
    /// It answers.
    pub fn is_here(&self) -> bool {
        matches!(self, Self::Here { .. })
    }
}
