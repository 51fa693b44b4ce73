//! Where to connect and how long to wait.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

/// Where to connect and how long to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectOptions {
    /// A name or an address, an IPv6 address without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// For connecting, all addresses of the host together.
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
            connect_timeout: Self::CONNECT_TIMEOUT,
            reply_timeout: Self::REPLY_TIMEOUT,
        }
    }

    pub(super) async fn open(&self) -> io::Result<TcpStream> {
        let connecting = TcpStream::connect((self.host.as_str(), self.port));
        let stream = timeout(self.connect_timeout, connecting)
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}
