//! A server inside the test's own process, on a free port.

use std::time::Duration;

use server::net::Listener;
use server::shutdown::Shutdown;
use server::store::local::{Config, Local};
use shared::Client;
use shared::client::ConnectOptions;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

pub struct Served {
    pub port: u16,
    shutdown: Shutdown,
    task: JoinHandle<()>,
    _data: TempDir,
}

impl Served {
    pub async fn start() -> Self {
        let listener = Listener::bind("localhost", 0).await.unwrap();
        let port = listener.addresses()[0].port();
        let shutdown = Shutdown::default();
        let data = tempfile::tempdir().unwrap();
        let store = Local::open(data.path(), Config::default()).unwrap();
        let task = tokio::spawn(server::run(listener, store, shutdown.clone()));
        Self { port, shutdown, task, _data: data }
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).await.unwrap()
    }

    pub async fn client(&self) -> Client {
        let mut options = ConnectOptions::new("localhost", self.port);
        // A busy machine is no failure.
        options.reply_timeout = Duration::from_secs(600);
        Client::connect(&options).await.unwrap()
    }

    pub async fn stop(self) {
        self.shutdown.begin();
        self.task.await.unwrap();
    }
}
