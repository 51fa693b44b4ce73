//! Signals to end, heard also while a write waits for whoever reads standard output or error.

use std::fs;
use std::io;
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use super::warn;

/// After a signal, the end may take so long before it is made without ceremony.
const GRACE: Duration = Duration::from_secs(1);

/// What is said then has so long to be taken.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Listens until the program ends.
pub(super) struct Ending {
    told: Option<oneshot::Receiver<u8>>,
    code: Option<Arc<AtomicU8>>,
}

/// The signals that whoever started this program has it ignore, where the system tells.
fn ignored() -> Vec<SignalKind> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    let kinds = [SignalKind::hangup(), SignalKind::interrupt(), SignalKind::terminate()];
    kinds.into_iter().filter(|kind| mask >> (kind.as_raw_value() - 1) & 1 == 1).collect()
}

impl Ending {
    /// Listens for signals. An end without ceremony has the exit code that shells give to a
    /// program that the signal has ended.
    pub(super) fn listen<const N: usize>(kinds: [SignalKind; N]) -> io::Result<Self> {
        Self::start(kinds, None)
    }

    /// The same with the exit code that is [set](Self::set_code), at first 0.
    pub(super) fn listen_with_code<const N: usize>(kinds: [SignalKind; N]) -> io::Result<Self> {
        Self::start(kinds, Some(Arc::default()))
    }

    fn start<const N: usize>(
        kinds: [SignalKind; N],
        code: Option<Arc<AtomicU8>>,
    ) -> io::Result<Self> {
        let (came, mut coming) = mpsc::unbounded_channel();
        let ignored = ignored();
        // Who started this with nohup, or in the background of a script, means it.
        for kind in kinds.into_iter().filter(|kind| !ignored.contains(kind)) {
            let (mut signal, came) = (signal(kind)?, came.clone());
            // As shells say it.
            let as_code = 128 + u8::try_from(kind.as_raw_value()).unwrap_or(0);
            tokio::spawn(async move {
                while signal.recv().await.is_some() && came.send(as_code).is_ok() {}
            });
        }
        let (tell_main, told) = oneshot::channel();
        let own = code.clone();
        // In a task of its own, because the one that writes may be stuck.
        tokio::spawn(async move {
            let Some(of_signal) = coming.recv().await else { return };
            let _ = tell_main.send(of_signal);
            // Who asks twice is in a hurry.
            tokio::select! {
                () = sleep(GRACE) => {
                    // Nobody may read this, either.
                    thread::spawn(|| warn("ended while nobody reads the output"));
                    sleep(LAST_WORDS).await;
                }
                _ = coming.recv() => {}
            }
            exit(own.map_or(of_signal, |code| code.load(Ordering::Relaxed)).into());
        });
        Ok(Self { told: Some(told), code })
    }

    /// Nothing to listen for.
    pub(super) fn never() -> Self {
        Self { told: None, code: None }
    }

    /// The exit code from now on.
    pub(super) fn set_code(&self, code: u8) {
        if let Some(own) = &self.code {
            own.store(code, Ordering::Relaxed);
        }
    }

    /// Comes with the first signal; gives the exit code that shells would.
    pub(super) fn told(&mut self) -> impl Future<Output = u8> + use<> {
        let told = self.told.take();
        async move {
            match told {
                Some(told) => match told.await {
                    Ok(code) => code,
                    Err(_) => std::future::pending().await,
                },
                None => std::future::pending().await,
            }
        }
    }
}
