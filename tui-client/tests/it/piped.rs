//! The real binary in pipes, and peers that are not what it expects.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Longer than anything here takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub fn client(port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tui-client"));
    command.args(["--port", &port.to_string()]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub fn finish(child: Child) -> (i32, String, String) {
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

pub fn run(port: u16, args: &[&str]) -> (i32, String, String) {
    finish(client(port).args(args).spawn().unwrap())
}

pub fn pipe(port: u16, input: impl Into<Vec<u8>>) -> (i32, String, String) {
    let mut child = client(port).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.into();
    // The client may end before it has read everything.
    let writing = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = finish(child);
    writing.join().unwrap();
    output
}

/// The lines of a pipe, to be waited for with a limit.
pub fn lines(pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        BufReader::new(pipe).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    lines
}

/// Waits for a condition that nothing signals, but not for ever.
pub fn wait_until(what: &str, mut is: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < PATIENCE, "waiting for {what}");
        thread::yield_now();
    }
}

pub fn unix_now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs().try_into().unwrap()
}

/// A server whose connections do one thing after another; its port.
pub fn peer(connections: Vec<fn(&TcpStream, &mut BufReader<&TcpStream>)>) -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = thread::spawn(move || {
        let mut held = Vec::new();
        for connection in connections {
            let (stream, _) = listener.accept().unwrap();
            connection(&stream, &mut BufReader::new(&stream));
            held.push(stream);
        }
    });
    (port, serving)
}

/// The next lines that the client sends.
pub fn hear(from: &mut BufReader<&TcpStream>, lines: &[&str]) {
    for line in lines {
        let mut heard = String::new();
        from.read_line(&mut heard).unwrap();
        assert_eq!(heard, format!("{line}\n"));
    }
}

pub fn until_given_up(stream: &TcpStream, from: &mut BufReader<&TcpStream>) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(from.read_line(&mut String::new()).unwrap(), 0, "nothing more is sent");
}

/// Sends a signal, as Ctrl-C does with INT and a supervisor with TERM.
pub fn signal(child: &Child, name: &str) {
    let (signal, id) = (format!("-{name}"), child.id().to_string());
    assert!(Command::new("kill").args([signal, id]).status().unwrap().success());
}

/// Waits until the pipe to a standard output that nobody reads is nearly full.
pub fn until_full(out: &ChildStdout) {
    wait_until("a full pipe", || rustix::io::ioctl_fionread(out).unwrap() > 60_000);
}

pub fn end(child: &mut Child) -> ExitStatus {
    let mut status = None;
    wait_until("the end", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    status.unwrap()
}
