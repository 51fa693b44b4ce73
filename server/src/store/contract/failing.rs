//! A store in memory that fails at will, and yet keeps its promises; or breaks one, to prove that
//! the suite sees it.

use std::collections::VecDeque;
use std::io;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard};

use shared::{Key, Point, Selector};

use super::Faults;
use super::model::Model;
use crate::store::RefusalReason::{OlderThanRetention, TooFarAhead};
use crate::store::{
    Block, Cursor, MAX_BLOCK_POINTS, PutError, ReadError, Refused, Store, StoreStatus, Unavailable,
};

/// The store; clones share it.
#[derive(Debug, Clone, Default)]
pub struct FailingStore(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    model: Model,
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
    /// Points that are put while a `get` is read are in its answer.
    Snapshot,
    /// Blocks are twice as large as they may be.
    Bounded,
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

    fn blocks(&self, selector: Selector<'_>) -> VecDeque<Block> {
        let mut keys = match selector.as_key() {
            _ if selector == Selector::ALL => self.model.keys().to_vec(),
            Some(key) => vec![key.as_str().to_owned()],
            None => Vec::new(),
        };
        if self.breach == Some(Breach::ReadingOrder) {
            keys.sort();
        }
        let in_block = match self.breach {
            Some(Breach::Bounded) => 2 * MAX_BLOCK_POINTS,
            _ => MAX_BLOCK_POINTS,
        };
        let mut blocks = VecDeque::new();
        for key in keys {
            let rows = self.model.one(&key);
            let points = rows.into_iter().map(|(_, timestamp, value)| Point { timestamp, value });
            let points: Vec<_> = points.collect();
            let block =
                |points: &[Point]| Block { key: key.parse().unwrap(), points: points.to_vec() };
            blocks.extend(points.chunks(in_block).map(block));
        }
        blocks
    }
}

impl Store for FailingStore {
    type Cursor = FailingCursor;

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

    fn get(&self, selector: Selector<'_>) -> FailingCursor {
        let mut inner = self.inner();
        let mut blocks = inner.blocks(selector);
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

    fn status(&self) -> StoreStatus {
        let inner = self.inner();
        let unavailable = match inner.breach {
            Some(Breach::Status) => None,
            _ if inner.closed => Some(Unavailable::Closed),
            _ => inner.unavailable,
        };
        StoreStatus { series: inner.model.keys().len(), disk_bytes: 0, unavailable }
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
            None if self.fails => return Err(ReadError::Unreadable(io::ErrorKind::Other)),
            block => block,
        };
        if let (Some(Block { key, points }), Some(store)) = (&mut block, &self.live) {
            for point in points {
                let present = store.inner().model.value(key.as_key().as_str(), point.timestamp);
                point.value = present.unwrap();
            }
        }
        Ok(block)
    }
}
