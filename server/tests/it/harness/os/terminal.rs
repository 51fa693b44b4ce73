//! Terminals without a program that shows them.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// A terminal: the side that shows it, and the side of its programs.
pub fn terminal() -> (OwnedFd, File) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
    // No program that is started keeps it open.
    #[cfg(target_os = "linux")]
    let flags = flags | OpenptFlags::CLOEXEC;
    let shown = openpt(flags).unwrap();
    #[cfg(not(target_os = "linux"))]
    rustix::io::fcntl_setfd(&shown, rustix::io::FdFlags::CLOEXEC).unwrap();
    grantpt(&shown).unwrap();
    unlockpt(&shown).unwrap();
    let name = ptsname(&shown, Vec::new()).unwrap();
    let path = Path::new(OsStr::from_bytes(name.as_bytes()));
    let no_control = i32::try_from(OFlags::NOCTTY.bits()).unwrap();
    let inside =
        OpenOptions::new().read(true).write(true).custom_flags(no_control).open(path).unwrap();
    (shown, inside)
}
