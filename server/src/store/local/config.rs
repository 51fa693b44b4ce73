//! The options of the local store.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::series::retention;
use super::series::series_index::SeriesLimits;
use crate::clock::Clock;
use crate::memory::MemoryShares;

/// What `ok` to a put means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// The point is on the disk.
    #[default]
    Sync,
    /// The operating system has the point; the log is synced every [`SYNC_INTERVAL`].
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

/// The options of a store.
#[derive(Debug, Clone)]
pub struct LocalConfig {
    /// What `ok` means.
    pub durability: Durability,
    /// Bytes of log after which the points in memory are written to a part.
    pub log_limit: u64,
    /// Bytes of a segment after which the next one is begun, so that a recovery can write a
    /// checkpoint now and then.
    pub segment_size: u64,
    /// Points of the log that a recovery holds at once, those of a checkpoint that is being written
    /// among them. Between segments it makes room when there are more than half as many, so a
    /// segment with at most half as many always fits.
    pub max_replayed_points: u64,
    /// How long to wait before a rotation, checkpoint or merge that failed is tried again.
    pub retry: Duration,
    /// Points older than this are dropped; `None` keeps all.
    pub retention: Option<Duration>,
    /// Bytes of the newest commits that are kept in memory for followers, as long as there are any.
    pub follow_buffer: usize,
    /// Points further ahead of the clock than this are refused; `None` takes all.
    pub max_ahead: Option<Duration>,
    /// Most series; puts of new ones beyond are refused.
    pub max_series: u32,
    /// Most bytes of the keys of all series; puts of new ones beyond are refused.
    pub max_key_bytes: u64,
    /// Most answers to `get`s that are read at once; others wait.
    pub max_reads: usize,
    /// Bytes that are kept on the disk for what gives room back when it is full; 0 for none. A small
    /// disk keeps less.
    pub reserve: u64,
    /// Tells the present time; `retention` and `max_ahead` count from it.
    pub clock: Clock,
}

/// Default of [`LocalConfig::log_limit`]. A point takes about 10 bytes of log in a large batch and 16 in
/// memory, so this bounds the heads to some 100 MiB, twice that while a checkpoint is written.
pub const DEFAULT_LOG_LIMIT: u64 = 64 << 20;

/// Default of [`LocalConfig::follow_buffer`]: 1.4 million points.
pub const DEFAULT_FOLLOW_BUFFER: usize = 32 << 20;

/// Default of [`LocalConfig::max_replayed_points`]: on 32 bits, as many as take 1.5 GiB
/// of the address space.
const MAX_REPLAYED_POINTS: u64 =
    if cfg!(target_pointer_width = "64") { u64::MAX } else { (3 << 29) / 16 };

impl Default for LocalConfig {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            log_limit: DEFAULT_LOG_LIMIT,
            segment_size: 64 << 20,
            max_replayed_points: MAX_REPLAYED_POINTS,
            retry: Duration::from_secs(1),
            retention: None,
            follow_buffer: DEFAULT_FOLLOW_BUFFER,
            max_ahead: None,
            max_series: u32::MAX,
            max_key_bytes: u64::MAX,
            max_reads: MemoryShares::UNLIMITED.reads,
            reserve: 0,
            clock: Clock::default(),
        }
    }
}

impl LocalConfig {
    /// The oldest timestamp that is kept, as of now.
    pub fn cutoff(&self) -> i64 {
        retention::cutoff(self.clock.now(), self.retention)
    }

    /// How many series there may be before new ones are refused.
    pub fn series_limits(&self) -> SeriesLimits {
        SeriesLimits { series: self.max_series, key_bytes: self.max_key_bytes }
    }

    /// The timestamps that puts may have as of now.
    pub fn accepted(&self) -> RangeInclusive<i64> {
        let now = self.clock.now();
        retention::cutoff(now, self.retention)..=retention::newest_accepted(now, self.max_ahead)
    }
}
