//! Connections with TLS that hold their place for nothing, and what they cost.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::serve;
use crate::harness::os::CUTS_OFF_BY_RESET;
use crate::harness::process::ServerProcess;
use crate::harness::tls::{Certificates, TlsStream, put};

fn with(certificates: &Certificates, options: &[&str]) -> ServerProcess {
    let options = options.iter().map(|&option| option.to_owned());
    serve(&certificates.options().into_iter().chain(options).collect::<Vec<_>>())
}

/// Sends a byte now and then, until the server ends the connection; answers how many were sent.
fn trickle(mut stream: TcpStream) -> usize {
    // A record of a handshake, which would be whole after 16 KiB.
    let mut bytes = [0x16, 3, 1, 0x40, 0].into_iter().chain(std::iter::repeat(0));
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    for sent in 0.. {
        if stream.write_all(&[bytes.next().unwrap()]).is_err() {
            return sent;
        }
        match stream.read(&mut [0; 100]) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            _ => return sent,
        }
    }
    0
}

/// Whether nothing comes, or a byte at a time. Until then it has a place.
#[test]
fn what_is_no_handshake_is_ended_in_time_and_told_once() {
    const CLIENTS: usize = 8;
    let certificates = Certificates::new();
    let program = with(&certificates, &["--handshake-timeout", "1s", "--max-connections", "8"]);
    let silent: Vec<TcpStream> = (0..CLIENTS / 2).map(|_| program.connect()).collect();
    let slow: Vec<TcpStream> = (0..CLIENTS / 2).map(|_| program.connect()).collect();
    std::thread::scope(|scope| {
        let slow: Vec<_> =
            slow.into_iter().map(|stream| scope.spawn(move || trickle(stream))).collect();
        let alert = certificates.connect(&program, None).unwrap_err();
        assert!(alert.to_string().contains("InternalError"), "{alert}");
        for slow in slow {
            assert!((1..16_000).contains(&slow.join().unwrap()));
        }
    });
    for mut stream in silent {
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).unwrap();
        assert_eq!(heard, b"");
    }
    let mut stream = certificates.connect(&program, None).unwrap();
    put(&mut stream, "put a 1 1\n").unwrap();
    drop(stream);
    let log = program.stop();
    assert!(log.contains(&format!("failed_handshakes={CLIENTS}")), "{log}");
    assert_eq!(log.matches("no TLS with a client: it took too long").count(), 1, "{log}");
    assert!(log.contains("refused_connections=1"), "{log}");
}

#[test]
fn half_lines_and_idle_connections_are_closed_with_the_words_of_tls() {
    let certificates = Certificates::new();
    for (option, said, counter) in [
        ("--line-timeout", "put a 1 1\nput a 1", "line_timeouts=1"),
        ("--idle-timeout", "put a 1 1\n", "idle_timeouts=1"),
    ] {
        let program = with(&certificates, &[option, "1s"]);
        let mut stream = certificates.connect(&program, None).unwrap();
        stream.write_all(said.as_bytes()).unwrap();
        let mut heard = String::new();
        // Without them it would be an error.
        stream.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "ok\n\n");
        let log = program.stop();
        assert!(log.contains(counter), "{log}");
    }
}

const POINTS: usize = 60_000;

fn fill(stream: &mut TlsStream) {
    for from in (0..POINTS).step_by(1000) {
        let puts: Vec<_> = (from..from + 1000).map(|n| format!("put palm.cpu {n} {n}\n")).collect();
        stream.write_all(puts.concat().as_bytes()).unwrap();
        let mut replies = vec![0; 4000];
        stream.read_exact(&mut replies).unwrap();
    }
}

/// By a reset: the kernel keeps nothing for them. One that goes on a little at a time gets all.
#[test]
fn clients_that_take_nothing_are_cut_off() {
    const CLIENTS: usize = 4;
    let certificates = Certificates::new();
    let mut program = with(&certificates, &["--stall-timeout", "1s"]);
    fill(&mut certificates.connect(&program, None).unwrap());
    let mut silent: Vec<_> =
        (0..CLIENTS).map(|_| certificates.connect(&program, None).unwrap()).collect();
    for (number, stream) in silent.iter_mut().enumerate() {
        let request = if number % 2 == 0 { "get *\n" } else { "get palm.*[:+]\n" };
        stream.write_all(request.as_bytes()).unwrap();
        stream.flush().unwrap();
    }
    // Nothing is read before the server has given up all of them.
    for _ in 0..CLIENTS {
        program.wait_for_line("connection ended: nothing of a reply was taken");
    }
    for mut stream in silent {
        let mut rest = Vec::new();
        let error = stream.read_to_end(&mut rest).expect_err("it is cut off");
        let wanted =
            if CUTS_OFF_BY_RESET { ErrorKind::ConnectionReset } else { ErrorKind::UnexpectedEof };
        assert!([wanted, ErrorKind::UnexpectedEof].contains(&error.kind()), "{error}");
        assert!(!rest.ends_with(b"\n\n"));
    }
    let mut whole = certificates.connect(&program, None).unwrap();
    whole.write_all(b"get *\n").unwrap();
    let mut read = Vec::new();
    let mut piece = vec![0; 10_000];
    while !read.ends_with(b"\n\n") {
        let count = whole.read(&mut piece).expect("it is not cut off");
        assert!(count > 0, "cut off after {}", read.len());
        read.extend_from_slice(&piece[..count]);
    }
    assert_eq!(String::from_utf8(read).unwrap().lines().count(), POINTS + 2);
    drop(whole);
    assert!(program.stop().contains(&format!("stall_timeouts={CLIENTS}")));
}
