//! What a store promises. The rest of the server knows nothing else of it.
//!
//! The guarantees have names; `contract` is a suite with a test for each of them, which every
//! backend passes, also one that fails, and no backend that breaks one. Two are for each backend to
//! test: the memory of a cursor, and what is damaged for good.
//!
//! - **Stored**: when [`Store::put_batch`] answers `Ok`, every point of the batch that is not
//!   listed as refused is stored as durably as the backend promises, and every later `get` sees it.
//!   A refused point is not stored, and a series that would begin with it takes no place in the order.
//! - **Call order**: batches are stored in the order in which `put_batch` was called, whatever the
//!   order in which their outcomes are awaited.
//! - **Last write wins**: of two points with the same key and timestamp the later put is kept;
//!   within a batch the later place is the later put.
//! - **Reading order**: a `get` answers series in the order in which each key was first put, points
//!   by rising timestamp, each timestamp once.
//! - **Snapshot**: each series is answered as it was at one moment after the `get` began.
//! - **Bounded**: nothing is held whole. A block has at most [`MAX_BLOCK_POINTS`] points, and a
//!   cursor costs a bounded amount of memory, whatever it walks over.
//! - **Whole or error**: what can't be read, at the moment or for good, makes a `get` that needs it an
//!   error, never a shorter answer; before anything of the answer when it is known by then. Others are
//!   answered.
//! - **Unavailable stores nothing**: after [`PutError::Unavailable`] no point of the batch is ever
//!   seen. The same batch can be put again later.
//! - **Unknown stays undecided**: after [`PutError::UnknownOutcome`] each point of the batch may be
//!   stored or not. What a `get` has seen of it stays.
//! - **News**: a follower is told every change after its history, each once, in the order in which
//!   the changes became durable; the changes of a batch keep their order. History and news together
//!   have no gap and no repetition. It is told or it is cut off.
//! - **Deleted**: when [`Store::delete`] answers `Ok`, no later `get` sees a point that it took back,
//!   unless it is put again. A series without points is gone; put again, it comes last.
//! - **Closed**: after [`Store::close`] puts are [`Unavailable::Closed`]; reading goes on.
//! - **Status**: [`Store::status`] says why puts are unavailable from the first put that was, until
//!   one is stored again.

pub mod any;
#[cfg(test)]
pub mod contract;
pub mod local;
pub mod query;

use std::fmt;
use std::future::Future;
use std::ops::ControlFlow;
use std::task::{Context, Poll};

use shared::response::{LOST_POINTS, UNREAD_POINTS};
use shared::{Key, KeyBuf, Point};

use query::{Deletion, KeySelection, Query, Window};

/// Most points in a [`Block`].
pub const MAX_BLOCK_POINTS: usize = 8192;

/// A time-series store.
pub trait Store: Send + Sync + 'static {
    /// Walks over the points of a `get`.
    type Cursor: Cursor;
    /// Tells what changes.
    type Follower: Follower;

    /// Stores a batch, in order, after the batches of all earlier calls. The call takes what it
    /// needs of `puts`; the future is the outcome: the points that were refused, by rising index.
    ///
    /// # Errors
    /// [`PutError`] when the batch was not stored, or may not have been.
    fn put_batch(
        &self,
        puts: &[(Key<'_>, Point)],
    ) -> impl Future<Output = Result<Vec<Refused>, PutError>> + Send + use<Self>;

    /// Takes points back, after the batches of all earlier calls of [`Store::put_batch`] whose
    /// outcome is known.
    fn delete(
        &self,
        deletion: Deletion,
    ) -> impl Future<Output = Result<(), PutError>> + Send + use<Self>;

    /// Begins to read the selected series.
    fn get(&self, query: Query) -> Self::Cursor;

    /// Begins to follow the selected series: their points in the window `history` as they are, then
    /// every change from now on, whatever its time.
    fn follow(&self, keys: KeySelection, history: Window) -> Self::Follower;

    /// The present state of the store. Cheap: no I/O, no wait for puts.
    fn status(&self) -> StoreStatus;

    /// Waits for what is under way and releases the backend.
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

/// What a follow is told: a history, and news for ever.
pub trait Follower: Send {
    /// Ready when something of the history is read, or there is none: before anything is told it is
    /// known whether that fails.
    ///
    /// # Errors
    /// [`ReadError`] when it does.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ReadError>>;

    /// Calls `each` with what is to be told next, until it breaks; the call that breaks has told, too.
    /// Ready also without a call, to be asked again.
    ///
    /// # Errors
    /// [`FollowError`] when something that has to be told can't be; the follow has to end then.
    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
        each: &mut EachChange<'_>,
    ) -> Poll<Result<FollowProgress, FollowError>>;

    /// Ready when the follower has fallen behind, so that [`Follower::poll_next`] would fail.
    fn poll_lagged(&mut self, context: &mut Context<'_>) -> Poll<()>;

    /// Ends the news: those that are to be told are the last.
    fn finish(&mut self);
}

/// Takes a change of a key.
pub type EachChange<'a> = dyn FnMut(Key<'_>, Change) -> ControlFlow<()> + Send + 'a;

/// A change of one series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// A point was put; it replaces one with the same timestamp.
    Put(Point),
    /// The point with this timestamp was taken back.
    Deleted(i64),
}

/// Whether there will be more to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FollowProgress {
    /// There will.
    More,
    /// All is told up to [`Follower::finish`].
    Finished,
}

/// Why a follow has to end. The text is for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// News came faster than they were taken, and were kept no longer.
    #[error("the follower fell behind")]
    Lagged,
    /// The history can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Some points of some series. A series may go on in the next block.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Block {
    /// The series, each with the end of its points.
    series: Vec<(KeyBuf, usize)>,
    /// Those of the first series, by rising timestamp, then those of the next.
    points: Vec<Point>,
}

impl Block {
    /// Points of one series, by rising timestamp and at most [`MAX_BLOCK_POINTS`].
    pub fn of(key: KeyBuf, points: Vec<Point>) -> Self {
        let series = if points.is_empty() { Vec::new() } else { vec![(key, points.len())] };
        Self { series, points }
    }

    /// Number of points, at most [`MAX_BLOCK_POINTS`] when it is read.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there are no points.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// How many more points fit.
    pub fn room(&self) -> usize {
        MAX_BLOCK_POINTS.saturating_sub(self.points.len())
    }

    /// Adds points of a series, by rising timestamp.
    pub fn push(&mut self, key: &KeyBuf, points: &[Point]) {
        if !points.is_empty() {
            self.points.extend_from_slice(points);
            self.series.push((key.clone(), self.points.len()));
        }
    }

    /// Removes so many of the first points, and gives their memory back.
    pub fn remove_first(&mut self, count: usize) {
        // Not shrunk: the rest of its place would be too small for the next block.
        self.points = self.points.split_off(count.min(self.points.len()));
        self.series.retain_mut(|(_, end)| {
            *end = end.saturating_sub(count);
            *end > 0
        });
    }

    /// Each series with its points, at least one.
    pub fn series(&self) -> impl Iterator<Item = (Key<'_>, &[Point])> {
        let mut start = 0;
        self.series.iter().map(move |(key, end)| {
            let points = &self.points[start..*end];
            start = *end;
            (key.as_key(), points)
        })
    }
}

/// The state of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreStatus {
    /// Number of series that the store knows. All points of a series may have expired.
    pub series: usize,
    /// Bytes that the points take on the disk, in parts and in the log.
    pub disk_bytes: u64,
    /// Why puts are not stored at present; `None` when they are.
    pub unavailable: Option<Unavailable>,
    /// Number of puts since the start that were refused because there may be no more series.
    pub refused_new_series: u64,
    /// Places where points are gone or can't be read, as far as they are known; answers that need them
    /// are errors.
    pub damages: u64,
}

/// A point that was left out of a batch that was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Its place in the batch.
    pub index: usize,
    /// The reason.
    pub reason: RefusalReason,
}

/// Why a point is refused. The text is for the client: one short line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusalReason {
    /// Retention would drop the point at once.
    #[error("the timestamp is older than the retention")]
    OlderThanRetention,
    /// It lies further ahead of the clock than the store takes.
    #[error("the timestamp is too far in the future")]
    TooFarAhead,
    /// It would be the first of a series, and there are as many as there may be.
    #[error("there are too many series (the limit is {limit})")]
    TooManySeries {
        /// The most series.
        limit: u32,
    },
    /// It would be the first of a series, and the keys take as much memory as they may.
    #[error("the keys of the series take too much memory (the limit is {limit} bytes)")]
    KeysTooLong {
        /// The most bytes of all keys.
        limit: u64,
    },
}

impl RefusalReason {
    /// Whether a new series was refused, and not the point as such.
    pub fn is_of_new_series(self) -> bool {
        matches!(self, Self::TooManySeries { .. } | Self::KeysTooLong { .. })
    }
}

/// Why a batch may not be stored. The text is for the client: one short line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PutError {
    /// Nothing of the batch is stored.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// A write or sync failed with the batch in it: some, all or none of it may be stored.
    #[error("the disk failed")]
    UnknownOutcome,
}

/// Why a store takes no puts. The text is for the client: one short line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// The store is closing or closed.
    #[error("the server is shutting down")]
    Closed,
    /// There is no room; later puts may find some.
    #[error("the disk is full")]
    DiskFull,
    /// Puts come faster than they can be moved to their place on the disk, and that fails; later
    /// puts may succeed.
    #[error("the disk takes no more at the moment")]
    Stalled,
    /// A write or sync failed before; no put succeeds until the server is started again.
    #[error("the disk failed")]
    Failed,
}

/// Points that the disk no longer gives back. The text is for the client: one short line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Damage {
    /// A key of which there are some; `None` when no key is known.
    key: Option<KeyBuf>,
    from: i64,
    to: i64,
}

impl Damage {
    /// Points from `from` to `to` of a key that is not known yet.
    pub fn of((from, to): (i64, i64)) -> Self {
        Self { key: None, from, to }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{LOST_POINTS}{key}")?,
            None => write!(f, "{LOST_POINTS}unknown keys")?,
        }
        match (self.from, self.to) {
            (i64::MIN, i64::MAX) => write!(f, " of any time"),
            (i64::MIN, to) => write!(f, " up to {to}"),
            (from, i64::MAX) => write!(f, " from {from} on"),
            (from, to) => write!(f, " from {from} to {to}"),
        }
    }
}

impl ReadError {
    /// The same, of points of a series with this key.
    #[must_use]
    pub fn of_key(self, key: &KeyBuf) -> Self {
        let named = |damage: Damage| Damage { key: Some(key.clone()), ..damage };
        match self {
            Self::Damaged(damage) => named(damage).into(),
            Self::Unreadable(damage) => Self::Unreadable(named(damage)),
            other @ Self::Aborted(_) => other,
        }
    }
}

/// Why an answer can't be completed. The text is for the client: one short line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Points are gone.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// A file can't be read where points are; they may be read again later.
    #[error("{0}{UNREAD_POINTS}")]
    Unreadable(Damage),
    /// The task that reads ended early.
    #[error("reading failed: {0}")]
    Aborted(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_names_a_key_and_the_times() {
        let key: KeyBuf = "palm.cpu".parse().unwrap();
        for (times, words) in [
            ((3, 5), "from 3 to 5"),
            ((i64::MIN, 5), "up to 5"),
            ((-3, i64::MAX), "from -3 on"),
            ((i64::MIN, i64::MAX), "of any time"),
        ] {
            let error = ReadError::from(Damage::of(times));
            assert_eq!(
                error.to_string(),
                format!("the disk has lost points of unknown keys {words}")
            );
            let error = error.of_key(&key);
            assert_eq!(error.to_string(), format!("the disk has lost points of palm.cpu {words}"));
            let unread = ReadError::Unreadable(Damage::of(times)).of_key(&key).to_string();
            assert_eq!(unread, format!("{error}: they can't be read at the moment"));
        }
    }
}
