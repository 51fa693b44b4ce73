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

/// Opens the directory at `path` for this process alone.
///
/// # Errors
/// [`OpenError`], with nothing changed.
pub fn open(path: &Path) -> Result<Arc<dyn Disk>, OpenError> {
    let found = Directory::find(path).map_err(io("it can't be read"))?;
    let mut directory = match found {
        Some(directory) => {
            let names = directory.list().map_err(io("it can't be read"))?;
            format::check(&directory, &names)?;
            let list = FileList::read(&directory);
            Inventory::sort(&names_that_count(&directory, names, list.as_ref()))?;
            directory
        }
        None => Directory::make(path).map_err(io("it can't be made"))?,
    };
    match directory.lock() {
        Ok(()) => Ok(Arc::new(directory)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(OpenError::Locked),
        Err(error) => Err(io("it can't be locked")(error)),
    }
}
