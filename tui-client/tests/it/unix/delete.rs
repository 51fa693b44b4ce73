//! The question of `del` on a terminal.

use std::io::Write;

use crate::harness::peer::{peer, request};
use crate::harness::pty::Shell;
use crate::harness::server::TestServer;

#[test]
fn an_interrupted_question_ends_its_line() {
    let server = TestServer::start();
    server.send("put a 1 1\n");
    let shell = Shell::run(&format!("\"$CLIENT\" --port {} del a; echo code $?", server.port));
    shell.until_shown("delete 1 point of 1 key, a? [y/N]");
    shell.press("\x03");
    shell.wait();
    assert_eq!(server.send("get *\n"), "ok\na 1.0 1\n\n");
}

#[test]
fn the_number_of_points_is_asked_for_and_only_yes_deletes() {
    let server = TestServer::start();
    server.send("put a 1 1\nput a 2 2\nput ab 3 3\nput c 1 1\n");
    let shell = Shell::run(&format!(
        "\"$CLIENT\" --port {port} del 'a*[:2]'; echo code $?; \"$CLIENT\" --port {port} del 'a*'; \
         echo code $?; \"$CLIENT\" --port {port} del 'a*'; echo code $?",
        port = server.port
    ));
    shell.until_shown("delete 2 points of 1 key, a*[:2], up to 1970-01-01 00:00:02 UTC? [y/N]");
    shell.press("\r");
    shell.until_shown("nothing is deleted");
    shell.until_shown("delete 3 points of 2 keys, a*? [y/N]");
    shell.press("y\r");
    shell.until_shown("no points for a*");
    shell.wait();
    assert_eq!(server.send("get *\n"), "ok\nc 1.0 1\n\n");
}

#[test]
fn no_question_is_asked_where_the_server_allows_no_deletes() {
    let (port, serving) = peer(vec![|mut stream, from| {
        assert_eq!(request(from), "get a[::all:count]");
        stream.write_all(b"ok\na 2.0 1\n\n").unwrap();
        assert_eq!(request(from), "del tui-client.probe[1:0]");
        stream.write_all(b"error\nwrong command\n\n").unwrap();
    }]);
    let shell = Shell::run(&format!("\"$CLIENT\" --port {port} del a; echo code $?"));
    shell.until_shown("the server does not allow deletes; start it with --allow-delete");
    shell.until_shown("code 1");
    shell.wait();
    serving.join().unwrap();
}
