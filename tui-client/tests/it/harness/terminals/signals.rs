//! Signals of the processes that tests start.

use std::ffi::OsStr;
use std::process::{Child, ChildStdout, Command};
use std::sync::Once;

use rustix::process::{Pid, Signal, kill_process};
use tokio::signal::unix::{self as caught, SignalKind};

use super::wait::wait_until;

/// What ends, stops or wakes a process by default, or tells it of its terminal and its children.
const SIGNALS: [Signal; 11] = [
    Signal::HUP,
    Signal::INT,
    Signal::QUIT,
    Signal::ALARM,
    Signal::TERM,
    Signal::CHILD,
    Signal::CONT,
    Signal::TSTP,
    Signal::TTIN,
    Signal::TTOU,
    Signal::WINCH,
];

/// A program that begins with the default action of each signal.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    reset_for_children();
    Command::new(program)
}

/// From now on children begin with the default action of each signal. Without this, they ignore
/// what the tests were started to ignore: INT and QUIT in the background of a script, HUP under
/// `nohup`.
///
/// An ignored signal stays so in a new program, a caught one does not. So they are caught here, and
/// have no effect on the tests, as before.
pub fn reset_for_children() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let _context = tokio.enter();
        for ignored in SIGNALS.into_iter().filter(|&signal| is_ignored(signal)) {
            // The handler outlives this.
            drop(caught::signal(SignalKind::from_raw(ignored.as_raw())).unwrap());
        }
    });
}

/// This process was started to ignore the signal. Known on Linux.
pub fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal.as_raw() - 1) & 1 == 1
}

/// Sends a signal, as Ctrl-C does with INT and a supervisor with TERM.
pub fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Waits until the pipe at an unread standard output holds more than 60,000 bytes.
pub fn until_full(out: &ChildStdout) {
    wait_until("a full pipe", || rustix::io::ioctl_fionread(out).unwrap() > 60_000);
}
