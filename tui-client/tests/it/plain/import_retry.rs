//! Requests from a pipe while the connection is lost, stalls, or is not there yet.

use std::io::{BufReader, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Stdio;
use std::thread;

use crate::harness::client::{Lines, client, finish, pipe, pipe_to, run};
use crate::harness::peer::{accept, answer_probe, hear, listen, peer, request, until_given_up};
use crate::harness::server::TestServer;
use crate::harness::wait::wait_until;

#[test]
fn a_lost_connection_reports_the_first_line_of_unknown_outcome() {
    let (listener, port) = listen();
    let peer = thread::spawn(move || {
        let stream = accept(&listener);
        let mut reader = BufReader::new(&stream);
        answer_probe(&stream, &mut reader);
        for _ in 0..3 {
            request(&mut reader);
        }
        (&stream).write_all(b"ok\n\nok\na 1.0 1\n\nok\na").unwrap();
    });
    let (code, out, err) = pipe(port, "put a 1 1\n\nget a\nget a\n");
    peer.join().unwrap();
    assert_eq!((code, &*out), (3, "a 1.0 1\n"));
    assert!(err.contains("from line 4 on it is unknown"), "{err}");
}

#[test]
fn retry_continues_across_a_server_restart() {
    let mut server = TestServer::start();
    let mut child = client(server.port).arg("--retry").stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let told = Lines::of(child.stderr.take());
    writeln!(stdin, "put before 1 1").unwrap();
    wait_until("the first point", || server.send("get before\n").contains("before"));
    server.stop();
    writeln!(stdin, "put between 1 1\nput between 2 2").unwrap();
    told.until("trying again until it works");
    writeln!(stdin, "put between 3 3").unwrap();
    server.start_again();
    told.until("connected again");
    writeln!(stdin, "put after 1 1\ngot").unwrap();
    drop(stdin);
    told.until("line 6, got: the commands");
    assert_eq!(finish(child).0, 1);
    let stored = server.send("get *\n");
    let all = "before 1.0 1\nbetween 1.0 1\nbetween 2.0 2\nbetween 3.0 3\nafter 1.0 1\n";
    assert_eq!(stored, format!("ok\n{all}\n"));
}

#[test]
fn retry_waits_for_a_server_to_start() {
    let mut server = TestServer::start();
    server.stop();
    let mut child = client(server.port).arg("--retry").stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"put a 1 1\nget a\n").unwrap();
    let told = Lines::of(child.stderr.take());
    assert!(told.next_line().contains("no server there"));
    server.start_again();
    let (code, out, _) = finish(child);
    assert_eq!((code, &*out), (0, "a 1.0 1\n"));
}

#[test]
fn lines_answered_before_a_stall_are_not_sent_again() {
    let (port, serving) = peer(vec![
        |mut stream, from| {
            answer_probe(stream, from);
            hear(from, &["put a 1 1", "got", "put b 1 1", "put c 1 1"]);
            stream.write_all(b"ok\n\nerror\nwrong command\n\nok\n").unwrap();
            until_given_up(from);
        },
        |mut stream, from| {
            answer_probe(stream, from);
            hear(from, &["put b 1 1", "put c 1 1"]);
            stream.write_all(b"ok\n\nok\n\n").unwrap();
        },
    ]);
    let args = ["--retry", "--timeout", "1"];
    let (code, _, err) = pipe_to(port, &args, "put a 1 1\ngot\nput b 1 1\nput c 1 1\n");
    serving.join().unwrap();
    assert_eq!(code, 1);
    assert_eq!(err.matches("line 2, got: the commands").count(), 1, "{err}");
    assert!(err.contains("the reply stalled: nothing came for 1 s; trying again"), "{err}");
    assert!(err.contains("4 lines: 3 stored, 1 refused"), "{err}");
}

#[test]
fn a_stall_reports_the_first_line_of_unknown_outcome() {
    let (port, serving) = peer(vec![|mut stream, from| {
        answer_probe(stream, from);
        hear(from, &["put a 1 1", "put b 1 1", "put c 1 1"]);
        stream.write_all(b"ok\n\nok\n\nok\n").unwrap();
        until_given_up(from);
    }]);
    let (code, _, err) = pipe_to(port, &["--timeout", "1"], "put a 1 1\nput b 1 1\nput c 1 1\n");
    serving.join().unwrap();
    assert_eq!(code, 3);
    assert!(err.contains("from line 3 on it is unknown"), "{err}");
}

#[test]
fn a_peer_that_closes_each_connection_is_reported_once() {
    fn close(stream: &TcpStream, _: &mut BufReader<&TcpStream>) {
        stream.shutdown(Shutdown::Both).unwrap();
    }
    let (port, serving) = peer(vec![close, close, close, close, |mut stream, from| {
        hear(from, &["put a 1 1"]);
        stream.write_all(b"ok\n\n").unwrap();
    }]);
    let (code, _, err) = pipe_to(port, &["--retry"], "put a 1 1\n");
    serving.join().unwrap();
    assert_eq!(code, 0, "{err}");
    let told: Vec<_> = err.lines().collect();
    let [lost, back, unsteady, again] = &told[..] else { panic!("{err}") };
    assert!(lost.ends_with("trying again until it works"), "{err}");
    assert!(unsteady.starts_with("tui-client: still no answer: "), "{err}");
    assert_eq!((*back, *again), ("tui-client: connected again", "tui-client: connected again"));
}

/// What it says is no answer to the first line.
#[test]
fn a_server_without_a_place_is_tried_again() {
    fn refuse(mut stream: &TcpStream, _: &mut BufReader<&TcpStream>) {
        let _ = stream.write_all(b"error\nthere are too many connections (the limit is 1)\n\n");
        let _ = stream.shutdown(Shutdown::Write);
    }
    let (port, serving) = peer(vec![refuse, |mut stream, from| {
        hear(from, &["put a 1 1"]);
        stream.write_all(b"ok\n\n").unwrap();
    }]);
    let (code, _, err) = pipe_to(port, &["--retry"], "put a 1 1\n");
    serving.join().unwrap();
    let reason =
        "the server does not take the connection: there are too many connections (the limit is 1)";
    assert_eq!(code, 0, "{err}");
    assert!(err.contains(&format!("{reason}; trying again until it works")), "{err}");

    let (port, serving) = peer(vec![refuse, refuse]);
    let (code, out, err) = run(port, &["get", "a"]);
    assert_eq!((code, &*out), (3, ""));
    assert!(err.contains(reason), "{err}");
    let (code, _, err) = pipe(port, "put a 1 1\n");
    assert_eq!(code, 3);
    assert!(err.contains(reason), "{err}");
    serving.join().unwrap();
}

#[test]
fn lines_after_an_answered_get_are_sent_again() {
    let (port, serving) = peer(vec![
        |mut stream, from| {
            answer_probe(stream, from);
            hear(from, &["get a", "put b 1 1", "put c 1 1", "get a"]);
            stream.write_all(b"ok\na 1.0 1\n\nok\n\nok\n").unwrap();
            stream.shutdown(Shutdown::Both).unwrap();
        },
        |mut stream, from| {
            answer_probe(stream, from);
            hear(from, &["put c 1 1", "get a"]);
            stream.write_all(b"ok\n\nok\na 1.0 1\n\n").unwrap();
        },
    ]);
    let (code, out, err) = pipe_to(port, &["--retry"], "get a\nput b 1 1\nput c 1 1\nget a\n");
    serving.join().unwrap();
    assert_eq!((code, &*out), (0, "a 1.0 1\na 1.0 1\n"), "{err}");
}

#[test]
fn a_partly_printed_reply_is_not_requested_again() {
    let (listener, port) = listen();
    let mut child = client(port).arg("--retry").stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"put a 1 1\nget a\n").unwrap();
    let stream = accept(&listener);
    let mut from = BufReader::new(&stream);
    answer_probe(&stream, &mut from);
    hear(&mut from, &["put a 1 1", "get a"]);
    (&stream).write_all(b"ok\n\nok\na 1.0 1\na 2.").unwrap();
    stream.shutdown(Shutdown::Both).unwrap();
    let (code, out, err) = finish(child);
    assert_eq!((code, &*out), (3, "a 1.0 1\n"));
    assert!(err.contains("from line 2 on it is unknown"), "{err}");
}

#[test]
fn a_stalled_reply_ends_with_exit_code_3() {
    let (listener, port) = listen();
    let peer = thread::spawn(move || {
        // Keeps the connections open and sends no more.
        let mut held = Vec::new();
        for _ in 0..3 {
            let mut stream = accept(&listener);
            request(&mut BufReader::new(&stream));
            stream.write_all(b"ok\na 1.0 1\na 2.").unwrap();
            held.push(stream);
        }
        held
    });
    let patience = ["--timeout", "1"];
    let (code, out, err) = run(port, &[&patience[..], &["get", "a"]].concat());
    assert_eq!((code, &*out), (3, "a 1.0 1\n"));
    assert!(err.contains("the reply stalled: nothing came for 1 s"), "{err}");
    let (code, _, err) = run(port, &[&patience[..], &["--once"]].concat());
    assert_eq!(code, 3);
    assert!(err.contains("stalled"), "{err}");
    let mut child = client(port).args(patience).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"get a\nget a\n").unwrap();
    let (code, _, err) = finish(child);
    assert_eq!(code, 3);
    assert!(err.contains("from line 1 on it is unknown"), "{err}");
    drop(peer.join().unwrap());
}
