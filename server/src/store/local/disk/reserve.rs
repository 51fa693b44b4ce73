//! Room that is kept on the disk for what gives room back when the disk is full: checkpoints,
//! deletions, and parts that are rewritten without what has expired or was deleted.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    /// What makes room with it.
    uses: usize,
    /// When it could not be made.
    failed: Option<Instant>,
}

/// The room of a [`Reserve`] is in use; it is not made again before all of these are dropped.
#[derive(Debug)]
#[must_use]
pub struct ReserveInUse(Arc<Reserve>);

impl Drop for ReserveInUse {
    fn drop(&mut self) {
        self.0.state().uses -= 1;
    }
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
        Self { size, retry, state: Mutex::new(State { is_held, ..State::default() }) }
    }

    /// Whether something makes room with it.
    pub fn is_in_use(&self) -> bool {
        self.state().uses > 0
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether it is held: then there is room.
    pub fn is_held(&self) -> bool {
        self.state().is_held
    }

    /// Gives the room back to the disk, for as long as what is answered is kept. `None` when there was
    /// none to give.
    pub fn release(self: &Arc<Self>, disk: &dyn Disk) -> Option<ReserveInUse> {
        let mut state = self.state();
        if self.size == 0 || !std::mem::take(&mut state.is_held) {
            return None;
        }
        state.failed = Some(Instant::now());
        info!("the disk is full: what was kept in reserve is used to make room");
        let removed = disk.remove(RESERVE);
        // Some file systems free the room only then.
        removed.and_then(|()| disk.sync_directory()).ok()?;
        state.uses += 1;
        Some(ReserveInUse(Arc::clone(self)))
    }

    /// Makes it again when it is missing and not in use; after a failure only once in a while. Answers
    /// whether it is held.
    pub fn restore(&self, disk: &dyn Disk) -> bool {
        let mut state = self.state();
        if state.is_held {
            return true;
        }
        let is_early = |failed: Instant| failed.elapsed() < self.retry;
        if state.uses > 0 || state.failed.is_some_and(is_early) {
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
