//! Whether a directory is a backup that can be used.

use super::open_error::{OpenError, io};
use crate::store::local::disk::Disk;
use crate::store::local::file_list::backup_manifest::{FoundManifest, Progress};
use crate::store::local::file_name::{BACKUP, FORMAT, UNFINISHED};

/// What the file BACKUP of a directory says.
///
/// # Errors
/// [`OpenError::Io`] when it can't be read.
pub fn read(disk: &dyn Disk) -> Result<FoundManifest, OpenError> {
    FoundManifest::read(disk).map_err(io("its file BACKUP can't be read"))
}

/// Refuses a directory that says that it is a backup and not finished.
///
/// # Errors
/// [`OpenError::UnfinishedBackup`] or [`OpenError::InterruptedBackup`]; [`OpenError::Io`] when it is not
/// known what it says.
pub fn check(disk: &dyn Disk) -> Result<(), OpenError> {
    match read(disk)? {
        FoundManifest::Backup(manifest) => match manifest.progress {
            Progress::Copying => Err(OpenError::UnfinishedBackup),
            Progress::Finishing => Err(OpenError::InterruptedBackup),
            Progress::Finished => Ok(()),
        },
        // One that had only just begun.
        FoundManifest::Missing
            if has(disk, &format!("{BACKUP}{UNFINISHED}")) && !has(disk, FORMAT) =>
        {
            Err(OpenError::UnfinishedBackup)
        }
        FoundManifest::Missing | FoundManifest::Damaged => Ok(()),
    }
}

fn has(disk: &dyn Disk, name: &str) -> bool {
    disk.open(name).is_ok()
}
