//! Colours that the terminal is sent.

use super::session::session;
use crate::harness::pty::{Shell, script};
use crate::harness::server::TestServer;

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

#[test]
fn no_color_sends_no_colour_code() {
    for (args, environment) in
        [("--watch palm.cpu", &[("NO_COLOR", "1")][..]), ("--watch palm.cpu --theme none", &[])]
    {
        let renditions = renditions(&session(args, environment));
        assert!(!renditions.iter().any(|one| is_colour(one)), "{renditions:?}");
        assert!(renditions.iter().any(|one| one == "1"), "bold is no colour: {renditions:?}");
    }
}

#[test]
fn themes_use_the_sixteen_palette_colours() {
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
fn a_terminal_without_utf_8_gets_ascii() {
    let is_ascii = |args: &str, environment: &[(&str, &str)]| {
        session(args, environment).iter().all(u8::is_ascii)
    };
    assert!(is_ascii("--watch palm.cpu", &[("LC_ALL", "C")]));
    assert!(is_ascii("", &[("LC_ALL", ""), ("LC_CTYPE", ""), ("LANG", "de_DE.ISO-8859-1")]));
    assert!(is_ascii("", &[("TERM", "linux")]), "nor has the console of Linux its glyphs");
    assert!(!is_ascii("--ascii=never", &[("LC_ALL", "C")]));
    assert!(!is_ascii("--glyphs braille", &[("LC_ALL", "C")]));
    let unset = [("LC_ALL", ""), ("LC_CTYPE", ""), ("LANG", "")];
    assert!(!is_ascii("", &unset), "a locale that is not set says nothing");
}

#[test]
fn the_background_colour_is_queried() {
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
