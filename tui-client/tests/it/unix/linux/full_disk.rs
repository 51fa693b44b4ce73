//! Standard output and error on a full disk.

use std::io::Write;
use std::process::Stdio;

use crate::harness::client::{client, finish};
use crate::harness::server::TestServer;

#[test]
fn a_full_disk_is_reported() {
    let server = TestServer::start();
    server.send("put a 1 1\n");
    for args in [&["--help"][..], &["--man"], &["get", "a"], &["--once"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let (code, _, err) = finish(client(server.port).args(args).stdout(full).spawn().unwrap());
        assert_eq!(code, 1, "{args:?}: {err}");
        let expected = "tui-client: standard output: No space left on device";
        assert!(err.starts_with(expected), "{args:?}: {err}");
    }
}

#[test]
fn an_import_whose_data_can_not_be_written_ends_with_an_error() {
    let server = TestServer::start();
    server.send("put a 1 1\n");
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut child = client(server.port).stdin(Stdio::piped()).stdout(full).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"put b 1 1\nget a\n").unwrap();
    let (code, _, err) = finish(child);
    assert_eq!(code, 1);
    assert!(err.contains("No space left on device"), "{err}");
}

#[test]
fn a_message_that_is_lost_is_an_error() {
    let server = TestServer::start();
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    let child = client(server.port).args(["get", "nothing"]).stderr(full()).spawn();
    assert_eq!(finish(child.unwrap()).0, 1);
    let child = client(server.port).arg("--version").stderr(full()).spawn();
    assert_eq!(finish(child.unwrap()).0, 0, "there is no message");
    // The reader may have enough of it.
    let (reader, closed) = std::io::pipe().unwrap();
    drop(reader);
    let child = client(server.port).args(["get", "nothing"]).stderr(closed).spawn();
    assert_eq!(finish(child.unwrap()).0, 0);
}
