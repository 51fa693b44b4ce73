//! What the threads of the store share, and the order in which points move through it:
//! log → heads → frozen heads → parts. A point is in at least one of them at any time.

pub mod memory;

use std::sync::{
    Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
use std::time::Duration;

use shared::KeyBuf;
use tracing::error;

use super::config::LocalConfig;
use super::disk::Disk;
use super::part::ChunkSource;
use super::series::merge::Source;
use super::series::retention::{self, DeletionCutoff, Expiry, SAMPLE_INTERVAL};
use super::series::run::Run;
use super::series::series_index::{SeriesId, SeriesIndex};
use crate::store::{ReadError, StoreStatus, Unavailable};
use memory::{Memory, Phase};

/// One store, shared by its handles and threads.
#[derive(Debug)]
pub struct StoreState {
    disk: Arc<dyn Disk>,
    config: LocalConfig,
    index: RwLock<SeriesIndex>,
    memory: Mutex<Memory>,
    deletion: Mutex<DeletionCutoff>,
    /// Signals each change of [`Memory::frozen`], [`Memory::parts`] and [`Memory::phase`].
    changed: Condvar,
}

impl StoreState {
    /// The state after a recovery.
    pub fn new(
        disk: Arc<dyn Disk>,
        config: LocalConfig,
        index: SeriesIndex,
        memory: Memory,
    ) -> Self {
        Self {
            disk,
            config,
            index: RwLock::new(index),
            memory: Mutex::new(memory),
            deletion: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Where the files are.
    pub fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    /// The options of the store.
    pub fn config(&self) -> &LocalConfig {
        &self.config
    }

    /// The series, for reading.
    pub fn index(&self) -> RwLockReadGuard<'_, SeriesIndex> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The series, to add some.
    pub fn index_mut(&self) -> RwLockWriteGuard<'_, SeriesIndex> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The points in memory and the parts.
    pub fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which points may be deleted now. Takes a sample of the cutoff.
    pub fn expiry(&self) -> Expiry {
        // Locked first, so that samples come by rising uptime.
        let mut deletion = self.deletion.lock().unwrap_or_else(PoisonError::into_inner);
        let (clock, now) = (&self.config.clock, self.config.clock.now());
        deletion.sample(clock.uptime(), retention::cutoff(now, self.config.retention));
        Expiry { cutoff: deletion.get(), newest: retention::newest_present(now) }
    }

    /// Whether a sample of the cutoff is due.
    pub fn is_sample_due(&self) -> bool {
        let deletion = self.deletion.lock().unwrap_or_else(PoisonError::into_inner);
        let due = deletion.sampled().map(|before| before.saturating_add(SAMPLE_INTERVAL));
        due.is_none_or(|due| due <= self.config.clock.uptime())
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

    /// Refuses all puts from now on and logs why.
    pub fn fail(&self, what: &str) {
        let mut memory = self.memory();
        if memory.phase == Phase::Open {
            error!("{what}; no more puts are acknowledged until the server is started again");
            memory.phase = Phase::Failed;
        }
        drop(memory);
        self.notify();
    }

    /// The present state of the store.
    pub fn status(&self) -> StoreStatus {
        let series = self.index().len();
        let memory = self.memory();
        let unavailable = match memory.phase {
            Phase::Open => memory.unavailable,
            Phase::Failed => Some(Unavailable::Failed),
            Phase::Closing | Phase::Closed => Some(Unavailable::Closed),
        };
        StoreStatus { series, disk_bytes: memory.disk_bytes(), unavailable }
    }

    /// The key and all points of a series, oldest first: a consistent snapshot.
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
}

/// Points of a series, on the disk or in memory.
#[derive(Debug)]
pub enum Piece {
    /// In a part.
    Chunk(ChunkSource),
    /// In a head.
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
