//! Whole sessions: typing, the mouse, frames.

use std::time::Duration;

use crate::harness::client::unix_now;
use crate::harness::pty::{Shell, find, script};
use crate::harness::server::TestServer;

#[test]
fn a_session_from_the_first_put_to_quit() {
    let server = TestServer::start();
    let shell = Shell::run(&script(server.port, ""));
    shell.until_shown("● localhost");
    shell.until_shown("no points yet");
    shell.press("put palm.cpu 23.7\r");
    shell.until_shown("stored palm.cpu 23.7");
    shell.until_shown("get * · 1 key · last 15m");
    server.send(&format!("put palm.cpu 42.5 {}\n", unix_now() + 30));
    shell.until_shown("42.5");
    shell.press("got\r");
    shell.until_shown("error in got: the commands are put, del and get");
    shell.press("?");
    shell.until_shown("Command line");
    shell.press("\x1b");
    shell.until("the list of keys to go", |screen| !screen.contents().contains("Command line"));
    shell.press("\x03");
    shell.until_restored();
    shell.until_shown("code 0");
}

#[test]
fn filter_sort_and_columns_come_from_the_arguments() {
    let server = TestServer::start();
    server.send("put palm.a 1 1\nput palm.b 2 1\nput other 3 1\n");
    let arguments = "--filter 'palm.*' --sort -last --columns last,time";
    let shell = Shell::run(&script(server.port, arguments));
    shell.until_shown("2 of 3 keys · palm.*");
    shell.until("the order and the columns", |screen| {
        let text = screen.contents();
        let rows = text.find("palm.b").zip(text.find("palm.a"));
        let columns = text.contains("last▼") && text.contains(" time");
        rows.is_some_and(|(b, a)| b < a) && columns && !text.contains("trend")
    });
    shell.press("\x03");
    shell.until_restored();
}

#[test]
fn an_edited_line_is_sent_as_shown() {
    let server = TestServer::start();
    let shell = Shell::run(&script(server.port, ""));
    shell.until_shown("● localhost");
    // Home, end, a word back, a character deleted, in a line with wide characters.
    for key in ["ut 火😀.x 1", "\x1b[H", "p", "\x1b[F", "2 77", "\x1bb", "\x7f", "\x7f", " "] {
        shell.press(key);
    }
    shell.until_shown("put 火😀.x 1 77");
    shell.press("\r");
    shell.until_shown("stored 火😀.x 1");
    assert_eq!(server.send("get 火😀.x\n"), "ok\n火😀.x 1.0 77\n\n");
    shell.press("\x03");
    shell.until_restored();
}

/// The letters come one by one, once the screen of the shell is back. A loaded machine may type
/// them too late, but not each time.
#[test]
fn the_rest_of_a_quit_that_is_typed_slowly_is_not_for_the_shell() {
    let server = TestServer::start();
    let is_dropped = || {
        let shell = Shell::run(&format!(
            "\"$CLIENT\" --port {} --watch a; echo code $?; read line; echo \"[$line]\"; stty -a; echo over",
            server.port
        ));
        shell.until_shown("full screen");
        shell.press("q");
        shell.until_sent("\x1b[?1049l");
        // Whatever takes the keys while the program ends has ended by then.
        let has_ended =
            shell.is_sent(Duration::from_millis(150), |raw| find(raw, "code").is_some());
        for key in ["u", "i", "t", "\r"] {
            shell.press(key);
        }
        shell.until_shown("code 0");
        shell.press("ls\r");
        shell.until_restored();
        !has_ended && find(&shell.raw(), "[ls]").is_some()
    };
    assert!((0..5).any(|_| is_dropped()));
}

/// A session that shows everything, in this environment.
pub fn session(args: &str, environment: &[(&str, &str)]) -> Vec<u8> {
    let server = TestServer::start();
    server.send("put palm.cpu 23.5 1\n");
    let shell = Shell::run_with(&script(server.port, args), environment);
    shell.until_shown("connected");
    shell.until_shown("23.5");
    shell.press(if args.contains("--watch") { "igot\r" } else { "got\r" });
    shell.until_shown("wrong command");
    shell.press("\t?");
    shell.until_shown("keyboard");
    shell.press("?\x03");
    shell.until_restored();
    shell.raw()
}

#[test]
fn the_mouse_selects_unless_disabled() {
    let server = TestServer::start();
    server.send("put a.first 1 1\nput b.second 2 1\n");
    let shell = Shell::run(&script(server.port, ""));
    shell.until_shown("b.second");
    // The fifth row, counted from one.
    shell.press("\x1b[<0;4;5M\x1b[<0;4;5m");
    shell.until("the selected row", |screen| {
        let background = |row| screen.cell(row, 2).map(vt100::Cell::bgcolor);
        background(4) == Some(vt100::Color::Idx(236)) && background(3) != background(4)
    });
    shell.press("Y");
    // The plain command that prints this view, in base 64.
    shell.until_sent("\x1b]52;c;");
    shell.press("\x03");
    shell.until_restored();
    let shell = Shell::run(&script(server.port, "--no-mouse"));
    shell.until_shown("b.second");
    shell.press("\x03");
    shell.until_restored();
    assert_eq!(find(&shell.raw(), "\x1b[?1000h"), None);
}

#[test]
fn what_is_typed_in_the_list_of_keys_is_found_and_done() {
    let server = TestServer::start();
    server.send("put a.first 1 1\nput b.second 2 1\n");
    let shell = Shell::run(&script(server.port, ""));
    shell.until_shown("b.second");
    shell.press("?column last");
    shell.until_shown("hide the column last of the table");
    shell.press("\r");
    shell.until("the column to go", |screen| !screen.contents().contains("  last "));
    shell.press("?zoom");
    shell.until_shown("keyboard: zoom");
    shell.until_shown("needs a chart");
    shell.press("\x1b");
    shell.until_shown("type what you want to do");
    shell.press("full screen watch");
    shell.until_shown("in the table");
    // A click on the first line found.
    shell.press("\x1b[<0;40;2M\x1b[<0;40;2m");
    shell.until_shown("esc back");
    shell.until("the chart alone", |screen| !screen.contents().contains("request"));
    shell.press("?quit the program\r");
    shell.until_restored();
    shell.until_shown("code 0");
}

#[test]
fn every_frame_is_a_synchronized_update() {
    let raw = session("", &[]);
    let text = String::from_utf8_lossy(&raw);
    let screen = &text[text.find("\x1b[?2026h").unwrap()..text.rfind("\x1b[?2026l").unwrap()];
    let mut frames = screen.split("\x1b[?2026l");
    let all_frames = frames.all(|frame| frame.is_empty() || frame.starts_with("\x1b[?2026h"));
    assert!(all_frames, "drawn outside a frame: {screen:?}");
}

#[test]
fn a_follow_scrolls_in_the_log_until_esc() {
    let server = TestServer::start();
    server.send("put a 1 1\n");
    let shell = Shell::run(&script(server.port, ""));
    shell.until_shown("get * · 1 key · last 15m");
    shell.press("get *[:+]\r");
    shell.until_shown("following; esc or the next request ends it");
    shell.until_shown("a 1.0 1");
    server.send("put b 2.5 7\n");
    shell.until_shown("b 2.5 7");
    server.send("del b\n");
    shell.until_shown("b - 7");
    shell.press("\x1b");
    shell.until_shown("the follow has ended");
    server.send("put c 1 1\n");
    shell.until_shown("get * · 2 keys");
    shell.press("get c[+]\r");
    shell.until_shown("following; esc");
    shell.press("get c\r");
    shell.until_shown("get c · 1 key · 1 point");
    shell.press("\x03");
    shell.until_restored();
}
