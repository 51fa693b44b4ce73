//! Tests that are started to ignore signals.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::harness::signals::{command, is_ignored, signal};
use crate::harness::wait::in_time;

/// Set for the tests that are started with INT ignored.
const STARTED_TO_IGNORE: &str = "STARTED_TO_IGNORE_INT";

#[test]
fn children_do_not_inherit_ignored_signals() {
    if std::env::var_os(STARTED_TO_IGNORE).is_some() {
        assert!(is_ignored(Signal::INT));
        let mut child = command("cat").stdin(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take();
        signal(&child, Signal::INT);
        let status = in_time("the end of a child", move || child.wait().unwrap());
        drop(input);
        assert_eq!(status.signal(), Some(Signal::INT.as_raw()));
        return;
    }
    let name = "unix::linux::ignored_signals::children_do_not_inherit_ignored_signals";
    let script = "trap '' INT; exec \"$0\" --exact \"$1\"";
    let tests = std::env::current_exe().unwrap();
    let status = Command::new("sh")
        .args(["-c", script, tests.to_str().unwrap(), name])
        .env(STARTED_TO_IGNORE, "1")
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
}
