//! Signals that end the server, and those that do not.

use std::io::{self, IsTerminal};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{debug, info};

use crate::os::EndRequest;

/// SIGINT, SIGTERM, and the end of the terminal. SIGUSR1 and SIGUSR2 are taken, because a program that
/// does not take them is ended by them.
#[derive(Debug)]
pub struct EndSignals {
    interrupt: Signal,
    terminate: Signal,
    /// `None` when it was ignored before, as under `nohup`.
    hangup: Option<Signal>,
    user: [Signal; 2],
    has_terminal: bool,
}

impl EndSignals {
    /// Takes the signals from now on, instead of ending the process.
    ///
    /// # Errors
    /// When they can't be taken.
    pub fn listen() -> io::Result<Self> {
        let hangup = if is_hangup_ignored() { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup,
            user: [signal(SignalKind::user_defined1())?, signal(SignalKind::user_defined2())?],
            has_terminal: io::stdin().is_terminal()
                || io::stdout().is_terminal()
                || io::stderr().is_terminal(),
        })
    }

    /// Waits for the first that ends the server: SIGINT or SIGTERM, and SIGHUP if the server was
    /// started by hand in a terminal.
    pub async fn recv(&mut self) -> EndRequest {
        let Self { interrupt, terminate, hangup, user: [user1, user2], has_terminal } = self;
        loop {
            tokio::select! {
                _ = interrupt.recv() => return EndRequest { limit: None, is_insistent: true },
                _ = terminate.recv() => return EndRequest { limit: None, is_insistent: true },
                () = received(hangup) => {
                    if *has_terminal {
                        return EndRequest { limit: None, is_insistent: false };
                    }
                    info!("SIGHUP: there are no settings that could be loaded again");
                }
                _ = user1.recv() => debug!("SIGUSR1 means nothing to the server"),
                _ = user2.recv() => debug!("SIGUSR2 means nothing to the server"),
            }
        }
    }
}

async fn received(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Whether the process was started with SIGHUP ignored. Where the system does not tell, `nohup` is
/// known by its streams, none of which is a terminal.
fn is_hangup_ignored() -> bool {
    std::fs::read_to_string("/proc/self/status")
        .is_ok_and(|status| is_first_signal_ignored(&status))
}

/// SIGHUP is signal 1, the lowest bit.
fn is_first_signal_ignored(status: &str) -> bool {
    let mut lines = status.lines();
    let mask = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_tells_which_signals_are_ignored() {
        for (status, expected) in [
            ("SigBlk:\t0000000000000001\nSigIgn:\t0000000000001001\n", true),
            ("SigIgn:\t0000000000001000\n", false),
            ("Name:\tserver\n", false),
            ("SigIgn:\tnone\n", false),
        ] {
            assert_eq!(is_first_signal_ignored(status), expected, "{status}");
        }
    }
}
