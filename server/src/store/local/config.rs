//! How a store is to behave.

use std::fmt;
use std::time::Duration;

use crate::clock::Clock;

/// What `ok` to a put means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// It is on the disk.
    #[default]
    Sync,
    /// The operating system has it; it is synced every [`SYNC_INTERVAL`].
    Interval,
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sync => "sync",
            Self::Interval => "interval",
        })
    }
}

/// The most that a power cut can take in [`Durability::Interval`].
pub const SYNC_INTERVAL: Duration = Duration::from_secs(1);

/// The choices of an operator.
#[derive(Debug, Clone)]
pub struct Config {
    /// What `ok` means.
    pub durability: Durability,
    /// Bytes of log after which the points in memory are written to a part.
    pub log_limit: u64,
    /// Bytes after which a log file is followed by the next one, so that a recovery can make a
    /// checkpoint now and then.
    pub log_file_size: u64,
    /// How long to wait before a rotation, checkpoint or merge that failed is tried again.
    pub retry: Duration,
    /// Points older than this are dropped; `None` keeps them for ever.
    pub retention: Option<Duration>,
    /// What time it is.
    pub clock: Clock,
}

/// Bytes of log before a checkpoint, unless told otherwise. A point takes about 10 of them in a
/// large batch and 16 in memory, so this bounds the heads to some 100 MiB, twice that while a
/// checkpoint is being written.
pub const DEFAULT_LOG_LIMIT: u64 = 64 << 20;

impl Default for Config {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            log_limit: DEFAULT_LOG_LIMIT,
            log_file_size: 64 << 20,
            retry: Duration::from_secs(1),
            retention: None,
            clock: Clock::default(),
        }
    }
}

impl Config {
    /// The oldest timestamp that is kept, as of now.
    pub fn cutoff(&self) -> i64 {
        let age = self.retention.map(|age| i64::try_from(age.as_secs()).unwrap_or(i64::MAX));
        age.map_or(i64::MIN, |age| self.clock.now().saturating_sub(age))
    }
}
