//! A directory of the file system.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{Disk, DiskFile};
use crate::store::local::file_name::LOCK;

/// A directory of this machine.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    handle: File,
    lock: Option<File>,
}

impl Directory {
    /// The directory at `path`, or `None` when there is none. Changes nothing.
    ///
    /// # Errors
    /// When something is there that can't be read, or is no directory.
    pub fn find(path: &Path) -> io::Result<Option<Self>> {
        match fs::read_dir(path) {
            Ok(_) => Self::existing(path).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
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
            if above.try_exists()? {
                break;
            }
        }
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        for above in changed {
            File::open(above)?.sync_all()?;
        }
        Self::existing(path)
    }

    fn existing(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), handle: File::open(path)?, lock: None })
    }

    /// Keeps every other process off the directory for as long as this lives.
    ///
    /// # Errors
    /// `WouldBlock` when another process holds the lock.
    pub fn lock(&mut self) -> io::Result<()> {
        let lock = file_options().create(true).truncate(false).open(self.path.join(LOCK))?;
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
        match File::open(self.path.join("..")) {
            Ok(above) => above.sync_all(),
            // The directory above was not made by this user either.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn names(path: &Path) -> io::Result<Vec<String>> {
    fs::read_dir(path)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

fn file_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

impl Disk for Directory {
    fn list(&self) -> io::Result<Vec<String>> {
        names(&self.path)
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(file_options().create(true).truncate(true).open(self.path.join(name))?))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(File::open(self.path.join(name))?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.handle.sync_all()
    }
}

impl DiskFile for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        FileExt::read_exact_at(self, buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        FileExt::write_all_at(self, bytes, offset)
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
    use std::os::fd::OwnedFd;

    use super::*;

    /// Neither a pipe nor a directory of the kernel's can be synced, so a sync that answers `Ok`
    /// there was never asked for.
    #[test]
    fn a_sync_reaches_the_operating_system() {
        let (_reader, writer) = io::pipe().unwrap();
        let pipe = File::from(OwnedFd::from(writer));
        assert_eq!(DiskFile::sync(&pipe).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        let path = PathBuf::from("/proc/self");
        let directory = Directory { handle: File::open(&path).unwrap(), path, lock: None };
        assert_eq!(directory.sync_directory().unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
