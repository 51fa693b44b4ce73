//! The embedded store: points in memory.

mod index;
mod merge;
mod series;

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::{Key, KeyBuf, Point, Selector};

use super::{Block, Cursor, PutError, ReadError, Refused, Store};
use index::{Index, SeriesId};
use merge::Merge;
use series::{Head, Run};

/// Handles to one store; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Local {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    memory: Mutex<Memory>,
    closed: AtomicBool,
}

#[derive(Debug, Default)]
struct Memory {
    index: Index,
    /// By id.
    heads: Vec<Head>,
}

impl Shared {
    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn snapshot(&self, id: SeriesId) -> Option<(KeyBuf, Vec<Run>)> {
        let mut memory = self.memory();
        let key = memory.index.key(id)?.clone();
        let runs = memory.heads.get_mut(id as usize)?.snapshot();
        Some((key, runs))
    }
}

impl Store for Local {
    type Cursor = LocalCursor;

    async fn put_batch(&self, puts: &[(Key<'_>, Point)]) -> Result<Vec<Refused>, PutError> {
        if self.shared.closed.load(Ordering::Acquire) {
            return Err(PutError::Closed);
        }
        let mut refused = Vec::new();
        let mut memory = self.shared.memory();
        for (index, (key, point)) in puts.iter().enumerate() {
            let Some(id) = memory.index.find_or_create(*key) else {
                refused.push(Refused { index, reason: "too many series".to_owned() });
                continue;
            };
            let id = id as usize;
            if id >= memory.heads.len() {
                memory.heads.resize_with(id + 1, Head::default);
            }
            memory.heads[id].append(*point);
        }
        Ok(refused)
    }

    fn get(&self, selector: Selector<'_>) -> LocalCursor {
        let memory = self.shared.memory();
        let ids = match selector {
            Selector::All => 0..SeriesId::try_from(memory.index.len()).unwrap_or(SeriesId::MAX),
            Selector::Key(key) => memory.index.find(key).map_or(0..0, |id| id..id + 1),
            Selector::Extended(_) => 0..0,
        };
        LocalCursor { store: Arc::clone(&self.shared), ids, series: None }
    }

    async fn close(&self) {
        self.shared.closed.store(true, Ordering::Release);
    }
}

/// Walks over series by id, each a snapshot taken when its turn comes.
#[derive(Debug)]
pub struct LocalCursor {
    store: Arc<Shared>,
    ids: Range<SeriesId>,
    series: Option<(KeyBuf, Merge<Run>)>,
}

impl Cursor for LocalCursor {
    async fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        loop {
            if let Some((key, merge)) = &mut self.series {
                if let Some(points) = merge.next_block()? {
                    return Ok(Some(Block { key: key.clone(), points }));
                }
                self.series = None;
            }
            let Some(id) = self.ids.next() else { return Ok(None) };
            self.series = self.store.snapshot(id).map(|(key, runs)| (key, Merge::new(runs)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::contract;

    #[tokio::test]
    async fn keeps_the_contract() {
        contract::hold(Local::default).await;
    }
}
