//! Batches that wait for the committer.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::store::local::series::row::Row;
use crate::store::{PutError, Unavailable};

/// A batch on its way to the log.
#[derive(Debug)]
pub struct Submission {
    /// The points.
    pub rows: Vec<Row>,
    /// The sealed record of them.
    pub record: Vec<u8>,
    /// Gets the outcome.
    pub done: oneshot::Sender<Result<(), PutError>>,
}

/// Batches that wait for the committer.
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

    /// Takes no more batches; the committer ends when it has done those that wait.
    pub fn close(&self, why: Unavailable) {
        self.waiting().closed.get_or_insert(why);
        self.arrived.notify_one();
    }

    /// Why no more batches are taken; `None` when they are.
    pub fn closed(&self) -> Option<Unavailable> {
        self.waiting().closed
    }

    /// All that waits, as soon as there is any; nothing when `limit` passes first; `None` at the
    /// end.
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

    /// Answers the batches that wait: nothing of them is stored.
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
