//! The program as a user runs it: exit codes, signals, what it says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};

/// The server program on a free port, with the log it writes.
struct Program {
    child: Child,
    log: BufReader<ChildStderr>,
    port: u16,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut child = command()
            .args(["--port", "0", "--ephemeral"])
            .args(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("listening on ") {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "it ended before it listened");
        }
        let port = line.trim_end().rsplit(':').next().unwrap().parse().unwrap();
        Self { child, log, port }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).unwrap()
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for the end: exit code and the rest of the log.
    fn finish(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_server"))
}

#[test]
fn signals_stop_it_in_order_with_exit_code_0() {
    for name in ["-INT", "-TERM"] {
        let program = Program::start(&[]);
        let mut stream = program.connect();
        stream.write_all(b"put palm.cpu 23.7 1150864247\n").unwrap();
        let mut reply = [0; 4];
        stream.read_exact(&mut reply).unwrap();
        assert_eq!(&reply, b"ok\n\n");
        program.signal(name);
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"");
        let (code, log) = program.finish();
        assert_eq!(code, Some(0), "{log}");
        for said in ["connected", "puts=1", "the server is shutting down", "stopped"] {
            assert!(log.contains(said), "{said:?} is missing in {log}");
        }
        assert!(!log.contains('\u{1b}'), "no colour when nobody looks: {log:?}");
    }
}

#[test]
fn an_address_in_use_is_one_plain_sentence() {
    let first = Program::start(&[]);
    let second =
        command().args(["--ephemeral", "--port", &first.port.to_string()]).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("in use") && said.contains("--port"), "{said}");
    first.signal("-TERM");
    assert_eq!(first.finish().0, Some(0));
}

#[test]
fn requests_are_logged_at_debug_and_wrong_usage_exits_with_2() {
    let program = Program::start(&["--log-level", "debug"]);
    let mut stream = program.connect();
    stream.write_all(b"put a 1 1\ngot *\nget *\n").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut replies = String::new();
    stream.read_to_string(&mut replies).unwrap();
    assert_eq!(replies, "ok\n\nerror\nwrong command\n\nok\na 1.0 1\n\n");
    program.signal("-TERM");
    let (code, log) = program.finish();
    assert_eq!(code, Some(0));
    for said in ["DEBUG", "selector=*", "errors=1", "closed by the client"] {
        assert!(log.contains(said), "{said:?} is missing in {log}");
    }
    assert_eq!(command().arg("--nonsense").output().unwrap().status.code(), Some(2));
}
