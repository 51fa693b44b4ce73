//! The one reader of the wall clock, and the running time, which does not jump.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Tells the time in Unix seconds, and how long it has been running; tests set their own.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> i64 + Send + Sync>,
    uptime: Arc<dyn Fn() -> Duration + Send + Sync>,
}

impl Clock {
    /// A clock that shows what `now` answers.
    pub fn new(now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        let start = Instant::now();
        Self { now: Arc::new(now), uptime: Arc::new(move || start.elapsed()) }
    }

    /// The same clock with a running time of its own.
    #[must_use]
    pub fn with_uptime(self, uptime: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self { uptime: Arc::new(uptime), ..self }
    }

    /// Unix seconds. They jump when the system's time is set.
    pub fn now(&self) -> i64 {
        (self.now)()
    }

    /// How long the clock has been running. Never less than before, whatever the system's time is
    /// set to.
    pub fn uptime(&self) -> Duration {
        (self.uptime)()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(unix_seconds)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// The present time in whole Unix seconds, rounded down, also before 1970. Times that 64 bits do
/// not hold are the nearest that they do.
fn unix_seconds() -> i64 {
    floor_seconds(SystemTime::now())
}

fn floor_seconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
        Err(error) => {
            let before = error.duration();
            let seconds = before.as_secs().saturating_add(u64::from(before.subsec_nanos() > 0));
            i64::try_from(seconds).map_or(i64::MIN, |seconds| -seconds)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn seconds_are_rounded_down_on_both_sides_of_1970() {
        let after = |millis| UNIX_EPOCH + Duration::from_millis(millis);
        let before = |millis| UNIX_EPOCH - Duration::from_millis(millis);
        for (time, seconds) in [
            (after(0), 0),
            (after(999), 0),
            (after(1000), 1),
            (before(1), -1),
            (before(1000), -1),
            (before(1001), -2),
        ] {
            assert_eq!(floor_seconds(time), seconds, "{time:?}");
        }
    }
}
