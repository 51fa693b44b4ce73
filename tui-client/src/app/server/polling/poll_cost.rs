//! The cost of polling: requests and bytes over the last seconds.

use std::collections::VecDeque;
use std::time::Duration;

/// Seconds over which the cost is averaged.
const SECONDS: u64 = 10;

#[derive(Debug, Default, Clone, Copy)]
struct Second {
    at: u64,
    requests: u64,
    bytes: u64,
}

/// Counts of requests and bytes by the second.
#[derive(Debug, Default)]
pub struct PollCost {
    seconds: VecDeque<Second>,
    since: Option<Duration>,
}

/// The cost a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Requests.
    pub requests: f64,
    /// Bytes in both directions.
    pub bytes: f64,
}

impl PollCost {
    /// Counts answered requests, and bytes in both directions.
    pub fn count(&mut self, requests: u64, bytes: u64, now: Duration) {
        self.since.get_or_insert(now);
        let at = now.as_secs();
        if self.seconds.back().is_none_or(|last| last.at != at) {
            self.seconds.push_back(Second { at, ..Second::default() });
        }
        if let Some(last) = self.seconds.back_mut() {
            last.requests = last.requests.saturating_add(requests);
            last.bytes = last.bytes.saturating_add(bytes);
        }
        while self.seconds.front().is_some_and(|first| first.at + SECONDS < at) {
            self.seconds.pop_front();
        }
    }

    /// The average cost; none in the first two seconds.
    #[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
    pub fn rates(&self, now: Duration) -> Option<Rates> {
        // The current second is not complete and does not count.
        let end = now.as_secs();
        let begin = end.saturating_sub(SECONDS).max(self.since?.as_secs());
        let length = end.checked_sub(begin).filter(|&length| length >= 2)? as f64;
        let within = self.seconds.iter().filter(|second| (begin..end).contains(&second.at));
        let (requests, bytes) = within.fold((0, 0_u64), |(requests, bytes), second| {
            (requests + second.requests, bytes.saturating_add(second.bytes))
        });
        Some(Rates { requests: requests as f64 / length, bytes: bytes as f64 / length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_over_the_last_whole_seconds() {
        let mut meter = PollCost::default();
        assert_eq!(meter.rates(Duration::ZERO), None);
        for tenths in 0..=300 {
            meter.count(1, 100, Duration::from_millis(tenths * 100));
        }
        let rates = meter.rates(Duration::from_secs(30)).unwrap();
        assert_eq!(rates, Rates { requests: 10.0, bytes: 1000.0 });
        let rates = meter.rates(Duration::from_secs(35)).unwrap();
        assert!(rates.requests < 6.0);
        assert!(meter.seconds.len() <= 12, "bounded");
    }
}
