//! Lines on their way to the thread that writes them: bounded, so that logging never waits.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use server::metrics::Metrics;

/// Bytes that wait. As many are with the thread that writes.
const MAX_BYTES: usize = 256 * 1024;

/// Lines that wait, and how many found no room.
#[derive(Debug)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    metrics: Arc<Metrics>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Whole lines.
    text: Vec<u8>,
    /// Lines that came after them and found no room.
    dropped: u64,
    /// Others are being written.
    is_writing: bool,
}

/// What is to be written.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Whole lines.
    pub text: Vec<u8>,
    /// Lines after them that are lost.
    pub dropped: u64,
}

impl Queue {
    /// Nothing waits. Lines that are lost are counted in `metrics`.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { waiting: Mutex::default(), changed: Condvar::new(), metrics }
    }

    /// Adds a line, or counts it where there is no room.
    pub fn push(&self, line: &[u8]) {
        let mut waiting = self.lock();
        // After a gap there are no lines until the gap can be told.
        if waiting.dropped > 0 || waiting.text.len() + line.len() > MAX_BYTES {
            waiting.dropped += 1;
            self.metrics.dropped_log_lines.add(1);
            return;
        }
        let is_first = waiting.text.is_empty();
        waiting.text.extend_from_slice(line);
        drop(waiting);
        if is_first {
            self.changed.notify_all();
        }
    }

    /// Waits for lines and takes all of them.
    pub fn take(&self) -> Taken {
        let waiting = self.lock();
        let mut waiting = self
            .changed
            .wait_while(waiting, |waiting| waiting.text.is_empty() && waiting.dropped == 0)
            .unwrap_or_else(PoisonError::into_inner);
        waiting.is_writing = true;
        Taken {
            text: std::mem::take(&mut waiting.text),
            dropped: std::mem::take(&mut waiting.dropped),
        }
    }

    /// Says that what was taken is written, but for so many lines.
    pub fn finish_taken(&self, lost: u64) {
        self.metrics.dropped_log_lines.add(lost);
        self.lock().is_writing = false;
        self.changed.notify_all();
    }

    /// Waits until all lines are written, at most so long.
    pub fn wait_until_written(&self, limit: Duration) {
        let waiting = self.lock();
        // What is still there then is lost.
        drop(self.changed.wait_timeout_while(waiting, limit, |waiting| {
            waiting.is_writing || !waiting.text.is_empty() || waiting.dropped > 0
        }));
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_counted_until_there_is_room() {
        let metrics = Arc::new(Metrics::default());
        let queue = Queue::new(Arc::clone(&metrics));
        let line = [b'x'; 1000];
        for _ in 0..MAX_BYTES / line.len() + 5 {
            queue.push(&line);
        }
        // It would fit, but not behind what is missing.
        queue.push(b"short");
        let taken = queue.take();
        assert_eq!((taken.text.len(), taken.dropped), (MAX_BYTES / 1000 * 1000, 6));
        queue.push(b"next");
        queue.finish_taken(2);
        assert_eq!(queue.take(), Taken { text: b"next".to_vec(), dropped: 0 });
        assert_eq!(metrics.snapshot().dropped_log_lines, 8);
    }

    #[test]
    fn the_end_waits_for_what_is_written_and_no_longer_than_its_limit() {
        let queue = Arc::new(Queue::new(Arc::default()));
        queue.wait_until_written(Duration::from_secs(3600));
        queue.push(b"line");
        // Nothing takes it.
        queue.wait_until_written(Duration::from_millis(1));
        let writing = Arc::clone(&queue);
        let thread = std::thread::spawn(move || {
            let taken = writing.take();
            writing.finish_taken(0);
            taken
        });
        queue.wait_until_written(Duration::from_secs(3600));
        assert_eq!(thread.join().unwrap().text, b"line");
    }
}
