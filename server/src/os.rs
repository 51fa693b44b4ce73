//! What differs between operating systems, all of it: the same few functions for each.
//!
//! | | Unix | Windows |
//! | --- | --- | --- |
//! | access to the data | modes 0700 and 0600 | the access list of the directory above, which is inherited |
//! | a change of names is durable | after a sync of the directory | see below |
//! | a file that is open | loses its name at once, and its name can be given to another file | on NTFS likewise from Windows 10 1809 on; before, on FAT, exFAT, network shares and wine it keeps its name until it is closed, and no other file can take it |
//! | what ends the server | SIGINT, SIGTERM; SIGHUP if it was started in a terminal that is gone | Ctrl-C, Ctrl-Break, closing the window (5 s); at log-off and shutdown Windows may end it like a kill |
//! | what has certificates loaded again | SIGHUP otherwise | nothing but a start |
//! | a selection in the terminal | holds nothing up | would hold up the log: the mouse selects nothing until the server ends |
//! | `--host ::` | is IPv4, too | is IPv6 alone |
//! | standard output or error is closed | is noted before `main` | has no handle |
//! | threads of low priority | on Linux; elsewhere a priority is that of the process | have that of the process |
//! | what a peer has not acknowledged | is known on Linux | is not known |
//! | open files | are limited | are not limited in a way that matters |
//! | memory | is limited by control groups and `ulimit -v`, and its size is known, on Linux | is not known here |
//! | a file that grows beyond `ulimit -f` | would end the process by a signal, and is a full disk | there is no such limit |
//! | a directory in use | may be removed or replaced | may not |
//!
//! **Names on Windows.** A directory can't be synced there. NTFS journals the changes of
//! names of a volume and replays them in their order after a power cut, so what is left is what was
//! there at some moment. `FlushFileBuffers` makes a file's bytes and metadata durable, its name
//! among them, and with it everything before in the journal. That is weaker than what a directory
//! sync promises (a rename or removal with no sync of that file after it may be taken back) and
//! enough for the store, which removes nothing before what replaces it has its name: the crash
//! tests run with both rules. FAT and exFAT have no journal, so after a power cut none of it holds
//! there.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::time::Duration;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub use system::{
    DirectoryHandle, OPEN_FILES_HINT, Output, Ownership, PORT_HINT, REUSES_PORTS, Signals,
    TEMP_VARIABLE, UnselectableConsole, access, allocate, disk_size, fit_into_address_space,
    has_name, is_family_missing, is_in_use, limit_unsent, lower_thread_priority, make_directory,
    memory_limit, open_file, open_private_file, open_to_shrink, raise_open_files_limit,
    read_exact_at, refuse_long_files_by_error, remove, rename, unacknowledged, write_all_at,
};

/// How much memory this process may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryLimit {
    /// In bytes.
    pub bytes: u64,
    /// What limits it, for the log.
    pub source: &'static str,
}

/// What the operating system or a user asks of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalRequest {
    /// To end.
    End(EndRequest),
    /// To load again what can be.
    Reload,
}

/// A request of the operating system or of a user to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndRequest {
    /// How long the process may take to answer the requests in flight, where the system kills it
    /// soon after.
    pub limit: Option<Duration>,
    /// A second one of these means at once.
    pub is_insistent: bool,
}

/// Whether a terminal takes escape sequences. Where a console has to be told to take them, it is.
pub fn has_colours() -> bool {
    system::enable_colours()
}

/// Bytes that are written at once, and at the most, to take room on a disk.
const FILL_SIZE: usize = 64 << 10;
const MAX_FILL: u64 = 1 << 20;

/// Writes up to `length` bytes, and not more than 1 MiB: it takes time. They are no zeros, which take
/// no room on some disks.
fn fill(file: &File, length: u64) -> io::Result<()> {
    let mut number = 1_u64;
    let mut next = || {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        number.to_be_bytes()[0]
    };
    let bytes: Vec<u8> = std::iter::repeat_with(&mut next).take(FILL_SIZE).collect();
    let length = length.min(MAX_FILL);
    let mut at = 0;
    while at < length {
        let piece = usize::try_from(length - at).unwrap_or(FILL_SIZE).min(FILL_SIZE);
        write_all_at(file, &bytes[..piece], at)?;
        at += piece as u64;
    }
    Ok(())
}

/// Keeps a selection in the terminal of the log from holding up the log, until the answer is
/// dropped; `None` where it can't.
pub fn keep_log_writable() -> Option<UnselectableConsole> {
    if io::stderr().is_terminal() { UnselectableConsole::take() } else { None }
}

#[cfg(test)]
pub(crate) use system::{unsyncable_directory, unsyncable_file};
