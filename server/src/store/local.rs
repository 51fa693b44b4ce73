//! The embedded store: a write-ahead log, points in memory, compressed parts on the disk.
//!
//! `state` is what the threads share, `wal` takes points in, `background` moves them to their place
//! on the disk, `reader` reads them, `follow` and `follower` tell what changes, `recovery` finds them
//! again.

mod background;
mod config;
mod directory_id;
mod disk;
mod file_list;
mod file_name;
mod follow;
mod follower;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod maintenance;
mod part;
mod reader;
mod recovery;
mod salt;
mod series;
#[cfg(any(test, fuzzing))]
mod sim_disk;
mod state;
#[cfg(test)]
mod tests;
mod varint;
mod wal;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use shared::{Key, Point};
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::query::{Deletion, KeySelection, Query, Window};
use super::{PutError, RefusalReason, Refused, Store, StoreStatus, Unavailable};
use crate::os;
use background::held_files::HeldFiles;
use background::{checkpoint, compaction};
use disk::Disk;
use file_name::{CONTROL, UNFINISHED};
use reader::selection::SeriesSelection;
use recovery::{Recovered, data_directory, open_error, recover};
use series::series_index::{EVERY_SERIES, NoNewSeries, SeriesId};
use series::series_point::{SeriesPoint, SeriesWindow};
use state::StoreState;
use wal::group_commit::Committer;
use wal::header::RecordHeader;
use wal::queue::{Outcome, Queue, Work};
use wal::record;

pub use config::{Durability, LocalConfig, SYNC_INTERVAL};
pub use follower::LocalFollower;
pub use maintenance::backup::{Backup, BackupError, BackupReport, HoldError, Refusal};
pub use maintenance::{FoundDamage, check, repair};
pub use reader::LocalReader;
pub use recovery::open_error::OpenError;
pub use series::chunk;

/// A handle to the store; clones share it.
#[derive(Debug, Clone)]
pub struct Local {
    state: Arc<StoreState>,
    queue: Arc<Queue>,
    threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Local {
    /// Opens the data directory at `path`, or makes it.
    ///
    /// # Errors
    /// [`OpenError`] when it can't be used; nothing in it is changed then.
    pub fn open(path: &Path, config: LocalConfig) -> Result<Self, OpenError> {
        let directory = data_directory::open(path)?;
        info!(durability = %config.durability, "data in {}", path.display());
        Self::over(directory, config)
    }

    fn over(disk: Arc<dyn Disk>, config: LocalConfig) -> Result<Self, OpenError> {
        let Recovered { state, resume, damaged_segments, .. } = recover(disk, config)?;
        let state = Arc::new(state);
        let queue = Arc::new(Queue::default());
        let committer = Committer::start(Arc::clone(&state), Arc::clone(&queue), resume)
            .map_err(open_error::io("its log can't be written"))?;
        state.restore_reserve();
        state.list_files();
        let (checkpoints, merges) = (Arc::clone(&state), Arc::clone(&state));
        let retired = Arc::clone(&queue);
        let threads = [
            spawn("commit", move || committer.run()),
            // Puts and short reads go before both: a merge of a million series takes tens of seconds.
            spawn("checkpoint", move || {
                os::lower_thread_priority();
                checkpoint::run(&checkpoints, &damaged_segments);
            }),
            spawn("compact", move || {
                os::lower_thread_priority();
                compaction::run(&merges, &retired);
            }),
        ];
        let threads = threads.into_iter().collect::<Result<_, _>>();
        let threads = threads.map_err(open_error::io("no threads can be started"))?;
        Ok(Self { state, queue, threads: Arc::new(Mutex::new(threads)) })
    }

    /// Cancelled once the disk has failed: puts are refused then until the store is opened again.
    pub fn failure(&self) -> CancellationToken {
        self.state.failure().clone()
    }

    /// Has a new segment of the log begun, and keeps all files as they are until what is answered is dropped.
    /// The text says which files have all that was stored before.
    ///
    /// # Errors
    /// [`HoldError`]; nothing is kept then.
    pub async fn hold_files(&self) -> Result<(String, HeldFiles), HoldError> {
        let state = Arc::clone(&self.state);
        let held = blocking(move || HeldFiles::take(&state)).await?.ok_or(HoldError::Busy)?;
        let closed = self.queue.submit(Work::CloseSegment, Vec::new());
        let closed = closed.map_err(PutError::from)?;
        closed.await.unwrap_or(Err(PutError::UnknownOutcome))?;
        let state = Arc::clone(&self.state);
        let files = blocking(move || maintenance::backup::snapshot(&state)).await??;
        Ok((files, held))
    }

    /// Says in the data directory how this process is asked for a backup, for those that may read its
    /// files. It is said until what is answered is dropped.
    ///
    /// # Errors
    /// When that can't be written.
    pub fn announce(&self, contact: &str) -> std::io::Result<Announcement> {
        let (disk, unfinished) = (self.state.disk(), format!("{CONTROL}{UNFINISHED}"));
        let write = || {
            let file = disk.create(&unfinished)?;
            file.write_all_at(contact.as_bytes(), 0)?;
            drop(file);
            disk.rename(&unfinished, CONTROL)
        };
        write().inspect_err(|_| {
            // It takes no room where there is none.
            let _ = disk.remove(&unfinished);
        })?;
        Ok(Announcement { state: Arc::clone(&self.state), contact: contact.to_owned() })
    }

    /// The points of a batch with their series, which are made when they are new, and the points that
    /// are refused, by rising place.
    fn resolve(&self, puts: &[(Key<'_>, Point)]) -> (Vec<SeriesPoint>, Vec<Refused>) {
        let config = self.state.config();
        let (accepted, limits) = (config.accepted(), config.series_limits());
        let mut points = Vec::with_capacity(puts.len());
        let mut refused = Vec::new();
        // Places in the batch and among the points.
        let mut new: Vec<(usize, usize)> = Vec::new();
        let index = self.state.index();
        let mut in_order = index.in_order();
        for (place, &(key, point)) in puts.iter().enumerate() {
            let mut refuse = |reason| refused.push(Refused { index: place, reason });
            if point.timestamp < *accepted.start() {
                refuse(RefusalReason::OlderThanRetention);
            } else if point.timestamp > *accepted.end() {
                refuse(RefusalReason::TooFarAhead);
            } else if let Some(series) = in_order.find(key) {
                points.push(SeriesPoint { series, point });
            } else if let Err(why) = index.check_room(key, limits) {
                refuse(why.into());
            } else {
                new.push((place, points.len()));
                points.push(SeriesPoint { series: SeriesId::MAX, point });
            }
        }
        drop(index);
        if !new.is_empty() {
            self.create(puts, &new, &mut points, &mut refused);
        }
        (points, refused)
    }

    /// Counts the points of new series that are refused.
    fn note_refused(&self, refused: &[Refused]) {
        let mut of_new = refused.iter().filter(|refused| refused.reason.is_of_new_series());
        if let Some(Refused { reason, .. }) = of_new.next() {
            self.state.refused_series().note(1 + of_new.count() as u64, reason);
        }
    }

    /// Makes the series of those `points` whose keys had none; the ones for which there is no room are
    /// taken out and refused.
    fn create(
        &self,
        puts: &[(Key<'_>, Point)],
        new: &[(usize, usize)],
        points: &mut Vec<SeriesPoint>,
        refused: &mut Vec<Refused>,
    ) {
        let limits = self.state.config().series_limits();
        let before = refused.len();
        let mut without = new.iter().copied().peekable();
        let mut index = self.state.index_mut();
        let mut at = 0;
        points.retain_mut(|point| {
            let own = without.next_if(|&(_, own)| own == at);
            at += 1;
            let Some((place, _)) = own else { return true };
            match index.find_or_create(puts[place].0, limits) {
                Ok(series) => point.series = series,
                Err(why) => refused.push(Refused { index: place, reason: why.into() }),
            }
            point.series != SeriesId::MAX
        });
        drop(index);
        if refused.len() > before {
            refused.sort_unstable_by_key(|refused| refused.index);
        }
    }

    /// Queues a batch for the committer. Answers the points that are refused, and what sends the
    /// outcome of the others; `None` when there are none.
    fn submit_puts(
        &self,
        puts: &[(Key<'_>, Point)],
    ) -> Result<(Vec<Refused>, Option<Outcome>), Unavailable> {
        loop {
            let removals = self.state.index().removals();
            let (points, refused) = self.resolve(puts);
            if points.is_empty() {
                self.note_refused(&refused);
                return Ok((refused, None));
            }
            let mut records = Vec::with_capacity(RecordHeader::LENGTH + points.len() * 12);
            record::append_points(&points, &mut records);
            let index = self.state.index();
            // A series that was looked up may be gone; none can go before the batch is queued.
            if index.removals() == removals {
                let outcome = self.queue.submit(Work::Points(points), records)?;
                drop(index);
                self.note_refused(&refused);
                return Ok((refused, Some(outcome)));
            }
        }
    }

    /// The series and points that are taken back. Long, for many series.
    fn resolve_deletion(&self, Deletion { keys, window }: Deletion) -> Vec<SeriesWindow> {
        let mut deletes = Vec::new();
        if !window.is_empty() {
            let is_of_all = match &keys {
                KeySelection::All => true,
                KeySelection::One(_) => false,
                KeySelection::Glob(glob) => glob.is_all(),
            };
            let mut selection = SeriesSelection::new(keys.clone(), &self.state.index());
            while let Some(found) = selection.next_batch(&self.state.index()) {
                deletes
                    .extend(found.into_iter().map(|(series, _)| SeriesWindow { series, window }));
            }
            // What a key had before a file was missing is in a series of its own.
            let index = self.state.index();
            let older = index.replaced().iter().copied();
            let older =
                older.filter(|&id| index.key(id).is_some_and(|key| keys.matches(key.as_key())));
            deletes.extend(older.map(|series| SeriesWindow { series, window }));
            drop(index);
            deletes.sort_unstable_by_key(|delete| delete.series);
            deletes.dedup();
            // Last, because it is said of what is left.
            if is_of_all && self.state.memory().has_unnamed_losses() {
                deletes.push(SeriesWindow { series: EVERY_SERIES, window });
            }
        }
        deletes
    }
}

/// What a data directory says of the process that uses it; see [`Local::announce`].
#[derive(Debug)]
#[must_use]
pub struct Announcement {
    state: Arc<StoreState>,
    contact: String,
}

impl Drop for Announcement {
    fn drop(&mut self) {
        let disk = self.state.disk();
        // The directory may have been replaced by one that another server uses.
        if maintenance::backup::contact(disk).is_some_and(|contact| contact == self.contact) {
            // Otherwise the next start does it.
            let _ = disk.remove(CONTROL);
        }
    }
}

/// Does what takes a while beside the tasks.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)
}

impl From<NoNewSeries> for RefusalReason {
    fn from(why: NoNewSeries) -> Self {
        match why {
            NoNewSeries::TooMany { limit } => Self::TooManySeries { limit },
            NoNewSeries::KeysTooLong { limit } => Self::KeysTooLong { limit },
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work)
}

impl Store for Local {
    type Cursor = LocalReader;
    type Follower = LocalFollower;

    fn put_batch(
        &self,
        puts: &[(Key<'_>, Point)],
    ) -> impl Future<Output = Result<Vec<Refused>, PutError>> + Send + use<> {
        let submitted = self.submit_puts(puts);
        async {
            let (refused, outcome) = submitted?;
            if let Some(outcome) = outcome {
                // Without an outcome the committer ended in the middle of the batch.
                outcome.await.unwrap_or(Err(PutError::UnknownOutcome))?;
            }
            Ok(refused)
        }
    }

    fn delete(
        &self,
        deletion: Deletion,
    ) -> impl Future<Output = Result<(), PutError>> + Send + use<> {
        let store = self.clone();
        let submitted = tokio::task::spawn_blocking(move || {
            let deletes = store.resolve_deletion(deletion);
            if deletes.is_empty() {
                return Ok(None);
            }
            let mut records = Vec::new();
            record::append_deletes(&deletes, &mut records);
            store.queue.submit(Work::Deletes(deletes), records).map(Some)
        });
        async {
            // Without an outcome it is not known how far the task has come.
            if let Some(outcome) = submitted.await.map_err(|_| PutError::UnknownOutcome)?? {
                outcome.await.unwrap_or(Err(PutError::UnknownOutcome))?;
            }
            Ok(())
        }
    }

    fn get(&self, query: Query) -> LocalReader {
        LocalReader::new(Arc::clone(&self.state), query)
    }

    fn follow(&self, keys: KeySelection, history: Window) -> LocalFollower {
        LocalFollower::new(Arc::clone(&self.state), keys, history)
    }

    fn status(&self) -> StoreStatus {
        let status = self.state.status();
        StoreStatus { unavailable: self.queue.closed().or(status.unavailable), ..status }
    }

    async fn close(&self) {
        self.queue.close(Unavailable::Closed);
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let joined = tokio::task::spawn_blocking(move || {
            threads.into_iter().map(JoinHandle::join).filter(Result::is_err).count()
        });
        if !matches!(joined.await, Ok(0)) {
            tracing::error!("a thread of the store ended by a panic");
        }
    }
}
