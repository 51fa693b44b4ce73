//! Files that are no longer needed.

use std::io;

use tracing::error;

use super::Disk;
use super::removed_files::RemovedFile;
use crate::store::local::file_name::{DAMAGED, FileName};

/// Removes a file that another one replaces. A damaged one is renamed instead, so that what it
/// holds is not lost for good.
///
/// # Errors
/// When the file stays under its name.
pub fn remove_or_quarantine(disk: &dyn Disk, name: &FileName, damaged: bool) -> io::Result<()> {
    let name = name.to_string();
    if damaged { disk.rename(&name, &format!("{DAMAGED}{name}")) } else { disk.remove(&name) }
}

/// Like [`remove_or_quarantine`]; a failure is logged. The next start does it then. Answers what was
/// removed and still takes room; `is_read` as for [`RemovedFile::open`].
pub fn release(
    disk: &dyn Disk,
    name: &FileName,
    damaged: bool,
    is_read: impl Fn() -> bool + Send + 'static,
) -> Option<RemovedFile> {
    let room = if damaged { None } else { RemovedFile::open(disk, &name.to_string(), is_read) };
    match remove_or_quarantine(disk, name, damaged) {
        Ok(()) => room,
        Err(error) => {
            error!(%error, "can't remove {name}");
            None
        }
    }
}
