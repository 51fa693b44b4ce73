//! Graceful shutdown: a token that tells when it begins, and the names of the tasks that it waits
//! for.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long tasks may take to finish, unless the shutdown is more urgent.
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
    /// How long they may take; `None` for [`SHUTDOWN_TIMEOUT`].
    limit: Option<Duration>,
}

impl Shutdown {
    /// Begins the shutdown, which every task sees through its token.
    pub fn begin(&self) {
        self.token.cancel();
    }

    /// Begins the shutdown, for which tasks may take at most `limit`, shorter than usual.
    pub fn begin_within(&self, limit: Duration) {
        lock(&self.names).limit = Some(limit.min(SHUTDOWN_TIMEOUT));
        self.begin();
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
        // In a place of its own: what is moved into a task takes its room twice.
        let task = Box::pin(task(self.token.clone()));
        self.tracker.spawn(async move {
            task.await;
            drop(present);
        });
    }

    /// Begins the shutdown and waits for all tasks, at most [`SHUTDOWN_TIMEOUT`] or the limit that it
    /// began with.
    ///
    /// # Errors
    /// The names of the tasks that have not ended by then.
    pub async fn finish(&self) -> Result<(), Vec<String>> {
        self.begin();
        self.tracker.close();
        let limit = lock(&self.names).limit.unwrap_or(SHUTDOWN_TIMEOUT);
        match tokio::time::timeout(limit, self.tracker.wait()).await {
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

    #[tokio::test(start_paused = true)]
    async fn an_urgent_one_takes_less() {
        let (shutdown, start) = (Shutdown::default(), tokio::time::Instant::now());
        shutdown.spawn("stuck".to_owned(), |_| std::future::pending());
        shutdown.begin_within(Duration::from_secs(2));
        assert_eq!(shutdown.finish().await, Err(vec!["stuck".to_owned()]));
        assert_eq!(start.elapsed().as_secs(), 2);
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
