//! Signals, modes, and what Linux says of a process.
#![allow(clippy::unnecessary_wraps, reason = "what one system answers another one does not")]

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

/// Gives a file to a user, with a mode. Answers whether this process may do so.
pub fn give_to(path: &Path, user: u32, mode: u32) -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        chown(path, Some(user), Some(user)).unwrap();
    }
    is_root
}

/// The user to whom a file belongs.
pub fn owner(about: &Metadata) -> Option<u32> {
    Some(about.uid())
}

/// Has a program run as a user.
pub fn run_as(command: &mut Command, user: u32) {
    command.uid(user).gid(user);
}

/// How a server is told to end in an orderly way.
pub const END_SIGNALS: &[&str] = &["-TERM", "-INT"];

/// In the error of a program that opens a directory as a file.
pub const DIRECTORY_AS_FILE: &str = "s a directory";

/// Gives a program the default signal dispositions. A script that runs the tests in the background
/// has them start with SIGINT ignored, and every child would inherit that.
const DEFAULT_SIGNALS: &str = "--default-signal=HUP,INT,QUIT,TERM";

/// Whether `env` knows the option: GNU coreutils 8.31 or newer.
static ENV_RESETS_SIGNALS: LazyLock<bool> = LazyLock::new(|| {
    let mut env = Command::new("env");
    env.args([DEFAULT_SIGNALS, "true"]).stdin(Stdio::null()).stderr(Stdio::null());
    env.status().is_ok_and(|status| status.success())
});

/// A program that can be told to end, not yet started. Its process id is that of the child: `env`
/// is replaced by it.
pub fn command(program: &str) -> Command {
    if !*ENV_RESETS_SIGNALS {
        return Command::new(program);
    }
    let mut command = Command::new("env");
    command.args([DEFAULT_SIGNALS, program]);
    command
}

/// Sends one of [`END_SIGNALS`] to a running child that [`command`] made.
pub fn send_signal(id: u32, _program: &OsStr, name: &str) {
    let sent = Command::new("kill").args([name, &id.to_string()]).status();
    assert!(sent.unwrap().success());
}

/// Cleans up behind a child that has ended.
pub fn release(_program: &OsStr) {}

/// Sets how long a client waits for a server that was killed. Its connections are closed at once.
pub fn limit_waits_for_a_killed_peer(_: &TcpStream) {}

/// The permissions of a file.
pub fn mode(about: &Metadata) -> Option<u32> {
    Some(about.permissions().mode() & 0o777)
}

/// Whether a file can't be read because another process has locked it.
pub fn is_locked(_: &std::io::Error) -> bool {
    false
}

/// Makes a symbolic link. Answers whether that is possible.
pub fn link_to(target: &Path, link: &Path) -> bool {
    symlink(target, link).unwrap();
    true
}

/// Makes a link that leads to itself. Answers what the server says of it.
pub fn make_circle(path: &Path) -> Option<&'static str> {
    symlink(path.file_name().unwrap(), path).unwrap();
    Some("it can't be read: Too many levels of symbolic links")
}

/// Memory of this process now, and at most so far, in KiB, on Linux.
pub fn memory(process: u32) -> Option<(u64, u64)> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let of = |what: &str| -> u64 {
        let line = status.lines().find(|line| line.starts_with(what)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    Some((of("VmRSS:"), of("VmHWM:")))
}

/// A client that is cut off hears of it by a reset.
pub const CUTS_OFF_BY_RESET: bool = true;

mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;
    use crate::harness::process::run;

    /// Also when the tests were started with the signal ignored.
    #[test]
    fn children_have_default_signal_dispositions() {
        let shell = command("sh");
        if shell.get_program() == "sh" {
            return;
        }
        let output = run(Command::new("env")
            .arg("--ignore-signal=HUP,INT,QUIT,TERM")
            .arg(shell.get_program())
            .args(shell.get_args())
            .args(["-c", "kill -INT $$; echo ignored"]));
        assert_eq!((output.status.signal(), output.stdout), (Some(2), Vec::new()));
    }
}
