//! The server program as a user runs it: arguments in, log lines, replies and exit code out.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

/// A server that says nothing for this long hangs. Nothing is ever slept out.
const HANG: Duration = Duration::from_secs(60);

/// The program, not yet started.
pub fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_server"))
}

/// A running server on a free port, and the log it writes. It is killed when this is dropped.
pub struct Program {
    child: Child,
    lines: Receiver<String>,
    log: String,
    port: u16,
}

impl Program {
    /// Starts it, and waits for nothing.
    pub fn launch<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Self {
        Self::spawn(command().args(arguments))
    }

    /// Starts `command` on a free port, and waits for nothing.
    pub fn spawn(command: &mut Command) -> Self {
        let mut child =
            command.args(["--port", "0"]).stderr(Stdio::piped()).spawn().expect("it starts");
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stderr.lines() {
                if sender.send(line.unwrap()).is_err() {
                    break;
                }
            }
        });
        Self { child, lines, log: String::new(), port: 0 }
    }

    /// Starts it and waits until it listens.
    pub fn start<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Self {
        let mut program = Self::launch(arguments);
        program.listen();
        program
    }

    /// Starts it on a data directory and waits until it listens.
    pub fn on(directory: &Path) -> Self {
        Self::start([OsStr::new("--data-dir"), directory.as_os_str()])
    }

    /// Waits until it listens.
    pub fn listen(&mut self) {
        let line = self.wait_for("listening on ");
        self.port = line.rsplit(':').next().unwrap().parse().unwrap();
    }

    /// The next line of its log, or `None` when it has ended.
    pub fn next_line(&mut self) -> Option<String> {
        let line = match self.lines.recv_timeout(HANG) {
            Ok(line) => line,
            Err(mpsc::RecvTimeoutError::Disconnected) => return None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("it says no more after {}", self.log),
        };
        self.log.push_str(&line);
        self.log.push('\n');
        Some(line)
    }

    /// Reads its log up to a line that contains `text`.
    pub fn wait_for(&mut self, text: &str) -> String {
        loop {
            match self.next_line() {
                Some(line) if line.contains(text) => return line,
                Some(_) => {}
                None => panic!("it ended without saying {text:?}: {}", self.epitaph()),
            }
        }
    }

    /// Waits until it has said `text`, now or before.
    pub fn hear(&mut self, text: &str) {
        if !self.log.contains(text) {
            self.wait_for(text);
        }
    }

    /// Its log as far as it was read.
    pub fn log(&self) -> &str {
        &self.log
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).expect("it accepts")
    }

    /// Says `requests` on a connection of their own and answers all replies.
    pub fn ask(&mut self, requests: &str) -> String {
        let mut stream = self.connect();
        let mut replies = String::new();
        std::thread::scope(|scope| {
            let mut sender = stream.try_clone().unwrap();
            scope.spawn(move || {
                sender.write_all(requests.as_bytes()).unwrap();
                sender.shutdown(Shutdown::Write).unwrap();
            });
            stream.read_to_string(&mut replies).unwrap();
        });
        assert!(replies.ends_with("\n\n"), "cut off: {}", self.epitaph());
        replies
    }

    /// What can be said about its unexpected end: its log, and how it went if it did.
    pub fn epitaph(&mut self) -> String {
        while let Ok(line) = self.lines.try_recv() {
            self.log = format!("{}{line}\n", self.log);
        }
        format!("{:?} after\n{}", self.child.try_wait(), self.log)
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the end: exit code and all of its log.
    pub fn finish(mut self) -> (Option<i32>, String) {
        while self.next_line().is_some() {}
        (self.child.wait().unwrap().code(), std::mem::take(&mut self.log))
    }

    /// Stops it in order.
    pub fn stop(self) -> String {
        self.signal("-TERM");
        let (code, log) = self.finish();
        assert_eq!(code, Some(0), "{log}");
        log
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended already, or a test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Numbers that look random and are the same for the same seed (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
