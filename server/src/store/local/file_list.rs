//! The file FILES, which says once more which files there are to be, and what their parts are about: so
//! that a start knows what is missing, also when that is the newest file. FILES-COPY says the same.

pub mod backup_manifest;
mod checked_text;

use std::fmt::Write;
use std::io;
use std::ops::RangeInclusive;

use super::disk::{Disk, window};
use super::file_name::{FILES, FILES_COPY, FileName, MAX_SEGMENT, SegmentId, UNFINISHED};
use super::part::Part;
use super::series::loss::Extent;
use super::series::series_index::SeriesId;

/// The first line.
const TITLE: &str = "files of a metrics server's data";

/// Longest file that is read: a thousand parts take a tenth.
const MAX_LENGTH: u64 = 1 << 20;

/// Which files there are to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileList {
    /// The newest segment that was begun; a part may hold it. 0 for none.
    pub newest_segment: SegmentId,
    /// All ids of series are below this.
    pub series_end: SeriesId,
    /// The parts, and what they are about.
    pub parts: Vec<(RangeInclusive<SegmentId>, Extent)>,
}

impl FileList {
    /// The names under which the list stands, in the order in which they are written.
    pub const NAMES: [&str; 2] = [FILES, FILES_COPY];

    /// A list of these parts.
    pub fn new<'p>(
        newest_segment: SegmentId,
        series_end: SeriesId,
        parts: impl IntoIterator<Item = &'p Part>,
    ) -> Self {
        let parts = parts.into_iter().map(|part| (part.segments().clone(), part.extent()));
        Self { newest_segment, series_end, parts: parts.collect() }
    }

    /// The list on the disk; `None` when it is missing or damaged in both places.
    pub fn read(disk: &dyn Disk) -> Option<Self> {
        Self::NAMES.into_iter().find_map(|name| Self::read_from(disk, name))
    }

    /// The places in which the list is damaged. Where it is missing only in the second one, nothing is: an
    /// earlier version or a crash has left it so.
    pub fn damaged(disk: &dyn Disk, names: &[String]) -> Vec<&'static str> {
        let [first, second] = Self::NAMES.map(|name| Self::read_from(disk, name).is_some());
        let is_there = names.iter().any(|name| name == FILES_COPY);
        let mut damaged = Vec::new();
        if !first {
            damaged.push(FILES);
        }
        if !second && (is_there || !first) {
            damaged.push(FILES_COPY);
        }
        damaged
    }

    /// The list in one of the places; `None` when it is missing or damaged there.
    fn read_from(disk: &dyn Disk, name: &str) -> Option<Self> {
        let file = disk.open(name).ok()?;
        let length = file.length().ok().filter(|&length| length <= MAX_LENGTH)?;
        Self::decode(&window::read(&*file, 0, length).ok()?)
    }

    /// The list that a file holds; `None` when it is damaged.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        decode(bytes)
    }

    /// Writes the list in both places. After a crash it may still be the one before, which is right too.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write(&self, disk: &dyn Disk) -> io::Result<()> {
        // The second also where the first can't be written.
        let [first, second] = Self::NAMES.map(|name| self.write_to(disk, name));
        first.and(second)
    }

    fn write_to(&self, disk: &dyn Disk, name: &str) -> io::Result<()> {
        let unfinished = format!("{name}{UNFINISHED}");
        self.write_as(disk, &unfinished).inspect_err(|_| {
            // It takes no room where there is none.
            let _ = disk.remove(&unfinished);
        })?;
        disk.rename(&unfinished, name)
    }

    fn write_as(&self, disk: &dyn Disk, name: &str) -> io::Result<()> {
        let file = disk.create(name)?;
        file.write_all_at(self.encode().as_bytes(), 0)?;
        file.sync()
    }

    /// Whether the list has other parts in place of one of these segments, without a hole to its newest part.
    pub fn has_others(&self, segments: &RangeInclusive<SegmentId>) -> bool {
        let mut next = *segments.start();
        for (part, _) in self.parts.iter().filter(|(part, _)| part.end() >= segments.start()) {
            if part == segments || *part.start() > next {
                return false;
            }
            next = part.end().saturating_add(1);
        }
        next > *segments.start()
    }

    /// What the parts of these segments were about; `None` when the list does not say it of all of them.
    pub fn extent(&self, segments: &RangeInclusive<SegmentId>) -> Option<Extent> {
        let mut extent = Extent::EMPTY;
        let mut next = *segments.start();
        for (part, about) in &self.parts {
            let is_apart = part.end() < segments.start() || segments.end() < part.start();
            if is_apart {
                continue;
            }
            if *part.start() > next {
                return None;
            }
            extent.extend(about);
            next = next.max(part.end().saturating_add(1));
        }
        (next > *segments.end()).then_some(extent)
    }

    /// What the file holds.
    pub fn encode(&self) -> String {
        let mut text = format!("{TITLE}\n");
        let newest = FileName::Segment(self.newest_segment);
        // Writing to memory can't fail.
        let _ = writeln!(text, "newest {newest}, series below {}", self.series_end);
        for (segments, extent) in &self.parts {
            let Extent { first_series, last_series, from, to } = extent;
            let name = FileName::Part(segments.clone());
            let _ = writeln!(text, "{name} series {first_series}-{last_series} times {from}..{to}");
        }
        checked_text::seal(&text)
    }
}

fn decode(bytes: &[u8]) -> Option<FileList> {
    let mut lines = checked_text::open(bytes, TITLE)?.lines();
    let (newest, end) = lines.next()?.strip_prefix("newest ")?.split_once(", series below ")?;
    let newest_segment = newest.strip_prefix("log-")?.parse().ok();
    let newest_segment = newest_segment.filter(|&newest| newest <= MAX_SEGMENT)?;
    let series_end = end.parse().ok()?;
    let parts = lines.map(|line| {
        let (name, extent) = line.split_once(" series ")?;
        let FileName::Part(segments) = FileName::parse(name) else { return None };
        let (series, times) = extent.split_once(" times ")?;
        let (first, last) = series.split_once('-')?;
        let (from, to) = times.split_once("..")?;
        let (first_series, last_series) = (first.parse().ok()?, last.parse().ok()?);
        let (from, to) = (from.parse().ok()?, to.parse().ok()?);
        Some((segments, Extent { first_series, last_series, from, to }))
    });
    let parts = parts.collect::<Option<_>>()?;
    Some(FileList { newest_segment, series_end, parts })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> FileList {
        let extent = Extent { first_series: 3, last_series: 9, from: -7, to: i64::MAX };
        let parts = vec![(1..=4, extent), (5..=5, Extent::EMPTY), (7..=9, Extent::of(1, (2, 3)))];
        FileList { newest_segment: 12, series_end: 17, parts }
    }

    #[test]
    fn every_damage_of_the_list_is_noticed() {
        let text = list().encode().into_bytes();
        assert_eq!(decode(&text), Some(list()));
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut damaged = text.clone();
                damaged[at] ^= 1 << bit;
                assert_eq!(decode(&damaged), None, "bit {bit} of byte {at}");
            }
            assert_eq!(decode(&text[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn numbers_that_no_segment_has_are_damage() {
        for (newest_segment, is_sound) in [(MAX_SEGMENT, true), (MAX_SEGMENT + 1, false)] {
            let list = FileList { newest_segment, ..list() };
            assert_eq!(decode(list.encode().as_bytes()), is_sound.then_some(list));
        }
    }

    #[test]
    fn it_has_others_in_place_of_a_part_it_does_not_have() {
        let mut list = list();
        assert!(!list.has_others(&(1..=5)), "there is a hole behind it");
        list.parts.pop();
        let cases = [
            (1..=5, true),
            (1..=120, true),
            (4..=9, true),
            (5..=9, true),
            (1..=4, false),
            (6..=9, false),
        ];
        for (segments, has_others) in cases {
            assert_eq!(list.has_others(&segments), has_others, "{segments:?}");
        }
        list.parts.clear();
        assert!(!list.has_others(&(1..=5)));
    }

    #[test]
    fn it_says_what_missing_parts_were_about() {
        let list = list();
        let mut both = list.parts[0].1;
        for (segments, extent) in [
            (1..=4, Some(both)),
            (2..=3, Some(both)),
            (1..=5, Some(both)),
            (5..=5, Some(Extent::EMPTY)),
            (5..=6, None),
            (6..=6, None),
            (6..=9, None),
            (8..=10, None),
        ] {
            assert_eq!(list.extent(&segments), extent, "{segments:?}");
        }
        both.extend(&list.parts[2].1);
        let merged =
            FileList { parts: vec![(1..=4, list.parts[0].1), (5..=9, list.parts[2].1)], ..list };
        assert_eq!(merged.extent(&(3..=9)), Some(both));
    }
}
