//! Windows 10 and newer.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::SocketAddr;
use std::os::windows::fs::FileExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crossterm_winapi::{ConsoleMode, Handle, HandleType};
use socket2::Socket;
use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlLogoff, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close,
    ctrl_logoff, ctrl_shutdown,
};

mod streams;

use super::{EndRequest, MemoryLimit, SignalRequest};

pub use streams::Output;

/// The environment variable that names the place for temporary files.
pub const TEMP_VARIABLE: &str = "TMP";

/// What to do when the user may not listen on a port.
pub const PORT_HINT: &str = "another program has it, or Windows keeps it for itself \
    (netsh interface ipv4 show excludedportrange tcp); choose another --port";

/// Where the limit of open files is set: nowhere.
pub const OPEN_FILES_HINT: &str = "no limit of Windows";

/// `ERROR_ACCESS_DENIED`: among others, the name is that of a file that is open, or of one that was
/// removed and is still open.
const ACCESS_DENIED: i32 = 5;

/// `ERROR_SHARING_VIOLATION`: the file is open in another program, without sharing.
const SHARING_VIOLATION: i32 = 32;

/// Whether to set `SO_REUSEADDR`, with which two servers would have the same port. A port is free at
/// once without it.
pub const REUSES_PORTS: bool = false;

/// Bytes that the system keeps for a connection until they are acknowledged.
const SEND_BUFFER: usize = 64 * 1024;

/// `WSAEAFNOSUPPORT`.
const FAMILY_NOT_SUPPORTED: i32 = 10_047;

/// Pauses between attempts to open, rename or remove a file that another program has opened, in
/// milliseconds. Virus scanners and indexers open a file for a moment after it was closed. A quarter
/// of a second in all: the thread that commits puts does this only when a new log file can't be
/// made.
const PAUSES: [u64; 8] = [1, 2, 4, 8, 16, 32, 64, 128];

/// How long requests may take when Windows ends the process by force: after 5 seconds, of which the
/// store needs some for its last checkpoint. It may be cut off there as by a kill; nothing that was
/// acknowledged is lost.
const URGENT_LIMIT: Duration = Duration::from_secs(2);

/// Does nothing: a thread's priority takes unsafe code.
pub fn lower_thread_priority() {}

/// Makes a directory and those above it. Who may use it is inherited.
///
/// # Errors
/// When one of them can't be made.
pub fn make_directory(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Opens nothing: an open file keeps its name.
pub fn open_to_shrink(_: &Path) -> Option<File> {
    None
}

/// Whether an open file has a name: always.
pub fn has_name(_: &File) -> bool {
    true
}

/// Opens a file for reading and writing, or makes one; `empty` cuts off what is in it. Who may use
/// it is inherited.
///
/// # Errors
/// When it can't be made or opened.
pub fn open_private_file(path: &Path, empty: bool) -> io::Result<File> {
    retry(|| OpenOptions::new().read(true).write(true).create(true).truncate(empty).open(path))
}

/// Opens a file that is there, to be read and synced. Only a file that is open for writing can be
/// synced.
///
/// # Errors
/// When it can't be opened.
pub fn open_file(path: &Path) -> io::Result<File> {
    retry(|| OpenOptions::new().read(true).write(true).open(path))
}

/// Who may use a file; it is not known here.
pub fn access(_: &Path) -> Option<String> {
    None
}

/// Who may use a file, which it inherits from its directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ownership;

impl Ownership {
    /// That of every file.
    ///
    /// # Errors
    /// Never.
    pub fn of(_: &Path) -> io::Result<Self> {
        Ok(Self)
    }

    /// That of a file for its owner alone: the same here.
    #[must_use]
    pub fn for_owner_alone(self) -> Self {
        self
    }

    /// Whether the owner is another user than that of this process: no matter here.
    pub fn is_of_another(&self) -> bool {
        false
    }

    /// Whether the files that this process makes have it: always.
    pub fn can_be_given(&self) -> bool {
        true
    }

    /// Does nothing.
    ///
    /// # Errors
    /// Never.
    pub fn give(&self, _: &File) -> io::Result<()> {
        Ok(())
    }
}

/// Fills `buffer` from `offset` on. Moves the cursor of the file, which nothing else uses.
///
/// # Errors
/// `UnexpectedEof` when the file ends first.
pub fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match file.seek_read(buffer, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                buffer = &mut buffer[read..];
                offset += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes all of `bytes` at `offset`. Moves the cursor of the file, which nothing else uses.
///
/// # Errors
/// When some of them may not be written.
pub fn write_all_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.seek_write(bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = &bytes[written..];
                offset += written as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Gives a file another name, in one step; a file of that name is replaced.
///
/// # Errors
/// When the name stays as it was.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    retry(|| fs::rename(from, to))
}

/// Removes the name of a file.
///
/// # Errors
/// When the name stays.
pub fn remove(path: &Path) -> io::Result<()> {
    retry(|| fs::remove_file(path))
}

fn retry<T>(attempt: impl Fn() -> io::Result<T>) -> io::Result<T> {
    let mut pauses = PAUSES.into_iter();
    loop {
        match attempt() {
            Err(error) if is_in_use(&error) => match pauses.next() {
                Some(pause) => thread::sleep(Duration::from_millis(pause)),
                None => return Err(error),
            },
            outcome => return outcome,
        }
    }
}

/// Whether an open, rename or removal may have failed because a file is open; missing rights look the same.
pub fn is_in_use(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(ACCESS_DENIED | SHARING_VIOLATION))
}

/// A directory. Its names can't be made durable; the journal of the file system keeps their order.
#[derive(Debug)]
pub struct DirectoryHandle;

impl DirectoryHandle {
    /// The directory at `path`.
    ///
    /// # Errors
    /// None.
    pub fn open(_: &Path) -> io::Result<Self> {
        Ok(Self)
    }

    /// Does nothing.
    ///
    /// # Errors
    /// None.
    pub fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    /// Whether `path` still leads to it: yes, because a directory with an open file in it can't be
    /// removed.
    ///
    /// # Errors
    /// None.
    pub fn is_at(&self, _: &Path) -> io::Result<bool> {
        Ok(true)
    }
}

/// How much memory this process may take: it is not known.
pub fn memory_limit() -> Option<MemoryLimit> {
    None
}

/// Does nothing: the address space has no limit of its own.
pub fn fit_into_address_space() {}

/// Does nothing: a file that is too long for its disk is an error already.
///
/// # Errors
/// None.
pub fn refuse_long_files_by_error() -> io::Result<()> {
    Ok(())
}

/// Takes room on the disk for the first `length` bytes of an empty file.
///
/// # Errors
/// When there is not so much room.
pub fn allocate(file: &File, length: u64) -> io::Result<()> {
    super::fill(file, length)
}

/// The size of the disk that a path is on: it is not known.
pub fn disk_size(_: &Path) -> Option<u64> {
    None
}

/// Whether an error says that this machine has no such kind of address, as one without IPv6.
pub fn is_family_missing(error: &io::Error) -> bool {
    error.raw_os_error() == Some(FAMILY_NOT_SUPPORTED)
}

/// Limits what the system keeps for a peer that takes nothing.
///
/// # Errors
/// When that can't be limited.
pub fn limit_unsent(socket: &Socket) -> io::Result<()> {
    socket.set_send_buffer_size(SEND_BUFFER)
}

/// Bytes that were written to a connection and not acknowledged: this system does not tell.
pub fn unacknowledged(_: SocketAddr, _: SocketAddr) -> Option<u32> {
    None
}

/// How many files there may be open: there is no limit.
pub fn raise_open_files_limit() -> Option<u64> {
    None
}

/// Ctrl-C, Ctrl-Break, and the ends of the console window, the session and the system. Windows tells
/// of the last two only some programs, and none that has loaded user32 or gdi32; the others are ended
/// as by a kill.
#[derive(Debug)]
pub struct Signals {
    interrupt: CtrlC,
    stop: CtrlBreak,
    close: CtrlClose,
    logoff: CtrlLogoff,
    shutdown: CtrlShutdown,
}

impl Signals {
    /// Takes the events from now on, instead of ending the process.
    ///
    /// # Errors
    /// When they can't be taken.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: ctrl_c()?,
            stop: ctrl_break()?,
            close: ctrl_close()?,
            logoff: ctrl_logoff()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    /// Waits for the first of them.
    pub async fn recv(&mut self) -> SignalRequest {
        let limit = tokio::select! {
            _ = self.interrupt.recv() => None,
            _ = self.stop.recv() => None,
            _ = self.close.recv() => Some(URGENT_LIMIT),
            _ = self.logoff.recv() => Some(URGENT_LIMIT),
            _ = self.shutdown.recv() => Some(URGENT_LIMIT),
        };
        SignalRequest::End(EndRequest { limit, is_insistent: limit.is_none() })
    }
}

/// Whether the console takes escape sequences; it is told to. The consoles of Windows 10 do unless
/// standard output leads elsewhere.
pub fn enable_colours() -> bool {
    anstyle_query::windows::enable_ansi_colors().unwrap_or(false)
}

/// `ENABLE_QUICK_EDIT_MODE`: the mouse selects text in the console window.
const QUICK_EDIT: u32 = 0x40;

/// `ENABLE_EXTENDED_FLAGS`, without which [`QUICK_EDIT`] is not changed.
const EXTENDED_FLAGS: u32 = 0x80;

/// The console without selection by mouse, until it is dropped: while text is selected, all that
/// write to the console wait, among them what logs and soon the whole server. A server that is
/// killed leaves it so.
#[derive(Debug)]
pub struct UnselectableConsole(ConsoleMode);

impl UnselectableConsole {
    /// Takes the selection from the console; `None` when there is no console or no selection.
    pub fn take() -> Option<Self> {
        let mode = ConsoleMode::from(Handle::new(HandleType::CurrentInputHandle).ok()?);
        let before = mode.mode().ok().filter(|before| before & QUICK_EDIT != 0)?;
        mode.set_mode(before & !QUICK_EDIT | EXTENDED_FLAGS).ok()?;
        Some(Self(mode))
    }
}

impl Drop for UnselectableConsole {
    fn drop(&mut self) {
        if let Ok(now) = self.0.mode() {
            // A console that is gone needs no selection.
            let _ = self.0.set_mode(now | QUICK_EDIT | EXTENDED_FLAGS);
        }
    }
}

/// A file that the system refuses to sync: one that is open for reading alone.
#[cfg(test)]
pub fn unsyncable_file() -> File {
    File::open(std::env::current_exe().unwrap()).unwrap()
}

/// A directory that the system refuses to sync: there is none, as it is never asked.
#[cfg(test)]
pub fn unsyncable_directory() -> Option<&'static Path> {
    None
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn what_another_program_has_open_is_tried_again() {
        for (code, expected) in [(SHARING_VIOLATION, 3), (ACCESS_DENIED, 3), (2, 1)] {
            let attempts = Cell::new(0);
            let outcome = retry(|| {
                attempts.set(attempts.get() + 1);
                if attempts.get() < 3 { Err(io::Error::from_raw_os_error(code)) } else { Ok(()) }
            });
            assert_eq!((outcome.is_ok(), attempts.get()), (expected == 3, expected), "{code}");
        }
    }

    #[test]
    fn nothing_can_be_selected_until_the_end() {
        let Ok(console) = Handle::new(HandleType::CurrentInputHandle) else {
            eprintln!("SKIPPED selection in the console: there is none");
            return;
        };
        let console = ConsoleMode::from(console);
        let before = console.mode().unwrap();
        for selectable in [true, false] {
            let mode = if selectable { before | QUICK_EDIT } else { before & !QUICK_EDIT };
            console.set_mode(mode | EXTENDED_FLAGS).unwrap();
            let taken = UnselectableConsole::take();
            assert_eq!(taken.is_some(), selectable);
            assert_eq!(console.mode().unwrap() & QUICK_EDIT, 0);
            drop(taken);
            assert_eq!(console.mode().unwrap() & QUICK_EDIT != 0, selectable);
        }
        console.set_mode(before | EXTENDED_FLAGS).unwrap();
    }
}
