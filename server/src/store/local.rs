//! The embedded store: a write-ahead log, points in memory, compressed parts on the disk.
//!
//! `state` says what the threads share, `commit` takes points in, `checkpoint` and `compact` move
//! them to their place on the disk, `cursor` reads them, `recovery` finds them again.

mod checkpoint;
pub mod chunk;
mod commit;
mod compact;
mod config;
mod cursor;
mod disk;
mod index;
mod layout;
mod log;
mod merge;
mod part;
mod recovery;
pub mod series;
mod state;
#[cfg(test)]
mod tests;
mod varint;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use shared::{Key, Point, Selector};
use tokio::sync::oneshot;
use tracing::info;

use super::{PutError, Refused, Store};
use commit::{Committer, Queue, Submission};
use disk::Disk;
use log::{Kind, Row};
use recovery::{Recovered, recover};
use state::State;

pub use config::{Config, Durability, SYNC_INTERVAL};
pub use cursor::LocalCursor;
pub use recovery::OpenError;

/// Handles to one store; clones share it.
#[derive(Debug, Clone)]
pub struct Local {
    state: Arc<State>,
    queue: Arc<Queue>,
    threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Local {
    /// Opens the data directory at `path`, or makes it.
    ///
    /// # Errors
    /// [`OpenError`] when it can't be used; nothing in it is changed then.
    pub fn open(path: &Path, config: Config) -> Result<Self, OpenError> {
        let directory = recovery::open_directory(path)?;
        info!(durability = %config.durability, "data in {}", path.display());
        Self::over(directory, config)
    }

    fn over(disk: Arc<dyn Disk>, config: Config) -> Result<Self, OpenError> {
        let Recovered { state, resume, damaged_logs } = recover(disk, config)?;
        let state = Arc::new(state);
        let queue = Arc::new(Queue::default());
        let committer = Committer::start(Arc::clone(&state), Arc::clone(&queue), resume)
            .map_err(recovery::io("its log can't be written"))?;
        let (checkpoints, merges) = (Arc::clone(&state), Arc::clone(&state));
        let threads = [
            spawn("commit", move || committer.run()),
            spawn("checkpoint", move || checkpoint::run(&checkpoints, &damaged_logs)),
            spawn("compact", move || compact::run(&merges)),
        ];
        let threads = threads.into_iter().collect::<Result<_, _>>();
        let threads = threads.map_err(recovery::io("no threads can be started"))?;
        Ok(Self { state, queue, threads: Arc::new(Mutex::new(threads)) })
    }

    /// The rows of a batch. Series that are new get their place.
    fn rows(&self, puts: &[(Key<'_>, Point)]) -> (Vec<Row>, Vec<Refused>) {
        let cutoff = self.state.config.cutoff();
        let mut rows = Vec::with_capacity(puts.len());
        let mut refused = Vec::new();
        let mut index = self.state.index();
        for (place, &(key, point)) in puts.iter().enumerate() {
            let mut refuse = |reason: &str| {
                refused.push(Refused { index: place, reason: reason.to_owned() });
            };
            if point.timestamp < cutoff {
                refuse("the timestamp is older than the retention");
                continue;
            }
            let mut series = index.find(key);
            if series.is_none() {
                drop(index);
                series = self.state.index_mut().find_or_create(key);
                index = self.state.index();
            }
            match series {
                Some(series) => rows.push(Row { series, point }),
                None => refuse("there are too many series"),
            }
        }
        (rows, refused)
    }

    /// Queues a batch for the committer, which sends the outcome; `None` when there is nothing to
    /// commit.
    fn submit(
        &self,
        rows: Vec<Row>,
    ) -> Result<Option<oneshot::Receiver<Result<(), PutError>>>, PutError> {
        if rows.is_empty() {
            return Ok(None);
        }
        let mut record = Vec::with_capacity(log::HEADER + rows.len() * 12);
        log::begin(&mut record);
        log::encode_rows(&rows, &mut record);
        log::seal(&mut record, Kind::Points);
        let (done, outcome) = oneshot::channel();
        self.queue.submit(Submission { rows, record, done })?;
        Ok(Some(outcome))
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work)
}

impl Store for Local {
    type Cursor = LocalCursor;

    fn put_batch(
        &self,
        puts: &[(Key<'_>, Point)],
    ) -> impl Future<Output = Result<Vec<Refused>, PutError>> + Send + use<> {
        let (rows, refused) = self.rows(puts);
        let committed = self.submit(rows);
        async {
            if let Some(committed) = committed? {
                committed.await.unwrap_or(Err(PutError::Failed))?;
            }
            Ok(refused)
        }
    }

    fn get(&self, selector: Selector<'_>) -> LocalCursor {
        let index = self.state.index();
        let series = match selector {
            Selector::All => 0..index.end(),
            Selector::Key(key) => index.find(key).map_or(0..0, |series| series..series + 1),
            Selector::Extended(_) => 0..0,
        };
        drop(index);
        LocalCursor::new(Arc::clone(&self.state), series)
    }

    async fn close(&self) {
        self.queue.close(PutError::Closed);
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
