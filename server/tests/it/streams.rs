//! Standard streams that are closed, full or non-blocking.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use crate::harness::PATIENCE;
use crate::harness::os;
use crate::harness::os::full_pipe::{FullPipe, PAGE};
use crate::harness::process::{ServerProcess, command, connect, retry, run, wait_for_output};

/// The server in a shell with a redirection.
fn redirected(argument: &str, redirection: &str) -> (Option<i32>, String, String) {
    redirected_with(&[argument], redirection)
}

/// Like [`redirected`], with several arguments.
fn redirected_with(arguments: &[&str], redirection: &str) -> (Option<i32>, String, String) {
    let server = command();
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec \"$@\" {redirection}"), "sh"]);
    let output = run(shell.arg(server.get_program()).args(server.get_args()).args(arguments));
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
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

/// The backup is made all the same, and the message says so.
#[test]
fn a_report_of_a_backup_that_can_not_be_written_is_an_error() {
    let (directory, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    ServerProcess::open(directory.path()).stop();
    let target = place.path().join("copy");
    let arguments = ["backup", directory.path().to_str().unwrap(), target.to_str().unwrap()];
    let (code, _, err) = redirected_with(&arguments, ">&-");
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("the backup is made, and its report could not be printed"), "{err}");
    let (code, out, err) = redirected_with(&arguments, "");
    assert_eq!((code, &*err), (Some(0), ""), "{out}");
    assert!(out.contains(" 0 copied (0 bytes), "), "{out}");
}

#[test]
fn a_message_waits_for_a_reader() {
    let (full, writer) = FullPipe::new();
    let mut server = command();
    // A message of twice the room.
    let wrong = format!("--{}", "x".repeat(2 * PAGE));
    let child = server.arg(wrong).stdout(Stdio::null()).stderr(writer).spawn().unwrap();
    server.stderr(Stdio::null());
    retry("a full pipe", || full.is_waited_for(child.id()).then_some(()));
    let text = full.read_to_end();
    assert_eq!(wait_for_output(child, PATIENCE).status.code(), Some(2));
    assert!(text.len() > 2 * PAGE && text.ends_with("'--help'.\n"));
}

/// The lines that find no room are lost.
#[test]
fn a_log_that_nothing_reads_does_not_stop_the_server() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (_full, writer) = FullPipe::new();
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
