//! Batches that wait for the committer.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::store::local::series::series_point::SeriesPoint;
use crate::store::{PutError, Unavailable};

/// A batch that waits for the committer.
#[derive(Debug)]
pub struct Submission {
    /// The points.
    pub points: Vec<SeriesPoint>,
    /// Their record, sealed.
    pub record: Vec<u8>,
    /// Receives the outcome.
    pub done: oneshot::Sender<Result<(), PutError>>,
}

/// The queue of the committer.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    submissions: Vec<Submission>,
    /// Why no more are taken.
    closed: Option<Unavailable>,
}

impl Queue {
    /// Adds a batch.
    ///
    /// # Errors
    /// Why the queue was closed.
    pub fn submit(&self, submission: Submission) -> Result<(), Unavailable> {
        let mut waiting = self.waiting();
        if let Some(why) = waiting.closed {
            return Err(why);
        }
        waiting.submissions.push(submission);
        drop(waiting);
        self.arrived.notify_one();
        Ok(())
    }

    /// Refuses further batches; those that wait are still taken.
    pub fn close(&self, why: Unavailable) {
        self.waiting().closed.get_or_insert(why);
        self.arrived.notify_one();
    }

    /// Why no more batches are taken; `None` when they are.
    pub fn closed(&self) -> Option<Unavailable> {
        self.waiting().closed
    }

    /// All batches that wait, as soon as there is one. None of them when `limit` passes first, `None`
    /// when the queue is closed and empty.
    pub fn take(&self, limit: Option<Duration>) -> Option<Vec<Submission>> {
        let mut waiting = self.waiting();
        loop {
            if !waiting.submissions.is_empty() {
                return Some(std::mem::take(&mut waiting.submissions));
            }
            if waiting.closed.is_some() {
                return None;
            }
            waiting = match limit {
                None => self.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                Some(limit) => {
                    let (waiting, timeout) = self
                        .arrived
                        .wait_timeout(waiting, limit)
                        .unwrap_or_else(PoisonError::into_inner);
                    if timeout.timed_out()
                        && waiting.submissions.is_empty()
                        && waiting.closed.is_none()
                    {
                        return Some(Vec::new());
                    }
                    waiting
                }
            };
        }
    }

    /// Refuses the batches that wait.
    pub fn refuse_all(&self, why: Unavailable) {
        let submissions = std::mem::take(&mut self.waiting().submissions);
        for submission in submissions {
            let _ = submission.done.send(Err(why.into()));
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
