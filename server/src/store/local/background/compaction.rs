//! Merging small parts into larger ones, and dropping what is older than the retention.
//!
//! Only neighbours are merged, so that which of two points is the later put stays known by the
//! order of the parts.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{error, info, warn};

use super::checkpoint;
use super::compaction_policy::{Candidate, choose};
use super::dropped::{Counted, Dropped};
use super::held_files::FileChange;
use super::merge_inputs::MergeInputs;
use super::present_points::PresentPoints;
use crate::store::local::disk::removed_files::RemovedFile;
use crate::store::local::disk::{is_full, quarantine};
use crate::store::local::file_name::{FileName, SegmentId};
use crate::store::local::part::Part;
use crate::store::local::part::deletes::Deletes;
use crate::store::local::part::header::ChunkEntry;
use crate::store::local::part::losses::PartLosses;
use crate::store::local::part::writer::{PartError, PartWriter};
use crate::store::local::series::chunk::Effort;
use crate::store::local::series::loss::Losses;
use crate::store::local::series::merge::Merge;
use crate::store::local::series::retention::{Expiry, SAMPLE_INTERVAL};
use crate::store::local::series::series_index::SeriesId;
use crate::store::local::series::time_ranges::{SharedRanges, TimeRanges};
use crate::store::local::state::StoreState;
use crate::store::local::state::absent::absent_series;
use crate::store::local::state::hidden_times::HiddenTimes;
use crate::store::local::wal::queue::{Queue, Work};
use crate::store::query::Window;

/// Series of which the deletions are looked at before others get the lock.
const MAX_FORGOTTEN: usize = 1024;

/// How often the progress of a long merge is logged.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(5);

/// Merges and drops until the store is closed.
pub fn run(state: &StoreState, queue: &Queue) {
    let mut memory = state.memory();
    // Parts that could not be merged, and until when they are left out.
    let mut resting: Vec<(Arc<Part>, Instant)> = Vec::new();
    let mut refused = BTreeSet::new();
    let mut present = PresentPoints::default();
    // While a part is rewritten for want of room.
    let mut in_use = None;
    while !memory.phase.is_ending() {
        let parts = Arc::clone(&memory.parts);
        let mut deletions = memory.deletions;
        drop(memory);
        if state.is_sample_due() {
            retire_series(state, queue);
        }
        let expiry = state.expiry();
        present.read(&parts, expiry);
        resting.retain(|(_, until)| *until > Instant::now());
        let rests = |part: &Arc<Part>| resting.iter().any(|(other, _)| Arc::ptr_eq(part, other));
        let all_named = take_names(state, &parts, &mut refused);
        let pause = match choose_next(state, &parts, expiry, &present, rests) {
            None if resting.is_empty() && all_named => SAMPLE_INTERVAL,
            None => state.config().retry,
            Some(range) => match merge(state, &parts[range.clone()], expiry) {
                Ok(()) => {
                    drop(in_use.take());
                    state.restore_reserve();
                    forget_idle_deletes(state);
                    retire_series(state, queue);
                    Duration::ZERO
                }
                Err(PartError::NotMade(error)) => {
                    // What is rewritten becomes smaller, and what is merged not larger.
                    let inputs = &parts[range.clone()];
                    let bytes = inputs.iter().map(|part| part.size()).sum();
                    let is_small = inputs.len() == 1 || state.reserve_has(bytes);
                    let frees = is_small && is_full(&error);
                    if is_full(&error) {
                        state.end_hold();
                    }
                    drop(in_use.take());
                    in_use = if frees { state.release_reserve() } else { None };
                    if in_use.is_some() {
                        memory = state.memory();
                        continue;
                    }
                    warn!(%error, "can't merge parts; they stay as they are");
                    let until = Instant::now() + state.config().retry.saturating_mul(10);
                    resting.extend(parts[range].iter().map(|part| (Arc::clone(part), until)));
                    Duration::ZERO
                }
                Err(error @ PartError::NotDurable(_)) => {
                    // The merged part and its inputs may both be there: another merge of some of
                    // them would overlap with the first one.
                    error!("no more parts are merged until the server is started again: {error}");
                    return;
                }
            },
        };
        if pause.is_zero() {
            // The inputs of a merge and their files are freed, which takes a while.
            drop(parts);
            state.free_removed_files();
            memory = state.memory();
            continue;
        }
        memory = state.memory();
        let mut end = Instant::now() + pause;
        while !memory.phase.is_ending() && Instant::now() < end {
            let is_idle = pause == SAMPLE_INTERVAL;
            if is_idle && (!Arc::ptr_eq(&parts, &memory.parts) || state.is_sample_due()) {
                break;
            }
            // What is taken back gives its space back soon, many deletions together.
            if std::mem::replace(&mut deletions, memory.deletions) != memory.deletions {
                end = end.min(Instant::now() + state.config().retry);
            }
            memory = state.wait(memory, end.saturating_duration_since(Instant::now()));
        }
    }
    let parts = Arc::clone(&memory.parts);
    drop(memory);
    take_names(state, &parts, &mut refused);
}

/// Gives rewritten parts their names when the parts that they replace are closed. Answers whether
/// all have theirs. `refused` are the first segments of the parts whose failure was logged.
pub fn take_names(
    state: &StoreState,
    parts: &[Arc<Part>],
    refused: &mut BTreeSet<SegmentId>,
) -> bool {
    let mut all = true;
    if parts.iter().all(|part| part.has_name()) {
        return all;
    }
    let Some(_change) = FileChange::begin(state) else { return false };
    for part in parts {
        let first = *part.segments().start();
        all &= match part.take_name(state.disk()) {
            Ok(named) => {
                refused.remove(&first);
                named
            }
            Err(error) => {
                if refused.insert(first) {
                    warn!(%error, "can't give {part} its name yet");
                }
                false
            }
        };
    }
    all
}

/// Has the series removed from the index of which no layer has a point.
fn retire_series(state: &StoreState, queue: &Queue) {
    let retired = absent_series(state);
    if !retired.is_empty() {
        // The committer checks them once more, in its own time. A queue that is closed takes none.
        let _ = queue.submit(Work::Retire(retired), Vec::new());
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more")]
fn share(some: usize, all: usize) -> f64 {
    some as f64 / all.max(1) as f64
}

/// Has the heads forget deletions that hide nothing any more.
fn forget_idle_deletes(state: &StoreState) {
    let mut next = 0;
    loop {
        let mut memory = state.memory();
        let (parts, frozen) = (Arc::clone(&memory.parts), memory.frozen.clone());
        let deletes = memory.heads.all_deletes().range(next..).take(MAX_FORGOTTEN);
        let all: Vec<_> = deletes.map(|(series, ranges)| (*series, ranges.clone())).collect();
        for (series, ranges) in &all {
            let is_frozen = frozen.as_ref().is_some_and(|frozen| frozen.has_series(*series));
            let mut ranges = ranges.ranges().iter();
            if !is_frozen && !ranges.any(|range| checkpoint::is_needed(*series, *range, &parts)) {
                memory.heads.forget_deletes(*series);
            }
        }
        drop(memory);
        let Some((last, _)) = all.last() else { return };
        next = last.saturating_add(1);
    }
}

/// Which parts to merge next. Long, when parts have many deletions and nothing else is due.
pub fn choose_next(
    state: &StoreState,
    parts: &[Arc<Part>],
    expiry: Expiry,
    present: &PresentPoints,
    rests: impl Fn(&Arc<Part>) -> bool,
) -> Option<Range<usize>> {
    let candidates = candidates(state, parts, expiry, present, rests);
    choose(&candidates).or_else(|| {
        let is_idle =
            |at: &usize| !candidates[*at].resting && has_idle_deletes(&parts[*at], &parts[..*at]);
        (0..parts.len()).find(is_idle).map(|at| at..at + 1)
    })
}

/// What the choice of a merge depends on, for each part.
fn candidates(
    state: &StoreState,
    parts: &[Arc<Part>],
    expiry: Expiry,
    present: &PresentPoints,
    rests: impl Fn(&Arc<Part>) -> bool,
) -> Vec<Candidate> {
    // Newest first, because each part hides points of those before it.
    let mut hidden = state.hidden_by_heads();
    let mut candidates = Vec::with_capacity(parts.len());
    for part in parts.iter().rev() {
        candidates.push(candidate(part, &hidden, expiry, present, rests(part)));
        hidden.add_part(part);
    }
    candidates.reverse();
    candidates
}

/// Whether most deletions of a part hide nothing any more.
fn has_idle_deletes(part: &Part, older: &[Arc<Part>]) -> bool {
    let deletes = part.all_deletes();
    let needed = deletes.iter().filter(|(series, ranges)| {
        ranges.iter().any(|range| checkpoint::is_needed(*series, *range, older))
    });
    !deletes.is_empty() && needed.count() < deletes.len().div_ceil(2)
}

/// What the choice of a merge depends on.
pub fn candidate(
    part: &Arc<Part>,
    hidden: &HiddenTimes,
    expiry: Expiry,
    present: &PresentPoints,
    resting: bool,
) -> Candidate {
    let is_deleted = |entry: &ChunkEntry| hidden.covers(entry.series, (entry.first, entry.last));
    let deleted =
        if hidden.is_empty() { 0 } else { part.table().iter().filter(is_deleted).count() };
    Candidate {
        segments: part.segments().clone(),
        size: part.size(),
        expired: expiry.share(present.spans(part)),
        deleted: share(deleted, part.table().len()),
        // Another file of its name would be written over its own, and one that can't be read now may be
        // read again.
        resting: resting || !part.has_name() || part.is_absent(),
    }
}

/// Replaces parts by one with their points that are not expired; their files are in `removed` until
/// nothing reads them. Does nothing when the store is closed meanwhile.
///
/// # Errors
/// [`PartError`] when there is no merged part, or it may not be durable; the parts stay.
pub fn merge(state: &StoreState, inputs: &[Arc<Part>], expiry: Expiry) -> Result<(), PartError> {
    merge_with(state, inputs, expiry, false)
}

/// Writes a part anew without what can't be read of it, which counts as gone from then on; the file as it
/// was is kept under another name.
///
/// # Errors
/// As for [`merge`].
pub fn give_up_damage(state: &StoreState, part: &Arc<Part>) -> Result<(), PartError> {
    // Nothing is expired.
    let expiry = Expiry { cutoff: i64::MIN, newest: i64::MAX };
    merge_with(state, std::slice::from_ref(part), expiry, true)
}

fn merge_with(
    state: &StoreState,
    inputs: &[Arc<Part>],
    expiry: Expiry,
    gives_up: bool,
) -> Result<(), PartError> {
    let (Some(first), Some(last)) = (inputs.first(), inputs.last()) else { return Ok(()) };
    let segments = *first.segments().start()..=*last.segments().end();
    let start = Instant::now();
    let points: u64 = inputs.iter().map(|part| part.points()).sum();
    if let [only] = inputs {
        info!(points, "rewriting {only}");
    } else {
        info!(parts = inputs.len(), points, "merging");
    }
    let dropped: Vec<_> = inputs.iter().map(|part| expired_chunks(part, expiry)).collect();
    let mut writer = PartWriter::create(state.disk(), segments.clone(), Effort::Thorough)?;
    match fill(state, inputs, expiry, &dropped, &mut writer, gives_up) {
        Ok(true) => {}
        Ok(false) => {
            writer.abandon();
            return Ok(());
        }
        Err(error) => {
            writer.abandon();
            return Err(error.into());
        }
    }
    // From here on files are replaced and removed.
    let Some(_change) = FileChange::begin(state) else {
        writer.abandon();
        return Ok(());
    };
    // A part that is rewritten keeps its name, so a damaged one would vanish. One that can't be read can't
    // be copied.
    if let [only] = inputs {
        let disk = state.disk();
        let kept = if gives_up && !only.is_absent() {
            // What replaces it is whole by then, so that a full disk leaves it in its place.
            writer.complete().and_then(|()| {
                quarantine::remove_or_quarantine(disk, &FileName::Part(segments.clone()), true)
            })
        } else if only.is_damaged() {
            only.keep_copy(disk)
        } else {
            Ok(())
        };
        if let Err(error) = kept {
            writer.abandon();
            return Err(error.into());
        }
    }
    let mut replaced = None;
    let output = match inputs {
        [only] => {
            replaced = RemovedFile::open(state.disk(), &only.to_string(), is_read(only));
            writer.finish_over(only)?
        }
        _ => writer.finish()?,
    };
    for (part, dropped) in inputs.iter().zip(&dropped) {
        dropped.log(part);
    }
    let what = match inputs {
        [_] => "rewritten".to_owned(),
        _ => format!("merged {} parts into", inputs.len()),
    };
    info!(
        points = output.points(),
        bytes = output.size(),
        seconds = format_args!("{:.3}", start.elapsed().as_secs_f64()),
        "{what}: {output}",
    );
    state.memory().publish_merge(inputs, output);
    state.notify();
    state.removed_files().add(replaced);
    state.list_files();
    for part in inputs {
        if *part.segments() != segments {
            state.removed_files().add(quarantine::release(
                state.disk(),
                &FileName::Part(part.segments().clone()),
                part.is_damaged(),
                is_read(part),
            ));
        }
    }
    Ok(())
}

/// Whether a part is still open.
fn is_read(part: &Arc<Part>) -> impl Fn() -> bool + Send + 'static {
    let part = Arc::downgrade(part);
    move || part.strong_count() > 0
}

/// Writes all points of the inputs; `false` when the store is closed meanwhile.
fn fill(
    state: &StoreState,
    inputs: &[Arc<Part>],
    expiry: Expiry,
    dropped: &[Dropped],
    writer: &mut PartWriter<'_>,
    gives_up: bool,
) -> io::Result<bool> {
    let total: u64 = inputs.iter().map(|part| part.points()).sum();
    let newest = inputs.last().map_or(0, |part| *part.segments().end());
    let (cutoff, mut logged) = (expiry.cutoff, Instant::now());
    let window = Window::ALL.since(cutoff);
    let mut inputs_read = MergeInputs::new(inputs);
    if gives_up {
        inputs_read = inputs_read.giving_up();
    }
    let none_deleted = state.none_deleted_since(newest);
    loop {
        let series = inputs_read.next_series();
        if series.is_empty() {
            break;
        }
        let memory = state.memory();
        if memory.phase.is_ending() {
            return Ok(false);
        }
        // Puts wait for a lock that a thread of low priority holds: it is held for as little as can be.
        let still_none = none_deleted == Some(memory.deletions);
        drop(memory);
        let deleted = if still_none {
            vec![SharedRanges::default(); series.len()]
        } else {
            state.deleted_since(&series, newest)
        };
        let known = state.keys(&series).into_iter().zip(deleted);
        for (series, (key, deleted)) in series.into_iter().zip(known) {
            // Without a key all its points were taken back.
            let Some(key) = key else { continue };
            let chunks = inputs_read.chunks(series, deleted).into_iter();
            let sources = chunks.filter_map(|source| {
                let dropped = dropped.get(source.place())?;
                Some(Counted { source, cutoff, dropped })
            });
            let mut merge = Merge::within(window, sources);
            while let Some(points) = merge.next_block().map_err(io::Error::other)? {
                for points in expiry.split_strays(&points) {
                    writer.add(series, &key, points)?;
                }
            }
        }
        if logged.elapsed() >= PROGRESS_INTERVAL {
            logged = Instant::now();
            info!("merging: {} of {total} points", writer.points());
        }
    }
    let mut losses = inputs_read.into_losses();
    losses.expire(cutoff);
    if gives_up {
        losses = Losses::default();
    }
    writer.set_losses(PartLosses { keys: state.keys_within(&losses), losses });
    writer.set_deletes(remaining_deletes(state, inputs));
    writer.set_end(state.index().end());
    Ok(true)
}

/// The deletions of the inputs that hide anything in older parts.
fn remaining_deletes(state: &StoreState, inputs: &[Arc<Part>]) -> Deletes {
    let oldest = inputs.first().map_or(0, |part| *part.segments().start());
    let mut older = state.memory().parts.to_vec();
    older.retain(|part| *part.segments().end() < oldest);
    let mut all: BTreeMap<SeriesId, TimeRanges> = BTreeMap::new();
    for (series, ranges) in inputs.iter().flat_map(|part| part.all_deletes()) {
        let deletes = all.entry(*series).or_default();
        deletes.insert_all(ranges);
    }
    let all = all.into_iter().map(|(series, ranges)| (series, ranges.ranges().to_vec()));
    checkpoint::still_needed(all, &older)
}

/// The points of chunks that a merge does not open.
fn expired_chunks(part: &Part, expiry: Expiry) -> Dropped {
    let dropped = Dropped::default();
    if !expiry.expires_any() {
        return dropped;
    }
    for entry in part.table().iter().filter(|entry| entry.last < expiry.cutoff) {
        dropped.add(entry.count.into(), entry.first, entry.last);
    }
    dropped
}
