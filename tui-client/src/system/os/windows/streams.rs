//! Standard input, output and error of any kind: closed ones are an error.

use std::io::{self, Read, Write, stderr, stdin, stdout};
use std::os::windows::io::AsRawHandle;

/// The standard library takes a stream without a handle for one that is discarded or empty.
fn check_open(stream: &impl AsRawHandle, name: &str) -> io::Result<()> {
    if stream.as_raw_handle().is_null() {
        return Err(io::Error::other(format!("{name} is closed")));
    }
    Ok(())
}

/// Standard input. A read waits for at least one byte or the end, and fails where the program was
/// started without the stream.
#[derive(Debug, Clone, Copy)]
pub struct Input;

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        check_open(&stdin(), "standard input")?;
        stdin().read(buffer)
    }
}

/// Standard output or error. A write waits for a reader, and fails where the program was started
/// without the stream.
#[derive(Debug, Clone, Copy)]
pub enum Output {
    /// Standard output.
    Data,
    /// Standard error.
    Messages,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Data => {
                check_open(&stdout(), "standard output")?;
                // Characters of a console must not be cut.
                stdout().write_all(bytes)?;
                stdout().flush()?;
            }
            Self::Messages => {
                check_open(&stderr(), "standard error")?;
                stderr().write_all(bytes)?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
