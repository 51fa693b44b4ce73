//! Signals that end the server, that have it load files again, and those that mean nothing.

use std::io::{self, IsTerminal};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::debug;

use crate::os::{EndRequest, SignalRequest};

/// SIGINT, SIGTERM, and SIGHUP, which also tells of the end of the terminal. SIGUSR1 and SIGUSR2 are taken, because a program that
/// does not take them is ended by them.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// `None` when it was ignored before, as under `nohup`.
    hangup: Option<Signal>,
    user: [Signal; 2],
    has_terminal: bool,
}

impl Signals {
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
            has_terminal: has_terminal(),
        })
    }

    /// Waits for the first that means anything: SIGINT, SIGTERM or SIGHUP. The last is an end if the
    /// server was started by hand in a terminal that is gone.
    pub async fn recv(&mut self) -> SignalRequest {
        let Self { interrupt, terminate, hangup, user: [user1, user2], has_terminal: had_one } =
            self;
        let end = |is_insistent| SignalRequest::End(EndRequest { limit: None, is_insistent });
        loop {
            tokio::select! {
                _ = interrupt.recv() => return end(true),
                _ = terminate.recv() => return end(true),
                () = received(hangup) => {
                    let is_gone = *had_one && !has_terminal();
                    return if is_gone { end(false) } else { SignalRequest::Reload };
                }
                _ = user1.recv() => debug!("SIGUSR1 means nothing to the server"),
                _ = user2.recv() => debug!("SIGUSR2 means nothing to the server"),
            }
        }
    }
}

/// A stream of the process is a terminal. One that has hung up is none any more.
fn has_terminal() -> bool {
    io::stdin().is_terminal() || io::stdout().is_terminal() || io::stderr().is_terminal()
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
