//! The program as a user runs it: exit codes, signals, what it says.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use crate::harness::process::{Program, command};

#[test]
fn signals_stop_it_in_order_with_exit_code_0() {
    for name in ["-INT", "-TERM"] {
        let program = Program::start(["--ephemeral"]);
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
    let first = Program::start(["--ephemeral"]);
    let second =
        command().args(["--ephemeral", "--port", &first.port().to_string()]).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("in use") && said.contains("--port"), "{said}");
    first.stop();
}

#[test]
fn requests_are_logged_at_debug_and_wrong_usage_exits_with_2() {
    let mut program = Program::start(["--ephemeral", "--log-level", "debug"]);
    let replies = program.ask("put a 1 1\ngot *\nget *\n");
    assert_eq!(replies, "ok\n\nerror\nwrong command\n\nok\na 1.0 1\n\n");
    let log = program.stop();
    for said in ["DEBUG", "selector=*", "errors=1", "closed by the client"] {
        assert!(log.contains(said), "{said:?} is missing in {log}");
    }
    assert_eq!(command().arg("--nonsense").output().unwrap().status.code(), Some(2));
}

/// A log on a full disk costs the log, not the server.
#[test]
fn a_log_that_cannot_be_written_stops_nothing() {
    // Any free port: this one can't tell us which it took.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut child =
        command().args(["--ephemeral", "--port", &port.to_string()]).stderr(full).spawn().unwrap();
    let mut stream = loop {
        if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) {
            break stream;
        }
        assert_eq!(child.try_wait().unwrap(), None, "it ended");
        std::thread::yield_now();
    };
    stream.write_all(b"put a 1 1\nget *\n").unwrap();
    let mut reply = [0; 15];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"ok\n\nok\na 1.0 1\n");
    let sent = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
