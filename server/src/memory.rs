//! How the memory that the server may take is shared out.

/// Memory that a series takes, with its chunks in the parts and its newest points.
const SERIES_COST: u64 = 1 << 10;

/// Memory that a `get` takes while it is read.
const READ_COST: u64 = 1 << 20;

/// Threads that read at once, where there is memory for them.
const MAX_BLOCKING_THREADS: usize = 512;

/// What each use of memory may take. Computed only; what counts is that all of them together leave
/// some room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryShares {
    /// Bytes of log whose points are in memory, which take some six times as much with those on their
    /// way to a part.
    pub log_limit: u64,
    /// Bytes of the newest commits for followers.
    pub follow_buffer: u64,
    /// Number of series.
    pub series: u64,
    /// Bytes of the keys of all series.
    pub key_bytes: u64,
    /// Bytes of the batches of all clients that wait to be stored.
    pub in_flight: u64,
    /// Number of `get`s that are read at once.
    pub reads: usize,
    /// Threads for what blocks.
    pub blocking_threads: usize,
}

impl MemoryShares {
    /// The shares of a server without a limit.
    pub const UNLIMITED: Self = Self {
        log_limit: 64 << 20,
        follow_buffer: 32 << 20,
        series: u64::MAX,
        key_bytes: u64::MAX,
        in_flight: 512 << 20,
        reads: 4096,
        blocking_threads: MAX_BLOCKING_THREADS,
    };

    /// The shares of so many bytes.
    pub fn of(limit: u64) -> Self {
        let most = Self::UNLIMITED;
        let reads = usize::try_from(limit / 16 / READ_COST).unwrap_or(usize::MAX);
        Self {
            log_limit: (limit / 32).clamp(256 << 10, most.log_limit),
            follow_buffer: (limit / 32).clamp(256 << 10, most.follow_buffer),
            // Half of the memory.
            series: (limit / 2 / SERIES_COST).max(1000),
            key_bytes: (limit / 8).max(1 << 20),
            in_flight: (limit / 32).clamp(1 << 20, most.in_flight),
            reads: reads.clamp(4, most.reads),
            // A thread takes 2 MiB of the address space for its stack.
            blocking_threads: (reads / 2).clamp(4, most.blocking_threads),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_shares_together_leave_room() {
        for mib in [64, 128, 512, 1024, 4096, 24 << 10, 1 << 20] {
            let limit = mib << 20;
            let shares = MemoryShares::of(limit);
            let all = shares.log_limit * 6
                + shares.follow_buffer
                + shares.series * SERIES_COST
                + shares.in_flight
                + shares.reads as u64 * READ_COST;
            assert!(all <= limit - limit / 8, "{all} of {mib} MiB: {shares:?}");
        }
        let large = MemoryShares::of(1 << 40);
        let most = MemoryShares::UNLIMITED;
        assert_eq!(MemoryShares { series: u64::MAX, key_bytes: u64::MAX, ..large }, most);
        assert_eq!(MemoryShares::of(512 << 20).series, 262_144);
    }
}
