//! Whether a backup may be replaced: it never is by older files, by those of another data directory, or by
//! damaged ones.

use std::io;

use super::BackupError;
use super::copy_error::CopyError;
use super::refusal::Refusal;
use super::source_files::{SourceFiles, first_of, newest_segment};
use crate::store::local::disk::{Disk, DiskFile, window};
use crate::store::local::file_list::backup_manifest::{BackupManifest, Origin, Progress};
use crate::store::local::file_name::FileName;

/// Bytes at either end of a file that tell it from another one: its salt and the checksums of what is
/// between are in them.
const COMPARED: u64 = 1024;

/// Fails when the finished backup in `target`, with this manifest, is not an earlier state of the data
/// directory with these `files`.
///
/// # Errors
/// [`CopyError`].
pub fn check(
    source: &dyn Disk,
    files: &SourceFiles,
    origin: &Origin,
    target: &dyn Disk,
    before: &BackupManifest,
) -> Result<(), CopyError> {
    if before.progress == Progress::Copying {
        return Ok(());
    }
    match (before.origin.id, origin.id) {
        (Some(before), Some(id)) if before == id => {}
        (Some(_), Some(_)) => {
            return Err(Refusal::OfAnother(before.origin.place.clone()).into());
        }
        _ => return Err(Refusal::OfUnknown.into()),
    }
    let newest = newest_segment(before.files.iter().map(|(name, _)| name.as_str()));
    if newest > files.newest_segment() {
        return Err(Refusal::IsNewer { newest: FileName::Segment(newest) }.into());
    }
    for (name, length) in &before.files {
        let is_segment = matches!(FileName::parse(name), FileName::Segment(_));
        // One that was damaged when it was copied may be sound now.
        let is_to_be_same = is_segment && !before.damaged.contains(name);
        if is_to_be_same && files.names.contains(name) {
            let file = source.open(name);
            let is_other = file.and_then(|file| is_other(&*file, target, name, *length));
            let is_other = is_other.map_err(|error| BackupError::Unreadable(name.clone(), error));
            if is_other.map_err(CopyError::Source)? {
                return Err(Refusal::HasOther(name.clone()).into());
            }
        }
    }
    Ok(())
}

/// Fails when files are damaged that would replace sound ones.
///
/// # Errors
/// [`Refusal::IsSounder`].
pub fn check_damage(damaged: &[String], before: &BackupManifest) -> Result<(), CopyError> {
    let was_sound = |name: &&String| !before.damaged.contains(name);
    let damaged: Vec<_> = damaged.iter().filter(was_sound).cloned().collect();
    let has_copy = before.progress != Progress::Copying;
    if has_copy && !damaged.is_empty() {
        return Err(Refusal::IsSounder(first_of(&damaged)).into());
    }
    Ok(())
}

/// Whether a file of the store is not that of a backup, which had this length there.
fn is_other(file: &dyn DiskFile, target: &dyn Disk, name: &str, copied: u64) -> io::Result<bool> {
    if file.length()? != copied {
        return Ok(true);
    }
    // One that is missing or shorter in the backup is copied anew.
    let own = target.open(name).and_then(|own| Ok((own.length()?, own)));
    let Ok((length, own)) = own else { return Ok(false) };
    Ok(length == copied && !has_same_ends(file, &*own, copied)?)
}

/// Whether the target has this file: one of its name, length and salt.
pub fn has(target: &dyn Disk, file: &dyn DiskFile, name: &str, length: u64) -> bool {
    let compare = || -> io::Result<bool> {
        let own = target.open(name)?;
        Ok(own.length()? == length && has_same_ends(file, &*own, length)?)
    };
    compare().unwrap_or(false)
}

/// Whether two files of a length have the same first and last bytes.
fn has_same_ends(one: &dyn DiskFile, other: &dyn DiskFile, length: u64) -> io::Result<bool> {
    let count = COMPARED.min(length);
    for at in [0, length - count] {
        if window::read(one, at, count)? != window::read(other, at, count)? {
            return Ok(false);
        }
    }
    Ok(true)
}
