//! Whether a directory is a backup that can be used.

use super::open_error::{OpenError, io};
use crate::store::local::disk::Disk;
use crate::store::local::file_list::backup_manifest::{FoundManifest, Progress};
use crate::store::local::file_name::{BACKUP, FORMAT, FileName, UNFINISHED};

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
/// [`OpenError::UnfinishedBackup`] or [`OpenError::InterruptedBackup`]; [`OpenError::DamagedBackup`] when that
/// is not known of files that a start would remove; [`OpenError::Io`] when it can't be read what it says.
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
        FoundManifest::Missing => Ok(()),
        FoundManifest::Damaged => {
            let names = disk.list().map_err(io("it can't be read"))?;
            match names.into_iter().find(|name| is_unfinished_data(name)) {
                Some(name) => Err(OpenError::DamagedBackup(name)),
                None => Ok(()),
            }
        }
    }
}

/// Whether a file may be a part or a segment that has not got its name yet.
fn is_unfinished_data(name: &str) -> bool {
    let finished = name.strip_suffix(UNFINISHED).map(FileName::parse);
    matches!(finished, Some(FileName::Part(_) | FileName::Segment(_)))
}

fn has(disk: &dyn Disk, name: &str) -> bool {
    disk.open(name).is_ok()
}
