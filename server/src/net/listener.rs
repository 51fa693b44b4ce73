//! Binding and accepting, one task a client.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use shared::DEFAULT_HOST;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, error_span, info, warn};

use super::connection::serve_connection;
use super::permits::Permits;
use crate::os;
use crate::protocol::Protocol;
use crate::shutdown::Shutdown;

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
        permits: &Permits,
        shutdown: &Shutdown,
    ) {
        let accepting = self.sockets.into_iter().map(|socket| {
            let (protocol, permits, shutdown) =
                (protocol.clone(), permits.clone(), shutdown.clone());
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
    // A kernel without IPv6 refuses to make the socket.
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
        || os::is_family_missing(error)
}

async fn accept_all<P: Protocol + 'static>(
    socket: &TcpListener,
    protocol: impl Fn() -> P,
    permits: &Permits,
    shutdown: &Shutdown,
) {
    let mut is_failing = false;
    loop {
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
        let Some(permit) = permits.acquire().await else { return };
        let protocol = protocol();
        shutdown.spawn(format!("connection of {peer}"), |begun| async move {
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
    let socket = SockRef::from(&stream);
    let keep_alive = KEEP_ALIVE.with_retries(KEEP_ALIVE_RETRIES);
    let kept = socket.set_tcp_keepalive(&keep_alive);
    if let Err(error) = kept.or_else(|_| socket.set_tcp_keepalive(&KEEP_ALIVE)) {
        warn!(%error, "can't set TCP keep-alive");
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

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll};

    use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

    use super::*;
    use crate::protocol::{Replies, SessionStats};

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

    /// The only permit goes to the client that comes, whichever listener it comes to.
    #[tokio::test]
    async fn listeners_share_permits_and_hold_none_while_they_wait() {
        let (permits, shutdown) = (Permits::new(1), Shutdown::default());
        let mut addresses = Vec::new();
        for _ in 0..2 {
            let listener = Listener::bind("127.0.0.1", 0).await.unwrap();
            addresses.extend(listener.addresses());
            let (permits, shutdown) = (permits.clone(), shutdown.clone());
            tokio::spawn(async move { listener.serve(|| Echo, &permits, &shutdown).await });
        }
        let clients = async {
            for address in addresses.iter().chain(addresses.iter().rev()) {
                let mut stream = TcpStream::connect(address).await.unwrap();
                echoes(&mut stream, 1).await;
                // No permit for another one as long as this one is there.
                let mut waiting = TcpStream::connect(addresses[0]).await.unwrap();
                waiting.write_u8(2).await.unwrap();
                echoes(&mut stream, 3).await;
                assert!(waiting.try_read(&mut [0]).is_err());
                drop(stream);
                assert_eq!(waiting.read_u8().await.unwrap(), 2);
            }
        };
        tokio::time::timeout(Duration::from_secs(60), clients).await.expect("a client is served");
        assert_eq!(shutdown.finish().await, Ok(()));
    }
}
