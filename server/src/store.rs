//! What the server asks of a store. `session` knows nothing else of it.
//!
//! The contract, which `contract` holds every backend to:
//! - **put**: when [`Store::put_batch`] answers `Ok`, every point of the batch that is not listed
//!   as refused is stored as durably as the backend promises, and every later `get` sees it.
//!   When it answers an error, no point of the batch counts as stored.
//! - **last write wins**: of two points with the same key and timestamp the later put is kept;
//!   within a batch the later place is the later put.
//! - **get**: series in the order in which each key was first put, points by rising timestamp,
//!   each timestamp once. Each series is a consistent snapshot. Nothing is held whole: a cursor
//!   costs a bounded amount of memory, whatever it walks over.
//! - **failure**: what can't be read at the moment makes a `get` an error, never a shorter answer.
//!   What is damaged for good is left out, and the log of the server says what it was.

#[cfg(test)]
pub mod contract;
pub mod local;

use std::future::Future;

use shared::{Key, KeyBuf, Point, Selector};

/// A time-series store.
pub trait Store: Send + Sync + 'static {
    /// Walks over the points of a `get`.
    type Cursor: Cursor;

    /// Stores a batch, in order, after all batches of earlier calls. The call itself takes what it
    /// needs of `puts`; the future tells the outcome.
    ///
    /// # Errors
    /// [`PutError`] when the batch could not be stored; none of it counts.
    fn put_batch(
        &self,
        puts: &[(Key<'_>, Point)],
    ) -> impl Future<Output = Result<Vec<Refused>, PutError>> + Send + use<Self>;

    /// Begins to read the selected series.
    fn get(&self, selector: Selector<'_>) -> Self::Cursor;

    /// Waits for what is under way and releases the backend. Puts after this fail.
    fn close(&self) -> impl Future<Output = ()> + Send;
}

/// The answer to a `get`, a block at a time.
pub trait Cursor: Send {
    /// The next block, or `None` at the end.
    ///
    /// # Errors
    /// [`ReadError`] when a part of the answer can't be read; the answer is then worthless.
    fn next_block(&mut self) -> impl Future<Output = Result<Option<Block>, ReadError>> + Send;
}

/// Some points of one series, by rising timestamp. A series may come in several blocks.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The series.
    pub key: KeyBuf,
    /// At least one.
    pub points: Vec<Point>,
}

/// A put of a batch that was left out although the batch was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its place in the batch.
    pub index: usize,
    /// One short line for the client.
    pub reason: String,
}

/// Why a batch could not be stored. The text goes to the client, so it is one short line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PutError {
    /// The store is closing.
    #[error("the server is shutting down")]
    Closed,
    /// There is no room; later puts may find some.
    #[error("the disk is full")]
    DiskFull,
    /// Puts come faster than they can be moved to their place on the disk, and that fails.
    #[error("the disk takes no more at the moment")]
    Stalled,
    /// A write or sync failed; no put succeeds before the server is started again.
    #[error("the disk failed")]
    Failed,
}

/// Why an answer can't be completed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(pub String);
