//! How often an event may be in the log, however often it happens.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(60);

/// The right of one kind of event to be in the log, so many times a minute.
#[derive(Debug)]
pub struct EventLimit {
    per_minute: u32,
    window: Mutex<Window>,
}

#[derive(Debug)]
struct Window {
    start: Option<Instant>,
    admitted: u32,
    skipped: u64,
}

/// An event is to be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admitted {
    /// How many like it were not, since the last one that was; `None` for none.
    pub skipped: Option<u64>,
}

impl EventLimit {
    /// At most `per_minute` in a minute.
    pub const fn new(per_minute: u32) -> Self {
        let window = Window { start: None, admitted: 0, skipped: 0 };
        Self { per_minute, window: Mutex::new(window) }
    }

    /// Whether an event of now is to be logged.
    pub fn admit(&self) -> Option<Admitted> {
        self.admit_at(Instant::now())
    }

    fn admit_at(&self, now: Instant) -> Option<Admitted> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if window.start.is_none_or(|start| now.saturating_duration_since(start) >= WINDOW) {
            (window.start, window.admitted) = (Some(now), 0);
        }
        if window.admitted == self.per_minute {
            window.skipped += 1;
            return None;
        }
        window.admitted += 1;
        let skipped = std::mem::take(&mut window.skipped);
        Some(Admitted { skipped: (skipped > 0).then_some(skipped) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_a_minute_and_the_others_are_counted() {
        let (limit, start) = (EventLimit::new(2), Instant::now());
        let admitted = |seconds| limit.admit_at(start + Duration::from_secs(seconds));
        let some = |skipped| Some(Admitted { skipped });
        let seen: Vec<_> = [0, 1, 2, 59, 60, 61, 62, 200].map(admitted).to_vec();
        let expected =
            [some(None), some(None), None, None, some(Some(2)), some(None), None, some(Some(1))];
        assert_eq!(seen, expected);
    }
}
