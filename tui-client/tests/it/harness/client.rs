//! The real binary in pipes.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use super::os;
use super::wait::{PATIENCE, in_time};

/// The client, with nothing to read.
pub fn client(port: u16) -> Command {
    let mut command = piped(env!("CARGO_BIN_EXE_tui-client"));
    command.args(["--port", &port.to_string()]);
    command
}

/// A program that has nothing to read and whose output is kept.
pub fn piped(program: &str) -> Command {
    let mut command = os::command(program);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Waits for the end of a process: its code, and what it wrote to those of its outputs that are
/// still its own.
#[track_caller]
pub fn finish(child: Child) -> (i32, String, String) {
    let id = child.id();
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait_with_output().unwrap()));
    let Ok(Output { status, stdout, stderr }) = ended.recv_timeout(PATIENCE) else {
        os::kill(id);
        panic!("waiting for the end of a process: {:?}", ended.recv_timeout(PATIENCE));
    };
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// Ends a process that goes on for ever: what it wrote to its error output, unless that is taken.
pub fn kill(mut child: Child) -> String {
    child.kill().unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap()
}

#[track_caller]
pub fn run(port: u16, args: &[&str]) -> (i32, String, String) {
    finish(client(port).args(args).spawn().unwrap())
}

#[track_caller]
pub fn pipe(port: u16, input: impl Into<Vec<u8>>) -> (i32, String, String) {
    pipe_to(port, &[], input)
}

#[track_caller]
pub fn pipe_to(port: u16, args: &[&str], input: impl Into<Vec<u8>>) -> (i32, String, String) {
    let mut child = client(port).args(args).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.into();
    // The client may end before it has read everything.
    let writing = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = finish(child);
    writing.join().unwrap();
    output
}

/// The lines of a pipe as they come.
pub struct Lines {
    lines: Receiver<String>,
    seen: RefCell<Vec<String>>,
}

impl Lines {
    pub fn of(pipe: Option<impl Read + Send + 'static>) -> Self {
        let reader = BufReader::new(pipe.unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            reader.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { lines, seen: RefCell::default() }
    }

    #[track_caller]
    pub fn next_line(&self) -> String {
        self.until("")
    }

    /// The next line that contains a text.
    #[track_caller]
    pub fn until(&self, text: &str) -> String {
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!("waiting for a line with {text:?} after {:#?}", self.seen.borrow());
            };
            self.seen.borrow_mut().push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }
}

/// Reads one line; the rest is left to the caller, who can close the pipe.
#[track_caller]
pub fn first_line(pipe: Option<ChildStdout>) -> BufReader<ChildStdout> {
    let mut reader = BufReader::new(pipe.unwrap());
    in_time("the first line", || {
        reader.read_line(&mut String::new()).unwrap();
        reader
    })
}

pub fn unix_now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs().try_into().unwrap()
}
