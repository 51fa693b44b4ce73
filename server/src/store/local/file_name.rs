//! Which files a data directory holds, by name. FORMAT.md describes what is in them.

use std::fmt;
use std::ops::RangeInclusive;

/// Number of a segment, a file of the write-ahead log, from 1 on. A part names the range of segments
/// whose points it holds.
pub type SegmentId = u64;

/// The greatest number of a segment. None comes so far: what has a greater one is a stranger, and none is
/// begun.
pub const MAX_SEGMENT: SegmentId = SegmentId::MAX / 2;

/// Name of the file whose lock keeps a second server off a directory.
pub const LOCK: &str = "LOCK";

/// Name of the file that says what this directory is.
pub const FORMAT: &str = "FORMAT";

/// Name of the file that says with which options the last start was made.
pub const OPTIONS: &str = "OPTIONS";

/// Name of the file that keeps room for what gives room back when the disk is full.
pub const RESERVE: &str = "RESERVE";

/// Name of the file that says once more which files there are to be.
pub const FILES: &str = "FILES";

/// Name of the file that says the same as [`FILES`], should that be lost together with the newest part.
pub const FILES_COPY: &str = "FILES-COPY";

/// Name of the file that says of what files a backup is made, and whether it is finished.
pub const BACKUP: &str = "BACKUP";

/// Name of the file that says how the running server is asked for a backup.
pub const CONTROL: &str = "CONTROL";

/// What [`FORMAT`] holds before the version number.
pub const FORMAT_PREFIX: &str = "metrics server data, format ";

/// The format that this program writes, and the newest that it reads.
pub const FORMAT_VERSION: u32 = 3;

/// Ends the names of files that are not finished; their contents do not count.
pub const UNFINISHED: &str = ".tmp";

/// Begins the names of quarantined files: they were replaced although not all of them could be
/// read. They are kept for the operator and never opened again.
pub const DAMAGED: &str = "damaged-";

/// The name of a file in a data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileName {
    /// A file of the write-ahead log.
    Segment(SegmentId),
    /// Points of these segments, first to last, merged and compressed.
    Part(RangeInclusive<SegmentId>),
    /// A file that was not finished, of any kind.
    Unfinished,
    /// [`FORMAT`], [`LOCK`], [`OPTIONS`], [`RESERVE`], [`FILES`], [`FILES_COPY`], [`BACKUP`],
    /// [`CONTROL`] or a quarantined file.
    Other,
    /// A file of something else.
    Foreign,
}

impl FileName {
    /// Reads a name.
    pub fn parse(name: &str) -> Self {
        if let Some(finished) = name.strip_suffix(UNFINISHED) {
            let kept = finished.strip_prefix(DAMAGED);
            // Of several with one name all but the first have a number behind it.
            let kept = kept.map(|kept| kept.split_once('.').map_or(kept, |(name, _)| name));
            let part = kept.unwrap_or(finished);
            let known =
                matches!(finished, FORMAT | OPTIONS | FILES | FILES_COPY | BACKUP | CONTROL)
                    || matches!(Self::parse(part), Self::Part(_))
                    || matches!(Self::parse(finished), Self::Segment(_));
            return if known { Self::Unfinished } else { Self::Foreign };
        }
        let is_known = matches!(
            name,
            FORMAT | LOCK | OPTIONS | RESERVE | FILES | FILES_COPY | BACKUP | CONTROL
        );
        if is_known || name.starts_with(DAMAGED) {
            return Self::Other;
        }
        let number = |text: &str| -> Option<SegmentId> {
            let number = text.parse().ok()?;
            let is_possible = (1..=MAX_SEGMENT).contains(&number);
            (is_possible && text == format!("{number:012}")).then_some(number)
        };
        let parsed = if let Some(log) = name.strip_prefix("log-") {
            number(log).map(Self::Segment)
        } else {
            name.strip_prefix("part-").and_then(|part| part.split_once('-')).and_then(
                |(first, last)| {
                    let range = number(first)?..=number(last)?;
                    (!range.is_empty()).then_some(Self::Part(range))
                },
            )
        };
        parsed.unwrap_or(Self::Foreign)
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Segment(segment) => write!(f, "log-{segment:012}"),
            Self::Part(range) => write!(f, "part-{:012}-{:012}", range.start(), range.end()),
            Self::Unfinished => f.write_str(UNFINISHED),
            Self::Other | Self::Foreign => f.write_str("?"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for name in [FileName::Segment(7), FileName::Part(1..=1), FileName::Part(3..=MAX_SEGMENT)] {
            assert_eq!(FileName::parse(&name.to_string()), name);
        }
        for beyond in [FileName::Segment(MAX_SEGMENT + 1), FileName::Part(3..=u64::MAX)] {
            assert_eq!(FileName::parse(&beyond.to_string()), FileName::Foreign);
        }
        for foreign in ["log-7", "log-000000000000", "part-000000000002-000000000001", "notes.txt"]
        {
            assert_eq!(FileName::parse(foreign), FileName::Foreign, "{foreign}");
        }
        let damaged_log = "damaged-log-000000000001.tmp";
        for foreign in ["notes.tmp", damaged_log, "LOCK.tmp", "FORMAT.tmp.tmp", ".tmp"] {
            assert_eq!(FileName::parse(foreign), FileName::Foreign, "{foreign}");
        }
        let copies = [
            "part-000000000001-000000000001.tmp",
            "log-000000000001.tmp",
            "damaged-part-000000000001-000000000001.tmp",
        ];
        let unfinished = [
            "FORMAT.tmp",
            "OPTIONS.tmp",
            "FILES.tmp",
            "FILES-COPY.tmp",
            "BACKUP.tmp",
            "CONTROL.tmp",
        ];
        for unfinished in unfinished.into_iter().chain(copies) {
            assert_eq!(FileName::parse(unfinished), FileName::Unfinished, "{unfinished}");
        }
        let second = "damaged-part-000000000001-000000000001.2";
        assert_eq!(FileName::parse(second), FileName::Other);
        assert_eq!(FileName::parse(&format!("{second}.tmp")), FileName::Unfinished);
        let others =
            ["FORMAT", "LOCK", "OPTIONS", "RESERVE", "FILES", "FILES-COPY", "BACKUP", "CONTROL"];
        for other in others {
            assert_eq!(FileName::parse(other), FileName::Other);
        }
    }
}
