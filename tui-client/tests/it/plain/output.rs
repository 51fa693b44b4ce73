//! Standard output: the same points in every format, and what happens when it is closed.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::thread;

use crate::harness::client::{client, finish, first_line, run};
use crate::harness::server::TestServer;
use crate::harness::wait::in_time;

#[test]
fn every_format_prints_the_same_points() {
    let server = TestServer::start();
    server.send("put a 1 10\nput a 2.5 20\nput \u{706b}\"x, -1 5\n");
    let json = "{\"key\":\"a\",\"value\":1.0,\"timestamp\":10}\n\
                {\"key\":\"a\",\"value\":2.5,\"timestamp\":20}\n\
                {\"key\":\"火\\\"x,\",\"value\":-1.0,\"timestamp\":5}\n";
    let csv = "key,value,timestamp\na,1.0,10\na,2.5,20\n\"火\"\"x,\",-1.0,5\n";
    let text = "a 1.0 10\na 2.5 20\n火\"x, -1.0 5\n";
    for (format, expected) in [("json", json), ("csv", csv), ("text", text)] {
        let args = ["--format", format, "get", "*"];
        assert_eq!(run(server.port, &args), (0, expected.to_owned(), String::new()));
        let mut child = client(server.port).args(&args[..2]).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"get *").unwrap();
        assert_eq!(finish(child), (0, expected.to_owned(), String::new()));
    }
    let empty = run(server.port, &["--format", "csv", "get", "nothing"]);
    assert_eq!(empty.1, "key,value,timestamp\n", "a table without rows has a header");
}

/// A server would end a connection of which nothing is taken, and a person reads slowly in a pager.
#[test]
fn what_is_not_read_yet_is_taken_from_the_server() {
    const LINE: &str = "palm.cpu 23.7 1150864247\n";
    const LINES: usize = 400_000;
    for format in ["text", "csv"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut child = client(port).args(["--format", format, "get", "*"]).spawn().unwrap();
        let serving = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 6];
            stream.read_exact(&mut request).unwrap();
            let reply = format!("ok\n{}\n", LINE.repeat(LINES));
            stream.write_all(reply.as_bytes()).unwrap();
            // Until the client closes it.
            let _ = stream.read(&mut request);
        });
        // All of the reply, while the output is not read.
        in_time("the client takes the reply", || serving.join().unwrap());
        assert!(child.try_wait().unwrap().is_none(), "it waits for its reader");
        let (code, out, err) = finish(child);
        assert_eq!((code, &*err), (0, ""));
        assert_eq!(out.lines().count(), LINES + usize::from(format == "csv"));
    }
}

#[test]
fn a_closed_output_is_no_error() {
    let server = TestServer::start();
    let puts: String = (0..50_000).map(|at| format!("put a 1 {at}\n")).collect();
    server.send(&puts);
    let mut child = client(server.port).args(["get", "*"]).spawn().unwrap();
    drop(child.stdout.take());
    let (code, _, err) = finish(child);
    assert_eq!((code, &*err), (0, ""));
}

#[test]
fn a_closed_pipe_is_no_error_in_any_format() {
    let server = TestServer::start();
    let puts: Vec<_> = (0..50_000).map(|n| format!("put a.b {n} {n}\n")).collect();
    server.send(&puts.concat());
    for format in ["text", "json", "csv"] {
        let mut child = client(server.port).args(["--format", format, "get", "*"]).spawn().unwrap();
        drop(first_line(child.stdout.take()));
        assert_eq!(finish(child), (0, String::new(), String::new()), "{format}");
    }
}
