//! Threads for long work, such as reading: work of the runtime and commits of puts go before it.

use std::sync::LazyLock;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::os;

/// `None` when it can't be made. Its blocking threads alone are used.
static THREADS: LazyLock<Option<Runtime>> = LazyLock::new(|| {
    let count = processors();
    let mut builder = Builder::new_current_thread();
    builder.max_blocking_threads(count).thread_name("low-priority");
    builder.on_thread_start(os::lower_thread_priority).build().ok()
});

/// The number of processors that the process may use.
pub fn processors() -> usize {
    available_parallelism().map_or(1, Into::into)
}

/// Runs `work`, one piece of it on each processor at a time, in the order of the calls. Panics where
/// there is no runtime that could do the work instead.
pub fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    match &*THREADS {
        Some(threads) => threads.spawn_blocking(work),
        None => spawn_blocking(work),
    }
}
