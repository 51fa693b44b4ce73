//! The file FORMAT, which says that a directory is a store and of which version.

use std::io;

use tracing::{error, info};

use super::open_error::{OpenError, io};
use crate::store::local::directory_id::DirectoryId;
use crate::store::local::disk::{Disk, is_full, window};
use crate::store::local::file_name::{
    FORMAT, FORMAT_PREFIX, FORMAT_VERSION, FileName, LOCK, UNFINISHED,
};
use crate::store::local::part::header as part;
use crate::store::local::wal::header as wal;

/// Length of the line with the version in bytes, and of the spaces behind it. What follows was never
/// read by a server that knows no check, so that it reads the version and not an invalid file.
const CHECKED_LENGTH: usize = 256;

/// Longest file that is valid, in bytes.
const MAX_LENGTH: u64 = 512;

/// What stands before the number of the directory, in a line of its own.
const ID_PREFIX: &str = "directory ";

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
    let text = match read(disk) {
        Err(error) if of_files.is_some() => {
            error!("{} can't be read: {error}", disk.whereabouts(FORMAT));
            Vec::new()
        }
        text => text.map_err(io("its file FORMAT can't be read"))?,
    };
    match (decode(&text).map(|(version, _)| version), of_files) {
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

/// The number of a directory; `None` when its file FORMAT has none: it is missing, damaged or of an older
/// version.
///
/// # Errors
/// When the file can't be read, so that it is not known.
pub fn read_id(disk: &dyn Disk) -> io::Result<Option<DirectoryId>> {
    match read(disk) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        text => Ok(decode(&text?).and_then(|(_, id)| id)),
    }
}

/// The bytes of the file. The rest of a longer one does not matter.
fn read(disk: &dyn Disk) -> io::Result<Vec<u8>> {
    let file = disk.open(FORMAT)?;
    window::read(&*file, 0, file.length()?.min(MAX_LENGTH))
}

/// What the file holds.
fn encode(version: u32, id: Option<DirectoryId>) -> String {
    let line = format!("{FORMAT_PREFIX}{version}");
    let id = id.map(|id| format!("{ID_PREFIX}{id}\n")).unwrap_or_default();
    let text = format!("{line:<width$}\n{id}", width = CHECKED_LENGTH - 1);
    let (length, checksum) = (text.len(), crc32c::crc32c(text.as_bytes()));
    format!("{text}CRC32C of the {length} bytes before: {checksum:08x}\n")
}

/// The version and the number of the directory; `None` when the file is damaged. Versions 1 and 2 have no
/// number and no check.
fn decode(bytes: &[u8]) -> Option<(u32, Option<DirectoryId>)> {
    let text = str::from_utf8(bytes).ok()?;
    let (first, rest) = text.split_at_checked(CHECKED_LENGTH).unwrap_or((text, ""));
    let version = first.strip_prefix(FORMAT_PREFIX)?.trim_end().parse().ok()?;
    let id = rest.strip_prefix(ID_PREFIX).and_then(|rest| rest.get(..DirectoryId::LENGTH));
    let id = id.map(str::parse).transpose().ok()?;
    let is_sound = match version {
        0 => false,
        1 | 2 => text.len() <= CHECKED_LENGTH,
        _ => text == encode(version, id),
    };
    is_sound.then_some((version, id))
}

/// Makes a directory a store of the newest version, also one of an older version: from then on
/// there is no way back to an older server. One without a number, or with that of the directory of which it
/// `is_copy`, gets its own.
///
/// # Errors
/// When `FORMAT` may not be durable.
pub fn write(disk: &dyn Disk, found: Identity, is_copy: bool) -> io::Result<()> {
    let is_current = found == Identity::Store(FORMAT_VERSION);
    if is_current && !is_copy && read_id(disk)?.is_some() {
        return Ok(());
    }
    match found {
        Identity::New | Identity::Store(FORMAT_VERSION) => {}
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
    match write_anew(disk) {
        // It has a number after the next start.
        Err(error) if is_current && !is_copy && is_full(&error) => Ok(()),
        written => written,
    }
}

/// Writes the file with another number: from then on the directory is another one than that of earlier backups.
///
/// # Errors
/// When it may not be durable.
pub fn write_anew(disk: &dyn Disk) -> io::Result<()> {
    let id = DirectoryId::draw(disk)?;
    let unfinished = format!("{FORMAT}{UNFINISHED}");
    let write = || {
        let file = disk.create(&unfinished)?;
        file.write_all_at(encode(FORMAT_VERSION, Some(id)).as_bytes(), 0)?;
        file.sync()
    };
    write().inspect_err(|_| {
        // It takes no room where there is none.
        let _ = disk.remove(&unfinished);
    })?;
    disk.rename(&unfinished, FORMAT)?;
    disk.sync_directory()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> [Option<DirectoryId>; 2] {
        [None, Some("0123456789abcdef00112233445566ff".parse().unwrap())]
    }

    #[test]
    fn every_damage_of_the_file_is_noticed() {
        for id in ids() {
            let sound = encode(FORMAT_VERSION, id).into_bytes();
            assert!(sound.len() as u64 <= MAX_LENGTH);
            assert_eq!(decode(&sound), Some((FORMAT_VERSION, id)));
            for at in 0..sound.len() {
                for bit in 0..8 {
                    let mut damaged = sound.clone();
                    damaged[at] ^= 1 << bit;
                    assert_eq!(decode(&damaged), None, "bit {bit} of byte {at}");
                }
                assert_eq!(decode(&sound[..at]), None, "cut at {at}");
            }
        }
    }

    /// A server of format 2 took the first 256 bytes for the version, without the blanks at the end.
    #[test]
    fn a_server_without_the_check_reads_the_version() {
        let text = encode(4, ids()[1]);
        let first = text.get(..CHECKED_LENGTH).unwrap();
        let version =
            first.strip_prefix(FORMAT_PREFIX).and_then(|rest| rest.trim_end().parse().ok());
        assert_eq!(version, Some(4));
        assert_eq!(decode(text.as_bytes()), Some((4, ids()[1])));
    }

    #[test]
    fn older_versions_have_no_check() {
        for version in [1, 2] {
            assert_eq!(
                decode(format!("{FORMAT_PREFIX}{version}\n").as_bytes()),
                Some((version, None))
            );
        }
        for text in
            ["", "hello", "metrics server data, format 0\n", "metrics server data, format 3\n"]
        {
            assert_eq!(decode(text.as_bytes()), None, "{text:?}");
        }
    }
}
