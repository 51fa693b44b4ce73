//! The task that owns the socket: writes commands in order and matches replies to them.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{mpsc, oneshot};

use super::batch::BatchReplies;
use super::{ClientError, Refusal, ReplyPiece};
use crate::response::{ReplyDecoder, ReplyEvent, Status};

/// Room made in the read buffer before each read.
const READ_SIZE: usize = 64 * 1024;

/// Commands whose replies are due; more wait before they are written.
const COMMANDS_IN_FLIGHT: usize = 4096;

#[derive(Debug)]
pub(super) struct Command {
    pub(super) bytes: Vec<u8>,
    pub(super) awaiting: Awaiting,
}

/// Who waits for the replies to a command.
#[derive(Debug)]
pub(super) enum Awaiting {
    /// One reply, in pieces.
    Stream(mpsc::Sender<Delivery>),
    /// The replies to a batch of puts.
    Puts(Tally),
    /// The replies to a batch of any lines, in pieces.
    Batch(BatchReplies),
}

#[derive(Debug)]
pub(super) enum Delivery {
    Piece(ReplyPiece),
    End,
    Failed(ClientError),
}

#[derive(Debug)]
pub(super) struct Tally {
    count: usize,
    answered: usize,
    refusals: Vec<Refusal>,
    done: oneshot::Sender<Result<Vec<Refusal>, ClientError>>,
}

impl Tally {
    pub(super) fn new(
        count: usize,
        done: oneshot::Sender<Result<Vec<Refusal>, ClientError>>,
    ) -> Self {
        Self { count, answered: 0, refusals: Vec::new(), done }
    }
}

/// The one line of an error reply as text.
pub(super) fn reason_text(data: &[u8]) -> String {
    String::from_utf8_lossy(data).trim_end().to_owned()
}

/// Runs until the connection ends or all handles are gone and all replies have come.
pub(super) async fn drive<S: AsyncRead + AsyncWrite>(stream: S, commands: mpsc::Receiver<Command>) {
    let (read_half, write_half) = tokio::io::split(stream);
    let (due, awaited) = mpsc::channel(COMMANDS_IN_FLIGHT);
    let mut reader = Reader {
        stream: read_half,
        buffer: BytesMut::new(),
        decoder: ReplyDecoder::default(),
        awaited,
        current: None,
    };
    // The two run side by side, so that a server that waits for us to read can't stall a write.
    // Neither is ever dropped half-way: the reader holds pieces that are on their way.
    let error = {
        let reading = reader.run();
        let writing = write(write_half, commands, due);
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
    reader.fail(error).await;
}

/// Ends with an error, or with `None` when there are no more commands.
async fn write<S: AsyncWrite>(
    mut stream: WriteHalf<S>,
    mut commands: mpsc::Receiver<Command>,
    due: mpsc::Sender<Awaiting>,
) -> Option<ClientError> {
    while let Some(command) = commands.recv().await {
        if due.send(command.awaiting).await.is_err() {
            return Some(ClientError::Closed);
        }
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
        | io::ErrorKind::UnexpectedEof => ClientError::Closed,
        kind => ClientError::Io(kind),
    }
}

struct Reader<S> {
    stream: ReadHalf<S>,
    buffer: BytesMut,
    decoder: ReplyDecoder,
    awaited: mpsc::Receiver<Awaiting>,
    current: Option<Current>,
}

/// The reply that is arriving.
struct Current {
    awaiting: Awaiting,
    status: Status,
    /// The data of an error reply within a batch.
    reason: Vec<u8>,
}

impl<S: AsyncRead> Reader<S> {
    async fn run(&mut self) -> ClientError {
        loop {
            if let Err(error) = self.deliver_events().await {
                return error;
            }
            self.buffer.reserve(READ_SIZE);
            match self.stream.read_buf(&mut self.buffer).await {
                Ok(0) => return ClientError::Closed,
                Ok(_) => {}
                Err(error) => return lost(&error),
            }
        }
    }

    async fn deliver_events(&mut self) -> Result<(), ClientError> {
        loop {
            let mut rest: &[u8] = &self.buffer;
            let event = self.decoder.next_event(&mut rest)?;
            let left = rest.len();
            match event {
                None => {
                    // Bytes of a line that is too long are not kept.
                    self.buffer.advance(self.buffer.len() - left);
                    return Ok(());
                }
                Some(ReplyEvent::Status(status)) => {
                    self.buffer.advance(self.buffer.len() - left);
                    self.begin(status).await?;
                }
                Some(ReplyEvent::Data(_)) => {
                    let data = self.buffer.split_to(self.buffer.len() - left).freeze();
                    self.data(data).await;
                }
                Some(ReplyEvent::End) => {
                    self.buffer.advance(self.buffer.len() - left);
                    self.end().await;
                }
            }
        }
    }

    async fn begin(&mut self, status: Status) -> Result<(), ClientError> {
        // A batch of puts stays current until all its replies have come.
        let mut current = match self.current.take() {
            Some(current) => current,
            None => match self.awaited.try_recv() {
                Ok(awaiting) => Current { awaiting, status, reason: Vec::new() },
                // A reply that nobody asked for.
                Err(_) => return Err(ClientError::Closed),
            },
        };
        current.status = status;
        if let Awaiting::Stream(sender) = &current.awaiting {
            // A caller that is gone wants no more of this reply; the next one is still in step.
            let _ = sender.send(Delivery::Piece(ReplyPiece::Status(status))).await;
        }
        self.current = Some(current);
        Ok(())
    }

    async fn data(&mut self, data: Bytes) {
        match &mut self.current {
            Some(Current { awaiting: Awaiting::Stream(sender), .. }) => {
                let _ = sender.send(Delivery::Piece(ReplyPiece::Data(data))).await;
            }
            Some(Current {
                awaiting: Awaiting::Puts(_) | Awaiting::Batch(_),
                status: Status::Error,
                reason,
            }) => {
                reason.extend_from_slice(&data);
            }
            Some(Current { awaiting: Awaiting::Batch(batch), .. }) => batch.data(data).await,
            _ => {}
        }
    }

    async fn end(&mut self) {
        let Some(mut current) = self.current.take() else {
            return;
        };
        match current.awaiting {
            Awaiting::Stream(sender) => {
                let _ = sender.send(Delivery::End).await;
            }
            Awaiting::Puts(mut tally) => {
                if current.status == Status::Error {
                    let reason = reason_text(&std::mem::take(&mut current.reason));
                    tally.refusals.push(Refusal { index: tally.answered, reason });
                }
                tally.answered += 1;
                if tally.answered == tally.count {
                    let _ = tally.done.send(Ok(tally.refusals));
                } else {
                    current.awaiting = Awaiting::Puts(tally);
                    self.current = Some(current);
                }
            }
            Awaiting::Batch(mut batch) => {
                let reason = (current.status == Status::Error)
                    .then(|| reason_text(&std::mem::take(&mut current.reason)));
                if !batch.answer(reason).await {
                    current.awaiting = Awaiting::Batch(batch);
                    self.current = Some(current);
                }
            }
        }
    }

    /// Tells everyone who still waits.
    async fn fail(mut self, error: ClientError) {
        self.awaited.close();
        let mut next = self.current.take().map(|current| current.awaiting);
        loop {
            match next {
                Some(Awaiting::Stream(sender)) => {
                    let _ = sender.send(Delivery::Failed(error.clone())).await;
                }
                Some(Awaiting::Puts(tally)) => {
                    let _ = tally.done.send(Err(error.clone()));
                }
                Some(Awaiting::Batch(batch)) => batch.fail(error.clone()).await,
                None => {}
            }
            next = self.awaited.recv().await;
            if next.is_none() {
                return;
            }
        }
    }
}
