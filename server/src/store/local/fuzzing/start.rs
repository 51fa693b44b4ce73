//! A start over a disk, and all that is read and done after it, on this thread.

use std::num::{NonZeroI64, NonZeroU64};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use shared::selector::Aggregate;
use tokio::runtime::Runtime;

use crate::clock::Clock;
use crate::store::local::background::checkpoint::{DamagedSegments, checkpoint};
use crate::store::local::background::compaction;
use crate::store::local::config::LocalConfig;
use crate::store::local::reader::LocalReader;
use crate::store::local::recovery::{Recovered, recover};
use crate::store::local::sim_disk::SimDisk;
use crate::store::local::state::StoreState;
use crate::store::query::{KeySelection, Query, Select, Step, Window};
use crate::store::{Cursor, ReadError};

/// Key, timestamp and the bits of the value.
pub type Row = (String, i64, u64);

/// What the clock shows.
pub const NOW: i64 = 1_800_000_000;

/// Without checkpoints and merges of its own.
pub fn config(retention: Option<Duration>) -> LocalConfig {
    LocalConfig {
        log_limit: 1 << 30,
        segment_size: 1 << 30,
        max_replayed_points: u64::MAX,
        retention,
        reserve: 0,
        clock: Clock::new(|| NOW),
        ..LocalConfig::default()
    }
}

/// A store without threads.
#[derive(Debug)]
pub struct Started {
    pub state: Arc<StoreState>,
    damaged_segments: DamagedSegments,
}

/// Starts, unless that is refused.
pub fn start(disk: &SimDisk, config: LocalConfig) -> Option<Started> {
    let Recovered { state, resume, damaged_segments, .. } =
        recover(Arc::new(disk.clone()), config).ok()?;
    let last = resume.segment.saturating_sub(1);
    state.begin_segment(last);
    if resume.first_segment <= last && state.memory().frozen.is_none() {
        let mut memory = state.memory();
        let frozen = Arc::new(memory.take_heads(resume.first_segment..=last));
        memory.frozen = Some(frozen);
    }
    Some(Started { state: Arc::new(state), damaged_segments })
}

impl Started {
    /// What a `get` answers.
    pub fn answer(&self, query: Query) -> Result<Vec<Row>, ReadError> {
        // Of no thread: on Windows its end would wait for other threads, which can't end before it.
        static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            builder.max_blocking_threads(1).build().unwrap_or_else(|error| panic!("{error}"))
        });
        let mut rows = Vec::new();
        let mut reader = LocalReader::new(Arc::clone(&self.state), query);
        let read = async {
            while let Some(block) = reader.next_block().await? {
                for (key, points) in block.series() {
                    let key = key.as_str();
                    let row = |point: &shared::Point| {
                        (key.to_owned(), point.timestamp, point.value.to_bits())
                    };
                    rows.extend(points.iter().map(row));
                }
            }
            Ok::<_, ReadError>(())
        };
        RUNTIME.block_on(read)?;
        Ok(rows)
    }

    /// Asks for something of everything, in a way that the choice says; the answer may be an error.
    pub fn ask(&self, choice: u8, window: Window) {
        let hows =
            [Aggregate::Avg, Aggregate::Rate, Aggregate::Last, Aggregate::P99, Aggregate::Min];
        let how = hows[usize::from(choice / 5) % hows.len()];
        let step = NonZeroI64::new(600).map_or(Step::All { stamp: None }, Step::Every);
        let newest = |count| Select::Newest { count, to: window.to, or_later: choice & 64 == 0 };
        let select = match choice % 5 {
            0 => Select::Buckets { window, step, how },
            1 => Select::Buckets { window, step: Step::All { stamp: None }, how },
            2 => newest(NonZeroU64::MIN),
            3 => newest(NonZeroU64::MIN.saturating_add(2)),
            _ => Select::Points(window),
        };
        drop(self.answer(Query { keys: KeySelection::All, select }));
    }

    /// Writes the points of the log to a part. Answers whether that was done.
    pub fn checkpoint(&self) -> bool {
        let frozen = self.state.memory().frozen.clone();
        let write = |frozen: Arc<_>| checkpoint(&self.state, &frozen, &self.damaged_segments);
        frozen.is_none_or(|frozen| write(frozen).is_ok())
    }

    /// Brings everything on into one part, as checkpoints and merges do. Answers whether that was done.
    pub fn move_on(&self) -> bool {
        if !self.checkpoint() {
            return false;
        }
        let parts = Arc::clone(&self.state.memory().parts);
        let are_here = parts.iter().all(|part| !part.is_absent());
        if parts.is_empty() || !are_here {
            return true;
        }
        let is_merged = compaction::merge(&self.state, &parts, self.state.expiry()).is_ok();
        self.state.list_files();
        is_merged
    }
}
