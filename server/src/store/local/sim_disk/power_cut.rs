//! What a power cut leaves of a disk.
//!
//! It is as bad as POSIX allows:
//! - Names are those of the last directory sync. Later changes survive or not, each on its own,
//!   but those of one name in their order; a rename is one change.
//! - Bytes are those of the file's last sync. Each later sector is as it was at any moment since,
//!   whatever the other sectors are, and the length is any that the file had since.
//! - What a failed sync should have made durable is never certain again, whatever syncs follow.
//!
//! On a disk whose names are journaled, as those of NTFS, the rule of names is another one: they are
//! as they were at some moment, so of two changes the later never survives alone. That moment is at
//! least the last change of the name of a file which was synced after it. A sync of one file is not
//! taken to make later changes of other files' names durable, and one of the directory does nothing.
//! (NTFS writes its journal as far as it goes at every `FlushFileBuffers`, but that is nowhere
//! promised.)

use std::collections::{BTreeMap, BTreeSet};

use super::random::Random;
use super::{Change, Image, Kind, Operation, SimDisk};

/// What is written at once or not at all.
const SECTOR: usize = 512;

/// How much of what was not synced a power cut leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    Nothing,
    Everything,
    Some,
}

/// What a power cut leaves of names and of bytes.
#[derive(Debug, Clone)]
pub struct Survival {
    pub names: Left,
    pub bytes: Left,
    pub random: Random,
}

impl Survival {
    /// How many of `all` changes in a row survive.
    fn of(left: Left, random: &mut Random, all: usize) -> usize {
        match left {
            Left::Nothing => 0,
            Left::Everything => all,
            Left::Some => random.below(all + 1),
        }
    }

    fn changes(&mut self, all: usize) -> usize {
        Self::of(self.bytes, &mut self.random, all)
    }

    fn name_changes(&mut self, all: usize) -> usize {
        Self::of(self.names, &mut self.random, all)
    }

    fn name(&mut self) -> bool {
        Self::of(self.names, &mut self.random, 1) == 1
    }
}

impl SimDisk {
    /// What is there after a power cut behind the first `count` operations.
    pub fn image(&self, count: usize, survival: &mut Survival) -> Image {
        let inner = self.inner();
        let mut names: BTreeMap<&str, usize> =
            inner.base.keys().map(String::as_str).zip(0..).collect();
        let mut unsynced_names: Vec<&Operation> = Vec::new();
        // So many of them a journal holds for certain.
        let mut journaled = 0;
        let mut files: Vec<Pending> =
            inner.base.values().map(|bytes| Pending::durable(bytes.clone())).collect();
        for operation in &inner.journal[..count] {
            match &operation.kind {
                Kind::Create => {
                    files.push(Pending::default());
                    unsynced_names.push(operation);
                }
                Kind::Rename(_) | Kind::Remove => unsynced_names.push(operation),
                Kind::SyncDirectory if inner.rules.journaled => {}
                Kind::SyncDirectory => {
                    for operation in unsynced_names.drain(..) {
                        operation.apply_name(&mut names);
                    }
                }
                Kind::Change(change) => files[operation.file].changes.push(change.clone()),
                Kind::Sync => {
                    files[operation.file].sync(survival);
                    let of_file = |change: &&Operation| change.file == operation.file;
                    let last = unsynced_names.iter().rposition(of_file);
                    journaled = journaled.max(last.map_or(0, |last| last + 1));
                }
                Kind::FailedSync => {
                    let file = &mut files[operation.file];
                    file.doomed = file.changes.len();
                }
            }
        }
        if inner.rules.journaled {
            let uncertain = unsynced_names.len() - journaled;
            let left = journaled + survival.name_changes(uncertain);
            unsynced_names.drain(..).take(left).for_each(|change| change.apply_name(&mut names));
        }
        let mut stuck: BTreeSet<&str> = BTreeSet::new();
        for operation in unsynced_names {
            let touched = operation.touched();
            if touched.iter().flatten().any(|name| stuck.contains(name)) || !survival.name() {
                stuck.extend(touched.into_iter().flatten());
            } else {
                operation.apply_name(&mut names);
            }
        }
        names
            .into_iter()
            .map(|(name, file)| {
                let Pending { durable, changes, .. } = &files[file];
                (name.to_owned(), settle(durable, changes, survival))
            })
            .collect()
    }
}

impl Operation {
    fn touched(&self) -> [Option<&str>; 2] {
        let to = match &self.kind {
            Kind::Rename(to) => Some(to.as_str()),
            _ => None,
        };
        [Some(&self.name), to]
    }

    fn apply_name<'n>(&'n self, names: &mut BTreeMap<&'n str, usize>) {
        match &self.kind {
            Kind::Create => {
                names.insert(&self.name, self.file);
            }
            Kind::Rename(to) => {
                names.remove(self.name.as_str());
                names.insert(to, self.file);
            }
            Kind::Remove => {
                names.remove(self.name.as_str());
            }
            _ => {}
        }
    }
}

/// A file with what is not durable of it.
#[derive(Default)]
struct Pending {
    durable: Vec<u8>,
    changes: Vec<Change>,
    /// So many of the changes were part of a sync that failed.
    doomed: usize,
}

impl Pending {
    fn durable(durable: Vec<u8>) -> Self {
        Self { durable, ..Self::default() }
    }

    fn sync(&mut self, survival: &mut Survival) {
        let doomed: Vec<_> = self.changes.drain(..self.doomed).collect();
        self.durable = settle(&self.durable, &doomed, survival);
        self.doomed = 0;
        for change in self.changes.drain(..) {
            change.apply(&mut self.durable);
        }
    }
}

impl Change {
    /// Whether it changes anything from `start` to `end`.
    fn touches(&self, start: usize, end: usize) -> bool {
        match self {
            Self::Write(at, written) => *at < end && start < at + written.len(),
            Self::Truncate(length) => *length < end,
        }
    }
}

/// What a power cut leaves of a file.
fn settle(durable: &[u8], changes: &[Change], survival: &mut Survival) -> Vec<u8> {
    if changes.is_empty() {
        return durable.to_vec();
    }
    let mut versions = vec![durable.to_vec()];
    for change in changes {
        let mut next = versions.last().unwrap().clone();
        change.apply(&mut next);
        versions.push(next);
    }
    let length = versions[survival.changes(changes.len())].len();
    let mut left = vec![0; length];
    for start in (0..length).step_by(SECTOR) {
        let end = length.min(start + SECTOR);
        let mut moments = vec![0];
        moments.extend(
            (0..changes.len()).filter(|&at| changes[at].touches(start, end)).map(|at| at + 1),
        );
        let version = &versions[moments[survival.changes(moments.len() - 1)]];
        let end = end.min(version.len());
        if start < end {
            left[start..end].copy_from_slice(&version[start..end]);
        }
    }
    left
}
