//! Standard output and error: closed ones are an error.

use std::io::{self, Write, stderr, stdout};
use std::os::windows::io::AsRawHandle;
use std::time::Duration;

/// Standard output or error.
#[derive(Debug, Clone, Copy)]
pub enum Output {
    /// Standard output.
    Data,
    /// Standard error.
    Messages,
}

impl Output {
    /// Writes all bytes, because characters of a console must not be cut. A write waits where the
    /// stream takes nothing.
    ///
    /// # Errors
    /// When the program was started without the stream, or the stream is broken.
    pub fn write_at_once(self, bytes: &[u8]) -> io::Result<usize> {
        // The standard library takes a stream without a handle for one that is discarded.
        let (handle, name) = match self {
            Self::Data => (stdout().as_raw_handle(), "output"),
            Self::Messages => (stderr().as_raw_handle(), "error"),
        };
        if handle.is_null() {
            return Err(io::Error::other(format!("standard {name} is closed")));
        }
        match self {
            Self::Data => {
                stdout().write_all(bytes)?;
                stdout().flush()?;
            }
            Self::Messages => stderr().write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    /// Does nothing: a write waits.
    pub fn wait_until_writable(self, _: Option<Duration>) {}
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_at_once(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
