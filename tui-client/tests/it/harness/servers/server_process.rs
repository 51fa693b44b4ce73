//! The real server in a process of its own, which can be killed. The process is one of this
//! test program: Cargo builds the `server` binary only for the tests of its own package.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;

use server::shutdown::Shutdown;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::os;
use super::server::serve;
use super::wait::in_time;

/// Set for the process that serves: the directory with the data, and the port.
const DATA: &str = "SERVE_THIS_DIRECTORY";
const PORT: &str = "SERVE_ON_THIS_PORT";

/// Printed before the port.
const LISTENING: &str = "serving on port ";

/// The server of other tests when [`DATA`] is set; otherwise does nothing.
#[test]
fn the_server_of_other_tests() {
    let Some(data) = std::env::var_os(DATA) else { return };
    let port = std::env::var(PORT).unwrap().parse().unwrap();
    thread::spawn(|| {
        // Ends with the process of the test, which holds the other end of the pipe.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(1);
    });
    let listening = |port| println!("\n{LISTENING}{port}");
    // The runtime of the server.
    let tokio = Runtime::new().unwrap();
    serve(&tokio, Path::new(&data), (port, None), Shutdown::default(), listening);
}

/// A server that is killed when this is dropped.
pub struct ServerProcess {
    pub port: u16,
    data: TempDir,
    child: Child,
}

impl ServerProcess {
    pub fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let (child, port) = launch(data.path(), 0);
        Self { port, data, child }
    }

    /// Sends KILL and waits for the end.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Restarts on the same port with the same data.
    pub fn start_again(&mut self) {
        self.kill();
        (self.child, _) = launch(self.data.path(), self.port);
    }
}

fn launch(data: &Path, port: u16) -> (Child, u16) {
    let mut child = os::command(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "harness::servers::server_process::the_server_of_other_tests",
            "--nocapture",
        ])
        .env(DATA, data)
        .env(PORT, port.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let port = in_time("a server that listens", move || {
        lines.find_map(|line| line.strip_prefix(LISTENING)?.parse().ok())
    });
    (child, port.expect("it listens"))
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.kill();
    }
}
