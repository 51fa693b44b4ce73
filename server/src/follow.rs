//! Following points: a selector → its history, then every change. The same for every protocol.

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::task::{Context, Poll};

use shared::selector::Clause;
use shared::{Key, Selector};

use crate::clock::Clock;
use crate::query::resolve;
use crate::store::query::{Query, Select};
use crate::store::{Follower, ReadError, Store};

pub use crate::store::{Change, FollowError, FollowProgress};

/// Follows selectors in a store.
#[derive(Debug, Clone)]
pub struct Follows<S> {
    store: S,
    clock: Clock,
}

impl<S: Store> Follows<S> {
    /// Follows in `store`; times before now count from what `clock` shows.
    pub fn new(store: S, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Begins to follow, and reads as far as the first points of the history. `None` when the selector
    /// does not ask for that.
    ///
    /// # Errors
    /// [`ReadError`] when that fails: nothing of the answer is out yet, so the reply can be a plain
    /// error.
    pub async fn start(
        &self,
        selector: Selector<'_>,
    ) -> Result<Option<Follow<S::Follower>>, ReadError> {
        let Some(mut follow) = self.begin(selector) else { return Ok(None) };
        poll_fn(|context| follow.follower.poll_ready(context)).await?;
        Ok(Some(follow))
    }

    fn begin(&self, selector: Selector<'_>) -> Option<Follow<S::Follower>> {
        let Some(Clause::Follow { .. }) = selector.clause() else { return None };
        match resolve(selector, self.clock.now()) {
            Query { keys, select: Select::Points(history) } => {
                Some(Follow { follower: self.store.follow(keys, history) })
            }
            _ => None,
        }
    }
}

/// A follow that goes on.
#[derive(Debug)]
pub struct Follow<F> {
    follower: F,
}

impl<F: Follower> Follow<F> {
    /// Calls `each` with what is to be told next, until it breaks; the call that breaks has told, too.
    /// Ready also without a call, to be asked again.
    ///
    /// # Errors
    /// [`FollowError`] when something that has to be told can't be: what is told already must not
    /// pass for all.
    pub fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        mut each: impl FnMut(Key<'_>, Change) -> ControlFlow<()> + Send,
    ) -> Poll<Result<FollowProgress, FollowError>> {
        self.follower.poll_next(context, &mut each)
    }

    /// Ready when the follow has fallen behind, so that [`Follow::poll_next`] would fail.
    pub fn poll_lagged(&mut self, context: &mut Context<'_>) -> Poll<FollowError> {
        self.follower.poll_lagged(context).map(|()| FollowError::Lagged)
    }

    /// Ends the news: those that are to be told are the last.
    pub fn finish(&mut self) {
        self.follower.finish();
    }
}
