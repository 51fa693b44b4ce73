//! A store that is chosen when the program runs.

use std::pin::Pin;
use std::task::{Context, Poll};

use shared::{Key, Point};

#[cfg(test)]
use super::contract::failing::{FailingCursor, FailingStore};
#[cfg(test)]
use super::contract::failing_follower::FailingFollower;
use super::local::{Local, LocalFollower, LocalReader};
use super::query::{Deletion, KeySelection, Query, Window};
use super::{
    Block, Cursor, EachChange, FollowError, FollowProgress, Follower, PutError, ReadError, Refused,
    Store, StoreStatus,
};

/// One of the stores; clones share it.
#[derive(Debug, Clone)]
pub enum AnyStore {
    /// In a directory of this machine.
    Local(Local),
    /// In memory; it fails at will.
    #[cfg(test)]
    Failing(FailingStore),
}

/// The answer to a `get` from one of the stores.
#[derive(Debug)]
pub enum AnyReader {
    /// From [`AnyStore::Local`].
    Local(LocalReader),
    /// From [`AnyStore::Failing`].
    #[cfg(test)]
    Failing(FailingCursor),
}

/// A follow of one of the stores.
#[derive(Debug)]
pub enum AnyFollower {
    /// Of [`AnyStore::Local`].
    Local(Box<LocalFollower>),
    /// Of [`AnyStore::Failing`].
    #[cfg(test)]
    Failing(FailingFollower),
}

/// The outcome of a batch, once it is known.
type PutFuture = Pin<Box<dyn Future<Output = Result<Vec<Refused>, PutError>> + Send>>;

/// The outcome of a deletion, once it is known.
type DeleteFuture = Pin<Box<dyn Future<Output = Result<(), PutError>> + Send>>;

impl Store for AnyStore {
    type Cursor = AnyReader;
    type Follower = AnyFollower;

    fn put_batch(
        &self,
        puts: &[(Key<'_>, Point)],
    ) -> impl Future<Output = Result<Vec<Refused>, PutError>> + Send + use<> {
        let outcome: PutFuture = match self {
            Self::Local(store) => Box::pin(store.put_batch(puts)),
            #[cfg(test)]
            Self::Failing(store) => Box::pin(store.put_batch(puts)),
        };
        outcome
    }

    fn delete(
        &self,
        deletion: Deletion,
    ) -> impl Future<Output = Result<(), PutError>> + Send + use<> {
        let outcome: DeleteFuture = match self {
            Self::Local(store) => Box::pin(store.delete(deletion)),
            #[cfg(test)]
            Self::Failing(store) => Box::pin(store.delete(deletion)),
        };
        outcome
    }

    fn get(&self, query: Query) -> AnyReader {
        match self {
            Self::Local(store) => AnyReader::Local(store.get(query)),
            #[cfg(test)]
            Self::Failing(store) => AnyReader::Failing(store.get(query)),
        }
    }

    fn follow(&self, keys: KeySelection, history: Window) -> AnyFollower {
        match self {
            Self::Local(store) => AnyFollower::Local(Box::new(store.follow(keys, history))),
            #[cfg(test)]
            Self::Failing(store) => AnyFollower::Failing(store.follow(keys, history)),
        }
    }

    fn status(&self) -> StoreStatus {
        match self {
            Self::Local(store) => store.status(),
            #[cfg(test)]
            Self::Failing(store) => store.status(),
        }
    }

    async fn close(&self) {
        match self {
            Self::Local(store) => store.close().await,
            #[cfg(test)]
            Self::Failing(store) => store.close().await,
        }
    }
}

impl Cursor for AnyReader {
    async fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        match self {
            Self::Local(reader) => reader.next_block().await,
            #[cfg(test)]
            Self::Failing(cursor) => cursor.next_block().await,
        }
    }
}

impl Follower for AnyFollower {
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ReadError>> {
        match self {
            Self::Local(follower) => follower.poll_ready(context),
            #[cfg(test)]
            Self::Failing(follower) => follower.poll_ready(context),
        }
    }

    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        each: &mut EachChange<'_>,
    ) -> Poll<Result<FollowProgress, FollowError>> {
        match self {
            Self::Local(follower) => follower.poll_next(context, each),
            #[cfg(test)]
            Self::Failing(follower) => follower.poll_next(context, each),
        }
    }

    fn poll_lagged(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Local(follower) => follower.poll_lagged(context),
            #[cfg(test)]
            Self::Failing(follower) => follower.poll_lagged(context),
        }
    }

    fn finish(&mut self) {
        match self {
            Self::Local(follower) => follower.finish(),
            #[cfg(test)]
            Self::Failing(follower) => follower.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::contract;

    #[tokio::test]
    async fn either_store_keeps_the_contract() {
        let directory = tempfile::tempdir().unwrap();
        let number = std::cell::Cell::new(0);
        contract::hold(|| {
            number.set(number.get() + 1);
            let path = directory.path().join(number.get().to_string());
            AnyStore::Local(
                Local::open(&path, super::super::local::LocalConfig::default()).unwrap(),
            )
        })
        .await;
        contract::hold(|| AnyStore::Failing(FailingStore::default())).await;
    }

    #[tokio::test]
    async fn a_failing_store_keeps_the_contract() {
        contract::hold_while_failing(|| {
            let store = FailingStore::default();
            (AnyStore::Failing(store.clone()), store)
        })
        .await;
    }
}
