//! The file FORMAT, which says that a directory is a store and of which version.

use std::io;

use tracing::{error, info};

use super::open_error::{OpenError, io};
use crate::store::local::disk::{Disk, window};
use crate::store::local::file_name::{
    FORMAT, FORMAT_PREFIX, FORMAT_VERSION, FileName, LOCK, UNFINISHED,
};
use crate::store::local::part::header as part;
use crate::store::local::wal::header as wal;

/// Length of the line with the version in bytes, and of the spaces behind it. What follows was never
/// read by a server that knows no check, so that it reads the version and not an invalid file.
const CHECKED_LENGTH: usize = 256;

/// What stands before the checksum, in the second line.
const CHECK_PREFIX: &str = "CRC32C of the 256 bytes before: ";

/// Bytes of a file that are looked at to tell its format: all headers of a segment.
const HEADER_LENGTH: u64 = wal::SegmentHeader::LENGTH as u64;

/// What a directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// Nothing; it may become a store.
    New,
    /// A store of this version.
    Store(u32),
    /// A store whose file FORMAT is missing, damaged, or of an older version than other files of it,
    /// which are of this one.
    Recognized(u32),
}

fn check_names(names: &[String]) -> Result<(), OpenError> {
    let unfinished = |name: &String| name == LOCK || *name == format!("{FORMAT}{UNFINISHED}");
    if names.iter().all(unfinished) { Ok(()) } else { Err(OpenError::Foreign) }
}

/// Checks what a directory is before anything is changed there.
///
/// # Errors
/// [`OpenError`] when it is not a store that this program knows and can't become one.
pub fn check(disk: &dyn Disk, names: &[String]) -> Result<Identity, OpenError> {
    let of_files = names.iter().filter_map(|name| file_version(disk, name)).max();
    let known = |found| {
        if found > FORMAT_VERSION { Err(OpenError::Newer { found }) } else { Ok(found) }
    };
    let of_files = of_files.map(known).transpose()?;
    if !names.iter().any(|name| name == FORMAT) {
        return match of_files {
            Some(version) => Ok(Identity::Recognized(version)),
            None => check_names(names).map(|()| Identity::New),
        };
    }
    let read = || {
        let file = disk.open(FORMAT)?;
        // The rest of a longer one does not matter.
        window::read(&*file, 0, file.length()?.min(2 * CHECKED_LENGTH as u64))
    };
    let text = match read() {
        Err(error) if of_files.is_some() => {
            error!("{} can't be read: {error}", disk.whereabouts(FORMAT));
            Vec::new()
        }
        text => text.map_err(io("its file FORMAT can't be read"))?,
    };
    match (decode(&text), of_files) {
        // Segments of versions 1 and 2 are alike.
        (Some(version), Some(of_files)) if of_files > version.max(2) => {
            Ok(Identity::Recognized(of_files))
        }
        (Some(version), _) => known(version).map(Identity::Store),
        (None, Some(version)) => Ok(Identity::Recognized(version)),
        (None, None) => Err(OpenError::BadFormat),
    }
}

/// The version that the header of a file says; `None` when it is no segment or part, or the header is
/// damaged.
pub fn file_version(disk: &dyn Disk, name: &str) -> Option<u32> {
    let kind = FileName::parse(name);
    if !matches!(kind, FileName::Segment(_) | FileName::Part(_)) {
        return None;
    }
    // What can't be read is met again, and told, when the file is used.
    let file = disk.open(name).ok()?;
    let length = file.length().ok()?.min(HEADER_LENGTH);
    let bytes = window::read(&*file, 0, length).ok()?;
    match kind {
        FileName::Segment(id) => wal::segment_version(&bytes, id),
        _ => part::part_version(&bytes),
    }
}

/// What the file holds.
fn encode(version: u32) -> String {
    let line = format!("{FORMAT_PREFIX}{version}");
    let checked = format!("{line:<width$}\n", width = CHECKED_LENGTH - 1);
    let checksum = crc32c::crc32c(checked.as_bytes());
    format!("{checked}{CHECK_PREFIX}{checksum:08x}\n")
}

/// The version; `None` when the file is damaged. Versions 1 and 2 have no check.
fn decode(bytes: &[u8]) -> Option<u32> {
    let text = str::from_utf8(bytes).ok()?;
    let first = text.get(..CHECKED_LENGTH).unwrap_or(text);
    let version = first.strip_prefix(FORMAT_PREFIX)?.trim_end().parse().ok()?;
    let is_sound = match version {
        0 => false,
        1 | 2 => text.len() <= CHECKED_LENGTH,
        _ => text == encode(version),
    };
    is_sound.then_some(version)
}

/// Makes a directory a store of the newest version, also one of an older version: from then on
/// there is no way back to an older server.
///
/// # Errors
/// When `FORMAT` may not be durable.
pub fn write(disk: &dyn Disk, found: Identity) -> io::Result<()> {
    match found {
        Identity::New => {}
        Identity::Store(FORMAT_VERSION) => return Ok(()),
        Identity::Store(version) => {
            info!("the directory becomes one of format {FORMAT_VERSION}; it had format {version}");
        }
        Identity::Recognized(version) => {
            error!(
                "{FORMAT} is missing, damaged or not that of these files; they are of format {version}, \
                 and it is written anew, for format {FORMAT_VERSION}"
            );
        }
    }
    let unfinished = format!("{FORMAT}{UNFINISHED}");
    let file = disk.create(&unfinished)?;
    file.write_all_at(encode(FORMAT_VERSION).as_bytes(), 0)?;
    file.sync()?;
    disk.rename(&unfinished, FORMAT)?;
    disk.sync_directory()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_damage_of_the_file_is_noticed() {
        let sound = encode(FORMAT_VERSION).into_bytes();
        assert_eq!(decode(&sound), Some(FORMAT_VERSION));
        for at in 0..sound.len() {
            for bit in 0..8 {
                let mut damaged = sound.clone();
                damaged[at] ^= 1 << bit;
                assert_eq!(decode(&damaged), None, "bit {bit} of byte {at}");
            }
            assert_eq!(decode(&sound[..at]), None, "cut at {at}");
        }
    }

    /// A server of format 2 took the first 256 bytes for the version, without the blanks at the end.
    #[test]
    fn a_server_without_the_check_reads_the_version() {
        let text = encode(4);
        let first = text.get(..CHECKED_LENGTH).unwrap();
        let version =
            first.strip_prefix(FORMAT_PREFIX).and_then(|rest| rest.trim_end().parse().ok());
        assert_eq!(version, Some(4));
        assert_eq!(decode(text.as_bytes()), Some(4));
    }

    #[test]
    fn older_versions_have_no_check() {
        for version in [1, 2] {
            assert_eq!(decode(format!("{FORMAT_PREFIX}{version}\n").as_bytes()), Some(version));
        }
        for text in
            ["", "hello", "metrics server data, format 0\n", "metrics server data, format 3\n"]
        {
            assert_eq!(decode(text.as_bytes()), None, "{text:?}");
        }
    }
}
