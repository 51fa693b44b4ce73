//! Signals that do not end the server, and the end of its terminal.

use std::process::{Command, Stdio};

use crate::harness::os::{self, terminal::terminal};
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

#[test]
fn the_end_of_the_terminal_that_started_it_is_an_orderly_end_and_another_hang_up_is_not() {
    let (shown, inside) = terminal();
    let mut program =
        ServerProcess::spawn(command().arg("--ephemeral").stdin(inside).stdout(Stdio::null()));
    program.wait_until_listening();
    program.signal("-HUP");
    program.wait_for_line("SIGHUP: there are no settings that could be loaded again");
    assert_eq!(program.request("put a 1 1\n"), "ok\n\n");
    drop(shown);
    // That of the system goes to the session whose terminal it is.
    program.signal("-HUP");
    let (code, log) = program.wait_for_exit();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("stopped"), "{log}");
}

/// As `nohup` starts it.
#[test]
fn a_hang_up_that_is_ignored_stays_ignored() {
    if !std::path::Path::new("/proc/self/status").exists() {
        os::skipped("an ignored signal", "this system does not tell which are");
        return;
    }
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
