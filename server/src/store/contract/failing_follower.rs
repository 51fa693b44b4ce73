//! Following a store in memory.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use shared::Key;

use crate::store::query::KeySelection;
use crate::store::{Change, EachChange, FollowError, FollowProgress, Follower, ReadError};

type Changes = Vec<(String, Change)>;

/// All changes of a store, for ever; clones share it.
#[derive(Debug, Clone, Default)]
pub struct ChangeLog(Arc<Mutex<(Changes, Vec<Waker>)>>);

impl ChangeLog {
    /// Adds a change.
    ///
    /// # Panics
    /// After a panic elsewhere.
    pub fn push(&self, key: &str, change: Change) {
        let mut log = self.0.lock().unwrap();
        log.0.push((key.to_owned(), change));
        log.1.drain(..).for_each(Waker::wake);
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap().0.len()
    }
}

/// A follower: a place in the log.
#[derive(Debug)]
pub struct FailingFollower {
    keys: KeySelection,
    history: VecDeque<(String, Change)>,
    log: ChangeLog,
    next: usize,
    end: Option<usize>,
}

impl FailingFollower {
    /// Follows `log` from now on, and from so many changes before.
    pub fn new(keys: KeySelection, history: Changes, log: &ChangeLog, repeated: usize) -> Self {
        let next = log.len().saturating_sub(repeated);
        Self { keys, history: history.into(), log: log.clone(), next, end: None }
    }
}

impl Follower for FailingFollower {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ReadError>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        each: &mut EachChange<'_>,
    ) -> Poll<Result<FollowProgress, FollowError>> {
        let mut has_told = false;
        loop {
            let next = self.history.pop_front().or_else(|| {
                let log = self.log.0.lock().unwrap();
                let is_last = self.end.is_some_and(|end| self.next >= end);
                let change = log.0.get(self.next).filter(|_| !is_last).cloned();
                self.next += usize::from(change.is_some());
                change
            });
            let Some((key, change)) = next else { break };
            let key = Key::new(&key).unwrap();
            if self.keys.matches(key) {
                has_told = true;
                if each(key, change).is_break() {
                    break;
                }
            }
        }
        if has_told {
            return Poll::Ready(Ok(FollowProgress::More));
        }
        if self.end.is_some() {
            return Poll::Ready(Ok(FollowProgress::Finished));
        }
        self.log.0.lock().unwrap().1.push(context.waker().clone());
        Poll::Pending
    }

    fn poll_lagged(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    fn finish(&mut self) {
        self.end.get_or_insert(self.log.len());
    }
}
