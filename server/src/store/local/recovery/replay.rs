//! Replaying the log into the heads.
//!
//! A replay is idempotent. Damage is stepped over and named, never skipped in silence.

mod lost;
mod survey;

use std::collections::BTreeMap;
use std::io;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::thread::ScopedJoinHandle;

use tracing::{error, info, warn};

use super::inventory::report_missing;
use super::open_error::{OpenError, io};
use super::progress::Progress;
use crate::store::local::background::checkpoint::{DamagedSegments, checkpoint_at_any_cost};
use crate::store::local::disk;
use crate::store::local::disk::window::Unreadable;
use crate::store::local::file_list::FileList;
use crate::store::local::file_name::{FileName, SegmentId};
use crate::store::local::recovery::disputed::{Disputed, LostKeys};
use crate::store::local::salt::Salt;
use crate::store::local::series::loss::{Extent, Loss};
use crate::store::local::series::series_index::{EVERY_SERIES, SeriesId};
use crate::store::local::series::series_point::SeriesPoint;
use crate::store::local::state::StoreState;
use crate::store::local::state::memory::Frozen;
use crate::store::local::wal::entries::SegmentEntry;
use crate::store::local::wal::group_commit::Resume;
use crate::store::local::wal::header::{PreviousSegment, RecordKind};
use crate::store::local::wal::record;
use crate::store::local::wal::segment::SegmentFile;
use lost::{FileLosses, lose, lose_between, lose_ends};
use survey::{Survey, survey};

/// Files of the log from which on a start writes a checkpoint: each start begins a file, also one that
/// is killed soon.
const MAX_SEGMENTS: usize = 32;

/// What a replay has found.
#[derive(Debug)]
pub struct Replayed {
    /// Where the log goes on.
    pub resume: Resume,
    /// The segments that are damaged.
    pub damaged_segments: DamagedSegments,
    /// Number of points.
    pub points: u64,
    /// Number of points in the heads that are older than the retention.
    pub hidden_points: u64,
}

/// The log that is to be replayed.
#[derive(Debug, Clone, Copy)]
pub struct ReplayedLog<'l> {
    /// The segments, oldest first.
    pub segments: &'l [SegmentId],
    /// The newest segment that is in a part.
    pub checkpointed: SegmentId,
    /// All files are of formats 1 and 2.
    pub are_unsalted: bool,
    /// Which files there are to be.
    pub list: Option<&'l FileList>,
}

/// Replays a log into the heads. `lost_keys` are those whose ids in parts are those of others.
///
/// # Errors
/// [`OpenError`] when a segment can't be synced or a checkpoint can't be written.
pub fn replay_all(
    state: &StoreState,
    log: &ReplayedLog<'_>,
    lost_keys: LostKeys,
) -> Result<Replayed, OpenError> {
    let ReplayedLog { segments, checkpointed, are_unsalted, list } = *log;
    let listed = list.map_or(0, |list| list.newest_segment);
    let mut resume = Resume {
        first_segment: checkpointed + 1,
        segment: segments.last().map_or(checkpointed, |last| *last).max(listed) + 1,
        next_sequence: 0,
        previous: PreviousSegment::NONE,
    };
    let mut damaged_segments = DamagedSegments::new();
    let mut replay = Replay { cutoff: state.config().cutoff(), lost_keys, ..Replay::default() };
    std::thread::scope(|scope| {
        let mut writing: Option<Checkpoint<'_>> = None;
        let mut progress = Progress::new(segments.len());
        let mut before = checkpointed;
        // The last file with a record, and those since.
        let mut suspects: Vec<SegmentId> = Vec::new();
        for (at, &id) in segments.iter().enumerate() {
            let is_missing = report_missing(before, id);
            let name = FileName::Segment(id);
            let named = segments.get(at + 1).and_then(|&next| said_before(state, id, next));
            let Some(mut segment) = open_segment(state, id, named)? else {
                if is_missing {
                    lose(state, Loss::with_names(Extent::ALL));
                }
                damaged_segments.push(id);
                (before, resume.previous) = (id, PreviousSegment::NONE);
                continue;
            };
            // A process that was killed may have left bytes that are not durable yet. Readers see
            // them from now on.
            segment.sync().map_err(io("its log can't be synced"))?;
            if let Some(salt) =
                named.map(|named| named.salt()).or(are_unsalted.then_some(Salt::NONE))
            {
                segment.assume_salt(salt);
            }
            let mut survey = survey(&segment, state, &name)?;
            survey.compare(&segment, &name, named, id == listed);
            if is_missing {
                lose_between(state, list, before, &segment, id);
            }
            if at > 0 && before + 1 == id && replay.misses_before(&survey) {
                lose_ends(state, &segment, &suspects, &mut damaged_segments);
            }
            // The points of a long log do not all have to fit into memory.
            let half = state.config().max_replayed_points / 2;
            let is_long = state.memory().log_bytes >= state.config().log_limit;
            let is_due = is_long || replay.in_heads > half;
            if is_due {
                // One at a time, while the next file is replayed.
                finish(writing.take())?;
            }
            // One for which there was no room is still there.
            if is_due && state.memory().frozen.is_none() {
                let frozen = freeze(state, resume.first_segment..=before);
                let damaged_segments = damaged_segments.clone();
                let write = move || checkpoint_at_any_cost(state, &frozen, &damaged_segments);
                writing = Some(scope.spawn(write));
                resume.first_segment = id;
                replay.in_checkpoint = std::mem::take(&mut replay.in_heads);
                replay.hidden_in_heads = 0;
            }
            // Those of a checkpoint are in memory until it is written.
            if replay.in_heads + replay.in_checkpoint > half {
                finish(writing.take())?;
                if state.memory().frozen.is_none() {
                    replay.in_checkpoint = 0;
                }
            }
            if survey.has_records {
                suspects.clear();
            }
            suspects.push(id);
            let points = replay.points;
            let (is_damaged, extent) = replay.file(state, &segment, &name, &survey)?;
            if is_damaged || survey.is_damaged {
                damaged_segments.push(id);
            }
            state.memory().log_bytes += segment.length();
            let points = replay.points - points;
            if progress.is_due(at + 1) {
                info!("replayed {name}, {} of {}: {points} points", at + 1, segments.len());
            }
            before = id;
            resume.previous = segment.as_previous(survey.durable, survey.end, &extent);
        }
        if report_missing(before, resume.segment) {
            let extent = list.and_then(|list| list.extent(&(before + 1..=resume.segment - 1)));
            lose(state, Loss::with_names(extent.unwrap_or(Extent::ALL)));
            resume.previous = PreviousSegment::NONE;
        }
        finish(writing)
    })?;
    std::mem::take(&mut replay.lost_keys).lose(state);
    let in_heads = segments.iter().filter(|&&id| id >= resume.first_segment).count();
    let has_frozen = state.memory().frozen.is_some();
    if in_heads >= MAX_SEGMENTS && !has_frozen {
        let frozen = freeze(state, resume.first_segment..=resume.segment - 1);
        resume.first_segment = resume.segment;
        match checkpoint_at_any_cost(state, &frozen, &damaged_segments) {
            Ok(()) => replay.hidden_in_heads = 0,
            // It is tried again by the thread for it.
            Err(error) => warn!("can't write a checkpoint; its points stay in the log: {error}"),
        }
    }
    resume.next_sequence = replay.expected.unwrap_or(0);
    let Replay { points, hidden_in_heads: hidden_points, .. } = replay;
    Ok(Replayed { resume, damaged_segments, points, hidden_points })
}

/// A checkpoint that is written while the replay goes on.
type Checkpoint<'s> = ScopedJoinHandle<'s, io::Result<()>>;

/// Waits for a checkpoint. Without room for it its heads stay frozen, so that the start needs no more
/// memory than the run before it, and no room.
fn finish(checkpoint: Option<Checkpoint<'_>>) -> Result<(), OpenError> {
    let outcome = checkpoint.map_or(Ok(Ok(())), ScopedJoinHandle::join);
    match outcome.unwrap_or_else(|_| Err(io::Error::other("the checkpoint panicked"))) {
        Err(error) if disk::is_full(&error) => {
            warn!("no room for a checkpoint; its points stay in the log: {error}");
            Ok(())
        }
        outcome => outcome.map_err(io("a checkpoint can't be written")),
    }
}

/// Freezes the heads, whose points are in `segments`.
fn freeze(state: &StoreState, segments: RangeInclusive<SegmentId>) -> Arc<Frozen> {
    let mut memory = state.memory();
    let frozen = Arc::new(memory.take_heads(segments));
    // What is taken back from here on may be in it.
    memory.frozen = Some(Arc::clone(&frozen));
    frozen
}

/// What the segment `next` says of `id`, if that is the one before it.
fn said_before(state: &StoreState, id: SegmentId, next: SegmentId) -> Option<PreviousSegment> {
    // One that can't be read is met when it is its turn.
    let next = (next == id + 1).then(|| SegmentFile::open(state.disk(), next).ok()).flatten();
    next?.previous()
}

/// Opens a segment of which the next one says what is `named`; `None` when it can't be opened, and its
/// points are gone.
fn open_segment(
    state: &StoreState,
    id: SegmentId,
    named: Option<PreviousSegment>,
) -> Result<Option<SegmentFile>, OpenError> {
    match SegmentFile::open(state.disk(), id) {
        Ok(segment) => Ok(Some(segment)),
        Err(error) if disk::is_of_one_file(&error) => {
            let name = FileName::Segment(id).to_string();
            error!("{} can't be opened: {error}", state.disk().whereabouts(&name));
            let told = named.and_then(|named| named.extent());
            lose(state, Loss::with_names(told.unwrap_or(Extent::ALL)));
            Ok(None)
        }
        Err(error) => Err(io("its log can't be opened")(error)),
    }
}

/// How far a replay has come.
#[derive(Debug, Default)]
struct Replay {
    points: u64,
    /// Points in the heads that take more.
    in_heads: u64,
    /// Points of the checkpoint that is written meanwhile.
    in_checkpoint: u64,
    /// Of the points in the heads, those before `cutoff`.
    hidden_in_heads: u64,
    /// The oldest timestamp that is not hidden.
    cutoff: i64,
    /// The number of the next record.
    expected: Option<u64>,
    /// Keys whose ids are those of others.
    lost_keys: LostKeys,
}

impl Replay {
    /// Whether records are missing between what was replayed and a file.
    fn misses_before(&self, survey: &Survey) -> bool {
        self.expected.zip(survey.first).is_some_and(|(expected, first)| first > expected)
    }

    /// Replays the points of a file. Answers whether it is damaged, and what it was about.
    fn file(
        &mut self,
        state: &StoreState,
        segment: &SegmentFile,
        name: &FileName,
        survey: &Survey,
    ) -> Result<(bool, Extent), OpenError> {
        let mut damaged = false;
        let mut losses = FileLosses::new(state, survey);
        if let Some(first) = segment.first_sequence() {
            self.begin(name, first);
        }
        let mut entries = segment.entries();
        // The last bytes that are no record are damage.
        let mut is_damage = true;
        let mut is_first = true;
        while let Some(entry) = entries.next_entry().map_err(io("its log can't be read"))? {
            let is_first = std::mem::take(&mut is_first);
            match entry {
                SegmentEntry::Bad { offset, length, start } => {
                    is_damage = offset < survey.durable;
                    damaged |= is_damage;
                    report_bad(segment, name, (offset, length), is_damage);
                    if is_damage && offset + length > segment.begin() {
                        losses.add_bad(start);
                    }
                }
                SegmentEntry::Record { offset, kind, sequence, payload, follows, group } => {
                    let expected = self.expected.unwrap_or(sequence);
                    losses.reach(group, follows);
                    if sequence < expected {
                        damaged = true;
                        error!("{name}: record {sequence} is out of order and is skipped");
                        losses.add_record(kind, group);
                        continue;
                    }
                    if sequence > expected && is_damage {
                        damaged |= !is_first;
                        error!("{name}: records {expected} to {} are missing", sequence - 1);
                    }
                    if !follows {
                        damaged = true;
                        error!("{name}: record {sequence} was written behind another one");
                    }
                    self.expected = Some(sequence + 1);
                    let sound = match kind {
                        RecordKind::Points => self.points(state, payload, &survey.disputed),
                        RecordKind::Deletes => self.take_back(state, payload, &survey.disputed),
                        RecordKind::Series => true,
                    };
                    if !sound && report_invalid(name, kind, sequence, offset < survey.durable) {
                        damaged = true;
                        losses.add_record(kind, group);
                    }
                    let in_memory = self.in_heads + self.in_checkpoint;
                    if in_memory > state.config().max_replayed_points {
                        return Err(OpenError::LogTooLarge(name.to_string()));
                    }
                }
            }
        }
        if let Some(Unreadable { bytes, first, error, .. }) = entries.unreadable() {
            error!("{name}: {bytes} bytes from {first} on can't be read: {error}");
        }
        Ok((damaged, losses.finish()))
    }

    /// Begins a file whose first record has the number `first`.
    fn begin(&mut self, name: &FileName, first: u64) {
        match self.expected.replace(first) {
            Some(expected) if expected < first => {
                error!("{name}: records {expected} to {} are missing", first - 1);
            }
            Some(expected) if expected > first => {
                error!("{name}: records {first} to {} were there before", expected - 1);
            }
            _ => {}
        }
    }

    fn points(&mut self, state: &StoreState, payload: &[u8], disputed: &Disputed) -> bool {
        let mut sound = true;
        let (mut count, mut hidden) = (0, 0);
        let mut lost: BTreeMap<SeriesId, (i64, i64)> = BTreeMap::new();
        let cutoff = self.cutoff;
        let index = state.index();
        let mut memory = state.memory();
        let points = record::decode_points(payload).filter_map(|point| {
            let point = point.filter(|point| index.key(point.series).is_some());
            sound &= point.is_some();
            if let Some(SeriesPoint { series, point }) = point
                && disputed.has(series)
            {
                let at = point.timestamp;
                let times = lost.entry(series).or_insert((at, at));
                *times = (times.0.min(at), times.1.max(at));
                return None;
            }
            count += u64::from(point.is_some());
            hidden += u64::from(point.is_some_and(|put| put.point.timestamp < cutoff));
            point
        });
        memory.heads.append(points);
        drop(memory);
        drop(index);
        for (series, times) in lost {
            self.lose_disputed(state, series, times, disputed);
        }
        self.points += count;
        self.in_heads += count;
        self.hidden_in_heads += hidden;
        sound
    }

    /// Takes points back as a record says; answers whether it is valid.
    fn take_back(&mut self, state: &StoreState, payload: &[u8], disputed: &Disputed) -> bool {
        for delete in record::decode_deletes(payload) {
            let Some(delete) = delete else { return false };
            if disputed.has(delete.series) {
                // Of which key is not known: the points may be there or not.
                let times = (delete.window.from, delete.window.to);
                self.lose_disputed(state, delete.series, times, disputed);
                continue;
            }
            if delete.series != EVERY_SERIES {
                state.index_mut().reserve(delete.series.saturating_add(1));
            }
            state.memory().delete(delete);
        }
        true
    }

    /// Notes that times of a disputed series are gone of all keys that it may be.
    fn lose_disputed(
        &mut self,
        state: &StoreState,
        series: SeriesId,
        times: (i64, i64),
        disputed: &Disputed,
    ) {
        lose(state, Loss { extent: Extent::of(series, times), unnamed: None });
        self.lost_keys.add(disputed.keys(series), times);
    }
}

/// Logs bytes of a segment, their place and number, that are no record.
fn report_bad(
    segment: &SegmentFile,
    name: &FileName,
    (offset, length): (u64, u64),
    is_damage: bool,
) {
    if is_damage && segment.is_unknown() {
        error!(
            "{name} is damaged: its headers are, and nothing of it can be read without its salt"
        );
    } else if is_damage {
        error!("{name} is damaged: {length} bytes at {offset} are not a record");
    } else if offset + length < segment.length() {
        warn!("{name} has {length} bytes at {offset} of a write that was cut off");
    } else {
        warn!("{name} ends in {length} bytes at {offset} of a write that was cut off");
    }
}

/// Logs that the content of a record is not valid; answers whether that is damage. In a write that was
/// cut off the keys of points may be missing.
fn report_invalid(name: &FileName, kind: RecordKind, sequence: u64, is_damage: bool) -> bool {
    let what = match kind {
        RecordKind::Points => "points",
        RecordKind::Series => "series",
        RecordKind::Deletes => "deletions",
    };
    if is_damage {
        error!("{name}: record {sequence} holds invalid {what}");
    } else {
        warn!("{name}: record {sequence} of a write that was cut off holds invalid {what}");
    }
    is_damage
}
