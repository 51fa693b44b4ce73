//! Terminals that have no size or no abilities.

use crate::harness::bare_pty::BarePty;
use crate::harness::client::finish;
use crate::harness::pty::{Shell, find};
use crate::harness::server::TestServer;

#[test]
fn a_terminal_without_a_size_has_the_usual_one() {
    let server = TestServer::start();
    server.send("put palm.cpu 23.5 1\n");
    let (mut terminal, client) = BarePty::start_in(server.port, 0, 0);
    terminal.until_drawn("palm.cpu");
    terminal.until_drawn("> such as  get *");
    drop(terminal);
    assert_eq!(finish(client).0, 1);
}

/// Runs the client with this TERM; gives what the terminal has received when a text is there.
fn plain(server: &TestServer, term: &str, args: &str, typed: &str, text: &str) -> Vec<u8> {
    // Else an interrupt discards output, perhaps that which comes after it.
    let keep = "stty noflsh; trap : INT";
    let client = format!("\"$CLIENT\" --port {} {args}", server.port);
    let script = format!("{keep}; {client}; echo code $?; echo over");
    // A library that chooses colours believes in them where CI is set.
    let shell = Shell::run_with(&script, &[("TERM", term), ("COLORFGBG", ""), ("CI", "true")]);
    shell.press(typed);
    shell.until_shown(text);
    shell.press(if args.contains("--watch") { "\x03" } else { "\x04" });
    shell.until_shown("over");
    shell.wait();
    shell.raw()
}

#[test]
fn a_terminal_without_abilities_gets_plain_mode_and_no_escape_code() {
    let server = TestServer::start();
    server.send("put palm.cpu 23.5 1150864247\n");
    for (term, lacks) in [("dumb", "TERM is dumb"), ("", "TERM is not set")] {
        for (args, typed) in [
            ("", "get palm.cpu\n"),
            ("--watch palm.cpu", ""),
            ("--theme light --ascii", "get palm.cpu\n"),
        ] {
            let raw = plain(&server, term, args, typed, "palm.cpu 23.5 1150864247");
            let said = format!("{lacks}, so there is no screen here but plain mode");
            assert!(find(&raw, &said).is_some(), "{}", String::from_utf8_lossy(&raw));
            assert!(!raw.contains(&0x1b), "{term:?} {args}: {}", String::from_utf8_lossy(&raw));
        }
        let raw = plain(&server, term, "get palm.cpu", "", "palm.cpu 23.5 1150864247");
        assert_eq!(find(&raw, "no screen"), None, "it was not asked for");
    }
    for args in ["--help", "--nonsense", "--once --alert 'palm.cpu > 1'"] {
        let raw = plain(&server, "dumb", args, "", "over");
        assert!(!raw.contains(&0x1b), "{args}: {}", String::from_utf8_lossy(&raw));
    }
}
