//! `del`: points are taken back.

use std::io::Write;

use crate::harness::client::{pipe_to, run};
use crate::harness::peer::{peer, request};
use crate::harness::server::TestServer;

#[test]
fn what_is_selected_is_deleted_without_a_question_if_told_so() {
    let server = TestServer::start();
    server.send("put a 1 1\nput a 2 2\nput a 3 3\nput b 1 1\n");
    let deleted = "tui-client: deleted 2 points of 1 key\n".to_owned();
    assert_eq!(run(server.port, &["del", "a[2:]", "--yes"]), (0, String::new(), deleted));
    let none = "tui-client: no points for a[2:]\n".to_owned();
    assert_eq!(run(server.port, &["del", "a[2:]", "--yes"]), (0, String::new(), none));
    assert_eq!(run(server.port, &["get", "*"]).1, "a 1.0 1\nb 1.0 1\n");
    assert_eq!(run(server.port, &["--yes", "del {a,c}"]).0, 0);
    assert_eq!(run(server.port, &["get", "*"]).1, "b 1.0 1\n");
}

#[test]
fn nothing_is_deleted_without_a_terminal_or_an_answer() {
    let server = TestServer::start();
    server.send("put a 1 1\n");
    let (code, out, err) = run(server.port, &["del", "a"]);
    assert_eq!((code, &*out), (2, ""));
    assert_eq!(err, "tui-client: del asks on a terminal; --yes deletes without asking\n");
    assert_eq!(run(server.port, &["get", "a"]).1, "a 1.0 1\n");
}

#[test]
fn a_del_from_a_pipe_is_sent_if_told_so() {
    let server = TestServer::start();
    server.send("put a 1 1\nput b 1 1\n");
    let input = "put a 2 2\n> del a\n del\tb\n";
    let (code, out, err) = pipe_to(server.port, &[], input);
    assert_eq!((code, &*out), (1, ""));
    let told = "tui-client: line 2: not sent, del wants --yes\n\
                tui-client: line 3: not sent, del wants --yes\n\
                tui-client: 3 lines: 1 stored, 2 refused";
    assert!(err.starts_with(told), "{err}");
    assert_eq!(run(server.port, &["get", "*"]).1, "a 1.0 1\na 2.0 2\nb 1.0 1\n");
    assert_eq!(pipe_to(server.port, &["--yes"], input), (0, String::new(), String::new()));
    assert_eq!(run(server.port, &["get", "*"]).1, "");
}

#[test]
fn mistakes_have_a_place_before_anything_is_sent() {
    for (args, said) in [
        (&["del"][..], "missing"),
        (&["del", "a[last]"], "error at character 5, \"a[last]\" in del a[last]: del takes"),
        (&["del", "a[1:x]"], "error at character 9, \"x\" in del a[1:x]: a time is"),
        (&["del", "a", "b"], "error at character 7, \"b\" in del a b: nothing may follow"),
        (&["--yes", "get", "a"], "--yes goes with del"),
        (&["--yes", "--put"], "--yes goes with del"),
    ] {
        let (code, out, err) = run(1, args);
        assert_eq!((code, &*out), (2, ""), "{args:?}");
        assert!(err.contains(said), "{err}");
    }
}

#[test]
fn a_server_that_allows_no_deletes_is_told_apart() {
    for (reply, said) in [
        ("wrong command", "the server does not allow deletes; start it with --allow-delete"),
        ("disk full", "del a: disk full"),
    ] {
        let (port, serving) = peer(vec![match reply {
            "disk full" => |mut stream, from| {
                assert_eq!(request(from), "get a[::all:count]");
                stream.write_all(b"ok\na 2.0 1\n\n").unwrap();
                assert_eq!(request(from), "del a");
                stream.write_all(b"error\ndisk full\n\n").unwrap();
            },
            _ => |mut stream, from| {
                assert_eq!(request(from), "get a[::all:count]");
                stream.write_all(b"ok\na 2.0 1\n\n").unwrap();
                assert_eq!(request(from), "del a");
                stream.write_all(b"error\nwrong command\n\n").unwrap();
            },
        }]);
        let (code, _, err) = run(port, &["del", "a", "--yes"]);
        serving.join().unwrap();
        assert_eq!((code, err), (1, format!("tui-client: {said}\n")));
    }
}
