//! The question of `del` on a terminal.

use std::io::Write;

use crate::harness::peer::{answering, peer, request};
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
    for selector in ["a", "a*[1:]"] {
        let (port, serving) = peer(vec![|mut stream, from| {
            let counted = request(from);
            assert!(counted.ends_with(":all:count]"), "{counted}");
            stream.write_all(b"ok\na 2.0 1\n\n").unwrap();
            let probe = request(from);
            assert!(probe.starts_with("del tui-client.probe-"), "{probe}");
            assert_eq!(probe.ends_with("*[1:0]"), counted.contains('*'), "{probe}");
            stream.write_all(b"error\nwrong command\n\n").unwrap();
        }]);
        let shell =
            Shell::run(&format!("\"$CLIENT\" --port {port} del '{selector}'; echo code $?"));
        shell.until_shown("the server does not allow deletes; start it with --allow-delete");
        shell.until_shown("code 1");
        shell.wait();
        serving.join().unwrap();
    }
}

#[test]
fn a_server_without_ranges_may_delete_a_key() {
    let (port, serving) = peer(vec![|mut stream, from| {
        for (asked, reply) in [
            ("get a[::all:count]", "ok\n\n"),
            ("get a", "ok\na 1.0 1\na 2.0 2\n\n"),
            ("get *[last]", "ok\n\n"),
            ("get a", "ok\na 1.0 1\na 2.0 2\n\n"),
            ("del tui-client.probe-", "ok\n\n"),
            ("del a", "ok\n\n"),
        ] {
            let request = request(from);
            assert!(request.starts_with(asked) && !request.contains("[1:0]"), "{request}");
            stream.write_all(reply.as_bytes()).unwrap();
        }
    }]);
    let shell = Shell::run(&format!("\"$CLIENT\" --port {port} del a; echo code $?"));
    shell.until_shown("delete 2 points of 1 key, a? [y/N]");
    shell.press("y\r");
    shell.until_shown("deleted 2 points of 1 key");
    shell.until_shown("code 0");
    shell.wait();
    serving.join().unwrap();
}

#[test]
fn of_several_servers_those_that_are_meant_are_asked() {
    let able = TestServer::start();
    able.send("put old 1 1\n");
    // One that knows neither deletes nor selectors.
    let port = answering(|line| match line {
        line if line.starts_with("get ") => "ok\n\n".to_owned(),
        _ => "error\nwrong command\n\n".to_owned(),
    });
    let client = format!("\"$CLIENT\" --host a=localhost:{} --host b=localhost:{port}", able.port);
    let shell = Shell::run(&format!(
        "{client} del '*/old'; echo code $?; {client} del a/old; echo code $?"
    ));
    shell.until_shown("del */old: b: this server knows no selectors");
    shell.until_shown("code 1");
    shell.until_shown("delete 1 point of 1 key, a/old? [y/N]");
    shell.press("y\r");
    shell.until_shown("deleted 1 point of 1 key");
    shell.wait();
    assert_eq!(able.send("get *\n"), "ok\n\n");
}
