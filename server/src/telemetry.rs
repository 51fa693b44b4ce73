//! The log, on standard error.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use server::os::{self, Output};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt;

/// A non-blocking standard error that takes nothing is waited for so long, once.
const PATIENCE: Duration = Duration::from_secs(1);

/// Starts logging for the whole process. In colour on a terminal, unless `NO_COLOR` is set.
pub fn start(level: LevelFilter) {
    let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && io::stderr().is_terminal()
        && os::has_colours();
    fmt()
        .with_max_level(level)
        .with_writer(|| LogWriter)
        .with_ansi(colour)
        .with_target(false)
        // A log that can't be written, on a full disk or to a closed pipe, must not stop the server.
        .log_internal_errors(false)
        .init();
}

/// What the last line found.
#[derive(Debug, Default, PartialEq, Eq)]
struct LogState {
    /// Nothing was taken in time, so that no line waits until one is taken.
    stuck: bool,
    /// The last line was cut.
    cut: bool,
}

impl LogState {
    /// Writes a line with `write`, which takes as many bytes as there is room for. `wait` waits for
    /// room, no longer than [`PATIENCE`].
    fn write_line(
        &mut self,
        line: &[u8],
        mut write: impl FnMut(&[u8]) -> io::Result<usize>,
        mut wait: impl FnMut(),
    ) -> io::Result<()> {
        let line = if self.cut { &[b"\n", line].concat() } else { line };
        let mut rest = line;
        while !rest.is_empty() {
            match write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => (rest, self.stuck) = (&rest[written..], false),
                Err(error) if error.kind() == ErrorKind::WouldBlock && !self.stuck => {
                    self.stuck = true;
                    wait();
                }
                Err(error) => {
                    self.cut |= rest.len() < line.len();
                    return Err(error);
                }
            }
        }
        self.cut = false;
        Ok(())
    }
}

static STATE: Mutex<LogState> = Mutex::new(LogState { stuck: false, cut: false });

/// Writes whole lines, one at a time.
struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
        let write = |rest: &[u8]| Output::Messages.write_at_once(rest);
        state.write_line(line, write, || Output::Messages.wait_until_writable(Some(PATIENCE)))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    /// A non-blocking pipe with so much room, and with so much more after each wait.
    #[derive(Default)]
    struct Pipe {
        room: Cell<usize>,
        freed: usize,
        waits: Cell<usize>,
        text: RefCell<String>,
    }

    impl Pipe {
        fn log(&self, state: &mut LogState, line: &str) -> bool {
            let write = |rest: &[u8]| {
                let size = rest.len().min(self.room.get());
                self.room.set(self.room.get() - size);
                self.text.borrow_mut().push_str(str::from_utf8(&rest[..size]).unwrap());
                if size == 0 { Err(ErrorKind::WouldBlock.into()) } else { Ok(size) }
            };
            let wait = || {
                self.waits.set(self.waits.get() + 1);
                self.room.set(self.room.get() + self.freed);
            };
            state.write_line(line.as_bytes(), write, wait).is_ok()
        }
    }

    #[test]
    fn a_line_waits_for_room() {
        let (mut state, pipe) = (LogState::default(), Pipe { freed: 3, ..Pipe::default() });
        assert!(pipe.log(&mut state, "first line\n") && pipe.log(&mut state, "second\n"));
        assert_eq!(*pipe.text.borrow(), "first line\nsecond\n");
        assert_eq!(state, LogState::default());
    }

    #[test]
    fn a_log_that_nothing_reads_is_waited_for_once_and_goes_on_with_a_whole_line() {
        let (mut state, pipe) = (LogState::default(), Pipe::default());
        pipe.room.set(4);
        for line in ["first\n", "lost\n", "lost\n"] {
            assert!(!pipe.log(&mut state, line));
        }
        assert_eq!((pipe.waits.get(), &**pipe.text.borrow()), (1, "firs"));
        pipe.room.set(100);
        assert!(pipe.log(&mut state, "next\n") && pipe.log(&mut state, "last\n"));
        assert_eq!((pipe.waits.get(), &**pipe.text.borrow()), (1, "firs\nnext\nlast\n"));
    }
}
