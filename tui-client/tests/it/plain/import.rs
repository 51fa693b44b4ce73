//! Requests from a pipe: streamed, refused, interrupted.

use std::io::Write;
use std::process::Stdio;

use crate::harness::client::{Lines, client, finish, first_line, pipe, run};
use crate::harness::server::TestServer;

#[test]
fn stored_lines_are_counted_whatever_their_spaces() {
    let server = TestServer::start();
    let (code, _, err) = pipe(server.port, "put\ta 1 1\n  put a 2 2\nget a\nputs\n");
    assert_eq!(code, 1);
    assert!(err.contains("4 lines: 2 stored, 1 refused"), "{err}");
}

#[test]
fn an_import_continues_after_an_error() {
    let server = TestServer::start();
    let long = "x".repeat(5000);
    let input = format!("put a 1 1\n\n> put a 2 2\\n\ngot\nget a\n{long}\nput a x 3\r\nget a");
    let (code, out, err) = pipe(server.port, input);
    assert_eq!(code, 1);
    assert_eq!(out, "a 1.0 1\na 2.0 2\na 1.0 1\na 2.0 2\n");
    let mut lines: Vec<_> = err.lines().collect();
    let summary = lines.pop().unwrap();
    assert!(
        summary.starts_with(
            "tui-client: 8 lines: 2 stored, 3 refused, 2 other requests, 1 blank, in "
        ),
        "{summary}"
    );
    assert_eq!(
        lines,
        [
            "tui-client: line 6: not sent, longer than 4096 bytes",
            "tui-client: line 4, got: the commands are put, del and get, in lower case",
            "tui-client: line 7, put a x 3: a value is a decimal number such as 23.7, -5 or 1e-3",
        ]
    );
}

#[test]
fn a_last_line_without_a_newline_is_sent() {
    let server = TestServer::start();
    let (code, out, err) = pipe(server.port, "put a 1 1\nget a");
    assert_eq!((code, &*out, &*err), (0, "a 1.0 1\n", ""));
    let (code, out, err) = pipe(server.port, format!("get a\nput {} 1 1", "k".repeat(5000)));
    assert_eq!((code, &*out), (1, "a 1.0 1\n"));
    assert!(err.starts_with("tui-client: line 2: not sent, longer than 4096 bytes\n"), "{err}");
}

#[test]
fn many_lines_stream_through() {
    let server = TestServer::start();
    let mut input = String::new();
    for at in 0..100_000 {
        input.push_str(&format!("put k.{} {at} {at}\n", at % 10));
    }
    input.push_str("get *\n");
    let (code, out, err) = pipe(server.port, input);
    assert_eq!((code, &*err), (0, ""));
    assert_eq!(out.lines().count(), 100_000);
    assert_eq!(format!("ok\n{out}\n"), server.send("get *\n"), "byte for byte");
}

#[test]
fn each_line_is_answered_at_once() {
    let server = TestServer::start();
    let mut child = client(server.port).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let out = Lines::of(child.stdout.take());
    for at in 0..3 {
        writeln!(stdin, "put a {at} 1\nget a").unwrap();
        assert_eq!(out.next_line(), format!("a {at}.0 1"));
    }
    drop(stdin);
    assert_eq!(finish(child).0, 0);
}

#[test]
fn puts_are_stored_after_standard_output_is_closed() {
    let server = TestServer::start();
    let puts = |key: &str, count: u32| -> String {
        (0..count).map(|n| format!("put {key} {n} {n}\n")).collect()
    };
    server.send(&puts("long", 50_000));
    let mut child = client(server.port).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "get long").unwrap();
    drop(first_line(child.stdout.take()));
    write!(stdin, "{}get long\n{}", puts("a", 5000), puts("b", 5000)).unwrap();
    drop(stdin);
    assert_eq!(finish(child), (0, String::new(), String::new()));
    for key in ["a", "b"] {
        assert_eq!(server.send(&format!("get {key}\n")).lines().count(), 5002, "{key}");
    }
}

#[test]
fn an_import_without_a_terminal_is_silent_when_all_is_well() {
    let server = TestServer::start();
    for input in ["put a 1\nput b 2 2\nget none\n", "", "\n\n"] {
        assert_eq!(pipe(server.port, input), (0, String::new(), String::new()), "{input}");
    }
    assert_eq!(server.send("get a\n").lines().count(), 3);
}

#[test]
fn refused_lines_are_named_up_to_twenty_and_summed_up() {
    let server = TestServer::start();
    let long = "x".repeat(5000);
    let input = format!("put a 1 1\n{}got\nput a y 1\ndel a\n{long}\n", "put a x 1\n".repeat(1000));
    let (code, _, err) = pipe(server.port, input);
    assert_eq!(code, 1);
    let lines: Vec<_> = err.lines().collect();
    let numbers = lines[2..20].iter().zip(2..);
    for (line, number) in numbers {
        assert!(
            line.starts_with(&format!("tui-client: line {number}, put a x 1: a value ")),
            "{line}"
        );
    }
    assert_eq!(
        lines[20..23],
        [
            "tui-client: more refused lines are counted, and summed up at the end",
            "tui-client: 983 more, from line 20 on: a value is a decimal number such as 23.7, -5 or 1e-3",
            "tui-client: 1 more, line 1002: the commands are put, del and get, in lower case",
        ]
    );
    assert!(
        lines[23].starts_with("tui-client: 1,005 lines: 1 stored, 1,004 refused, in "),
        "{err}"
    );
    assert_eq!(lines.len(), 24);
}

#[test]
fn a_suspicious_timestamp_is_reported() {
    let server = TestServer::start();
    let (code, _, err) = run(server.port, &["put", "a", "1", "1795748000123"]);
    let said = "tui-client: timestamp 1795748000123: milliseconds? It is stored as seconds\n";
    assert_eq!((code, &*err), (0, said));
    let (code, _, err) =
        pipe(server.port, "put a 1 7\nput a 1 1795748000123\nput a 1 99999999999\n");
    let said = "tui-client: a time more than a year ahead in 2 puts (lines 2, 3): milliseconds?\n";
    assert_eq!((code, &*err), (0, said));
}
