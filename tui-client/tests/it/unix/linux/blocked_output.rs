//! Signals while a write waits for a reader.

use std::io::Write;
use std::process::Stdio;
use std::thread;

use rustix::pipe::fcntl_setpipe_size;
use rustix::process::Signal;

use crate::harness::client::{Lines, client, finish};
use crate::harness::server::TestServer;
use crate::harness::signals::{signal, until_full};
use crate::harness::wait::wait_until;

#[test]
fn a_signal_ends_a_client_blocked_on_standard_output() {
    let server = TestServer::start();
    server.send("put k 1 1\n");
    let args = ["--watch", "k*", "--alert", "k > 0", "--interval", "0.02"];
    let mut watching = client(server.port).args(args).spawn().unwrap();
    let out = watching.stdout.take().unwrap();
    let err = Lines::of(watching.stderr.take());
    assert!(err.next_line().contains("alert: k > 0"));
    let puts: Vec<_> = (0..20_000).map(|n| format!("put k.{n} {n} {n}\n")).collect();
    server.send(&puts.concat());
    until_full(&out);
    signal(&watching, Signal::TERM);
    assert_eq!(finish(watching).0, 4);

    let mut importing = client(server.port).stdin(Stdio::piped()).spawn().unwrap();
    let out = importing.stdout.take().unwrap();
    let mut stdin = importing.stdin.take().unwrap();
    writeln!(stdin, "get *").unwrap();
    until_full(&out);
    signal(&importing, Signal::INT);
    assert_eq!(finish(importing).0, 130);
}

#[test]
fn a_signal_ends_a_client_blocked_on_standard_error() {
    let server = TestServer::start();
    for (ending, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let (reader, writer) = std::io::pipe().unwrap();
        // Less than the refused lines that are named.
        fcntl_setpipe_size(&writer, 4096).unwrap();
        let mut command = client(server.port);
        command.stdout(writer.try_clone().unwrap()).stderr(writer).stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let refused = format!("{}\n", "火".repeat(100));
        let feeding =
            thread::spawn(move || drop(stdin.write_all(refused.repeat(20_000).as_bytes())));
        wait_until("a full pipe", || rustix::io::ioctl_fionread(&reader).unwrap() > 3500);
        signal(&child, ending);
        assert_eq!(finish(child).0, code);
        drop(reader);
        feeding.join().unwrap();
    }
}
