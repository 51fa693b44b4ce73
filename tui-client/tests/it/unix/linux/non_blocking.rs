//! Standard streams that are non-blocking, as node, agents and CI runners leave them: a read or
//! write that would block waits.

use std::io::{Read, Write, pipe};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use rustix::fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl, open};

use crate::harness::bare_pty::BarePty;
use crate::harness::client::{Lines, client, finish, piped};
use crate::harness::full_pipe::{FullPipe, PAGE};
use crate::harness::server::TestServer;
use crate::harness::wait::wait_until;

fn non_blocking(stream: impl Into<OwnedFd>) -> OwnedFd {
    let stream = stream.into();
    fcntl_setfl(&stream, fcntl_getfl(&stream).unwrap() | OFlags::NONBLOCK).unwrap();
    stream
}

/// What a process writes to a pipe that it finds nearly full, and fills before this is read; and its
/// exit code.
fn written(command: &mut Command, set: impl FnOnce(&mut Command, OwnedFd)) -> (i32, String) {
    let (full, writer) = FullPipe::new();
    set(command, writer);
    let child = spawn(command);
    wait_until("a full pipe", || full.is_waited_for(child.id()));
    let text = full.read_to_end();
    (finish(child).0, text)
}

/// Starts a process, and closes what it alone is to have.
fn spawn(command: &mut Command) -> Child {
    let child = command.spawn().unwrap();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    child
}

#[test]
fn data_and_help_wait_for_a_reader() {
    let server = TestServer::start();
    let puts: Vec<_> = (0..5_000).map(|n| format!("put k.{n} {n} {n}\n")).collect();
    server.send(&puts.concat());
    for arguments in [
        &["get", "*"][..],
        &["--once", "--format", "json"],
        &["--once", "--format", "csv"],
        &["--help"],
        &["--man"],
    ] {
        let expected = finish(client(server.port).args(arguments).spawn().unwrap()).1;
        assert!(expected.len() > 2 * PAGE);
        let mut command = client(server.port);
        let (code, text) = written(command.args(arguments), |command, output| {
            command.stdout(output);
        });
        assert_eq!((code, text == expected), (0, true), "{arguments:?}: {text}");
    }
}

#[test]
fn messages_wait_for_a_reader() {
    let server = TestServer::start();
    server.send("put a 1 1\n");
    let long = "x".repeat(3 * PAGE);
    let failing = format!("exit 1 # {long}");
    for (arguments, code, end) in [
        (&[&*format!("--{long}")][..], 2, "For more information, try '--help'.\n"),
        (&["--once", "--alert", "a > 0", "--exec", &failing], 4, "x: exit code 1\n"),
    ] {
        let mut command = client(server.port);
        let (ended, text) = written(command.args(arguments), |command, output| {
            command.stderr(output);
        });
        assert_eq!((ended, text.ends_with(end)), (code, true), "{text}");
    }
}

#[test]
fn an_import_waits_for_its_input() {
    let server = TestServer::start();
    server.send("put a 1 1\n");
    let (reader, mut writer) = pipe().unwrap();
    let mut child = spawn(client(server.port).stdin(non_blocking(reader)));
    let out = Lines::of(child.stdout.take());
    for _ in 0..3 {
        // After an answer, what is read next is not there yet.
        writer.write_all(b"get a\n").unwrap();
        assert_eq!(out.next_line(), "a 1.0 1");
    }
    drop(writer);
    assert_eq!(finish(child), (0, String::new(), String::new()));
}

#[test]
fn del_waits_for_the_answer_to_its_question() {
    let server = TestServer::start();
    server.send("put a 1 1\n");
    let mut pty = BarePty::open(80, 24);
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let slave = open(&pty.path, flags, Mode::empty()).unwrap();
    let mut command = piped(env!("CARGO_BIN_EXE_tui-client"));
    command.args(["--port", &server.port.to_string(), "del", "a"]);
    let child = command.stdin(slave.try_clone().unwrap()).stderr(slave).spawn().unwrap();
    let (mut seen, mut byte) = (Vec::new(), [0]);
    while !seen.ends_with(b"[y/N] ") {
        pty.master.read_exact(&mut byte).unwrap();
        seen.push(byte[0]);
    }
    pty.master.write_all(b"y\n").unwrap();
    assert_eq!(finish(child).0, 0);
    assert_eq!(server.send("get a\n"), "ok\n\n");
}
