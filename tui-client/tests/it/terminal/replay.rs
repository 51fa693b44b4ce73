//! A session is saved on a terminal and shown on another one, when the server is gone.

use crate::harness::pty::{Shell, script};
use crate::harness::server::TestServer;

#[test]
fn a_session_is_saved_and_shown_when_the_server_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().display();
    let mut server = TestServer::start();
    let shell = Shell::run(&format!("cd {path} && {}", script(server.port, "--watch palm.cpu")));
    shell.until_shown("● localhost");
    shell.press("put palm.cpu 23.7\r");
    shell.until_shown("stored palm.cpu 23.7");
    shell.press("\x1b[Z\x13");
    shell.until_shown("saved in ");
    shell.press("\x03");
    shell.until_restored();
    server.stop();
    let shell = Shell::run(&format!(
        "cd {path} && \"$CLIENT\" --replay *.session; echo code $?; stty -a; echo over"
    ));
    shell.until_shown("▷ replay of localhost");
    shell.until_shown("23.7");
    shell.until_shown("put palm.cpu 23.7");
    shell.press("\x03");
    shell.until_restored();
    shell.until_shown("code 0");
}

#[test]
fn a_file_that_is_no_session_is_told_before_the_screen_opens() {
    let shell = Shell::run("\"$CLIENT\" --replay /dev/null; echo code $?");
    shell.until_shown("/dev/null: no session: ctrl-s on the screen saves one");
    shell.until_shown("code 1");
}
