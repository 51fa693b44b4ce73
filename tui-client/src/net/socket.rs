//! A connection that can be given up: the client of the protocol waits for replies that are due
//! even when nobody wants them any longer, which a server that stalls would make for ever.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use shared::Client;
use shared::client::CONNECT_TIMEOUT;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Dropping it ends the connection at once, whatever is due.
#[derive(Debug)]
pub struct Breaker {
    _intact: oneshot::Sender<()>,
}

/// Connects to `host:port`, trying each address that the name has.
///
/// # Errors
/// The error of the last address tried, or `TimedOut`.
pub async fn connect(host: &str, port: u16) -> io::Result<(Client, Breaker)> {
    let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect((host, port)))
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    stream.set_nodelay(true)?;
    let (intact, broken) = oneshot::channel();
    let client = Client::over(Breakable { stream, broken, is_broken: false });
    Ok((client, Breaker { _intact: intact }))
}

/// A stream that fails once its breaker is gone.
struct Breakable {
    stream: TcpStream,
    broken: oneshot::Receiver<()>,
    is_broken: bool,
}

impl AsyncRead for Breakable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.is_broken = self.is_broken || Pin::new(&mut self.broken).poll(context).is_ready();
        if self.is_broken {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Breakable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
