//! Linux, macOS and other Unix systems.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
#[cfg(not(target_os = "linux"))]
use std::net::SocketAddr;
use std::os::unix::fs::{
    DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown,
};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, Signal as SignalName, getrlimit, setrlimit};
use socket2::Socket;
use tokio::signal::unix::{SignalKind, signal};

mod memory;
mod signals;
#[cfg(target_os = "linux")]
mod socket_diag;
mod streams;

pub use memory::{fit_into_address_space, memory_limit};
pub use signals::Signals;
#[cfg(target_os = "linux")]
pub use socket_diag::unacknowledged;
pub use streams::Output;

/// The environment variable that names the place for temporary files.
pub const TEMP_VARIABLE: &str = "TMPDIR";

/// What to do when the user may not listen on a port.
pub const PORT_HINT: &str = "choose a --port above 1023";

/// Where the limit of open files is set.
pub const OPEN_FILES_HINT: &str = "ulimit -n";

/// The nice value of threads of low priority: a tenth of the processor beside one busy thread, so
/// that a lock that one of them holds is soon released.
#[cfg(target_os = "linux")]
const LOW_PRIORITY: i32 = 10;

/// The most open files that macOS lets a process ask for (`OPEN_MAX`), whatever its hard limit says.
const MACOS_OPEN_MAX: u64 = 10_240;

/// Makes a directory and those above it, for this user alone.
///
/// # Errors
/// When one of them can't be made.
pub fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Opens a file for reading and writing, or makes one for this user alone; `empty` cuts off what is
/// in it. A link is not followed: its target may be any file of this system.
///
/// # Errors
/// When it can't be made or opened.
pub fn open_private_file(path: &Path, empty: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(empty).mode(0o600);
    options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed()).open(path)
}

/// Opens a file that is there, to be read and synced.
///
/// # Errors
/// When it can't be opened.
pub fn open_file(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Who may use a file, and who this process is; `None` when that is not known.
pub fn access(path: &Path) -> Option<String> {
    let about = fs::metadata(path).ok()?;
    let (owner, mode) = (about.uid(), about.mode() & 0o7777);
    let user = rustix::process::geteuid().as_raw();
    let kind = if about.is_dir() { "a directory, " } else { "" };
    Some(format!("{kind}owner {owner}, mode {mode:03o}, this server runs as {user}"))
}

/// Who may use a file: its owner, its group and its mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ownership {
    owner: u32,
    group: u32,
    mode: u32,
}

impl Ownership {
    /// That of the file at `path`, or that of a file for the owner of a directory alone. Its owner may
    /// always read and write.
    ///
    /// # Errors
    /// When that can't be found out.
    pub fn of(path: &Path) -> io::Result<Self> {
        let about = fs::metadata(path)?;
        let mode = if about.is_dir() { 0o600 } else { about.mode() & 0o777 | 0o600 };
        Ok(Self { owner: about.uid(), group: about.gid(), mode })
    }

    /// Whether the owner is another user than that of this process.
    pub fn is_of_another(&self) -> bool {
        rustix::process::geteuid().as_raw() != self.owner
    }

    /// Whether this process may give it to the files that it makes.
    pub fn can_be_given(&self) -> bool {
        let user = rustix::process::geteuid();
        user.is_root() || user.as_raw() == self.owner
    }

    /// That of a file for its owner alone.
    #[must_use]
    pub fn for_owner_alone(self) -> Self {
        Self { mode: 0o600, ..self }
    }

    /// Gives it to a file that this process has made.
    ///
    /// # Errors
    /// When that is not allowed, or the file has several names: one of them may be outside of the directory.
    pub fn give(&self, file: &File) -> io::Result<()> {
        if rustix::process::geteuid().is_root() {
            if file.metadata()?.nlink() > 1 {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            fchown(file, Some(self.owner), Some(self.group))?;
        }
        file.set_permissions(Permissions::from_mode(self.mode))
    }
}

/// Fills `buffer` from `offset` on.
///
/// # Errors
/// `UnexpectedEof` when the file ends first.
pub fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    file.read_exact_at(buffer, offset)
}

/// Writes all of `bytes` at `offset`.
///
/// # Errors
/// When some of them may not be written.
pub fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    file.write_all_at(bytes, offset)
}

/// Gives a file another name, in one step; a file of that name is replaced.
///
/// # Errors
/// When the name stays as it was.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

/// Removes the name of a file.
///
/// # Errors
/// When the name stays.
pub fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
}

/// Opens a file that is going to be removed, to cut it off then. `None` when that can't be done.
pub fn open_to_shrink(path: &Path) -> Option<File> {
    let link = OFlags::NOFOLLOW.bits();
    OpenOptions::new().write(true).custom_flags(link.cast_signed()).open(path).ok()
}

/// Whether an open file has a name, also when that is not known.
pub fn has_name(file: &File) -> bool {
    file.metadata().map_or(true, |about| about.nlink() > 0)
}

/// Lets other threads go before the calling one. Nothing happens where only a whole process has a
/// priority.
pub fn lower_thread_priority() {
    // A thread that may not be given a lower priority works as before.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, LOW_PRIORITY);
}

/// Has a write beyond `ulimit -f` fail instead of ending the process. To be called within a runtime.
///
/// # Errors
/// When the signal can't be taken.
pub fn refuse_long_files_by_error() -> io::Result<()> {
    // Once it was taken, the signal never has its default effect again.
    signal(SignalKind::from_raw(SignalName::XFSZ.as_raw())).map(drop)
}

/// Takes room on the disk for the first `length` bytes of an empty file.
///
/// # Errors
/// When there is not so much room.
pub fn allocate(file: &File, length: u64) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, length) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => {}
        done => return Ok(done?),
    }
    super::fill(file, length)
}

/// The size in bytes of the disk that a path is on; `None` when it is not known.
pub fn disk_size(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    disk.f_blocks.checked_mul(disk.f_frsize)
}

/// Whether a rename or removal failed because a file is open. Never: open files are renamed,
/// replaced and removed like others.
pub fn is_in_use(_: &io::Error) -> bool {
    false
}

/// A directory whose names can be made durable.
#[derive(Debug)]
pub struct DirectoryHandle(File);

impl DirectoryHandle {
    /// The directory at `path`.
    ///
    /// # Errors
    /// When it can't be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(File::open(path)?))
    }

    /// Makes all names in it durable as they are now.
    ///
    /// # Errors
    /// When it is unknown which of them are.
    pub fn sync(&self) -> io::Result<()> {
        self.0.sync_all()
    }

    /// Whether `path` still leads to it: it may have been removed, or replaced by another one.
    ///
    /// # Errors
    /// When that can't be found out.
    pub fn is_at(&self, path: &Path) -> io::Result<bool> {
        let own = self.0.metadata()?;
        match fs::metadata(path) {
            Ok(found) => Ok((found.dev(), found.ino()) == (own.dev(), own.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Whether an error says that this machine has no such kind of address, as one without IPv6.
pub fn is_family_missing(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::AFNOSUPPORT.raw_os_error())
}

/// Asks for as many open files as this process may have. Answers how many there may be; `None`
/// when there is no limit.
pub fn raise_open_files_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    for wanted in [limit.maximum, Some(MACOS_OPEN_MAX)] {
        let is_more = match (limit.current, wanted) {
            (Some(current), Some(wanted)) => wanted > current,
            (current, None) => current.is_some(),
            (None, Some(_)) => false,
        };
        let raised = Rlimit { current: wanted, ..limit };
        if is_more && setrlimit(Resource::Nofile, raised).is_ok() {
            return wanted;
        }
    }
    limit.current
}

/// Whether a new server may take the port of one that has just ended: `SO_REUSEADDR` means no more.
pub const REUSES_PORTS: bool = true;

/// Bytes that the system takes for a connection before it sends them.
const MAX_UNSENT: u32 = 32 * 1024;

/// Limits what the system keeps for a peer that takes nothing. What was sent to one that reads is not
/// limited, so that it is answered as fast as the way to it allows.
///
/// # Errors
/// When that can't be limited.
pub fn limit_unsent(socket: &Socket) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    return socket.set_tcp_notsent_lowat(MAX_UNSENT);
    #[cfg(not(target_os = "linux"))]
    return socket.set_send_buffer_size(2 * MAX_UNSENT as usize);
}

/// Bytes that were written to a connection and not acknowledged: this system does not tell.
#[cfg(not(target_os = "linux"))]
pub fn unacknowledged(_: SocketAddr, _: SocketAddr) -> Option<u32> {
    None
}

/// Whether the terminal takes escape sequences, as its TERM says.
pub fn enable_colours() -> bool {
    has_abilities(std::env::var_os("TERM").as_deref())
}

fn has_abilities(term: Option<&OsStr>) -> bool {
    term.is_some_and(|term| !["", "dumb", "unknown"].iter().any(|none| term == *none))
}

/// A terminal whose selections hold up what is written to it: there is none.
#[derive(Debug)]
pub struct UnselectableConsole;

impl UnselectableConsole {
    /// Does nothing.
    pub fn take() -> Option<Self> {
        None
    }
}

/// A file that the system refuses to sync.
#[cfg(test)]
pub fn unsyncable_file() -> File {
    let (_reader, writer) = io::pipe().unwrap();
    File::from(std::os::fd::OwnedFd::from(writer))
}

/// A directory that the system refuses to sync, where there is one.
#[cfg(test)]
pub fn unsyncable_directory() -> Option<&'static Path> {
    Some(Path::new("/proc/self")).filter(|path| path.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server or a repair that runs as root would make it, and perhaps give it away.
    #[test]
    fn no_file_is_made_where_a_link_leads() {
        let directory = tempfile::tempdir().unwrap();
        let (link, target) = (directory.path().join("LOCK"), directory.path().join("target"));
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(open_private_file(&link, false).is_err());
        assert!(!target.exists());
        fs::write(&target, "kept").unwrap();
        assert!(open_private_file(&link, true).is_err());
        assert_eq!(fs::read(&target).unwrap(), b"kept");
        assert!(open_private_file(&target, false).is_ok());
    }

    #[test]
    fn only_a_terminal_with_abilities_takes_escape_sequences() {
        for (term, expected) in [
            (Some("xterm-256color"), true),
            (Some("dumb"), false),
            (Some("unknown"), false),
            (Some(""), false),
            (None, false),
        ] {
            assert_eq!(has_abilities(term.map(OsStr::new)), expected, "{term:?}");
        }
    }
}
