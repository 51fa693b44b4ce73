//! Globs and alerts in the plain mode: the real binary in pipes.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use crate::served::Served;

fn watch(port: u16, args: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tui-client"));
    command.args(["--port", &port.to_string(), "--interval", "0.02"]).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Asks it to end, as Ctrl-C does with INT and a supervisor with TERM.
fn end(child: &Child, signal: &str) {
    let (signal, id) = (format!("-{signal}"), child.id().to_string());
    assert!(Command::new("kill").args([signal, id]).status().unwrap().success());
}

/// Whoever runs the tests with nohup has their children ignore it, too.
fn is_ignored_here(signal: &str) -> bool {
    let number = [(1, "HUP"), (2, "INT"), (15, "TERM")].into_iter().find(|known| known.1 == signal);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    number.is_some_and(|(number, _)| mask >> (number - 1) & 1 == 1)
}

#[test]
fn an_alert_is_told_and_is_the_exit_code() {
    let served = Served::start();
    served.say("put palm.cpu 50 10\nput palm.mem 95 10\n");
    let mut child = watch(served.port, &["--alert", "palm.cpu > 90"]);
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut err = BufReader::new(child.stderr.take().unwrap()).lines();
    assert_eq!(out.next().unwrap().unwrap(), "palm.cpu 50.0 10", "what it is about is watched");
    served.say("put palm.cpu 95.5 20\n");
    let told = err.next().unwrap().unwrap();
    assert_eq!(told, "tui-client: alert: palm.cpu > 90: palm.cpu is 95.5");
    served.say("put palm.cpu 1 30\n");
    let told = err.next().unwrap().unwrap();
    assert_eq!(told, "tui-client: resolved: palm.cpu > 90: palm.cpu is 1");
    end(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(4));
}

#[test]
fn an_alarm_ends_with_the_last_point_of_its_key() {
    // Stands for a server whose retention has dropped all points of the key.
    let told = told_of(["ok\na 6.0 1\n\n", "ok\n\n"]);
    assert_eq!(told[0], "tui-client: alert: a > 5: a is 6");
    assert_eq!(told[1], "tui-client: no data: a > 5: a has no points any more");
}

/// What is told of an alert on `a > 5` that has these answers; it has fired.
fn told_of(replies: [&str; 2]) -> [String; 2] {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut child = watch(listener.local_addr().unwrap().port(), &["--alert", "a > 5"]);
    let (peer, _) = listener.accept().unwrap();
    let mut asked = BufReader::new(peer.try_clone().unwrap()).lines();
    for reply in replies {
        assert_eq!(asked.next().unwrap().unwrap(), "get a");
        (&peer).write_all(reply.as_bytes()).unwrap();
    }
    let mut err = BufReader::new(child.stderr.take().unwrap()).lines();
    let told = [0, 1].map(|_| err.next().unwrap().unwrap());
    end(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(4), "it has fired");
    told
}

#[test]
fn a_point_between_two_polls_is_judged_too() {
    let first = "ok\na 6.0 1\na 1.0 2\n\n";
    for second in ["a 1.0 2\na 7.0 3\na 2.0 4\n", "a 7.0 2\na 2.0 4\n"] {
        let told = told_of([first, &format!("ok\na 6.0 1\n{second}\n")]);
        assert!(told[0].starts_with("tui-client: alert: a > 5: a was 7 (age "), "{told:?}");
        assert_eq!(told[1], "tui-client: resolved: a > 5: a is 2");
    }
}

#[test]
fn a_key_that_comes_between_two_polls_is_judged_from_its_first_point() {
    for (alert, key) in [("a > 5", "a"), ("* > 5", "new.a")] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut child = watch(listener.local_addr().unwrap().port(), &["--alert", alert]);
        let (peer, _) = listener.accept().unwrap();
        let mut asked = BufReader::new(peer.try_clone().unwrap()).lines();
        for reply in ["ok\n\n".to_owned(), format!("ok\n{key} 9 1\n{key} 1 2\n\n")] {
            assert!(asked.next().unwrap().unwrap().starts_with("get "));
            (&peer).write_all(reply.as_bytes()).unwrap();
        }
        let err = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let told: Vec<_> = err.skip(1).take(2).collect();
        let expected = format!("tui-client: alert: {alert}: {key} was 9 (age ");
        assert!(told[0].starts_with(&expected), "{told:?}");
        assert_eq!(told[1], format!("tui-client: resolved: {alert}: {key} is 1"));
        end(&child, "TERM");
        assert_eq!(child.wait().unwrap().code(), Some(4));
    }
}

#[test]
fn without_an_alert_all_is_well() {
    let served = Served::start();
    served.say("put a 1 1\n");
    let mut child = watch(served.port, &["--watch", "a", "--alert", "a > 5"]);
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(out.next().unwrap().unwrap(), "a 1.0 1");
    end(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn an_alert_that_had_nothing_to_judge_is_no_good_end() {
    let served = Served::start();
    served.say("put a 1 1\n");
    for signal in ["INT", "TERM", "HUP"].into_iter().filter(|signal| !is_ignored_here(signal)) {
        let mut child = watch(served.port, &["--watch", "a", "--alert", "b > 5"]);
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(out.next().unwrap().unwrap(), "a 1.0 1");
        end(&child, signal);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{signal}");
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(err.contains("no data: b > 5"), "{err}");
    }
}

#[test]
fn a_signal_that_is_ignored_from_the_start_ends_nothing() {
    let served = Served::start();
    served.say("put a 1 1\n");
    let script = "trap '' HUP; exec \"$0\" --port \"$1\" --interval 0.02 --watch a --alert 'a > 5'";
    let mut child = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_tui-client"), &served.port.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(out.next().unwrap().unwrap(), "a 1.0 1");
    for round in 2..5 {
        end(&child, "HUP");
        served.say(&format!("put a {round} {round}\n"));
        assert_eq!(out.next().unwrap().unwrap(), format!("a {round}.0 {round}"));
    }
    end(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_glob_follows_keys_that_come_later_too() {
    let served = Served::start();
    served.say("put palm.cpu 1 1\nput other 1 1\nput palm.mem 2 1\n");
    let mut child = watch(served.port, &["--watch", "palm.*"]);
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || out.next().unwrap().unwrap();
    assert_eq!([next(), next()], ["palm.cpu 1.0 1", "palm.mem 2.0 1"]);
    served.say("put other 2 2\nput palm.new 3 5\n");
    assert_eq!(next(), "palm.new 3.0 5");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn once_takes_globs_and_tells_alerts_at_once() {
    let served = Served::start();
    served.say("put palm.cpu 95 10\nput other 1 1\nput palm.mem 2 1\nput palm.mem 3 2\n");
    let once = |args: &[&str]| {
        let output = watch(served.port, args).wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
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
    // Not to be taken for well.
    assert_eq!((code, &*out), (1, ""));
    let said = "tui-client: no points for palm.cup\n\
        tui-client: no data: palm.cup > 90\n";
    assert_eq!(err, said);
    let (code, _, err) =
        once(&["--once", "--alert", "palm.cup age > 1m", "--alert", "palm.* > 90"]);
    assert_eq!(code, 4, "{err}");
}
