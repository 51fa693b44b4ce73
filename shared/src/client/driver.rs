//! The task that owns the socket: writes commands in order and matches replies to them.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

use super::batch::BatchReplies;
use super::error::ClientError;
use super::piece_queue::PieceSender;
use super::reply::{Delivery, ReplyPiece};
use crate::response::{ReplyDecoder, ReplyEvent, Status};

/// Room made in the read buffer before each read.
const READ_SIZE: usize = 64 * 1024;

/// Commands whose replies are due; more wait before they are written.
const MAX_COMMANDS_IN_FLIGHT: usize = 4096;

/// How the connection ends, shared by the driver and the handles.
#[derive(Debug, Default)]
pub(super) struct End {
    aborted: Notify,
    reason: OnceLock<ClientError>,
}

impl End {
    /// Tells the driver to end the connection.
    pub(super) fn abort(&self) {
        self.aborted.notify_one();
    }

    /// Why it ended, once it has.
    pub(super) fn reason(&self) -> ClientError {
        self.reason.get().cloned().unwrap_or(ClientError::Closed)
    }
}

#[derive(Debug)]
pub(super) struct Command {
    pub(super) bytes: Vec<u8>,
    pub(super) awaiting: Awaiting,
}

/// Where the replies to a command go.
#[derive(Debug)]
pub(super) enum Awaiting {
    /// One reply, in pieces.
    Stream {
        /// The way to the caller.
        pieces: PieceSender<Delivery>,
        /// The reply ends only when more is sent.
        is_follow: bool,
    },
    /// The replies to a batch, in pieces.
    Batch(BatchReplies),
}

impl Awaiting {
    /// The reply that is arriving ends only when more is sent: silence is normal.
    fn is_follow(&self) -> bool {
        match self {
            Self::Stream { is_follow, .. } => *is_follow,
            Self::Batch(batch) => batch.is_at_follow(),
        }
    }

    /// Waits until the caller wants no more.
    async fn abandoned(&self) {
        match self {
            Self::Stream { pieces, .. } => pieces.abandoned().await,
            Self::Batch(batch) => batch.abandoned().await,
        }
    }
}

/// The one line of an error reply as text.
fn reason_text(data: &[u8]) -> String {
    String::from_utf8_lossy(data).trim_end().to_owned()
}

/// Runs until the connection ends, or all handles are gone and all replies have come.
pub(super) async fn drive<S: AsyncRead + AsyncWrite>(
    stream: S,
    mut commands: mpsc::Receiver<Command>,
    end: Arc<End>,
    reply_timeout: Duration,
) {
    let (read_half, write_half) = tokio::io::split(stream);
    let (due, awaited) = mpsc::channel(MAX_COMMANDS_IN_FLIGHT);
    let (follow_end, ended_follows) = mpsc::channel(1);
    let mut reader = Reader {
        stream: read_half,
        buffer: BytesMut::new(),
        decoder: ReplyDecoder::default(),
        reply_timeout,
        awaited,
        all_awaited: false,
        begun: 0,
        next: None,
        current: None,
        follow_end,
    };
    // The two run side by side, so that a server that waits for us to read can't stall a write.
    // An abort or a failed write drops the reading at one of its waits: no piece is on its way then.
    let error = {
        let working = async {
            let reading = reader.run();
            let writing = write(write_half, &mut commands, due, ended_follows);
            tokio::pin!(reading, writing);
            tokio::select! {
                error = &mut reading => error,
                error = &mut writing => match error {
                    // No more commands: what is still due may come.
                    None => reading.await,
                    Some(error) => error,
                },
            }
        };
        tokio::select! {
            () = end.aborted.notified() => ClientError::Aborted,
            error = working => error,
        }
    };
    // Before the handles find the queue of commands gone.
    let error = end.reason.get_or_init(|| error).clone();
    commands.close();
    let unwritten = std::iter::from_fn(|| commands.try_recv().ok());
    reader.fail(&error, unwritten.map(|command| command.awaiting));
}

/// Ends with an error, or with `None` when there are no more commands.
async fn write<S: AsyncWrite>(
    mut stream: WriteHalf<S>,
    commands: &mut mpsc::Receiver<Command>,
    due: mpsc::Sender<Awaiting>,
    mut ended_follows: mpsc::Receiver<u64>,
) -> Option<ClientError> {
    let mut written = 0;
    loop {
        // Room first: a command that is taken out of its queue is due at once.
        let Ok(room) = due.reserve().await else { return Some(ClientError::Closed) };
        let command = tokio::select! {
            command = commands.recv() => command,
            Some(follow) = ended_follows.recv() => {
                // A later command has ended it already, and may be a follow itself.
                if follow == written
                    && let Err(error) = stream.write_all(b"\n").await
                {
                    return Some(lost(&error));
                }
                continue;
            }
        };
        let Some(command) = command else { break };
        written += 1;
        room.send(command.awaiting);
        if let Err(error) = stream.write_all(&command.bytes).await {
            return Some(lost(&error));
        }
    }
    // A peer that is gone already has nothing left to be told.
    let _ = stream.shutdown().await;
    None
}

fn lost(error: &io::Error) -> ClientError {
    match error.kind() {
        io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionReset
        // So Windows calls a connection that it gave up itself.
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::UnexpectedEof => ClientError::Closed,
        kind => ClientError::Io(kind),
    }
}

struct Reader<S> {
    stream: ReadHalf<S>,
    buffer: BytesMut,
    decoder: ReplyDecoder,
    reply_timeout: Duration,
    awaited: mpsc::Receiver<Awaiting>,
    /// There are no more of those to come.
    all_awaited: bool,
    /// Commands whose replies have begun.
    begun: u64,
    /// The first of those, taken to know that a reply is due.
    next: Option<Awaiting>,
    current: Option<Current>,
    /// Tells the writer to end a follow, by its number among the commands.
    follow_end: mpsc::Sender<u64>,
}

/// The reply that is arriving.
struct Current {
    awaiting: Awaiting,
    status: Status,
    /// The data of an error reply within a batch.
    reason: Vec<u8>,
    /// The writer was told to end the follow, so its end is due.
    is_ending: bool,
}

impl Current {
    /// Silence says nothing about the peer.
    fn may_be_silent(&self) -> bool {
        self.status == Status::Ok && !self.is_ending && self.awaiting.is_follow()
    }
}

impl<S: AsyncRead> Reader<S> {
    async fn run(&mut self) -> ClientError {
        let error = self.read_replies().await;
        // Not part of a whole reply.
        self.buffer.clear();
        error
    }

    async fn read_replies(&mut self) -> ClientError {
        loop {
            match self.deliver_event() {
                Ok(true) => self.wait_for_room().await,
                Ok(false) => {
                    self.buffer.reserve(READ_SIZE);
                    match self.read().await {
                        Ok(0) => return ClientError::Closed,
                        Ok(_) => {}
                        Err(error) => return error,
                    }
                }
                Err(error) => return error,
            }
        }
    }

    /// Reads what has come. While a reply is due, it waits no longer than the time for replies; a
    /// follow is due only once it is to end.
    async fn read(&mut self) -> Result<usize, ClientError> {
        let limit = self.reply_timeout;
        loop {
            let Self { stream, buffer, awaited, all_awaited, next, current, .. } = &mut *self;
            let read = stream.read_buf(buffer);
            if next.is_some() || current.as_ref().is_some_and(|current| !current.may_be_silent()) {
                let read = timeout(limit, read).await;
                let read = read.map_err(|_| ClientError::Stalled(limit))?;
                return read.map_err(|error| lost(&error));
            }
            let abandoned = async {
                current.as_ref()?.awaiting.abandoned().await;
                Some(())
            };
            tokio::select! {
                read = read => return read.map_err(|error| lost(&error)),
                awaiting = awaited.recv(), if !*all_awaited => {
                    (*all_awaited, *next) = (awaiting.is_none(), awaiting);
                }
                Some(()) = abandoned => self.end_follow()?,
            }
        }
    }

    /// Has the current follow ended: nothing takes its pieces.
    fn end_follow(&mut self) -> Result<(), ClientError> {
        if let Some(current) = &mut self.current {
            current.is_ending = true;
        }
        // Nothing more can be sent when all handles are gone.
        self.follow_end.try_send(self.begun).map_err(|_| ClientError::Closed)
    }

    /// Delivers the next event in the buffer; says whether there was one.
    fn deliver_event(&mut self) -> Result<bool, ClientError> {
        let mut rest: &[u8] = &self.buffer;
        let event = self.decoder.next_event(&mut rest)?;
        let taken = self.buffer.len() - rest.len();
        match event {
            None => {
                // Bytes of a line that is too long are not kept.
                self.buffer.advance(taken);
                return Ok(false);
            }
            Some(ReplyEvent::Status(status)) => {
                self.buffer.advance(taken);
                self.begin(status)?;
            }
            Some(ReplyEvent::Data(_)) => {
                let data = self.buffer.split_to(taken).freeze();
                self.data(data);
            }
            Some(ReplyEvent::End) => {
                self.buffer.advance(taken);
                self.end();
            }
        }
        Ok(true)
    }

    /// Waits while the caller has too many pieces of the current reply to take.
    async fn wait_for_room(&mut self) {
        match &mut self.current {
            Some(Current { awaiting: Awaiting::Stream { pieces, .. }, .. }) => {
                pieces.wait_for_room().await;
            }
            Some(Current { awaiting: Awaiting::Batch(batch), .. }) => batch.wait_for_room().await,
            None => {}
        }
    }

    fn begin(&mut self, status: Status) -> Result<(), ClientError> {
        let current = match &mut self.current {
            // A batch stays current until all its replies have come.
            Some(current) => current,
            none => {
                let awaiting = self.next.take().or_else(|| self.awaited.try_recv().ok());
                // A reply without a request.
                let awaiting = awaiting.ok_or(ClientError::Closed)?;
                self.begun += 1;
                none.insert(Current { awaiting, status, reason: Vec::new(), is_ending: false })
            }
        };
        current.status = status;
        if let Awaiting::Stream { pieces, .. } = &mut current.awaiting {
            pieces.send(Delivery::Piece(ReplyPiece::Status(status)));
        }
        Ok(())
    }

    fn data(&mut self, data: Bytes) {
        match &mut self.current {
            Some(Current { awaiting: Awaiting::Stream { pieces, .. }, .. }) => {
                pieces.send(Delivery::Piece(ReplyPiece::Data(data)));
            }
            Some(Current {
                awaiting: Awaiting::Batch(_), status: Status::Error, reason, ..
            }) => {
                reason.extend_from_slice(&data);
            }
            Some(Current { awaiting: Awaiting::Batch(batch), .. }) => batch.data(data),
            None => {}
        }
    }

    fn end(&mut self) {
        let Some(current) = &mut self.current else {
            return;
        };
        let is_last = match &mut current.awaiting {
            Awaiting::Stream { pieces, .. } => {
                pieces.send(Delivery::End);
                true
            }
            Awaiting::Batch(batch) => {
                let reason = (current.status == Status::Error)
                    .then(|| reason_text(&std::mem::take(&mut current.reason)));
                batch.answer(reason)
            }
        };
        if is_last {
            self.current = None;
        }
    }

    /// Delivers what has come, fails the replies that are still due, the `unwritten` requests' last,
    /// and closes the connection. Does not wait for callers.
    fn fail(mut self, error: &ClientError, unwritten: impl Iterator<Item = Awaiting>) {
        while let Ok(true) = self.deliver_event() {}
        let Self { mut awaited, next, current, .. } = self;
        awaited.close();
        let waiting = std::iter::from_fn(|| awaited.try_recv().ok());
        let due = current.map(|current| current.awaiting).into_iter().chain(next).chain(waiting);
        for awaiting in due.chain(unwritten) {
            match awaiting {
                Awaiting::Stream { mut pieces, .. } => pieces.send(Delivery::Failed(error.clone())),
                Awaiting::Batch(batch) => batch.fail(error.clone()),
            }
        }
    }
}
