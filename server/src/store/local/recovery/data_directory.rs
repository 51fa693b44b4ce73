//! Opening the data directory itself.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tracing::info;

use super::backup_state;
use super::format::{self, Identity};
use super::inventory::{Inventory, names_that_count};
use super::open_error::{OpenError, io};
use crate::store::local::disk::Disk;
use crate::store::local::disk::directory::Directory;
use crate::store::local::file_list::FileList;
use crate::store::local::file_name::{CONTROL, FORMAT, FileName};

/// Opens the directory at `path` for this process alone, or makes it.
///
/// # Errors
/// [`OpenError`], with nothing changed.
pub fn open(path: &Path) -> Result<Arc<dyn Disk>, OpenError> {
    let found = Directory::find(path).map_err(io("it can't be read"))?;
    let mut directory = match found {
        Some(mut directory) => {
            let names = check_names(&directory)?;
            // A later start by that user could read nothing that root has made otherwise.
            let like = data_owner(&names);
            if directory.keep_other_ownership(like).map_err(io("it can't be read"))? {
                info!(
                    "the data directory belongs to another user, and so will the files made now: {}",
                    directory.whereabouts(like.unwrap_or_default())
                );
            }
            directory
        }
        None => Directory::make(path).map_err(io("it can't be made"))?,
    };
    lock(&mut directory)?;
    Ok(Arc::new(directory))
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
    refuse_unused(&directory, &names)?;
    keep_ownership(&mut directory, &names)?;
    lock(&mut directory)?;
    Ok(Arc::new(directory))
}

/// Has what this process makes in a directory, of which these are the names, belong to whom its files belong.
///
/// # Errors
/// [`OpenError::OfAnother`] when this process may not do so.
fn keep_ownership(directory: &mut Directory, names: &[String]) -> Result<(), OpenError> {
    let like = data_owner(names);
    let is_allowed = directory.keep_ownership(like).map_err(io("it can't be read"))?;
    if is_allowed {
        return Ok(());
    }
    Err(OpenError::OfAnother(directory.whereabouts(like.unwrap_or_default())))
}

/// Of the names in a directory, that of the file whose owner all are to have; `None` in one that is new.
fn data_owner(names: &[String]) -> Option<&str> {
    let is_file = |name: &&String| {
        let kind = FileName::parse(name);
        *name == FORMAT || matches!(kind, FileName::Part(_) | FileName::Segment(_))
    };
    // FORMAT comes before the others.
    names.iter().filter(is_file).min().map(String::as_str)
}

/// Answers the names in a directory that is one of a server.
fn check_names(directory: &Directory) -> Result<Vec<String>, OpenError> {
    let names = directory.list().map_err(io("it can't be read"))?;
    backup_state::check(directory)?;
    format::check(directory, &names)?;
    let list = FileList::read(directory);
    let counting = names_that_count(directory, names.clone(), list.as_ref()).names;
    Inventory::sort(&counting)?;
    Ok(names)
}

/// The directory at `path`, which a server has used; its lock will belong to whom its files belong. Changes
/// nothing.
///
/// # Errors
/// [`OpenError`] when there is none, or its files belong to another user.
pub fn find_store(path: &Path) -> Result<Directory, OpenError> {
    let found = Directory::find(path).map_err(io("it can't be read"))?;
    let mut directory = found.ok_or(OpenError::Missing)?;
    let names = directory.list().map_err(io("it can't be read"))?;
    backup_state::check(&directory)?;
    refuse_unused(&directory, &names)?;
    keep_ownership(&mut directory, &names)?;
    Ok(directory)
}

/// Refuses a directory, of which these are the names, that is empty: a path may be wrong.
///
/// # Errors
/// [`OpenError::Unused`], or another one when it is not a store.
pub fn refuse_unused(disk: &dyn Disk, names: &[String]) -> Result<(), OpenError> {
    match format::check(disk, names)? {
        Identity::New => Err(OpenError::Unused),
        Identity::Store(_) | Identity::Recognized(_) => Ok(()),
    }
}

/// Takes the lock of a directory, and forgets how the process was asked that had it before and was killed: that
/// leads to nothing, or to another program that has got its port.
///
/// # Errors
/// [`OpenError::Locked`] when another process has it.
pub fn lock(directory: &mut Directory) -> Result<(), OpenError> {
    match directory.lock() {
        Ok(()) => {
            // Where that fails, the other program can't prove that it is the server.
            let _ = directory.remove(CONTROL);
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(OpenError::Locked),
        Err(error) => Err(io("it can't be locked")(error)),
    }
}
