//! The client in a terminal of its own.

use std::fs;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::process::Process;
use super::pty::Shell;

/// The client, connected.
pub struct Client {
    pub shell: Shell,
    pub process: Process,
    _directory: TempDir,
}

impl Client {
    /// Starts it in a terminal of so many rows and columns.
    pub fn start(port: u16, args: &str, size: (u16, u16)) -> Self {
        Self::start_at(&[port], args, size)
    }

    /// Starts it with the servers on these ports in one view.
    pub fn start_at(ports: &[u16], args: &str, (rows, columns): (u16, u16)) -> Self {
        let hosts = match ports {
            [port] => format!("--port {port}"),
            ports => {
                let hosts: Vec<_> =
                    ports.iter().map(|port| format!("--host localhost:{port}")).collect();
                hosts.join(" ")
            }
        };
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("pid");
        let shell = Shell::run(&format!(
            "stty rows {rows} cols {columns}; echo $$ > '{}'; exec \"$CLIENT\" {hosts} {args}",
            file.display()
        ));
        shell.resize(rows, columns);
        shell.until_shown("● localhost");
        let pid = fs::read_to_string(file).unwrap().trim().parse().unwrap();
        Self { shell, process: Process(pid), _directory: directory }
    }

    /// The time from Enter until a typed put is said to be stored. It is typed before, and stands
    /// there for a while.
    pub fn put_typed(&self, key: &str, value: &str, while_: Duration) -> Duration {
        self.shell.press(&format!("put {key} {value}"));
        self.shell.until_shown(&format!("> put {key} {value}"));
        std::thread::sleep(while_);
        let pressed = self.shell.press_now("\r");
        self.shell.until_shown(&format!("stored {key} {value} "));
        since(pressed)
    }

    pub fn quit(self) {
        self.shell.press("\x03\x03");
        self.shell.wait();
    }
}

/// The time since then, on a clock that is not set meanwhile.
pub fn since(moment: SystemTime) -> Duration {
    moment.elapsed().expect("the clock is not set")
}
