//! The files of a store as a backup needs them: none is removed or replaced while it copies them.

use std::sync::Arc;
use std::time::Duration;

use crate::store::local::state::StoreState;

/// How long a wait lasts before it looks again by itself.
const POLL: Duration = Duration::from_secs(1);

/// Keeps all files as they are until it is dropped, the store is closed, or the disk is full: merges wait, and
/// segments whose points are in a part are removed later. Files that come meanwhile are new ones.
#[derive(Debug)]
#[must_use]
pub struct HeldFiles {
    state: Arc<StoreState>,
    hold: u64,
}

impl HeldFiles {
    /// Waits for a merge that replaces files at this moment. `None` when another backup holds them
    /// or the store is closed.
    pub fn take(state: &Arc<StoreState>) -> Option<Self> {
        let mut memory = state.memory();
        while memory.file_use.is_changing {
            memory = state.wait(memory, POLL);
        }
        if memory.phase.is_ending() {
            return None;
        }
        let hold = memory.file_use.hold()?;
        drop(memory);
        Some(Self { state: Arc::clone(state), hold })
    }

    /// Whether the files are still as they were: the room of a full disk goes to what is put.
    pub fn is_kept(&self) -> bool {
        self.state.memory().file_use.has_hold(self.hold)
    }
}

impl Drop for HeldFiles {
    fn drop(&mut self) {
        self.state.memory().file_use.release(self.hold);
        // A merge or a removal may wait.
        self.state.notify();
    }
}

/// Files are replaced and removed until it is dropped.
#[derive(Debug)]
#[must_use]
pub struct FileChange<'s> {
    state: &'s StoreState,
}

impl<'s> FileChange<'s> {
    /// Waits until no backup holds the files; the hold ends when there is nothing in reserve on the disk: no puts
    /// are taken then, and what waits here takes room, or uses what was in reserve. `None` when the store is
    /// closed meanwhile.
    pub fn begin(state: &'s StoreState) -> Option<Self> {
        loop {
            state.end_hold_without_reserve();
            let mut memory = state.memory();
            if !memory.file_use.is_held() {
                memory.file_use.is_changing = true;
                return Some(Self { state });
            }
            if memory.phase.is_ending() {
                return None;
            }
            drop(state.wait(memory, POLL));
        }
    }
}

impl Drop for FileChange<'_> {
    fn drop(&mut self) {
        self.state.memory().file_use.is_changing = false;
        self.state.notify();
    }
}
