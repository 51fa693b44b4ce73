//! Imports that are interrupted, and the time of lines that wait.

use std::io::{BufReader, Write};
use std::process::Stdio;

use rustix::process::Signal;

use crate::harness::client::{Lines, client, finish, unix_now};
use crate::harness::peer::{accept, listen, request};
use crate::harness::server::TestServer;
use crate::harness::signals::signal;
use crate::harness::wait::wait_until;

#[test]
fn an_interrupted_import_reports_its_progress() {
    let server = TestServer::start();
    let mut child = client(server.port).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let out = Lines::of(child.stdout.take());
    // Answered before the point that is printed, which another connection would see earlier.
    writeln!(stdin, "put a 1 1\nput b 1 1\nget b").unwrap();
    assert_eq!(out.next_line(), "b 1.0 1");
    signal(&child, Signal::INT);
    let (code, _, err) = finish(child);
    assert_eq!(code, 130);
    assert!(err.contains("interrupted: ") && err.contains(": 2 stored, 0 refused"), "{err}");
}

#[test]
fn an_interrupted_import_reports_lines_without_an_answer() {
    for (line, left) in [
        ("put a 1 1", "without an answer, from line 1 on: to send them again does no harm"),
        (
            "put a 1",
            "without an answer, from line 1 on: sent again, puts without a time get another",
        ),
    ] {
        let (listener, port) = listen();
        let mut child = client(port).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        writeln!(stdin, "{line}").unwrap();
        let stream = accept(&listener);
        request(&mut BufReader::new(&stream));
        signal(&child, Signal::INT);
        let (code, _, err) = finish(child);
        assert_eq!(code, 130);
        assert!(err.contains("interrupted: 0 lines: 0 stored, 0 refused; "), "{err}");
        assert!(err.contains(left), "{err}");
    }
}

#[test]
fn puts_without_a_time_get_the_time_at_which_they_were_read() {
    let mut server = TestServer::start();
    server.stop();
    let mut child = client(server.port).arg("--retry").stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let told = Lines::of(child.stderr.take());
    assert!(told.next_line().contains("no server there"));
    let mut said = Vec::new();
    for value in 1..=3 {
        let begun = unix_now();
        writeln!(stdin, "put a {value}").unwrap();
        // Until the client has read the line, and the clock has gone on.
        wait_until("the line to be read", || rustix::io::ioctl_fionread(&stdin).unwrap() == 0);
        let read = unix_now();
        wait_until("another time", || unix_now() != read);
        said.push((begun..=read + 1, value));
    }
    server.start_again();
    drop(stdin);
    assert_eq!(finish(child).0, 0);
    let stored = server.send("get a\n");
    let times = stored.lines().filter_map(|line| line.rsplit_once(' ')?.1.parse().ok());
    let times: Vec<i64> = times.collect();
    assert_eq!(times.len(), 3, "{stored}");
    for (time, (when, value)) in times.into_iter().zip(said) {
        assert!(when.contains(&time), "{value} at {time}, said {when:?}");
    }
}
