//! Binding and accepting, one task a client.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use shared::DEFAULT_HOST;
use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, error_span, info, warn};

use super::connection::serve_connection;
use crate::protocol::Protocol;
use crate::shutdown::Shutdown;

/// Peers at once; more wait in the backlog of the operating system.
const MOST_CONNECTIONS: u64 = 16 * 1024;

/// File descriptors that peers leave to the store.
const RESERVED_FILES: u64 = 128;

/// How long to wait after a failed accept, such as for want of file descriptors.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// The bound addresses of a host.
#[derive(Debug)]
pub struct Listener {
    sockets: Vec<TcpListener>,
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
        for ip in resolve(host).await? {
            let port = match sockets.first() {
                Some(first) => first.local_addr()?.port(),
                None => port,
            };
            match TcpListener::bind(SocketAddr::new(ip, port)).await {
                Ok(socket) => sockets.push(socket),
                // A machine without IPv6 still has a localhost.
                Err(error) if is_absent(&error) => missing = Some(error),
                Err(error) => return Err(error),
            }
        }
        match missing {
            Some(error) if sockets.is_empty() => Err(error),
            _ => Ok(Self { sockets }),
        }
    }

    /// Where it listens, at least one address.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect()
    }

    /// Accepts clients until the shutdown begins, each with a `protocol` of its own. Every
    /// connection takes part in the shutdown.
    pub async fn serve<P: Protocol + 'static>(
        self,
        protocol: impl Fn() -> P + Clone + Send + 'static,
        shutdown: &Shutdown,
    ) {
        let permits = Arc::new(Semaphore::new(room_for_peers()));
        let accepting = self.sockets.into_iter().map(|socket| {
            let (protocol, permits, shutdown) =
                (protocol.clone(), Arc::clone(&permits), shutdown.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = shutdown.begun() => {}
                    () = accept_all(&socket, protocol, &permits, &shutdown) => {}
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

/// How many peers there are file descriptors for, after asking for as many as are allowed.
fn room_for_peers() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    if limit.current != limit.maximum && setrlimit(Resource::Nofile, raised).is_ok() {
        limit = raised;
    }
    let files = limit.current.unwrap_or(u64::MAX);
    let peers = files.saturating_sub(RESERVED_FILES).clamp(1, MOST_CONNECTIONS);
    if peers < MOST_CONNECTIONS {
        warn!("room for {peers} clients at once, because of the limit of open files (ulimit -n)");
    }
    usize::try_from(peers).unwrap_or(usize::MAX)
}

async fn resolve(host: &str) -> io::Result<Vec<IpAddr>> {
    if host == DEFAULT_HOST {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    let mut found: Vec<IpAddr> =
        lookup_host((host, 0)).await?.map(|address| address.ip()).collect();
    found.sort_unstable();
    found.dedup();
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
    }
    Ok(found)
}

fn is_absent(error: &io::Error) -> bool {
    // Without IPv6 in the kernel the socket itself is refused (EAFNOSUPPORT).
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
        || error.raw_os_error() == Some(Errno::AFNOSUPPORT.raw_os_error())
}

async fn accept_all<P: Protocol + 'static>(
    socket: &TcpListener,
    protocol: impl Fn() -> P,
    permits: &Arc<Semaphore>,
    shutdown: &Shutdown,
) {
    let mut is_failing = false;
    loop {
        let Ok(permit) = Arc::clone(permits).acquire_owned().await else { return };
        let (stream, peer) = match socket.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                if !std::mem::replace(&mut is_failing, true) {
                    warn!(%error, "accept failed, retrying");
                }
                tokio::time::sleep(ACCEPT_BACKOFF).await;
                continue;
            }
        };
        is_failing = false;
        let protocol = protocol();
        shutdown.participate(format!("connection of {peer}"), |begun| async move {
            let span = error_span!("client", %peer);
            handle(stream, protocol, &begun).instrument(span).await;
            drop(permit);
        });
    }
}

async fn handle<P: Protocol>(stream: TcpStream, protocol: P, shutdown: &CancellationToken) {
    let start = Instant::now();
    info!("connected");
    // Replies are batched here already; Nagle's algorithm would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        warn!(%error, "can't set TCP_NODELAY");
    }
    let (stats, reason) = serve_connection(stream, protocol, shutdown).await;
    info!(
        puts = stats.puts,
        gets = stats.gets,
        points_sent = stats.points_sent,
        errors = stats.errors,
        seconds = format_args!("{:.3}", start.elapsed().as_secs_f64()),
        "disconnected: {reason}"
    );
}
