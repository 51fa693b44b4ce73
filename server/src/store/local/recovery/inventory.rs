//! Which files of a data directory count, by their names.

use std::io::ErrorKind;
use std::ops::RangeInclusive;

use tracing::{error, info, warn};

use super::backup_state;
use super::format::{self, Identity};
use super::open_error::{OpenError, io};
use crate::store::local::disk::quarantine::{free_name, remove_or_quarantine};
use crate::store::local::disk::{Disk, check_readable};
use crate::store::local::file_list::FileList;
use crate::store::local::file_list::backup_manifest::FoundManifest;
use crate::store::local::file_name::{BACKUP, FILES, FILES_COPY, FileName, SegmentId};
use crate::store::local::part::Part;

/// So many segments may have been begun since the list of files was written.
const MAX_UNLISTED: SegmentId = 100;

/// What is said of a part of which nothing can be read, beside parts that were merged into it.
pub const UNREADABLE_MERGE: &str =
    "its header and its end are damaged; parts that would have been merged into it are used";

/// What is said of a file under a name that no server has given it.
pub const STRANGER: &str =
    "its number is far behind that of the newest file, and it begins as no file of that number";

/// The segments of a part, first to last.
type Segments = RangeInclusive<SegmentId>;

/// The files of a data directory, sorted by kind.
#[derive(Debug, Default)]
pub struct Inventory {
    /// The segments by number.
    pub segments: Vec<SegmentId>,
    /// The parts that no other part replaces, oldest first.
    pub parts: Vec<Segments>,
    /// All of them are of formats 1 and 2.
    pub are_unsalted: bool,
    /// Which files there are to be.
    pub list: Option<FileList>,
    /// Parts that were merged into others and not yet removed.
    superseded: Vec<Segments>,
    /// What a crash left unfinished.
    unfinished: Vec<String>,
    /// Files of something else.
    foreign: Vec<String>,
}

impl Inventory {
    /// Sorts the names in a directory.
    ///
    /// # Errors
    /// [`OpenError::Overlap`] when two parts hold some of the same segments.
    pub fn sort(names: &[String]) -> Result<Self, OpenError> {
        let mut sorted = Self::default();
        let mut parts = Vec::new();
        for name in names {
            match FileName::parse(name) {
                FileName::Segment(id) => sorted.segments.push(id),
                FileName::Part(segments) => parts.push(segments),
                FileName::Unfinished => sorted.unfinished.push(name.clone()),
                FileName::Other => {}
                FileName::Foreign => sorted.foreign.push(name.clone()),
            }
        }
        sorted.segments.sort_unstable();
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

/// The segments and parts that count. Files that a crash left behind are removed, and a new
/// directory becomes a store, one of an older format a store of this one.
///
/// # Errors
/// [`OpenError`] when the directory can't be used or changed.
pub fn survey(disk: &dyn Disk) -> Result<Inventory, OpenError> {
    // A backup may have begun since this was looked at without the lock.
    backup_state::check(disk)?;
    let names = disk.list().map_err(io("it can't be read"))?;
    let identity = format::check(disk, &names)?;
    let list = FileList::read(disk);
    let all_names = names.clone();
    let Counting { names, unreadable_merges, strangers } =
        names_that_count(disk, names, list.as_ref());
    let mut found = Inventory::sort(&names)?;
    found.are_unsalted = matches!(identity, Identity::Store(1 | 2));
    found.list = list;
    if matches!(identity, Identity::Store(3..) | Identity::Recognized(_)) {
        report_lists(disk, &all_names);
    }
    let backup = backup_state::read(disk)?;
    report_backup(disk, &backup);
    for name in std::mem::take(&mut found.foreign) {
        warn!("{name} is none of the server's files; it is left alone");
    }
    // A process that was killed may have left names that are not durable yet. What they replace is
    // removed below.
    disk.sync_directory().map_err(io("it can't be synced"))?;
    for name in std::mem::take(&mut found.unfinished) {
        disk.remove(&name).map_err(io("it can't be tidied up"))?;
    }
    for range in unreadable_merges {
        let name = FileName::Part(range);
        error!("{name} is kept as damaged-...: {UNREADABLE_MERGE}");
        remove_or_quarantine(disk, &name, true).map_err(io("it can't be tidied up"))?;
    }
    for range in std::mem::take(&mut found.superseded) {
        remove_superseded(disk, range, &found.parts)?;
    }
    for name in strangers {
        set_stranger_aside(disk, &name);
    }
    // Before any file that an older server would misread.
    let is_copy = backup != FoundManifest::Missing;
    format::write(disk, identity, is_copy).map_err(io("it can't be set up"))?;
    if is_copy {
        // From now on it has points of its own.
        disk.remove(BACKUP).map_err(io("it can't be tidied up"))?;
    }
    Ok(found)
}

/// Says in which of its places the list of files is damaged.
fn report_lists(disk: &dyn Disk, names: &[String]) {
    match FileList::damaged(disk, names)[..] {
        [] => {}
        [only] => warn!("{only} is damaged or missing; its copy is not"),
        _ => warn!(
            "{FILES} and {FILES_COPY} are missing or damaged: whether the newest files are there is not known"
        ),
    }
}

/// Says what of a backup is missing.
fn report_backup(disk: &dyn Disk, backup: &FoundManifest) {
    match backup {
        FoundManifest::Missing => {}
        FoundManifest::Damaged => {
            error!("{BACKUP} is damaged: whether all files of this backup are there is not known");
        }
        FoundManifest::Backup(manifest) => {
            for (name, why) in manifest.missing(disk) {
                error!("{name}: {why}");
            }
            info!("a copy made by server backup is used from now on, and is no backup any more");
        }
    }
}

/// The names in a directory by whether they count.
pub struct Counting {
    /// Those that do.
    pub names: Vec<String>,
    /// Parts of which nothing can be read and that are not missed.
    pub unreadable_merges: Vec<Segments>,
    /// What is under names that no server has given it.
    pub strangers: Vec<String>,
}

/// Which of the names count: those that are not in vain.
pub fn names_that_count(
    disk: &dyn Disk,
    mut names: Vec<String>,
    list: Option<&FileList>,
) -> Counting {
    let unreadable_merges = unreadable_merges(disk, &names, list);
    let is_merge = |name: &str| matches!(FileName::parse(name), FileName::Part(part) if unreadable_merges.contains(&part));
    names.retain(|name| !is_merge(name));
    let strangers = strangers(disk, &names, list);
    let counts = |name: &String| !strangers.contains(name) && !is_in_vain(disk, name, &names, list);
    let counts: Vec<_> = names.iter().map(counts).collect();
    let names = names.into_iter().zip(counts);
    let names = names.filter_map(|(name, counts)| counts.then_some(name)).collect();
    Counting { names, unreadable_merges, strangers }
}

/// The segments whose points a file of this name holds.
pub fn segments_of(name: &str) -> Option<Segments> {
    match FileName::parse(name) {
        FileName::Part(segments) => Some(segments),
        FileName::Segment(id) => Some(id..=id),
        _ => None,
    }
}

/// What has the names of segments and parts, but numbers far behind all that the list of files and the
/// other files explain, and is no such file, or a directory: all between would be missing otherwise. Nothing
/// without a list, which would be older than the newest files after a crash, but not by so many.
fn strangers(disk: &dyn Disk, names: &[String], list: Option<&FileList>) -> Vec<String> {
    let Some(list) = list else { return Vec::new() };
    let files = names.iter().filter_map(|name| Some((name, segments_of(name)?)));
    let mut files: Vec<_> = files.collect();
    files.sort_by_key(|(_, segments)| *segments.start());
    let (mut newest, mut strangers) = (list.newest_segment, Vec::new());
    for (name, segments) in files {
        let is_far = *segments.end() > newest.saturating_add(MAX_UNLISTED);
        if !is_far || format::file_version(disk, name).is_some() {
            newest = newest.max(*segments.end());
        } else if !is_readable(disk, name)
            .is_err_and(|error| error.kind() != ErrorKind::IsADirectory)
        {
            strangers.push(name.clone());
        }
    }
    strangers
}

/// Keeps such a file under a name that never counts: later files may explain its number.
fn set_stranger_aside(disk: &dyn Disk, name: &str) {
    let kept = free_name(disk, name).and_then(|kept| disk.rename(name, &kept).map(|()| kept));
    match kept {
        Ok(kept) => error!("{name} is kept as {kept}: {STRANGER}"),
        Err(error) => error!(%error, "{name} is left alone: {STRANGER}"),
    }
}

fn is_readable(disk: &dyn Disk, name: &str) -> std::io::Result<()> {
    let file = disk.open(name)?;
    check_readable(&*file, file.length()?)
}

/// Whether a name of a part or a segment is that of something that can't be opened and does not count:
/// parts that are there hold what it would, or it is a directory and no list knows such a file.
fn is_in_vain(disk: &dyn Disk, name: &str, names: &[String], list: Option<&FileList>) -> bool {
    let Some(segments) = segments_of(name) else { return false };
    let Err(error) = is_readable(disk, name) else { return false };
    let is_within = |other: &String| {
        let FileName::Part(others) = FileName::parse(other) else { return false };
        other != name && segments.start() <= others.start() && others.end() <= segments.end()
    };
    let is_replaced = names.iter().any(is_within);
    let is_directory = error.kind() == ErrorKind::IsADirectory;
    let is_unknown = list.is_some_and(|list| list.newest_segment < *segments.start());
    let is_in_vain = is_replaced || is_directory && is_unknown;
    if is_in_vain {
        error!("{} is left alone: {error}", disk.whereabouts(name));
    }
    is_in_vain
}

/// Parts of which nothing can be read, beside parts that were merged into them: all of these are there, or a
/// list of files has others in their place and so says what is missing.
fn unreadable_merges(disk: &dyn Disk, names: &[String], list: Option<&FileList>) -> Vec<Segments> {
    let mut parts: Vec<_> = names
        .iter()
        .filter_map(|name| match FileName::parse(name) {
            FileName::Part(segments) => Some(segments),
            _ => None,
        })
        .collect();
    parts.sort_by_key(|range| (*range.start(), std::cmp::Reverse(*range.end())));
    let is_unreadable =
        |part: &Segments| Part::is_unreadable(disk, &FileName::Part(part.clone()).to_string());
    let mut found = Vec::new();
    for (at, merged) in parts.iter().enumerate() {
        let inputs = parts[at + 1..].iter().take_while(|part| part.start() <= merged.end());
        let inputs: Vec<_> = inputs.filter(|part| part.end() <= merged.end()).collect();
        let mut next = *merged.start();
        for input in &inputs {
            if *input.start() <= next {
                next = next.max(*input.end() + 1);
            }
        }
        let is_missed = next <= *merged.end() && !list.is_some_and(|list| list.has_others(merged));
        let is_input = |part: &&Segments| !is_unreadable(part).unwrap_or(true);
        if !inputs.is_empty()
            && !is_missed
            && is_unreadable(merged).unwrap_or(false)
            && inputs.iter().all(is_input)
        {
            found.push(merged.clone());
        }
    }
    found
}

/// Removes a part whose points are in a larger one; a crash prevented that after the merge.
fn remove_superseded(
    disk: &dyn Disk,
    range: Segments,
    parts: &[Segments],
) -> Result<(), OpenError> {
    let name = FileName::Part(range.clone());
    info!("checking and removing {name}: a larger part holds its points");
    let open = |part: &Segments| Part::open(disk, part.clone()).ok().map(|opened| opened.part);
    let larger = parts.iter().find(|part| part.contains(range.start())).and_then(open);
    let sound = open(&range).zip(larger).is_some_and(|(part, larger)| {
        // It may be back from a copy, and be what the larger part has lost.
        part.is_sound() && !part.has_any_of(larger.losses())
    });
    remove_or_quarantine(disk, &name, !sound).map_err(io("it can't be tidied up"))
}

/// Logs which files are missing between two that should follow each other. Answers whether any are.
pub fn report_missing(before: SegmentId, next: SegmentId) -> bool {
    if before + 1 < next {
        let range = before + 1..=next - 1;
        let (first, last) = (FileName::Segment(*range.start()), FileName::Segment(*range.end()));
        error!("missing: the files {first} to {last}, or parts such as {}", FileName::Part(range));
        return true;
    }
    false
}
