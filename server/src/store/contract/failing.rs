//! A store in memory that fails at will, and yet keeps its promises; or breaks one, to prove that
//! the suite sees it.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard};

use shared::{Key, Point};

use super::Faults;
use super::failing_follower::{ChangeLog, FailingFollower};
use super::model::Model;
use crate::store::RefusalReason::{OlderThanRetention, TooFarAhead};
use crate::store::query::{Deletion, KeySelection, Query, Window};
use crate::store::{
    Block, Change, Cursor, Damage, MAX_BLOCK_POINTS, PutError, ReadError, Refused, Store,
    StoreStatus, Unavailable,
};

/// The store; clones share it.
#[derive(Debug, Clone, Default)]
pub struct FailingStore(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    model: Model,
    changes: ChangeLog,
    fault: Option<Fault>,
    breach: Option<Breach>,
    /// Points outside of these times are refused.
    accepted: Option<RangeInclusive<i64>>,
    /// Why the last put was not stored.
    unavailable: Option<Unavailable>,
    closed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Unavailable,
    UnknownOutcome,
    Unreadable,
}

/// The guarantee that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breach {
    /// `Ok` although nothing is stored.
    Stored,
    /// A refused point is stored.
    Refused,
    /// A batch is stored when its outcome is awaited.
    CallOrder,
    /// The first put of a timestamp is kept.
    LastWriteWins,
    /// Series are answered in the order of their keys.
    ReadingOrder,
    /// The window of a query does not count.
    Window,
    /// `Ok` although nothing is taken back.
    Deleted,
    /// Points that are put while a `get` is read are in its answer.
    Snapshot,
    /// Blocks are twice as large as they may be.
    Bounded,
    /// A follower is told the last change before it once more.
    News,
    /// A shorter answer instead of an error.
    WholeOrError,
    /// Stores a batch that it answers with [`PutError::Unavailable`].
    UnavailableStoresNothing,
    /// Forgets points of an unknown outcome after they were seen.
    UnknownStaysUndecided,
    /// Puts are stored after the end.
    Closed,
    /// The status says that puts are stored while they are not.
    Status,
}

impl FailingStore {
    /// A store that breaks a promise.
    pub fn with_breach(breach: Breach) -> Self {
        let store = Self::default();
        store.inner().breach = Some(breach);
        store
    }

    /// Refuses all points with timestamps outside of `accepted`.
    pub fn refuse_outside(&self, accepted: RangeInclusive<i64>) {
        self.inner().accepted = Some(accepted);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }
}

impl Faults for FailingStore {
    fn refuse_puts(&self) {
        self.inner().fault = Some(Fault::Unavailable);
    }

    fn lose_outcomes(&self) {
        self.inner().fault = Some(Fault::UnknownOutcome);
    }

    fn fail_reads(&self) {
        self.inner().fault = Some(Fault::Unreadable);
    }

    fn heal(&self) {
        self.inner().fault = None;
    }
}

impl Inner {
    fn put<'a>(
        &mut self,
        puts: impl ExactSizeIterator<Item = (Key<'a>, Point)>,
    ) -> Result<Vec<Refused>, PutError> {
        if self.closed && self.breach != Some(Breach::Closed) {
            return Err(Unavailable::Closed.into());
        }
        let stored = match self.fault {
            Some(Fault::Unavailable) if self.breach == Some(Breach::UnavailableStoresNothing) => {
                puts.len()
            }
            Some(Fault::Unavailable) => 0,
            Some(Fault::UnknownOutcome) => puts.len().div_ceil(2),
            _ if self.breach == Some(Breach::Stored) => 0,
            _ => puts.len(),
        };
        let mut refused = Vec::new();
        for (index, (key, point)) in puts.enumerate().take(stored) {
            let key = key.as_str();
            let reason = self.accepted.as_ref().and_then(|accepted| {
                let time = point.timestamp;
                let too_old = (time < *accepted.start()).then_some(OlderThanRetention);
                too_old.or((time > *accepted.end()).then_some(TooFarAhead))
            });
            refused.extend(reason.map(|reason| Refused { index, reason }));
            let is_kept = match self.breach {
                Some(Breach::LastWriteWins) => self.model.value(key, point.timestamp).is_none(),
                Some(Breach::Refused) => true,
                _ => reason.is_none(),
            };
            if is_kept {
                self.model.put(key, point);
                self.changes.push(key, Change::Put(point));
            }
        }
        match self.fault {
            Some(Fault::Unavailable) => {
                self.unavailable = Some(Unavailable::DiskFull);
                Err(Unavailable::DiskFull.into())
            }
            Some(Fault::UnknownOutcome) => Err(PutError::UnknownOutcome),
            _ => {
                self.unavailable = None;
                Ok(refused)
            }
        }
    }

    fn delete(&mut self, deletion: &Deletion) -> Result<(), PutError> {
        if self.closed {
            return Err(Unavailable::Closed.into());
        }
        if self.fault == Some(Fault::Unavailable) {
            self.unavailable = Some(Unavailable::DiskFull);
            return Err(Unavailable::DiskFull.into());
        }
        if self.breach != Some(Breach::Deleted) {
            self.model.delete(deletion);
        }
        match self.fault {
            Some(Fault::UnknownOutcome) => Err(PutError::UnknownOutcome),
            _ => Ok(()),
        }
    }

    fn blocks(&self, query: &Query) -> VecDeque<Block> {
        let mut rows = self.model.get(query, i64::MIN);
        if self.breach == Some(Breach::ReadingOrder) {
            rows.sort_by(|a, b| a.0.cmp(&b.0));
        }
        if self.breach == Some(Breach::Window) {
            rows = self.model.get(&Query::points(query.keys.clone()), i64::MIN);
        }
        let in_block = match self.breach {
            Some(Breach::Bounded) => 2 * MAX_BLOCK_POINTS,
            _ => MAX_BLOCK_POINTS,
        };
        let blocks = rows.chunks(in_block).map(|rows| {
            let mut block = Block::default();
            for (key, timestamp, value) in rows {
                let point = Point { timestamp: *timestamp, value: *value };
                block.push(&key.parse().unwrap(), &[point]);
            }
            block
        });
        blocks.collect()
    }
}

impl Store for FailingStore {
    type Cursor = FailingCursor;
    type Follower = FailingFollower;

    fn put_batch(
        &self,
        puts: &[(Key<'_>, Point)],
    ) -> impl Future<Output = Result<Vec<Refused>, PutError>> + Send + use<> {
        let puts: Vec<_> = puts.iter().map(|&(key, point)| (key.to_owned(), point)).collect();
        let store = self.clone();
        let put = move || store.inner().put(puts.iter().map(|(key, point)| (key.as_key(), *point)));
        let is_late = self.inner().breach == Some(Breach::CallOrder);
        let (now, later) = if is_late { (None, Some(put)) } else { (Some(put()), None) };
        async move { now.or_else(|| later.map(|put| put())).unwrap() }
    }

    fn delete(
        &self,
        deletion: Deletion,
    ) -> impl Future<Output = Result<(), PutError>> + Send + use<> {
        let outcome = self.inner().delete(&deletion);
        async move { outcome }
    }

    fn get(&self, query: Query) -> FailingCursor {
        let mut inner = self.inner();
        let mut blocks = inner.blocks(&query);
        let unreadable = inner.fault == Some(Fault::Unreadable);
        if unreadable {
            blocks.pop_back();
        }
        if inner.fault == Some(Fault::UnknownOutcome)
            && inner.breach == Some(Breach::UnknownStaysUndecided)
        {
            inner.model = Model::default();
        }
        let fails = unreadable && inner.breach != Some(Breach::WholeOrError);
        let live = (inner.breach == Some(Breach::Snapshot)).then(|| self.clone());
        FailingCursor { blocks, fails, live }
    }

    fn follow(&self, keys: KeySelection, history: Window) -> FailingFollower {
        let inner = self.inner();
        let rows = inner.model.all().into_iter();
        let rows = rows
            .filter(|&(_, timestamp, _)| history.contains(timestamp))
            .map(|(key, timestamp, value)| (key, Change::Put(Point { timestamp, value })));
        let repeated = usize::from(inner.breach == Some(Breach::News));
        FailingFollower::new(keys, rows.collect(), &inner.changes, repeated)
    }

    fn status(&self) -> StoreStatus {
        let inner = self.inner();
        let unavailable = match inner.breach {
            Some(Breach::Status) => None,
            _ if inner.closed => Some(Unavailable::Closed),
            _ => inner.unavailable,
        };
        let series = inner.model.keys().len();
        StoreStatus { series, unavailable, ..StoreStatus::default() }
    }

    async fn close(&self) {
        self.inner().closed = true;
    }
}

/// Walks over the blocks that were there when the `get` began.
#[derive(Debug)]
pub struct FailingCursor {
    blocks: VecDeque<Block>,
    /// Ends in an error.
    fails: bool,
    /// The store whose present values are answered.
    live: Option<FailingStore>,
}

impl Cursor for FailingCursor {
    async fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        let mut block = match self.blocks.pop_front() {
            None if self.fails => {
                return Err(ReadError::Unreadable(Damage::of((i64::MIN, i64::MAX))));
            }
            block => block,
        };
        if let (Some(block), Some(store)) = (&mut block, &self.live) {
            let before = std::mem::take(block);
            for (key, points) in before.series() {
                for &point in points {
                    let present = store.inner().model.value(key.as_str(), point.timestamp);
                    block.push(&key.to_owned(), &[Point { value: present.unwrap(), ..point }]);
                }
            }
        }
        Ok(block)
    }
}
