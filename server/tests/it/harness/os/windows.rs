//! Console events, and wine, which has no Ctrl-Break.
#![allow(clippy::unnecessary_wraps, reason = "what one system answers another one does not")]

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::net::TcpStream;
use std::os::windows::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How a server is told to end in an orderly way. Ctrl-C can't be sent to a single process of a
/// console; closing the window, log-off and shutdown can't be sent at all. In wine it is a Ctrl-C.
pub const END_SIGNALS: &[&str] = &["Ctrl-Break"];

/// In the error of a program that opens a directory as a file.
pub const DIRECTORY_AS_FILE: &str = "(os error 5)";

/// `CREATE_NEW_PROCESS_GROUP`: console events can be sent to the child alone.
const NEW_PROCESS_GROUP: u32 = 0x200;

/// Much longer than a reply takes under load.
const WINE_PEER_TIMEOUT: Duration = Duration::from_secs(5);

/// `ERROR_LOCK_VIOLATION`.
const LOCK_VIOLATION: i32 = 33;

/// Whether this is wine and no Windows.
static IS_WINE: LazyLock<bool> =
    LazyLock::new(|| Path::new(r"C:\windows\system32\wineboot.exe").exists());

static COMMANDS: AtomicU32 = AtomicU32::new(0);

/// Tells this process from all others that run these tests; wine gives process ids again.
static START: LazyLock<u128> =
    LazyLock::new(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos());

/// A program that can be told to end, not yet started. In wine it is started by a name of its own,
/// by which its process is found.
pub fn command(program: &str) -> Command {
    if *IS_WINE {
        let number = COMMANDS.fetch_add(1, Ordering::Relaxed);
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let link = directory.join(format!("{}-{number}-server.exe", *START));
        fs::hard_link(program, &link).unwrap();
        return Command::new(link);
    }
    let mut command = Command::new(program);
    command.creation_flags(NEW_PROCESS_GROUP);
    command
}

/// Sends one of [`END_SIGNALS`] to a running child that [`command`] made.
pub fn send_signal(id: u32, program: &OsStr, _name: &str) {
    if !*IS_WINE {
        winconsole::console::generate_ctrl_event(true, id).unwrap();
        return;
    }
    // SIGINT is what wine takes for a Ctrl-C.
    let name = Path::new(program).file_name().unwrap().to_str().unwrap();
    assert!(Path::new(r"Z:\usr\bin\pgrep").exists(), "the package procps is missing");
    let kill = format!(
        "ids=$(pgrep -f {name}) && kill -INT $ids || echo '{name} was not told to end' >&2"
    );
    // A program of the host is none of wine's processes: it is started, and the wait for it fails.
    let _ = Command::new(r"Z:\bin\sh").args(["-c", &kill]).status();
}

/// Cleans up behind a child that has ended.
pub fn release(program: &OsStr) {
    if *IS_WINE && Path::new(program).starts_with(env!("CARGO_TARGET_TMPDIR")) {
        // What stays behind, as of a test that failed, `.ci/windows` removes before the next run.
        let _ = fs::remove_file(program);
    }
}

/// Sets how long a client waits for a server that was killed. Windows closes its connections at
/// once, but wine 8 leaves one open when the process was killed in the middle of a read or write.
pub fn limit_waits_for_a_killed_peer(stream: &TcpStream) {
    if *IS_WINE {
        stream.set_read_timeout(Some(WINE_PEER_TIMEOUT)).unwrap();
        stream.set_write_timeout(Some(WINE_PEER_TIMEOUT)).unwrap();
    }
}

/// Gives a file to a user: not here.
pub fn give_to(_: &Path, _: u32, _: u32) -> bool {
    false
}

/// The user to whom a file belongs: it is not known here.
pub fn owner(_: &Metadata) -> Option<u32> {
    None
}

/// Has a program run as a user: not here.
pub fn run_as(_: &mut Command, _: u32) {}

/// Who may use a file is inherited from the directory above, and not looked at.
pub fn mode(_: &Metadata) -> Option<u32> {
    None
}

/// Whether a file can't be read because another process has locked it.
pub fn is_locked(error: &io::Error) -> bool {
    error.raw_os_error() == Some(LOCK_VIOLATION)
}

/// Makes no symbolic link: that takes a right that few have.
pub fn link_to(_: &Path, _: &Path) -> bool {
    super::skipped("symbolic links", "making one takes a right that few users have");
    false
}

/// Makes no link that leads to itself: that takes a right that few have.
pub fn make_circle(_: &Path) -> Option<&'static str> {
    super::skipped("links in a circle", "making one takes a right that few users have");
    None
}

/// Memory of this process now, and at most so far: not known without unsafe code.
pub fn memory(_: u32) -> Option<(u64, u64)> {
    None
}

/// A client that is cut off hears of it by a reset. Under wine the reply only ends.
pub const CUTS_OFF_BY_RESET: bool = false;
