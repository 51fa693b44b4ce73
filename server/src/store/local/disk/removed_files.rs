//! Files that were removed, and whose room goes back to the disk a little at a time.
//!
//! Much room at once keeps a disk busy, above all one that is told of it (the mount option `discard`):
//! 64 MiB in one step were seen to hold up a sync of the log for 50 ms.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Disk, DiskFile};

/// Bytes that are given back at once.
const STEP: u64 = 1 << 20;

/// Between two steps.
const PAUSE: Duration = Duration::from_millis(4);

/// Files without a name that still take room.
#[derive(Debug, Default)]
pub struct RemovedFiles {
    waiting: Mutex<Vec<RemovedFile>>,
}

/// A file that has no name any more, or is about to lose it.
pub struct RemovedFile {
    file: Box<dyn DiskFile>,
    is_read: Box<dyn Fn() -> bool + Send>,
}

impl fmt::Debug for RemovedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.file.fmt(f)
    }
}

impl RemovedFile {
    /// A file that is going to be removed; `is_read` tells whether it is still open elsewhere. `None`
    /// where its room can't be given back apart from its name: it goes along with that.
    pub fn open(
        disk: &dyn Disk,
        name: &str,
        is_read: impl Fn() -> bool + Send + 'static,
    ) -> Option<Self> {
        Some(Self { file: disk.open_to_shrink(name)?, is_read: Box::new(is_read) })
    }

    /// Gives its room back, in steps for as long as `pause` answers that there is time. A file that has
    /// another name, as in a copy made of links, is left as it is.
    fn free(self, pause: &mut impl FnMut(Duration) -> bool) {
        if self.file.has_name() {
            return;
        }
        let mut rest = self.file.length().unwrap_or(0);
        while rest > STEP && pause(PAUSE) {
            rest -= STEP;
            if self.file.truncate(rest).is_err() {
                // All of it goes when the file is closed.
                return;
            }
        }
    }
}

impl RemovedFiles {
    /// Adds a file that was removed.
    pub fn add(&self, file: Option<RemovedFile>) {
        self.waiting().extend(file);
    }

    /// Gives the room of those back that are not read any more. `pause` waits, and answers whether there
    /// is time for more steps.
    pub fn free(&self, mut pause: impl FnMut(Duration) -> bool) {
        loop {
            let mut waiting = self.waiting();
            let unread = waiting.iter().position(|removed| !(removed.is_read)());
            let next = unread.map(|at| waiting.swap_remove(at));
            drop(waiting);
            let Some(next) = next else { return };
            next.free(&mut pause);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<RemovedFile>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::store::local::disk::directory::Directory;

    /// As `cp -l` makes them.
    #[test]
    fn a_file_with_another_name_keeps_what_is_in_it() {
        let root = tempfile::tempdir().unwrap();
        let disk = Directory::make(root.path()).unwrap();
        let file = disk.create("a").unwrap();
        file.write_all_at(b"end", 2 * STEP).unwrap();
        let removed = RemovedFile::open(&disk, "a", || false);
        std::fs::hard_link(root.path().join("a"), root.path().join("copy")).unwrap();
        drop(file);
        disk.remove("a").unwrap();
        let files = RemovedFiles::default();
        files.add(removed);
        files.free(|_| true);
        assert_eq!(disk.open("copy").unwrap().length().unwrap(), 2 * STEP + 3);
    }

    #[test]
    fn the_room_of_a_removed_file_is_given_back_in_steps_once_nobody_reads_it() {
        let root = tempfile::tempdir().unwrap();
        let disk = Directory::make(root.path()).unwrap();
        let reader = disk.create("a").unwrap();
        let length = 3 * STEP + 7;
        reader.write_all_at(b"end", length - 3).unwrap();
        let is_read = Arc::new(AtomicBool::new(true));
        let reading = Arc::clone(&is_read);
        let files = RemovedFiles::default();
        let removed = RemovedFile::open(&disk, "a", move || reading.load(Ordering::Relaxed));
        let in_steps = removed.is_some();
        files.add(removed);
        disk.remove("a").unwrap();
        files.free(|_| panic!("it is read"));
        let mut bytes = [0; 3];
        reader.read_exact_at(&mut bytes, length - 3).unwrap();
        assert_eq!(&bytes, b"end");

        is_read.store(false, Ordering::Relaxed);
        let mut lengths = Vec::new();
        files.free(|_| {
            lengths.push(reader.length().unwrap());
            lengths.len() < 3
        });
        if in_steps {
            // The third pause says that there is no time for more.
            assert_eq!(lengths, [length, length - STEP, length - 2 * STEP]);
        }
        files.free(|_| panic!("nothing is left"));
    }
}
