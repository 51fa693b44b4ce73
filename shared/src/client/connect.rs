//! Where to connect and how long to wait.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::stream::Stream;
use super::tls::{Tls, TlsFailure};

/// Where to connect and how long to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectOptions {
    /// A name or an address, an IPv6 address without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// Speak TLS, with a server whose certificate is for `host`.
    pub tls: Option<Tls>,
    /// For connecting, all addresses of the host and the handshake of TLS together.
    pub connect_timeout: Duration,
    /// The longest silence while a reply is due; then the connection ends.
    pub reply_timeout: Duration,
}

impl ConnectOptions {
    /// The time for connecting, unless told otherwise.
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

    /// The time without a byte of a reply, unless told otherwise.
    pub const REPLY_TIMEOUT: Duration = Duration::from_secs(30);

    /// Options with the usual times.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
            tls: None,
            connect_timeout: Self::CONNECT_TIMEOUT,
            reply_timeout: Self::REPLY_TIMEOUT,
        }
    }

    pub(super) async fn open(&self) -> io::Result<Stream> {
        let end = Instant::now() + self.connect_timeout;
        let connecting = TcpStream::connect((self.host.as_str(), self.port));
        let stream = timeout_at(end, connecting)
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return Ok(Stream::Plain(stream)) };
        let stream = timeout_at(end, tls.connect(&self.host, stream))
            .await
            .map_err(|_| io::Error::other(TlsFailure::NoHandshake))??;
        Ok(Stream::Tls(Box::new(stream)))
    }
}
