//! When followers are woken: at once, unless the committer is busy. A wake-up and the write that it
//! leads to cost about as much as a hundred puts, so many followers of busy series would take the
//! processor from the puts; they then have their news together, a little later.

use std::time::{Duration, Instant};

/// Points a second from which on the committer is busy.
const BUSY: u64 = 250_000;

/// Over how long the rate is measured.
const PERIOD: Duration = Duration::from_millis(50);

/// What a follower that was woken adds to the pause before the next one is, while the committer is
/// busy: together they are woken 2,000 times a second.
const PAUSE_PER_FOLLOWER: Duration = Duration::from_micros(500);

/// The longest pause.
const MAX_PAUSE: Duration = Duration::from_millis(500);

/// Decides when followers are woken.
#[derive(Debug)]
pub struct Pacing {
    period_start: Instant,
    /// In the period that is running.
    points: u64,
    is_busy: bool,
    next_wake: Instant,
}

impl Pacing {
    /// Begins at `now`, with no pause.
    pub fn new(now: Instant) -> Self {
        Self { period_start: now, points: 0, is_busy: false, next_wake: now }
    }

    /// Notes that so many points were committed.
    pub fn note(&mut self, points: u64, now: Instant) {
        self.points = self.points.saturating_add(points);
        let elapsed = now.saturating_duration_since(self.period_start);
        if elapsed >= PERIOD {
            let rate = u128::from(self.points) * 1_000_000_000 / elapsed.as_nanos();
            self.is_busy = rate >= u128::from(BUSY);
            self.points = 0;
            self.period_start = now;
        }
    }

    /// How long followers must wait to be woken; `None` when they may be woken now.
    pub fn pause(&self, now: Instant) -> Option<Duration> {
        let pause = self.next_wake.saturating_duration_since(now);
        (self.is_busy && !pause.is_zero()).then_some(pause)
    }

    /// Notes that so many followers were woken.
    pub fn note_woken(&mut self, followers: usize, now: Instant) {
        let followers = u32::try_from(followers).unwrap_or(u32::MAX);
        self.next_wake = now + PAUSE_PER_FOLLOWER.saturating_mul(followers).min(MAX_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn followers_wait_only_while_the_committer_is_busy() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut pacing = Pacing::new(start);
        // 100,000 points a second.
        for milli in 0..200 {
            pacing.note(100, at(milli));
            assert_eq!(pacing.pause(at(milli)), None);
            pacing.note_woken(100, at(milli));
        }
        // 5 million.
        for milli in 200..400 {
            pacing.note(5000, at(milli));
        }
        pacing.note_woken(100, at(400));
        assert_eq!(pacing.pause(at(400)), Some(Duration::from_millis(50)));
        assert_eq!(pacing.pause(at(450)), None);
        pacing.note_woken(100_000, at(420));
        assert_eq!(pacing.pause(at(420)), Some(MAX_PAUSE));
        // A quiet moment ends it.
        for milli in [450, 500] {
            pacing.note(1, at(milli));
        }
        assert_eq!(pacing.pause(at(500)), None);
    }
}
