//! A store in memory that fails at will, and yet keeps its promises; or breaks one, to prove that
//! the suite sees it.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use shared::{Key, Point, Selector};

use super::Faults;
use super::model::Model;
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

/// A promise that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breach {
    /// `Ok` although nothing is stored.
    Stored,
    /// Stores a batch that it answers with [`PutError::Unavailable`].
    UnavailableStoresNothing,
    /// Forgets points of an unknown outcome after they were seen.
    UnknownStaysUndecided,
    /// A shorter answer instead of an error.
    WholeOrError,
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
    fn put(&mut self, puts: &[(Key<'_>, Point)]) -> Result<Vec<Refused>, PutError> {
        if self.closed {
            return Err(Unavailable::Closed.into());
        }
        let stored = match self.fault {
            Some(Fault::Unavailable) if self.breach == Some(Breach::UnavailableStoresNothing) => {
                puts
            }
            Some(Fault::Unavailable) => &[],
            Some(Fault::UnknownOutcome) => &puts[..puts.len().div_ceil(2)],
            _ if self.breach == Some(Breach::Stored) => &[],
            _ => puts,
        };
        for (key, point) in stored {
            self.model.put(key.as_str(), *point);
        }
        match self.fault {
            Some(Fault::Unavailable) => {
                self.unavailable = Some(Unavailable::DiskFull);
                Err(Unavailable::DiskFull.into())
            }
            Some(Fault::UnknownOutcome) => Err(PutError::UnknownOutcome),
            _ => {
                self.unavailable = None;
                Ok(Vec::new())
            }
        }
    }

    fn blocks(&self, selector: Selector<'_>) -> VecDeque<Block> {
        let keys = match selector.as_key() {
            _ if selector == Selector::ALL => self.model.keys().to_vec(),
            Some(key) => vec![key.as_str().to_owned()],
            None => Vec::new(),
        };
        let mut blocks = VecDeque::new();
        for key in keys {
            let rows = self.model.one(&key);
            let points = rows.into_iter().map(|(_, timestamp, value)| Point { timestamp, value });
            let points: Vec<_> = points.collect();
            let block =
                |points: &[Point]| Block { key: key.parse().unwrap(), points: points.to_vec() };
            blocks.extend(points.chunks(MAX_BLOCK_POINTS).map(block));
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
        std::future::ready(self.inner().put(puts))
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
        FailingCursor { blocks, fails }
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
}

impl Cursor for FailingCursor {
    async fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        match self.blocks.pop_front() {
            None if self.fails => Err(ReadError::Unreadable(io::ErrorKind::Other)),
            block => Ok(block),
        }
    }
}
