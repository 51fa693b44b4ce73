//! Which files of a data directory count, by their names.

use std::ops::RangeInclusive;

use tracing::{error, info, warn};

use super::format::{self, Identity};
use super::open_error::{OpenError, io};
use crate::store::local::disk::Disk;
use crate::store::local::disk::quarantine::remove_or_quarantine;
use crate::store::local::file_name::{FileName, SegmentId};
use crate::store::local::part::Part;

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
    let names = disk.list().map_err(io("it can't be read"))?;
    let identity = format::check(disk, &names)?;
    let mut found = Inventory::sort(&names)?;
    found.are_unsalted = matches!(identity, Identity::Store(1 | 2));
    for name in std::mem::take(&mut found.foreign) {
        warn!("{name} is none of the server's files; it is left alone");
    }
    // A process that was killed may have left names that are not durable yet. What they replace is
    // removed below.
    disk.sync_directory().map_err(io("it can't be synced"))?;
    for name in std::mem::take(&mut found.unfinished) {
        disk.remove(&name).map_err(io("it can't be tidied up"))?;
    }
    for range in std::mem::take(&mut found.superseded) {
        remove_superseded(disk, range)?;
    }
    // Before any file that an older server would misread.
    format::write(disk, identity).map_err(io("it can't be set up"))?;
    Ok(found)
}

/// Removes a part whose points are in a larger one; a crash prevented that after the merge.
fn remove_superseded(disk: &dyn Disk, range: Segments) -> Result<(), OpenError> {
    let name = FileName::Part(range.clone());
    info!("checking and removing {name}: a larger part holds its points");
    let sound = Part::open(disk, range).is_ok_and(|opened| opened.part.is_sound());
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
