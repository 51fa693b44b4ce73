//! An async client: cheap handles to one connection, requests pipelined, replies in order.
//!
//! A [`Client`] lives as long as its connection. Whoever wants to come back after a failure makes
//! a new one, paced by [`Backoff`].

mod backoff;
mod batch;
mod driver;

use std::io;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};

pub use backoff::Backoff;
pub use batch::{Batch, BatchPiece, BatchStream};

use crate::key::{Key, KeyBuf};
use crate::point::Point;
use crate::request::Request;
use crate::response::{BadReply, Status, decode_points};
use crate::selector::Selector;
use batch::BatchReplies;
use driver::{Awaiting, Command, Delivery, Tally};

/// How long [`Client::connect`] waits.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Commands that may wait for the socket before callers wait too.
const QUEUED_COMMANDS: usize = 64;

/// Pieces of one reply that may wait for the caller before the socket is left unread.
const QUEUED_PIECES: usize = 4;

/// A handle to a connection; clones share it. The connection closes when the last one is gone
/// and every reply that is still due has come.
#[derive(Debug, Clone)]
pub struct Client {
    commands: mpsc::Sender<Command>,
}

/// Why a request got no good answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The server answered `error` with this reason.
    #[error("the server refused: {0}")]
    Refused(String),
    /// The peer does not speak the protocol.
    #[error("the peer does not speak the protocol: {0}")]
    BadReply(#[from] BadReply),
    /// The connection ended before the reply was complete.
    #[error("the connection closed before the reply was complete")]
    Closed,
    /// The socket failed.
    #[error("the connection failed: {0}")]
    Io(io::ErrorKind),
    /// [`Client::send`] takes exactly one line that is not empty.
    #[error("a request is one line that is not empty")]
    NotOneLine,
}

/// A put that the server refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its place in the batch.
    pub index: usize,
    /// The server's reason.
    pub reason: String,
}

/// A part of a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplyPiece {
    /// The reply begins.
    Status(Status),
    /// Whole data lines, each with its `\n`; [`decode_points`] reads them.
    Data(Bytes),
}

/// One reply as it arrives. Dropping it discards the rest and leaves the connection in step.
///
/// A reply that is not taken holds back the replies after it.
#[derive(Debug)]
pub struct ReplyStream {
    deliveries: mpsc::Receiver<Delivery>,
    complete: bool,
}

impl ReplyStream {
    /// The next piece, or `None` once the reply is complete.
    ///
    /// # Errors
    /// [`ClientError`] when the reply breaks off; what came of it then is no reply.
    pub async fn next(&mut self) -> Result<Option<ReplyPiece>, ClientError> {
        if self.complete {
            return Ok(None);
        }
        match self.deliveries.recv().await {
            Some(Delivery::Piece(piece)) => Ok(Some(piece)),
            Some(Delivery::End) => {
                self.complete = true;
                Ok(None)
            }
            Some(Delivery::Failed(error)) => Err(error),
            None => Err(ClientError::Closed),
        }
    }

    /// Reads to the end, giving the data lines to `each` as they come.
    ///
    /// # Errors
    /// [`ClientError::Refused`] for an error reply, otherwise as [`ReplyStream::next`].
    pub async fn for_each_data(
        mut self,
        mut each: impl FnMut(&[u8]) -> Result<(), BadReply>,
    ) -> Result<(), ClientError> {
        let mut refused: Option<Vec<u8>> = None;
        while let Some(piece) = self.next().await? {
            match (piece, &mut refused) {
                (ReplyPiece::Status(Status::Ok), _) => {}
                (ReplyPiece::Status(Status::Error), _) => refused = Some(Vec::new()),
                (ReplyPiece::Data(reason), Some(all)) => all.extend_from_slice(&reason),
                (ReplyPiece::Data(data), None) => each(&data)?,
            }
        }
        match refused {
            None => Ok(()),
            Some(reason) => Err(ClientError::Refused(driver::reason_text(&reason))),
        }
    }
}

impl Client {
    /// Connects to `host:port`, trying each address that the name has.
    ///
    /// # Errors
    /// The error of the last address tried, or `TimedOut` after [`CONNECT_TIMEOUT`].
    pub async fn connect(host: &str, port: u16) -> io::Result<Self> {
        let stream = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect((host, port)))
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        stream.set_nodelay(true)?;
        Ok(Self::over(stream))
    }

    /// Speaks over any stream; a task of the current tokio runtime owns it.
    pub fn over<S: AsyncRead + AsyncWrite + Send + 'static>(stream: S) -> Self {
        let (commands, queue) = mpsc::channel(QUEUED_COMMANDS);
        tokio::spawn(driver::drive(stream, queue));
        Self { commands }
    }

    /// Stores a point.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when the server says so; otherwise it is unknown whether the
    /// point is stored.
    pub async fn put(&self, key: Key<'_>, point: Point) -> Result<(), ClientError> {
        match self.put_batch([(key, point)]).await?.pop() {
            None => Ok(()),
            Some(refusal) => Err(ClientError::Refused(refusal.reason)),
        }
    }

    /// Stores points with one write and waits for all replies. The answer lists what the server
    /// refused; all else is stored.
    ///
    /// # Errors
    /// When the connection fails it is unknown which points are stored.
    pub async fn put_batch<'k>(
        &self,
        points: impl IntoIterator<Item = (Key<'k>, Point)>,
    ) -> Result<Vec<Refusal>, ClientError> {
        let (mut bytes, mut count) = (Vec::new(), 0);
        for (key, point) in points {
            Request::Put(key, point).encode(&mut bytes);
            count += 1;
        }
        if count == 0 {
            return Ok(Vec::new());
        }
        let (done, outcome) = oneshot::channel();
        self.command(Command { bytes, awaiting: Awaiting::Puts(Tally::new(count, done)) }).await?;
        outcome.await.unwrap_or(Err(ClientError::Closed))
    }

    /// Asks for points; the reply comes in pieces, however large it is.
    ///
    /// # Errors
    /// [`ClientError::Closed`] when the connection is gone.
    pub async fn get(&self, selector: Selector<'_>) -> Result<ReplyStream, ClientError> {
        let mut bytes = Vec::new();
        Request::Get(selector).encode(&mut bytes);
        self.stream(bytes).await
    }

    /// Asks for points and gathers them. The whole answer is held in memory.
    ///
    /// # Errors
    /// [`ClientError`], also for a reply whose data lines are no points.
    pub async fn get_points(
        &self,
        selector: Selector<'_>,
    ) -> Result<Vec<(KeyBuf, Point)>, ClientError> {
        let mut points: Vec<(KeyBuf, Point)> = Vec::new();
        let reply = self.get(selector).await?;
        reply
            .for_each_data(|data| {
                for point in decode_points(data) {
                    let (key, point) = point?;
                    let shared =
                        points.last().map(|(last, _)| last).filter(|last| last.as_key() == key);
                    let key = shared.cloned().unwrap_or_else(|| key.to_owned());
                    points.push((key, point));
                }
                Ok(())
            })
            .await?;
        Ok(points)
    }

    /// Sends any one line as it is, right or wrong, without its `\n`.
    ///
    /// # Errors
    /// [`ClientError::NotOneLine`] for an empty line or one with a `\n` inside, because the
    /// server may answer those with fewer or more replies than one.
    pub async fn send(&self, line: &[u8]) -> Result<ReplyStream, ClientError> {
        if matches!(line, b"" | b"\r") || line.contains(&b'\n') {
            return Err(ClientError::NotOneLine);
        }
        self.stream([line, b"\n"].concat()).await
    }

    /// Sends many lines with one write; the replies come as a stream, good ones without data only
    /// counted. Any number of batches may be under way.
    ///
    /// # Errors
    /// [`ClientError::Closed`] when the connection is gone.
    pub async fn send_batch(&self, batch: Batch) -> Result<BatchStream, ClientError> {
        let (sender, deliveries) = mpsc::channel(QUEUED_PIECES);
        let end = batch.is_empty().then_some(Ok(()));
        if end.is_none() {
            let replies = BatchReplies::new(batch.len(), sender);
            self.command(Command { bytes: batch.bytes, awaiting: Awaiting::Batch(replies) })
                .await?;
        }
        Ok(BatchStream { deliveries, answered: 0, end })
    }

    async fn stream(&self, bytes: Vec<u8>) -> Result<ReplyStream, ClientError> {
        let (sender, deliveries) = mpsc::channel(QUEUED_PIECES);
        self.command(Command { bytes, awaiting: Awaiting::Stream(sender) }).await?;
        Ok(ReplyStream { deliveries, complete: false })
    }

    async fn command(&self, command: Command) -> Result<(), ClientError> {
        self.commands.send(command).await.map_err(|_| ClientError::Closed)
    }

    /// Resolves once the connection has ended, for whatever reason.
    pub async fn closed(&self) {
        self.commands.closed().await;
    }
}
