//! Room that is kept on the disk for what gives room back when the disk is full: checkpoints,
//! deletions, and parts that are rewritten without what has expired or was deleted.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::info;

use super::Disk;
use crate::store::local::file_name::RESERVE;

/// A file that holds nothing and takes room. While it is missing no puts are taken, so that nothing
/// but what makes room uses the room that it had.
#[derive(Debug)]
pub struct Reserve {
    size: u64,
    /// How long to wait before it is made again.
    retry: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    is_held: bool,
    /// When it could not be made.
    failed: Option<Instant>,
}

/// The share of a disk that is kept at most.
const MAX_SHARE: u64 = 64;

impl Reserve {
    /// A reserve of `size` bytes, less on a small disk; none of 0. It is held when its file is there.
    pub fn find(disk: &dyn Disk, size: u64, retry: Duration) -> Self {
        let size = size.min(disk.size().map_or(u64::MAX, |disk| disk / MAX_SHARE));
        let is_there =
            || disk.open(RESERVE).and_then(|file| file.length()).is_ok_and(|length| length > 0);
        let is_held = size == 0 || is_there();
        Self { size, retry, state: Mutex::new(State { is_held, failed: None }) }
    }

    /// Gives the room back to the disk. Answers whether there was any to give.
    pub fn release(&self, disk: &dyn Disk) -> bool {
        let mut state = self.state();
        if self.size == 0 || !std::mem::take(&mut state.is_held) {
            return false;
        }
        state.failed = Some(Instant::now());
        info!("the disk is full: what was kept in reserve is used to make room");
        let removed = disk.remove(RESERVE);
        // Some file systems free the room only then.
        removed.and_then(|()| disk.sync_directory()).is_ok()
    }

    /// Makes it again when it is missing; after a failure only once in a while. Answers whether it is
    /// held.
    pub fn restore(&self, disk: &dyn Disk) -> bool {
        let mut state = self.state();
        if state.is_held {
            return true;
        }
        if state.failed.is_some_and(|failed| failed.elapsed() < self.retry) {
            return false;
        }
        let made = self.make(disk);
        if made.is_err() {
            // A file without its room would be in the way.
            let _ = disk.remove(RESERVE);
        }
        state.is_held = made.is_ok();
        state.failed = made.err().map(|_| Instant::now());
        state.is_held
    }

    /// Makes it, as large as a file may be.
    fn make(&self, disk: &dyn Disk) -> io::Result<()> {
        let file = disk.create(RESERVE)?;
        let mut size = self.size;
        loop {
            match file.allocate(size) {
                Err(error) if error.kind() == io::ErrorKind::FileTooLarge && size > 1 => size /= 2,
                made => return made,
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
