//! What the tests need of the operating system, the same on each.

use std::ffi::OsStr;
use std::process::Command;

/// A program that begins with the default action of each signal.
#[cfg(unix)]
pub fn command(program: impl AsRef<OsStr>) -> Command {
    super::signals::command(program)
}

/// A program; there are no signals that it could inherit.
#[cfg(windows)]
pub fn command(program: impl AsRef<OsStr>) -> Command {
    Command::new(program)
}

/// Ends a process at once.
#[cfg(unix)]
pub fn kill(id: u32) {
    use rustix::process::{Pid, Signal, kill_process};

    let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("the id of a process"), Signal::KILL).unwrap();
}

/// Ends a process at once.
#[cfg(windows)]
pub fn kill(id: u32) {
    let kill = Command::new("taskkill").args(["/F", "/PID", &id.to_string()]).status();
    assert!(kill.unwrap().success(), "{id} is not ended");
}
