//! The files that a backup copies.

use std::fmt::Write;

use super::BackupError;
use crate::store::local::disk::{Disk, check_readable};
use crate::store::local::file_list::FileList;
use crate::store::local::file_name::{FileName, SegmentId};
use crate::store::local::recovery::inventory::{names_that_count, segments_of};
use crate::store::local::recovery::open_error::io;

/// Most files that a message names.
const MAX_NAMED: usize = 3;

/// What stands before the number of losses.
const LOSSES_PREFIX: &str = "losses ";

/// The parts and segments of a store, none of which grows or is removed meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFiles {
    /// Their names.
    pub names: Vec<String>,
    /// Which files the copy is to have; `None` for what FILES and FILES-COPY say.
    pub list: Option<FileList>,
    /// Places in the log where points are gone, as a server knows that uses it.
    pub losses: u64,
}

impl SourceFiles {
    /// The files of a directory that no server uses.
    ///
    /// # Errors
    /// [`BackupError`] when some of them are missing or can't be read.
    pub fn of_stopped(disk: &dyn Disk) -> Result<Self, BackupError> {
        let names = disk.list().map_err(io("it can't be read"))?;
        let list = FileList::read(disk);
        let mut names = names_that_count(disk, names, list.as_ref()).names;
        names.retain(|name| is_of_store(name));
        names.sort_unstable();
        for name in &names {
            let file = disk.open(name).and_then(|file| check_readable(&*file, file.length()?));
            file.map_err(|error| BackupError::Unreadable(name.clone(), error))?;
        }
        let files = Self { names, list: None, losses: 0 };
        files.check_complete(list.as_ref())?;
        Ok(files)
    }

    /// Fails when files are missing that a start would miss: of a copy without them, the copy before would be
    /// removed.
    ///
    /// # Errors
    /// [`BackupError::Incomplete`].
    pub fn check_complete(&self, list: Option<&FileList>) -> Result<(), BackupError> {
        let missing = self.missing(list);
        if missing.is_empty() {
            return Ok(());
        }
        Err(BackupError::Incomplete(first_of(&missing)))
    }

    /// The newest segment that is there or in a part; 0 for none.
    pub fn newest_segment(&self) -> SegmentId {
        newest_segment(self.names.iter().map(String::as_str))
    }

    /// Which files are missing, as far as the names and a list tell: each segment has to be there, or a part
    /// that holds its points.
    fn missing(&self, list: Option<&FileList>) -> Vec<String> {
        let mut present: Vec<_> = self.names.iter().filter_map(|name| segments_of(name)).collect();
        present.sort_unstable_by_key(|segments| *segments.start());
        let listed = list.map_or(0, |list| list.newest_segment);
        let end = self.newest_segment().max(listed).saturating_add(1);
        let (mut missing, mut next) = (Vec::new(), 1);
        for segments in present.into_iter().chain([end..=end]) {
            if next < *segments.start() {
                missing.extend(names_of_gap((next, *segments.start() - 1), list));
            }
            next = next.max(segments.end().saturating_add(1));
        }
        missing
    }

    /// As a server tells it: a line with the number of losses, one for each name, an empty line, and the
    /// list.
    pub fn encode(&self) -> String {
        let mut text = format!("{LOSSES_PREFIX}{}\n", self.losses);
        for name in &self.names {
            // Writing to memory can't fail.
            let _ = writeln!(text, "{name}");
        }
        text.push('\n');
        text.push_str(&self.list.as_ref().map(FileList::encode).unwrap_or_default());
        text
    }

    /// What a server told; `None` when it is something else.
    pub fn decode(text: &str) -> Option<Self> {
        let (lines, list) = text.split_once("\n\n")?;
        let mut lines = lines.lines();
        let losses = lines.next()?.strip_prefix(LOSSES_PREFIX)?.parse().ok()?;
        let names: Vec<_> = lines.map(str::to_owned).collect();
        let list = Some(FileList::decode(list.as_bytes())?);
        names.iter().all(|name| is_of_store(name)).then_some(Self { names, list, losses })
    }
}

/// The first names of many, for a message.
pub fn first_of(names: &[String]) -> String {
    let first = names[..names.len().min(MAX_NAMED)].join(", ");
    match names.len().checked_sub(MAX_NAMED) {
        None | Some(0) => first,
        Some(more) => format!("{first} and {more} more"),
    }
}

/// The parts that a list has between two segments, or else the segments.
fn names_of_gap((first, last): (SegmentId, SegmentId), known: Option<&FileList>) -> Vec<String> {
    let parts = known.into_iter().flat_map(|list| &list.parts).map(|(segments, _)| segments);
    let within = parts.filter(|part| *part.start() <= last && first <= *part.end());
    let mut names: Vec<_> = within.map(|part| FileName::Part(part.clone()).to_string()).collect();
    if names.is_empty() {
        names.push(match (FileName::Segment(first), FileName::Segment(last)) {
            (one, _) if first == last => one.to_string(),
            (first, last) => format!("{first} to {last}"),
        });
    }
    names
}

/// The newest segment that one of these files is or holds; 0 for none.
pub fn newest_segment<'n>(names: impl Iterator<Item = &'n str>) -> SegmentId {
    names.filter_map(segments_of).map(|segments| *segments.end()).max().unwrap_or(0)
}

fn is_of_store(name: &str) -> bool {
    matches!(FileName::parse(name), FileName::Part(_) | FileName::Segment(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::local::series::loss::Extent;

    #[test]
    fn what_a_server_tells_reads_back() {
        let part = Extent { first_series: 0, last_series: 3, from: -5, to: 7 };
        let parts = vec![(1..=3, part), (4..=4, Extent::EMPTY)];
        let list = Some(FileList { newest_segment: 6, series_end: 4, parts });
        let all = ["part-000000000001-000000000003", "log-000000000005", "log-000000000006"];
        for names in [&all[..], &all[..1], &[]] {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            let files = SourceFiles { names, list: list.clone(), losses: 2 };
            assert_eq!(SourceFiles::decode(&files.encode()), Some(files.clone()));
        }
        let files = SourceFiles { names: vec!["../secret".to_owned()], list, losses: 0 };
        assert_eq!(SourceFiles::decode(&files.encode()), None);
        for wrong in ["", "\n", "\n\n", "losses 0\n", "losses 0\n\n", "error\n\nno\n"] {
            assert_eq!(SourceFiles::decode(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn every_segment_is_there_or_in_a_part() {
        let parts = vec![(1..=3, Extent::EMPTY), (4..=4, Extent::EMPTY)];
        let list = FileList { newest_segment: 6, series_end: 4, parts };
        let (one, two) = ("part-000000000001-000000000003", "part-000000000004-000000000004");
        let (five, six) = ("log-000000000005", "log-000000000006");
        let merged = "part-000000000001-000000000004";
        for (names, listed, missing) in [
            (&[one, two, five, six][..], true, &[][..]),
            (&[merged, five, six], true, &[]),
            (&[merged, one, two, five, six, "log-000000000007"], true, &[]),
            (&[one, two, five], true, &[six]),
            (&[one, two, six], true, &[five]),
            (&[one, two], true, &["log-000000000005 to log-000000000006"]),
            (&[one, five, six], true, &[two]),
            (&[two, five, six], true, &[one]),
            (&[five, six], true, &[one, two]),
            (&[two, five, six], false, &["log-000000000001 to log-000000000003"]),
            (&[one, two, five], false, &[]),
            (&[], false, &[]),
        ] {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            let files = SourceFiles { names, list: None, losses: 0 };
            let list = listed.then_some(&list);
            assert_eq!(files.missing(list), missing, "{files:?}");
            assert_eq!(files.check_complete(list).is_ok(), missing.is_empty());
        }
    }
}
