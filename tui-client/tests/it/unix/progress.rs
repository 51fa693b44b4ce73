//! What an import from a pipe shows on a terminal.

use std::io::{BufReader, Write};
use std::process::Command;
use std::thread;

use crate::harness::peer::{accept, answer_probe, hear, listen, until_given_up};
use crate::harness::pty::Shell;
use crate::harness::server::TestServer;
use crate::harness::wait::in_time;

#[test]
fn a_long_import_shows_progress_and_a_summary() {
    let server = TestServer::start();
    let pipe = tempfile::tempdir().unwrap();
    let path = pipe.path().join("input");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let shell = Shell::run(&format!(
        "\"$CLIENT\" --port {} < '{}' > /dev/null; echo code $?; echo over",
        server.port,
        path.display()
    ));
    let (over, stop) = std::sync::mpsc::channel::<()>();
    let feeding = std::thread::spawn(move || {
        let mut input = std::fs::OpenOptions::new().write(true).open(path).unwrap();
        while stop.try_recv().is_err() {
            std::io::Write::write_all(&mut input, &b"put a 1 1\n".repeat(100)).unwrap();
        }
    });
    shell.until_shown(" lines, ");
    over.send(()).unwrap();
    in_time("the end of the import", || feeding.join().unwrap());
    shell.until_shown("over");
    shell.until_shown(" stored, 0 refused, in ");
    shell
        .until("an empty line where the bar was", |screen| !screen.contents().contains(" lines, "));
    shell.until_shown("code 0");
    shell.wait();
}

#[test]
fn lines_kept_while_disconnected_are_shown() {
    let mut server = TestServer::start();
    server.stop();
    let shell = Shell::run(&format!(
        "(echo put a 1 1; echo put a 2 2; read stop) | \"$CLIENT\" --port {} --retry > /dev/null; \
         echo code $?",
        server.port
    ));
    shell.until_shown("2 lines (20 B) kept for the server, away for ");
    server.start_again();
    shell.until("the bar of what goes on", |screen| screen.contents().contains("\n2 lines, 20 B"));
    shell.press("\r");
    shell.until_shown("2 lines: 2 stored, 0 refused");
    shell.until_shown("code 0");
    shell.wait();
    assert_eq!(server.send("get a\n"), "ok\na 1.0 1\na 2.0 2\n\n");
}

#[test]
fn refused_lines_on_a_terminal_are_capped() {
    let server = TestServer::start();
    let shell = Shell::run(&format!(
        "yes a 1 1 | head -n 150 | \"$CLIENT\" --port {} > /dev/null; echo code $?",
        server.port
    ));
    shell.until_shown("line 20, a 1 1: the commands ");
    shell.until_shown("more refused lines are counted, and summed up at the end");
    shell.until_shown("130 more, from line 21 on: the commands ");
    shell.until_shown("150 lines: 0 stored, 150 refused");
    shell.until_shown("code 1");
    shell.wait();
    let raw = String::from_utf8(shell.raw()).unwrap();
    assert!(!raw.contains("line 21: wrong"), "{raw}");
}

#[test]
fn times_that_are_filled_in_are_told_to_a_terminal() {
    let server = TestServer::start();
    let shell = Shell::run(&format!(
        "\"$CLIENT\" --port {port} put a 1; printf 'put a 1\\nput a 2 2\\nput b 1\\n' | \
         \"$CLIENT\" --port {port}; echo over",
        port = server.port
    ));
    shell.until_shown("stored with the current time, ");
    shell.until_shown("filled in the current time in 2 puts (lines 1, 3)");
    shell.until_shown("over");
    shell.wait();
}

#[test]
fn a_slow_server_is_shown_and_summed_up_line_by_line() {
    let (listener, port) = listen();
    let shell = Shell::run(&format!(
        "printf 'put a 1 1\\nput a 2 2\\nput a 3 3\\n' | \"$CLIENT\" --port {port}"
    ));
    let peer = thread::spawn(move || {
        let stream = accept(&listener);
        let mut from = BufReader::new(&stream);
        answer_probe(&stream, &mut from);
        hear(&mut from, &["put a 1 1", "put a 2 2", "put a 3 3"]);
        (&stream).write_all(b"ok\n\nok\n\n").unwrap();
        until_given_up(&mut from);
    });
    shell.until_shown("2 lines, ");
    shell.press("\x03");
    shell.until_shown(
        "interrupted: 2 lines: 2 stored, 0 refused; 1 read and without an answer, from",
    );
    shell.wait();
    peer.join().unwrap();
}

#[test]
fn a_short_import_says_on_a_terminal_what_is_stored() {
    let server = TestServer::start();
    server.send("put a 1 1\n");
    let shell = Shell::run(&format!(
        "printf 'put a 1 1\\nput a 2 2\\n' | \"$CLIENT\" --port {port}; echo code $?; \
         echo 'b 1 1' | \"$CLIENT\" --port {port} --put; \
         echo get a | \"$CLIENT\" --port {port}; echo over",
        port = server.port
    ));
    shell.until_shown("over");
    shell.until("the sums of the two that stored something", |screen| {
        let shown = screen.contents();
        let sums =
            ["tui-client: 2 lines: 2 stored, 0 refused, in ", "tui-client: 1 line: 1 stored"];
        sums.iter().all(|sum| shown.contains(sum)) && shown.matches(" stored, ").count() == 2
    });
    shell.wait();
}
