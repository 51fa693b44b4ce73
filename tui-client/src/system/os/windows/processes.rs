//! Other programs.

use std::env;
use std::os::windows::process::CommandExt;
use std::process::Command;

/// A command line of the user for the shell of the system.
pub fn shell(command: &str) -> Command {
    let mut shell = Command::new(env::var_os("COMSPEC").unwrap_or_else(|| "cmd.exe".into()));
    // With /S the outer quotes go and all that is between them stays as it is.
    shell.args(["/D", "/S", "/C"]).raw_arg(format!("\"{command}\""));
    shell
}
