//! Copying through a terminal multiplexer.

use std::process::Command;

use crate::harness::pty::{Shell, find, script};
use crate::harness::server::TestServer;
use crate::harness::wait::PATIENCE;

/// The beginning of the sequence that copies the command of the table, `tui-client --…`.
const COPY: &str = "\x1b]52;c;dHVpLWNsaWVudCAt";

#[test]
fn copying_in_screen_is_wrapped_for_it() {
    let server = TestServer::start();
    let shell =
        Shell::run_with(&script(server.port, ""), &[("STY", "1.pts-0"), ("TERM", "screen")]);
    shell.until_shown("● localhost");
    shell.press("\tY");
    shell.until_sent(&format!("\x1bP{COPY}"));
    shell.until_shown("copied, if the terminal around screen takes OSC 52");
    shell.press("\x03");
    shell.until_restored();
}

#[test]
fn the_terminal_around_screen_gets_what_is_copied() {
    if Command::new("screen").arg("--version").output().is_err() {
        eprintln!("skipped: there is no screen");
        return;
    }
    let server = TestServer::start();
    let directory = tempfile::tempdir().unwrap();
    let sockets = directory.path().join("screen");
    let command = format!("screen -U -c /dev/null -S copy \"$CLIENT\" --port {}", server.port);
    let environment = [("SCREENDIR", sockets.to_str().unwrap()), ("LC_ALL", "C.UTF-8")];
    let script = format!("mkdir -m 700 $SCREENDIR; {command}; echo over");
    let shell = Shell::run_with(&script, &environment);
    // What is typed before the connection stands would not be sent.
    shell.until_shown("● localhost");
    shell.press("\tY");
    shell.until_sent(COPY);
    // A long text goes in pieces, and none of it is printed.
    shell.press("i");
    shell.press(&format!("put {} 1 1\r", "long.key.".repeat(100)));
    shell.until_shown("stored long.key");
    shell.press("\t\t/put\r");
    shell.until_shown("log · /put · not following");
    let seen = shell.raw().len();
    shell.press("E");
    let end = |raw: &[u8]| {
        let begin = seen + find(&raw[seen..], "\x1b]52;c;")?;
        Some((begin + "\x1b]52;c;".len(), begin + find(&raw[begin..], "\x07")?))
    };
    assert!(shell.is_sent(PATIENCE, |raw| end(raw).is_some()), "nothing is copied");
    let raw = shell.raw();
    let (begin, end) = end(&raw).unwrap();
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    assert!(end - begin > 1200 && raw[begin..end].iter().all(is_base64));
    shell.press("\x03");
    shell.until_shown("over");
    shell.wait();
}
