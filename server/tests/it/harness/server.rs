//! A server inside the test's own process, on a free port.

use server::Server;
use server::clock::Clock;
use server::net::{ConnectionLimits, Connections, Listener};
use server::protocol::text::TextProtocol;
use server::shutdown::Shutdown;
use server::store::local::{Local, LocalConfig};
use shared::Client;
use shared::client::ConnectOptions;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::{PATIENCE, within};

/// A running server with an empty store.
pub struct TestServer {
    pub port: u16,
    shutdown: Shutdown,
    task: JoinHandle<()>,
    _data: TempDir,
}

impl TestServer {
    pub async fn start() -> Self {
        Self::start_at(Clock::default()).await
    }

    /// A server with the time of `clock`, that lets its clients delete.
    pub async fn start_at(clock: Clock) -> Self {
        Self::start_with(clock, LocalConfig::default()).await
    }

    pub async fn start_with(clock: Clock, config: LocalConfig) -> Self {
        let listener = Listener::bind("localhost", 0).await.unwrap();
        let port = listener.addresses()[0].port();
        let shutdown = Shutdown::default();
        let data = tempfile::tempdir().unwrap();
        let store = Local::open(data.path(), config).unwrap();
        // A busy machine makes clients slow.
        let limits =
            ConnectionLimits { line_timeout: None, stall_timeout: None, ..Default::default() };
        let connections = Connections { limits, ..Connections::default() };
        let mut server = Server::new(store, clock, connections, shutdown.clone());
        server.listen(listener, |ingest, queries, follows, _| {
            TextProtocol::new(ingest, queries, follows, true)
        });
        let task = tokio::spawn(server.run());
        Self { port, shutdown, task, _data: data }
    }

    pub async fn connect(&self) -> Connection {
        Connection::to(self.port).await
    }

    pub async fn client(&self) -> Client {
        client_of(self.port).await
    }

    pub async fn stop(self) {
        self.shutdown.begin();
        within(self.task).await.unwrap();
    }
}

/// A client of the server on a port of this machine.
pub async fn client_of(port: u16) -> Client {
    let mut options = ConnectOptions::new("localhost", port);
    // A busy machine is no failure.
    options.reply_timeout = PATIENCE;
    within(Client::connect(&options)).await.unwrap()
}

/// A connection whose waits are limited.
pub struct Connection(pub TcpStream);

impl Connection {
    /// To the server on a port of this machine.
    pub async fn to(port: u16) -> Self {
        let stream = within(TcpStream::connect(("127.0.0.1", port))).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        within(self.0.write_all(bytes.as_ref())).await.unwrap();
    }

    pub async fn close_sending(&mut self) {
        within(self.0.shutdown()).await.unwrap();
    }

    /// Reads so many bytes, fewer at the end.
    pub async fn read(&mut self, count: usize) -> Vec<u8> {
        let mut read = Vec::new();
        let count = u64::try_from(count).unwrap();
        within((&mut self.0).take(count).read_to_end(&mut read)).await.unwrap();
        read
    }

    /// Reads what comes until the server closes.
    pub async fn read_to_end(&mut self) -> Vec<u8> {
        let mut read = Vec::new();
        within(self.0.read_to_end(&mut read)).await.unwrap();
        read
    }
}
