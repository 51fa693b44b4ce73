//! `--watch`: each new point as a line.

use std::io::Write;
use std::net::Shutdown;

use crate::harness::client::{Lines, client, finish, first_line, kill, unix_now};
use crate::harness::peer::{peer, plain_request};
use crate::harness::server::TestServer;

#[test]
fn a_watch_prints_each_new_point_across_a_restart() {
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
    err.until("trying again until it works");
    assert!(err.next_line().contains("connected again"));
    kill(child);
}

#[test]
fn a_watch_streams_json() {
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
fn a_watch_whose_output_is_closed_ends_with_the_next_point() {
    let server = TestServer::start();
    server.send("put a 1 10\n");
    let args = ["--watch", "a", "--interval", "0.02"];
    let mut child = client(server.port).args(args).spawn().unwrap();
    drop(first_line(child.stdout.take()));
    // Where the end of a pipe shows at once, it may have ended already.
    server.send("put a 2 20\n");
    let (code, _, err) = finish(child);
    assert_eq!((code, &*err), (0, ""));
}

#[test]
fn a_watch_continues_after_a_partial_first_reply() {
    let (port, serving) = peer(vec![
        |mut stream, from| {
            assert_eq!(plain_request(stream, from), "get a");
            stream.write_all(b"ok\na 1.0 1\na 2.0 2\n").unwrap();
            stream.shutdown(Shutdown::Both).unwrap();
        },
        |mut stream, from| {
            assert_eq!(plain_request(stream, from), "get a");
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
fn malformed_lines_are_skipped_and_reported_once() {
    let (port, serving) = peer(vec![|mut stream, from| {
        for value in ["1.0", "2.0"] {
            assert_eq!(plain_request(stream, from), "get a");
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
    assert_eq!(err.matches("skipped 1 malformed line").count(), 1, "{err}");
}

#[test]
fn a_polled_watch_is_not_fooled_by_a_point_in_the_far_future() {
    let (port, serving) = peer(vec![|mut stream, from| {
        let now = unix_now();
        for news in [String::new(), format!("a 2.0 {}\n", now + 1)] {
            assert_eq!(plain_request(stream, from), "get a");
            let reply = format!("ok\na 1.0 {now}\n{news}a 99.0 {now}000\n\n");
            stream.write_all(reply.as_bytes()).unwrap();
        }
    }]);
    let args = ["--watch", "a", "--interval", "0.02", "--alert", "a > 1.5"];
    let mut child = client(port).args(args).spawn().unwrap();
    let (out, err) = (Lines::of(child.stdout.take()), Lines::of(child.stderr.take()));
    assert!(out.next_line().starts_with("a 1.0 "));
    assert!(out.next_line().starts_with("a 2.0 "));
    assert_eq!(err.until("alert"), "tui-client: alert: a > 1.5: a is 2");
    serving.join().unwrap();
    kill(child);
}

#[test]
fn a_watch_prints_what_was_since_then_and_each_change_of_it() {
    let server = TestServer::start();
    let now = unix_now();
    let old = now - 10_000;
    server.send(&format!("put a 0 {old}\nput a 1 {now}\nput ab 2 {now}\nput b 1 {now}\n"));
    let args = ["--watch", "a*", "--since", "1h"];
    let mut child = client(server.port).args(args).spawn().unwrap();
    let out = Lines::of(child.stdout.take());
    let next = || out.next_line();
    assert_eq!([next(), next()], [format!("a 1.0 {now}"), format!("ab 2.0 {now}")]);
    server.send(&format!("put a 3 {old}\nput b 1 1\nput a 4 {now}\nput a 4 {now}\n"));
    assert_eq!([next(), next()], [format!("a 3.0 {old}"), format!("a 4.0 {now}")]);
    server.send(&format!("del a[:{old}]\nput new 1 1\nput ac 5 7\n"));
    assert_eq!([next(), next()], [format!("a - {old}"), "ac 5.0 7".to_owned()]);
    kill(child);
}
