//! Limits that all listeners share.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::warn;

use crate::os;

/// Connections at once; more wait in the backlog of the operating system.
const MAX_CONNECTIONS: u64 = 16 * 1024;

/// Open files that connections leave to the store and the listeners.
const RESERVED_FILES: u64 = 128;

/// The right to serve connections, so many at once. Clones share it.
#[derive(Debug, Clone)]
pub struct Permits {
    connections: Arc<Semaphore>,
}

/// The right to serve one connection, until it is dropped.
#[derive(Debug)]
pub struct Permit {
    _connection: OwnedSemaphorePermit,
}

impl Permits {
    /// Permits for at most `connections` at once.
    pub fn new(connections: usize) -> Self {
        Self { connections: Arc::new(Semaphore::new(connections)) }
    }

    /// As many as there are open files for, after asking for as many as are allowed.
    pub fn for_open_files() -> Self {
        let files = os::raise_open_files_limit().unwrap_or(u64::MAX);
        let connections = files.saturating_sub(RESERVED_FILES).clamp(1, MAX_CONNECTIONS);
        if connections < MAX_CONNECTIONS {
            warn!(
                "max connections set to {connections}, limited by open files ({})",
                os::OPEN_FILES_HINT
            );
        }
        Self::new(usize::try_from(connections).unwrap_or(usize::MAX))
    }

    /// Waits for a permit. Only to be called with a connection in hand: a permit that is held
    /// while its holder waits for anything else is one that another listener misses.
    pub async fn acquire(&self) -> Option<Permit> {
        let permit = Arc::clone(&self.connections).acquire_owned().await.ok()?;
        Some(Permit { _connection: permit })
    }
}
