//! The file FORMAT, which says that a directory is a store and of which version.

use std::io;

use super::open_error::{OpenError, io};
use crate::store::local::disk::{Disk, window};
use crate::store::local::file_name::{FORMAT, FORMAT_PREFIX, FORMAT_VERSION, LOCK, UNFINISHED};

fn check_names(names: &[String]) -> Result<(), OpenError> {
    let is_store = names.iter().any(|name| name == FORMAT);
    let unfinished = |name: &String| name == LOCK || *name == format!("{FORMAT}{UNFINISHED}");
    if is_store || names.iter().all(unfinished) { Ok(()) } else { Err(OpenError::Foreign) }
}

/// Checks what a directory is before anything is changed there. Answers the version of the store
/// that it is; if it is none, it may become one.
///
/// # Errors
/// [`OpenError`] when it is not a store that this program knows and can't become one.
pub fn check(disk: &dyn Disk, names: &[String]) -> Result<Option<u32>, OpenError> {
    check_names(names)?;
    if !names.iter().any(|name| name == FORMAT) {
        return Ok(None);
    }
    let read = || {
        let file = disk.open(FORMAT)?;
        // The file is one line; the rest of a longer one does not matter.
        let text = window::read(&*file, 0, file.length()?.min(256))?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    };
    let text = read().map_err(io("its file FORMAT can't be read"))?;
    let version = text.strip_prefix(FORMAT_PREFIX).and_then(|rest| rest.trim_end().parse().ok());
    match version {
        None | Some(0) => Err(OpenError::BadFormat),
        Some(found) if found > FORMAT_VERSION => Err(OpenError::Newer { found }),
        Some(found) => Ok(Some(found)),
    }
}

/// Makes a directory a store of the newest version, also one of an older version: from then on
/// there is no way back to an older server.
///
/// # Errors
/// When `FORMAT` may not be durable.
pub fn write(disk: &dyn Disk) -> io::Result<()> {
    let unfinished = format!("{FORMAT}{UNFINISHED}");
    let file = disk.create(&unfinished)?;
    file.write_all_at(format!("{FORMAT_PREFIX}{FORMAT_VERSION}\n").as_bytes(), 0)?;
    file.sync()?;
    disk.rename(&unfinished, FORMAT)?;
    disk.sync_directory()
}
