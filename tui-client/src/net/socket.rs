//! A connection that can be given up: the client of the protocol waits for replies that are due
//! even when nobody wants them any longer, which a server that stalls would make for ever.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use shared::Client;
use shared::client::CONNECT_TIMEOUT;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

/// A connection lasts no longer than the last clone of its lifeline, which also knows when the
/// peer was last heard of.
#[derive(Debug, Clone)]
pub struct Lifeline {
    breaking: mpsc::UnboundedSender<()>,
    heard: Heard,
    stalled: Arc<OnceLock<Stalled>>,
}

/// For so long the peer has said nothing though something is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stalled(Duration);

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the reply stalled: nothing came for {} s", self.0.as_secs_f64())
    }
}

impl Lifeline {
    /// Waits for something that the peer owes, for as long as any of its bytes come within each
    /// `limit`. Otherwise the connection ends at once, whatever is due: every reply that has not
    /// come whole fails.
    ///
    /// # Errors
    /// [`Stalled`] then.
    pub async fn in_time<T>(
        &self,
        limit: Duration,
        due: impl Future<Output = T>,
    ) -> Result<T, Stalled> {
        let begun = Instant::now();
        tokio::pin!(due);
        loop {
            let until = self.heard.at().max(begun) + limit;
            match timeout_at(until, &mut due).await {
                Ok(outcome) => return Ok(outcome),
                Err(_) if self.heard.at() + limit > until => {}
                Err(_) => {
                    // A connection that has ended needs no more.
                    let _ = self.breaking.send(());
                    return Err(*self.stalled.get_or_init(|| Stalled(limit)));
                }
            }
        }
    }

    /// The connection was given up for this.
    pub fn stalled(&self) -> Option<Stalled> {
        self.stalled.get().copied()
    }
}

/// When bytes came last.
#[derive(Debug, Clone)]
struct Heard {
    connected: Instant,
    /// Milliseconds after that.
    after: Arc<AtomicU64>,
}

impl Heard {
    fn new() -> Self {
        Self { connected: Instant::now(), after: Arc::default() }
    }

    fn now(&self) {
        let after = u64::try_from(self.connected.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.after.store(after, Ordering::Relaxed);
    }

    fn at(&self) -> Instant {
        self.connected + Duration::from_millis(self.after.load(Ordering::Relaxed))
    }
}

/// Connects to `host:port`, trying each address that the name has.
///
/// # Errors
/// The error of the last address tried, or `TimedOut`.
pub async fn connect(host: &str, port: u16) -> io::Result<(Client, Lifeline)> {
    let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect((host, port)))
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    stream.set_nodelay(true)?;
    Ok(over(stream))
}

/// Speaks over any stream.
fn over<S>(stream: S) -> (Client, Lifeline)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (breaking, broken) = mpsc::unbounded_channel();
    let heard = Heard::new();
    let breakable = Breakable { stream, broken, is_broken: false, heard: heard.clone() };
    (Client::over(breakable), Lifeline { breaking, heard, stalled: Arc::default() })
}

/// A stream that fails once it is broken off.
struct Breakable<S> {
    stream: S,
    broken: mpsc::UnboundedReceiver<()>,
    is_broken: bool,
    heard: Heard,
}

impl<S: AsyncRead + Unpin> AsyncRead for Breakable<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.is_broken = self.is_broken || self.broken.poll_recv(context).is_ready();
        if self.is_broken {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let outcome = Pin::new(&mut self.stream).poll_read(context, buffer);
        if outcome.is_ready() {
            self.heard.now();
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Breakable<S> {
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

#[cfg(test)]
mod tests {
    use shared::client::Batch;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    fn paused(test: impl Future<Output = ()>) {
        let mut tokio = tokio::runtime::Builder::new_current_thread();
        tokio.enable_time().start_paused(true).build().unwrap().block_on(test);
    }

    const LIMIT: Duration = Duration::from_secs(30);

    #[test]
    fn whoever_answers_slowly_is_waited_for_and_whoever_stalls_is_not() {
        paused(async {
            let (near, mut far) = tokio::io::duplex(1024);
            let (client, lifeline) = over(near);
            let mut batch = Batch::default();
            for n in 0..5 {
                batch.push(format!("put a 1 {n}").as_bytes()).unwrap();
            }
            let mut replies = client.send_batch(batch).await.unwrap();
            far.read_exact(&mut [0; 50]).await.unwrap();
            let peer = tokio::spawn(async move {
                for _ in 0..3 {
                    tokio::time::sleep(Duration::from_secs(20)).await;
                    far.write_all(b"ok\n\n").await.unwrap();
                }
                far
            });
            let begun = Instant::now();
            assert_eq!(lifeline.in_time(LIMIT, replies.next()).await, Err(Stalled(LIMIT)));
            assert_eq!(begun.elapsed().as_secs(), 90, "three answers, each in time, and a limit");
            replies.next().await.unwrap_err();
            assert_eq!(replies.answered(), 3);
            drop(peer);
        });
    }

    #[test]
    fn without_its_lifeline_a_connection_ends() {
        paused(async {
            let (near, mut far) = tokio::io::duplex(1024);
            let (client, lifeline) = over(near);
            let mut reply = client.send(b"get *").await.unwrap();
            drop(lifeline);
            assert!(reply.next().await.is_err());
            client.closed().await;
            let mut sent = Vec::new();
            far.read_to_end(&mut sent).await.unwrap();
        });
    }
}
