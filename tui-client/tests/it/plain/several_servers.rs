//! Several servers in one view, in pipes.

use std::process::Command;

use crate::harness::client::{Lines, finish, kill, piped};
use crate::harness::peer::{answering, free_port};
use crate::harness::server::TestServer;

/// The client of servers on these ports, `a`, `b` and so on.
fn client(ports: &[u16], args: &[&str]) -> Command {
    let mut command = piped(env!("CARGO_BIN_EXE_tui-client"));
    for (name, port) in ["a", "b", "c"].iter().zip(ports) {
        command.args(["--host", &format!("{name}=localhost:{port}")]);
    }
    command.args(args);
    command
}

fn run(ports: &[u16], args: &[&str]) -> (i32, String, String) {
    finish(client(ports, args).spawn().unwrap())
}

#[test]
fn requests_and_once_print_the_keys_of_all_servers() {
    let servers = [TestServer::start(), TestServer::start()];
    let ports = servers.each_ref().map(|server| server.port);
    servers[0].send("put cpu 1 1150864247\nput mem 2 1150864247\n");
    servers[1].send("put cpu 3 1150864247\n");
    let lines = "a/cpu 1.0 1150864247\na/mem 2.0 1150864247\nb/cpu 3.0 1150864247\n";
    let nothing = String::new;
    assert_eq!(run(&ports, &["get", "*"]), (0, lines.to_owned(), nothing()));
    assert_eq!(run(&ports, &["--once"]), (0, lines.to_owned(), nothing()));
    let cpus = "b/cpu 3.0 1150864247\na/cpu 1.0 1150864247\n";
    let args = ["--once", "--sort=-last", "*/cpu"];
    assert_eq!(run(&ports, &args), (0, cpus.to_owned(), nothing()));
    assert_eq!(run(&ports, &["put", "b/x", "1", "7"]), (0, nothing(), nothing()));
    assert_eq!(servers[1].send("get x\n"), "ok\nx 1.0 7\n\n");
    let (code, _, said) = run(&ports, &["put", "x", "1", "7"]);
    assert_eq!(code, 1);
    assert!(said.contains("a key here begins with the name of its server: a/ or b/"), "{said}");
    let (code, _, said) = run(&ports, &["del", "*/cpu", "--yes"]);
    assert_eq!(
        (code, servers[0].send("get *\n").as_str()),
        (0, "ok\nmem 2.0 1150864247\n\n"),
        "{said}"
    );
    // One that has a name has it before its keys, too.
    assert_eq!(run(&ports[..1], &["get", "*"]).1, "a/mem 2.0 1150864247\n");
}

#[test]
fn a_prefix_without_keys_is_named() {
    let server = TestServer::start();
    server.send("put run1.loss 1 1150864247\n");
    let of_runs = |runs: &[&str]| {
        let mut command = piped(env!("CARGO_BIN_EXE_tui-client"));
        command.args(["--host", "localhost", "--port", &server.port.to_string(), "--once"]);
        command.args(runs.iter().map(|run| format!("--prefix={run}")));
        finish(command.spawn().unwrap())
    };
    let line = "run1.loss 1.0 1150864247\n".to_owned();
    let said = "tui-client: run3.: no keys yet\n".to_owned();
    assert_eq!(of_runs(&["run1.", "run3."]), (0, line.clone(), said));
    assert_eq!(of_runs(&["run1."]), (0, line, String::new()));
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let server = TestServer::start();
    let gone = free_port();
    let (code, out, said) = run(&[server.port, gone], &["get", "*"]);
    assert_eq!((code, &*out), (3, ""));
    assert!(said.contains(&format!("b: localhost:{gone}: no server there")), "{said}");
    let (code, _, said) = run(&[server.port, gone], &["--put"]);
    assert_eq!(code, 2);
    assert!(said.contains("--put goes to one server: one --host, without a NAME="), "{said}");
}

#[test]
fn a_watch_prints_what_any_server_gets_also_across_a_restart_of_one() {
    let mut servers = [TestServer::start(), TestServer::start()];
    let ports = servers.each_ref().map(|server| server.port);
    for server in &servers {
        server.send("put cpu 1 10\n");
    }
    let mut child = client(&ports, &["--watch", "*/cpu"]).spawn().unwrap();
    let out = Lines::of(child.stdout.take());
    let err = Lines::of(child.stderr.take());
    assert_eq!((out.next_line(), out.next_line()), ("a/cpu 1.0 10".into(), "b/cpu 1.0 10".into()));
    servers[1].send("put cpu 2 20\n");
    assert_eq!(out.next_line(), "b/cpu 2.0 20");
    servers[1].stop();
    err.until("trying again until it works");
    servers[0].send("put cpu 3 30\n");
    servers[1].start_again();
    // What was put meanwhile comes with the connection.
    assert_eq!(out.next_line(), "a/cpu 3.0 30");
    err.until("connected again");
    servers[1].send("put cpu 4 40\n");
    assert_eq!(out.next_line(), "b/cpu 4.0 40");
    kill(child);
}

#[test]
fn runs_are_printed_with_shifted_times() {
    let server = TestServer::start();
    server
        .send("put run1.loss 9 1000\nput run1.loss 5 1100\nput other 7 7\nput run2.loss 8 1500\n");
    let run = |args: &[&str]| crate::harness::client::run(server.port, args);
    let both = ["--prefix", "run1.", "--prefix", "run2."];
    let with = |args: &[&'static str]| run(&[&both[..], args].concat());
    let lines = "run1.loss 9.0 1500\nrun1.loss 5.0 1600\nrun2.loss 8.0 1500\n";
    assert_eq!(with(&["get", "*"]), (0, lines.to_owned(), String::new()));
    let last = "run1.loss 5.0 1600\nrun2.loss 8.0 1500\n";
    assert_eq!(with(&["--once"]), (0, last.to_owned(), String::new()));
    let one = "run1.loss 5.0 1100\n";
    assert_eq!(run(&["--prefix", "run1.", "--once"]), (0, one.to_owned(), String::new()));
    let (code, _, said) = with(&["put", "run1.loss", "1", "7"]);
    assert_eq!(code, 1);
    assert!(said.contains("the times of run1. are shifted by 8m20s"), "{said}");
    let mut child = crate::harness::client::client(server.port);
    let mut child = child.args([&both[..], &["--watch", "*.loss"]].concat()).spawn().unwrap();
    let out = Lines::of(child.stdout.take());
    assert_eq!(out.next_line() + "\n" + &out.next_line() + "\n", last);
    server.send("put run2.loss 4 1510\n");
    assert_eq!(out.next_line(), "run2.loss 4.0 1510");
    kill(child);
    for (args, why) in [
        (&["--prefix", "run1.", "--prefix", "run1.a.", "--once"][..], "no --prefix begins another"),
        (&["--prefix", "run1."], "--prefix goes with --put, --once, --watch, a get, or the screen"),
    ] {
        let (code, _, said) = run(args);
        assert_eq!(code, 2);
        assert!(said.contains(why), "{said}");
    }
}

/// A server that knows keys and `*` alone, and one key.
fn without_selectors(line: &str) -> String {
    match line {
        "get *" => format!("ok\nold 1.0 1\n{} 1.0 1\n\n", "k".repeat(1023)),
        line if line.starts_with("get ") => "ok\n\n".to_owned(),
        _ => "error\nwrong command\n\n".to_owned(),
    }
}

#[test]
fn a_server_without_selectors_is_named_or_asked_for_all() {
    let able = TestServer::start();
    able.send("put new 2 2\n");
    let ports = [able.port, answering(without_selectors)];
    for selector in ["*[last]", "*/old"] {
        let (code, out, said) = run(&ports, &["get", selector]);
        assert_eq!((code, &*out), (1, ""), "{said}");
        assert!(said.contains("b: this server knows no selectors"), "{said}");
    }
    for args in [&["--once"][..], &["--once", "*/old", "*/new"]] {
        let (_, out, said) = run(&ports, args);
        assert_eq!(out, "a/new 2.0 2\nb/old 1.0 1\n", "{args:?} {said}");
    }
    // A key that is too long with the name before it is counted.
    let (code, out, said) = run(&ports, &["get", "*"]);
    assert_eq!((code, &*out), (1, "a/new 2.0 2\nb/old 1.0 1\n"));
    let expected = "skipped 1 malformed line, or of keys that are longer than 1,024 bytes";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn a_del_that_one_server_does_not_allow_is_done_in_none() {
    let able = TestServer::start();
    able.send("put old 2 2\n");
    let ports = [able.port, answering(without_selectors)];
    let (code, _, said) = run(&ports, &["del", "*/old", "--yes"]);
    assert_eq!(code, 1);
    assert!(said.contains("b does not allow deletes: nothing is deleted"), "{said}");
    assert_eq!(able.send("get *\n"), "ok\nold 2.0 2\n\n");
}
