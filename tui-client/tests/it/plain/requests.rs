//! The real binary in pipes.

use std::io::{BufReader, Write};
use std::net::Shutdown;
use std::process::Stdio;
use std::thread;

use rustix::process::Signal;

use crate::harness::client::{
    Lines, client, finish, first_line, kill, pipe, run, signal, unix_now, until_full,
};
use crate::harness::patience::wait_until;
use crate::harness::peer::{accept, free_port, hear, listen, peer, request};
use crate::harness::server::TestServer;

#[test]
fn a_request_in_the_arguments() {
    let server = TestServer::start();
    assert_eq!(run(server.port, &["put", "a.b", "-1.5", "7"]), (0, String::new(), String::new()));
    assert_eq!(run(server.port, &["get", "a.b"]), (0, "a.b -1.5 7\n".to_owned(), String::new()));
    assert_eq!(run(server.port, &["get a.b"]).1, "a.b -1.5 7\n");
    let (code, out, err) = run(server.port, &["put", "now", "1"]);
    assert_eq!((code, &*out), (0, ""));
    assert!(err.starts_with("tui-client: stored with the current time, "), "{err}");
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
    assert_eq!(code, 1);
    assert!(err.ends_with(": put a 1 -.5\n"), "{err}");
}

#[test]
fn an_ipv6_address_may_have_its_brackets() {
    let server = TestServer::start();
    server.send("put a 1 1\n");
    for host in ["[::1]", "::1"] {
        let args = ["--host", host, "get", "a"];
        assert_eq!(run(server.port, &args), (0, "a 1.0 1\n".to_owned(), String::new()), "{host}");
        // Port 1 is nobody's.
        let (code, _, err) = run(1, &args);
        assert_eq!(code, 3);
        assert!(err.starts_with("tui-client: [::1]:1: no server there"), "{err}");
    }
}

#[test]
fn exit_codes_are_as_documented() {
    let server = TestServer::start();
    let (code, out, err) = run(server.port, &["got", "*"]);
    assert_eq!((code, &*out), (1, ""));
    assert!(err.contains("wrong command: the commands are put and get"), "{err}");
    let (_, _, err) = run(server.port, &["get", "a", "b"]);
    assert_eq!(err, "tui-client: wrong command: nothing may follow here: get a b\n");
    assert_eq!(run(server.port, &["--nonsense"]).0, 2);
    assert_eq!(run(server.port, &["--watch", "no key"]).0, 2);
    assert_eq!(run(server.port, &["--help"]).0, 0);
    let nobody = free_port();
    for input in
        [run(nobody, &["get", "*"]), pipe(nobody, "get *\n"), run(nobody, &["--watch", "a"])]
    {
        let (code, out, err) = input;
        assert_eq!((code, &*out), (3, ""));
        assert!(err.contains("no server there"), "{err}");
    }
}

#[test]
fn a_closed_output_is_no_error() {
    let server = TestServer::start();
    let puts: String = (0..50_000).map(|at| format!("put a 1 {at}\n")).collect();
    server.send(&puts);
    let mut child = client(server.port).args(["get", "*"]).spawn().unwrap();
    drop(child.stdout.take());
    let (code, _, err) = finish(child);
    assert_eq!((code, &*err), (0, ""));
}

#[test]
fn watching_prints_each_new_point_across_a_restart() {
    let mut server = TestServer::start();
    server.send("put a 1 10\nput a 2 20\n");
    let mut child =
        client(server.port).args(["--watch", "a", "--interval", "0.02"]).spawn().unwrap();
    let out = Lines::of(child.stdout.take());
    let err = Lines::of(child.stderr.take());
    let next = || out.next_line();
    assert_eq!(next(), "a 2.0 20", "the last point first");
    server.send("put a 3 30\nput a 4 40\n");
    assert_eq!((next(), next()), ("a 3.0 30".to_owned(), "a 4.0 40".to_owned()));
    server.send("put a 4.5 40\nput old 1 1\n");
    assert_eq!(next(), "a 4.5 40", "a new value for the last time");
    server.start_again();
    server.send("put a 5 50\n");
    assert_eq!(next(), "a 5.0 50");
    assert!(err.next_line().contains("trying again until it works"));
    assert!(err.next_line().contains("connected again"));
    kill(child);
}

#[test]
fn every_format_prints_the_same_points() {
    let server = TestServer::start();
    server.send("put a 1 10\nput a 2.5 20\nput \u{706b}\"x, -1 5\n");
    let json = "{\"key\":\"a\",\"value\":1.0,\"timestamp\":10}\n\
                {\"key\":\"a\",\"value\":2.5,\"timestamp\":20}\n\
                {\"key\":\"火\\\"x,\",\"value\":-1.0,\"timestamp\":5}\n";
    let csv = "key,value,timestamp\na,1.0,10\na,2.5,20\n\"火\"\"x,\",-1.0,5\n";
    let text = "a 1.0 10\na 2.5 20\n火\"x, -1.0 5\n";
    for (format, expected) in [("json", json), ("csv", csv), ("text", text)] {
        let args = ["--format", format, "get", "*"];
        assert_eq!(run(server.port, &args), (0, expected.to_owned(), String::new()));
        let mut child = client(server.port).args(&args[..2]).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"get *").unwrap();
        assert_eq!(finish(child), (0, expected.to_owned(), String::new()));
    }
    let empty = run(server.port, &["--format", "csv", "get", "nothing"]);
    assert_eq!(empty.1, "key,value,timestamp\n", "a table without rows has a header");
}

#[test]
fn once_prints_the_last_points_and_leaves() {
    let server = TestServer::start();
    server.send("put a 1 10\nput b 7 1\nput a 2 20\n");
    let all = (0, "a 2.0 20\nb 7.0 1\n".to_owned(), String::new());
    assert_eq!(run(server.port, &["--once"]), all);
    let args = ["--once", "--watch", "b", "--watch", "none", "--format", "csv"];
    assert_eq!(run(server.port, &args).1, "key,value,timestamp\nb,7.0,1\n");
}

#[test]
fn once_takes_keys_as_arguments_and_names_the_missing_ones() {
    let server = TestServer::start();
    server.send("put a 1 10\nput ab 7 1\nput b 1 1\n");
    let (code, out, err) = run(server.port, &["--once", "a*", "none", "x.*"]);
    assert_eq!((code, &*out), (0, "a 1.0 10\nab 7.0 1\n"));
    assert_eq!(err, "tui-client: no points for none\ntui-client: no points for x.*\n");
    assert_eq!(run(server.port, &["get", "none"]).2, "tui-client: no points for none\n");
    let hint = "tui-client: no points for x.*; this server knows no globs, but --once does\n";
    assert_eq!(run(server.port, &["get", "x.*"]).2, hint);
    let (code, _, err) = run(server.port, &["--once", "get", "a"]);
    assert_eq!(code, 2);
    assert!(err.contains("--once takes keys"), "{err}");
}

#[test]
fn once_prints_rows_of_the_table() {
    let server = TestServer::start();
    server.send("put a 1 10\nput \"b, -1 5\nput c 7 1\nput a 2.5 20\nput c 1e300 3\n");
    let once = |args: &[&str]| {
        let (code, out, err) = run(server.port, &[&["--once"], args].concat());
        assert_eq!((code, &*err), (0, ""), "{args:?}");
        out
    };
    let columns = "--columns=rate,key,count,time,avg,trend";
    let text = "0.15 a 2 20 1.75 ▁█\n- \"b, 1 5 -1.0 ▄\n5e+299 c 2 3 5e+299 ▁█\n";
    assert_eq!(once(&[columns]), text);
    let csv = "rate,key,count,time,avg,trend\n0.15,a,2,20,1.75,▁█\n,\"\"\"b,\",1,5,-1.0,▄\n\
               5e+299,c,2,3,5e+299,▁█\n";
    assert_eq!(once(&[columns, "--format", "csv"]), csv);
    let json = "{\"rate\":0.15,\"key\":\"a\",\"count\":2,\"time\":20}\n\
                {\"rate\":null,\"key\":\"\\\"b,\",\"count\":1,\"time\":5}\n";
    let first = ["--columns", "rate,key,count,time", "--filter", "last < 5", "--format", "json"];
    assert_eq!(once(&first), json);
    let data_lines = once(&["--sort", "-last"]);
    assert_eq!(data_lines, "c 1e+300 3\na 2.5 20\n\"b, -1.0 5\n");
    assert_eq!(once(&["--sort=-last", "--columns", "key,last,time"]), data_lines);
    assert_eq!(once(&["c", "a", "--sort", "rate"]), "a 2.5 20\nc 1e+300 3\n", "over requests");
    assert_eq!(once(&["a", "c", "--filter", "last > 1M"]), "c 1e+300 3\n");
    let (code, out, err) = run(server.port, &["--once", "--filter=zebra", "--alert", "a > 2"]);
    assert_eq!((code, &*out), (4, ""), "a filter hides no alert");
    assert!(err.contains("a is 2.5"), "{err}");
}

#[test]
fn an_age_is_in_seconds() {
    let server = TestServer::start();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    server.send(&format!("put a 1 {}\n", now - 1000));
    let age: u64 = run(server.port, &["--once", "--columns", "age"]).1.trim().parse().unwrap();
    assert!((1000..2000).contains(&age), "{age}");
}

#[test]
fn what_is_wrong_with_an_arrangement_is_said() {
    for (args, said) in [
        (&["--once", "--sort", "cpu"][..], "[possible values: key, last, change, rate, "),
        (&["--once", "--sort", "-trend"], "reply]"),
        (&["--once", "--sort", "--rate"], "invalid value"),
        (&["--once", "--columns", "key,cpu"], "time, trend]"),
        (&["--once", "--columns", "key,last,key"], "--columns has key twice"),
        (&["--once", "--filter", "last >"], "at character 7: a number is missing"),
        (&["--filter", "a", "get", "a"], "go with --once, or with the screen"),
        (&["--sort", "last"], "go with --once, or with the screen"),
        (&["--columns", "key", "--watch", "a"], "go with --once, or with the screen"),
    ] {
        let (code, out, err) = run(1, args);
        assert_eq!((code, &*out), (2, ""), "{args:?}");
        assert!(err.contains(said), "{err}");
    }
}

#[test]
fn a_filter_that_no_key_passes_is_told() {
    let server = TestServer::start();
    server.send("put a 1 1\nput b 5 1\n");
    let none = (0, String::new(), "tui-client: no key passes the filter\n".to_owned());
    let (_, csv, _) = run(server.port, &["--once", "--filter", "nothing", "--format", "csv"]);
    assert_eq!(csv, "key,value,timestamp\n");
    for more in [&[][..], &["--sort", "last"], &["a", "b"]] {
        let once = |filter| run(server.port, &[&["--once", "--filter", filter], more].concat());
        assert_eq!(once("last > 9"), none, "{more:?}");
        assert_eq!(once("last > 4"), (0, "b 5.0 1\n".to_owned(), String::new()), "{more:?}");
    }
}

#[test]
fn a_watch_prints_what_a_first_answer_that_broke_off_did_not_bring() {
    let (port, serving) = peer(vec![
        |mut stream, from| {
            hear(from, &["get a"]);
            stream.write_all(b"ok\na 1.0 1\na 2.0 2\n").unwrap();
            stream.shutdown(Shutdown::Both).unwrap();
        },
        |mut stream, from| {
            hear(from, &["get a"]);
            stream.write_all(b"ok\na 1.0 1\na 2.0 2\n\n").unwrap();
        },
    ]);
    let mut child = client(port).args(["--watch", "a"]).spawn().unwrap();
    let out = Lines::of(child.stdout.take());
    assert_eq!(out.next_line(), "a 2.0 2");
    serving.join().unwrap();
    kill(child);
}

#[test]
fn an_age_is_an_alert_also_while_the_server_is_away() {
    let mut server = TestServer::start();
    server.send(&format!("put a 1 {}\n", unix_now() + 2));
    let mut child = client(server.port).args(["--alert", "a age > 1s"]).spawn().unwrap();
    let out = Lines::of(child.stdout.take());
    let err = Lines::of(child.stderr.take());
    out.next_line();
    server.stop();
    // 2s, or later on a busy machine.
    let told = err.until("alert");
    assert!(told.starts_with("tui-client: alert: a age > 1s: the age of a is "), "{told}");
    signal(&child, Signal::TERM);
    assert_eq!(finish(child).0, 4);
}

#[test]
fn lines_that_are_no_points_are_left_out_and_told_once() {
    let (port, serving) = peer(vec![|mut stream, from| {
        for value in ["1.0", "2.0"] {
            hear(from, &["get a"]);
            let reply = [b"ok\n\xff\xfe 1 1\na ", value.as_bytes(), b" 7\n\n"].concat();
            stream.write_all(&reply).unwrap();
        }
    }]);
    let args = ["--watch", "a", "--interval", "0.02"];
    let mut child = client(port).args(args).spawn().unwrap();
    let out = Lines::of(child.stdout.take());
    let next = || out.next_line();
    assert_eq!((next(), next()), ("a 1.0 7".to_owned(), "a 2.0 7".to_owned()));
    serving.join().unwrap();
    let err = kill(child);
    assert_eq!(err.matches("no points, and left out: 1 line").count(), 1, "{err}");
}

#[test]
fn a_signal_is_heard_while_nobody_reads_standard_output() {
    let server = TestServer::start();
    server.send("put k 1 1\n");
    let args = ["--watch", "k*", "--alert", "k > 0", "--interval", "0.02"];
    let mut watching = client(server.port).args(args).spawn().unwrap();
    let out = watching.stdout.take().unwrap();
    let err = Lines::of(watching.stderr.take());
    assert!(err.next_line().contains("alert: k > 0"));
    let puts: Vec<_> = (0..20_000).map(|n| format!("put k.{n} {n} {n}\n")).collect();
    server.send(&puts.concat());
    until_full(&out);
    signal(&watching, Signal::TERM);
    assert_eq!(finish(watching).0, 4);

    let mut importing = client(server.port).stdin(Stdio::piped()).spawn().unwrap();
    let out = importing.stdout.take().unwrap();
    let mut stdin = importing.stdin.take().unwrap();
    writeln!(stdin, "get *").unwrap();
    until_full(&out);
    signal(&importing, Signal::INT);
    assert_eq!(finish(importing).0, 130);
}

#[test]
fn a_closed_pipe_is_no_error_in_any_format() {
    let server = TestServer::start();
    let puts: Vec<_> = (0..50_000).map(|n| format!("put a.b {n} {n}\n")).collect();
    server.send(&puts.concat());
    for format in ["text", "json", "csv"] {
        let mut child = client(server.port).args(["--format", format, "get", "*"]).spawn().unwrap();
        drop(first_line(child.stdout.take()));
        assert_eq!(finish(child), (0, String::new(), String::new()), "{format}");
    }
}

#[test]
fn watching_streams_in_every_format() {
    let server = TestServer::start();
    server.send("put a 1 10\n");
    let args = ["--watch", "a", "--interval", "0.02", "--format", "json"];
    let mut child = client(server.port).args(args).spawn().unwrap();
    let out = Lines::of(child.stdout.take());
    let next = || out.next_line();
    assert_eq!(next(), "{\"key\":\"a\",\"value\":1.0,\"timestamp\":10}");
    server.send("put a 2 20\n");
    assert_eq!(next(), "{\"key\":\"a\",\"value\":2.0,\"timestamp\":20}");
    kill(child);
}

#[test]
fn watching_ends_when_nobody_reads_even_if_nothing_changes() {
    let server = TestServer::start();
    server.send("put a 1 10\n");
    let args = ["--watch", "a", "--interval", "0.02"];
    let mut child = client(server.port).args(args).spawn().unwrap();
    drop(first_line(child.stdout.take()));
    let (code, _, err) = finish(child);
    assert_eq!((code, &*err), (0, ""));
}

#[test]
fn a_stalled_reply_is_given_up() {
    let (listener, port) = listen();
    let peer = thread::spawn(move || {
        // It holds the connections open and says no more.
        let mut held = Vec::new();
        for _ in 0..3 {
            let mut stream = accept(&listener);
            request(&mut BufReader::new(&stream));
            stream.write_all(b"ok\na 1.0 1\na 2.").unwrap();
            held.push(stream);
        }
        held
    });
    let patience = ["--timeout", "0.2"];
    let (code, out, err) = run(port, &[&patience[..], &["get", "a"]].concat());
    assert_eq!((code, &*out), (3, "a 1.0 1\n"));
    assert!(err.contains("the reply stalled: nothing came for 0.2 s"), "{err}");
    let (code, _, err) = run(port, &[&patience[..], &["--once"]].concat());
    assert_eq!(code, 3);
    assert!(err.contains("stalled"), "{err}");
    let mut child = client(port).args(patience).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"get a\nget a\n").unwrap();
    let (code, _, err) = finish(child);
    assert_eq!(code, 3);
    assert!(err.contains("from line 1 on it is unknown"), "{err}");
    drop(peer.join().unwrap());
}

#[test]
fn a_signal_is_heard_while_nobody_reads_what_is_said_either() {
    let server = TestServer::start();
    for (ending, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let (reader, writer) = std::io::pipe().unwrap();
        let mut command = client(server.port);
        command.stdout(writer.try_clone().unwrap()).stderr(writer).stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // Refused, each with a sentence.
        let feeding =
            thread::spawn(move || drop(stdin.write_all("got\n".repeat(20_000).as_bytes())));
        wait_until("a full pipe", || rustix::io::ioctl_fionread(&reader).unwrap() > 60_000);
        signal(&child, ending);
        assert_eq!(finish(child).0, code);
        drop(reader);
        feeding.join().unwrap();
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
fn what_cannot_be_written_is_told() {
    let server = TestServer::start();
    server.send("put a 1 1\n");
    for args in [&["--help"][..], &["--man"], &["get", "a"], &["--once"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let (code, _, err) = finish(client(server.port).args(args).stdout(full).spawn().unwrap());
        assert_eq!(code, 1, "{args:?}: {err}");
        assert!(err.contains("No space left on device"), "{args:?}: {err}");
    }
}
