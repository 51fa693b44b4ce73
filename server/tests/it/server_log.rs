//! The log of the server, whatever reads it.

use std::io::{BufRead, BufReader, PipeReader, Read, Write, pipe};
use std::path::Path;
use std::process::{Child, Command};

use crate::harness::PATIENCE;
use crate::harness::files::file_names;
use crate::harness::os;
use crate::harness::process::{ServerProcess, command, connect, retry, wait_for_output};

/// A server whose log is a pipe that is not read yet.
struct Unread {
    child: Child,
    command: Command,
    log: PipeReader,
    port: u16,
}

impl Unread {
    fn start(data: &Path) -> Self {
        // A free port is chosen here, because the log is not read.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let (log, writer) = pipe().unwrap();
        let mut command = command();
        command.args(["--log-level", "debug", "--log-limit", "64KiB", "--data-dir"]).arg(data);
        command.args(["--port", &port.to_string()]);
        let child = command.stderr(writer).spawn().unwrap();
        // Ends the writing side of this process.
        command.stderr(std::process::Stdio::null());
        Self { child, command, log, port }
    }

    /// Sends `requests` when it listens, and reads so many replies.
    fn request(&self, requests: &str, replies: usize) {
        let mut stream = retry("it does not listen", || connect(self.port).ok());
        let mut sender = stream.try_clone().unwrap();
        let requests = requests.to_owned();
        let sending = std::thread::spawn(move || {
            sender.write_all(requests.as_bytes()).unwrap();
            sender.shutdown(std::net::Shutdown::Write).unwrap();
        });
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        sending.join().unwrap();
        assert_eq!(said.matches("\n\n").count(), replies);
    }

    fn end(self) -> (Option<i32>, PipeReader) {
        os::send_signal(self.child.id(), self.command.get_program(), os::END_SIGNALS[0]);
        let status = wait_for_output(self.child, PATIENCE).status;
        os::release(self.command.get_program());
        (status.code(), self.log)
    }
}

/// More lines than find room, at debug one for each request.
const MANY: usize = 20_000;

#[test]
fn a_log_that_nobody_reads_holds_nothing_up() {
    let data = tempfile::tempdir().unwrap();
    let server = Unread::start(data.path());
    server.request(&"put a 1 1\n".repeat(MANY), MANY);
    server.request("put a 2 2\nget *\n", 2);
    retry("a checkpoint", || {
        file_names(data.path()).iter().any(|name| name.starts_with("part-")).then_some(())
    });
    let (code, log) = server.end();
    assert_eq!(code, Some(0));
    drop(log);
    let mut program = ServerProcess::open(data.path());
    assert_eq!(program.request("get *\n"), "ok\na 1.0 1\na 2.0 2\n\n");
    program.stop();
}

#[test]
fn lines_that_found_no_room_are_counted_when_there_is_room_again() {
    let data = tempfile::tempdir().unwrap();
    let server = Unread::start(data.path());
    server.request(&"what\n".repeat(MANY), MANY);
    let log = BufReader::new(server.log.try_clone().unwrap());
    let (sender, lines) = std::sync::mpsc::channel();
    let reading = std::thread::spawn(move || {
        for line in log.lines() {
            if sender.send(line.unwrap()).is_err() {
                break;
            }
        }
    });
    let next = |text: &str| loop {
        let line = lines.recv_timeout(PATIENCE).expect("it logs more");
        if line.contains(text) {
            return line;
        }
    };
    let missing = next("lines of the log are missing here: nothing took them");
    let count: usize =
        missing.split_whitespace().find_map(|word| word.parse().ok()).expect("the number of lines");
    assert!((1..=MANY + 100).contains(&count), "{missing}");
    server.request("get later\n", 1);
    next("later");
    let (code, rest) = server.end();
    assert_eq!(code, Some(0));
    drop(rest);
    let total = next("in all");
    assert!(total.contains(&format!("malformed={MANY}")), "{total}");
    assert!(total.contains("dropped_log_lines="), "{total}");
    reading.join().unwrap();
}

/// With an example of each, as text that a terminal does not obey.
#[test]
fn malformed_requests_are_told_a_few_times_with_peer_and_reason() {
    let mut program = ServerProcess::start(["--ephemeral"]);
    let requests = "put a\u{1b}[2J 1 1\n".repeat(1000);
    assert_eq!(program.request(&requests).matches("wrong command").count(), 1000);
    let log = program.stop();
    let told: Vec<_> = log.lines().filter(|line| line.contains("malformed request")).collect();
    assert_eq!(told.len(), 5, "{log}");
    assert!(told[0].contains("client{peer=127.0.0.1:"), "{}", told[0]);
    assert!(told[0].contains(r#"example="put a\u{1b}[2J 1 1""#), "{}", told[0]);
    assert!(log.contains("malformed=1000"), "{log}");
}

/// As `head` does with a reply, and a screen that is closed.
#[test]
fn a_client_that_goes_in_the_middle_of_a_reply_is_usual() {
    let mut program = ServerProcess::start(["--ephemeral", "--log-level", "debug"]);
    let puts: Vec<_> = (0..20_000).map(|at| format!("put a {at} {at}\n")).collect();
    program.request(&puts.concat());
    let mut stream = program.connect();
    stream.write_all("get *\n".repeat(100).as_bytes()).unwrap();
    stream.read_exact(&mut [0; 100]).unwrap();
    drop(stream);
    // The one that put is the first.
    program.wait_for_line("disconnected: closed by the client");
    program.wait_for_line("disconnected: ");
    let log = program.stop();
    assert!(!log.contains("connection ended"), "{log}");
}
