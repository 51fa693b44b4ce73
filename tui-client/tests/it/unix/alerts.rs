//! Watches with alerts that a signal ends.

use std::process::Child;

use rustix::process::Signal;

use crate::harness::client::{Lines, client, finish, piped, unix_now};
use crate::harness::server::TestServer;
use crate::harness::signals::signal;

fn watch(port: u16, args: &[&str]) -> Child {
    client(port).args(["--interval", "0.02"]).args(args).spawn().unwrap()
}

#[test]
fn an_alert_is_reported_and_sets_the_exit_code() {
    let server = TestServer::start();
    server.send("put palm.cpu 50 10\nput palm.mem 95 10\n");
    let mut child = watch(server.port, &["--alert", "palm.cpu > 90"]);
    let out = Lines::of(child.stdout.take());
    let err = Lines::of(child.stderr.take());
    assert_eq!(out.next_line(), "palm.cpu 50.0 10", "what it is about is watched");
    server.send("put palm.cpu 95.5 20\n");
    let told = err.until("alert: ");
    assert_eq!(told, "tui-client: alert: palm.cpu > 90: palm.cpu is 95.5");
    server.send("put palm.cpu 1 30\n");
    let told = err.next_line();
    assert_eq!(told, "tui-client: resolved: palm.cpu > 90: palm.cpu is 1");
    signal(&child, Signal::TERM);
    assert_eq!(finish(child).0, 4);
}

#[test]
fn an_interrupted_watch_without_a_fired_alert_exits_with_0() {
    let server = TestServer::start();
    server.send("put a 1 1\n");
    let mut child = watch(server.port, &["--watch", "a", "--alert", "a > 5"]);
    let out = Lines::of(child.stdout.take());
    assert_eq!(out.next_line(), "a 1.0 1");
    signal(&child, Signal::INT);
    assert_eq!(finish(child).0, 0);
}

#[test]
fn an_alert_that_had_no_data_exits_with_1() {
    let server = TestServer::start();
    server.send("put a 1 1\n");
    for ending in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut child = watch(server.port, &["--watch", "a", "--alert", "b > 5"]);
        let out = Lines::of(child.stdout.take());
        assert_eq!(out.next_line(), "a 1.0 1");
        signal(&child, ending);
        let (code, _, err) = finish(child);
        assert_eq!(code, 1, "{ending:?}");
        assert!(err.contains("no data: b > 5"), "{err}");
    }
}

#[test]
fn an_inherited_ignored_signal_stays_ignored() {
    let server = TestServer::start();
    server.send("put a 1 1\n");
    let script = "trap '' HUP; exec \"$0\" --port \"$1\" --interval 0.02 --watch a --alert 'a > 5'";
    let mut child = piped("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_tui-client"), &server.port.to_string()])
        .spawn()
        .unwrap();
    let out = Lines::of(child.stdout.take());
    assert_eq!(out.next_line(), "a 1.0 1");
    for round in 2..5 {
        signal(&child, Signal::HUP);
        server.send(&format!("put a {round} {round}\n"));
        assert_eq!(out.next_line(), format!("a {round}.0 {round}"));
    }
    signal(&child, Signal::TERM);
    assert_eq!(finish(child).0, 0);
}

#[test]
fn an_age_alert_fires_while_disconnected() {
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
fn a_command_is_run_for_each_change_of_an_alert() {
    let server = TestServer::start();
    server.send("put a 9 10\nput $(b) 7.5 20\n");
    let command = "echo \"<$METRICS_STATE> $METRICS_KEY $METRICS_VALUE $METRICS_TIMESTAMP \
                   $METRICS_CONDITION\"; exit 3";
    let args = ["--once", "--alert", "* > 5", "--exec", command];
    let (code, out, err) = finish(watch(server.port, &args));
    assert_eq!((code, &*out), (4, "a 9.0 10\n$(b) 7.5 20\n"), "data alone");
    assert!(err.contains("\n<firing> a 9.0 10 * > 5\n"), "{err}");
    assert!(err.contains("\n<firing> $(b) 7.5 20 * > 5\n"), "{err}");
    assert_eq!(err.matches(": exit code 3\n").count(), 1, "{err}");
}

#[test]
fn commands_of_one_alert_run_in_order_and_do_not_hold_up_the_watch() {
    let server = TestServer::start();
    server.send("put a 1 10\n");
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("go");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let command = format!("read go < '{}'; echo $METRICS_STATE >&2", fifo.display());
    let mut child = watch(server.port, &["--alert", "a > 5", "--exec", &command]);
    let (out, err) = (Lines::of(child.stdout.take()), Lines::of(child.stderr.take()));
    for (value, time) in [(1, 10), (9, 20), (1, 30)] {
        server.send(&format!("put a {value} {time}\n"));
        assert_eq!(out.next_line(), format!("a {value}.0 {time}"));
    }
    err.until("resolved: a > 5");
    for state in ["firing", "resolved"] {
        std::fs::write(&fifo, "\n").unwrap();
        assert_eq!(err.next_line(), state);
    }
    signal(&child, Signal::TERM);
    assert_eq!(finish(child).0, 4);
}
