//! Replaying the log into the heads.
//!
//! A replay is idempotent. Damage is stepped over and named, never skipped in silence.

use std::io;
use std::thread::ScopedJoinHandle;

use tracing::{error, info, warn};

use super::inventory::report_missing;
use super::open_error::{OpenError, io};
use crate::store::local::background::checkpoint::{DamagedSegments, checkpoint};
use crate::store::local::file_name::{FileName, SegmentId};
use crate::store::local::state::StoreState;
use crate::store::local::wal::group_commit::Resume;
use crate::store::local::wal::header::RecordKind;
use crate::store::local::wal::record::{self, SegmentEntry};
use crate::store::local::wal::segment;

/// Replays segments into the heads; `checkpointed` is the newest one before them. Answers where the
/// log goes on, which segments are damaged, and how many points were replayed.
///
/// # Errors
/// [`OpenError`] when a segment can't be read or a checkpoint can't be written.
pub fn replay_all(
    state: &StoreState,
    segments: &[SegmentId],
    checkpointed: SegmentId,
) -> Result<(Resume, DamagedSegments, u64), OpenError> {
    let mut resume = Resume {
        first_segment: checkpointed + 1,
        segment: segments.last().map_or(checkpointed, |last| *last) + 1,
        next_sequence: 0,
    };
    let mut damaged_segments = DamagedSegments::new();
    let mut replay = Replay::default();
    std::thread::scope(|scope| {
        let mut writing: Option<Checkpoint<'_>> = None;
        let mut before = checkpointed;
        // The last file with a record, and those since.
        let mut suspects: Vec<SegmentId> = Vec::new();
        for (at, &id) in segments.iter().enumerate() {
            report_missing(before, id);
            let name = FileName::Segment(id);
            let (bytes, file) =
                segment::read(state.disk(), id).map_err(io("its log can't be read"))?;
            // A process that was killed may have left bytes that are not durable yet. Readers see
            // them from now on.
            file.sync().map_err(io("its log can't be synced"))?;
            let entries: Vec<_> = record::entries(&bytes, id).collect();
            if at > 0 && before + 1 == id && replay.misses_before(&entries) {
                for &suspect in &suspects {
                    error!("{}: records at its end are missing", FileName::Segment(suspect));
                    damaged_segments.push(suspect);
                }
            }
            // The points of a long log do not all have to fit into memory.
            if state.memory().log_bytes >= state.config().log_limit {
                let frozen = state.memory().take_heads(resume.first_segment..=before);
                // One at a time, while the next file is replayed.
                finish(writing.take())?;
                let damaged_segments = damaged_segments.clone();
                let write = move || checkpoint(state, &frozen, &damaged_segments);
                writing = Some(scope.spawn(write));
                resume.first_segment = id;
            }
            if entries.iter().any(|entry| matches!(entry, SegmentEntry::Record { .. })) {
                suspects.clear();
            }
            suspects.push(id);
            let points = replay.points;
            if replay.file(state, &entries, &name) {
                damaged_segments.push(id);
            }
            state.memory().log_bytes += bytes.len() as u64;
            let points = replay.points - points;
            info!("replayed {name}, {} of {}: {points} points", at + 1, segments.len());
            before = id;
        }
        finish(writing)
    })?;
    resume.next_sequence = replay.expected.unwrap_or(0);
    Ok((resume, damaged_segments, replay.points))
}

/// A checkpoint that is written while the replay goes on.
type Checkpoint<'s> = ScopedJoinHandle<'s, io::Result<()>>;

fn finish(checkpoint: Option<Checkpoint<'_>>) -> Result<(), OpenError> {
    let outcome = checkpoint.map_or(Ok(Ok(())), ScopedJoinHandle::join);
    outcome
        .unwrap_or_else(|_| Err(io::Error::other("the checkpoint panicked")))
        .map_err(io("a checkpoint can't be written"))
}

/// How far a replay has come.
#[derive(Debug, Default)]
struct Replay {
    points: u64,
    /// The number of the next record.
    expected: Option<u64>,
}

impl Replay {
    /// Whether records are missing between what was replayed and a file that begins with these.
    fn misses_before(&self, entries: &[SegmentEntry<'_>]) -> bool {
        match (self.expected, entries.first()) {
            (Some(expected), Some(SegmentEntry::Record { sequence, .. })) => *sequence > expected,
            _ => false,
        }
    }

    /// Replays one file; answers whether it is damaged.
    fn file(&mut self, state: &StoreState, entries: &[SegmentEntry<'_>], name: &FileName) -> bool {
        let mut damaged = false;
        // Series first: when their first record is damaged, the second one stands behind the points
        // that need it.
        for entry in entries {
            if let SegmentEntry::Record { kind: RecordKind::Series, sequence, payload } = entry {
                let mut index = state.index_mut();
                let sound = record::decode_series(payload)
                    .all(|definition| definition.is_some_and(|(id, key)| index.define(id, key)));
                if !sound {
                    damaged = true;
                    error!("{name}: record {sequence} holds invalid series");
                }
            }
        }
        for (at, entry) in entries.iter().enumerate() {
            match entry {
                SegmentEntry::Bad { offset, length } if at + 1 == entries.len() => {
                    // Nothing follows, so it was never acknowledged.
                    warn!("{name} ends in {length} bytes at {offset} of a write that was cut off");
                }
                SegmentEntry::Bad { offset, length } => {
                    damaged = true;
                    error!("{name} is damaged: {length} bytes at {offset} are not a record");
                }
                SegmentEntry::Record { kind, sequence, payload } => {
                    let expected = self.expected.unwrap_or(*sequence);
                    if *sequence < expected {
                        damaged = true;
                        error!("{name}: record {sequence} is out of order and is skipped");
                        continue;
                    }
                    if *sequence > expected {
                        damaged |= at > 0;
                        error!("{name}: records {expected} to {} are missing", sequence - 1);
                    }
                    self.expected = Some(sequence + 1);
                    if *kind == RecordKind::Points && !self.points(state, payload) {
                        damaged = true;
                        error!("{name}: record {sequence} holds invalid points");
                    }
                }
            }
        }
        damaged
    }

    fn points(&mut self, state: &StoreState, payload: &[u8]) -> bool {
        let mut sound = true;
        let index = state.index();
        let mut memory = state.memory();
        let points = record::decode_points(payload).filter_map(|point| {
            let point = point.filter(|point| index.key(point.series).is_some());
            sound &= point.is_some();
            self.points += u64::from(point.is_some());
            point
        });
        memory.heads.append(points);
        sound
    }
}
