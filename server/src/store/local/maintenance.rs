//! What an operator does with a data directory that no server uses: finding what is damaged, and giving it
//! up.

pub mod backup;
mod rejoin;

use std::fmt;
use std::io;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use super::background::checkpoint::{self, DamagedSegments};
use super::background::compaction;
use super::config::LocalConfig;
use super::disk::directory::Directory;
use super::disk::overlay::Overlay;
use super::disk::{Disk, check_readable, quarantine};
use super::file_list::FileList;
use super::file_list::backup_manifest::FoundManifest;
use super::file_name::{BACKUP, FORMAT, FileName, SegmentId};
use super::part::Part;
use super::recovery::inventory::{STRANGER, UNREADABLE_MERGE, names_that_count};
use super::recovery::open_error::{OpenError, io};
use super::recovery::{
    Recovered, backup_state, data_directory, format, recover_for_maintenance, sound_format,
};
use super::series::loss::{Extent, Losses};
use super::series::series_index::SeriesIndex;
use super::state::StoreState;
use crate::memory::MemoryShares;
use crate::os;

/// What is said of a key that was begun again while a file was missing.
const APART: &str =
    "points of before a file was missing and those since are apart; server repair joins them";
const TOGETHER: &str = "points of before a file was missing and those since are together again";

/// Something that is damaged in a data directory: a line for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundDamage {
    /// The file.
    file: String,
    /// Where in the file, what, and of which key and times.
    what: String,
}

impl FoundDamage {
    fn of(file: impl fmt::Display, what: impl Into<String>) -> Self {
        Self { file: file.to_string(), what: what.into() }
    }
}

impl fmt::Display for FoundDamage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.what)
    }
}

/// Reads every byte of the data directory at `path`, and says what is damaged; nothing when it is sound.
/// Changes nothing.
///
/// # Errors
/// [`OpenError`] when it can't be used, or a server uses it.
pub fn check(path: &Path) -> Result<Vec<FoundDamage>, OpenError> {
    let found = Directory::find(path).map_err(io("it can't be read"))?;
    let directory = found.ok_or(OpenError::Missing)?;
    if directory.is_in_use() {
        return Err(OpenError::Locked);
    }
    let names = directory.list().map_err(io("it can't be read"))?;
    backup_state::check(&directory)?;
    data_directory::refuse_unused(&directory, &names)?;
    let directory = Arc::new(directory);
    let found = check_disk(Arc::clone(&directory) as Arc<dyn Disk>, bounded());
    // What a server changes meanwhile may look like damage.
    if directory.is_in_use() { Err(OpenError::UsedMeanwhile) } else { found }
}

/// Like [`check`], of a disk.
pub fn check_disk(disk: Arc<dyn Disk>, config: LocalConfig) -> Result<Vec<FoundDamage>, OpenError> {
    let names = disk.list().map_err(io("it can't be read"))?;
    backup_state::check(&*disk)?;
    let mut found = damage_of_names(&*disk, &names)?;
    match backup_state::read(&*disk)? {
        FoundManifest::Missing => {}
        FoundManifest::Damaged => found.push(FoundDamage::of(BACKUP, "damaged")),
        FoundManifest::Backup(manifest) => {
            let missing = manifest.missing(&*disk).into_iter();
            found.extend(missing.map(|(name, why)| FoundDamage::of(name, why)));
        }
    }
    let overlay = Overlay::new(disk).map_err(io("it can't be read"))?;
    let recovered = recover_for_maintenance(Arc::new(overlay), config)?;
    // A log that does not fit into memory is in parts of the overlay.
    let is_of_log = |part: &Part| !part.is_absent() && !names.contains(&part.to_string());
    found.extend(damage_of(&recovered, is_of_log));
    let index = recovered.state.index();
    let keys = recovered.replaced.iter().filter_map(|&id| index.key(id));
    found.extend(keys.map(|key| FoundDamage::of(key, APART)));
    drop(index);
    Ok(found)
}

/// What is damaged of the files that say what the others are, and of those that do not count.
fn damage_of_names(disk: &dyn Disk, names: &[String]) -> Result<Vec<FoundDamage>, OpenError> {
    let mut found = Vec::new();
    let format = sound_format(disk, names)?;
    let has_parts_or_log = names
        .iter()
        .any(|name| matches!(FileName::parse(name), FileName::Part(_) | FileName::Segment(_)));
    if has_parts_or_log && format.is_none() {
        found.push(FoundDamage::of(FORMAT, "missing, damaged or of another format than the files"));
    }
    // Older formats have none.
    if has_parts_or_log && !matches!(format, Some(1 | 2)) {
        let damaged = FileList::damaged(disk, names).into_iter();
        found.extend(damaged.map(|name| FoundDamage::of(name, "missing or damaged")));
    }
    let others = names_that_count(disk, names.to_vec(), FileList::read(disk).as_ref());
    let merges = others.unreadable_merges.into_iter().map(FileName::Part);
    found.extend(merges.map(|name| FoundDamage::of(name, UNREADABLE_MERGE)));
    found.extend(others.strangers.into_iter().map(|name| FoundDamage::of(name, STRANGER)));
    Ok(found)
}

/// With no more of the log in memory than at a start.
fn bounded() -> LocalConfig {
    let shares =
        os::memory_limit().map_or(MemoryShares::UNLIMITED, |limit| MemoryShares::of(limit.bytes));
    LocalConfig { log_limit: shares.log_limit, reserve: 0, ..LocalConfig::default() }
}

/// Without checkpoints, and without limits: what is there is to be seen.
fn unbounded() -> LocalConfig {
    LocalConfig { log_limit: u64::MAX, reserve: 0, ..LocalConfig::default() }
}

/// Gives up what is damaged in the data directory at `path`, so that answers are without it: damaged files
/// are kept under another name, and what is sound in them is written anew. Says what is gone.
///
/// # Errors
/// [`OpenError`] when it can't be used or written.
pub fn repair(path: &Path) -> Result<Vec<FoundDamage>, OpenError> {
    let found = Directory::find(path).map_err(io("it can't be read"))?;
    if backup::finish_interrupted(found.ok_or(OpenError::Missing)?)? {
        // It stays a backup.
        return Ok(Vec::new());
    }
    repair_disk(data_directory::open_to_repair(path)?)
}

/// Like [`repair`], of a disk.
pub fn repair_disk(disk: Arc<dyn Disk>) -> Result<Vec<FoundDamage>, OpenError> {
    check_access(&*disk)?;
    let names = disk.list().map_err(io("it can't be read"))?;
    let lists = damage_of_names(&*disk, &names)?;
    let recovered = recover_for_maintenance(disk, unbounded())?;
    let mut found = damage_of(&recovered, |_| false);
    let Recovered { state, resume, damaged_segments, mut replaced } = recovered;
    if !found.is_empty() {
        // A backup from before may have what is given up, and is not to be replaced.
        format::write_anew(state.disk()).map_err(io("it can't be set up"))?;
    }
    // Those a start writes anew, too.
    found.splice(..0, lists);
    let last = resume.segment.saturating_sub(1);
    state.begin_segment(last);
    state.memory().heads.forget_losses();
    write_heads(&state, resume.first_segment..=last, &damaged_segments)?;
    let parts = state.memory().parts.len();
    for at in 0..parts {
        let part = Arc::clone(&state.memory().parts[at]);
        if has_damage(&part) {
            give_up(&state, &part).map_err(io("a part can't be written anew"))?;
        }
    }
    let parts = Arc::clone(&state.memory().parts);
    if !compaction::take_names(&state, &parts, &mut std::collections::BTreeSet::new()) {
        let error = std::io::Error::other("a new file could not take the name of the old one");
        return Err(io("not all was repaired")(error));
    }
    // What is lost of them is given up before they are read.
    replaced.sort_unstable();
    let mut is_joined = false;
    // Of several the newest first: it has the newest points of a time.
    for id in replaced.into_iter().rev() {
        let joined = rejoin::rejoin(&state, id).map_err(io::Error::other);
        if let Some(key) = joined.map_err(io("points of a key can't be joined"))? {
            is_joined = true;
            found.push(FoundDamage::of(key, TOGETHER));
        }
    }
    if is_joined {
        let next = last.max(resume.first_segment.saturating_sub(1)) + 1;
        state.begin_segment(next);
        write_heads(&state, next..=next, &DamagedSegments::new())?;
    }
    state.list_files();
    // What was given up is not missed again.
    state.disk().sync_directory().map_err(io("what was repaired may not be durable"))?;
    Ok(found)
}

/// Writes what is in memory, which is of these segments, to a part.
fn write_heads(
    state: &StoreState,
    segments: RangeInclusive<SegmentId>,
    damaged: &DamagedSegments,
) -> Result<(), OpenError> {
    if !segments.is_empty() && state.memory().frozen.is_none() {
        let mut memory = state.memory();
        let frozen = Arc::new(memory.take_heads(segments));
        memory.frozen = Some(frozen);
    }
    let frozen = state.memory().frozen.clone();
    let written = frozen.map(|frozen| checkpoint::checkpoint(state, &frozen, damaged));
    written.unwrap_or(Ok(())).map_err(io("what is sound of its log can't be written"))
}

/// Fails when a file may not be read by this user: that is no damage, and is not given up.
fn check_access(disk: &dyn Disk) -> Result<(), OpenError> {
    for name in disk.list().map_err(io("it can't be read"))? {
        let is_data = matches!(FileName::parse(&name), FileName::Part(_) | FileName::Segment(_));
        // Without the list nothing would say what is missing.
        if !is_data && !FileList::NAMES.contains(&name.as_str()) {
            continue;
        }
        let file = disk.open(&name).and_then(|file| check_readable(&*file, file.length()?));
        if file.is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied) {
            return Err(OpenError::NoAccess(disk.whereabouts(&name)));
        }
    }
    Ok(())
}

fn has_damage(part: &Part) -> bool {
    part.is_damaged() || !part.losses().is_empty() || !part.failed_chunks().is_empty()
}

/// Writes a part anew without what is damaged, and keeps the damaged one.
fn give_up(state: &StoreState, part: &Arc<Part>) -> io::Result<()> {
    if part.is_absent() {
        let name = FileName::Part(part.segments().clone());
        match quarantine::remove_or_quarantine(state.disk(), &name, true) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    compaction::give_up_damage(state, part)?;
    Ok(())
}

/// What a recovery has found, and what a look at every chunk finds.
/// Parts for which `is_of_log` are named as the log.
fn damage_of(recovered: &Recovered, is_of_log: impl Fn(&Part) -> bool) -> Vec<FoundDamage> {
    let Recovered { state, damaged_segments, .. } = recovered;
    let mut found = Vec::new();
    let memory = state.memory();
    let (parts, frozen) = (Arc::clone(&memory.parts), memory.frozen.clone());
    drop(memory);
    let index = state.index();
    for part in parts.iter() {
        let before = found.len();
        if part.is_absent() {
            found.push(FoundDamage::of(part, "missing, or can't be opened"));
        } else {
            part.is_sound();
        }
        for chunk in part.failed_chunks() {
            let key = index.key(chunk.series).map_or("an unknown key", |key| key.as_str());
            let (offset, length, count) = (chunk.offset, chunk.length, chunk.count);
            let (first, last) = (chunk.first, chunk.last);
            found.push(FoundDamage::of(
                part,
                format!(
                    "{length} bytes at {offset}: {count} points of {key} from {first} to {last}"
                ),
            ));
        }
        if part.has_unknown_deletes() {
            let what = "what it deletes in older parts is damaged: it may come back";
            found.push(FoundDamage::of(part, what));
        }
        let file = if is_of_log(part) { "the log".to_owned() } else { part.to_string() };
        add_losses(&mut found, file, part.losses(), &index);
        if part.is_damaged() && found.len() == before {
            found.push(FoundDamage::of(part, "damaged where nothing is lost by it"));
        }
    }
    for segment in damaged_segments {
        found.push(FoundDamage::of(FileName::Segment(*segment), "damaged"));
    }
    if let Some(frozen) = frozen {
        add_losses(&mut found, "the log", frozen.heads().losses(), &index);
    }
    add_losses(&mut found, "the log", state.memory().heads.losses(), &index);
    found
}

fn add_losses(
    found: &mut Vec<FoundDamage>,
    file: impl fmt::Display,
    losses: &Losses,
    index: &SeriesIndex,
) {
    for loss in losses.iter() {
        let keys = keys_of(&loss.extent, loss.unnamed.is_some(), index);
        let times = match loss.extent.times() {
            (i64::MIN, i64::MAX) => "of any time".to_owned(),
            (from, to) => format!("from {from} to {to}"),
        };
        found.push(FoundDamage::of(&file, format!("gone: points of {keys} {times}")));
    }
}

/// Which keys an extent is about, a few of them.
fn keys_of(extent: &Extent, is_unnamed: bool, index: &SeriesIndex) -> String {
    let within = index.iter_from(extent.first_series);
    let mut within = within.take_while(|(id, _)| *id <= extent.last_series).map(|(_, key)| key);
    let first = within.next().map(shared::KeyBuf::as_str);
    let more = within.count();
    match (first, more) {
        (None, _) => "unknown keys".to_owned(),
        (Some(key), 0) if !is_unnamed => key.to_owned(),
        (Some(key), 0) => format!("{key} or unknown keys"),
        (Some(key), more) => format!("any of {} keys such as {key}", more + 1),
    }
}
