//! Merging small parts into larger ones, and dropping what is older than the retention.
//!
//! Only neighbours are merged, so that which of two points is the later put stays known by the
//! order of the parts.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{error, info, warn};

use crate::store::local::file_name::{DAMAGED, FileName};
use crate::store::local::part::writer::{PartError, PartWriter};
use crate::store::local::part::{ChunkSource, Part};
use crate::store::local::series::chunk::Effort;
use crate::store::local::series::merge::Merge;
use crate::store::local::series::series_index::SeriesId;
use crate::store::local::state::State;

/// Most parts merged at once; bounds the memory of a merge.
const MAX_MERGED_PARTS: usize = 16;

/// A merge must make this many times its largest input. It bounds, with `levels` = 1 + logarithm
/// to this base of all data over the smallest checkpoint:
/// - how often a point is written, checkpoint included: `levels` times;
/// - how many parts there are: 2 `levels`, and 3 for each [`MAX_PART_SIZE`] bytes of data.
///
/// The test `parts_and_rewrites_stay_few` holds it to that.
pub const GROWTH: u64 = 3;

/// Parts do not grow beyond this by merging, so that retention can drop them one by one.
pub const MAX_PART_SIZE: u64 = 1 << 30;

/// How often the retention is looked at.
const TICK: Duration = Duration::from_secs(60);

/// How often a long merge tells how far it is.
const PROGRESS: Duration = Duration::from_secs(5);

/// Merges and drops until the store is closed.
pub fn run(state: &State) {
    let mut memory = state.memory();
    // Parts that could not be merged, until when they are left alone: others still are.
    let mut resting: Vec<(Arc<Part>, Instant)> = Vec::new();
    while !memory.phase.is_ending() {
        let parts = Arc::clone(&memory.parts);
        drop(memory);
        let cutoff = state.config.cutoff();
        resting.retain(|(_, until)| *until > Instant::now());
        let rests = |part: &Arc<Part>| resting.iter().any(|(other, _)| Arc::ptr_eq(part, other));
        let chosen = neighbours(&parts, rests).into_iter().find_map(|range| {
            let parts = &parts[range.clone()];
            let expired: Vec<_> = parts.iter().map(|part| expired(part, cutoff)).collect();
            let sizes: Vec<_> = parts.iter().map(|part| part.size()).collect();
            let chosen = choose(&sizes, &expired)?;
            Some(range.start + chosen.start..range.start + chosen.end)
        });
        let pause = match chosen {
            None if resting.is_empty() => TICK,
            None => state.config.retry,
            Some(range) => match merge(state, &parts[range.clone()], cutoff) {
                Ok(()) => Duration::ZERO,
                Err(PartError::NotMade(error)) => {
                    warn!(%error, "can't merge parts; they stay as they are");
                    let until = Instant::now() + state.config.retry.saturating_mul(10);
                    resting.extend(parts[range].iter().map(|part| (Arc::clone(part), until)));
                    Duration::ZERO
                }
                Err(error @ PartError::NotDurable(_)) => {
                    // Both the merged part and the parts in it are there: a merge of others of
                    // them would contradict the first one.
                    error!("no more parts are merged until the server is started again: {error}");
                    return;
                }
            },
        };
        memory = state.memory();
        let end = Instant::now() + pause;
        while !memory.phase.is_ending() && Instant::now() < end {
            if pause == TICK && !Arc::ptr_eq(&parts, &memory.parts) {
                break;
            }
            memory = state.wait(memory, end.saturating_duration_since(Instant::now()));
        }
    }
}

/// Runs of parts that may be merged with each other: none that rests, and nothing missing between
/// them, because what is missing may be found again.
fn neighbours(parts: &[Arc<Part>], rests: impl Fn(&Arc<Part>) -> bool) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        if rests(part) {
            continue;
        }
        match runs.last_mut() {
            Some(run)
                if run.end == at
                    && parts[at - 1].segments().end().checked_add(1)
                        == Some(*part.segments().start()) =>
            {
                run.end = at + 1;
            }
            _ => runs.push(at..at + 1),
        }
    }
    runs
}

/// The share of a part that is older than the retention, in whole chunks.
pub fn expired(part: &Part, cutoff: i64) -> f64 {
    let (mut old, mut all) = (0_u32, 0_u32);
    for entry in part.entries() {
        all += 1;
        old += u32::from(entry.last < cutoff);
    }
    if all == 0 { 0.0 } else { f64::from(old) / f64::from(all) }
}

/// Which neighbours to merge next; a single one is rewritten.
pub fn choose(sizes: &[u64], expired: &[f64]) -> Option<Range<usize>> {
    if let Some(at) = expired.iter().position(|&share| share >= 0.5) {
        return Some(at..at + 1);
    }
    let mut best: Option<(Range<usize>, f64)> = None;
    for start in 0..sizes.len() {
        let (mut total, mut largest) = (0, 0);
        for end in start + 1..=sizes.len().min(start + MAX_MERGED_PARTS) {
            total += sizes[end - 1];
            largest = largest.max(sizes[end - 1]);
            if total > MAX_PART_SIZE {
                break;
            }
            #[expect(clippy::cast_precision_loss, reason = "only compared")]
            let growth = total as f64 / largest as f64;
            if total >= largest * GROWTH && best.as_ref().is_none_or(|(_, most)| growth > *most) {
                best = Some((start..end, growth));
            }
        }
    }
    best.map(|(range, _)| range)
}

pub fn merge(state: &State, inputs: &[Arc<Part>], cutoff: i64) -> Result<(), PartError> {
    let (Some(first), Some(last)) = (inputs.first(), inputs.last()) else { return Ok(()) };
    let segments = *first.segments().start()..=*last.segments().end();
    let start = Instant::now();
    let points: u64 = inputs.iter().map(|part| part.points()).sum();
    info!(parts = inputs.len(), points, "merging");
    let mut writer = PartWriter::create(&*state.disk, segments.clone(), Effort::Thorough)?;
    match fill(state, inputs, cutoff, points, &mut writer) {
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
    // A part that is rewritten keeps its name, so a damaged one would vanish.
    if let [only] = inputs
        && only.is_damaged()
        && let Err(error) = only.copy_to(&*state.disk, &format!("{DAMAGED}{only}"))
    {
        writer.abandon();
        return Err(error.into());
    }
    let output = Arc::new(writer.finish()?);
    let what = match output.points() {
        0 if points > 0 => "; all of it is older than the retention",
        _ => "",
    };
    info!(
        points = output.points(),
        bytes = output.size(),
        seconds = format_args!("{:.3}", start.elapsed().as_secs_f64()),
        "merged {} parts into {output}{what}",
        inputs.len()
    );
    publish(state, inputs, &output);
    for part in inputs {
        if *part.segments() != segments {
            state.remove_or_quarantine(&FileName::Part(part.segments().clone()), part.is_damaged());
        }
    }
    Ok(())
}

fn publish(state: &State, inputs: &[Arc<Part>], output: &Arc<Part>) {
    let mut memory = state.memory();
    let mut output = Some(output);
    let mut parts = Vec::with_capacity(memory.parts.len());
    for part in memory.parts.iter() {
        if inputs.iter().any(|input| Arc::ptr_eq(input, part)) {
            parts.extend(output.take().cloned());
        } else {
            parts.push(Arc::clone(part));
        }
    }
    memory.parts = Arc::new(parts);
    drop(memory);
    state.notify();
}

/// Writes all points of the inputs; `false` when the store is closed meanwhile.
fn fill(
    state: &State,
    inputs: &[Arc<Part>],
    cutoff: i64,
    total: u64,
    writer: &mut PartWriter<'_>,
) -> io::Result<bool> {
    let mut told = Instant::now();
    let mut from = 0;
    while let Some(series) = next_series(inputs, from) {
        if state.memory().phase.is_ending() {
            return Ok(false);
        }
        let Some(key) = state.index().key(series).cloned() else {
            return Err(io::Error::other(format!("series {series} has no name")));
        };
        let sources = inputs.iter().flat_map(|part| ChunkSource::of(part, series));
        let mut merge = Merge::since(cutoff, sources);
        while let Some(points) = merge.next_block().map_err(io::Error::other)? {
            writer.add(series, &key, &points)?;
        }
        if told.elapsed() >= PROGRESS {
            told = Instant::now();
            info!("merging: {} of {total} points", writer.points());
        }
        let Some(next) = series.checked_add(1) else { break };
        from = next;
    }
    Ok(true)
}

/// The smallest series of any input, from `from` on.
fn next_series(inputs: &[Arc<Part>], from: SeriesId) -> Option<SeriesId> {
    inputs.iter().filter_map(|part| part.first_series(from)).min()
}
