//! Servers that are broken or malicious.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;

use crate::harness::client::{pipe, run};
use crate::harness::peer::listen;
use crate::harness::pty::{Shell, find, script};
use crate::harness::wait::PATIENCE;

/// A server that gives every connection to `serve`, with its number from 0.
fn server(serve: impl Fn(usize, TcpStream) + Send + Sync + Clone + 'static) -> u16 {
    let (listener, port) = listen();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let (serve, stream) = (serve.clone(), stream.unwrap());
            thread::spawn(move || serve(number, stream));
        }
    });
    port
}

/// Answers every request with these bytes until the peer goes away.
fn answer(stream: &TcpStream, reply: &[u8]) {
    let mut peer = stream;
    for line in BufReader::new(stream).lines() {
        if line.is_err() || peer.write_all(reply).is_err() {
            return;
        }
    }
}

#[test]
fn replies_cannot_control_the_terminal() {
    let reply = b"ok\nA\xff\xfe \x1b]0;owned\x07 \x1b[2J\x9b31m\nb\xe2\x80\xae.c 1.5 7\n\n";
    let port = server(|_, stream| answer(&stream, reply));
    let shell = Shell::run(&script(port, ""));
    shell.until_shown("\\xff\\xfe \\u{1b}]0;owned\\u{7} \\u{1b}[2J\\x9b31m");
    shell.until_shown("1.5");
    shell.press("get x\r");
    shell.until_shown("→ get x");
    shell.press("\x03");
    shell.until_restored();
    let raw = shell.raw();
    for harm in ["\x1b]0;", "\x07", "\x1b[2J\u{fffd}", "\u{202e}"] {
        assert_eq!(find(&raw, harm), None, "{harm:?}");
    }
    assert!(!raw.contains(&0xff) && !raw.windows(2).any(|pair| pair == b"\x9b3"));
}

#[test]
fn error_replies_cannot_control_the_terminal_in_plain_mode() {
    let reply = b"error\nno\x1b]0;owned\x07\xe2\x80\xae\n\n";
    let port = server(|_, stream| answer(&stream, reply));
    let watched = run(port, &["--once", "a"]);
    for (_, _, err) in [watched, run(port, &["put", "a", "1"]), pipe(port, "put a 1 1\n")] {
        assert!(err.contains("no\\u{1b}]0;owned\\u{7}\\u{202e}"), "{err:?}");
        assert!(!err.contains('\x1b'), "{err:?}");
    }
}

#[test]
fn a_malformed_reply_closes_the_connection_and_the_client_reconnects() {
    // The first connection is that of the prompt, the second is to be followed, the others poll.
    let port = server(|number, stream| match number {
        2 => answer(&stream, b"\x00\xff\xfe garbage\n"),
        3 => answer(&stream, "o".repeat(200_000).as_bytes()),
        4 => answer(&stream, b"ok\nhalf.a.repl"),
        5 => drop(stream),
        _ => answer(&stream, b"ok\nfine.now 42.5 7\n\n"),
    });
    let shell = Shell::run(&script(port, "--timeout 1"));
    shell.until_shown("does not speak the protocol");
    shell.until_shown("fine.now");
    shell.until_shown("● localhost");
    shell.press("\x03");
    shell.until_restored();
}

#[test]
fn a_stalled_reply_is_shown_and_the_client_reconnects() {
    let (given_up, ended) = mpsc::channel();
    // The first connection is that of the prompt, the second is to be followed.
    let port = server(move |number, mut stream| match number {
        2 => {
            let mut requests = BufReader::new(stream.try_clone().unwrap());
            requests.read_line(&mut String::new()).unwrap();
            stream.write_all(b"ok\nhalf.a.reply 1.5 7\nhalf.b").unwrap();
            // Sends nothing more until the client closes its side.
            while requests.read_line(&mut String::new()).is_ok_and(|read| read > 0) {}
            // Until the connection is closed, not only half of it.
            while stream.write_all(b" 1 1\n").is_ok() {}
            given_up.send(()).unwrap();
        }
        _ => answer(&stream, b"ok\nwhole.reply 42.5 7\n\n"),
    });
    let shell = Shell::run(&script(port, "--timeout 4"));
    shell.until_shown("s for get *");
    shell.until_shown("the reply stalled: nothing came for 4 s");
    shell.until_shown("whole.reply");
    ended.recv_timeout(PATIENCE).expect("the connection is closed");
    shell.until("only whole replies", |screen| !screen.contents().contains("half.a.reply 1.5"));
    shell.press("\x03");
    shell.until_restored();
}
