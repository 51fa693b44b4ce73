//! The real server in a process of its own: this program again.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use server::shutdown::Shutdown;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::process::Process;
use super::server::serve;

/// Set for the process that serves: the directory with the data.
const DATA: &str = "SERVE_THIS_DIRECTORY";

/// Serves until the end, if this process is to do that.
pub fn serve_if_asked() -> bool {
    let data = std::env::var_os(DATA);
    if let Some(data) = &data {
        thread::spawn(|| {
            // Ends with the benchmark, which holds the other end of the pipe, however that ends.
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            std::process::exit(1);
        });
        // The runtime of the server.
        let tokio = Runtime::new().unwrap();
        serve(&tokio, Path::new(data), (0, None), Shutdown::default(), |port| println!("{port}"));
    }
    data.is_some()
}

/// A server that is killed when this is dropped.
pub struct ServerProcess {
    pub port: u16,
    child: Child,
    _data: TempDir,
}

impl ServerProcess {
    pub fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env(DATA, data.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Self { port: port.trim().parse().unwrap(), child, _data: data }
    }

    pub fn process(&self) -> Process {
        Process(self.child.id())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
