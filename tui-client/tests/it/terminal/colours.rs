//! Colours that the terminal is sent.

use std::fs;

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
fn a_theme_has_the_colours_that_the_terminal_has() {
    let has = |environment: &[(&str, &str)], part: &str| {
        renditions(&session("--theme midnight", environment)).iter().any(|one| one.contains(part))
    };
    assert!(has(&[("COLORTERM", "truecolor")], "48;2;18;20;28"), "its own ground");
    assert!(has(&[("COLORTERM", "")], "48;5;233"), "the nearest of the palette");
    assert!(!has(&[("COLORTERM", ""), ("TERM", "xterm")], "48;"), "the ground of the terminal");
    let plain = renditions(&session("--theme midnight", &[("NO_COLOR", "1")]));
    assert!(!plain.iter().any(|one| is_colour(one)), "{plain:?}");
}

#[test]
fn a_theme_is_found_by_its_name_or_its_path() {
    let directory = tempfile::tempdir().unwrap();
    let themes = directory.path().join("tui-client/themes");
    fs::create_dir_all(&themes).unwrap();
    fs::write(themes.join("mine.toml"), "background = '#010203'\n").unwrap();
    fs::write(themes.join("wrong.toml"), "kye = 'red'\n").unwrap();
    let path = directory.path().display().to_string();
    let environment = [("COLORTERM", "truecolor"), ("XDG_CONFIG_HOME", path.as_str())];
    for name in ["mine".to_owned(), format!("{path}/tui-client/themes/mine.toml")] {
        let renditions = renditions(&session(&format!("--theme {name}"), &environment));
        assert!(renditions.iter().any(|one| one.contains("48;2;1;2;3")), "{name}: {renditions:?}");
    }
    for (name, expected) in [
        ("wrong", "wrong.toml:1:1: unknown name kye; did you mean key?"),
        ("midnigt", "error: no theme is called midnigt, nor midnigt.toml in"),
        ("nope", "there are auto, dark, light, none, midnight, ember, paper"),
        ("./none.toml", "error: ./none.toml: there is no such file"),
    ] {
        let command = format!("\"$CLIENT\" --theme {name} 2>&1 | tr -d '\\n'; echo; echo over");
        let shell = Shell::run_with(&command, &environment);
        shell
            .until("the sentence", |screen| screen.contents().replace('\n', "").contains(expected));
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

#[test]
fn a_terminal_that_draws_octants_gets_them() {
    let server = TestServer::start();
    let puts: String =
        (0..20).map(|at| format!("put palm.cpu {} {}\n", at * at, 1_150_864_000 + at)).collect();
    server.send(&puts);
    let is_octant = |c: char| ('\u{1cd00}'..='\u{1cde5}').contains(&c);
    for (version, has_octants) in [("kitty(0.42.0)", true), ("kitty(0.30.0)", false)] {
        let script = script(server.port, "--watch palm.cpu");
        let shell = Shell::run_with(&script, &[("TERM", "xterm-kitty"), ("TERMINFO", "/nowhere")]);
        shell.until_sent("\x1b[>q");
        shell.press(&format!("\x1bP>|{version}\x1b\\\x1b[?62c"));
        shell.until("the chart", |screen| {
            let text = screen.contents();
            let is_braille = |c: char| ('\u{2801}'..='\u{28ff}').contains(&c);
            text.chars().any(is_octant) == has_octants
                && text.chars().any(is_braille) != has_octants
        });
        shell.press("\x03");
        shell.until_restored();
    }
}
