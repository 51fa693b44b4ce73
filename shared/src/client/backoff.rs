//! How long to wait before the next try: doubling, capped, and different for every client.

use std::time::Duration;

/// Waits that double from [`Backoff::MIN_WAIT`] to [`Backoff::MAX_WAIT`]. Each is then shortened by
/// a random part of less than its half, so that clients that failed at the same time do not come
/// back at the same time. Pure: the seed makes the random numbers.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    failures: u32,
    /// State of the `SplitMix64` generator; any seed is good.
    state: u64,
}

impl Backoff {
    /// The wait after the first failure, before it is shortened to 51 to 100 ms.
    pub(super) const MIN_WAIT: Duration = Duration::from_millis(100);

    /// Where the doubling ends, before the wait is shortened. Low, because the terminal client is
    /// on screen while its server restarts.
    pub(super) const MAX_WAIT: Duration = Duration::from_secs(2);

    /// Without failures so far.
    pub(super) fn new(seed: u64) -> Self {
        Self { failures: 0, state: seed }
    }

    /// Counts a failure and says how long to wait before the next try, in whole milliseconds.
    pub(super) fn failed(&mut self) -> Duration {
        let doubled = Self::MIN_WAIT.saturating_mul(2_u32.saturating_pow(self.failures));
        self.failures = self.failures.saturating_add(1);
        let wait = doubled.min(Self::MAX_WAIT);
        let half = u64::try_from(wait.as_millis() / 2).unwrap_or(u64::MAX).max(1);
        wait.saturating_sub(Duration::from_millis(self.next_random() % half))
    }

    /// Starts over after a success.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
    }

    fn next_random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap_and_start_over() {
        for seed in 0..100 {
            let mut backoff = Backoff::new(seed);
            for longest in [100, 200, 400, 800, 1600, 2000, 2000] {
                let wait = backoff.failed();
                let longest = Duration::from_millis(longest);
                assert!(longest / 2 < wait && wait <= longest, "{wait:?} of {longest:?}");
            }
            for _ in 0..1000 {
                assert!(backoff.failed() <= Backoff::MAX_WAIT);
            }
            backoff.succeeded();
            assert!(backoff.failed() <= Backoff::MIN_WAIT);
        }
    }

    /// A thousand clients lose their server at the same moment.
    #[test]
    fn a_fleet_spreads_evenly_over_each_wait() {
        let mut fleet: Vec<_> = (0..1000).map(Backoff::new).collect();
        for longest in [100, 200, 400, 800, 1600, 2000, 2000] {
            let mut bins = [0; 10];
            for client in &mut fleet {
                let saved = longest - client.failed().as_millis();
                bins[usize::try_from(saved * 20 / longest).unwrap()] += 1;
            }
            assert!(bins.iter().all(|count| (60..=140).contains(count)), "{longest} ms: {bins:?}");
        }
    }
}
