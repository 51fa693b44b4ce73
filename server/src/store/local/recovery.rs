//! From what is on the disk to a store that is ready: parts are opened, the log is replayed.
//!
//! Replaying is idempotent, and damage is stepped over and named, never skipped in silence.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread::ScopedJoinHandle;
use std::time::Instant;

use tracing::{error, info, warn};

use super::background::checkpoint::DamagedSegments;
use super::config::Config;
use super::disk::{Directory, Disk, DiskFile, LOCK, is_full};
use super::file_name::{
    DAMAGED, FORMAT, FORMAT_PREFIX, FORMAT_VERSION, FileName, SegmentId, UNFINISHED,
};
use super::part::Part;
use super::series::series_index::SeriesIndex;
use super::state::{Frozen, Memory, State};
use super::wal::group_commit::Resume;
use super::wal::record::{self, Entry, Kind};

/// Why a data directory can't be used. Nothing in it was changed, but for [`OpenError::Io`] in the
/// middle of a recovery, which the next one goes on from.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process holds its lock.
    #[error("another server is using it; stop that one or choose another --data-dir")]
    Locked,
    /// It holds files, and they are not a server's.
    #[error("it holds files that are not a metrics server's; choose an empty or a new --data-dir")]
    Foreign,
    /// Its [`FORMAT`] is damaged, or not ours.
    #[error(
        "its file FORMAT is not one that a metrics server writes; restore that file or choose another --data-dir"
    )]
    BadFormat,
    /// There is a file in its place.
    #[error("it is not a directory; choose another --data-dir")]
    NotADirectory,
    /// There is no room to begin a segment or to write a checkpoint.
    #[error("the disk is full; make room there and start the server again")]
    DiskFull,
    /// A newer server wrote it.
    #[error(
        "it has format {found}, and this server knows formats up to {FORMAT_VERSION}; use a newer server"
    )]
    Newer {
        /// The version it has.
        found: u32,
    },
    /// Two parts hold some of the same segments, which no server writes.
    #[error("its parts {0} and {1} contradict each other; move one of them away")]
    Overlap(String, String),
    /// It can't be read or written.
    #[error("{0}: {1}; mend that or choose another --data-dir")]
    Io(&'static str, io::Error),
}

/// Says what failed.
pub fn io(what: &'static str) -> impl FnOnce(io::Error) -> OpenError {
    move |error| match error.kind() {
        io::ErrorKind::NotADirectory => OpenError::NotADirectory,
        _ if is_full(&error) => OpenError::DiskFull,
        _ => OpenError::Io(what, error),
    }
}

/// Looks at the names in a directory before anything is changed there.
///
/// # Errors
/// [`OpenError::Foreign`] when it belongs to something else.
pub fn check_names(names: &[String]) -> Result<(), OpenError> {
    let ours = names.iter().any(|name| name == FORMAT);
    let begun = |name: &String| name == LOCK || *name == format!("{FORMAT}{UNFINISHED}");
    if ours || names.iter().all(begun) { Ok(()) } else { Err(OpenError::Foreign) }
}

/// Checks what a directory is before anything is changed there. Answers whether it is a store
/// already; if not, it may become one.
fn check(disk: &dyn Disk, names: &[String]) -> Result<bool, OpenError> {
    check_names(names)?;
    if !names.iter().any(|name| name == FORMAT) {
        return Ok(false);
    }
    let read = || {
        let file = disk.open(FORMAT)?;
        // A line; more than this is not ours.
        let mut text = vec![0; usize::try_from(file.length()?).unwrap_or(usize::MAX).min(256)];
        file.read_exact_at(&mut text, 0)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    };
    let text = read().map_err(io("its file FORMAT can't be read"))?;
    let version = text.strip_prefix(FORMAT_PREFIX).and_then(|rest| rest.trim_end().parse().ok());
    match version {
        None | Some(0) => Err(OpenError::BadFormat),
        Some(found) if found > FORMAT_VERSION => Err(OpenError::Newer { found }),
        Some(_) => Ok(true),
    }
}

fn write_format(disk: &dyn Disk) -> io::Result<()> {
    let unfinished = format!("{FORMAT}{UNFINISHED}");
    let file = disk.create(&unfinished)?;
    file.write_all_at(format!("{FORMAT_PREFIX}{FORMAT_VERSION}\n").as_bytes(), 0)?;
    file.sync()?;
    disk.rename(&unfinished, FORMAT)?;
    disk.sync_directory()
}

/// The segments of a part, first to last.
type Segments = std::ops::RangeInclusive<SegmentId>;

/// A store that is ready but for its threads.
#[derive(Debug)]
pub struct Recovered {
    pub state: State,
    pub resume: Resume,
    pub damaged_segments: DamagedSegments,
}

/// Opens what is on `disk`.
///
/// # Errors
/// [`OpenError`] when it can't be used.
pub fn recover(disk: Arc<dyn Disk>, config: Config) -> Result<Recovered, OpenError> {
    let start = Instant::now();
    let (logs, parts) = survey(&*disk)?;
    let (parts, index) = open_parts(&*disk, parts)?;
    let checkpointed = parts.last().map_or(0, |part| *part.segments().end());
    let points_in_parts: u64 = parts.iter().map(|part| part.points()).sum();
    let part_count = parts.len();
    let memory = Memory { parts: Arc::new(parts), ..Memory::default() };
    let state = State::new(disk, config, index, memory);

    let parts = Arc::clone(&state.memory().parts);
    let (old, new): (Vec<_>, Vec<_>) = logs.into_iter().partition(|&log| log <= checkpointed);
    for segment in old {
        let name = FileName::Segment(segment);
        let held = parts.iter().any(|part| part.segments().contains(&segment));
        if !held {
            error!("{name} is older than the newest part and in none of them; it is put aside");
        }
        state.remove_or_quarantine(&name, !held || is_damaged(&*state.disk, segment));
    }
    drop(parts);
    let (resume, damaged_segments, points_in_log) = replay_all(&state, &new, checkpointed)?;
    info!(
        points_in_parts,
        points_in_log,
        parts = part_count,
        series = state.index().end(),
        seconds = format_args!("{:.3}", start.elapsed().as_secs_f64()),
        "the data is ready"
    );
    Ok(Recovered { state, resume, damaged_segments })
}

/// What the names in a directory say.
#[derive(Debug, Default)]
struct Names {
    /// The segments by number.
    logs: Vec<SegmentId>,
    /// The parts that no other part replaces, oldest first.
    parts: Vec<Segments>,
    /// Parts that were merged into others and not yet removed.
    superseded: Vec<Segments>,
    /// What a crash left unfinished.
    unfinished: Vec<String>,
    /// Not ours.
    foreign: Vec<String>,
}

impl Names {
    fn sort(names: &[String]) -> Result<Self, OpenError> {
        let mut sorted = Self::default();
        let mut parts = Vec::new();
        for name in names {
            match FileName::parse(name) {
                FileName::Segment(segment) => sorted.logs.push(segment),
                FileName::Part(segments) => parts.push(segments),
                FileName::Unfinished => sorted.unfinished.push(name.clone()),
                FileName::Other => {}
                FileName::Foreign => sorted.foreign.push(name.clone()),
            }
        }
        sorted.logs.sort_unstable();
        // Oldest first, and of those that begin together the largest first.
        parts.sort_by_key(|range| (*range.start(), std::cmp::Reverse(*range.end())));
        for range in parts {
            let name = |range| FileName::Part(range).to_string();
            match sorted.parts.last() {
                Some(last) if range.end() <= last.end() => sorted.superseded.push(range),
                Some(last) if range.start() <= last.end() => {
                    return Err(OpenError::Overlap(name(last.clone()), name(range)));
                }
                _ => sorted.parts.push(range),
            }
        }
        Ok(sorted)
    }
}

/// The segments and parts that count. What a crash left behind is removed.
fn survey(disk: &dyn Disk) -> Result<(Vec<SegmentId>, Vec<Segments>), OpenError> {
    let names = disk.list().map_err(io("it can't be read"))?;
    let begun = check(disk, &names)?;
    let names = Names::sort(&names)?;
    for name in names.foreign {
        warn!("{name} is none of the server's files; it is left alone");
    }
    // A process that was killed may have left names that are there and not durable. What they
    // replace is removed below, so they have to last.
    disk.sync_directory().map_err(io("it can't be synced"))?;
    for name in names.unfinished {
        disk.remove(&name).map_err(io("it can't be tidied up"))?;
    }
    for range in names.superseded {
        tidy_up(disk, range)?;
    }
    if !begun {
        write_format(disk).map_err(io("it can't be set up"))?;
    }
    Ok((names.logs, names.parts))
}

/// Removes a part that a crash kept from being removed after it was merged into another one.
fn tidy_up(disk: &dyn Disk, range: Segments) -> Result<(), OpenError> {
    let name = FileName::Part(range.clone()).to_string();
    info!("checking and removing {name}: a larger part holds its points");
    let sound = Part::open(disk, range).is_ok_and(|(part, _)| part.is_sound());
    let done =
        if sound { disk.remove(&name) } else { disk.rename(&name, &format!("{DAMAGED}{name}")) };
    done.map_err(io("it can't be tidied up"))
}

fn open_parts(
    disk: &dyn Disk,
    parts: Vec<Segments>,
) -> Result<(Vec<Arc<Part>>, SeriesIndex), OpenError> {
    let mut index = SeriesIndex::default();
    let mut opened = Vec::with_capacity(parts.len());
    let mut before = 0;
    for segments in parts {
        report_missing(before, *segments.start());
        before = *segments.end();
        let (part, keys) =
            Part::open(disk, segments).map_err(io("one of its parts can't be read"))?;
        for (series, key) in keys {
            if !index.define(series, key.as_key()) {
                error!("{part}: series {series} is {key} here and another one elsewhere");
            }
        }
        opened.push(Arc::new(part));
    }
    Ok((opened, index))
}

fn replay_all(
    state: &State,
    logs: &[SegmentId],
    checkpointed: SegmentId,
) -> Result<(Resume, DamagedSegments, u64), OpenError> {
    let mut resume = Resume {
        first_segment: checkpointed + 1,
        segment: logs.last().map_or(checkpointed, |last| *last) + 1,
        uncheckpointed: 0,
        next_sequence: 0,
    };
    let mut damaged_segments = DamagedSegments::new();
    let mut replay = Replay::default();
    std::thread::scope(|scope| {
        let mut checkpoint: Option<Checkpoint<'_>> = None;
        let mut before = checkpointed;
        // The last file with a record, and those since.
        let mut suspects: Vec<SegmentId> = Vec::new();
        for (at, &segment) in logs.iter().enumerate() {
            report_missing(before, segment);
            let name = FileName::Segment(segment);
            let (bytes, file) = read_log(&*state.disk, segment)?;
            // A process that was killed may have left bytes that are there and not durable. From
            // now on they can be seen, so they have to last.
            file.sync().map_err(io("its log can't be synced"))?;
            let entries: Vec<_> = record::entries(&bytes, segment).collect();
            if at > 0 && before + 1 == segment && replay.misses_before(&entries) {
                for &suspect in &suspects {
                    error!("{}: records at its end are missing", FileName::Segment(suspect));
                    damaged_segments.push(suspect);
                }
            }
            // The points of a long log do not all have to fit into memory.
            if resume.uncheckpointed >= state.config.log_limit {
                let mut memory = state.memory();
                let heads = std::mem::take(&mut memory.heads);
                drop(memory);
                let frozen = Frozen::new(heads, resume.first_segment..=before);
                // One at a time, while the next file is replayed.
                finish(checkpoint.take())?;
                let damaged_segments = damaged_segments.clone();
                let write = move || {
                    super::background::checkpoint::checkpoint(state, &frozen, &damaged_segments)
                };
                checkpoint = Some(scope.spawn(write));
                resume.first_segment = segment;
                resume.uncheckpointed = 0;
            }
            if entries.iter().any(|entry| matches!(entry, Entry::Record { .. })) {
                suspects.clear();
            }
            suspects.push(segment);
            let points = replay.points;
            if replay.file(state, &entries, &name) {
                damaged_segments.push(segment);
            }
            resume.uncheckpointed += bytes.len() as u64;
            let points = replay.points - points;
            info!("replayed {name}, {} of {}: {points} points", at + 1, logs.len());
            before = segment;
        }
        finish(checkpoint)
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

/// What is known in the middle of a replay.
#[derive(Debug, Default)]
struct Replay {
    points: u64,
    /// The number of the next record.
    expected: Option<u64>,
}

impl Replay {
    /// Whether records are missing between what was replayed and a file that begins with these.
    fn misses_before(&self, entries: &[Entry<'_>]) -> bool {
        match (self.expected, entries.first()) {
            (Some(expected), Some(Entry::Record { sequence, .. })) => *sequence > expected,
            _ => false,
        }
    }

    /// Replays one file; answers whether it is damaged.
    fn file(&mut self, state: &State, entries: &[Entry<'_>], name: &FileName) -> bool {
        let mut damaged = false;
        // The names first: when the first record of them is bad there is a second one, behind the
        // points that need it.
        for entry in entries {
            if let Entry::Record { kind: Kind::Series, sequence, payload } = entry {
                let mut index = state.index_mut();
                let sound = record::decode_series(payload)
                    .all(|definition| definition.is_some_and(|(id, key)| index.define(id, key)));
                if !sound {
                    damaged = true;
                    error!("{name}: record {sequence} names what no server names");
                }
            }
        }
        for (at, entry) in entries.iter().enumerate() {
            match entry {
                Entry::Bad { offset, length } if at + 1 == entries.len() => {
                    // Nothing follows, so it was never acknowledged.
                    warn!("{name} ends in {length} bytes at {offset} of a write that was cut off");
                }
                Entry::Bad { offset, length } => {
                    damaged = true;
                    error!("{name} is damaged: {length} bytes at {offset} are no record");
                }
                Entry::Record { kind, sequence, payload } => {
                    let expected = self.expected.unwrap_or(*sequence);
                    if *sequence < expected {
                        damaged = true;
                        error!("{name}: record {sequence} comes too late and is skipped");
                        continue;
                    }
                    if *sequence > expected {
                        damaged |= at > 0;
                        error!("{name}: records {expected} to {} are missing", sequence - 1);
                    }
                    self.expected = Some(sequence + 1);
                    if *kind == Kind::Points && !self.points(state, payload) {
                        damaged = true;
                        error!("{name}: record {sequence} holds what no server writes");
                    }
                }
            }
        }
        damaged
    }

    fn points(&mut self, state: &State, payload: &[u8]) -> bool {
        let mut sound = true;
        let index = state.index();
        let mut memory = state.memory();
        let rows = record::decode_rows(payload).filter_map(|row| {
            let row = row.filter(|row| index.key(row.series).is_some());
            sound &= row.is_some();
            self.points += u64::from(row.is_some());
            row
        });
        memory.heads.append(rows);
        sound
    }
}

/// Tells of the files between two that should follow each other.
fn report_missing(before: SegmentId, next: SegmentId) {
    if before + 1 < next {
        let range = before + 1..=next - 1;
        let (first, last) = (FileName::Segment(*range.start()), FileName::Segment(*range.end()));
        error!("missing: the files {first} to {last}, or parts such as {}", FileName::Part(range));
    }
}

/// The bytes of a segment.
fn read_log(
    disk: &dyn Disk,
    segment: SegmentId,
) -> Result<(Vec<u8>, Box<dyn DiskFile>), OpenError> {
    let read = || {
        let file = disk.open(&FileName::Segment(segment).to_string())?;
        let mut bytes = vec![0; usize::try_from(file.length()?).map_err(io::Error::other)?];
        file.read_exact_at(&mut bytes, 0)?;
        Ok((bytes, file))
    };
    read().map_err(io("its log can't be read"))
}

/// Whether a segment that is no longer needed should be kept for a person to look at.
fn is_damaged(disk: &dyn Disk, segment: SegmentId) -> bool {
    read_log(disk, segment).map_or(true, |(bytes, _)| {
        let entries: Vec<_> = record::entries(&bytes, segment).collect();
        let torn = matches!(entries.last(), Some(Entry::Bad { .. }));
        entries.iter().filter(|entry| matches!(entry, Entry::Bad { .. })).count()
            > usize::from(torn)
    })
}

/// Opens the directory at `path` for this process alone.
///
/// # Errors
/// [`OpenError`], with nothing changed.
pub fn open_directory(path: &Path) -> Result<Arc<dyn Disk>, OpenError> {
    let found = Directory::find(path).map_err(io("it can't be read"))?;
    let mut directory = match found {
        Some(directory) => {
            let names = directory.list().map_err(io("it can't be read"))?;
            check(&directory, &names)?;
            Names::sort(&names)?;
            directory
        }
        None => Directory::make(path).map_err(io("it can't be made"))?,
    };
    match directory.lock() {
        Ok(()) => Ok(Arc::new(directory)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(OpenError::Locked),
        Err(error) => Err(io("it can't be locked")(error)),
    }
}
