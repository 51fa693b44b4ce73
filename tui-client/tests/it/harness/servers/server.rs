//! The real server on a thread of its own, so that tests of processes need no runtime.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown as Half, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use server::Server;
use server::clock::Clock;
use server::net::{ConnectionLimits, Connections, Listener, Tls};
use server::protocol::text::TextProtocol;
use server::shutdown::Shutdown;
use server::store::local::{Local, LocalConfig, OpenError};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use super::wait::{PATIENCE, in_time};

pub struct TestServer {
    pub port: u16,
    data: Arc<TempDir>,
    shutdown: Shutdown,
    thread: Option<JoinHandle<()>>,
    tls: Option<Tls>,
}

impl TestServer {
    pub fn start() -> Self {
        Self::start_on(Arc::new(tempfile::tempdir().unwrap()), 0, None)
    }

    /// One that speaks TLS.
    pub fn start_with(tls: Tls) -> Self {
        Self::start_on(Arc::new(tempfile::tempdir().unwrap()), 0, Some(tls))
    }

    fn start_on(data: Arc<TempDir>, port: u16, tls: Option<Tls>) -> Self {
        let (sender, port_of) = std::sync::mpsc::channel();
        let shutdown = Shutdown::default();
        let ending = shutdown.clone();
        let (path, own_tls) = (data.path().to_owned(), tls.clone());
        let thread = thread::spawn(move || {
            let tokio = Builder::new_current_thread().enable_all().build().unwrap();
            serve(&tokio, &path, (port, own_tls), ending, |port| sender.send(port).unwrap());
        });
        let port = port_of.recv_timeout(PATIENCE).expect("the server listens");
        Self { port, data, shutdown, thread: Some(thread), tls }
    }

    pub fn stop(&mut self) {
        self.shutdown.begin();
        if let Some(thread) = self.thread.take() {
            in_time("the end of the server", || thread.join().unwrap());
        }
    }

    pub fn is_running(&self) -> bool {
        self.thread.is_some()
    }

    /// Restarts on the same port with the same data.
    pub fn start_again(&mut self) {
        self.stop();
        *self = Self::start_on(Arc::clone(&self.data), self.port, self.tls.clone());
    }

    /// Stops, damages the chunk of a key in each part, and starts again.
    pub fn lose(&mut self, key: &str) {
        self.damage_parts(|bytes| damage_chunk(bytes, key));
    }

    /// Like [`TestServer::lose`]; no index of a part knows a newest point either.
    pub fn lose_with_indexes(&mut self, key: &str) {
        self.damage_parts(|bytes| {
            damage_chunk(bytes, key);
            if let Some(last) = bytes.last_mut() {
                *last ^= 3;
            }
        });
    }

    fn damage_parts(&mut self, damage: impl Fn(&mut [u8])) {
        self.stop();
        for entry in std::fs::read_dir(self.data.path()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if name.starts_with("part-") {
                let mut bytes = std::fs::read(&path).unwrap();
                damage(&mut bytes);
                std::fs::write(&path, bytes).unwrap();
            }
        }
        self.start_again();
    }

    /// Sends requests as another client would, and gives the replies.
    pub fn send(&self, requests: &str) -> String {
        send(self.port, requests)
    }
}

/// Sends requests to a port, and gives the replies.
pub fn send(port: u16, requests: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(requests.as_bytes()).unwrap();
    stream.shutdown(Half::Write).unwrap();
    let mut replies = String::new();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.read_to_string(&mut replies).expect("the server replies");
    assert!(!replies.contains("error\n"), "{replies}");
    replies
}

/// Serves the data in a directory on `tokio` until `ending`, on a port, which speaks TLS if told so;
/// calls `listening` with the port.
pub fn serve(
    tokio: &Runtime,
    data: &Path,
    (port, tls): (u16, Option<Tls>),
    ending: Shutdown,
    listening: impl FnOnce(u16),
) {
    tokio.block_on(async {
        let listener = bind(port).await;
        let listener = match tls {
            Some(tls) => listener.with_tls(tls),
            None => listener,
        };
        listening(listener.addresses()[0].port());
        let store = open(data).await;
        // A busy machine makes clients slow.
        let limits =
            ConnectionLimits { line_timeout: None, stall_timeout: None, ..Default::default() };
        let connections = Connections { limits, ..Connections::default() };
        let mut server = Server::new(store, Clock::default(), connections, ending);
        server.listen(listener, |ingest, queries, follows, _| {
            TextProtocol::new(ingest, queries, follows, true)
        });
        server.run().await;
    });
}

/// Takes the port as soon as it is free: while the server is away, a client that reconnects may get
/// the port as the local end of its own attempt for a moment.
async fn bind(port: u16) -> Listener {
    let end = Instant::now() + PATIENCE;
    loop {
        match Listener::bind("localhost", port).await {
            Err(error) if error.kind() == ErrorKind::AddrInUse && Instant::now() < end => {
                tokio::task::yield_now().await;
            }
            bound => return bound.unwrap(),
        }
    }
}

/// Opens the store as soon as its lock is free: between fork and exec, a process that another test
/// starts has copies of the files for a moment.
async fn open(data: &Path) -> Local {
    let end = Instant::now() + PATIENCE;
    loop {
        match Local::open(data, LocalConfig::default()) {
            Err(OpenError::Locked) if Instant::now() < end => tokio::task::yield_now().await,
            opened => return opened.unwrap(),
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        // The server has to close its files before their directory is removed.
        self.stop();
    }
}

/// Changes a bit of the points of a key.
fn damage_chunk(part: &mut [u8], key: &str) {
    // The key stands before the points, in the index again.
    let place = part.windows(key.len()).position(|bytes| bytes == key.as_bytes());
    part[place.unwrap() + key.len() + 2] ^= 1;
}
