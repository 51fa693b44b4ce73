//! The one reader of the wall clock.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time in Unix seconds; tests set their own.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> i64 + Send + Sync>);

impl Clock {
    /// A clock that shows what `now` answers.
    pub fn new(now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Unix seconds.
    pub fn now(&self) -> i64 {
        (self.0)()
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
