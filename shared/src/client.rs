//! An async client: cheap handles to one connection, requests pipelined where the server takes it,
//! replies in order.
//!
//! A [`Client`] lives as long as its connection: after a failure a new one is made, paced by
//! [`Reconnect`].

mod backoff;
mod batch;
mod command;
mod connect;
mod driver;
mod error;
mod pace;
mod piece_queue;
mod reader;
mod reconnect;
mod reply;
mod stream;
mod tls;
mod writer;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

pub use batch::{Batch, BatchPiece, BatchStream, Refusal};
pub use connect::ConnectOptions;
pub use error::ClientError;
pub use reconnect::{LinkEvent, Reconnect};
pub use reply::{ReplyPiece, ReplyStream};
pub use tls::{Tls, TlsFailure, TlsFileError};

use crate::request::Request;
use crate::selector::{Clause, Selector};
use batch::{BatchReplies, is_follow};
use command::{Awaiting, Command};
use driver::{End, Reopen};
use piece_queue::piece_queue;
use stream::Stream;

/// Commands that may wait for the socket before callers wait too.
const MAX_QUEUED_COMMANDS: usize = 64;

/// A handle to a connection; clones share it. The connection closes when the last one is gone
/// and every reply that is still due has come.
#[derive(Debug, Clone)]
pub struct Client {
    commands: mpsc::Sender<Command>,
    end: Arc<End>,
}

impl Client {
    /// Connects over TCP, trying each address that the host has, and speaks TLS if told so.
    ///
    /// A request is sent ahead of the reply to another only once the server has shown that it takes
    /// that, which costs two round trips where it is first wanted. A server that closes a connection
    /// after each reply is connected to again for the next request.
    ///
    /// # Errors
    /// The error of the last address tried, or `TimedOut` after the time for connecting; of TLS, what
    /// [`TlsFailure::of`] knows. What the server thinks of a client's certificate may come only with
    /// the first reply.
    pub async fn connect(options: &ConnectOptions) -> io::Result<Self> {
        let stream = options.open().await?;
        let again = options.clone();
        let reopen: Reopen<Stream> = Box::new(move || {
            let options = again.clone();
            Box::pin(async move { options.open().await })
        });
        Ok(Self::start(stream, Some(reopen), options.reply_timeout))
    }

    /// Speaks over any stream, to a peer that is known to take requests ahead of replies; a task of
    /// the current tokio runtime owns it. The connection ends when a reply is due and no byte comes
    /// for `reply_timeout`.
    pub fn over<S>(stream: S, reply_timeout: Duration) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        Self::start(stream, None, reply_timeout)
    }

    fn start<S>(stream: S, reopen: Option<Reopen<S>>, reply_timeout: Duration) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (commands, queue) = mpsc::channel(MAX_QUEUED_COMMANDS);
        let end = Arc::new(End::default());
        tokio::spawn(driver::drive(stream, reopen, queue, Arc::clone(&end), reply_timeout));
        Self { commands, end }
    }

    /// Asks for points; the reply comes in pieces, however large it is. A follow may be silent for
    /// any time. It ends when the next request is sent or its [`ReplyStream`] is dropped.
    ///
    /// # Errors
    /// [`ClientError::Closed`] when the connection is gone.
    pub async fn get(&self, selector: Selector<'_>) -> Result<ReplyStream, ClientError> {
        let mut bytes = Vec::new();
        Request::Get(selector).encode(&mut bytes);
        self.stream(bytes, matches!(selector.clause(), Some(Clause::Follow { .. }))).await
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
        self.stream([line, b"\n"].concat(), is_follow(line)).await
    }

    /// Sends many lines with one write; the replies come as a stream, good ones without data only
    /// counted. Any number of batches may be under way.
    ///
    /// # Errors
    /// [`ClientError::Closed`] when the connection is gone.
    pub async fn send_batch(&self, batch: Batch) -> Result<BatchStream, ClientError> {
        let (sender, deliveries) = piece_queue();
        let is_nothing = batch.is_empty();
        if !is_nothing {
            let replies = BatchReplies::new(&batch, sender);
            let (requests, awaiting) = (batch.len() as u64, Awaiting::Batch(replies));
            self.command(Command { bytes: batch.bytes, requests, awaiting }).await?;
        }
        Ok(BatchStream::new(deliveries, is_nothing))
    }

    async fn stream(&self, bytes: Vec<u8>, is_follow: bool) -> Result<ReplyStream, ClientError> {
        let (pieces, deliveries) = piece_queue();
        let awaiting = Awaiting::Stream { pieces, is_follow };
        self.command(Command { bytes, requests: 1, awaiting }).await?;
        Ok(ReplyStream::new(deliveries))
    }

    async fn command(&self, command: Command) -> Result<(), ClientError> {
        self.commands.send(command).await.map_err(|_| match self.end.reason() {
            // A server says what it thinks of a certificate, or that there is no place, before it is asked
            // anything.
            reason @ (ClientError::Tls(_) | ClientError::Refused(_)) => reason,
            _ => ClientError::Closed,
        })
    }

    /// Ends the connection at once, without waiting for callers to take what has come. Every reply
    /// that has not come whole fails, for this handle and all others.
    pub fn abort(&self) {
        self.end.abort();
    }

    /// Waits until the connection has ended, and says why. Whoever waits is told of a server that ends
    /// after its first reply at once, not with the next request.
    pub async fn closed(&self) -> ClientError {
        self.end.expect();
        self.commands.closed().await;
        self.end.reason()
    }
}
