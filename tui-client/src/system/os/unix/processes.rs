//! Other programs.

use std::process::Command;

/// A command line of the user for the shell of the system.
pub fn shell(command: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(command);
    shell
}
