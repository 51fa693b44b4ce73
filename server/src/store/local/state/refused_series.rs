//! Puts of new series that were refused, for the log and the status.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::warn;

/// How often the log says that series are refused.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Counts them, and says so once in a while.
#[derive(Debug, Default)]
pub struct RefusedSeries {
    count: AtomicU64,
    last_logged: Mutex<Option<Instant>>,
}

impl RefusedSeries {
    /// Notes so many puts that were refused for a reason.
    pub fn note(&self, puts: u64, reason: impl fmt::Display) {
        let count = self.count.fetch_add(puts, Ordering::Relaxed) + puts;
        let now = Instant::now();
        let mut logged = self.last_logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.is_none_or(|before| now.duration_since(before) >= LOG_INTERVAL) {
            *logged = Some(now);
            drop(logged);
            warn!(
                refused_puts = count,
                "puts of new series are refused: {reason}; start with a larger --max-series \
                 or --max-memory, or delete series, which needs --allow-delete"
            );
        }
    }

    /// Number of puts that were refused so far.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}
