//! The task that owns the socket, and makes it again where a server closes it after each reply.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use memchr::memchr_iter;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, mpsc, watch};

use super::command::{Command, lost};
use super::error::ClientError;
use super::pace::{Pace, Progress, ServerTraits};
use super::reader::Reader;
use super::writer::{WriteEnd, Writer};

/// Commands whose replies are due; more wait before they are written.
const MAX_COMMANDS_IN_FLIGHT: usize = 4096;

/// How the connection ends, shared by the driver and the handles.
#[derive(Debug, Default)]
pub(super) struct End {
    aborted: Notify,
    reason: OnceLock<ClientError>,
    is_expected: AtomicBool,
}

impl End {
    /// Tells the driver to end the connection.
    pub(super) fn abort(&self) {
        self.aborted.notify_one();
    }

    /// Somebody waits for it.
    pub(super) fn expect(&self) {
        self.is_expected.store(true, Ordering::Relaxed);
    }

    /// Why it ended, once it has.
    pub(super) fn reason(&self) -> ClientError {
        self.reason.get().cloned().unwrap_or(ClientError::Closed)
    }
}

/// Makes the connection again.
pub(super) type Reopen<S> =
    Box<dyn Fn() -> Pin<Box<dyn Future<Output = io::Result<S>> + Send>> + Send + Sync>;

/// Runs until the connection ends, or all handles are gone and all replies have come. A server that
/// can't be connected to again with `reopen` is known to take requests ahead of replies.
pub(super) async fn drive<S: AsyncRead + AsyncWrite>(
    stream: S,
    reopen: Option<Reopen<S>>,
    commands: mpsc::Receiver<Command>,
    end: Arc<End>,
    reply_timeout: Duration,
) {
    let pace = if reopen.is_some() { Pace::Unknown } else { Pace::Pipelined };
    let mut driver = Driver {
        connection: Some(Connection::over(stream, reply_timeout)),
        reopen,
        queue: VecDeque::new(),
        commands,
        traits: ServerTraits { pace, closed_after_reply: 0 },
        reply_timeout,
        end: Arc::clone(&end),
    };
    // An abort drops the reading at one of its waits: no piece is on its way then.
    let error = tokio::select! {
        () = end.aborted.notified() => ClientError::Aborted,
        error = driver.run() => error,
    };
    // Before the handles find the queue of commands gone.
    let error = end.reason.get_or_init(|| error).clone();
    driver.fail(&error);
}

/// One connection.
struct Connection<S> {
    reader: Reader<S>,
    writer: Writer<S>,
}

impl<S: AsyncRead + AsyncWrite> Connection<S> {
    fn over(stream: S, reply_timeout: Duration) -> Self {
        let (read_half, write_half) = tokio::io::split(stream);
        let (due, awaited) = mpsc::channel(MAX_COMMANDS_IN_FLIGHT);
        let (follow_end, ended_follows) = mpsc::channel(1);
        let (progress, known_progress) = watch::channel(Progress::default());
        Self {
            reader: Reader::new(read_half, reply_timeout, awaited, follow_end, progress),
            writer: Writer::new(write_half, due, ended_follows, known_progress),
        }
    }
}

/// The connection, and what outlives it.
struct Driver<S> {
    /// None where the server has closed it, until there is something to send.
    connection: Option<Connection<S>>,
    reopen: Option<Reopen<S>>,
    /// Taken out of `commands` and not answered: what an earlier connection has left goes first.
    queue: VecDeque<Command>,
    commands: mpsc::Receiver<Command>,
    traits: ServerTraits,
    reply_timeout: Duration,
    end: Arc<End>,
}

impl<S: AsyncRead + AsyncWrite> Driver<S> {
    async fn run(&mut self) -> ClientError {
        loop {
            let error = match self.serve().await {
                WriteEnd::Finished => return ClientError::Closed,
                WriteEnd::Lost(error) => Some(error),
                WriteEnd::OutOfStep => None,
            };
            if !self.goes_on(error.as_ref()) {
                return error.unwrap_or(ClientError::Closed);
            }
            if self.connection.is_none()
                && let Err(error) = self.open().await
            {
                return error;
            }
        }
    }

    /// Reads and writes until the connection ends. The two run side by side, so that a server that
    /// waits for us to read can't stall a write.
    async fn serve(&mut self) -> WriteEnd {
        let Self { connection, queue, commands, traits, .. } = self;
        let Some(Connection { reader, writer }) = connection else {
            return WriteEnd::Lost(ClientError::Closed);
        };
        let reading = reader.run();
        let writing = writer.run(queue, commands, traits);
        tokio::pin!(reading, writing);
        tokio::select! {
            error = &mut reading => WriteEnd::Lost(error),
            end = &mut writing => match end {
                // What is still due may come.
                WriteEnd::Finished => WriteEnd::Lost(reading.await),
                end => end,
            },
        }
    }

    /// Decides whether another connection continues what this one leaves. It does where the server
    /// closes connections after each reply, and where a probe has found that it takes one request at
    /// a time.
    fn goes_on(&mut self, error: Option<&ClientError>) -> bool {
        let Some(Connection { reader, writer }) = &mut self.connection else { return false };
        let is_refused = matches!(error, Some(ClientError::Refused(_)));
        if is_refused || self.reopen.is_none() || self.traits.pace == Pace::Pipelined {
            return false;
        }
        if writer.is_probing() {
            self.traits.pace = Pace::OneByOne;
            if error == Some(&ClientError::Closed) && reader.answered() > 0 {
                // Whether it closes all connections is soon seen.
                self.traits.closed_after_reply = 2;
            }
            self.connection = None;
            return true;
        }
        let answered = reader.answered();
        let due = writer.requests().saturating_sub(answered);
        let is_closed = error == Some(&ClientError::Closed) && reader.is_between_replies();
        let rest = writer.rest(answered);
        if !(is_closed && answered == 1 && (due == 0 || due == 1 && is_repeatable(rest))) {
            return false;
        }
        self.traits.closed_after_reply += 1;
        if !rest.is_empty() {
            let Some(awaiting) = reader.take_due() else { return false };
            let requests = memchr_iter(b'\n', rest).count() as u64;
            self.queue.push_front(Command { bytes: rest.to_vec(), requests, awaiting });
        } else if self.commands.is_closed() && self.commands.is_empty() && self.queue.is_empty() {
            return false;
        }
        self.connection = None;
        true
    }

    /// Makes another connection once there is something to send; at once where somebody waits for the end
    /// and it is not known yet whether the server closes each after a reply, or has ended.
    async fn open(&mut self) -> Result<(), ClientError> {
        let is_expected = self.end.is_expected.load(Ordering::Relaxed);
        let is_trial = self.queue.is_empty() && is_expected && !self.traits.closes();
        if self.queue.is_empty() && !is_trial {
            let Some(command) = self.commands.recv().await else { return Err(ClientError::Closed) };
            self.queue.push_back(command);
        }
        let Some(reopen) = &self.reopen else { return Err(ClientError::Closed) };
        let why = |error| if is_trial { ClientError::Closed } else { lost(&error) };
        let stream = reopen().await.map_err(why)?;
        self.connection = Some(Connection::over(stream, self.reply_timeout));
        Ok(())
    }

    /// Fails the replies that are still due, those to unwritten requests last, and closes the
    /// connection. Does not wait for callers.
    fn fail(mut self, error: &ClientError) {
        self.commands.close();
        let due = self.connection.take().map(|connection| connection.reader.into_due());
        due.into_iter().flatten().for_each(|awaiting| awaiting.fail(error));
        let Self { queue, commands, .. } = &mut self;
        let unwritten = std::iter::from_fn(|| commands.try_recv().ok());
        queue.drain(..).chain(unwritten).for_each(|command| command.awaiting.fail(error));
    }
}

/// The request may be sent again when it is not known whether it has been served.
fn is_repeatable(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    line.starts_with(b"put") || line.starts_with(b"get")
}

#[cfg(test)]
mod tests;
