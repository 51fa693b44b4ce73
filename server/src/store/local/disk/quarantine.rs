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
    if damaged { disk.rename(&name, &free_name(disk, &name)?) } else { disk.remove(&name) }
}

/// A name to keep a damaged file under that no file has: an earlier one may have had the same name.
///
/// # Errors
/// When the names can't be read.
pub fn free_name(disk: &dyn Disk, name: &str) -> io::Result<String> {
    let names = disk.list()?;
    let first = format!("{DAMAGED}{name}");
    let (mut free, mut number) = (first.clone(), 1_u64);
    while names.contains(&free) {
        number += 1;
        free = format!("{first}.{number}");
    }
    Ok(free)
}

/// The names under which damaged files of a name are kept.
///
/// # Errors
/// When the names can't be read.
pub fn kept_names(disk: &dyn Disk, name: &str) -> io::Result<Vec<String>> {
    let mut names = disk.list()?;
    let first = format!("{DAMAGED}{name}");
    let is_of_name = |kept: &str| {
        let number = kept.strip_prefix(&first);
        number.is_some_and(|number| {
            number
                .strip_prefix('.')
                .map_or(number.is_empty(), |number| number.parse::<u64>().is_ok())
        })
    };
    names.retain(|kept| is_of_name(kept));
    Ok(names)
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
