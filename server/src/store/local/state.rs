//! What the threads of the store share, and the order in which points move through it:
//! log → heads → frozen heads → parts. A point is in at least one of them at any time.

use std::ops::RangeInclusive;
use std::sync::{
    Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
use std::time::Duration;

use shared::KeyBuf;
use tracing::error;

use super::config::Config;
use super::disk::Disk;
use super::file_name::{DAMAGED, FileName, SegmentId};
use super::part::{ChunkSource, Part};
use super::series::head::Heads;
use super::series::merge::Source;
use super::series::run::Run;
use super::series::series_index::{SeriesId, SeriesIndex};
use crate::store::{ReadError, Status, Unavailable};

/// One store, shared by its handles and threads.
#[derive(Debug)]
pub struct State {
    pub disk: Arc<dyn Disk>,
    pub config: Config,
    index: RwLock<SeriesIndex>,
    memory: Mutex<Memory>,
    /// Signals each change of [`Memory::frozen`], [`Memory::parts`] and [`Memory::phase`].
    changed: Condvar,
}

/// Points in memory, and the parts on the disk.
#[derive(Debug, Default)]
pub struct Memory {
    /// The newest points, by series.
    pub heads: Heads,
    /// Bytes of log whose points are in the heads.
    pub log_bytes: u64,
    /// Heads on their way to a part.
    pub frozen: Option<Arc<Frozen>>,
    /// By segment, oldest first; replaced as a whole.
    pub parts: Arc<Vec<Arc<Part>>>,
    /// What puts that have to wait for a checkpoint are told, when the last try at it failed.
    pub checkpoint_failure: Option<Unavailable>,
    /// Why the last batch was not stored; `None` when it was.
    pub unavailable: Option<Unavailable>,
    /// Whether puts are taken.
    pub phase: Phase,
}

impl Memory {
    /// Bytes that the points take on the disk.
    fn disk_bytes(&self) -> u64 {
        let parts: u64 = self.parts.iter().map(|part| part.size()).sum();
        parts + self.log_bytes + self.frozen.as_ref().map_or(0, |frozen| frozen.log_bytes)
    }

    /// Empties the heads; their points are in `segments`.
    pub fn take_heads(&mut self, segments: RangeInclusive<SegmentId>) -> Frozen {
        Frozen::new(std::mem::take(&mut self.heads), std::mem::take(&mut self.log_bytes), segments)
    }
}

/// Whether the store takes puts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    /// It does.
    #[default]
    Open,
    /// A write or sync failed: no put is ever acknowledged again by this process.
    Failed,
    /// It takes no more; what it took is being committed.
    Closing,
    /// All that was taken is committed; the last heads are frozen.
    Closed,
}

impl Phase {
    /// Whether the background should come to an end.
    pub fn is_ending(self) -> bool {
        matches!(self, Self::Closing | Self::Closed)
    }
}

/// Heads that take no more points. They are sorted as they are read, hence the lock.
#[derive(Debug)]
pub struct Frozen {
    heads: Mutex<Heads>,
    /// Bytes of log that hold their points.
    log_bytes: u64,
    /// The segments that hold their points.
    pub segments: RangeInclusive<SegmentId>,
}

impl Frozen {
    pub fn new(heads: Heads, log_bytes: u64, segments: RangeInclusive<SegmentId>) -> Self {
        Self { heads: Mutex::new(heads), log_bytes, segments }
    }

    /// All series with points are below this id.
    pub fn end(&self) -> SeriesId {
        guard(&self.heads).end()
    }

    /// The runs of a series, oldest first.
    pub fn snapshot(&self, series: SeriesId) -> Vec<Run> {
        guard(&self.heads).snapshot(series)
    }
}

/// Points of a series, wherever they are.
#[derive(Debug)]
pub enum Piece {
    Chunk(ChunkSource),
    Run(Run),
}

impl Source for Piece {
    fn range(&self) -> (i64, i64) {
        match self {
            Self::Chunk(chunk) => chunk.range(),
            Self::Run(run) => run.range(),
        }
    }

    fn open(&self) -> Result<Run, ReadError> {
        match self {
            Self::Chunk(chunk) => chunk.open(),
            Self::Run(run) => run.open(),
        }
    }
}

impl State {
    pub fn new(disk: Arc<dyn Disk>, config: Config, index: SeriesIndex, memory: Memory) -> Self {
        Self {
            disk,
            config,
            index: RwLock::new(index),
            memory: Mutex::new(memory),
            changed: Condvar::new(),
        }
    }

    pub fn index(&self) -> RwLockReadGuard<'_, SeriesIndex> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn index_mut(&self) -> RwLockWriteGuard<'_, SeriesIndex> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn memory(&self) -> MutexGuard<'_, Memory> {
        guard(&self.memory)
    }

    /// The present state of the store.
    pub fn status(&self) -> Status {
        let series = self.index().len();
        let memory = self.memory();
        let unavailable = match memory.phase {
            Phase::Open => memory.unavailable,
            Phase::Failed => Some(Unavailable::Failed),
            Phase::Closing | Phase::Closed => Some(Unavailable::Closed),
        };
        Status { series, disk_bytes: memory.disk_bytes(), unavailable }
    }

    /// Wakes all threads that wait for a change.
    pub fn notify(&self) {
        self.changed.notify_all();
    }

    /// Waits for a change, at most `limit`.
    pub fn wait<'m>(
        &self,
        memory: MutexGuard<'m, Memory>,
        limit: Duration,
    ) -> MutexGuard<'m, Memory> {
        self.changed.wait_timeout(memory, limit).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Ends the taking of puts, loudly.
    pub fn fail(&self, what: &str) {
        let mut memory = self.memory();
        if memory.phase == Phase::Open {
            error!("{what}; no more puts are acknowledged until the server is started again");
            memory.phase = Phase::Failed;
        }
        drop(memory);
        self.notify();
    }

    /// Everything there is of a series, oldest first: a consistent snapshot.
    pub fn snapshot(&self, series: SeriesId) -> Option<(KeyBuf, Vec<Piece>)> {
        let key = self.index().key(series)?.clone();
        let mut memory = self.memory();
        let parts = Arc::clone(&memory.parts);
        let frozen = memory.frozen.clone();
        let runs = memory.heads.snapshot(series);
        drop(memory);

        let mut pieces: Vec<Piece> =
            parts.iter().flat_map(|part| ChunkSource::of(part, series)).map(Piece::Chunk).collect();
        let frozen = frozen.map(|frozen| frozen.snapshot(series)).unwrap_or_default();
        pieces.extend(frozen.into_iter().chain(runs).map(Piece::Run));
        Some((key, pieces))
    }

    /// Removes a file that is no longer needed, or puts it aside when it was damaged.
    pub fn remove_or_quarantine(&self, name: &FileName, damaged: bool) {
        let name = name.to_string();
        let done = if damaged {
            self.disk.rename(&name, &format!("{DAMAGED}{name}"))
        } else {
            self.disk.remove(&name)
        };
        if let Err(error) = done {
            // It is recognised as superseded at the next start.
            error!(%error, "can't remove {name}");
        }
    }
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
