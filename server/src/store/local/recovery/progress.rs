//! When a long start says how far it is.

use std::time::{Duration, Instant};

/// How often it does.
const INTERVAL: Duration = Duration::from_secs(2);

/// So few files are named one by one.
const FEW: usize = 4;

/// Files that are worked through.
#[derive(Debug)]
pub struct Progress {
    files: usize,
    last: Instant,
}

impl Progress {
    /// So many files, none of which is done.
    pub fn new(files: usize) -> Self {
        Self { files, last: Instant::now() }
    }

    /// Whether to say that so many are done.
    pub fn is_due(&mut self, done: usize) -> bool {
        self.is_due_at(done, Instant::now())
    }

    fn is_due_at(&mut self, done: usize, now: Instant) -> bool {
        let is_due = self.files <= FEW
            || done == self.files
            || now.saturating_duration_since(self.last) >= INTERVAL;
        if is_due {
            self.last = now;
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_files_are_told_once_in_a_while() {
        let mut progress = Progress::new(100);
        let start = progress.last;
        let said = (1..=100_u32).filter(|&done| {
            // A tenth of a second each.
            progress.is_due_at(done as usize, start + Duration::from_millis(100) * done)
        });
        assert_eq!(said.collect::<Vec<_>>(), [20, 40, 60, 80, 100]);
        let mut few = Progress::new(4);
        assert_eq!((1..=4).filter(|&done| few.is_due(done)).count(), 4);
    }
}
