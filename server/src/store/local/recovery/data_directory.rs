//! Opening the data directory itself.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::format;
use super::inventory::{Inventory, names_that_count};
use super::open_error::{OpenError, io};
use crate::store::local::disk::Disk;
use crate::store::local::disk::directory::Directory;
use crate::store::local::file_list::FileList;
use crate::store::local::file_name::{FORMAT, FileName};

/// Opens the directory at `path` for this process alone, or makes it.
///
/// # Errors
/// [`OpenError`], with nothing changed.
pub fn open(path: &Path) -> Result<Arc<dyn Disk>, OpenError> {
    let found = Directory::find(path).map_err(io("it can't be read"))?;
    let directory = match found {
        Some(directory) => {
            check_names(&directory)?;
            directory
        }
        None => Directory::make(path).map_err(io("it can't be made"))?,
    };
    lock(directory)
}

/// Opens the directory at `path` for this process alone, to write files anew in it: they belong to whom
/// those before belong.
///
/// # Errors
/// [`OpenError`], with nothing changed.
pub fn open_to_repair(path: &Path) -> Result<Arc<dyn Disk>, OpenError> {
    let found = Directory::find(path).map_err(io("it can't be read"))?;
    let mut directory = found.ok_or(OpenError::Missing)?;
    let names = check_names(&directory)?;
    let is_file = |name: &&String| {
        let kind = FileName::parse(name);
        *name == FORMAT || matches!(kind, FileName::Part(_) | FileName::Segment(_))
    };
    // FORMAT comes before the others.
    let like = names.iter().filter(is_file).min().map(String::as_str);
    let is_allowed = directory.keep_ownership(like).map_err(io("it can't be read"))?;
    if !is_allowed {
        return Err(OpenError::OfAnother(directory.whereabouts(like.unwrap_or_default())));
    }
    lock(directory)
}

/// Answers the names in a directory that is one of a server.
fn check_names(directory: &Directory) -> Result<Vec<String>, OpenError> {
    let names = directory.list().map_err(io("it can't be read"))?;
    format::check(directory, &names)?;
    let list = FileList::read(directory);
    Inventory::sort(&names_that_count(directory, names.clone(), list.as_ref()))?;
    Ok(names)
}

fn lock(mut directory: Directory) -> Result<Arc<dyn Disk>, OpenError> {
    match directory.lock() {
        Ok(()) => Ok(Arc::new(directory)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(OpenError::Locked),
        Err(error) => Err(io("it can't be locked")(error)),
    }
}
