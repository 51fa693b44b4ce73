//! The directory that a backup is in.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use super::BackupError;
use crate::store::local::disk::Disk;
use crate::store::local::disk::directory::Directory;
use crate::store::local::file_list::FileList;
use crate::store::local::file_list::backup_manifest::{BackupManifest, FoundManifest, Progress};
use crate::store::local::file_name::{BACKUP, FileName, LOCK, OPTIONS, UNFINISHED};
use crate::store::local::recovery::open_error::{OpenError, io};
use crate::store::local::recovery::{backup_state, data_directory};

/// A directory for a backup, locked.
#[derive(Debug)]
pub struct Target {
    directory: Directory,
}

impl Target {
    /// Whether there may be a backup at `path`. Changes nothing.
    ///
    /// # Errors
    /// [`BackupError`] when not.
    pub fn check(path: &Path) -> Result<(), BackupError> {
        match Directory::find(path).map_err(BackupError::of_target(path))? {
            Some(directory) => Self::check_content(&directory, path),
            None => Ok(()),
        }
    }

    fn check_content(directory: &Directory, path: &Path) -> Result<(), BackupError> {
        let names = directory.list().map_err(BackupError::of_target(path))?;
        let unfinished = format!("{BACKUP}{UNFINISHED}");
        let is_empty = names.iter().all(|name| name == LOCK || *name == unfinished);
        let found = FoundManifest::read(directory).map_err(BackupError::of_target(path))?;
        let is_backup = matches!(found, FoundManifest::Backup(_));
        if is_empty || is_backup {
            return Ok(());
        }
        Err(if directory.is_in_use() {
            BackupError::TargetInUse(path.to_owned())
        } else {
            BackupError::NotABackup(path.to_owned())
        })
    }

    /// Opens the directory at `path`, or makes it.
    ///
    /// # Errors
    /// [`BackupError`] when there may be no backup, or the directory is in use.
    pub fn open(path: &Path) -> Result<Self, BackupError> {
        let on_target = BackupError::of_target(path);
        let found = Directory::find(path).map_err(&on_target)?;
        let made = found.map_or_else(|| Directory::make(path), Ok);
        let mut directory = made.map_err(&on_target)?;
        Self::check_content(&directory, path)?;
        directory.lock().map_err(&on_target)?;
        // What it was may have changed before it was locked.
        Self::check_content(&directory, path)?;
        Ok(Self { directory })
    }

    /// The directory.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }
}

/// Gives all files of a backup their names, then removes those that it does not have any more. Doing it
/// twice is the same as once.
///
/// # Errors
/// When it has to be done again. Nothing is removed or replaced as long as one of its files is missing.
pub fn finish(target: &dyn Disk, manifest: &BackupManifest) -> io::Result<()> {
    let names: BTreeSet<_> = target.list()?.into_iter().collect();
    let mut to_rename = Vec::new();
    for (name, length) in &manifest.files {
        let unfinished = format!("{name}{UNFINISHED}");
        let is_unfinished = names.contains(&unfinished);
        let file = target.open(if is_unfinished { &unfinished } else { name });
        let found = file.and_then(|file| file.length()).map_err(|error| {
            io::Error::new(error.kind(), format!("{name} of the backup: {error}"))
        })?;
        if found != *length {
            let what = format!("{name} has {found} bytes in the backup and should have {length}");
            return Err(io::Error::other(what));
        }
        if is_unfinished {
            to_rename.push((unfinished, name));
        }
    }
    for (unfinished, name) in to_rename {
        target.rename(&unfinished, name)?;
    }
    target.sync_directory()?;
    let listed: BTreeSet<_> = manifest.files.iter().map(|(name, _)| name).collect();
    for name in names.iter().filter(|name| !listed.contains(name)) {
        let is_of_backup =
            matches!(FileName::parse(name), FileName::Part(_) | FileName::Segment(_))
                || *name == OPTIONS
                || FileList::NAMES.contains(&name.as_str());
        if is_of_backup {
            target.remove(name)?;
        }
    }
    BackupManifest { progress: Progress::Finished, ..manifest.clone() }.write(target)
}

/// Finishes a backup all files of which are there, but not all under their names; leaves others as they
/// are. Answers whether it was one.
///
/// # Errors
/// [`OpenError`] when it is in use or can't be written.
pub fn finish_interrupted(mut directory: Directory) -> Result<bool, OpenError> {
    let interrupted = |directory: &Directory| -> Result<Option<BackupManifest>, OpenError> {
        Ok(match backup_state::read(directory)? {
            FoundManifest::Backup(manifest) if manifest.progress == Progress::Finishing => {
                Some(manifest)
            }
            _ => None,
        })
    };
    if interrupted(&directory)?.is_none() {
        return Ok(false);
    }
    let is_allowed = directory.keep_ownership(Some(BACKUP)).map_err(io("it can't be read"))?;
    if !is_allowed {
        return Err(OpenError::OfAnother(directory.whereabouts(BACKUP)));
    }
    data_directory::lock(&mut directory)?;
    let Some(manifest) = interrupted(&directory)? else { return Ok(false) };
    finish(&directory, &manifest).map_err(io("the backup can't be finished"))?;
    Ok(true)
}
