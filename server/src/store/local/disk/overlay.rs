//! A directory of which nothing is changed: what is written goes to files without a name, in the directory for
//! temporary ones, so that it takes no memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Disk, DiskFile};

/// A disk as it would be after changes that are not made.
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
    Written(Arc<File>),
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
        let file = Arc::new(tempfile::tempfile()?);
        self.names().insert(name.to_owned(), Source::Written(Arc::clone(&file)));
        Ok(Box::new(WrittenFile(file)))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let source = self.names().get(name).cloned();
        match source.ok_or(io::ErrorKind::NotFound)? {
            Source::Base(name) => Ok(Box::new(BaseFile(self.base.open(&name)?))),
            Source::Written(file) => Ok(Box::new(WrittenFile(file))),
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

/// A file without a name.
#[derive(Debug)]
struct WrittenFile(Arc<File>);

impl DiskFile for WrittenFile {
    fn length(&self) -> io::Result<u64> {
        self.0.length()
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_exact_at(buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn allocate(&self, length: u64) -> io::Result<()> {
        self.0.allocate(length)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.0.truncate(length)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
