//! Output, size and keys of the terminal, job control, the clipboard.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, stdin};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::{Signal, getpgrp, getppid, getsid, kill_current_process_group};
use rustix::stdio::stdout;
use rustix::termios::{OptionalActions, QueueSelector, tcflush, tcgetwinsize};
use rustix::termios::{tcgetattr, tcsetattr, ttyname};

/// A shell can stop and continue the program.
pub const HAS_JOB_CONTROL: bool = true;

/// Copied text goes to the clipboard of the system, at least when the session is a local one.
pub const HAS_CLIPBOARD: bool = false;

/// The shells of the system are those of Unix, with its commands.
pub const HAS_POSIX_SHELL: bool = true;

/// Pasted text arrives as keys, and not between marks of the terminal.
pub const PASTES_AS_KEYS: bool = false;

/// The right Alt key, which types characters, is reported as Ctrl and Alt.
pub const ALT_GR_IS_CTRL_ALT: bool = false;

/// Asks the terminal to mark pasted text.
pub const MARK_PASTES: &str = "\x1b[?2004h";

/// Asks the terminal for clicks and the wheel, but not for movements of the mouse, which would wake
/// the program for nothing.
pub const REPORT_CLICKS: &str = "\x1b[?1000h\x1b[?1006h";

/// Undoes [`REPORT_CLICKS`], and all other reports of the mouse, and [`MARK_PASTES`].
pub const REPORT_NOTHING: &str =
    "\x1b[?1006l\x1b[?1015l\x1b[?1003l\x1b[?1002l\x1b[?1000l\x1b[?2004l";

/// Columns and rows of a terminal that does not tell its size.
const USUAL_SIZE: (u16, u16) = (80, 24);

/// The pause between two attempts to write where the system can't wait for a terminal.
const RETRY: Duration = Duration::from_millis(5);

/// The file to write to, and whether a write there returns at once.
///
/// Not standard output itself where possible, because `O_NONBLOCK` would also apply to the shell
/// that shares it. A terminal of another user can't be opened again.
fn tty_fd() -> (BorrowedFd<'static>, bool) {
    static OPENED: OnceLock<Option<File>> = OnceLock::new();
    match OPENED.get_or_init(|| open_again().ok()) {
        Some(file) => (file.as_fd(), true),
        None => (stdout(), false),
    }
}

/// Opens the terminal of standard output, as another open file.
fn open_again() -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let flags = flags.try_into().map_err(io::Error::other)?;
    let open = |path: &OsStr| OpenOptions::new().write(true).custom_flags(flags).open(path);
    match open(OsStr::new("/proc/self/fd/1")) {
        // Without /proc, /dev/fd has only copies of the open files.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            open(OsStr::from_bytes(ttyname(stdout(), Vec::new())?.as_bytes()))
        }
        opened => opened,
    }
}

/// Columns and rows of the terminal that is written to. One that has no size, as a serial line, has
/// that of the environment, else the usual one.
///
/// # Errors
/// When standard output is no terminal, or the terminal is gone.
pub fn size() -> io::Result<(u16, u16)> {
    let (file, _) = tty_fd();
    let size = tcgetwinsize(file)?;
    let variable = |name: &str| env::var(name).ok();
    Ok((
        side(size.ws_col, variable("COLUMNS"), USUAL_SIZE.0),
        side(size.ws_row, variable("LINES"), USUAL_SIZE.1),
    ))
}

fn side(known: u16, variable: Option<String>, usual: u16) -> u16 {
    let of_environment = || variable?.trim().parse().ok().filter(|&cells| cells > 0);
    if known > 0 { known } else { of_environment().unwrap_or(usual) }
}

/// A write never waits, and fails with `WouldBlock` instead.
pub fn writes_at_once() -> bool {
    tty_fd().1
}

/// Writes as many bytes as the terminal takes.
///
/// # Errors
/// When the terminal is gone.
pub fn write(bytes: &[u8]) -> io::Result<usize> {
    let (file, _) = tty_fd();
    Ok(rustix::io::write(file, bytes)?)
}

/// Waits until the terminal takes output.
pub fn wait_until_writable() {
    let (file, _) = tty_fd();
    let mut file = [PollFd::new(&file, PollFlags::OUT)];
    // Not every system can wait for a terminal.
    if poll(&mut file, None).is_ok() && file[0].revents().contains(PollFlags::NVAL) {
        thread::sleep(RETRY);
    }
}

/// Discards output that the terminal has not taken yet, and writes as many bytes as it takes at
/// once.
pub fn write_last(bytes: &[u8]) {
    let (file, at_once) = tty_fd();
    let _ = tcflush(file, QueueSelector::OFlush);
    let is_ready = || {
        let mut file = [PollFd::new(&file, PollFlags::OUT)];
        matches!(poll(&mut file, Some(&Timespec::default())), Ok(1..))
    };
    let mut rest = bytes;
    while !rest.is_empty() && (at_once || is_ready()) {
        let Ok(written) = rustix::io::write(file, rest) else { return };
        rest = &rest[written..];
    }
}

/// Takes all keys from the terminal, one by one; `_mouse` does not matter here.
///
/// # Errors
/// When standard input is no terminal, or the terminal is gone.
pub fn take_keys(_mouse: bool) -> io::Result<()> {
    enable_raw_mode()?;
    // The library does nothing if it has set the mode before, but a shell may have changed it
    // since. Without an interval in the mode of the shell, in which keys have other meanings.
    let mut mode = tcgetattr(stdin())?;
    mode.make_raw();
    Ok(tcsetattr(stdin(), OptionalActions::Now, &mode)?)
}

/// Undoes [`take_keys`].
///
/// # Errors
/// When the terminal is gone.
pub fn give_keys_back() -> io::Result<()> {
    disable_raw_mode()
}

/// Waits until the terminal is gone, which not every program on it learns by a signal; false where
/// that is impossible, as on macOS, whose `poll` knows no terminals.
pub fn wait_for_hang_up() -> bool {
    let input = stdin();
    // Errors and hang-ups are reported without being requested.
    let mut input = [PollFd::new(&input, PollFlags::empty())];
    while poll(&mut input, None) == Err(Errno::INTR) {}
    input[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
}

/// Whether a shell of the session started this program as a job, and could continue it. The kernel
/// checks this only for a stop by the default action, which a signal handler replaces.
pub fn is_job() -> bool {
    let session = getsid(None).ok();
    let of_session = getppid().is_some_and(|parent| getsid(Some(parent)).ok() == session);
    // The leader of the session has no shell above.
    of_session && session != Some(getpgrp())
}

/// Stops the whole job, as the shell's job control expects; takes effect a little later, from
/// another thread.
///
/// # Errors
/// When the system refuses.
pub fn stop_job() -> io::Result<()> {
    // Not SIGTSTP, which this program handles itself.
    Ok(kill_current_process_group(Signal::STOP)?)
}

/// Puts text on the clipboard of the system: the outcome, or nothing where the text has to go
/// through the terminal, as here.
pub fn copy(_text: &str) -> Option<Result<(), String>> {
    None
}

/// The background in the palette of sixteen colours: none, because the terminal has to be asked.
pub fn background() -> Option<u8> {
    None
}

/// The terminal is not known to lack glyphs for lines, bars and dots: the console of Linux has fonts
/// of few glyphs, and what the locale says decides about the encoding.
pub fn has_all_glyphs() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(env::var_os);
    let locale = locale.map(|name| name.to_string_lossy().into_owned());
    env::var_os("TERM").is_none_or(|term| term != "linux")
        && locale.into_iter().find(|name| !name.is_empty()).is_none_or(|name| is_utf_8(&name))
}

/// A locale such as `de_DE.UTF-8@euro` names no other encoding than UTF-8. `C` and `POSIX` are ASCII.
fn is_utf_8(locale: &str) -> bool {
    let name = locale.split('@').next().unwrap_or_default();
    match name.split_once('.') {
        Some((_, encoding)) => ["utf-8", "utf8"].contains(&&*encoding.to_lowercase()),
        None => !matches!(name, "C" | "POSIX"),
    }
}

/// What the terminal lacks for the screen, as the environment says; none when it has all.
pub fn lacks_for_screen() -> Option<String> {
    what_lacks(env::var_os("TERM"))
}

fn what_lacks(term: Option<OsString>) -> Option<String> {
    let term = term.unwrap_or_default().to_string_lossy().into_owned();
    match &*term {
        "" => Some("TERM is not set".to_owned()),
        "dumb" | "unknown" => Some(format!("TERM is {term}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_without_utf_8_is_known() {
        for name in ["de_DE.UTF-8", "C.utf8", "UTF-8", "en_US", "sr_RS.UTF-8@latin"] {
            assert!(is_utf_8(name), "{name}");
        }
        for name in ["C", "POSIX", "de_DE.ISO-8859-1", "de_DE.ISO8859-15@euro", "ja_JP.eucJP"] {
            assert!(!is_utf_8(name), "{name}");
        }
    }

    #[test]
    fn a_terminal_without_a_size_has_one_of_the_environment_or_the_usual_one() {
        let variable = |text: &str| Some(text.to_owned());
        for (known, variable, expected) in [
            (132, variable("40"), 132),
            (0, variable("40"), 40),
            (0, variable("0"), 80),
            (0, variable("-1"), 80),
            (0, variable("wide"), 80),
            (0, variable("70000"), 80),
            (0, None, 80),
        ] {
            assert_eq!(side(known, variable, 80), expected);
        }
    }

    #[test]
    fn a_terminal_without_abilities_is_known_by_its_name() {
        for (term, lacks) in [
            (None, Some("TERM is not set")),
            (Some(""), Some("TERM is not set")),
            (Some("dumb"), Some("TERM is dumb")),
            (Some("unknown"), Some("TERM is unknown")),
            (Some("xterm-256color"), None),
            (Some("vt100"), None),
            (Some("linux"), None),
        ] {
            assert_eq!(what_lacks(term.map(OsString::from)).as_deref(), lacks);
        }
    }
}
