//! Requests in the arguments, exit codes, and what is printed about the program itself.

use crate::harness::client::{client, finish, pipe, pipe_to, piped, run};
use crate::harness::peer::free_port;
use crate::harness::server::TestServer;

#[test]
fn a_request_in_the_arguments() {
    let server = TestServer::start();
    assert_eq!(run(server.port, &["put", "a.b", "-1.5", "7"]), (0, String::new(), String::new()));
    assert_eq!(run(server.port, &["get", "a.b"]), (0, "a.b -1.5 7\n".to_owned(), String::new()));
    assert_eq!(run(server.port, &["get a.b"]).1, "a.b -1.5 7\n");
    assert_eq!(run(server.port, &["put", "now", "1"]), (0, String::new(), String::new()));
    assert!(server.send("get now\n").contains("now 1.0 "));
}

#[test]
fn negative_numbers_and_keys_with_a_dash_are_sent_as_typed() {
    let server = TestServer::start();
    for args in
        [&["put", "a", "-.5", "1"][..], &["put", "a", "-1e-3", "-7"], &["put", "-.5", "2", "3"]]
    {
        assert_eq!(run(server.port, args), (0, String::new(), String::new()), "{args:?}");
    }
    assert_eq!(run(server.port, &["get", "a"]).1, "a -0.001 -7\na -0.5 1\n");
    for args in [&["get", "--", "-.5"][..], &["--", "get", "-.5"], &["--once", "-.5"]] {
        assert_eq!(run(server.port, args).1, "-.5 2.0 3\n", "{args:?}");
    }
    let (code, _, err) = run(server.port, &["put", "a", "1", "-.5"]);
    assert_eq!(code, 2);
    assert!(err.contains(" in put a 1 -.5: "), "{err}");
}

#[test]
fn an_ipv6_address_may_have_its_brackets() {
    let server = TestServer::start();
    server.send("put a 1 1\n");
    for host in ["[::1]", "::1"] {
        let args = ["--host", host, "get", "a"];
        assert_eq!(run(server.port, &args), (0, "a 1.0 1\n".to_owned(), String::new()), "{host}");
        // Nothing listens on port 1.
        let (code, _, err) = run(1, &args);
        assert_eq!(code, 3);
        assert_eq!(
            err,
            "tui-client: no server at [::1]:1: is it started? --host and --port choose another\n"
        );
    }
}

#[test]
fn a_host_may_have_its_port_and_no_more() {
    let server = TestServer::start();
    server.send("put a 1 1\n");
    let at = |host: &str, more: &[&str]| {
        let mut command = piped(env!("CARGO_BIN_EXE_tui-client"));
        command.args(["--host", host]).args(more).args(["get", "a"]);
        finish(command.spawn().unwrap())
    };
    for host in ["127.0.0.1", "localhost", "[::1]"] {
        let there = format!("{host}:{}", server.port);
        assert_eq!(at(&there, &[]), (0, "a 1.0 1\n".to_owned(), String::new()), "{there}");
    }
    let port = server.port.to_string();
    assert_eq!(at(&format!("localhost:{port}"), &["--port", &port]).0, 0);
    for (host, more, said) in [
        ("http://localhost", &[][..], "a host has no http:// before it; localhost is enough"),
        ("localhost/", &[], "a host has no / behind it; localhost is enough"),
        ("localhost:x", &[], "a port is a number up to 65535, not \"x\""),
        ("", &[], "a host is missing, such as localhost"),
        ("localhost:7", &["--port", "8"], "port 7 behind the host, but --port 8"),
    ] {
        let (code, out, err) = at(host, more);
        assert_eq!((code, &*out), (2, ""), "{host}");
        assert!(err.contains(said), "{err}");
    }
}

#[test]
fn exit_codes_are_as_documented() {
    let server = TestServer::start();
    let (code, out, err) = run(server.port, &["got", "*"]);
    assert_eq!((code, &*out), (2, ""));
    for request in [&["put", "a", "b"][..], &["foo"], &["get", "a["], &["put", "a", "1", "1", "1"]]
    {
        // Nothing listens on port 1: it is not sent.
        assert_eq!(run(1, request).0, 2, "{request:?}");
    }
    assert!(run(0, &["get", "a"]).2.contains("a number from 1 to 65535"));
    assert!(err.contains("got *: the commands are put, del and get"), "{err}");
    let (_, _, err) = run(server.port, &["get", "a", "b"]);
    assert_eq!(
        err,
        "tui-client: error at character 7, \"b\" in get a b: nothing may follow here; a selector is one word, in a shell in quotes: 'palm.*'\n"
    );
    assert_eq!(run(server.port, &["--nonsense"]).0, 2);
    assert_eq!(run(server.port, &["--watch", "no key"]).0, 2);
    assert_eq!(run(server.port, &["--help"]).0, 0);
    let nobody = free_port();
    for input in
        [run(nobody, &["get", "*"]), pipe(nobody, "get *\n"), run(nobody, &["--watch", "a"])]
    {
        let (code, out, err) = input;
        assert_eq!((code, &*out), (3, ""));
        assert!(err.contains(&format!("no server at localhost:{nobody}: is it started?")), "{err}");
    }
}

#[test]
fn help_completions_and_manual_go_to_standard_output() {
    for (args, part) in [
        (&["--help"][..], "Exit codes"),
        (&["--man"], ".TH tui-client 1"),
        (&["--completions", "zsh"], "#compdef tui-client"),
    ] {
        let (code, out, err) = run(1, args);
        assert_eq!((code, &*err), (0, ""));
        assert!(out.contains(part), "{out}");
        let mut child = client(1).args(args).spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!(finish(child).0, 0, "a closed pipe is no error");
    }
    let (code, out, err) = run(1, &["--format", "xml"]);
    assert_eq!((code, &*out), (2, ""));
    assert!(err.contains("[possible values: text, json, csv]"), "{err}");
}

#[test]
fn lines_from_windows_are_taken_and_utf_16_is_named() {
    let server = TestServer::start();
    let marked = "\u{feff}put a 1 1\r\n\r\nput b 2 2\r\nget a\r\n";
    assert_eq!(pipe(server.port, marked), (0, "a 1.0 1\n".to_owned(), String::new()));
    for units in ["\u{feff}put c 3 3\r\n", "put c 3 3\n"] {
        for encode in [u16::to_le_bytes, u16::to_be_bytes] {
            let bytes: Vec<u8> = units.encode_utf16().flat_map(encode).collect();
            let (code, out, err) = pipe(server.port, bytes);
            assert_eq!((code, &*out), (1, ""));
            assert!(err.starts_with("tui-client: standard input is UTF-16: "), "{err}");
            assert_eq!(err.lines().count(), 1, "{err}");
        }
    }
    assert_eq!(server.send("get c\n"), "ok\n\n");
}

#[test]
fn a_word_that_quits_ends_requests_from_a_pipe() {
    let server = TestServer::start();
    for word in ["quit", "exit", "\\q"] {
        let input = format!("put a 1 1\n{word}\n\n");
        assert_eq!(pipe_to(server.port, &[], input), (0, String::new(), String::new()), "{word}");
    }
    let (code, out, err) = pipe_to(server.port, &[], "get a\nquit\nput b 1 1\n");
    assert_eq!((code, &*out), (1, "a 1.0 1\n"));
    let said = "tui-client: line 2: ends the input, what is behind it is not sent\n";
    assert_eq!(err, said, "nothing is refused");
    let (_, _, err) = pipe_to(server.port, &[], "put a 2 2\nbogus\n\nget a\nquit\nput b 1 1\n");
    let sum = "tui-client: 4 lines: 1 stored, 1 refused, 1 other request, 1 blank, in ";
    assert!(err.lines().any(|line| line.starts_with(sum)), "{err}");
    assert_eq!(server.send("get b\n"), "ok\n\n");
}
