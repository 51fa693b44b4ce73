//! Clients that say half a line, or take nothing of a reply.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::abuse;
use crate::harness::os::CUTS_OFF_BY_RESET;
use crate::harness::process::ServerProcess;

/// Bytes that a client reads in a second, for each second of the limit for one that stalls.
const SLOW: u32 = 300_000;

const POINTS: usize = 60_000;

fn with_points(options: &[&str]) -> ServerProcess {
    let mut program = ServerProcess::start([&["--ephemeral"], options].concat());
    let puts: Vec<_> = (0..POINTS).map(|n| format!("put palm.cpu {n} {n}\n")).collect();
    assert!(program.request(&puts.concat()) == "ok\n\n".repeat(POINTS));
    program
}

#[test]
fn half_lines_are_closed_in_time_and_counted() {
    server::os::raise_open_files_limit();
    let clients = abuse(100);
    let program = ServerProcess::start(["--ephemeral", "--line-timeout", "1s"]);
    let mut whole = program.connect();
    let mut streams: Vec<TcpStream> = (0..clients).map(|_| program.connect()).collect();
    for stream in &mut streams {
        stream.write_all(b"put a 1 1\nput a 1").unwrap();
    }
    for mut stream in streams {
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        assert_eq!(said, "ok\n\n");
    }
    // One that says nothing is left alone.
    whole.write_all(b"get *\n").unwrap();
    let mut reply = [0; 12];
    whole.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"ok\na 1.0 1\n\n");
    let log = program.stop();
    assert!(log.contains(&format!("line_timeouts={clients}")), "{log}");
    let told = log.matches("connection ended: a line stood half sent").count();
    assert!((1..=5).contains(&told), "{log}");
}

/// By a reset: the kernel keeps nothing for them.
#[test]
fn clients_that_take_nothing_are_cut_off_and_a_slow_one_gets_all() {
    let clients = abuse(10);
    let program = with_points(&["--stall-timeout", "1s"]);
    let mut silent: Vec<TcpStream> = (0..clients).map(|_| program.connect()).collect();
    for (number, stream) in silent.iter_mut().enumerate() {
        let request = if number % 2 == 0 { "get *\n" } else { "get palm.*[:+]\n" };
        stream.write_all(request.as_bytes()).unwrap();
    }
    let mut slow = program.connect();
    slow.write_all(b"get *\n").unwrap();
    let (start, mut read) = (Instant::now(), Vec::new());
    let mut piece = vec![0; SLOW as usize / 20];
    while !read.ends_with(b"\n\n") {
        let count = slow.read(&mut piece).expect("it is not cut off");
        assert!(count > 0, "cut off after {}", read.len());
        read.extend_from_slice(&piece[..count]);
        // That is what makes it slow.
        let due = Duration::from_secs(1) * u32::try_from(read.len()).unwrap() / SLOW;
        std::thread::sleep(due.saturating_sub(start.elapsed()));
    }
    assert_eq!(String::from_utf8(read).unwrap().lines().count(), POINTS + 2);
    for mut stream in silent {
        let mut rest = Vec::new();
        match stream.read_to_end(&mut rest) {
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
            Ok(_) => assert!(!CUTS_OFF_BY_RESET && !rest.ends_with(b"\n\n")),
        }
    }
    drop(slow);
    let log = program.stop();
    assert!(log.contains(&format!("stall_timeouts={clients}")), "{log}");
    assert!(log.contains("connection ended: nothing of a reply was taken"), "{log}");
}

#[test]
fn one_that_asks_nothing_is_closed_if_that_is_wished() {
    let program = ServerProcess::start(["--ephemeral", "--idle-timeout", "1s"]);
    let mut stream = program.connect();
    stream.write_all(b"put a 1 1\n").unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    assert_eq!(said, "ok\n\n");
    assert!(program.stop().contains("idle_timeouts=1"));
}

/// A browser that a web page tells to send to this port.
#[test]
fn a_web_page_can_not_write() {
    let mut program = ServerProcess::start(["--ephemeral"]);
    let long_path = "x".repeat(10_000);
    for path in ["/", &long_path] {
        let mut stream = program.connect();
        let body = "put a 1 1\n".repeat(100);
        // It may be closed before all is sent.
        let _ = stream
            .write_all(format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n\r\n{body}").as_bytes());
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        assert_eq!(said, b"");
    }
    assert_eq!(program.request("GET x\nget *\n"), "error\nwrong command\n\nok\n\n");
    let log = program.stop();
    assert!(log.contains("the client speaks HTTP") && log.contains("foreign=2"), "{log}");
}
