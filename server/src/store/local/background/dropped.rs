//! Which points a checkpoint or a merge leaves out because they are expired, for the log.

use std::cell::Cell;
use std::fmt;

use tracing::info;

use crate::store::ReadError;
use crate::store::local::series::merge::Source;
use crate::store::local::series::run::Run;

/// Points that were left out: number, first and last timestamp. A point that was put twice may count
/// twice.
#[derive(Debug, Default)]
pub struct Dropped(Cell<Option<(u64, i64, i64)>>);

impl Dropped {
    /// Counts so many points between two timestamps.
    pub fn add(&self, points: u64, first: i64, last: i64) {
        let (before, oldest, newest) = self.0.get().unwrap_or((0, first, last));
        if points > 0 {
            self.0.set(Some((before + points, oldest.min(first), newest.max(last))));
        }
    }

    /// Counts the points of a run before `cutoff`.
    pub fn add_run(&self, run: &Run, cutoff: i64) {
        let expired = &run[..run.partition_point(|point| point.timestamp < cutoff)];
        if let (Some(first), Some(last)) = (expired.first(), expired.last()) {
            self.add(expired.len() as u64, first.timestamp, last.timestamp);
        }
    }

    /// Logs what was left out of the file `name`, if anything was.
    pub fn log(&self, name: impl fmt::Display) {
        if let Some((points, first, last)) = self.0.get() {
            info!(points, first, last, "{name}: dropped what is older than the retention");
        }
    }
}

/// A source whose points before `cutoff` are counted when it is opened.
#[derive(Debug)]
pub struct Counted<'d, S> {
    pub source: S,
    pub cutoff: i64,
    pub dropped: &'d Dropped,
}

impl<S: Source> Source for Counted<'_, S> {
    fn range(&self) -> (i64, i64) {
        self.source.range()
    }

    fn open(&self) -> Result<Run, ReadError> {
        let run = self.source.open()?;
        self.dropped.add_run(&run, self.cutoff);
        Ok(run)
    }
}
