//! Keys and answers of the terminal, whole, late, and in pieces.

use crate::harness::pty::{Shell, find, script};
use crate::harness::server::TestServer;

/// A client that asks the terminal for its colours, and has done so.
fn asking(server: &TestServer) -> Shell {
    let shell = Shell::run_with(&script(server.port, ""), &[("COLORFGBG", "")]);
    shell.until_sent("\x1b]11;?");
    shell.until_sent("\x1b[c");
    shell
}

/// Waits for a colour that the theme for a light background has alone.
fn until_light(shell: &Shell) {
    shell.until_sent("38;5;4");
}

#[test]
fn keys_typed_before_an_answer_are_taken_and_the_answer_is_not() {
    let server = TestServer::start();
    let shell = asking(&server);
    shell.press("put typed.early 1 5\x1b]10;rgb:0000/0000/0000\x1b\\ab");
    shell.press("\x7f\x7f\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b[?62;22c");
    until_light(&shell);
    shell.until_shown("> put typed.early 1 5 ");
    shell.until_shown("● localhost");
    shell.press("\r");
    shell.until_shown("stored typed.early 1.0 5");
    shell.press("\x03");
    shell.until_restored();
}

#[test]
fn answers_that_come_late_and_in_the_wrong_order_count() {
    let server = TestServer::start();
    let shell = asking(&server);
    shell.until_shown("● localhost");
    assert_eq!(find(&shell.raw(), "38;5;4"), None, "the theme for a dark background so far");
    shell.press("put a 1");
    shell.until_shown("> put a 1");
    // As GNU screen answers: first for itself.
    shell.press("\x1b[?1;2c");
    shell.press("\x1b]11;rgb:ffff/ffff/ffff\x07");
    until_light(&shell);
    shell.press(" 7");
    shell.until_shown("> put a 1 7 ");
    shell.press("\r");
    shell.until_shown("stored a 1.0 7");
    // A terminal with two windows of screen answers twice.
    shell.press("\x1b[?1;2c\x1b]11;rgb:0000/0000/0000\x07get a\r");
    shell.until_shown("→ get a");
    shell.press("\x03");
    shell.until_restored();
}

#[test]
fn what_was_typed_before_the_start_is_taken() {
    let server = TestServer::start();
    let shell = Shell::run(&format!("echo ready; read line; {}", script(server.port, "")));
    shell.until_shown("ready");
    shell.press("go\nput typed.before.the.start 1");
    shell.until("the line", |screen| {
        screen.alternate_screen() && screen.contents().contains("> put typed.before.the.start 1")
    });
    shell.press("\x03\x03");
    shell.until_restored();
}

#[test]
fn an_esc_before_a_sequence_is_alt() {
    let server = TestServer::start();
    let shell = Shell::run(&script(server.port, ""));
    shell.until_shown("● localhost");
    // To the word before, as PuTTY, rxvt and Terminal.app send it.
    shell.press("put palm.cpu 1 5\x1b\x1b[D\x1b\x1bOD\x1b\x1b[Dcore.");
    shell.until_shown("> put palm.core.cpu 1 5");
    shell.press("\r");
    shell.until_shown("stored palm.core.cpu 1.0 5");
    shell.press("\x03");
    shell.until_restored();
}

#[test]
fn a_paste_that_never_ends_is_shown_and_the_keyboard_comes_back() {
    let server = TestServer::start();
    let shell = Shell::run(&script(server.port, ""));
    shell.until_shown("● localhost");
    shell.press("\x1b[200~put a 1 5");
    shell.until_shown("> put a 1 5");
    shell.press("\r");
    shell.until_shown("stored a 1.0 5");
    shell.press("\x03");
    shell.until_restored();
}
