//! A directory of the file system.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::{Disk, DiskFile};
use crate::os::{self, DirectoryHandle};
use crate::store::local::file_name::LOCK;

/// A directory of this machine.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    handle: DirectoryHandle,
    lock: Option<File>,
}

impl Directory {
    /// The directory at `path`, or `None` when there is none. Changes nothing.
    ///
    /// # Errors
    /// When something is there that can't be read, or is no directory.
    pub fn find(path: &Path) -> io::Result<Option<Self>> {
        if !is_directory(path)? {
            return Ok(None);
        }
        fs::read_dir(path)?;
        Self::existing(path).map(Some)
    }

    /// Makes the directory and those above it, for this user alone, and their names durable.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn make(path: &Path) -> io::Result<Self> {
        let mut changed = Vec::new();
        for above in path.ancestors().skip(1) {
            let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
            changed.push(above);
            if is_directory(above)? {
                break;
            }
        }
        os::make_directory(path)?;
        for above in changed {
            DirectoryHandle::open(above)?.sync()?;
        }
        Self::existing(path)
    }

    fn existing(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), handle: DirectoryHandle::open(path)?, lock: None })
    }

    /// Keeps every other process off the directory for as long as this lives.
    ///
    /// # Errors
    /// `WouldBlock` when another process holds the lock.
    pub fn lock(&mut self) -> io::Result<()> {
        let lock = os::open_private_file(&self.path.join(LOCK), false)?;
        match lock.try_lock() {
            Ok(()) => {
                self.lock = Some(lock);
                self.sync_name()
            }
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Directory {
    /// Makes the directory's own name durable: the process that made it may have been killed before.
    fn sync_name(&self) -> io::Result<()> {
        match DirectoryHandle::open(&self.path.join("..")) {
            Ok(above) => above.sync(),
            // The directory above was not made by this user either.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn names(path: &Path) -> io::Result<Vec<String>> {
    fs::read_dir(path)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// Whether there is a directory at `path`; `false` when nothing is.
///
/// # Errors
/// `NotADirectory` when something else is there, or on the way there.
fn is_directory(path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(about) if about.is_dir() => Ok(true),
        Ok(_) => Err(io::ErrorKind::NotADirectory.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

impl Disk for Directory {
    fn list(&self) -> io::Result<Vec<String>> {
        names(&self.path)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(os::open_private_file(&self.path.join(name), true)?))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(os::open_file(&self.path.join(name))?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        os::rename(&self.path.join(from), &self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        os::remove(&self.path.join(name))
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.handle.sync()
    }
}

impl DiskFile for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        os::read_exact_at(self, buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        os::write_all_at(self, bytes, offset)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sync that answers `Ok` where the system refuses one was never asked for.
    #[test]
    fn a_sync_reaches_the_operating_system() {
        assert!(DiskFile::sync(&os::unsyncable_file()).is_err());
        if let Some(path) = os::unsyncable_directory() {
            assert!(Directory::existing(path).unwrap().sync_directory().is_err());
        }
    }
}
