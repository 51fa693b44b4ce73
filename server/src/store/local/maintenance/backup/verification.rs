//! Whether the files that a backup would take from a store are sound.

use super::BackupError;
use super::copy_error::CopyError;
use super::source_files::SourceFiles;
use crate::store::local::disk::Disk;
use crate::store::local::file_list::FileList;
use crate::store::local::file_name::{FILES, FORMAT, FileName};
use crate::store::local::part::Part;
use crate::store::local::recovery::open_error::io;
use crate::store::local::recovery::sound_format;
use crate::store::local::wal::segment;

/// Bytes that are read before the server is asked once more whether it keeps the files.
const STEP: u64 = 1 << 20;

/// What the log of a server is called that knows of losses in it.
const LOG: &str = "the log";

/// Which of the files with these `names`, and of what all files of the store are told by, are damaged or have
/// lost points. Reads all of them.
///
/// # Errors
/// [`CopyError::Source`] when the directory can't be read, or the first error of `keep`.
pub fn damaged_files(
    source: &dyn Disk,
    files: &SourceFiles,
    names: &[&str],
    keep: &mut dyn FnMut() -> Result<(), CopyError>,
) -> Result<Vec<String>, CopyError> {
    let mut damaged = Vec::new();
    for name in names {
        keep()?;
        let is_sound = match FileName::parse(name) {
            FileName::Segment(id) => !segment::is_damaged_or_cut(source, id),
            FileName::Part(segments) => match Part::open(source, segments) {
                Ok(opened) => is_part_sound(&opened.part, keep)?,
                Err(_) => false,
            },
            _ => true,
        };
        if !is_sound {
            damaged.push((*name).to_owned());
        }
    }
    if files.losses > 0 {
        damaged.push(LOG.to_owned());
    }
    damaged.extend(damaged_texts(source, files)?.into_iter().map(str::to_owned));
    Ok(damaged)
}

fn is_part_sound(
    part: &Part,
    keep: &mut dyn FnMut() -> Result<(), CopyError>,
) -> Result<bool, CopyError> {
    let mut read = 0;
    let is_sound = part.check(|length| {
        read += length;
        if read < STEP {
            return Ok(());
        }
        read = 0;
        keep()
    })?;
    Ok(is_sound && part.losses().is_empty() && !part.has_unknown_deletes())
}

/// FORMAT, and FILES when the copy gets it as it is and FILES-COPY is no better.
fn damaged_texts(source: &dyn Disk, files: &SourceFiles) -> Result<Vec<&'static str>, CopyError> {
    let names = source.list().map_err(io("it can't be read"));
    let format = names.and_then(|names| sound_format(source, &names));
    let format = format.map_err(|error| CopyError::Source(BackupError::Source(error)))?;
    // Older formats have no FILES.
    let lacks_list =
        files.list.is_none() && !matches!(format, Some(1 | 2)) && FileList::read(source).is_none();
    let damaged = [(FORMAT, format.is_none()), (FILES, lacks_list)];
    Ok(damaged.into_iter().filter_map(|(name, is_damaged)| is_damaged.then_some(name)).collect())
}
