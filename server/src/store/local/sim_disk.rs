//! A disk in memory that records every operation, fills up and fails at will, and gives images of
//! what a power cut after any operation would leave; see `power_cut`.

#![expect(clippy::unwrap_used, reason = "a disk of the tests has no faults but those asked for")]
#![cfg_attr(not(test), allow(dead_code, reason = "fuzzing uses a part of it"))]

#[cfg(test)]
pub mod power_cut;
pub mod random;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use super::disk::{Disk, DiskFile};
use random::Random;

/// Names and bytes of all files.
pub type Image = BTreeMap<String, Vec<u8>>;

/// How a disk treats names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Changes of names are journaled in their order, and a sync of the directory does nothing; see
    /// `power_cut`.
    pub journaled: bool,
    /// A removed file keeps its name until it is closed. Until then the name can't be used, and an
    /// open file can't be replaced.
    pub held: bool,
}

impl Rules {
    pub const POSIX: Self = Self { journaled: false, held: false };
    /// Windows 10 and newer.
    pub const NTFS: Self = Self { journaled: true, held: false };
    /// NTFS of older systems; FAT and network shares besides what they leave after a power cut.
    pub const HELD: Self = Self { journaled: true, held: true };
    pub const ALL: [Self; 3] = [Self::POSIX, Self::NTFS, Self::HELD];
}

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

/// Whether a read of a file, from a place to a place, fails.
type BadBytes = Arc<dyn Fn(&str, usize, usize) -> bool + Send + Sync>;

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

struct Inner {
    rules: Rules,
    /// Of the random numbers.
    seed: u64,
    /// Parts get their names only after the next removal.
    removes_first: bool,
    late_rename: Option<Operation>,
    base: Image,
    journal: Vec<Operation>,
    names: BTreeMap<String, usize>,
    files: Vec<Vec<u8>>,
    /// How often each file is open.
    open: Vec<usize>,
    /// Files that lose their names when they are closed.
    leaving: Vec<Operation>,
    capacity: Option<usize>,
    hook: Option<Hook>,
    bad: Option<BadBytes>,
}

impl SimDisk {
    /// A disk on which all of `image` is durable.
    pub fn new(image: Image) -> Self {
        Self::with_rules(image, Rules::POSIX)
    }

    /// A disk with these rules on which all of `image` is durable.
    pub fn with_rules(image: Image, rules: Rules) -> Self {
        let names = image.keys().cloned().zip(0..).collect();
        let files: Vec<Vec<u8>> = image.values().cloned().collect();
        let inner = Inner {
            rules,
            seed: 0,
            removes_first: false,
            late_rename: None,
            base: image,
            journal: Vec::new(),
            names,
            open: vec![0; files.len()],
            files,
            leaving: Vec::new(),
            capacity: None,
            hook: None,
            bad: None,
        };
        Self { inner: Arc::new(Mutex::new(inner)) }
    }

    /// Has other random numbers than disks with another seed.
    pub fn with_seed(self, seed: u64) -> Self {
        self.inner().seed = seed;
        self
    }

    /// Gives parts their names only after the next removal, as a store would that removes the log
    /// too early.
    pub fn remove_first(&self) {
        self.inner().removes_first = true;
    }

    /// Its rules.
    pub fn rules(&self) -> Rules {
        self.inner().rules
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

    /// Has reads fail from now on for which `is_bad` is true: of a file, from a place to a place.
    pub fn on_read(&self, is_bad: impl Fn(&str, usize, usize) -> bool + Send + Sync + 'static) {
        self.inner().bad = Some(Arc::new(is_bad));
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
        let inner = self.inner();
        let journal = inner.journal[..count].to_vec();
        let killed = Self::with_rules(inner.base.clone(), inner.rules);
        drop(inner);
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
                self.open.push(0);
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
        if self.leaving.iter().any(|operation| operation.name == name) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn is_held(&self, file: usize) -> bool {
        self.rules.held && self.open[file] > 0
    }

    fn close(&mut self, file: usize) {
        self.open[file] -= 1;
        if self.open[file] == 0
            && let Some(at) = self.leaving.iter().position(|operation| operation.file == file)
        {
            let operation = self.leaving.remove(at);
            self.perform(operation);
        }
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
        self.inner().open[file] += 1;
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
        let known = match inner.find(name) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
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
        if inner.names.get(to).is_some_and(|&replaced| inner.is_held(replaced)) {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        let kind = Kind::Rename(to.to_owned());
        let operation = Operation { name: from.to_owned(), file, kind };
        if inner.removes_first && to.starts_with("part-") {
            inner.late_rename = Some(operation);
        } else {
            inner.perform(operation);
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.call(Verb::Remove, name)?;
        let mut inner = self.inner();
        let file = inner.find(name)?;
        let operation = Operation { name: name.to_owned(), file, kind: Kind::Remove };
        if inner.is_held(file) {
            inner.leaving.push(operation);
        } else {
            inner.perform(operation);
        }
        if let Some(late) = inner.late_rename.take() {
            inner.perform(late);
        }
        Ok(())
    }

    fn open_to_shrink(&self, _: &str) -> Option<Box<dyn DiskFile>> {
        None
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.call(Verb::SyncDirectory, "")?;
        let kind = Kind::SyncDirectory;
        self.inner().perform(Operation { name: String::new(), file: 0, kind });
        Ok(())
    }

    fn is_in_place(&self) -> io::Result<bool> {
        Ok(true)
    }

    fn size(&self) -> Option<u64> {
        None
    }

    fn whereabouts(&self, name: &str) -> String {
        name.to_owned()
    }

    /// The same for the same seed and history.
    fn random(&self) -> io::Result<u64> {
        let inner = self.inner();
        let history = (inner.files.len() as u64) << 32 | inner.journal.len() as u64;
        let seed = inner.seed << 48 ^ history;
        Ok(Random(seed).below(usize::MAX) as u64)
    }
}

struct SimFile {
    disk: SimDisk,
    name: String,
    file: usize,
}

impl Drop for SimFile {
    fn drop(&mut self) {
        // A panic while the disk is locked is reported already.
        if let Ok(mut inner) = self.disk.inner.lock() {
            inner.close(self.file);
        }
    }
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
        if inner.bad.as_ref().is_some_and(|is_bad| is_bad(&self.name, start, end)) {
            return Err(io::ErrorKind::Other.into());
        }
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

    fn allocate(&self, length: u64) -> io::Result<()> {
        self.write_all_at(&vec![0; usize::try_from(length).unwrap()], 0)
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
