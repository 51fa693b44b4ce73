//! How files get from a store into a backup.

use std::io;

use super::copy_error::CopyError;
use super::replacement;
use super::source_files::SourceFiles;
use super::target::finish;
use super::verification::damaged_files;
use super::{BackupError, BackupReport};
use crate::store::local::disk::{Disk, DiskFile, window};
use crate::store::local::file_list::FileList;
use crate::store::local::file_list::backup_manifest::{
    BackupManifest, FoundManifest, Origin, Progress,
};
use crate::store::local::file_name::{FORMAT, FileName, OPTIONS, UNFINISHED};
use crate::store::local::recovery::directory_id;

/// Bytes that are copied and synced at once. More would keep the syncs of a server that shares the disk
/// waiting.
const STEP: u64 = 1 << 20;

/// Copies files of `source`, the data directory at the path `place`, to `target`, which is empty or a
/// backup of it and has then these and no others. What it had stays as it is until all of them are durable
/// there. `link` gives a file of the source another name, in the target; what can't be linked is copied.
/// `keep` fails when the files of the source may be gone. Those that are new are read as a whole: damaged ones
/// come into a new backup only, and the report says which.
///
/// # Errors
/// [`CopyError`]; the target has what it had, or says that it is not finished.
pub fn copy(
    source: &dyn Disk,
    files: &SourceFiles,
    place: &str,
    target: &dyn Disk,
    link: &dyn Fn(&str, &str) -> io::Result<()>,
    keep: &mut dyn FnMut() -> io::Result<()>,
) -> Result<BackupReport, CopyError> {
    let id = directory_id(source).map_err(|error| CopyError::Source(error.into()))?;
    let origin = Origin { id, place: place.to_owned() };
    let before = begin(target, &origin).map_err(CopyError::Target)?;
    let report = BackupReport::default();
    let (healed, files_of_backup) = (Vec::new(), Vec::new());
    let mut copying = Copying {
        source,
        target,
        link,
        keep,
        can_link: true,
        report,
        healed,
        files: files_of_backup,
    };
    replacement::check(source, files, &origin, target, &before)?;
    copying.verify(files, &before)?;
    let copied = copying.copy_all(files);
    let Copying { report, files, .. } = copying;
    if let Err(error) = copied {
        // Room that was taken goes back; what stays is removed by the next one.
        let _ = remove_unfinished(target);
        return Err(error);
    }
    let is_copied = |name: &&String| files.iter().any(|(copied, _)| copied == *name);
    let damaged = report.damaged.iter().filter(is_copied).cloned().collect();
    let manifest = BackupManifest { progress: Progress::Finishing, origin, files, damaged };
    if let Err(error) = manifest.write(target) {
        // Once it says so, they are what the backup is made of.
        let found = FoundManifest::read(target);
        if found.is_ok_and(|found| found != FoundManifest::Backup(manifest)) {
            let _ = remove_unfinished(target);
        }
        return Err(CopyError::Target(error));
    }
    finish(target, &manifest).map_err(CopyError::Target)?;
    Ok(report)
}

/// Finishes or tidies up what the backup before has left. Answers what that is.
fn begin(target: &dyn Disk, origin: &Origin) -> io::Result<BackupManifest> {
    let before = match FoundManifest::read(target)? {
        FoundManifest::Backup(manifest) => {
            if manifest.progress == Progress::Finishing {
                finish(target, &manifest)?;
            }
            manifest
        }
        FoundManifest::Damaged => {
            return Err(io::Error::other("its file BACKUP is damaged"));
        }
        FoundManifest::Missing => {
            let (progress, origin) = (Progress::Copying, origin.clone());
            let (files, damaged) = (Vec::new(), Vec::new());
            let manifest = BackupManifest { progress, origin, files, damaged };
            manifest.write(target)?;
            manifest
        }
    };
    remove_unfinished(target)?;
    Ok(before)
}

fn remove_unfinished(target: &dyn Disk) -> io::Result<()> {
    for name in target.list()? {
        if FileName::parse(&name) == FileName::Unfinished {
            target.remove(&name)?;
        }
    }
    Ok(())
}

struct Copying<'c> {
    source: &'c dyn Disk,
    target: &'c dyn Disk,
    link: &'c dyn Fn(&str, &str) -> io::Result<()>,
    keep: &'c mut dyn FnMut() -> io::Result<()>,
    can_link: bool,
    report: BackupReport,
    /// Files that are damaged in the target, and sound now.
    healed: Vec<String>,
    /// The files of the backup so far, and their lengths.
    files: Vec<(String, u64)>,
}

impl Copying<'_> {
    fn copy_all(&mut self, files: &SourceFiles) -> Result<(), CopyError> {
        for name in &files.names {
            self.keep()?;
            self.add(name, true)?;
        }
        self.add_if_there(OPTIONS)?;
        match &files.list {
            Some(list) => self.write_lists(list).map_err(CopyError::Target)?,
            None => FileList::NAMES.iter().try_for_each(|name| self.add_if_there(name))?,
        }
        self.add_if_there(FORMAT)?;
        self.target.sync_directory().map_err(CopyError::Target)?;
        // Nothing of it was removed or replaced so far.
        self.keep()
    }

    /// Looks whether the files are sound that the target does not have.
    fn verify(&mut self, files: &SourceFiles, before: &BackupManifest) -> Result<(), CopyError> {
        let mut new = Vec::new();
        for name in &files.names {
            let file = self.source.open(name).map_err(|error| self.unreadable(name, error))?;
            let length = file.length().map_err(|error| self.unreadable(name, error))?;
            // One that was damaged may be sound again.
            let is_had = replacement::has(self.target, &*file, name, length);
            if !is_had || before.damaged.contains(name) {
                new.push(name.as_str());
            }
        }
        let source = self.source;
        let damaged = damaged_files(source, files, &new, &mut || self.keep())?;
        // What is gone is not damaged.
        self.keep()?;
        replacement::check_damage(&damaged, before)?;
        self.healed =
            before.damaged.iter().filter(|name| !damaged.contains(name)).cloned().collect();
        self.report.damaged = damaged;
        Ok(())
    }

    fn keep(&mut self) -> Result<(), CopyError> {
        (self.keep)().map_err(|error| CopyError::Source(BackupError::of_server(error)))
    }

    /// The error of a read of a file; that the server is gone, if that is so.
    fn unreadable(&mut self, name: &str, error: io::Error) -> CopyError {
        match self.keep() {
            Err(gone) => gone,
            Ok(()) => CopyError::Source(BackupError::Unreadable(name.to_owned(), error)),
        }
    }

    /// Adds a file that not every store has. It is small, and another file takes its name now and then.
    fn add_if_there(&mut self, name: &str) -> Result<(), CopyError> {
        match self.source.open(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            _ => self.add(name, false),
        }
    }

    fn add(&mut self, name: &str, may_link: bool) -> Result<(), CopyError> {
        let file = self.source.open(name).map_err(|error| self.unreadable(name, error))?;
        let length = file.length().map_err(|error| self.unreadable(name, error))?;
        let is_healed = self.healed.iter().any(|healed| healed == name);
        if !is_healed && replacement::has(self.target, &*file, name, length) {
            self.report.left += 1;
        } else if may_link {
            // On Windows the name of a link that failed is only free when the file is closed.
            drop(file);
            if self.link(name).map_err(CopyError::Target)? {
                self.report.linked += 1;
            } else {
                let file = self.source.open(name).map_err(|error| self.unreadable(name, error))?;
                self.copy_bytes(&*file, name, length)?;
            }
        } else {
            self.copy_bytes(&*file, name, length)?;
        }
        self.note(name, length);
        Ok(())
    }

    fn note(&mut self, name: &str, length: u64) {
        self.report.bytes += length;
        self.files.push((name.to_owned(), length));
    }

    /// Links a file. Answers whether that is possible; nothing has the unfinished name when not.
    fn link(&mut self, name: &str) -> io::Result<bool> {
        if !self.can_link {
            return Ok(false);
        }
        let unfinished = format!("{name}{UNFINISHED}");
        if let Err(error) = (self.link)(name, &unfinished) {
            // A symbolic link says nothing of the other files.
            self.can_link = error.kind() == io::ErrorKind::InvalidInput;
            // A link over a network may be made and fail all the same: what was written under this name would
            // be written into the file of the server.
            return match self.target.remove(&unfinished) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(false),
            };
        }
        // A log of a server that was killed may not be durable yet.
        self.target.open(&unfinished)?.sync()?;
        Ok(true)
    }

    fn copy_bytes(
        &mut self,
        file: &dyn DiskFile,
        name: &str,
        length: u64,
    ) -> Result<(), CopyError> {
        let copy = self.target.create(&format!("{name}{UNFINISHED}")).map_err(CopyError::Target)?;
        let mut at = 0;
        while at < length {
            let count = STEP.min(length - at);
            let bytes = window::read(file, at, count);
            let bytes = bytes.map_err(|error| self.unreadable(name, error))?;
            copy.write_all_at(&bytes, at).map_err(CopyError::Target)?;
            copy.sync().map_err(CopyError::Target)?;
            self.keep()?;
            at += count;
        }
        copy.sync().map_err(CopyError::Target)?;
        self.report.copied += 1;
        self.report.copied_bytes += length;
        Ok(())
    }

    fn write_lists(&mut self, list: &FileList) -> io::Result<()> {
        let text = list.encode();
        for name in FileList::NAMES {
            let file = self.target.create(&format!("{name}{UNFINISHED}"))?;
            file.write_all_at(text.as_bytes(), 0)?;
            file.sync()?;
            self.report.copied += 1;
            self.report.copied_bytes += text.len() as u64;
            self.note(name, text.len() as u64);
        }
        Ok(())
    }
}
