//! The committer: one thread that takes all batches that wait, writes them to the log, syncs
//! once, puts them into the heads and answers all. A point is visible only when it is durable.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, RwLockWriteGuard};
use std::time::{Duration, Instant};

use shared::KeyBuf;
use tracing::{info, warn};

use super::header::PreviousSegment;
use super::queue::{Queue, Submission, Work};
use super::record;
use super::rotation::{self, Attempt, Decision, Facts};
use super::segment::{NextSegment, Segment, SegmentError};
use crate::store::local::config::{Durability, SYNC_INTERVAL};
use crate::store::local::disk;
use crate::store::local::file_name::SegmentId;
use crate::store::local::follow::commit::{CommitId, Op};
use crate::store::local::follower::deletions::deleted_points;
use crate::store::local::series::paged::Paged;
use crate::store::local::series::series_index::{SeriesId, SeriesIndex, SeriesLimits};
use crate::store::local::series::series_point::SeriesWindow;
use crate::store::local::state::StoreState;
use crate::store::local::state::memory::{Memory, Phase};
use crate::store::{PutError, Unavailable};

const CHECKPOINT_NEEDS_ROOM: &str =
    "the log is as long as it may get, and there is no room for a checkpoint";

const RESERVE_IN_USE: &str = "what is kept in reserve is used to make room";

/// How long a deletion waits for what else makes room on a full disk.
const RESERVE_PATIENCE: Duration = Duration::from_secs(10);
const RESERVE_POLL: Duration = Duration::from_millis(20);

/// Segments in the log from which on a backup has the heads frozen: each begins one, whatever was put since.
const MAX_CLOSED: SegmentId = 32;

/// Series that are taken back or retired before others get the locks.
const MAX_AT_ONCE: usize = 4096;

/// The state of the committing thread.
#[derive(Debug)]
pub struct Committer {
    state: Arc<StoreState>,
    queue: Arc<Queue>,
    segment: Segment,
    /// The oldest segment whose points are in the heads.
    first_segment: SegmentId,
    next_commit: CommitId,
    /// The newest segment that defines each series.
    defined: Paged<SegmentId>,
    /// The records of a group.
    buffer: Vec<u8>,
    /// Bytes of these that define series.
    defining: u64,
    /// Bytes of the present segment that do.
    defining_in_segment: u64,
    /// When a new segment could not be made; `None` since there was one.
    rotation_failed: Option<Instant>,
    /// The present segment may not grow any more.
    is_too_long: bool,
    /// The log of the server says that there is no room.
    disk_full_logged: bool,
    /// When the oldest write that is not synced was made.
    unsynced_since: Option<Instant>,
}

/// Where the log goes on after recovery.
#[derive(Debug, Clone, Copy)]
pub struct Resume {
    /// The oldest segment whose points are in the heads.
    pub first_segment: SegmentId,
    /// The segment to begin.
    pub segment: SegmentId,
    /// The number of the next record.
    pub next_sequence: u64,
    /// The segment before the one to begin.
    pub previous: PreviousSegment,
}

impl Committer {
    /// Begins a new segment.
    ///
    /// # Errors
    /// When that fails.
    pub fn start(state: Arc<StoreState>, queue: Arc<Queue>, resume: Resume) -> io::Result<Self> {
        let Resume { first_segment, segment: id, next_sequence, previous } = resume;
        let next = NextSegment { id, first_sequence: next_sequence, previous };
        let segment = Self::first_segment(&state, next)?;
        if !segment.is_missing() {
            state.begin_segment(id);
        }
        Ok(Self {
            state,
            queue,
            segment,
            first_segment,
            next_commit: 1,
            defined: Paged::default(),
            buffer: Vec::new(),
            defining: 0,
            defining_in_segment: 0,
            rotation_failed: None,
            is_too_long: false,
            disk_full_logged: false,
            unsynced_since: None,
        })
    }

    /// The segment that a start begins. Without room for it there is none: puts are refused until there
    /// is, and reads go on.
    fn first_segment(state: &StoreState, next: NextSegment) -> io::Result<Segment> {
        let durability = state.config().durability;
        let create = || match Segment::create(state.disk(), next, durability) {
            Err(SegmentError::NotMade(error)) if disk::is_full(&error) => Ok(Err(error)),
            made => made.map(Ok),
        };
        let mut made = create()?;
        if made.is_err()
            && let Some(_in_use) = state.release_reserve()
        {
            made = create()?;
        }
        Ok(made.unwrap_or_else(|error| {
            warn!("no room on the disk for a log: puts are refused until there is ({error})");
            Segment::missing(next, durability)
        }))
    }

    /// Commits until the queue is closed and empty, then freezes the heads.
    pub fn run(mut self) {
        // Batches that wait when this thread ends, even by a panic, must not wait for ever.
        let queue = Arc::clone(&self.queue);
        let state = Arc::clone(&self.state);
        let _closing = CloseOnDrop { queue: &queue, state: &state };
        // After how long followers have to be woken that were not woken at once.
        let mut wake_due = None;
        loop {
            let sync_due =
                self.unsynced_since.map(|since| SYNC_INTERVAL.saturating_sub(since.elapsed()));
            let due = sync_due.into_iter().chain(wake_due).min();
            let Some(mut group) = queue.take(due) else { break };
            let mut points = 0;
            if !group.is_empty() {
                points = group.iter().map(|submission| submission.work.points().len() as u64).sum();
                let mut outcome = self.commit(&mut group);
                if outcome == Err(Unavailable::DiskFull.into()) && gives_room_back(&group) {
                    outcome = self.commit_with_reserve(&mut group);
                }
                if outcome == Err(Unavailable::DiskFull.into()) {
                    // What is kept for a backup has room for the next ones.
                    self.state.end_hold();
                }
                let is_batch = !matches!(&*group, [Submission { work: Work::CloseSegment, .. }]);
                if let Err(PutError::Unavailable(why)) = outcome
                    && is_batch
                {
                    self.state.memory().unavailable = Some(why);
                    self.forget_new_series(&group);
                }
                for submission in group {
                    // The receiver is gone when its connection is.
                    let _ = submission.done.send(outcome);
                }
            }
            wake_due = self.state.followers().wake(points, Instant::now());
            if self.unsynced_since.is_some_and(|since| since.elapsed() >= SYNC_INTERVAL) {
                let _ = self.sync();
            }
        }
        if self.unsynced_since.is_some() {
            let _ = self.sync();
        }
        let mut memory = self.state.memory();
        let sound = memory.phase == Phase::Open;
        memory.phase = Phase::Closing;
        self.state.notify();
        while sound && memory.frozen.is_some() && memory.checkpoint_failure.is_none() {
            memory = self.state.wait(memory, Duration::from_secs(1));
        }
        // A clean end leaves no log to replay.
        let has_log = self.first_segment <= self.segment.id();
        if sound && memory.frozen.is_none() && has_log {
            self.freeze(&mut memory, self.segment.id());
        }
        memory.phase = Phase::Closed;
        drop(memory);
        self.state.notify();
    }

    /// Commits a group that gives room back with what is kept in reserve, when nothing else uses that any
    /// more.
    fn commit_with_reserve(&mut self, group: &mut [Submission]) -> Result<(), PutError> {
        let state = Arc::clone(&self.state);
        let end = Instant::now() + RESERVE_PATIENCE;
        loop {
            let _in_use = match state.release_reserve() {
                None if state.is_reserve_in_use() && Instant::now() < end => {
                    drop(state.wait(state.memory(), RESERVE_POLL));
                    continue;
                }
                released => released,
            };
            return self.commit(group);
        }
    }

    fn commit(&mut self, group: &mut [Submission]) -> Result<(), PutError> {
        if let [Submission { work: Work::Retire(series), .. }] = group {
            self.retire(series);
            return Ok(());
        }
        if let [Submission { work: Work::CloseSegment, .. }] = group {
            return Ok(self.close_segment()?);
        }
        let gives_room_back = gives_room_back(group);
        if !gives_room_back && !self.state.restore_reserve() {
            self.log_disk_full(RESERVE_IN_USE);
            return Err(Unavailable::DiskFull.into());
        }
        // Nothing of the group is written before there is room.
        match self.make_room() {
            // It adds nothing to the heads.
            Err(Unavailable::DiskFull | Unavailable::Stalled) if gives_room_back => {}
            made => made?,
        }
        let new = self.gather(group);
        match self.segment.write(&mut self.buffer) {
            Ok(()) => {}
            Err(error) if disk::is_full(&error) => {
                self.roll_back(&error).map_err(|_| PutError::UnknownOutcome)?;
                // The next file may take what this one may not.
                self.is_too_long |= error.kind() == io::ErrorKind::FileTooLarge;
                return Err(Unavailable::DiskFull.into());
            }
            Err(error) => {
                self.fail("can't write to the log", &error);
                return Err(PutError::UnknownOutcome);
            }
        }
        if std::mem::take(&mut self.disk_full_logged) {
            info!("there is room on the disk again; puts are stored");
        }
        match self.state.config().durability {
            Durability::Sync => self.sync().map_err(|_| PutError::UnknownOutcome)?,
            Durability::Interval => {
                self.unsynced_since.get_or_insert_with(Instant::now);
            }
        }
        self.check_place().map_err(|_| PutError::UnknownOutcome)?;
        self.segment.keep();
        if !new.is_empty() {
            let index = self.state.index();
            for (series, _) in &new {
                index.mark_stored(*series);
            }
        }
        let mut memory = self.state.memory();
        memory.unavailable = None;
        memory.log_bytes += self.buffer.len() as u64;
        memory.defining_bytes += self.defining;
        self.defining_in_segment += self.defining;
        drop(memory);
        if let [Submission { work: Work::Deletes(deletes), .. }] = group {
            // Followers are told of all together, by rising time.
            let at_once =
                if self.state.followers().is_empty() { MAX_AT_ONCE } else { deletes.len() };
            for deletes in deletes.chunks(at_once.max(1)) {
                let deleted = deleted_points(&self.state, deletes);
                self.publish(vec![deleted], deletes);
            }
            self.state.notify();
            let series: Vec<_> = deletes.iter().map(|delete| delete.series).collect();
            self.retire(&series);
        } else {
            let points =
                group.iter_mut().map(|submission| Op::Points(submission.work.take_points()));
            self.publish(points.collect(), &[]);
        }
        Ok(())
    }

    /// Fails when the directory is no longer where it was opened: no start would find the log.
    fn check_place(&self) -> Result<(), Unavailable> {
        match self.state.disk().is_in_place() {
            Ok(false) => {
                self.state.fail("the data directory was removed, or another one is in its place");
                Err(Unavailable::Failed)
            }
            // What can't be looked at is there, for all that is known.
            Ok(true) | Err(_) => Ok(()),
        }
    }

    /// Makes the changes of a group visible, and hands them to the followers in the same step.
    fn publish(&mut self, ops: Vec<Op>, deletes: &[SeriesWindow]) {
        let (state, commit) = (Arc::clone(&self.state), self.next_commit);
        self.next_commit += 1;
        let search = state.followers().search(commit, &ops);
        let mut memory = state.memory();
        memory.commit = commit;
        for op in &ops {
            if let Op::Points(points) = op {
                memory.heads.append(points.iter().copied());
            }
        }
        for delete in deletes {
            memory.delete(*delete);
        }
        let superseded = state.followers().publish(commit, ops, search);
        drop(memory);
        drop(superseded);
    }

    /// Removes those of the series that have no points left from the index. Points that wait for them
    /// are the first of new series. So that their ids keep the order of first puts, the series whose
    /// first points wait get new ids too.
    fn retire(&mut self, series: &[SeriesId]) {
        series.chunks(MAX_AT_ONCE).for_each(|series| self.retire_some(series));
    }

    fn retire_some(&mut self, series: &[SeriesId]) {
        let mut gone = self.state.without_points(series);
        // What is looked up is looked up again, once any is removed, before it is submitted.
        let mut index = self.state.index_mut();
        gone.retain(|&id| index.is_stored(id));
        if gone.is_empty() {
            return;
        }
        let mut keys = HashMap::with_capacity(gone.len());
        for id in gone {
            self.defined.remove(id);
            if let Some(key) = index.key(id) {
                // Followers are told of its last points by its key.
                self.state.followers().retire(self.next_commit - 1, id, key);
            }
            if let Some(key) = index.remove(id) {
                keys.insert(id, key);
            }
        }
        keys.extend(index.remove_fresh());
        self.replace_series(index, &keys);
    }

    /// Removes the series that would have begun with a group that was refused, so that nothing of it
    /// is left. The series whose first points wait are new ones then, in the order of these.
    fn forget_new_series(&mut self, group: &[Submission]) {
        let index = self.state.index();
        let mut points = group.iter().flat_map(|submission| submission.work.points());
        let has_new = points.any(|point| !index.is_stored(point.series));
        drop(index);
        if !has_new {
            return;
        }
        let mut index = self.state.index_mut();
        let removed = index.remove_fresh();
        // Only followers know ids of series without points, apart from the batches that wait.
        if self.state.followers().is_empty() {
            index.take_back_ids(&removed);
        }
        self.replace_series(index, &removed.into_iter().collect());
    }

    /// Gives the points that wait for removed series, by the keys of these, to series of their own.
    fn replace_series(
        &self,
        index: RwLockWriteGuard<'_, SeriesIndex>,
        removed: &HashMap<SeriesId, KeyBuf>,
    ) {
        let index = RefCell::new(index);
        self.queue.replace_series(|id| {
            let key = removed.get(&id)?.as_key();
            index.borrow_mut().find_or_create(key, SeriesLimits::NONE).ok()
        });
    }

    /// Puts the records of a group into the buffer: the keys of series that the segment does not
    /// define yet, the batches, and the keys once more, away from the first place. Answers those keys.
    fn gather(&mut self, group: &[Submission]) -> Vec<(SeriesId, KeyBuf)> {
        let mut new = Vec::new();
        let index = self.state.index();
        for point in group.iter().flat_map(|submission| submission.work.points()) {
            // No segment has the number 0.
            let defined = self.defined.get_or_default(point.series);
            if *defined != self.segment.id() {
                *defined = self.segment.id();
                if let Some(key) = index.key(point.series) {
                    new.push((point.series, key.clone()));
                }
            }
        }
        drop(index);
        let mut series = Vec::new();
        record::append_series(&new, &mut series);
        self.defining = 2 * series.len() as u64;
        let batches = group.iter().map(|submission| &submission.records);
        self.buffer.clear();
        for records in [&series].into_iter().chain(batches).chain([&series]) {
            self.buffer.extend_from_slice(records);
        }
        new
    }

    fn sync(&mut self) -> Result<(), Unavailable> {
        self.unsynced_since = None;
        self.segment.sync().map_err(|error| self.fail("can't sync the log", &error))
    }

    /// Takes back, durably, a write for which there was no room: no recovery may find it once the
    /// client has the error.
    fn roll_back(&mut self, error: &io::Error) -> Result<(), Unavailable> {
        self.log_disk_full(&error.to_string());
        self.defined = Paged::default();
        self.segment
            .roll_back()
            .map_err(|error| self.fail("can't take back an unfinished write to the log", &error))
    }

    /// Says once that the disk is full, until there is room again.
    fn log_disk_full(&mut self, reason: &str) {
        if !std::mem::replace(&mut self.disk_full_logged, true) {
            warn!("no room on the disk: puts are refused until there is; reads go on ({reason})");
        }
    }

    fn fail(&self, what: &str, error: &io::Error) -> Unavailable {
        self.state.fail(&format!("{what}: {error}"));
        Unavailable::Failed
    }

    /// Does what has to be done before a group is written; see [`rotation::decide`].
    fn make_room(&mut self) -> Result<(), Unavailable> {
        let state = Arc::clone(&self.state);
        let mut failure: Option<io::Error> = None;
        loop {
            let memory = state.memory();
            match rotation::decide(&self.facts(&memory, failure.as_ref())) {
                Decision::Proceed => return Ok(()),
                Decision::SyncFirst => {
                    drop(memory);
                    self.sync()?;
                }
                Decision::WaitForCheckpoint => drop(state.wait(memory, Duration::from_secs(1))),
                Decision::Rotate { freeze } => {
                    drop(memory);
                    failure = self.rotate(freeze)?;
                    if failure.is_none() {
                        return Ok(());
                    }
                }
                Decision::Refuse(why) => {
                    drop(memory);
                    if why == Unavailable::DiskFull {
                        let reason =
                            failure.map_or(CHECKPOINT_NEEDS_ROOM.into(), |e| e.to_string());
                        self.log_disk_full(&reason);
                    }
                    return Err(why);
                }
            }
        }
    }

    /// Begins a new segment unless the present one is empty, and whatever its size. The heads are frozen when
    /// there are many such segments.
    fn close_segment(&mut self) -> Result<(), Unavailable> {
        if self.state.memory().phase != Phase::Open {
            return Err(Unavailable::Failed);
        }
        if !self.segment.is_missing() && self.segment.record_bytes() == 0 {
            return Ok(());
        }
        if self.unsynced_since.is_some() {
            self.sync()?;
        }
        let segments = self.segment.id().saturating_sub(self.first_segment);
        let freeze = segments >= MAX_CLOSED && self.state.memory().frozen.is_none();
        match self.rotate(freeze)? {
            None => Ok(()),
            Some(error) if disk::is_full(&error) => Err(Unavailable::DiskFull),
            Some(_) => Err(Unavailable::Stalled),
        }
    }

    fn facts(&self, memory: &Memory, failure: Option<&io::Error>) -> Facts {
        let config = self.state.config();
        Facts {
            open: memory.phase == Phase::Open,
            checkpointing: memory.frozen.is_some(),
            checkpoint_failure: memory.checkpoint_failure,
            log_bytes: without_names(memory.log_bytes, memory.defining_bytes, config.log_limit),
            log_limit: config.log_limit,
            segment_bytes: if self.segment.is_missing() || self.is_too_long {
                u64::MAX
            } else {
                without_names(
                    self.segment.record_bytes(),
                    self.defining_in_segment,
                    config.segment_size,
                )
            },
            segment_size: config.segment_size,
            unsynced: self.unsynced_since.is_some(),
            attempt: match failure {
                Some(error) => Attempt::Failed { disk_full: disk::is_full(error) },
                None if self.rotation_paused() => Attempt::Paused,
                None => Attempt::Due,
            },
        }
    }

    fn rotation_paused(&self) -> bool {
        self.rotation_failed.is_some_and(|at| at.elapsed() < self.state.config().retry)
    }

    /// Begins a new segment, with `freeze` for empty heads. Answers why there is none; the present
    /// segment is then as good as before.
    fn rotate(&mut self, freeze: bool) -> Result<Option<io::Error>, Unavailable> {
        let durability = self.state.config().durability;
        match Segment::create(self.state.disk(), self.segment.next(), durability) {
            Ok(next) => {
                self.state.begin_segment(next.id());
                self.rotation_failed = None;
                self.defining_in_segment = 0;
                self.is_too_long = false;
                let full = std::mem::replace(&mut self.segment, next);
                let last = full.id();
                // Before a checkpoint removes it.
                drop(full);
                if freeze {
                    self.freeze(&mut self.state.memory(), last);
                    self.first_segment = self.segment.id();
                }
                // A checkpoint is due, or the list of files.
                self.state.notify();
                Ok(None)
            }
            Err(SegmentError::NotMade(error)) => {
                if !self.rotation_paused() {
                    warn!(%error, "can't begin a new log file");
                    self.rotation_failed = Some(Instant::now());
                }
                Ok(Some(error))
            }
            Err(SegmentError::Broken(error)) => {
                Err(self.fail("can't begin a new log file", &error))
            }
        }
    }

    /// Freezes the heads, whose points are in the segments up to `last`.
    fn freeze(&self, memory: &mut Memory, last: SegmentId) {
        memory.frozen = Some(Arc::new(memory.take_heads(self.first_segment..=last)));
    }
}

/// Bytes of a log without those that define series, as far as these are no more than the log may have:
/// they take no room in the heads, and with a million series they are most of a log that is as long as
/// its limit.
fn without_names(bytes: u64, defining: u64, limit: u64) -> u64 {
    bytes.saturating_sub(defining.min(limit))
}

/// Whether a group is a deletion, which makes room.
fn gives_room_back(group: &[Submission]) -> bool {
    matches!(group, [Submission { work: Work::Deletes(_), .. }])
}

/// Ends the waits of others when the committing thread ends.
struct CloseOnDrop<'q> {
    queue: &'q Queue,
    state: &'q StoreState,
}

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.state.fail("the thread that writes the log ended by a panic");
        }
        self.queue.close(Unavailable::Failed);
        self.queue.refuse_all(Unavailable::Failed);
        self.state.memory().phase = Phase::Closed;
        self.state.notify();
    }
}
