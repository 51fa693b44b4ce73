//! Files that are no longer needed.

use std::io;

use tracing::error;

use super::Disk;
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

/// Like [`remove_or_quarantine`]; a failure is logged. The next start does it then.
pub fn release(disk: &dyn Disk, name: &FileName, damaged: bool) {
    if let Err(error) = remove_or_quarantine(disk, name, damaged) {
        error!(%error, "can't remove {name}");
    }
}
