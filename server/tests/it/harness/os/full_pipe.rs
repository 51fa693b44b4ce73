//! A pipe that is non-blocking and nearly full, as a standard stream may be, and what a process does
//! at it. The tests of the client use it, too.

use std::fs::File;
use std::io::{ErrorKind, PipeReader, Read, Write, pipe};
use std::os::fd::OwnedFd;

use rustix::io::{ioctl_fionbio, ioctl_fionread};

/// The size of a page: less free room than that counts as none.
pub const PAGE: usize = 4096;

/// A pipe whose writing side does not block, full but for a page.
pub struct FullPipe {
    reader: PipeReader,
    /// Bytes in it at the start.
    filled: usize,
}

impl FullPipe {
    /// The pipe and its writing side.
    pub fn new() -> (Self, OwnedFd) {
        let (mut reader, writer) = pipe().unwrap();
        ioctl_fionbio(&writer, true).unwrap();
        let mut writer = File::from(OwnedFd::from(writer));
        let mut filled = 0;
        loop {
            match writer.write(&[b' '; PAGE]) {
                Ok(written) => filled += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        reader.read_exact(&mut [0; PAGE]).unwrap();
        (Self { reader, filled: filled - PAGE }, writer.into())
    }

    /// A process has written to it, and waits for it to be read, or has ended. Linux tells whether it
    /// waits.
    pub fn is_waited_for(&self, process: u32) -> bool {
        ioctl_fionread(&self.reader).unwrap() > self.filled as u64 && is_waiting(process)
    }

    /// What was written by others, up to the end.
    pub fn read_to_end(mut self) -> String {
        let mut text = String::new();
        self.reader.read_to_string(&mut text).unwrap();
        text.split_off(self.filled)
    }
}

/// Whether all threads of a process wait for something, or it has ended.
fn is_waiting(process: u32) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{process}/task")) else { return true };
    threads.flatten().all(|thread| {
        let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_none_or(|(_, state)| !state.starts_with('R'))
    })
}
