//! View files on a terminal: one is saved and opened, one is written by a hand, one is wrong.

use std::fs;

use crate::harness::pty::{Shell, script};
use crate::harness::server::TestServer;

#[test]
fn a_view_is_saved_and_opened_and_writes_over_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let server = TestServer::start();
    server.send("put palm.cpu 23.7 1\nput kettle.cpu 5 1\n");
    let args = "--watch 'palm.*' --filter palm --columns last,time";
    let command = format!("cd {} && {}", path.display(), script(server.port, args));
    let shell = Shell::run(&command);
    shell.until_shown("● localhost");
    shell.press("V\x15palm.toml\r");
    shell.until_shown("--view palm.toml opens it");
    shell.press("V\x15palm.toml\r");
    shell.until_shown("palm.toml is there already: Enter overwrites it");
    shell.press("\x03");
    shell.until_shown("╭ request");
    shell.press("\x03");
    shell.until_restored();
    let text = fs::read_to_string(path.join("palm.toml")).unwrap();
    assert!(text.starts_with("# A view of tui-client, saved "), "{text}");
    let open = "\"$CLIENT\" --view palm.toml; echo code $?; stty -a; echo over";
    let shell = Shell::run(&format!("cd {} && {open}", path.display()));
    shell.until_shown("● localhost");
    shell.until_shown("╭ watch palm.cpu");
    shell.press("\x1b[Z");
    shell.until_shown("1 of 2 keys · palm");
    shell.press("\x03");
    shell.until_restored();
    shell.until_shown("code 0");
}

/// Both can be sent together.
#[test]
fn a_view_has_the_theme_of_a_file_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let server = TestServer::start();
    fs::create_dir(path.join("sent")).unwrap();
    let view = format!("port = {}\ntheme = 'night.toml'\n", server.port);
    fs::write(path.join("sent/palm.toml"), view).unwrap();
    fs::write(path.join("sent/night.toml"), "background = '#010203'\n").unwrap();
    let open = |view: &str| {
        let command = format!("cd {} && \"$CLIENT\" --view {view}; echo over", path.display());
        let shell = Shell::run_with(&command, &[("COLORTERM", "truecolor")]);
        shell.until_shown("● localhost");
        shell.until_sent("48;2;1;2;3");
        shell
    };
    let shell = open("sent/palm.toml");
    shell.press("\tV\x15again.toml\r");
    shell.until_shown("--view again.toml opens it");
    shell.press("\x03");
    shell.until_shown("over");
    open("again.toml").press("\x03");
}

#[test]
fn a_wrong_view_is_told_before_the_screen_opens() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("palm.toml");
    fs::write(&path, "watch = 'a'\nsort = 'lst'\n").unwrap();
    fs::write(directory.path().join("theme.toml"), "theme = 'drak'\n").unwrap();
    for (file, expected) in [
        ("palm.toml", "palm.toml:2:8: invalid value 'lst' for sort"),
        ("theme.toml", "theme.toml:1:9: no theme is called drak"),
        ("none.toml", "error: none.toml: there is no such file"),
        ("/dev", "error: /dev: "),
    ] {
        let place = directory.path().display();
        let shell = Shell::run(&format!("cd {place} && \"$CLIENT\" --view {file}; echo code $?"));
        shell.until_shown(expected);
        shell.until_shown("code 2");
    }
}
