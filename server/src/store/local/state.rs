//! What the threads of the store share, and the order in which points move through it:
//! log → heads → frozen heads → parts. A point is in at least one of them at any time.

pub mod absent;
pub mod hidden_times;
pub mod memory;
pub mod piece;
pub mod refused_series;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{
    Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
use std::time::Duration;

use shared::KeyBuf;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::config::LocalConfig;
use super::disk::Disk;
use super::disk::removed_files::RemovedFiles;
use super::disk::reserve::{Reserve, ReserveInUse};
use super::file_list::FileList;
use super::file_name::SegmentId;
use super::follow::commit::CommitId;
use super::follow::followers::Followers;
use super::series::loss::Losses;
use super::series::retention::{self, DeletionCutoff, Expiry, SAMPLE_INTERVAL};
use super::series::series_index::{SeriesId, SeriesIndex};
use super::series::time_ranges::SharedRanges;
use crate::low_priority::processors;
use crate::store::query::Window;
use crate::store::{StoreStatus, Unavailable};
use hidden_times::HiddenTimes;
use memory::{Memory, Phase};
use piece::{Piece, pieces};
use refused_series::RefusedSeries;

/// Deletions that are copied before the lock of the memory is released.
const MAX_COPIED: usize = 4096;

/// Answers that are begun at once for each processor, unless they are brief, and how many at the most: enough to keep
/// all busy, and a hundred of them at once leave little memory that is used no more.
const FIRST_STEPS: usize = 2;
const MAX_FIRST_STEPS: usize = 16;

/// Answers of which a step is read ahead at once: enough for all processors, and little memory when they are
/// for clients that take nothing.
const MAX_READS_AHEAD: usize = 8;

/// One store, shared by its handles and threads.
#[derive(Debug)]
pub struct StoreState {
    disk: Arc<dyn Disk>,
    config: LocalConfig,
    index: RwLock<SeriesIndex>,
    memory: Mutex<Memory>,
    followers: Followers,
    deletion: Mutex<DeletionCutoff>,
    refused_series: RefusedSeries,
    reserve: Arc<Reserve>,
    removed: RemovedFiles,
    /// The newest segment that is durable.
    newest_segment: AtomicU64,
    /// The newest one for which the list of files was written, or was to be.
    listed_segment: AtomicU64,
    /// Held while the list of files is written.
    listing: Mutex<()>,
    failure: CancellationToken,
    /// Permits to read, one for each answer that is being read.
    reads: Arc<Semaphore>,
    /// Permits to begin to read, while the first step is read.
    first_steps: Arc<Semaphore>,
    /// Permits to read a step before it is asked for.
    reads_ahead: Arc<Semaphore>,
    /// Signals each change of [`Memory::frozen`], [`Memory::parts`], [`Memory::deletions`] and
    /// [`Memory::phase`].
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
            followers: Followers::new(config.follow_buffer),
            removed: RemovedFiles::default(),
            failure: CancellationToken::new(),
            reserve: Arc::new(Reserve::find(&*disk, config.reserve, config.retry)),
            reads: Arc::new(Semaphore::new(config.max_reads.clamp(1, Semaphore::MAX_PERMITS))),
            first_steps: Arc::new(Semaphore::new(
                (FIRST_STEPS * processors()).min(MAX_FIRST_STEPS),
            )),
            reads_ahead: Arc::new(Semaphore::new(MAX_READS_AHEAD)),
            disk,
            config,
            index: RwLock::new(index),
            memory: Mutex::new(memory),
            deletion: Mutex::default(),
            refused_series: RefusedSeries::default(),
            newest_segment: AtomicU64::new(0),
            listed_segment: AtomicU64::new(0),
            listing: Mutex::default(),
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

    /// The followers.
    pub fn followers(&self) -> &Followers {
        &self.followers
    }

    /// Permits to read, one for each answer that is being read.
    pub fn reads(&self) -> Arc<Semaphore> {
        Arc::clone(&self.reads)
    }

    /// Permits to begin to read, while the first step is read.
    pub fn first_steps(&self) -> Arc<Semaphore> {
        Arc::clone(&self.first_steps)
    }

    /// A permit to hold a step that was not asked for yet, if there is one left.
    pub fn try_read_ahead(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.reads_ahead).try_acquire_owned().ok()
    }

    /// The puts of new series that were refused.
    pub fn refused_series(&self) -> &RefusedSeries {
        &self.refused_series
    }

    /// Gives what is kept in reserve back to the disk, for what makes room there while it keeps what is
    /// answered. `None` when there was none.
    pub fn release_reserve(&self) -> Option<ReserveInUse> {
        self.reserve.release(self.disk())
    }

    /// Whether what was kept in reserve is used to make room.
    pub fn is_reserve_in_use(&self) -> bool {
        self.reserve.is_in_use()
    }

    /// Whether there is something in reserve, or is to be nothing. No puts are taken before.
    pub fn has_reserve(&self) -> bool {
        self.reserve.is_held()
    }

    /// Whether what is kept in reserve is at least so many bytes.
    pub fn reserve_has(&self, bytes: u64) -> bool {
        self.reserve.size() >= bytes
    }

    /// Takes the files back from a backup that has them kept as they are: the disk is full, and what is to be
    /// removed has room for puts. Answers whether there was one.
    pub fn end_hold(&self) -> bool {
        let has_ended = self.memory().file_use.take_back();
        if has_ended {
            warn!("the disk is full: the files that a backup copies are not kept any longer");
            self.notify();
        }
        has_ended
    }

    /// Like [`StoreState::end_hold`], when there is nothing in reserve on the disk.
    pub fn end_hold_without_reserve(&self) {
        if !self.has_reserve() {
            self.end_hold();
        }
    }

    /// Keeps room in reserve again when there is room. Answers whether there is a reserve now.
    pub fn restore_reserve(&self) -> bool {
        self.reserve.restore(self.disk())
    }

    /// Notes that a segment is durable.
    pub fn begin_segment(&self, id: SegmentId) {
        self.newest_segment.fetch_max(id, Ordering::Relaxed);
    }

    /// The newest segment that is durable; it grows.
    pub fn newest_segment(&self) -> SegmentId {
        self.newest_segment.load(Ordering::Relaxed)
    }

    /// Whether a segment was begun since the list of files was written.
    pub fn is_list_due(&self) -> bool {
        let listed = self.listed_segment.load(Ordering::Relaxed);
        listed < self.newest_segment.load(Ordering::Relaxed)
    }

    /// Writes down which files there are to be; not on a full disk, whose room is for what makes room. An
    /// older list is right too, and says less. A failure is logged.
    pub fn list_files(&self) {
        let newest = self.newest_segment.load(Ordering::Relaxed);
        self.listed_segment.fetch_max(newest, Ordering::Relaxed);
        if !self.reserve.is_held() {
            return;
        }
        let _listing = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        // Before the parts, so that one of them or a segment holds it.
        let newest = self.newest_segment.load(Ordering::Relaxed);
        let series_end = self.index().end();
        let parts = Arc::clone(&self.memory().parts);
        let list = FileList::new(newest, series_end, parts.iter().map(|part| &**part));
        if let Err(error) = list.write(self.disk()) {
            warn!(%error, "can't write the list of files");
        }
    }

    /// Files that were removed, whose room the disk does not have back yet.
    pub fn removed_files(&self) -> &RemovedFiles {
        &self.removed
    }

    /// Gives the room of removed files back to the disk, slowly while the store is open.
    pub fn free_removed_files(&self) {
        self.removed.free(|pause| {
            let memory = self.memory();
            !memory.phase.is_ending() && !self.wait(memory, pause).phase.is_ending()
        });
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

    /// Cancelled once all puts are refused because of [`StoreState::fail`].
    pub fn failure(&self) -> &CancellationToken {
        &self.failure
    }

    /// Refuses all puts from now on and logs why.
    pub fn fail(&self, what: &str) {
        let mut memory = self.memory();
        if memory.phase == Phase::Open {
            error!("{what}; no more puts are acknowledged until the server is started again");
            memory.phase = Phase::Failed;
            self.failure.cancel();
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
        StoreStatus {
            series,
            disk_bytes: memory.disk_bytes(),
            unavailable,
            refused_new_series: self.refused_series.count(),
            damages: memory.damages() as u64,
        }
    }

    /// Those of the series that have no points left, on the disk or in memory.
    pub fn without_points(&self, series: &[SeriesId]) -> Vec<SeriesId> {
        let has_points =
            |&&id: &&SeriesId| self.snapshot(id, Window::ALL).iter().any(Piece::has_points);
        series.iter().filter(|id| !has_points(id)).copied().collect()
    }

    /// Whether a series has no points from a time on.
    pub fn has_no_points_since(&self, series: SeriesId, from: i64) -> bool {
        !self.snapshot(series, Window::ALL.since(from)).iter().any(Piece::has_points)
    }

    /// What the heads hide of the parts, by series.
    pub fn hidden_by_heads(&self) -> HiddenTimes {
        let mut hidden = HiddenTimes::default();
        let mut next = 0;
        loop {
            let memory = self.memory();
            let frozen = memory.frozen.clone();
            let deletes = memory.heads.all_deletes().range(next..).take(MAX_COPIED);
            let copied: Vec<_> =
                deletes.map(|(series, ranges)| (*series, ranges.clone())).collect();
            drop(memory);
            for (series, ranges) in &copied {
                hidden.add(*series, ranges);
            }
            if copied.len() < MAX_COPIED {
                for (series, ranges) in
                    frozen.iter().flat_map(|frozen| frozen.heads().all_deletes())
                {
                    hidden.add(*series, ranges);
                }
                return hidden;
            }
            next = copied.last().map_or(SeriesId::MAX, |(series, _)| series.saturating_add(1));
        }
    }

    /// What was taken back of each of these series later than the parts up to the segment `newest`.
    pub fn deleted_since(&self, series: &[SeriesId], newest: SegmentId) -> Vec<SharedRanges> {
        let memory = self.memory();
        let mut deleted: Vec<_> = series.iter().map(|id| memory.heads.deletes(*id)).collect();
        let (all, frozen) = (Arc::clone(&memory.parts), memory.frozen.clone());
        drop(memory);
        let later = all.iter().filter(|part| *part.segments().start() > newest);
        let later: Vec<_> = later.filter(|part| !part.all_deletes().is_empty()).collect();
        for (id, deleted) in series.iter().zip(&mut deleted) {
            if let Some(frozen) = &frozen {
                deleted.extend(&frozen.heads().deletes(*id));
            }
            for part in &later {
                part.hide(*id, deleted);
            }
        }
        deleted
    }

    /// How many deletions there were, when nothing at all was taken back later than the parts up to the
    /// segment `newest`; see [`Memory::deletions`].
    pub fn none_deleted_since(&self, newest: SegmentId) -> Option<u64> {
        let memory = self.memory();
        let frozen = memory.frozen.iter().map(|frozen| frozen.heads());
        let later = memory.parts.iter().filter(|part| *part.segments().start() > newest);
        let none = frozen.chain([&memory.heads]).all(|heads| heads.all_deletes().is_empty())
            && later.into_iter().all(|part| part.all_deletes().is_empty());
        none.then_some(memory.deletions)
    }

    /// The keys of these series, of each that is in the index.
    pub fn keys(&self, series: &[SeriesId]) -> Vec<Option<KeyBuf>> {
        let index = self.index();
        series.iter().map(|id| index.key(*id).cloned()).collect()
    }

    /// The keys of the series of which anything was lost, by rising id.
    pub fn keys_within(&self, losses: &Losses) -> Vec<(SeriesId, KeyBuf)> {
        let index = self.index();
        let mut keys = Vec::new();
        for (first, last) in losses.series() {
            let within = index.iter_from(first).take_while(|(id, _)| *id <= last);
            keys.extend(within.map(|(id, key)| (id, key.clone())));
        }
        keys
    }

    /// The points of a series that may be in `window`, oldest first: a consistent snapshot.
    pub fn snapshot(&self, series: SeriesId, window: Window) -> Vec<Piece> {
        self.snapshot_of_commit(series, window).1
    }

    /// Like [`StoreState::snapshot`], with the last commit whose changes are in it.
    pub fn snapshot_of_commit(&self, series: SeriesId, window: Window) -> (CommitId, Vec<Piece>) {
        let memory = self.memory();
        let commit = memory.commit;
        let parts = Arc::clone(&memory.parts);
        let frozen = memory.frozen.clone();
        let head = memory.heads.snapshot(series, window);
        let hidden = memory.heads.deletes(series);
        drop(memory);
        (commit, pieces(series, window, &parts, frozen.as_deref(), head, hidden))
    }
}
