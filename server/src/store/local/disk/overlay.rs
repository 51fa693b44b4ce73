//! A directory of which nothing is changed: what is written stays in memory.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Disk, DiskFile};

/// A disk as it would be after changes that are not made. It holds in memory what is written.
#[derive(Debug)]
pub struct Overlay {
    base: Arc<dyn Disk>,
    names: Mutex<BTreeMap<String, Source>>,
}

/// Where the bytes of a file are.
#[derive(Debug, Clone)]
enum Source {
    /// In the file that has this name below.
    Base(String),
    Memory(Arc<Mutex<Vec<u8>>>),
}

impl Overlay {
    /// A disk with the files of `base`.
    ///
    /// # Errors
    /// When these can't be listed.
    pub fn new(base: Arc<dyn Disk>) -> io::Result<Self> {
        let names = base.list()?.into_iter().map(|name| (name.clone(), Source::Base(name)));
        Ok(Self { names: Mutex::new(names.collect()), base })
    }

    fn names(&self) -> MutexGuard<'_, BTreeMap<String, Source>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for Overlay {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.names().keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let bytes = Arc::default();
        self.names().insert(name.to_owned(), Source::Memory(Arc::clone(&bytes)));
        Ok(Box::new(MemoryFile(bytes)))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let source = self.names().get(name).cloned();
        match source.ok_or(io::ErrorKind::NotFound)? {
            Source::Base(name) => Ok(Box::new(BaseFile(self.base.open(&name)?))),
            Source::Memory(bytes) => Ok(Box::new(MemoryFile(bytes))),
        }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut names = self.names();
        let source = names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        names.insert(to.to_owned(), source);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.names().remove(name).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn open_to_shrink(&self, _: &str) -> Option<Box<dyn DiskFile>> {
        None
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    fn is_in_place(&self) -> io::Result<bool> {
        self.base.is_in_place()
    }

    fn size(&self) -> Option<u64> {
        self.base.size()
    }

    fn random(&self) -> io::Result<u64> {
        self.base.random()
    }

    fn whereabouts(&self, name: &str) -> String {
        self.base.whereabouts(name)
    }
}

/// A file below, which is only read.
#[derive(Debug)]
struct BaseFile(Box<dyn DiskFile>);

impl DiskFile for BaseFile {
    fn length(&self) -> io::Result<u64> {
        self.0.length()
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_exact_at(buffer, offset)
    }

    fn write_all_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn allocate(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn truncate(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A file in memory.
#[derive(Debug)]
struct MemoryFile(Arc<Mutex<Vec<u8>>>);

impl MemoryFile {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn place(offset: u64) -> io::Result<usize> {
    usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge.into())
}

impl DiskFile for MemoryFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.bytes().len() as u64)
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let at = place(offset)?;
        let bytes = self.bytes();
        let found = bytes.get(at..).and_then(|rest| rest.get(..buffer.len()));
        buffer.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_all_at(&self, written: &[u8], offset: u64) -> io::Result<()> {
        let at = place(offset)?;
        let end = at.checked_add(written.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        let mut bytes = self.bytes();
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[at..end].copy_from_slice(written);
        Ok(())
    }

    fn allocate(&self, length: u64) -> io::Result<()> {
        self.bytes().resize(place(length)?, 0);
        Ok(())
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.bytes().resize(place(length)?, 0);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
