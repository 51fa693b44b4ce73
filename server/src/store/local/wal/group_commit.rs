//! The committer: one thread that takes all batches that wait, writes them to the log, syncs
//! once, puts them into the heads and answers all. A point is visible only when it is durable.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::header::{RecordHeader, RecordKind};
use super::queue::{Queue, Submission};
use super::record;
use super::segment::{Segment, SegmentError};
use crate::store::local::config::{Durability, SYNC_INTERVAL};
use crate::store::local::disk;
use crate::store::local::file_name::SegmentId;
use crate::store::local::state::{Memory, Phase, State};
use crate::store::{PutError, Unavailable};

/// The state of the committing thread.
#[derive(Debug)]
pub struct Committer {
    state: Arc<State>,
    queue: Arc<Queue>,
    log: Segment,
    /// The oldest segment whose points are in the heads.
    first_segment: SegmentId,
    next_sequence: u64,
    /// By series: the segment that defines it already.
    defined: Vec<SegmentId>,
    buffer: Vec<u8>,
    rotation_failed: Option<Instant>,
    disk_full: bool,
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
}

impl Committer {
    /// Begins a new segment.
    ///
    /// # Errors
    /// When that fails.
    pub fn start(state: Arc<State>, queue: Arc<Queue>, resume: Resume) -> io::Result<Self> {
        let log = Segment::create(&*state.disk, resume.segment)?;
        Ok(Self {
            state,
            queue,
            log,
            first_segment: resume.first_segment,
            next_sequence: resume.next_sequence,
            defined: Vec::new(),
            buffer: Vec::new(),
            rotation_failed: None,
            disk_full: false,
            unsynced_since: None,
        })
    }

    /// Commits until the queue is closed and empty, then freezes what is in the heads.
    pub fn run(mut self) {
        // Whoever still waits when this thread ends, even by a panic, must not wait for ever.
        let queue = Arc::clone(&self.queue);
        let state = Arc::clone(&self.state);
        let _closing = CloseOnDrop { queue: &queue, state: &state };
        loop {
            let due =
                self.unsynced_since.map(|since| SYNC_INTERVAL.saturating_sub(since.elapsed()));
            let Some(group) = queue.take(due) else { break };
            if !group.is_empty() {
                let outcome = self.commit(&group);
                if let Err(PutError::Unavailable(why)) = outcome {
                    self.state.memory().unavailable = Some(why);
                }
                for submission in group {
                    // A connection that is gone does not wait any more.
                    let _ = submission.done.send(outcome);
                }
            }
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
        if sound && memory.frozen.is_none() {
            self.freeze(&mut memory);
        }
        memory.phase = Phase::Closed;
        drop(memory);
        self.state.notify();
    }

    fn commit(&mut self, group: &[Submission]) -> Result<(), PutError> {
        // Up to here nothing of the batch is written.
        self.make_room()?;
        let records = self.gather(group);
        match self.log.write(&self.buffer) {
            Ok(()) => {}
            Err(error) if disk::is_full(&error) => {
                self.roll_back(&error).map_err(|_| PutError::UnknownOutcome)?;
                return Err(Unavailable::DiskFull.into());
            }
            Err(error) => {
                self.fail("can't write to the log", &error);
                return Err(PutError::UnknownOutcome);
            }
        }
        if std::mem::take(&mut self.disk_full) {
            info!("there is room on the disk again; puts are stored");
        }
        match self.state.config.durability {
            Durability::Sync => self.sync().map_err(|_| PutError::UnknownOutcome)?,
            Durability::Interval => {
                self.unsynced_since.get_or_insert_with(Instant::now);
            }
        }
        self.next_sequence += records;
        self.log.keep(self.buffer.len() as u64);
        let mut memory = self.state.memory();
        memory.unavailable = None;
        memory.log_bytes += self.buffer.len() as u64;
        for submission in group {
            memory.heads.append(submission.rows.iter().copied());
        }
        Ok(())
    }

    /// All records of a group: names of series that this segment does not know, the batches, and
    /// the names once more, away from the first place. Answers how many records that makes.
    fn gather(&mut self, group: &[Submission]) -> u64 {
        let mut names = Vec::new();
        record::begin(&mut names);
        let index = self.state.index();
        for row in group.iter().flat_map(|submission| &submission.rows) {
            let place = row.series as usize;
            if place >= self.defined.len() {
                self.defined.resize(place + 1, 0);
            }
            if self.defined[place] != self.log.id() {
                self.defined[place] = self.log.id();
                if let Some(key) = index.key(row.series) {
                    record::encode_series(row.series, key.as_key(), &mut names);
                }
            }
        }
        drop(index);
        let any_new = names.len() > RecordHeader::LENGTH;
        if any_new {
            record::seal(&mut names, RecordKind::Series);
        }
        self.buffer.clear();
        let first = any_new.then_some(&names);
        let records = group.iter().map(|submission| &submission.record);
        for (record, sequence) in
            first.into_iter().chain(records).chain(first).zip(self.next_sequence..)
        {
            let start = self.buffer.len();
            self.buffer.extend_from_slice(record);
            record::number(&mut self.buffer[start..], sequence);
        }
        group.len() as u64 + 2 * u64::from(any_new)
    }

    fn sync(&mut self) -> Result<(), Unavailable> {
        self.unsynced_since = None;
        self.log.sync().map_err(|error| self.fail("can't sync the log", &error))
    }

    /// After a write for which there was no room. Nothing of it may be found by a recovery once
    /// the client has been told, so what was written of it is taken back and that is synced.
    fn roll_back(&mut self, error: &io::Error) -> Result<(), Unavailable> {
        self.tell_full(error);
        self.defined.clear();
        self.log
            .roll_back()
            .map_err(|error| self.fail("can't take back an unfinished write to the log", &error))
    }

    /// Once, until there is room again.
    fn tell_full(&mut self, reason: &dyn std::fmt::Display) {
        if !std::mem::replace(&mut self.disk_full, true) {
            warn!("no room on the disk: puts are refused until there is; reads go on ({reason})");
        }
    }

    fn fail(&self, what: &str, error: &io::Error) -> Unavailable {
        self.state.fail(&format!("{what}: {error}"));
        Unavailable::Failed
    }

    /// Begins a new segment when it is time to, and a checkpoint when the heads are full.
    fn make_room(&mut self) -> Result<(), Unavailable> {
        let limit = self.state.config.log_limit;
        let state = Arc::clone(&self.state);
        let mut memory = state.memory();
        let log_bytes = memory.log_bytes;
        let far = log_bytes >= limit.saturating_mul(2);
        let outrun =
            |memory: &Memory| far && memory.phase == Phase::Open && memory.frozen.is_some();
        if outrun(&memory) && self.unsynced_since.is_some() {
            // However long the wait, what is acknowledged is synced in time.
            drop(memory);
            self.sync()?;
            memory = state.memory();
        }
        // Puts outrun the checkpoints: they wait, so that memory stays bounded.
        while outrun(&memory) {
            if let Some(failure) = memory.checkpoint_failure {
                if failure == Unavailable::DiskFull {
                    self.tell_full(
                        &"the log is as long as it may get, and there is no room for a checkpoint",
                    );
                }
                return Err(failure);
            }
            memory = state.wait(memory, Duration::from_secs(1));
        }
        if memory.phase != Phase::Open {
            return Err(Unavailable::Failed);
        }
        let full = log_bytes >= limit && memory.frozen.is_none();
        let overdue = full && log_bytes >= limit.saturating_mul(2);
        let pausing = self.rotation_failed.is_some_and(|at| at.elapsed() < state.config.retry);
        if pausing && !overdue || !(full || self.log.length() >= state.config.segment_size) {
            return Ok(());
        }
        drop(memory);
        if self.state.config.durability == Durability::Interval {
            // The new file's sync says nothing of the old one's bytes.
            self.sync()?;
        }
        match Segment::create(&*state.disk, self.log.id() + 1) {
            Ok(log) => {
                self.rotation_failed = None;
                if full {
                    self.freeze(&mut state.memory());
                    state.notify();
                    self.first_segment = log.id();
                }
                self.log = log;
            }
            Err(SegmentError::NotMade(error)) => {
                if !pausing {
                    warn!(%error, "can't begin a new log file");
                    self.rotation_failed = Some(Instant::now());
                }
                // The old one will do for a while, but it must not grow for ever, nor the heads.
                if overdue && disk::is_full(&error) {
                    self.tell_full(&error);
                    return Err(Unavailable::DiskFull);
                }
                if overdue {
                    return Err(Unavailable::Stalled);
                }
            }
            Err(SegmentError::Broken(error)) => {
                return Err(self.fail("can't begin a new log file", &error));
            }
        }
        Ok(())
    }

    fn freeze(&self, memory: &mut Memory) {
        memory.frozen = Some(Arc::new(memory.take_heads(self.first_segment..=self.log.id())));
    }
}

struct CloseOnDrop<'q> {
    queue: &'q Queue,
    state: &'q State,
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
