//! The log, on standard error. Whatever reads that may stop, be slow or be gone: a thread of its own
//! writes, and the server never waits for it.

mod line_writer;
mod queue;

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::panic;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use server::metrics::Metrics;
use server::os::{self, Output};
use tracing::error;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt;

use line_writer::LineWriter;
use queue::Queue;

/// How long the end of the process waits for its last lines to be taken.
const LAST_LINES: Duration = Duration::from_secs(1);

/// The log of the process. What is in it is written when this is dropped, as far as it is taken soon.
#[derive(Debug)]
pub struct Log {
    flusher: Flusher,
}

/// Waits for the log to be written.
#[derive(Debug, Clone)]
pub struct Flusher {
    queue: Arc<Queue>,
}

impl Flusher {
    /// Waits until all lines are written, at most so long.
    pub fn flush(&self, limit: Duration) {
        self.queue.wait_until_written(limit);
    }
}

impl Log {
    /// Starts logging for the whole process. In colour on a terminal, unless `NO_COLOR` is set.
    ///
    /// # Errors
    /// When the thread that writes can't be started.
    pub fn start(level: LevelFilter, metrics: Arc<Metrics>) -> io::Result<Self> {
        let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && io::stderr().is_terminal()
            && os::has_colours();
        let queue = Arc::new(Queue::new(metrics));
        let written = Arc::clone(&queue);
        thread::Builder::new().name("log".to_owned()).spawn(move || write_all(&written))?;
        let writer = Arc::clone(&queue);
        fmt()
            .with_max_level(level)
            .with_writer(move || QueueWriter(Arc::clone(&writer)))
            .with_ansi(colour)
            .with_target(false)
            .log_internal_errors(false)
            .init();
        // The usual hook writes to standard error itself, and would wait for it.
        panic::set_hook(Box::new(|panic| error!("{panic}")));
        Ok(Self { flusher: Flusher { queue } })
    }

    /// Waits for the log elsewhere.
    pub fn flusher(&self) -> Flusher {
        self.flusher.clone()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.flusher.flush(LAST_LINES);
    }
}

/// Writes what comes into the queue, for ever.
fn write_all(queue: &Queue) {
    let mut writer = LineWriter::default();
    loop {
        let taken = queue.take();
        let lost = writer.write(&taken, |line| match Output::Messages.write_at_once(line) {
            Ok(0) => Err(ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                Output::Messages.wait_until_writable(None);
                Ok(0)
            }
            written => written,
        });
        queue.finish_taken(lost);
    }
}

/// Takes whole lines, one at a time.
struct QueueWriter(Arc<Queue>);

impl Write for QueueWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
