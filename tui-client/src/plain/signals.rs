//! Signals that end plain mode, heard also while a write to standard output or error blocks.

use std::future;
use std::io;
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::sleep;

use super::warn;
use crate::system::os;

/// After a signal, the program has so long to end by itself.
const GRACE: Duration = Duration::from_secs(1);

/// The last message has so long to be written.
const LAST_MESSAGE: Duration = Duration::from_millis(100);

/// Comes with the first interrupt, termination or hang-up, as the exit code that shells give it.
/// When the program does not end soon after it, or a second signal comes, it exits at once, with
/// `exit_code` if there is one. Signals that were ignored when the program started stay so.
pub(super) fn listen(exit_code: Option<Arc<AtomicU8>>) -> io::Result<impl Future<Output = u8>> {
    let mut signals = os::signals::exit_codes()?;
    let (first, came) = oneshot::channel();
    // In a task of its own, because the main one may be blocked in a write.
    tokio::spawn(async move {
        let Some(code) = signals.recv().await else { return };
        let _ = first.send(code);
        tokio::select! {
            () = sleep(GRACE) => {
                // Standard error may be blocked, too.
                thread::spawn(|| warn("ended; the output is not read"));
                sleep(LAST_MESSAGE).await;
            }
            _ = signals.recv() => {}
        }
        exit(exit_code.map_or(code, |own| own.load(Ordering::Relaxed)).into());
    });
    Ok(async {
        match came.await {
            Ok(code) => code,
            Err(_) => future::pending().await,
        }
    })
}
