//! The program as a user runs it: signals, exit codes, the log.

use std::io::{Read, Write};

use crate::harness::PATIENCE;
use crate::harness::os;
use crate::harness::process::{ServerProcess, command, connect, retry, run, wait_for_output};

#[test]
fn signals_stop_it_gracefully_with_exit_code_0() {
    for name in os::END_SIGNALS {
        let program = ServerProcess::start(["--ephemeral"]);
        let mut stream = program.connect();
        stream.write_all(b"put palm.cpu 23.7 1150864247\n").unwrap();
        let mut reply = [0; 4];
        stream.read_exact(&mut reply).unwrap();
        assert_eq!(&reply, b"ok\n\n");
        program.signal(name);
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"");
        let (code, log) = program.wait_for_exit();
        assert_eq!(code, Some(0), "{log}");
        for said in ["shutting down", "in all connections=1 puts=1", "stopped"] {
            assert!(log.contains(said), "{said:?} is missing in {log}");
        }
        assert!(!log.contains("connected"), "connections are for debug: {log}");
        assert!(!log.contains('\u{1b}'), "no colour without a terminal: {log:?}");
    }
}

/// The first one waits for a client that does not read its reply.
#[test]
fn a_second_signal_ends_it_at_once_and_nothing_acknowledged_is_lost() {
    const POINTS: usize = 400_000;
    let data = tempfile::tempdir().unwrap();
    let mut program = ServerProcess::open(data.path());
    let puts: Vec<_> = (0..POINTS).map(|n| format!("put a {n} {n}\n")).collect();
    assert!(program.request(&puts.concat()) == "ok\n\n".repeat(POINTS));
    let mut unread = program.connect();
    unread.write_all(b"get *\n").unwrap();
    unread.read_exact(&mut [0; 3]).unwrap();
    program.signal(os::END_SIGNALS[0]);
    program.wait_for_line("shutting down");
    program.signal(os::END_SIGNALS[0]);
    let (code, log) = program.wait_for_exit();
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("ending at once") && !log.contains("stopped"), "{log}");
    let mut program = ServerProcess::open(data.path());
    assert_eq!(program.request("get a\n").lines().count(), 1 + POINTS + 1);
    program.stop();
}

/// It is read up to a point, and no further.
#[test]
fn a_client_that_never_pauses_does_not_hold_the_end_up() {
    let program = ServerProcess::start(["--ephemeral"]);
    std::thread::scope(|scope| {
        for request in ["put a 1 1\n", "get a\n", "what\n"] {
            let mut sender = program.connect();
            let mut receiver = sender.try_clone().unwrap();
            let lines = request.repeat(10_000);
            // Until the server is gone.
            scope.spawn(move || while sender.write_all(lines.as_bytes()).is_ok() {});
            receiver.read_exact(&mut [0; 1000]).unwrap();
            scope.spawn(move || std::io::copy(&mut receiver, &mut std::io::sink()));
        }
        program.signal(os::END_SIGNALS[0]);
        let (code, log) = program.wait_for_exit();
        assert_eq!(code, Some(0), "{log}");
        assert!(!log.contains("timed out"), "{log}");
    });
}

#[test]
fn an_address_in_use_is_reported_in_one_line() {
    let first = ServerProcess::start(["--ephemeral"]);
    let second = run(command().args(["--ephemeral", "--port", &first.port().to_string()]));
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("in use") && said.contains("--port"), "{said}");
    first.stop();
}

#[test]
fn requests_are_logged_at_debug_and_wrong_usage_exits_with_2() {
    let mut program = ServerProcess::start(["--ephemeral", "--log-level", "debug"]);
    let replies = program.request("put a 1 1\ngot *\nget *\n");
    assert_eq!(replies, "ok\n\nerror\nwrong command\n\nok\na 1.0 1\n\n");
    let log = program.stop();
    for said in ["DEBUG", "selector=*", "errors=1", "closed by the client"] {
        assert!(log.contains(said), "{said:?} is missing in {log}");
    }
    assert_eq!(run(command().arg("--nonsense")).status.code(), Some(2));
}

/// Such as to a pipe that nothing reads any more, or on a full disk.
#[test]
fn a_log_that_cannot_be_written_does_not_stop_the_server() {
    // A free port is chosen here, because the server can't log the one that it took.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (reader, closed) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = command();
    let mut child =
        command.args(["--ephemeral", "--port", &port.to_string()]).stderr(closed).spawn().unwrap();
    let mut stream = retry("it does not listen", || {
        assert_eq!(child.try_wait().unwrap(), None, "it ended");
        connect(port).ok()
    });
    stream.write_all(b"put a 1 1\nget *\n").unwrap();
    let mut reply = [0; 15];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"ok\n\nok\na 1.0 1\n");
    os::send_signal(child.id(), command.get_program(), os::END_SIGNALS[0]);
    assert_eq!(wait_for_output(child, PATIENCE).status.code(), Some(0));
    os::release(command.get_program());
}
