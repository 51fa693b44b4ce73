//! The other end of a connection.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, DuplexStream, ReadBuf};
use tokio::task::JoinHandle;

use super::super::*;
use super::manual_store::{ManualStore, Outcome};
use crate::clock::Clock;
use crate::follow::Follows;
use crate::ingest::{InFlightLimit, Ingest};
use crate::protocol::text::TextProtocol;
use crate::query::Queries;

/// A stream that counts and measures its writes, and whose client can reset the connection.
struct Counted {
    stream: DuplexStream,
    writes: Arc<AtomicUsize>,
    /// Bytes of the largest buffer that was to be written.
    largest_write: Arc<AtomicUsize>,
    /// Reads fail from the end of the stream on.
    is_reset: Arc<AtomicBool>,
    unacknowledged: Arc<AtomicU32>,
}

/// Of a connection whose system does not tell.
const UNKNOWN: u32 = u32::MAX;

impl Peer for Counted {
    fn unacknowledged(&self) -> Option<u32> {
        Some(self.unacknowledged.load(Ordering::Relaxed)).filter(|&left| left != UNKNOWN)
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() == before && self.is_reset.load(Ordering::Relaxed) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.largest_write.fetch_max(bytes.len(), Ordering::Relaxed);
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.writes.fetch_add(usize::from(written.is_ready()), Ordering::Relaxed);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

pub(super) struct Client {
    pub(super) stream: DuplexStream,
    store: ManualStore,
    pub(super) shutdown: CancellationToken,
    pub(super) writes: Arc<AtomicUsize>,
    pub(super) largest_write: Arc<AtomicUsize>,
    is_reset: Arc<AtomicBool>,
    /// What the system says of the bytes that were written.
    pub(super) unacknowledged: Arc<AtomicU32>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) task: JoinHandle<(SessionStats, CloseReason)>,
}

impl Client {
    pub(super) fn connect(store: &ManualStore) -> Self {
        Self::connect_through(store, 4 * 1024 * 1024)
    }

    /// Connects by a pipe that holds so many bytes in each direction.
    pub(super) fn connect_through(store: &ManualStore, bytes: usize) -> Self {
        Self::connect_limited(
            store,
            bytes,
            ConnectionLimits::default(),
            InFlightLimit::new(u64::MAX),
        )
    }

    /// Like [`Client::connect_through`], with limits of a connection.
    pub(super) fn connect_within(
        store: &ManualStore,
        bytes: usize,
        limits: ConnectionLimits,
    ) -> Self {
        Self::connect_limited(store, bytes, limits, InFlightLimit::new(u64::MAX))
    }

    /// Like [`Client::connect_through`], with a limit of what all clients have in flight.
    pub(super) fn connect_sharing(
        store: &ManualStore,
        bytes: usize,
        in_flight: InFlightLimit,
    ) -> Self {
        Self::connect_limited(store, bytes, ConnectionLimits::default(), in_flight)
    }

    fn connect_limited(
        store: &ManualStore,
        bytes: usize,
        limits: ConnectionLimits,
        in_flight: InFlightLimit,
    ) -> Self {
        let (near, stream) = tokio::io::duplex(bytes);
        let (writes, largest_write): (Arc<AtomicUsize>, Arc<AtomicUsize>) = Default::default();
        let is_reset: Arc<AtomicBool> = Arc::default();
        let unacknowledged = Arc::new(AtomicU32::new(UNKNOWN));
        let metrics: Arc<Metrics> = Arc::default();
        let shutdown = CancellationToken::new();
        let near = Counted {
            stream: near,
            writes: Arc::clone(&writes),
            largest_write: Arc::clone(&largest_write),
            is_reset: Arc::clone(&is_reset),
            unacknowledged: Arc::clone(&unacknowledged),
        };
        let mut protocol = TextProtocol::new(
            Ingest::new(store.clone(), in_flight),
            Queries::new(store.clone(), Clock::default()),
            Follows::new(store.clone(), Clock::default()),
            false,
        );
        let (token, counters) = (shutdown.clone(), Arc::clone(&metrics));
        let task = tokio::spawn(async move {
            serve_connection(near, &mut protocol, limits, &counters, &token).await
        });
        let store = store.clone();
        Self {
            stream,
            store,
            shutdown,
            writes,
            largest_write,
            is_reset,
            unacknowledged,
            metrics,
            task,
        }
    }

    /// Sends, and lets the connection do all that it can.
    pub(super) async fn send(&mut self, requests: &str) {
        within(self.stream.write_all(requests.as_bytes())).await.unwrap();
        let_connections_run().await;
    }

    pub(super) async fn answer(&mut self, outcome: Outcome) {
        self.store.answer(outcome);
        let_connections_run().await;
    }

    /// What has been answered and not read yet.
    pub(super) async fn read(&mut self) -> String {
        let mut bytes = vec![0; 4 * 1024 * 1024];
        let read = tokio::select! {
            biased;
            read = self.stream.read(&mut bytes) => read.unwrap(),
            () = std::future::ready(()) => 0,
        };
        String::from_utf8(bytes[..read].to_vec()).unwrap()
    }

    /// Resets the connection; the store answers `outcomes` after that.
    pub(super) async fn reset(
        self,
        outcomes: impl IntoIterator<Item = Outcome>,
    ) -> (SessionStats, CloseReason) {
        self.is_reset.store(true, Ordering::Relaxed);
        let Self { stream, store, task, .. } = self;
        drop(stream);
        for outcome in outcomes {
            let_connections_run().await;
            store.answer(outcome);
        }
        within(task).await.unwrap()
    }

    pub(super) async fn close(mut self) -> (String, SessionStats, CloseReason) {
        self.stream.shutdown().await.unwrap();
        let (stats, reason) = within(self.task).await.unwrap();
        let mut rest = String::new();
        within(self.stream.read_to_string(&mut rest)).await.unwrap();
        (rest, stats, reason)
    }
}

/// Waits for what must happen, at most a minute.
pub(super) async fn within<T>(wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), wait).await.expect("the connection goes on")
}

/// Lets connections do all that they can: nothing but this task and theirs is running.
pub(super) async fn let_connections_run() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}
