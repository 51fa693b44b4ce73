//! The keys seen in replies, for completion.

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::metrics::series::Series;

/// The most memory for keys: bytes of text, and the overhead for each.
const MAX_MEMORY: usize = 4 * 1024 * 1024;

/// Memory of a key besides its text.
const OVERHEAD: usize = 48;

/// The most keys learnt from one reply; the next reply brings the others.
const MAX_LEARNT: usize = 4096;

/// The known keys.
#[derive(Debug, Default)]
pub struct KnownKeys {
    keys: BTreeSet<Box<str>>,
    memory: usize,
    /// Series of the last large reply learnt so far, and the key of the last one: replies keep
    /// their order, so learning continues there.
    looked: usize,
    last: Option<Box<str>>,
    /// Series learnt so far of the list that grows while puts are told.
    told: usize,
}

impl KnownKeys {
    /// Learns the keys of a bounded number of series.
    pub fn learn(&mut self, series: &[Series]) {
        if series.len() <= MAX_LEARNT {
            // A small reply does not change the position in a larger one.
            return series.iter().for_each(|series| self.add(series.key.as_str()));
        }
        let reached = self.looked.checked_sub(1).and_then(|at| series.get(at));
        if reached.map(|series| series.key.as_str()) != self.last.as_deref() {
            self.looked = 0;
        }
        for series in series.iter().skip(self.looked).take(MAX_LEARNT) {
            self.add(series.key.as_str());
            self.looked += 1;
        }
        self.last = self.looked.checked_sub(1).map(|at| series[at].key.as_str().into());
    }

    /// Learns the next keys of a list that grows while puts are told, a bounded number of them.
    pub fn learn_told(&mut self, series: &[Series]) {
        // Another list may be shorter.
        self.told = self.told.min(series.len());
        for series in series.iter().skip(self.told).take(MAX_LEARNT) {
            self.add(series.key.as_str());
            self.told += 1;
        }
    }

    /// Learns one key, if there is memory.
    pub fn add(&mut self, key: &str) {
        let cost = key.len() + OVERHEAD;
        if self.memory + cost <= MAX_MEMORY && !self.keys.contains(key) {
            self.memory += cost;
            self.keys.insert(key.into());
        }
    }

    /// The keys that begin with `start`, in alphabetical order.
    pub fn beginning<'a>(&'a self, start: &'a str) -> impl Iterator<Item = &'a str> {
        let from = (Bound::Included(start), Bound::Unbounded);
        let keys = self.keys.range::<str, _>(from).map(|key| &**key);
        keys.take_while(move |key| key.starts_with(start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::series::summary::Summarizer;

    fn series(range: std::ops::Range<usize>) -> Vec<Series> {
        let mut summarizer = Summarizer::new(1);
        for n in range {
            summarizer.add_lines(format!("key{n} 1 1\n").as_bytes());
        }
        summarizer.finish().series
    }

    #[test]
    fn large_replies_are_learnt_in_steps_and_bounded() {
        let mut known = KnownKeys::default();
        let many = series(0..3 * MAX_LEARNT);
        for step in 1..=3 {
            known.learn(&many);
            assert_eq!(known.keys.len(), step * MAX_LEARNT);
            known.learn(&series(0..1));
        }
        known.learn(&many[..10]);
        assert_eq!(known.keys.len(), 3 * MAX_LEARNT);
        assert_eq!(known.beginning("key99").count(), 1 + 10 + 100);
        for step in 4..=5 {
            known.learn_told(&series(20_000..20_000 + 2 * MAX_LEARNT));
            assert_eq!(known.keys.len(), step * MAX_LEARNT);
        }
        known.learn_told(&series(20_000..20_001 + 2 * MAX_LEARNT));
        assert_eq!(known.keys.len(), 5 * MAX_LEARNT + 1, "a key that came later");
        for n in 0..100_000 {
            known.add(&format!("{n}{}", "x".repeat(100)));
        }
        assert!(known.memory <= MAX_MEMORY);
    }
}
