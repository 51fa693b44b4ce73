//! Binding and accepting, one task a client.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use shared::DEFAULT_HOST;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, error_span, info, warn};

use super::connection::{CloseReason, serve_connection};
use super::refusal;
use super::tls::{Tls, TlsPeer};
use super::{Connections, Permit};
use crate::event_limit::{Admitted, EventLimit};
use crate::metrics::Metrics;
use crate::os;
use crate::protocol::{Protocol, SessionStats};
use crate::shutdown::Shutdown;

/// Connections that the system keeps until they are accepted, as far as it lets that be said.
const BACKLOG: u32 = 4096;

/// How often in a minute the log tells of each.
static REFUSED: EventLimit = EventLimit::new(1);
static ENDED: EventLimit = EventLimit::new(5);
static NO_HANDSHAKE: EventLimit = EventLimit::new(1);
static ACCEPT_FAILED: EventLimit = EventLimit::new(1);
static OPTION_FAILED: EventLimit = EventLimit::new(1);

/// How long a client may take for the last words of TLS.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long to wait after a failed accept, such as for want of file descriptors.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// Finds out within two minutes that a client is gone to which nothing has to be sent, or that sends
/// nothing: its machine is off, or something between has forgotten the connection.
const KEEP_ALIVE: TcpKeepalive =
    TcpKeepalive::new().with_time(Duration::from_secs(60)).with_interval(Duration::from_secs(10));

/// How often a client is asked in vain. A system that lets nothing be said of that, such as a Windows
/// before 1703, has a number of its own.
const KEEP_ALIVE_RETRIES: u32 = 6;

/// The bound addresses of a host.
#[derive(Debug)]
pub struct Listener {
    sockets: Vec<TcpListener>,
    tls: Option<Tls>,
}

impl Listener {
    /// Binds every address of `host`; `localhost` means both 127.0.0.1 and `::1` where present.
    /// Port 0 takes any free port, the same for all addresses.
    ///
    /// # Errors
    /// When an address can't be bound, or none can.
    pub async fn bind(host: &str, port: u16) -> io::Result<Self> {
        let mut sockets: Vec<TcpListener> = Vec::new();
        let mut missing = None;
        for mut address in resolve(host).await? {
            address.set_port(match sockets.first() {
                Some(first) => first.local_addr()?.port(),
                None => port,
            });
            match listen(address) {
                Ok(socket) => sockets.push(socket),
                // A machine without IPv6 still has a localhost.
                Err(error) if is_absent(&error) => missing = Some(error),
                Err(error) => return Err(error),
            }
        }
        match missing {
            Some(error) if sockets.is_empty() => Err(error),
            _ => Ok(Self { sockets, tls: None }),
        }
    }

    /// Has all clients speak TLS.
    #[must_use]
    pub fn with_tls(self, tls: Tls) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// Where it listens, at least one address.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect()
    }

    /// Accepts clients until the shutdown begins, each with a `protocol` of its own, which is told for
    /// whom the client's certificate is, if it has shown one. Every connection takes part in the
    /// shutdown. A client for which there is no place is told so.
    pub async fn serve<P: Protocol + 'static>(
        self,
        protocol: impl Fn(Option<&str>) -> P + Clone + Send + 'static,
        connections: &Connections,
        shutdown: &Shutdown,
    ) {
        let accepting = self.sockets.into_iter().map(|socket| {
            let (protocol, connections, shutdown) =
                (protocol.clone(), connections.clone(), shutdown.clone());
            let tls = self.tls.clone();
            tokio::spawn(async move {
                tokio::select! {
                    () = shutdown.begun() => {}
                    () = accept_all(&socket, tls, protocol, &connections, &shutdown) => {}
                }
            })
        });
        for task in accepting.collect::<Vec<_>>() {
            if let Err(error) = task.await {
                warn!(%error, "accept loop failed");
            }
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(os::REUSES_PORTS)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The addresses of a host, without a port; one of a single link, as `fe80::1%eth0`, names that.
async fn resolve(host: &str) -> io::Result<Vec<SocketAddr>> {
    if host == DEFAULT_HOST {
        let localhost = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        return Ok(localhost.map(|ip| SocketAddr::new(ip, 0)).to_vec());
    }
    let mut found: Vec<SocketAddr> = lookup_host((host, 0)).await?.collect();
    found.sort_unstable();
    found.dedup();
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
    }
    Ok(found)
}

fn is_absent(error: &io::Error) -> bool {
    // A kernel without IPv6 refuses to make the socket.
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
        || os::is_family_missing(error)
}

async fn accept_all<P: Protocol + 'static>(
    socket: &TcpListener,
    tls: Option<Tls>,
    protocol: impl Fn(Option<&str>) -> P + Clone + Send + 'static,
    connections: &Connections,
    shutdown: &Shutdown,
) {
    loop {
        let (stream, peer) = match socket.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                if let Some(Admitted { skipped }) = ACCEPT_FAILED.admit() {
                    warn!(%error, skipped, "accept failed, retrying");
                }
                tokio::time::sleep(ACCEPT_BACKOFF).await;
                continue;
            }
        };
        let Some(permit) = connections.permits.try_acquire() else {
            refuse(stream, peer, tls.is_some(), connections, shutdown);
            continue;
        };
        connections.metrics.accepted.add(1);
        let connections = connections.clone();
        let name = format!("connection of {peer}");
        let span = error_span!("client", %peer);
        match &tls {
            None => {
                let protocol = protocol(None);
                shutdown.spawn(name, |begun| async move {
                    handle(stream, permit, protocol, &connections, &begun).instrument(span).await;
                });
            }
            Some(tls) => {
                let (tls, protocol) = (tls.clone(), protocol.clone());
                shutdown.spawn(name, |begun| async move {
                    let handling = handle_tls(stream, &tls, permit, protocol, &connections, &begun);
                    handling.instrument(span).await;
                });
            }
        }
    }
}

/// Tells a client that there is no place for it.
fn refuse(
    stream: TcpStream,
    peer: SocketAddr,
    speaks_tls: bool,
    connections: &Connections,
    shutdown: &Shutdown,
) {
    let Connections { permits, metrics, .. } = connections;
    metrics.refused.add(1);
    if let Some(Admitted { skipped }) = REFUSED.admit() {
        let limit = permits.limit();
        warn!(
            limit,
            skipped, "no place for more connections, which are refused; see --max-connections"
        );
    }
    refusal::refuse(&stream, permits.limit(), speaks_tls);
    // In a storm some of them may miss the reason.
    if let Some(permit) = permits.try_acquire_refusal() {
        shutdown.spawn(format!("refusal of {peer}"), |_| async move {
            refusal::drain(stream).await;
            drop(permit);
        });
    }
}

async fn handle<P: Protocol>(
    mut stream: TcpStream,
    permit: Permit,
    mut protocol: P,
    connections: &Connections,
    shutdown: &CancellationToken,
) {
    let Connections { limits, metrics, .. } = connections;
    let start = Instant::now();
    debug!("connected");
    prepare(&stream);
    let (stats, reason) =
        serve_connection(&mut stream, &mut protocol, *limits, metrics, shutdown).await;
    if matches!(reason, CloseReason::Stalled) {
        throw_away(&stream);
    }
    drop((stream, permit));
    count(&reason, metrics);
    tell(&reason, stats, start);
}

/// The same for a client that speaks TLS. Its handshake takes its time in this task, with a permit.
async fn handle_tls<P: Protocol>(
    stream: TcpStream,
    tls: &Tls,
    permit: Permit,
    protocol: impl Fn(Option<&str>) -> P,
    connections: &Connections,
    shutdown: &CancellationToken,
) {
    let Connections { limits, metrics, .. } = connections;
    let start = Instant::now();
    debug!("connected");
    prepare(&stream);
    let mut stream = tokio::select! {
        biased;
        () = shutdown.cancelled() => return count(&CloseReason::Shutdown, metrics),
        accepted = shake_hands(stream, tls, limits.handshake_timeout) => match accepted {
            Ok(stream) => stream,
            Err(reason) => {
                drop(permit);
                count(&reason, metrics);
                if let Some(Admitted { skipped }) = NO_HANDSHAKE.admit() {
                    info!(skipped, "no TLS with a client: {reason}");
                } else {
                    debug!("no TLS with the client: {reason}");
                }
                return;
            }
        },
    };
    let mut protocol = protocol(stream.name());
    let (stats, reason) =
        serve_connection(&mut stream, &mut protocol, *limits, metrics, shutdown).await;
    match reason {
        CloseReason::Stalled | CloseReason::Certificate(_) => throw_away(stream.socket()),
        CloseReason::Failed(_) => {}
        // Without these words of TLS the end may have been made on the way, and counts as an error.
        _ => drop(timeout(FAREWELL, stream.shutdown()).await),
    }
    drop((stream, permit));
    count(&reason, metrics);
    tell(&reason, stats, start);
}

/// Begins to speak TLS with a client, or says why that can't be done.
async fn shake_hands(
    stream: TcpStream,
    tls: &Tls,
    limit: Option<Duration>,
) -> Result<TlsPeer, CloseReason> {
    // In a place of its own: it is large, and soon over.
    let accepting = Box::pin(tls.accept(stream));
    let accepted = match limit {
        Some(limit) => {
            timeout(limit, accepting).await.map_err(|_| CloseReason::HandshakeTimeout)?
        }
        None => accepting.await,
    };
    match accepted {
        Ok(peer) => Ok(peer),
        Err((error, mut stream)) => {
            // What it has sent would reset the connection, and the reason be lost with it.
            if stream.shutdown().await.is_ok() {
                refusal::drain(stream).await;
            }
            Err(CloseReason::HandshakeFailed(error))
        }
    }
}

/// Has what the peer does not take thrown away.
fn throw_away(stream: &TcpStream) {
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

/// Tells of the end of a connection in the log.
fn tell(reason: &CloseReason, stats: SessionStats, start: Instant) {
    if !reason.is_usual()
        && let Some(Admitted { skipped }) = ENDED.admit()
    {
        info!(skipped, "connection ended: {reason}");
    }
    debug!(
        puts = stats.puts,
        gets = stats.gets,
        points_sent = stats.points_sent,
        errors = stats.errors(),
        seconds = format_args!("{:.3}", start.elapsed().as_secs_f64()),
        "disconnected: {reason}"
    );
}

/// Sets the options of a connection's socket.
fn prepare(stream: &TcpStream) {
    let socket = SockRef::from(stream);
    let keep_alive = KEEP_ALIVE.with_retries(KEEP_ALIVE_RETRIES);
    let kept = socket.set_tcp_keepalive(&keep_alive);
    for (option, outcome) in [
        // Replies are batched here already; Nagle's algorithm would only delay them.
        ("TCP_NODELAY", socket.set_tcp_nodelay(true)),
        ("TCP keep-alive", kept.or_else(|_| socket.set_tcp_keepalive(&KEEP_ALIVE))),
        ("the size of its send buffer", os::limit_unsent(&socket)),
    ] {
        // A client that is gone already has no options.
        if let Err(error) = outcome
            && let Some(Admitted { skipped }) = OPTION_FAILED.admit()
        {
            warn!(%error, skipped, "can't set {option}");
        }
    }
}

fn count(reason: &CloseReason, metrics: &Metrics) {
    let counter = match reason {
        CloseReason::ClosedByClient => &metrics.closed_by_client,
        CloseReason::Shutdown => &metrics.closed_by_shutdown,
        CloseReason::LineTimeout => &metrics.line_timeouts,
        CloseReason::Stalled => &metrics.stall_timeouts,
        CloseReason::Idle => &metrics.idle_timeouts,
        CloseReason::HandshakeTimeout | CloseReason::HandshakeFailed(_) => {
            &metrics.failed_handshakes
        }
        CloseReason::Certificate(_) => &metrics.ended_certificates,
        CloseReason::Foreign(_) => &metrics.foreign,
        CloseReason::Failed(_) => &metrics.failed,
    };
    counter.add(1);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::{Context, Poll};

    use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
    use tokio::task::JoinSet;

    use super::*;
    use crate::net::{ConnectionLimits, Permits};
    use crate::protocol::Replies;

    /// Answers every byte with itself.
    #[derive(Clone)]
    struct Echo;

    impl Protocol for Echo {
        async fn serve(
            &mut self,
            input: &mut &[u8],
            replies: &mut Replies<'_, impl AsyncWrite + Unpin + Send>,
        ) -> io::Result<()> {
            replies.buffer().extend_from_slice(std::mem::take(input));
            Ok(())
        }

        fn has_room(&self) -> bool {
            true
        }

        fn is_idle(&self) -> bool {
            true
        }

        fn poll_replies(&mut self, _: &mut Context<'_>, _: &mut Vec<u8>) -> Poll<()> {
            Poll::Ready(())
        }

        fn stats(&self) -> SessionStats {
            SessionStats::default()
        }
    }

    async fn echoes(stream: &mut TcpStream, byte: u8) {
        stream.write_u8(byte).await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), byte);
    }

    async fn served(connections: &Connections, shutdown: &Shutdown) -> Vec<SocketAddr> {
        let mut addresses = Vec::new();
        for _ in 0..2 {
            let listener = Listener::bind("127.0.0.1", 0).await.unwrap();
            addresses.extend(listener.addresses());
            let (connections, shutdown) = (connections.clone(), shutdown.clone());
            tokio::spawn(async move { listener.serve(|_| Echo, &connections, &shutdown).await });
        }
        addresses
    }

    fn with_places(places: usize) -> Connections {
        Connections {
            permits: Permits::new(places, 4),
            limits: ConnectionLimits::default(),
            metrics: Arc::default(),
        }
    }

    /// The only place is that of the client that is there, whichever listener it came to, and of the
    /// next one when it has gone.
    #[tokio::test]
    async fn listeners_share_places_and_tell_a_client_that_there_is_none() {
        let (connections, shutdown) = (with_places(1), Shutdown::default());
        let addresses = served(&connections, &shutdown).await;
        let clients = async {
            for (round, address) in addresses.iter().chain(addresses.iter().rev()).enumerate() {
                let mut stream = TcpStream::connect(address).await.unwrap();
                echoes(&mut stream, 1).await;
                for refusing in &addresses {
                    let mut refused = TcpStream::connect(refusing).await.unwrap();
                    refused.write_all(&[2; 10_000]).await.unwrap();
                    let mut said = String::new();
                    refused.read_to_string(&mut said).await.unwrap();
                    assert_eq!(said, "error\nthere are too many connections (the limit is 1)\n\n");
                }
                echoes(&mut stream, 3).await;
                drop(stream);
                while connections.metrics.snapshot().closed_by_client == round as u64 {
                    tokio::task::yield_now().await;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(60), clients).await.expect("clients are answered");
        assert_eq!(shutdown.finish().await, Ok(()));
        let counts = connections.metrics.snapshot();
        assert_eq!((counts.accepted, counts.refused, counts.open_connections()), (4, 8, 0));
    }

    /// However many there are at once, each hears something.
    #[tokio::test]
    async fn a_storm_leaves_nobody_in_silence() {
        let (connections, shutdown) = (with_places(10), Shutdown::default());
        let address = served(&connections, &shutdown).await[0];
        let mut clients = JoinSet::new();
        for _ in 0..300 {
            clients.spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                let mut first = [0];
                // The reply may be lost with a reset when there are too many at once.
                if stream.write_u8(1).await.is_ok() && stream.read(&mut first).await.is_ok() {
                    assert!([0, 1, b'e'].contains(&first[0]), "{first:?}");
                }
                // What was served is there until the end.
                (first == [1]).then_some(stream)
            });
        }
        let all = tokio::time::timeout(Duration::from_secs(60), clients.join_all()).await;
        let served: Vec<_> = all.expect("all are answered").into_iter().flatten().collect();
        assert_eq!(served.len(), 10);
        assert_eq!(connections.metrics.snapshot().refused, 290);
    }

    #[tokio::test]
    async fn an_address_of_a_link_keeps_the_link() {
        let SocketAddr::V6(found) = resolve("fe80::1%1").await.unwrap()[0] else {
            panic!("an IPv6 address")
        };
        assert_eq!((found.ip().to_string().as_str(), found.scope_id()), ("fe80::1", 1));
    }
}
