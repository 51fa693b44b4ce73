//! The real binary on a pseudo-terminal, against the real server.

use std::process::Command;

use crate::harness::patience::in_time;
use crate::harness::pty::{Shell, find, script};
use crate::harness::server::TestServer;

#[test]
fn a_session_from_the_first_put_to_the_last_key() {
    let server = TestServer::start();
    let shell = Shell::run(&script(server.port, ""));
    shell.until_shown("● localhost");
    shell.until_shown("no points yet");
    shell.press("put palm.cpu 23.7\r");
    shell.until_shown("stored palm.cpu 23.7");
    shell.until_shown("get * · 1 key · 1 point");
    server.send("put palm.cpu 42.5 9999999999\n");
    shell.until_shown("42.5");
    shell.press("got\r");
    shell.until_shown("error in got: the commands are put and get");
    shell.press("?");
    shell.until_shown("Command line");
    shell.press("\x1b");
    shell.until("the list of keys to go", |screen| !screen.contents().contains("Command line"));
    shell.press("\x03");
    shell.until_restored();
    shell.until_shown("code 0");
}

#[test]
fn the_screen_opens_with_a_filter_an_order_and_columns() {
    let server = TestServer::start();
    server.send("put palm.a 1 1\nput palm.b 2 1\nput other 3 1\n");
    let arguments = "--filter 'palm.*' --sort -last --columns last,time";
    let shell = Shell::run(&script(server.port, arguments));
    shell.until_shown("2 of 3 keys · palm.*");
    shell.until("the order and the columns", |screen| {
        let text = screen.contents();
        let rows = text.find("palm.b").zip(text.find("palm.a"));
        let columns = text.contains("▼last") && text.contains(" time");
        rows.is_some_and(|(b, a)| b < a) && columns && !text.contains("trend")
    });
    shell.press("\x03");
    shell.until_restored();
}

#[test]
fn a_watched_key_is_followed_across_a_restart_without_a_key_press() {
    let mut server = TestServer::start();
    let shell = Shell::run(&script(server.port, "--watch palm.cpu --interval 0.1"));
    shell.until_shown("no points yet");
    server.send("put palm.cpu 1.25 1150864247\n");
    shell.until_shown("1.25");
    server.stop();
    shell.until_shown("○ localhost");
    shell.press("iget x\r");
    shell.until_shown("not sent");
    server.start_again();
    shell.until_shown("● localhost");
    server.send("put palm.cpu 77.75 1150864248\n");
    shell.until_shown("▲ +76.5");
    // The line that was not sent is still there.
    shell.press("\x03");
    shell.until_shown("ctrl-c again leaves");
    shell.press("\x03");
    shell.until_restored();
}

#[test]
fn a_storm_of_resizes_does_no_harm() {
    let server = TestServer::start();
    server.send("put palm.cpu 23.5 1\n");
    let shell = Shell::run(&script(server.port, "--watch palm.cpu --interval 0.02"));
    shell.until_shown("23.5");
    for size in [(1, 1), (2, 3), (60, 200), (5, 5), (3, 80)] {
        shell.resize(size.0, size.1);
    }
    for step in 0..300_u16 {
        shell.resize(1 + step * 7 % 60, 1 + step * 13 % 200);
    }
    shell.resize(10, 40);
    shell.until("the small screen", |screen| {
        screen.size().1.get() == 40 && screen.contents().contains("watch palm.cpu")
    });
    shell.press("\x03");
    shell.until_restored();
}

#[test]
fn signals_give_the_terminal_back() {
    let server = TestServer::start();
    for signal in ["TERM", "HUP", "INT", "QUIT"] {
        let file = format!("{}/pid-{signal}", env!("CARGO_TARGET_TMPDIR"));
        let client = format!("echo $$ > '{file}'; exec \"$CLIENT\" --port {}", server.port);
        let shell =
            Shell::run(&format!("sh -c '{}'; stty -a; echo over", client.replace('\'', "")));
        shell.until_shown("● localhost");
        let pid = std::fs::read_to_string(file).unwrap();
        let killed = Command::new("kill").args([&format!("-{signal}"), pid.trim()]).status();
        assert!(killed.unwrap().success());
        shell.until_restored();
    }
}

#[test]
fn typing_with_corrections_sends_what_is_seen() {
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

#[test]
fn control_z_gives_the_terminal_to_the_shell_and_fg_takes_it_back() {
    let server = TestServer::start();
    server.send("put palm.cpu 23.5 1\n");
    let after = "stty -a; echo over";
    let shell = Shell::run(&format!(
        "set -m; \"$CLIENT\" --port {}; stty -a; echo stopped; read line; fg >/dev/null; {after}",
        server.port
    ));
    shell.until_shown("23.5");
    shell.press("\x1a");
    shell.until_shown("stopped");
    shell.until_shown(" icanon");
    shell.assert_modes_off();
    shell.resize(10, 40);
    shell.press("\n");
    shell.until("the screen again, in its new size", |screen| {
        screen.alternate_screen()
            && screen.bracketed_paste()
            && screen.contents().contains("23.5")
            && screen.contents().contains("> such as  get")
    });
    shell.press("\x03");
    shell.until_restored();
}

#[test]
fn control_z_without_a_shell_that_could_wake_it_does_nothing() {
    let server = TestServer::start();
    let shell = Shell::run(&script(server.port, ""));
    shell.until_shown("no points yet");
    shell.press("\x1a");
    shell.press("put a 1 1\r");
    shell.until_shown("stored a 1.0 1");
    shell.press("\x03");
    shell.until_restored();
}

/// The parameters of every command that sets colours or attributes.
fn renditions(raw: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(raw);
    text.split("\x1b[")
        .filter_map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':')?;
            rest[end..].starts_with('m').then(|| rest[..end].to_owned())
        })
        .collect()
}

fn is_colour(rendition: &str) -> bool {
    let first = rendition.split([';', ':']).next().and_then(|number| number.parse().ok());
    matches!(first, Some(30..=49 | 90..=107_u8))
}

/// A session that shows everything, in this environment.
fn session(args: &str, environment: &[(&str, &str)]) -> Vec<u8> {
    let server = TestServer::start();
    server.send("put palm.cpu 23.5 1\n");
    let shell = Shell::run_with(&script(server.port, args), environment);
    shell.until_shown("● localhost");
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
fn without_colours_there_is_no_colour_code() {
    for (args, environment) in
        [("--watch palm.cpu", &[("NO_COLOR", "1")][..]), ("--watch palm.cpu --theme none", &[])]
    {
        let renditions = renditions(&session(args, environment));
        assert!(!renditions.iter().any(|one| is_colour(one)), "{renditions:?}");
        assert!(renditions.iter().any(|one| one == "1"), "bold is no colour: {renditions:?}");
    }
}

#[test]
fn colours_are_the_sixteen_of_the_terminal_and_suit_its_background() {
    let dark = renditions(&session("", &[]));
    let light = renditions(&session("", &[("COLORFGBG", "0;15")]));
    let asked = renditions(&session("--theme light", &[("NO_COLOR", "1")]));
    let has = |all: &[String], colour: &str| all.iter().any(|one| one.contains(colour));
    // Cyan and blue, as crossterm writes palette colours.
    assert!(has(&dark, "38;5;6") && !has(&dark, "38;5;4"), "{dark:?}");
    assert!(has(&light, "38;5;4") && !has(&light, "38;5;6"), "{light:?}");
    assert!(has(&asked, "38;5;4"), "{asked:?}");
    for all in [dark, light, asked] {
        let palette = |one: &&String| one.starts_with("38;") || one.starts_with("48;");
        let sixteen = |one: &String| {
            let number = one.split("8;5;").nth(1).and_then(|rest| rest.split(';').next());
            number.and_then(|number| number.parse().ok()).is_some_and(|number: u8| number < 16)
        };
        assert!(all.iter().filter(palette).all(sixteen), "{all:?}");
    }
}

#[test]
fn a_terminal_is_asked_for_its_background() {
    let server = TestServer::start();
    let shell = Shell::run_with(&script(server.port, ""), &[("COLORFGBG", "")]);
    shell.until_sent("\x1b]11;?");
    shell.until_sent("\x1b[c");
    shell.press("\x1b]10;rgb:0000/0000/0000\x1b\\\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b[?62c");
    shell.until_shown("● localhost");
    shell.press("\x03");
    shell.until_restored();
    assert!(renditions(&shell.raw()).iter().any(|one| one.contains("38;5;4")));
}

#[test]
fn the_mouse_selects_unless_it_is_left_to_the_terminal() {
    let server = TestServer::start();
    server.send("put a.first 1 1\nput b.second 2 1\n");
    let shell = Shell::run(&script(server.port, ""));
    shell.until_shown("b.second");
    // The fifth row, counted from one.
    shell.press("\x1b[<0;4;5M\x1b[<0;4;5m");
    shell.until("the selected row", |screen| {
        let cell = |row| screen.cell(row, 2).is_some_and(vt100::Cell::inverse);
        cell(4) && !cell(3)
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
fn frames_are_shown_as_a_whole() {
    let raw = session("", &[]);
    let text = String::from_utf8_lossy(&raw);
    let screen = &text[text.find("\x1b[?2026h").unwrap()..text.rfind("\x1b[?2026l").unwrap()];
    let mut frames = screen.split("\x1b[?2026l");
    let all_frames = frames.all(|frame| frame.is_empty() || frame.starts_with("\x1b[?2026h"));
    assert!(all_frames, "drawn outside a frame: {screen:?}");
}

#[test]
fn output_is_the_same_on_a_terminal_and_in_a_pipe() {
    let server = TestServer::start();
    server.send("put palm.cpu 23.5 1\nput 火 -1e300 2\n");
    for format in ["text", "json", "csv"] {
        let client = format!("\"$CLIENT\" --port {} --format {format}", server.port);
        let shell = Shell::run(&format!(
            "stty -opost; {client} get '*'; echo ---; {client} get '*' | cat; echo ---; \
             {client} --once; echo ---; stty opost; stty -a; echo over"
        ));
        shell.until_shown("over");
        shell.wait();
        let raw = String::from_utf8(shell.raw()).unwrap();
        let parts: Vec<_> = raw.split("---\n").collect();
        assert!(parts[0].contains("palm.cpu"), "{raw}");
        assert_eq!(parts[0], parts[1]);
        assert_eq!(parts[0], parts[2]);
    }
}

#[test]
fn a_long_import_shows_how_far_it_has_come_and_says_how_it_went() {
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
fn what_waits_for_a_server_that_is_away_is_told_until_it_is_back() {
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
fn a_person_is_not_told_every_line_of_a_wrong_file() {
    let server = TestServer::start();
    let shell = Shell::run(&format!(
        "yes a 1 1 | head -n 150 | \"$CLIENT\" --port {} > /dev/null; echo code $?",
        server.port
    ));
    shell.until_shown("line 100: wrong command: ");
    shell.until_shown("more refused lines are only counted; 2>FILE names them all");
    shell.until_shown("150 lines: 0 stored, 150 refused");
    shell.until_shown("code 1");
    shell.wait();
    let raw = String::from_utf8(shell.raw()).unwrap();
    assert!(!raw.contains("line 101: "), "{raw}");
}

/// Set for the process that panics in the terminal that its parent gave it.
const PANIC_HERE: &str = "PANIC_IN_THIS_TERMINAL";

#[test]
fn a_panic_gives_the_terminal_back_and_is_read_there() {
    if std::env::var_os(PANIC_HERE).is_some() {
        let mut terminal = tui_client::terminal::Terminal::enter(true).unwrap();
        terminal.draw(|frame| frame.render_widget("screen", frame.area())).unwrap();
        let text = String::from("in the terminal");
        panic!("it happened {text}");
    }
    let name = "terminal::session::a_panic_gives_the_terminal_back_and_is_read_there";
    let shell = Shell::run(&format!(
        "{PANIC_HERE}=1 \"$TESTS\" --exact {name} --nocapture --test-threads 1; stty -a; echo over"
    ));
    shell.until_restored();
    let raw = shell.raw();
    let left = find(&raw, "\x1b[?1049l").unwrap();
    let said = find(&raw, "it happened in the terminal").unwrap();
    assert!(find(&raw, "screen").unwrap() < left && left < said);
    let again = find(&raw[left + 1..], "\x1b[?1049l");
    assert_eq!(again, None, "giving back twice would write over the message");
}
