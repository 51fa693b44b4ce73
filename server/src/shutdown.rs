//! Graceful shutdown: a token that tells when it begins, and the names of the tasks that it waits
//! for.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long tasks may take to finish.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// A handle to the shutdown of one server; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    token: CancellationToken,
    tracker: TaskTracker,
    names: Arc<Mutex<TaskNames>>,
}

#[derive(Debug, Default)]
struct TaskNames {
    next: u64,
    present: BTreeMap<u64, String>,
}

impl Shutdown {
    /// Begins the shutdown, which every task sees through its token.
    pub fn begin(&self) {
        self.token.cancel();
    }

    /// Waits until the shutdown begins.
    pub async fn begun(&self) {
        self.token.cancelled().await;
    }

    /// Runs a task that [`Shutdown::finish`] waits for, under a name that is reported when it hangs.
    pub fn spawn<F>(&self, name: String, task: impl FnOnce(CancellationToken) -> F)
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

    /// Begins the shutdown and waits for all tasks, at most [`SHUTDOWN_TIMEOUT`].
    ///
    /// # Errors
    /// The names of the tasks that have not ended by then.
    pub async fn finish(&self) -> Result<(), Vec<String>> {
        self.begin();
        self.tracker.close();
        match tokio::time::timeout(SHUTDOWN_TIMEOUT, self.tracker.wait()).await {
            Ok(()) => Ok(()),
            Err(_) => Err(lock(&self.names).present.values().cloned().collect()),
        }
    }
}

/// Keeps the name of a task on the list until dropped, also by a panic.
struct Present {
    names: Arc<Mutex<TaskNames>>,
    id: u64,
}

impl Present {
    fn enter(names: Arc<Mutex<TaskNames>>, name: String) -> Self {
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

fn lock(names: &Mutex<TaskNames>) -> MutexGuard<'_, TaskNames> {
    names.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_hangs_is_named() {
        let shutdown = Shutdown::default();
        shutdown.spawn("quick".to_owned(), |begun| async move { begun.cancelled().await });
        shutdown.spawn("stuck".to_owned(), |_| std::future::pending());
        assert_eq!(shutdown.finish().await, Err(vec!["stuck".to_owned()]));
    }

    #[tokio::test]
    async fn it_finishes_when_all_tasks_have_ended() {
        let shutdown = Shutdown::default();
        shutdown.spawn("quick".to_owned(), |begun| async move { begun.cancelled().await });
        shutdown.begin();
        shutdown.begun().await;
        assert_eq!(shutdown.finish().await, Ok(()));
    }
}
