//! Places for connections, which all listeners share.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::warn;

use crate::os;

/// Connections at once. What one has in flight takes up to 1 MiB, so that all of them leave room on
/// 32 bits.
const MAX_CONNECTIONS: u64 = if cfg!(target_pointer_width = "64") { 16 * 1024 } else { 1024 };

/// Open files that connections leave to the store and the listeners; half of them where there are few.
const RESERVED_FILES: u64 = 128;

/// The share of the reserved files that connections have while they are told that there is no place.
const REFUSED_SHARE: u64 = 4;

/// The right to serve connections, so many at once. Clones share it.
#[derive(Debug, Clone)]
pub struct Permits {
    limit: usize,
    connections: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
}

/// The right to serve one connection, or to see its refusal through, until it is dropped.
#[derive(Debug)]
pub struct Permit {
    _place: OwnedSemaphorePermit,
}

impl Permits {
    /// Permits for at most `connections` at once, and for the last words to `refusals` more.
    pub fn new(connections: usize, refusals: usize) -> Self {
        let semaphore =
            |permits: usize| Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)));
        Self {
            limit: connections,
            connections: semaphore(connections),
            refusals: semaphore(refusals),
        }
    }

    /// As many as `wanted`, or as usual, as far as there are open files for them, after asking for as
    /// many as are allowed.
    pub fn for_open_files(wanted: Option<u64>) -> Self {
        let files = os::raise_open_files_limit().unwrap_or(u64::MAX);
        let shares = Shares::of(files, wanted);
        if shares.connections < wanted.unwrap_or(MAX_CONNECTIONS) {
            warn!(
                "max connections set to {}, limited by open files ({})",
                shares.connections,
                os::OPEN_FILES_HINT
            );
        }
        let number = |count| usize::try_from(count).unwrap_or(usize::MAX);
        Self::new(number(shares.connections), number(shares.refusals))
    }

    /// The number of connections that are served at once.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// A permit for a connection in hand, if there is one.
    pub fn try_acquire(&self) -> Option<Permit> {
        try_acquire(&self.connections)
    }

    /// A permit to see the refusal of a connection through, if there is one.
    pub fn try_acquire_refusal(&self) -> Option<Permit> {
        try_acquire(&self.refusals)
    }
}

fn try_acquire(permits: &Arc<Semaphore>) -> Option<Permit> {
    Arc::clone(permits).try_acquire_owned().ok().map(|place| Permit { _place: place })
}

/// What open files are for.
#[derive(Debug, PartialEq, Eq)]
struct Shares {
    connections: u64,
    refusals: u64,
}

impl Shares {
    fn of(files: u64, wanted: Option<u64>) -> Self {
        let reserved = RESERVED_FILES.min(files / 2);
        let room = (files - reserved).max(1);
        Self {
            connections: wanted.unwrap_or(MAX_CONNECTIONS).min(room),
            refusals: (reserved / REFUSED_SHARE).max(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_open_files_are_shared_by_the_store_and_several_connections() {
        let shares = |connections, refusals| Shares { connections, refusals };
        for (files, wanted, expected) in [
            (64, None, shares(32, 8)),
            (256, None, shares(128, 32)),
            (1024, None, shares(896, 32)),
            (1024, Some(10), shares(10, 32)),
            (1024, Some(5000), shares(896, 32)),
            (1 << 20, None, shares(MAX_CONNECTIONS, 32)),
            (1 << 20, Some(100_000), shares(100_000, 32)),
            (u64::MAX, None, shares(MAX_CONNECTIONS, 32)),
            (1, None, shares(1, 1)),
        ] {
            assert_eq!(Shares::of(files, wanted), expected, "{files} {wanted:?}");
        }
    }
}
