//! The history file: lines of one session in the next.

use std::fs;

use crate::harness::pty::{Shell, script};
use crate::harness::server::TestServer;

#[test]
fn history_is_kept_for_the_next_session() {
    let server = TestServer::start();
    let state = tempfile::tempdir().unwrap();
    let environment = [("XDG_STATE_HOME", state.path().to_str().unwrap())];
    let shell = Shell::run_with(&script(server.port, ""), &environment);
    shell.until_shown("● localhost");
    for line in ["put palm.cpu 23.5 1", "put palm.disk 512 1", "get palm.cpu"] {
        shell.press(&format!("{line}\r"));
        shell.until_shown(&format!("→ {line}"));
    }
    shell.press("\x03");
    shell.until_restored();
    let kept = fs::read_to_string(state.path().join("tui-client/history")).unwrap();
    assert_eq!(kept, "put palm.cpu 23.5 1\nput palm.disk 512 1\nget palm.cpu\n");

    let shell = Shell::run_with(&script(server.port, ""), &environment);
    shell.until_shown("● localhost");
    // The suggestion comes once the file is read.
    shell.press("get pa");
    shell.until_shown("> get palm.cpu");
    shell.press("\x15\x1b[A");
    shell.until_shown("> get palm.cpu");
    shell.press("\x1b[A");
    shell.until_shown("> put palm.disk 512 1");
    shell.press("\x1b[A");
    shell.until_shown("> put palm.cpu 23.5 1");
    shell.press("\x1b[B");
    shell.until_shown("> put palm.disk 512 1");
    shell.press("\x15\x12");
    shell.until_shown("search the lines entered before");
    shell.press("cpu 23");
    shell.until_shown("put palm.cpu 23.5 1");
    shell.press("\r");
    shell.until_shown("stored palm.cpu 23.5 1");
    shell.press("\x03");
    shell.until_restored();
    let kept = fs::read_to_string(state.path().join("tui-client/history")).unwrap();
    assert!(kept.ends_with("get palm.cpu\nput palm.cpu 23.5 1\n"), "{kept}");
}
