//! Signals to end, heard also while a write to standard output waits for whoever reads it.

use std::io;
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::tell;

/// After a signal, the end may take so long before it is made without ceremony.
const GRACE: Duration = Duration::from_secs(1);

/// Listens until the program ends.
pub(super) struct Ending {
    told: Arc<Notify>,
    code: Arc<AtomicU8>,
}

impl Ending {
    /// Listens for signals; `code` is the exit code where the end is made without ceremony.
    pub(super) fn listen<const N: usize>(kinds: [SignalKind; N], code: u8) -> io::Result<Self> {
        let ending = Self { told: Arc::default(), code: Arc::new(AtomicU8::new(code)) };
        let any = Arc::new(Notify::new());
        for kind in kinds {
            let (mut signal, any) = (signal(kind)?, Arc::clone(&any));
            tokio::spawn(async move {
                while signal.recv().await.is_some() {
                    any.notify_one();
                }
            });
        }
        let (told, code) = (Arc::clone(&ending.told), Arc::clone(&ending.code));
        // In a task of its own, because the one that writes may be stuck.
        tokio::spawn(async move {
            any.notified().await;
            told.notify_one();
            // Who asks twice is in a hurry.
            tokio::select! {
                () = sleep(GRACE) => tell("ended while nobody reads standard output"),
                () = any.notified() => {}
            }
            exit(code.load(Ordering::Relaxed).into());
        });
        Ok(ending)
    }

    /// Nothing to listen for.
    pub(super) fn never() -> Self {
        Self { told: Arc::default(), code: Arc::default() }
    }

    /// The exit code from now on.
    pub(super) fn set_code(&self, code: u8) {
        self.code.store(code, Ordering::Relaxed);
    }

    /// Comes with the first signal.
    pub(super) fn told(&self) -> impl Future<Output = ()> + use<> {
        let told = Arc::clone(&self.told);
        async move { told.notified().await }
    }
}
