//! The server program as a user runs it: arguments in, log lines, replies and exit code out.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::PATIENCE;
use super::os;

/// The server program, not yet started. Where this machine can't run it by itself, `SERVER_RUNNER`
/// is the emulator with its options.
pub fn command() -> Command {
    let runner = std::env::var("SERVER_RUNNER").unwrap_or_default();
    let mut words = runner.split_whitespace().chain([env!("CARGO_BIN_EXE_server")]);
    let mut command = os::command(words.next().unwrap_or_default());
    command.args(words);
    command
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = wait_for_output(child, PATIENCE);
    os::release(command.get_program());
    output
}

/// Waits for a child, which is killed after `limit`, and reads what it writes to pipes.
pub fn wait_for_output(mut child: Child, limit: Duration) -> Output {
    let start = Instant::now();
    let (stdout, stderr) = (read_all(child.stdout.take()), read_all(child.stderr.take()));
    let rest = || limit.saturating_sub(start.elapsed());
    let (stdout, stderr) = (stdout.recv_timeout(rest()), stderr.recv_timeout(rest()));
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if rest().is_zero() => {
                child.kill().unwrap();
                panic!("process {} does not end: {stdout:?} {stderr:?}", child.id());
            }
            None => thread::yield_now(),
        }
    };
    Output { status, stdout: stdout.unwrap(), stderr: stderr.unwrap() }
}

/// Sends all that comes out of a pipe when it is closed; nothing when there is no pipe.
fn read_all(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (sender, read) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut bytes).unwrap();
        }
        // The receiver is gone after its limit.
        let _ = sender.send(bytes);
    });
    read
}

/// Connects to a local port. Reads and writes fail after [`PATIENCE`].
pub fn connect(port: u16) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Calls `attempt` until it answers something.
pub fn retry<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "{what}");
        thread::yield_now();
    }
}

/// A running server on a free port, and the log it writes. It is killed when this is dropped.
pub struct ServerProcess {
    child: Child,
    program: OsString,
    lines: Receiver<String>,
    log: String,
    port: u16,
}

impl ServerProcess {
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
        thread::spawn(move || {
            for line in stderr.lines() {
                if sender.send(line.unwrap()).is_err() {
                    break;
                }
            }
        });
        let program = command.get_program().to_owned();
        Self { child, program, lines, log: String::new(), port: 0 }
    }

    /// Starts it and waits until it listens.
    pub fn start<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Self {
        let mut program = Self::launch(arguments);
        program.wait_until_listening();
        program
    }

    /// Starts it on a data directory and waits until it listens.
    pub fn open(directory: &Path) -> Self {
        Self::start([OsStr::new("--data-dir"), directory.as_os_str()])
    }

    /// Waits until it listens.
    pub fn wait_until_listening(&mut self) {
        let line = self.wait_for_line("listening on ");
        self.listens(&line);
    }

    /// Takes its port from the line of its log that says where it listens.
    pub fn listens(&mut self, line: &str) {
        self.port = line.rsplit(':').next().unwrap().trim_end().parse().unwrap();
    }

    /// The next line of its log, or `None` when the process has ended.
    pub fn next_line(&mut self) -> Option<String> {
        let line = match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => panic!("it logs nothing more after {}", self.log),
        };
        self.log.push_str(&line);
        self.log.push('\n');
        Some(line)
    }

    /// Reads its log up to a line that contains `text`.
    pub fn wait_for_line(&mut self, text: &str) -> String {
        loop {
            match self.next_line() {
                Some(line) if line.contains(text) => return line,
                Some(_) => {}
                None => panic!("it ended without logging {text:?}: {}", self.describe_end()),
            }
        }
    }

    /// Waits until its log contains `text`.
    pub fn wait_until_logged(&mut self, text: &str) {
        if !self.log.contains(text) {
            self.wait_for_line(text);
        }
    }

    /// Its log as far as it was read.
    pub fn log(&self) -> &str {
        &self.log
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its memory now, and at most so far, in KiB; `None` where the system does not tell.
    pub fn memory(&self) -> Option<(u64, u64)> {
        os::memory(self.child.id())
    }

    pub fn connect(&self) -> TcpStream {
        connect(self.port).expect("it accepts")
    }

    /// Sends `requests` on a connection of their own and returns all replies.
    pub fn request(&mut self, requests: &str) -> String {
        let mut stream = self.connect();
        let mut replies = String::new();
        std::thread::scope(|scope| {
            let mut sender = stream.try_clone().unwrap();
            scope.spawn(move || {
                sender.write_all(requests.as_bytes()).unwrap();
                sender.shutdown(Shutdown::Write).unwrap();
            });
            stream.read_to_string(&mut replies).expect("it replies");
        });
        assert!(replies.ends_with("\n\n"), "cut off: {}", self.describe_end());
        replies
    }

    /// Its log and its exit status, for a report of an unexpected end.
    pub fn describe_end(&mut self) -> String {
        while let Ok(line) = self.lines.try_recv() {
            self.log = format!("{}{line}\n", self.log);
        }
        format!("{:?} after\n{}", self.child.try_wait(), self.log)
    }

    /// Sends one of [`os::END_SIGNALS`].
    pub fn signal(&self, name: &str) {
        os::send_signal(self.child.id(), &self.program, name);
    }

    /// `kill -9`, which is `TerminateProcess` on Windows, and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end; returns the exit code and the whole log.
    pub fn wait_for_exit(mut self) -> (Option<i32>, String) {
        while self.next_line().is_some() {}
        (self.child.wait().unwrap().code(), std::mem::take(&mut self.log))
    }

    /// Has it end in an orderly way; returns the whole log.
    pub fn stop(self) -> String {
        self.signal(os::END_SIGNALS[0]);
        let (code, log) = self.wait_for_exit();
        assert_eq!(code, Some(0), "{log}");
        log
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // Fails when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        os::release(&self.program);
    }
}
