//! Globs and alerts without a signal at their end.

use std::io::{BufReader, Write};
use std::process::Child;

use crate::harness::client::{Lines, client, finish, kill};
use crate::harness::peer::{POLLED, accept, listen, plain_request};
use crate::harness::server::TestServer;

fn watch(port: u16, args: &[&str]) -> Child {
    client(port).args(["--interval", "0.02"]).args(args).spawn().unwrap()
}

#[test]
fn an_alert_ends_with_the_last_point_of_its_key() {
    // Stands for a server whose retention has dropped all points of the key.
    let told = told_of(["ok\na 6.0 1\n\n", "ok\n\n"]);
    assert_eq!(told[0], "tui-client: alert: a > 5: a is 6");
    assert_eq!(told[1], "tui-client: no data: a > 5: a has no points any more");
}

/// The two events of an alert on `a > 5` with these replies; it has fired.
fn told_of(replies: [&str; 2]) -> [String; 2] {
    let (listener, port) = listen();
    let mut child = watch(port, &["--alert", "a > 5"]);
    let peer = accept(&listener);
    let mut asked = BufReader::new(&peer);
    for reply in replies {
        assert_eq!(plain_request(&peer, &mut asked), "get a");
        (&peer).write_all(reply.as_bytes()).unwrap();
    }
    let err = Lines::of(child.stderr.take());
    assert_eq!(err.next_line(), format!("{POLLED}0.02s"));
    let told = [0, 1].map(|_| err.next_line());
    kill(child);
    told
}

#[test]
fn a_point_between_two_polls_is_evaluated() {
    let first = "ok\na 6.0 1\na 1.0 2\n\n";
    for second in ["a 1.0 2\na 7.0 3\na 2.0 4\n", "a 7.0 2\na 2.0 4\n"] {
        let told = told_of([first, &format!("ok\na 6.0 1\n{second}\n")]);
        assert!(told[0].starts_with("tui-client: alert: a > 5: a was 7 (age "), "{told:?}");
        assert_eq!(told[1], "tui-client: resolved: a > 5: a is 2");
    }
}

#[test]
fn a_key_new_between_two_polls_is_evaluated_from_its_first_point() {
    for (alert, key) in [("a > 5", "a"), ("* > 5", "new.a")] {
        let (listener, port) = listen();
        let mut child = watch(port, &["--alert", alert]);
        let peer = accept(&listener);
        let mut asked = BufReader::new(&peer);
        for reply in ["ok\n\n".to_owned(), format!("ok\n{key} 9 1\n{key} 1 2\n\n")] {
            assert!(plain_request(&peer, &mut asked).starts_with("get "));
            (&peer).write_all(reply.as_bytes()).unwrap();
        }
        let err = Lines::of(child.stderr.take());
        let [_, _, told @ ..] = [(); 4].map(|()| err.next_line());
        let expected = format!("tui-client: alert: {alert}: {key} was 9 (age ");
        assert!(told[0].starts_with(&expected), "{told:?}");
        assert_eq!(told[1], format!("tui-client: resolved: {alert}: {key} is 1"));
        kill(child);
    }
}

#[test]
fn a_glob_includes_keys_that_appear_later() {
    let server = TestServer::start();
    server.send("put palm.cpu 1 1\nput other 1 1\nput palm.mem 2 1\n");
    let mut child = watch(server.port, &["--watch", "palm.*"]);
    let out = Lines::of(child.stdout.take());
    let next = || out.next_line();
    assert_eq!([next(), next()], ["palm.cpu 1.0 1", "palm.mem 2.0 1"]);
    server.send("put other 2 2\nput palm.new 3 5\n");
    assert_eq!(next(), "palm.new 3.0 5");
    kill(child);
}

#[test]
fn once_takes_globs_and_evaluates_alerts() {
    let server = TestServer::start();
    server.send("put palm.cpu 95 10\nput other 1 1\nput palm.mem 2 1\nput palm.mem 3 2\n");
    let once = |args: &[&str]| finish(watch(server.port, args));
    let all = "palm.cpu 95.0 10\npalm.mem 3.0 2\n".to_owned();
    assert_eq!(once(&["--once", "--watch", "palm.*"]), (0, all, String::new()));
    let (code, out, err) = once(&["--once", "--alert", "palm.cpu > 90"]);
    assert_eq!((code, &*out), (4, "palm.cpu 95.0 10\n"));
    assert_eq!(err, "tui-client: alert: palm.cpu > 90: palm.cpu is 95\n");
    assert_eq!(once(&["--once", "--alert", "palm.cpu > 99"]).0, 0);
    let (code, out, err) = once(&["--once", "palm.mem", "--alert", "palm.mem > 2.5"]);
    assert_eq!((code, &*out), (4, "palm.mem 3.0 2\n"));
    assert_eq!(err, "tui-client: alert: palm.mem > 2.5: palm.mem is 3\n");
    let both = ["--once", "--watch", "palm.cpu", "--alert", "palm.cpu > 99"];
    assert_eq!(once(&both), (0, "palm.cpu 95.0 10\n".to_owned(), String::new()), "nothing twice");
    let (code, out, err) = once(&["--once", "--alert", "palm.cup > 90"]);
    // No data is not the same as no alert.
    assert_eq!((code, &*out), (1, ""));
    let said = "tui-client: no points for palm.cup\n\
        tui-client: no data: palm.cup > 90\n";
    assert_eq!(err, said);
    let (code, _, err) =
        once(&["--once", "--alert", "palm.cup age > 1m", "--alert", "palm.* > 90"]);
    assert_eq!(code, 4, "{err}");
}
