//! A disk in memory that records every operation, fills up and fails at will, and gives images of
//! what a power cut after any operation would leave; see `power_cut`.

pub mod power_cut;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use super::super::disk::{Disk, DiskFile};

/// Names and bytes of all files.
pub type Image = BTreeMap<String, Vec<u8>>;

/// One change of the disk.
#[derive(Clone)]
pub struct Operation {
    /// The name, at the time, of the file it is about.
    name: String,
    file: usize,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Create,
    Rename(String),
    Remove,
    Change(Change),
    Sync,
    FailedSync,
    SyncDirectory,
}

#[derive(Clone)]
enum Change {
    Write(usize, Arc<[u8]>),
    Truncate(usize),
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.kind {
            Kind::Create => write!(f, "create {name}"),
            Kind::Rename(to) => write!(f, "rename {name} to {to}"),
            Kind::Remove => write!(f, "remove {name}"),
            Kind::Change(Change::Write(at, bytes)) => {
                write!(f, "write {} bytes at {at} of {name}", bytes.len())
            }
            Kind::Change(Change::Truncate(length)) => write!(f, "truncate {name} to {length}"),
            Kind::Sync => write!(f, "sync {name}"),
            Kind::FailedSync => write!(f, "fail to sync {name}"),
            Kind::SyncDirectory => f.write_str("sync the directory"),
        }
    }
}

/// What the store asks of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    List,
    Create,
    Open,
    Rename,
    Remove,
    SyncDirectory,
    Length,
    Read,
    Write,
    Truncate,
    Sync,
}

/// Sees every call before it is done, and may hold it up or make it fail.
type Hook = Arc<dyn Fn(Verb, &str) -> Option<io::ErrorKind> + Send + Sync>;

/// The disk; clones share it.
#[derive(Clone)]
pub struct SimDisk {
    inner: Arc<Mutex<Inner>>,
}

impl fmt::Debug for SimDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimDisk")
    }
}

#[derive(Default, Clone)]
struct Inner {
    base: Image,
    journal: Vec<Operation>,
    names: BTreeMap<String, usize>,
    files: Vec<Vec<u8>>,
    capacity: Option<usize>,
    hook: Option<Hook>,
}

impl SimDisk {
    /// A disk on which all of `image` is durable.
    pub fn new(image: Image) -> Self {
        let names = image.keys().cloned().zip(0..).collect();
        let files = image.values().cloned().collect();
        let inner = Inner { base: image, names, files, ..Inner::default() };
        Self { inner: Arc::new(Mutex::new(inner)) }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// How many operations there were.
    pub fn operations(&self) -> usize {
        self.inner().journal.len()
    }

    /// The operations around number `at`, for a failure's message.
    pub fn around(&self, at: usize) -> String {
        let inner = self.inner();
        let at = at.min(inner.journal.len());
        let range = at.saturating_sub(15)..inner.journal.len().min(at + 3);
        let lines: Vec<_> =
            range.map(|number| format!("  {number:4}: {:?}", inner.journal[number])).collect();
        format!("operations before the crash are those below {at}:\n{}", lines.join("\n"))
    }

    /// Has `hook` see every call from now on.
    pub fn on_call(
        &self,
        hook: impl Fn(Verb, &str) -> Option<io::ErrorKind> + Send + Sync + 'static,
    ) {
        self.inner().hook = Some(Arc::new(hook));
    }

    /// Heals the disk.
    pub fn no_faults(&self) {
        self.inner().hook = None;
    }

    /// Room for this many bytes more than are used now; `None` for any number.
    pub fn set_room(&self, room: Option<usize>) {
        let mut inner = self.inner();
        inner.capacity = room.map(|room| inner.used() + room);
    }

    /// What a running system sees.
    pub fn visible(&self) -> Image {
        let inner = self.inner();
        inner.names.iter().map(|(name, &file)| (name.clone(), inner.files[file].clone())).collect()
    }

    /// The same disk after the first `count` operations, all of which are visible: what a process
    /// finds whose predecessor was killed while the system went on.
    pub fn killed_after(&self, count: usize) -> Self {
        let journal = self.inner().journal[..count].to_vec();
        let killed = Self::new(self.inner().base.clone());
        let mut inner = killed.inner();
        for operation in journal {
            inner.perform(operation);
        }
        drop(inner);
        killed
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(at, written) => {
                let end = at + written.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*at..end].copy_from_slice(written);
            }
            Self::Truncate(length) => bytes.resize(*length, 0),
        }
    }
}

impl Inner {
    fn used(&self) -> usize {
        self.names.values().map(|&file| self.files[file].len()).sum()
    }

    fn perform(&mut self, operation: Operation) {
        match &operation.kind {
            Kind::Create => {
                self.files.push(Vec::new());
                self.names.insert(operation.name.clone(), operation.file);
            }
            Kind::Rename(to) => {
                self.names.remove(&operation.name);
                self.names.insert(to.clone(), operation.file);
            }
            Kind::Remove => {
                self.names.remove(&operation.name);
            }
            Kind::Change(change) => change.apply(&mut self.files[operation.file]),
            Kind::Sync | Kind::FailedSync | Kind::SyncDirectory => {}
        }
        self.journal.push(operation);
    }

    fn find(&self, name: &str) -> io::Result<usize> {
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl SimDisk {
    fn call(&self, verb: Verb, name: &str) -> io::Result<()> {
        let hook = self.inner().hook.clone();
        match hook.and_then(|hook| hook(verb, name)) {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }

    fn file(&self, name: &str, file: usize) -> Box<dyn DiskFile> {
        Box::new(SimFile { disk: self.clone(), name: name.to_owned(), file })
    }
}

impl Disk for SimDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        self.call(Verb::List, "")?;
        Ok(self.inner().names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        self.call(Verb::Create, name)?;
        let mut inner = self.inner();
        if inner.capacity.is_some_and(|capacity| inner.used() >= capacity) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let known = inner.names.get(name).copied();
        let file = known.unwrap_or(inner.files.len());
        let kind = known.map_or(Kind::Create, |_| Kind::Change(Change::Truncate(0)));
        inner.perform(Operation { name: name.to_owned(), file, kind });
        drop(inner);
        Ok(self.file(name, file))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        self.call(Verb::Open, name)?;
        let file = self.inner().find(name)?;
        Ok(self.file(name, file))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.call(Verb::Rename, from)?;
        let mut inner = self.inner();
        let file = inner.find(from)?;
        let kind = Kind::Rename(to.to_owned());
        inner.perform(Operation { name: from.to_owned(), file, kind });
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.call(Verb::Remove, name)?;
        let mut inner = self.inner();
        let file = inner.find(name)?;
        inner.perform(Operation { name: name.to_owned(), file, kind: Kind::Remove });
        Ok(())
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.call(Verb::SyncDirectory, "")?;
        let kind = Kind::SyncDirectory;
        self.inner().perform(Operation { name: String::new(), file: 0, kind });
        Ok(())
    }
}

struct SimFile {
    disk: SimDisk,
    name: String,
    file: usize,
}

impl fmt::Debug for SimFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl SimFile {
    fn perform(&self, inner: &mut Inner, kind: Kind) {
        inner.perform(Operation { name: self.name.clone(), file: self.file, kind });
    }
}

impl DiskFile for SimFile {
    fn length(&self) -> io::Result<u64> {
        self.disk.call(Verb::Length, &self.name)?;
        Ok(self.disk.inner().files[self.file].len() as u64)
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.disk.call(Verb::Read, &self.name)?;
        let inner = self.disk.inner();
        let start = usize::try_from(offset).unwrap();
        let end = start.checked_add(buffer.len()).unwrap();
        let bytes = inner.files[self.file].get(start..end);
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let at = usize::try_from(offset).unwrap();
        let allowed = self.disk.call(Verb::Write, &self.name);
        let mut inner = self.disk.inner();
        // A write that fails was done in part.
        let mut outcome = allowed.map_err(|error| (bytes.len() / 2, error));
        if let Some(capacity) = inner.capacity {
            let growth = (at + bytes.len()).saturating_sub(inner.files[self.file].len());
            let room = capacity.saturating_sub(inner.used());
            if growth > room && outcome.is_ok() {
                let written = bytes.len().saturating_sub(growth - room);
                outcome = Err((written, io::ErrorKind::StorageFull.into()));
            }
        }
        let written = outcome.as_ref().err().map_or(bytes.len(), |(written, _)| *written);
        if written > 0 {
            self.perform(&mut inner, Kind::Change(Change::Write(at, bytes[..written].into())));
        }
        outcome.map_err(|(_, error)| error)
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.disk.call(Verb::Truncate, &self.name)?;
        let length = usize::try_from(length).unwrap();
        self.perform(&mut self.disk.inner(), Kind::Change(Change::Truncate(length)));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let outcome = self.disk.call(Verb::Sync, &self.name);
        let kind = if outcome.is_ok() { Kind::Sync } else { Kind::FailedSync };
        self.perform(&mut self.disk.inner(), kind);
        outcome
    }
}
