//! How long to wait before the next try: a pure function of the tries so far.

use std::time::Duration;

/// Doubles from [`Backoff::FIRST`] to [`Backoff::CAP`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait after the first failure.
    pub const FIRST: Duration = Duration::from_millis(100);

    /// No wait is longer: a person who restarts the server is looking at the screen.
    pub const CAP: Duration = Duration::from_secs(2);

    /// Counts a failure and says how long to wait before the next try.
    pub fn failed(&mut self) -> Duration {
        let wait = Self::FIRST.saturating_mul(2_u32.saturating_pow(self.failures)).min(Self::CAP);
        self.failures = self.failures.saturating_add(1);
        wait
    }

    /// How many tries have failed in a row.
    pub fn failures(self) -> u32 {
        self.failures
    }

    /// Starts over after a success.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap_and_start_over() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..6).map(|_| backoff.failed().as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 2000]);
        for _ in 0..1000 {
            assert_eq!(backoff.failed(), Backoff::CAP);
        }
        backoff.succeeded();
        assert_eq!(backoff.failed(), Backoff::FIRST);
    }
}
