//! Selectors: what is asked for, and what is refused before it is sent.

use std::io::{BufReader, Write};
use std::net::TcpStream;

use crate::harness::client::{client, finish, run, unix_now};
use crate::harness::peer::{accept, listen, request};
use crate::harness::server::TestServer;

#[test]
fn a_request_may_have_a_selector() {
    let server = TestServer::start();
    server.send("put palm.a 1 60\nput palm.a 4 90\nput palm.a 2 120\nput x 9 60\n");
    let get = |args: &[&str]| {
        let (code, out, err) = run(server.port, args);
        assert_eq!((code, &*err), (0, ""), "{args:?}");
        out
    };
    assert_eq!(get(&["get", "palm.*[::1m:max]"]), "palm.a 4.0 60\npalm.a 2.0 120\n");
    assert_eq!(get(&["get", "*[last]"]), "palm.a 2.0 120\nx 9.0 60\n");
    let csv = "key,value,timestamp\npalm.a,1.0,60\npalm.a,4.0,90\n";
    assert_eq!(get(&["--format", "csv", "get", "palm.a[:90]"]), csv);
}

/// The section "Asking" of the README, up to the next one.
fn asking() -> String {
    let readme = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md"));
    let (_, asking) = readme.split_once("\n## Asking\n").unwrap();
    asking.split("\n## ").next().unwrap().to_owned()
}

#[test]
fn the_answers_in_the_readme_are_those_of_the_server() {
    let (server, asking) = (TestServer::start(), asking());
    let puts: String = asking
        .lines()
        .filter(|line| line.starts_with("put "))
        .fold(String::new(), |puts, line| puts + line + "\n");
    server.send(&puts);
    let mut answers = 0;
    for row in asking.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = row.split(" | ").collect();
        let selector = cells[0].trim_matches(['|', ' ', '`']);
        let answer = cells[2..].concat().replace("<br>", "\n").replace(['`', '|'], "");
        assert!(shared::Selector::from_bytes(selector.as_bytes()).is_ok(), "{selector}");
        if !answer.trim().is_empty() {
            assert_eq!(run(server.port, &["get", selector]).1.trim(), answer.trim(), "{selector}");
            answers += 1;
        }
    }
    assert!(answers > 5, "{answers}");
}

#[test]
fn sums_beyond_all_floats_are_printed() {
    let server = TestServer::start();
    server.send("put a 1e308 1\nput a 1e308 2\nput b -1e308 1\nput b -1e308 2\n");
    assert_eq!(run(server.port, &["get", "*[::all:sum]"]).1, "a inf 1\nb -inf 1\n");
    let json = "{\"key\":\"a\",\"value\":\"inf\",\"timestamp\":1}\n";
    assert_eq!(run(server.port, &["--format", "json", "get", "a[::all:sum]"]).1, json);
}

#[test]
fn a_mistake_has_its_place_and_is_not_sent() {
    // Nothing listens on port 1.
    let (code, out, err) = run(1, &["get", "palm.*[-15m::1q:max]"]);
    assert_eq!((code, &*out), (2, ""));
    let place = "error at character 18, \"1q\" in get palm.*[-15m::1q:max]: a step is";
    assert!(err.starts_with(&format!("tui-client: {place}")), "{err}");
    let (code, _, err) = run(1, &["get", "a{b"]);
    assert_eq!(code, 2);
    assert!(err.contains("at character 6"), "{err}");
}

/// What `--once` asks a server for that has these answers.
fn asked(args: &[&str], answers: &[(&str, &str)]) -> (i32, String, String) {
    let (listener, port) = listen();
    let child = client(port).arg("--once").args(args).spawn().unwrap();
    let peer = accept(&listener);
    let mut from = BufReader::new(&peer);
    for (line, data) in answers {
        assert_eq!(request(&mut from), *line);
        let mut stream: &TcpStream = &peer;
        stream.write_all(format!("ok\n{data}\n").as_bytes()).unwrap();
    }
    finish(child)
}

#[test]
fn once_asks_for_what_its_columns_need() {
    let all = |out: &str| (0, out.to_owned(), String::new());
    let last =
        asked(&["host12.*", "b"], &[("get {host12.*,b}[last]", "b 1.0 1\nhost12.a 2.0 2\n")]);
    assert_eq!(last, all("b 1.0 1\nhost12.a 2.0 2\n"));
    let each = asked(&["b", "a"], &[("get b[last]", "b 1.0 1\n"), ("get a[last]", "a 2.0 2\n")]);
    assert_eq!(each, all("b 1.0 1\na 2.0 2\n"));
    let rate = [("get *[last:2]", "a 1.0 1\na 3.0 2\n")];
    assert_eq!(asked(&["--columns", "key,rate"], &rate), all("a 2.0\n"));
    let numbers = [
        ("get *[::all:max]", "a 9.0 1\nb 5.0 1\n"),
        ("get *[::all:count]", "a 700.0 1\nb 1.0 1\n"),
        ("get *[last]", "a 1.0 1\nb 5.0 1\n"),
    ];
    let columns = ["--columns", "key,last,max,count", "--sort", "-max"];
    assert_eq!(asked(&columns, &numbers), all("a 1.0 9.0 700\nb 5.0 5.0 1\n"));
    let columns = ["--columns", "key,max,count", "--window", "15m"];
    let numbers = [
        ("get *[-15m:-0s:all:max]", "a 9.0 1\n"),
        ("get *[-15m:-0s:all:count]", "a 7.0 1\n"),
        ("get *[last]", "a 1.0 1\nb 5.0 1\n"),
    ];
    assert_eq!(asked(&columns, &numbers), all("a 9.0 7\nb - 0\n"), "no points of b in that time");
    let stale = [("get *[last:16]", "a 1.0 1\n")];
    assert_eq!(asked(&["--filter", "stale"], &stale), all("a 1.0 1\n"));
    let alerted = [("get a[last:2]", "a 1.0 1\na 9.0 2\n")];
    let (code, _, err) = asked(&["--alert", "a change > 5"], &alerted);
    assert_eq!((code, err.lines().count()), (4, 1), "{err}");
}

#[test]
fn once_asks_a_server_without_selectors_as_ever() {
    let answers = [
        ("get {a*,b}[last]", ""),
        ("get *[last]", ""),
        ("get *", "a 1.0 1\na 2.0 2\nc 1.0 1\nb 1.0 1\n"),
    ];
    assert_eq!(asked(&["a*", "b"], &answers), (0, "a 2.0 2\nb 1.0 1\n".to_owned(), String::new()));
    let none = [("get a[last]", ""), ("get *[last]", "b 1.0 1\n")];
    let missing = "tui-client: no points for a\n".to_owned();
    assert_eq!(asked(&["a"], &none), (1, String::new(), missing), "it knows them");
    let empty = [("get *[last]", ""), ("get *", "")];
    assert_eq!(asked(&[], &empty), (1, String::new(), "tui-client: no points\n".to_owned()));
}

#[test]
fn a_point_in_the_far_future_does_not_hide_the_present() {
    let server = TestServer::start();
    server.send("put a 1 1150864247\nput a 2 1150864248000\n");
    assert_eq!(run(server.port, &["--once"]).1, "a 1.0 1150864247\n");
    let (code, _, err) = run(server.port, &["--once", "--alert", "a > 1.5"]);
    assert_eq!((code, &*err), (0, ""));
    let now = unix_now();
    server.send(&format!("put b 7 {}\nput b 9 {now}\nput b 1 {now}000\n", now - 30));
    let columns = ["--once", "b", "--columns", "key,min,max,count", "--window", "1h"];
    assert_eq!(run(server.port, &columns).1, "b 7.0 9.0 2\n", "the last hour ends now");
}
