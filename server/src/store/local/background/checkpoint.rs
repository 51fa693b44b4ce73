//! Checkpoints: frozen heads become a part, and their segments are released.

use std::io;
use std::ops::RangeInclusive;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::dropped::Dropped;
use crate::store::Unavailable;
use crate::store::local::disk::{self, Disk, quarantine};
use crate::store::local::file_name::{FileName, SegmentId};
use crate::store::local::part::Part;
use crate::store::local::part::deletes::{Deletes, TimeRange};
use crate::store::local::part::losses::PartLosses;
use crate::store::local::part::writer::PartWriter;
use crate::store::local::series::chunk::Effort;
use crate::store::local::series::merge::Merge;
use crate::store::local::series::series_index::SeriesId;
use crate::store::local::state::StoreState;
use crate::store::local::state::memory::{Frozen, Memory, Phase, is_in_parts};
use crate::store::query::Window;

/// Series whose keys are looked up at once.
const MAX_SERIES: usize = 256;

/// Which segments were found damaged, so that they are kept.
pub type DamagedSegments = Vec<SegmentId>;

/// Writes a checkpoint whenever heads are frozen, until the store is closed.
pub fn run(state: &StoreState, damaged_segments: &DamagedSegments) {
    let _failing = FailOnPanic(state);
    let mut memory = state.memory();
    loop {
        // First: on a full disk a checkpoint may need their room.
        let has_removed = memory.has_removable_segments();
        if has_removed {
            drop(memory);
            remove_segments(state, damaged_segments);
            memory = state.memory();
        }
        if let Some(frozen) = memory.frozen.clone() {
            drop(memory);
            let outcome = checkpoint_at_any_cost(state, &frozen, damaged_segments);
            // The heads of a million series take a tenth of a second to free: not under the lock.
            drop(frozen);
            state.free_removed_files();
            memory = state.memory();
            let Err(error) = outcome else {
                memory.checkpoint_failure = None;
                state.notify();
                continue;
            };
            warn!("can't write a checkpoint; its points stay in the log: {error}");
            let full = disk::is_full(&error);
            if full && memory.file_use.is_held() {
                // There may be room without what is kept for the backup.
                drop(memory);
                state.end_hold();
                memory = state.memory();
                continue;
            }
            memory.checkpoint_failure =
                Some(if full { Unavailable::DiskFull } else { Unavailable::Stalled });
            state.notify();
            if memory.phase.is_ending() {
                return;
            }
            memory = pause(state, memory);
        } else if has_removed {
            drop(memory);
            state.free_removed_files();
            memory = state.memory();
        } else if memory.phase == Phase::Closed {
            return;
        } else if state.is_list_due() {
            drop(memory);
            state.list_files();
            memory = state.memory();
        } else {
            memory = state.wait(memory, Duration::from_secs(60));
        }
    }
}

/// Fails the store when the thread panics: without checkpoints puts would wait for ever.
struct FailOnPanic<'s>(&'s StoreState);

impl Drop for FailOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail("the thread that writes checkpoints ended by a panic");
            // Puts may wait for this checkpoint.
            self.0.memory().checkpoint_failure = Some(Unavailable::Failed);
            self.0.notify();
        }
    }
}

/// Waits before a checkpoint that failed is tried again, or until the store is closed.
fn pause<'m>(state: &StoreState, mut memory: MutexGuard<'m, Memory>) -> MutexGuard<'m, Memory> {
    let end = Instant::now() + state.config().retry;
    while !memory.phase.is_ending() && Instant::now() < end {
        memory = state.wait(memory, end.saturating_duration_since(Instant::now()));
    }
    memory
}

/// Like [`checkpoint`], with what is kept in reserve when the disk is full.
///
/// # Errors
/// When the part can't be written; the heads stay frozen.
pub fn checkpoint_at_any_cost(
    state: &StoreState,
    frozen: &Frozen,
    damaged_segments: &DamagedSegments,
) -> io::Result<()> {
    match checkpoint(state, frozen, damaged_segments) {
        Err(error) if disk::is_full(&error) => {
            let Some(_in_use) = state.release_reserve() else { return Err(error) };
            checkpoint(state, frozen, damaged_segments)
        }
        outcome => outcome,
    }
}

/// Writes frozen heads to a part and releases their segments.
///
/// # Errors
/// When the part can't be written; the heads stay frozen.
pub fn checkpoint(
    state: &StoreState,
    frozen: &Frozen,
    damaged_segments: &DamagedSegments,
) -> io::Result<()> {
    let start = Instant::now();
    let part = write(state, frozen)?;
    let covered = present(state.disk(), frozen.segments());
    let (name, points, bytes) = (part.to_string(), part.points(), part.size());
    let mut memory = state.memory();
    memory.publish_checkpoint(part);
    memory.file_use.released.extend(covered);
    drop(memory);
    // Puts do not wait for the line.
    info!(
        points,
        bytes,
        seconds = format_args!("{:.3}", start.elapsed().as_secs_f64()),
        "checkpoint: {name}"
    );
    state.list_files();
    remove_segments(state, damaged_segments);
    Ok(())
}

/// Removes the segments whose points are in a part, unless a backup needs them and there is room for them.
fn remove_segments(state: &StoreState, damaged_segments: &DamagedSegments) {
    state.end_hold_without_reserve();
    let removable = state.memory().take_removable_segments();
    for segment in removable {
        // Nobody reads a log.
        state.removed_files().add(quarantine::release(
            state.disk(),
            &FileName::Segment(segment),
            damaged_segments.contains(&segment),
            || false,
        ));
    }
}

/// The segments in a range that are there: files may be missing from it, and so many that they are not to be
/// counted. What is not seen is removed at the next start.
fn present(disk: &dyn Disk, range: &RangeInclusive<SegmentId>) -> Vec<SegmentId> {
    let number = |name: &String| match FileName::parse(name) {
        FileName::Segment(id) if range.contains(&id) => Some(id),
        _ => None,
    };
    let mut present: Vec<_> = disk.list().unwrap_or_default().iter().filter_map(number).collect();
    present.sort_unstable();
    present
}

/// The frozen heads as a part.
fn write(state: &StoreState, frozen: &Frozen) -> io::Result<Part> {
    let mut writer = PartWriter::create(state.disk(), frozen.segments().clone(), Effort::Quick)?;
    let dropped = match fill(state, frozen, &mut writer) {
        Ok(dropped) => dropped,
        Err(error) => {
            writer.abandon();
            return Err(error);
        }
    };
    let part = writer.finish()?;
    dropped.log(&part);
    Ok(part)
}

/// Whether a deletion hides anything in older parts; also while the file that an older part replaces
/// may be found again.
pub fn is_needed(series: SeriesId, (from, to): TimeRange, older: &[Arc<Part>]) -> bool {
    let all_named = older.iter().all(|part| part.has_name());
    !all_named || is_in_parts(older, series, Window { from, to })
}

/// Those deletions that are needed; see [`is_needed`].
pub fn still_needed(
    deletes: impl Iterator<Item = (SeriesId, Vec<TimeRange>)>,
    older: &[Arc<Part>],
) -> Deletes {
    let mut needed: Vec<_> = deletes.collect();
    for (series, ranges) in &mut needed {
        ranges.retain(|range| is_needed(*series, *range, older));
    }
    needed.retain(|(_, ranges)| !ranges.is_empty());
    needed
}

fn fill(state: &StoreState, frozen: &Frozen, writer: &mut PartWriter<'_>) -> io::Result<Dropped> {
    let (expiry, dropped) = (state.expiry(), Dropped::default());
    let mut all = frozen.heads().series();
    loop {
        let series: Vec<SeriesId> = all.by_ref().take(MAX_SERIES).collect();
        if series.is_empty() {
            break;
        }
        for (&series, key) in series.iter().zip(state.keys(&series)) {
            // Without a key all its points were taken back meanwhile.
            let Some(key) = key else { continue };
            let runs = frozen.heads().snapshot(series, Window::ALL).into_runs();
            for run in &runs {
                dropped.add_run(run, expiry.cutoff);
            }
            let mut merge = Merge::within(Window::ALL.since(expiry.cutoff), runs);
            while let Some(points) = merge.next_block().map_err(io::Error::other)? {
                for points in expiry.split_strays(&points) {
                    writer.add(series, &key, points)?;
                }
            }
        }
    }
    let mut losses = frozen.heads().losses().clone();
    losses.expire(expiry.cutoff);
    writer.set_losses(PartLosses { keys: state.keys_within(&losses), losses });
    let parts = Arc::clone(&state.memory().parts);
    let deletes = frozen.heads().all_deletes().iter();
    let deletes = deletes.map(|(series, ranges)| (*series, ranges.ranges().to_vec()));
    writer.set_deletes(still_needed(deletes, &parts));
    writer.set_end(state.index().end());
    Ok(dropped)
}
