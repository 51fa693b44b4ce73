//! Signals that do not end the server, and the end of its terminal.

use std::fs::{File, OpenOptions};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::harness::process::{ServerProcess, command};

#[test]
fn user_signals_and_a_hang_up_without_a_terminal_do_not_end_it() {
    let mut program = ServerProcess::spawn(
        command()
            .args(["--ephemeral", "--log-level", "debug"])
            .stdin(Stdio::null())
            .stdout(Stdio::null()),
    );
    program.wait_until_listening();
    for (signal, said) in [("-USR1", "SIGUSR1"), ("-USR2", "SIGUSR2"), ("-HUP", "SIGHUP")] {
        program.signal(signal);
        program.wait_until_logged(said);
        assert_eq!(program.request("put a 1 1\n"), "ok\n\n", "{signal}");
    }
    program.stop();
}

/// A terminal: the side that shows it, and the side of its programs.
fn terminal() -> (OwnedFd, File) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
    let shown = openpt(flags).unwrap();
    grantpt(&shown).unwrap();
    unlockpt(&shown).unwrap();
    let name = ptsname(&shown, Vec::new()).unwrap();
    let path = Path::new(std::ffi::OsStr::from_bytes(name.as_bytes()));
    let no_control = i32::try_from(OFlags::NOCTTY.bits()).unwrap();
    let inside =
        OpenOptions::new().read(true).write(true).custom_flags(no_control).open(path).unwrap();
    (shown, inside)
}

#[test]
fn a_hang_up_of_the_terminal_that_started_it_is_an_orderly_end() {
    let (_shown, inside) = terminal();
    let mut program =
        ServerProcess::spawn(command().arg("--ephemeral").stdin(inside).stdout(Stdio::null()));
    program.wait_until_listening();
    assert_eq!(program.request("put a 1 1\n"), "ok\n\n");
    program.signal("-HUP");
    let (code, log) = program.wait_for_exit();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("stopped"), "{log}");
}

/// As `nohup` starts it. Linux tells that the signal was ignored.
#[cfg(target_os = "linux")]
#[test]
fn a_hang_up_that_is_ignored_stays_ignored() {
    let (_shown, inside) = terminal();
    let server = command();
    let mut shell = Command::new("sh");
    // The server's own name is the last argument: what resets signals is left out.
    let program = server.get_args().last().unwrap_or(server.get_program());
    shell.args(["-c", "trap '' HUP; exec \"$@\"", "sh"]).arg(program).arg("--ephemeral");
    let mut program = ServerProcess::spawn(shell.stdin(inside).stdout(Stdio::null()));
    program.wait_until_listening();
    program.signal("-HUP");
    program.signal("-USR1");
    assert_eq!(program.request("put a 1 1\n"), "ok\n\n");
    program.stop();
}
