//! Who connects: binding, accepting with a limit, one task a peer.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use shared::DEFAULT_HOST;
use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio::sync::Semaphore;
use tracing::{Instrument, error_span, info, warn};

use super::connection::converse;
use crate::shutdown::Shutdown;
use crate::store::Store;

/// Peers at once; more wait in the backlog of the operating system.
const MOST_CONNECTIONS: u64 = 16 * 1024;

/// File descriptors that peers leave to the store.
const RESERVED_FILES: u64 = 128;

/// How long to leave it after a failed accept, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

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

    /// Accepts peers until the shutdown begins. Each conversation is a participant in it.
    pub async fn serve<S: Store + Clone>(self, store: S, shutdown: &Shutdown) {
        let places = Arc::new(Semaphore::new(room_for_peers()));
        let accepting = self.sockets.into_iter().map(|socket| {
            let (store, shutdown, places) = (store.clone(), shutdown.clone(), Arc::clone(&places));
            tokio::spawn(async move {
                tokio::select! {
                    () = shutdown.begun() => {}
                    () = accept_all(&socket, store, &shutdown, &places) => {}
                }
            })
        });
        for task in accepting.collect::<Vec<_>>() {
            if let Err(error) = task.await {
                warn!(%error, "accepting stopped");
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

async fn accept_all<S: Store + Clone>(
    socket: &TcpListener,
    store: S,
    shutdown: &Shutdown,
    places: &Arc<Semaphore>,
) {
    let mut failing = false;
    loop {
        let Ok(place) = Arc::clone(places).acquire_owned().await else { return };
        let (stream, peer) = match socket.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    warn!(%error, "can't accept clients at the moment");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        failing = false;
        let store = store.clone();
        shutdown.participate(format!("connection of {peer}"), |begun| async move {
            let span = error_span!("client", %peer);
            talk(stream, store, &begun).instrument(span).await;
            drop(place);
        });
    }
}

async fn talk<S: Store>(stream: TcpStream, store: S, begun: &tokio_util::sync::CancellationToken) {
    let start = Instant::now();
    info!("connected");
    // Replies are batched here already; waiting for more would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        warn!(%error, "no TCP_NODELAY");
    }
    let (tally, ended) = converse(stream, store, begun).await;
    info!(
        puts = tally.puts,
        gets = tally.gets,
        points_sent = tally.points_sent,
        errors = tally.errors,
        seconds = format_args!("{:.3}", start.elapsed().as_secs_f64()),
        "disconnected: {ended}"
    );
}
