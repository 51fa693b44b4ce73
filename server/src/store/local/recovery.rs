//! From what is on the disk to a store that is ready: parts are opened, the log is replayed.

pub mod backup_state;
pub mod data_directory;
mod disputed;
pub mod format;
pub mod inventory;
pub mod open_error;
mod options;
mod progress;
mod replay;

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Instant;

use shared::Key;
use tracing::{error, info, warn};

use super::background::checkpoint::DamagedSegments;
use super::config::LocalConfig;
use super::directory_id::DirectoryId;
use super::disk::quarantine;
use super::disk::{Disk, is_of_one_file};
use super::file_list::FileList;
use super::file_name::{DAMAGED, FileName, SegmentId};
use super::follow::series_set::SeriesSet;
use super::part::index::PartKeys;
use super::part::{OpenedPart, Part};
use super::series::loss::{Extent, Loss};
use super::series::series_index::{EVERY_SERIES, IndexBuilder, SeriesId, SeriesIndex, Undefined};
use super::state::StoreState;
use super::state::absent::absent_of;
use super::state::memory::Memory;
use super::wal::group_commit::Resume;
use super::wal::segment;
use disputed::{Disputed, LostKeys};
use inventory::{Inventory, report_missing};
use open_error::{OpenError, io};
use progress::Progress;
use replay::{Replayed, ReplayedLog, replay_all};

/// Ids of series that are left out where nothing says which were given.
const MAX_HIDDEN_IDS: SeriesId = 1 << 20;

/// A store that is ready but for its threads.
#[derive(Debug)]
pub struct Recovered {
    /// Parts, and heads with the points of the log.
    pub state: StoreState,
    /// Where the log goes on.
    pub resume: Resume,
    /// Segments to keep when their points are in a part.
    pub damaged_segments: DamagedSegments,
    /// Series with points whose keys were begun again while a file that names them could not be read. Newer
    /// series have their keys.
    pub replaced: Vec<SeriesId>,
}

/// Whether the file FORMAT says what the other files of a directory are.
///
/// # Errors
/// [`OpenError`] when the directory is not a store that this program knows.
pub fn sound_format(disk: &dyn Disk, names: &[String]) -> Result<Option<u32>, OpenError> {
    Ok(match format::check(disk, names)? {
        format::Identity::Store(version) => Some(version),
        _ => None,
    })
}

/// The number of a data directory; `None` when its file FORMAT has none.
///
/// # Errors
/// [`OpenError::Io`] when the file can't be read.
pub fn directory_id(disk: &dyn Disk) -> Result<Option<DirectoryId>, OpenError> {
    format::read_id(disk).map_err(io("its file FORMAT can't be read"))
}

/// Opens the store on `disk`, or makes one there.
///
/// # Errors
/// [`OpenError`] when it can't be used.
pub fn recover(disk: Arc<dyn Disk>, config: LocalConfig) -> Result<Recovered, OpenError> {
    let (recovered, hidden_points) = read_store(disk, config)?;
    for &id in &recovered.replaced {
        refuse_replaced(&recovered.state, id);
    }
    options::report_retention(&recovered.state, hidden_points);
    Ok(recovered)
}

/// Like [`recover`], for what is no start: the retention of the last one stays known, and what was replaced is
/// not refused.
///
/// # Errors
/// As for [`recover`].
pub fn recover_for_maintenance(
    disk: Arc<dyn Disk>,
    config: LocalConfig,
) -> Result<Recovered, OpenError> {
    Ok(read_store(disk, config)?.0)
}

/// Answers how many points in memory are too old, too.
fn read_store(disk: Arc<dyn Disk>, config: LocalConfig) -> Result<(Recovered, u64), OpenError> {
    let start = Instant::now();
    let Inventory { segments, parts, are_unsalted, list, .. } = inventory::survey(&*disk)?;
    let OpenedParts { parts, index, in_parts, lost_keys } =
        open_parts(&*disk, parts, list.as_ref())?;
    let checkpointed = parts.last().map_or(0, |part| *part.segments().end());
    let points_in_parts: u64 = parts.iter().map(|part| part.points()).sum();
    let part_count = parts.len();
    let memory = Memory { parts: Arc::new(parts), ..Memory::default() };
    let state = StoreState::new(disk, config, index, memory);

    let parts = Arc::clone(&state.memory().parts);
    let (old, new): (Vec<_>, Vec<_>) = segments.into_iter().partition(|&id| id <= checkpointed);
    for id in old {
        let name = FileName::Segment(id);
        let holds = |part: &&Arc<Part>| !part.is_absent() && part.segments().contains(&id);
        let holder = parts.iter().find(holds);
        let held = holder.is_some();
        if !held {
            error!(
                "{name} is older than the newest part and in no part; it is kept as {DAMAGED}{name}"
            );
        }
        // It may be back from a copy, and be what the part has lost.
        let is_lost =
            holder.is_some_and(|part| segment::has_any_of(state.disk(), id, part.losses()));
        let is_kept = !held || is_lost || segment::is_damaged(state.disk(), id);
        // No put waits for the disk yet.
        drop(quarantine::release(state.disk(), &name, is_kept, || false));
    }
    drop(parts);
    let log = ReplayedLog { segments: &new, checkpointed, are_unsalted, list: list.as_ref() };
    let Replayed { resume, damaged_segments, points: points_in_log, hidden_points } =
        replay_all(&state, &log, lost_keys)?;
    let replaced = remove_series_without_points(&state, &in_parts);
    info!(
        points_in_parts,
        points_in_log,
        parts = part_count,
        series = state.index().len(),
        seconds = format_args!("{:.3}", start.elapsed().as_secs_f64()),
        "the data is ready"
    );
    report_series(&state);
    Ok((Recovered { state, resume, damaged_segments, replaced }, hidden_points))
}

/// Says when there are so many series that no new one is taken.
fn report_series(state: &StoreState) {
    let (limit, index) = (state.config().max_series, state.index());
    if index.len() > limit as usize {
        warn!(
            series = index.len(),
            "there are more series than --max-series, {limit}; all are served, new ones refused"
        );
    }
}

/// Removes series without points from the index: they were all taken back, or none was stored. So
/// are those that newer ones of the same key replace; answers those of them that have points. Those `in_parts`
/// have chunks.
fn remove_series_without_points(state: &StoreState, in_parts: &SeriesSet) -> Vec<SeriesId> {
    let cutoff = state.config().cutoff();
    let mut deleted: Vec<SeriesId> = Vec::new();
    {
        let memory = state.memory();
        deleted.extend(memory.heads.all_deletes().keys());
        let frozen = memory.frozen.iter().flat_map(|frozen| frozen.heads().all_deletes().keys());
        deleted.extend(frozen);
        let in_parts = memory.parts.iter().flat_map(|part| part.all_deletes());
        deleted.extend(in_parts.map(|(series, _)| series));
    }
    deleted.retain(|&series| series != EVERY_SERIES);
    deleted.sort_unstable();
    deleted.dedup();
    let mut gone = state.without_points(&deleted);
    let others: Vec<_> =
        state.index().iter_from(0).map(|(id, _)| id).filter(|&id| !in_parts.contains(id)).collect();
    gone.extend(absent_of(state, &others));
    let replaced = state.index().replaced().to_vec();
    let (empty, others): (Vec<_>, Vec<_>) =
        replaced.into_iter().partition(|&id| state.has_no_points_since(id, cutoff));
    gone.extend(empty);
    let mut index = state.index_mut();
    for id in gone {
        index.remove(id);
    }
    others
}

/// A key was begun again while a file with points of its series could not be read, and that is back. A start
/// joins the two not: what would leave the older points out is refused, until they are deleted or repaired.
fn refuse_replaced(state: &StoreState, older: SeriesId) {
    let index = state.index();
    let Some(key) = index.key(older) else { return };
    let Some(newer) = index.find(key.as_key()).filter(|&id| id != older) else { return };
    error!("{key} has points of before a file was missing, and others that came since");
    drop(index);
    let extent = Extent::of(newer, (i64::MIN, i64::MAX));
    state.memory().heads.lose(Loss { extent, unnamed: None });
}

/// The parts of a directory.
struct OpenedParts {
    parts: Vec<Arc<Part>>,
    /// Their series.
    index: SeriesIndex,
    /// Those of them that have chunks.
    in_parts: SeriesSet,
    /// Keys whose ids are those of others.
    lost_keys: LostKeys,
}

/// Opens the parts.
fn open_parts(
    disk: &dyn Disk,
    parts: Vec<RangeInclusive<SegmentId>>,
    list: Option<&FileList>,
) -> Result<OpenedParts, OpenError> {
    let mut all_lost_keys = LostKeys::default();
    let (mut index, mut in_parts) = (IndexBuilder::default(), SeriesSet::default());
    let mut opened = Vec::with_capacity(parts.len());
    let (mut before, mut progress, count) = (0, Progress::new(parts.len()), parts.len());
    let mut has_unreadable = false;
    // Keys that are in the index.
    let mut defined: Option<PartKeys> = None;
    for segments in parts {
        if report_missing(before, *segments.start()) {
            let missing = before + 1..=*segments.start() - 1;
            let extent = list.and_then(|list| list.extent(&missing)).unwrap_or(Extent::ALL);
            opened.push(Arc::new(Part::absent(missing, extent)));
        }
        before = *segments.end();
        let extent = list.and_then(|list| list.extent(&segments)).unwrap_or(Extent::ALL);
        let OpenedPart { mut part, keys, lost_keys } = match Part::open(disk, segments.clone()) {
            Ok(opened) => opened,
            Err(error) if !is_of_one_file(&error) => {
                return Err(io("one of its parts can't be opened")(error));
            }
            Err(error) => {
                let name = FileName::Part(segments.clone()).to_string();
                error!("{} can't be opened: {error}", disk.whereabouts(&name));
                has_unreadable = true;
                let part = Part::absent(segments, extent);
                OpenedPart { part, keys: PartKeys::default(), lost_keys: Vec::new() }
            }
        };
        part.bound_losses(&extent);
        if part.has_unknown_deletes() {
            part.suspect(&opened, &extent);
        }
        let (mut is_too_many, mut disputed, mut is_sound) = (false, Disputed::default(), true);
        let mut define = |series, key: &[u8]| {
            let Err(why) = index.define(series, key) else {
                in_parts.insert(series);
                return;
            };
            is_sound = false;
            match why {
                Undefined::Contradiction => {
                    if let Ok(key) = Key::from_bytes(key)
                        && disputed.add(series, key)
                    {
                        error!(
                            "{part}: series {series} is {key} here and has another key elsewhere"
                        );
                    }
                }
                Undefined::Invalid => error!("{part}: the key of series {series} is none"),
                Undefined::TooMany => is_too_many = true,
            }
        };
        // Most parts have the series of the one before.
        let is_defined = defined.as_ref().is_some_and(|defined| defined.is_same(&keys));
        if !is_defined {
            keys.for_each(&mut define);
        }
        for (series, key) in &lost_keys {
            define(*series, key.as_str().as_bytes());
        }
        if is_sound {
            defined = Some(keys);
        }
        if is_too_many {
            return Err(OpenError::TooManySeries);
        }
        let given_up = part.give_up(&disputed.series());
        for ((_, keys), times) in disputed.iter().zip(given_up) {
            if let Some(times) = times {
                all_lost_keys.add(keys, times);
            }
        }
        index.reserve(part.end());
        opened.push(Arc::new(part));
        if count > 1 && progress.is_due(opened.len()) {
            info!("opened {} of {count} parts", opened.len());
        }
    }
    match list {
        Some(list) => index.reserve(list.series_end),
        // Its ids are not to be given to other keys: it may be read again.
        None if has_unreadable => index.reserve(index.end().saturating_add(MAX_HIDDEN_IDS)),
        None => {}
    }
    Ok(OpenedParts { parts: opened, index: index.build(), in_parts, lost_keys: all_lost_keys })
}
