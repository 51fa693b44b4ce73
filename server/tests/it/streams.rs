//! Standard streams that are closed, full or non-blocking.

use std::fs::File;
use std::io::{ErrorKind, PipeReader, Read, Write, pipe};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use rustix::io::{ioctl_fionbio, ioctl_fionread};

use crate::harness::PATIENCE;
use crate::harness::os;
use crate::harness::process::{command, connect, retry, run, wait_for_output};

/// The size of a page: less free room than that counts as none.
const PAGE: usize = 4096;

/// The server in a shell with a redirection.
fn redirected(argument: &str, redirection: &str) -> (Option<i32>, String, String) {
    let server = command();
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec \"$@\" {redirection}"), "sh"]);
    let output = run(shell.arg(server.get_program()).args(server.get_args()).arg(argument));
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A non-blocking pipe that is full but for a page, behind so many bytes.
fn nearly_full() -> (PipeReader, OwnedFd, usize) {
    let (mut reader, writer) = pipe().unwrap();
    ioctl_fionbio(&writer, true).unwrap();
    let mut writer = File::from(OwnedFd::from(writer));
    let mut size = 0;
    loop {
        match writer.write(&[b' '; PAGE]) {
            Ok(written) => size += written,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => panic!("{error}"),
        }
    }
    reader.read_exact(&mut [0; PAGE]).unwrap();
    (reader, writer.into(), size - PAGE)
}

/// Whether a process waits for something, or has ended. Linux tells.
fn is_waiting(id: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map(|(_, state)| state);
    state.is_none_or(|state| !state.starts_with('R'))
}

#[test]
fn help_that_can_not_be_written_is_an_error() {
    for argument in ["--help", "-h", "--version", "--man"] {
        let (code, out, err) = redirected(argument, ">&-");
        assert_eq!((code, &*out), (Some(1), ""), "{argument}: {err}");
        assert!(err.ends_with("standard output is closed\n"), "{argument}: {err}");
        let (code, out, err) = redirected(argument, ">/dev/null");
        assert_eq!((code, &*out, &*err), (Some(0), "", ""), "{argument}");
        // As node, daemons and Python open it.
        assert_eq!(redirected(argument, "1<>/dev/null").0, Some(0), "{argument}");
        assert_eq!(redirected(argument, "2>&-").0, Some(0), "{argument}");
        if cfg!(target_os = "linux") {
            let (code, _, err) = redirected(argument, ">/dev/full");
            assert_eq!(code, Some(1), "{argument}");
            assert!(err.contains("No space left on device"), "{argument}: {err}");
        }
    }
    assert_eq!(redirected("--nonsense", "2>&-").0, Some(2));
}

#[test]
fn a_message_waits_for_a_reader() {
    let (mut reader, writer, before) = nearly_full();
    let mut server = command();
    // A message of twice the room.
    let wrong = format!("--{}", "x".repeat(2 * PAGE));
    let child = server.arg(wrong).stdout(Stdio::null()).stderr(writer).spawn().unwrap();
    server.stderr(Stdio::null());
    let is_full = || ioctl_fionread(&reader).unwrap() > before as u64;
    retry("a full pipe", || (is_full() && is_waiting(child.id())).then_some(()));
    let mut text = Vec::new();
    reader.read_to_end(&mut text).unwrap();
    assert_eq!(wait_for_output(child, PATIENCE).status.code(), Some(2));
    assert!(text.len() > before + 2 * PAGE && text.ends_with(b"'--help'.\n"));
}

/// The lines that find no room are lost.
#[test]
fn a_log_that_nothing_reads_does_not_stop_the_server() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (_reader, writer, _) = nearly_full();
    let mut server = command();
    server.args(["--ephemeral", "--log-level", "debug", "--port", &port.to_string()]);
    let child = server.stderr(writer).spawn().unwrap();
    server.stderr(Stdio::null());
    for n in 0..100 {
        let mut stream = retry("it does not listen", || connect(port).ok());
        stream.write_all(format!("get k{n}\n").as_bytes()).unwrap();
        let mut reply = [0; 4];
        stream.read_exact(&mut reply).unwrap();
        assert_eq!(&reply, b"ok\n\n");
    }
    os::send_signal(child.id(), server.get_program(), os::END_SIGNALS[0]);
    assert_eq!(wait_for_output(child, PATIENCE).status.code(), Some(0));
}
