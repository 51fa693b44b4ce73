//! Ending in order: a token that says it begins, and the names of those who are not done yet.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long participants may take to finish what they have in hand.
pub const GRACE: Duration = Duration::from_secs(5);

/// A handle to the shutdown of one server; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    token: CancellationToken,
    tracker: TaskTracker,
    names: Arc<Mutex<Names>>,
}

#[derive(Debug, Default)]
struct Names {
    next: u64,
    present: BTreeMap<u64, String>,
}

impl Shutdown {
    /// Begins it. Participants see it through their token.
    pub fn begin(&self) {
        self.token.cancel();
    }

    /// Resolves when it begins.
    pub async fn begun(&self) {
        self.token.cancelled().await;
    }

    /// Runs a task that [`Shutdown::finish`] waits for; `name` tells whom it waits for.
    pub fn participate<F>(&self, name: String, task: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let present = Present::enter(Arc::clone(&self.names), name);
        let task = task(self.token.clone());
        self.tracker.spawn(async move {
            task.await;
            drop(present);
        });
    }

    /// Waits for all participants, at most [`GRACE`].
    ///
    /// # Errors
    /// The names of those who were not done by then.
    pub async fn finish(&self) -> Result<(), Vec<String>> {
        self.begin();
        self.tracker.close();
        match tokio::time::timeout(GRACE, self.tracker.wait()).await {
            Ok(()) => Ok(()),
            Err(_) => Err(lock(&self.names).present.values().cloned().collect()),
        }
    }
}

/// A name on the list for as long as it lives, also through a panic.
struct Present {
    names: Arc<Mutex<Names>>,
    id: u64,
}

impl Present {
    fn enter(names: Arc<Mutex<Names>>, name: String) -> Self {
        let mut list = lock(&names);
        let id = list.next;
        list.next += 1;
        list.present.insert(id, name);
        drop(list);
        Self { names, id }
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        lock(&self.names).present.remove(&self.id);
    }
}

fn lock(names: &Mutex<Names>) -> MutexGuard<'_, Names> {
    names.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_participant_that_hangs_is_named() {
        let shutdown = Shutdown::default();
        shutdown.participate("quick".to_owned(), |begun| async move { begun.cancelled().await });
        shutdown.participate("stuck".to_owned(), |_| std::future::pending());
        assert_eq!(shutdown.finish().await, Err(vec!["stuck".to_owned()]));
    }

    #[tokio::test]
    async fn it_ends_when_all_are_done() {
        let shutdown = Shutdown::default();
        shutdown.participate("quick".to_owned(), |begun| async move { begun.cancelled().await });
        shutdown.begin();
        shutdown.begun().await;
        assert_eq!(shutdown.finish().await, Ok(()));
    }
}
