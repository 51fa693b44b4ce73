//! The file BACKUP, which says of a directory that it is a copy, whether that is finished, and of which
//! files it is made.

use std::fmt::Write;
use std::io;

use super::{FileList, checked_text};
use crate::store::local::directory_id::DirectoryId;
use crate::store::local::disk::{Disk, window};
use crate::store::local::file_name::{BACKUP, FORMAT, FileName, OPTIONS, UNFINISHED};

/// The first line.
const TITLE: &str = "backup of a metrics server's data";

/// What stands in place of the number of a data directory that has none.
const NO_ID: &str = "without a number";

/// What stands in place of the length of a file that is told of once more, because it is damaged.
const DAMAGED: &str = "damaged";

/// Longest file that is read: a hundred thousand files take a quarter.
const MAX_LENGTH: u64 = 16 << 20;

/// How far a backup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There is no copy yet.
    Copying,
    /// All files are there, some under unfinished names, and older ones besides.
    Finishing,
    /// All files are there, and no others.
    Finished,
}

/// The data directory that a backup is a copy of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its number; `None` when it had none.
    pub id: Option<DirectoryId>,
    /// The path at which it was, without control characters: for messages.
    pub place: String,
}

/// What a backup is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupManifest {
    /// How far it is.
    pub progress: Progress,
    /// The data directory.
    pub origin: Origin,
    /// The files and their lengths in bytes.
    pub files: Vec<(String, u64)>,
    /// Those that were damaged, or had lost points, when they were copied.
    pub damaged: Vec<String>,
}

/// What the file BACKUP of a directory says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundManifest {
    /// There is no such file.
    Missing,
    /// It is damaged.
    Damaged,
    /// The directory is a backup.
    Backup(BackupManifest),
}

impl FoundManifest {
    /// Reads the file of a directory.
    ///
    /// # Errors
    /// When it can't be read, so that it is not known what it says.
    pub fn read(disk: &dyn Disk) -> io::Result<Self> {
        let file = match disk.open(BACKUP) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::Missing),
            file => file?,
        };
        let length = file.length()?.min(MAX_LENGTH);
        let decoded = decode(&window::read(&*file, 0, length)?);
        Ok(decoded.map_or(Self::Damaged, Self::Backup))
    }
}

impl BackupManifest {
    /// Writes the file; it is durable when this answers `Ok`.
    ///
    /// # Errors
    /// When it may not be durable. The one before is as it was, or replaced by this one.
    pub fn write(&self, disk: &dyn Disk) -> io::Result<()> {
        let unfinished = format!("{BACKUP}{UNFINISHED}");
        let file = disk.create(&unfinished)?;
        file.write_all_at(self.encode().as_bytes(), 0)?;
        file.sync()?;
        drop(file);
        disk.rename(&unfinished, BACKUP)?;
        disk.sync_directory()
    }

    /// Its files that are missing in a directory or have another length, each with what is wrong.
    pub fn missing(&self, disk: &dyn Disk) -> Vec<(String, String)> {
        let wrong = |(name, length): &(String, u64)| {
            let why = match disk.open(name).and_then(|file| file.length()) {
                Ok(found) if found == *length => return None,
                Ok(found) => format!("has {found} bytes, and {length} in the backup"),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    "missing, and in the backup".to_owned()
                }
                Err(error) => format!("can't be opened: {error}"),
            };
            Some((name.clone(), why))
        };
        self.files.iter().filter_map(wrong).collect()
    }

    fn encode(&self) -> String {
        let Origin { id, place } = &self.origin;
        let id = id.map_or_else(|| NO_ID.to_owned(), |id| id.to_string());
        let mut text = format!("{TITLE}\ndirectory {id}\nat {place}\n{}\n", word(self.progress));
        for (name, length) in &self.files {
            // Writing to memory can't fail.
            let _ = writeln!(text, "{name} {length}");
        }
        for name in &self.damaged {
            let _ = writeln!(text, "{name} {DAMAGED}");
        }
        checked_text::seal(&text)
    }
}

fn word(progress: Progress) -> &'static str {
    match progress {
        Progress::Copying => "copying",
        Progress::Finishing => "finishing",
        Progress::Finished => "finished",
    }
}

fn decode(bytes: &[u8]) -> Option<BackupManifest> {
    let mut lines = checked_text::open(bytes, TITLE)?.lines();
    let id = match lines.next()?.strip_prefix("directory ")? {
        NO_ID => None,
        id => Some(id.parse().ok()?),
    };
    let place = lines.next()?.strip_prefix("at ")?.to_owned();
    let said = lines.next()?;
    let all = [Progress::Copying, Progress::Finishing, Progress::Finished];
    let progress = all.into_iter().find(|progress| word(*progress) == said)?;
    let (mut files, mut damaged) = (Vec::new(), Vec::new());
    for line in lines {
        let (name, length) = line.rsplit_once(' ')?;
        let is_of_store = matches!(FileName::parse(name), FileName::Part(_) | FileName::Segment(_))
            || matches!(name, FORMAT | OPTIONS)
            || FileList::NAMES.contains(&name);
        match length {
            _ if !is_of_store => return None,
            DAMAGED => damaged.push(name.to_owned()),
            length => files.push((name.to_owned(), length.parse().ok()?)),
        }
    }
    Some(BackupManifest { progress, origin: Origin { id, place }, files, damaged })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_damage_of_the_file_is_noticed() {
        let files = vec![
            ("part-000000000001-000000000003".to_owned(), 12_345),
            ("log-000000000004".to_owned(), 608),
            ("FORMAT".to_owned(), 297),
            ("FILES".to_owned(), 120),
            ("FILES-COPY".to_owned(), 120),
            ("OPTIONS".to_owned(), 40),
        ];
        for progress in [Progress::Copying, Progress::Finishing, Progress::Finished] {
            let id = "0123456789abcdef00112233445566ff".parse().unwrap();
            let origin = Origin { id: Some(id), place: "/var/lib/Meßwerte 1".to_owned() };
            let damaged = vec![files[0].0.clone(), "FORMAT".to_owned()];
            let manifest = BackupManifest { progress, origin, files: files.clone(), damaged };
            let text = manifest.encode().into_bytes();
            assert_eq!(decode(&text), Some(manifest.clone()));
            let origin = Origin { id: None, ..manifest.origin.clone() };
            let without = BackupManifest { origin, ..manifest };
            assert_eq!(decode(without.encode().as_bytes()), Some(without));
            for at in 0..text.len() {
                for bit in 0..8 {
                    let mut damaged = text.clone();
                    damaged[at] ^= 1 << bit;
                    assert_eq!(decode(&damaged), None, "bit {bit} of byte {at}");
                }
                assert_eq!(decode(&text[..at]), None, "cut at {at}");
            }
        }
    }

    /// Names decide what is renamed and removed.
    #[test]
    fn only_files_of_a_store_are_named() {
        for name in ["notes.txt", "../FORMAT", "LOCK", "BACKUP", "log-1", ""] {
            let files = vec![(name.to_owned(), 1)];
            let origin = Origin { id: None, place: String::new() };
            let damaged = Vec::new();
            let manifest = BackupManifest { progress: Progress::Finished, origin, files, damaged };
            assert_eq!(decode(manifest.encode().as_bytes()), None, "{name}");
            let (files, damaged) = (Vec::new(), vec![name.to_owned()]);
            let manifest = BackupManifest { files, damaged, ..manifest };
            assert_eq!(decode(manifest.encode().as_bytes()), None, "{name}");
        }
    }
}
