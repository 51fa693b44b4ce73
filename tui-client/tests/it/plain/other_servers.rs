//! Servers of the protocol that are not ours.

use std::io::Write;
use std::process::Stdio;

use crate::harness::client::{Lines, client, finish, kill, pipe, pipe_to, run};
use crate::harness::peer::{POLLED, peer, plain_request};
use crate::harness::quirky_server::{Quirk, QuirkyServer};

/// Points in the order of their puts: keys and times are mixed.
const POINTS: [(&str, &str, i64); 5] =
    [("a", "2.0", 20), ("b", "7.0", 5), ("a", "1.0", 10), ("c", "3.0", 1), ("b", "8.0", 6)];

/// A server with the points.
fn server(quirk: Quirk) -> QuirkyServer {
    let server = QuirkyServer::start(quirk);
    for (key, value, time) in POINTS {
        server.put(key, value, time);
    }
    server
}

/// What is said of the malformed lines in so many replies, and the exit code.
fn malformed(quirk: Quirk, replies: u64) -> (i32, String) {
    match quirk {
        Quirk::Malformed => (1, format!("skipped {} malformed lines", 2 * replies)),
        _ => (0, String::new()),
    }
}

/// Sorted, because the order is that of the server.
fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn imports_work_on_all_servers() {
    for quirk in Quirk::ALL {
        let server = QuirkyServer::start(quirk);
        let puts: Vec<_> = (0..200).map(|n| format!("k{} {n}.0 {n}", n % 3)).collect();
        let input: String = puts.iter().map(|put| format!("put {put}\n")).collect();
        assert_eq!(pipe(server.port, input), (0, String::new(), String::new()), "{quirk:?}");
        assert_eq!(server.stored(), puts, "{quirk:?}");
        let data: String = puts.iter().map(|put| format!("{put}\n")).collect();
        let args = ["--put", "--retry", "--prefix", "x."];
        assert_eq!(pipe_to(server.port, &args, data), (0, String::new(), String::new()));
        let prefixed: Vec<_> = puts.iter().map(|put| format!("x.{put}")).collect();
        assert_eq!(server.stored()[200..], prefixed, "{quirk:?}");
    }
}

#[test]
fn requests_of_all_kinds_in_a_pipe_work_on_all_servers() {
    for quirk in Quirk::ALL {
        let server = server(quirk);
        let (code, out, err) = pipe(server.port, "put d 4.0 1\nget d\nget b\nput d 5.0 1\nget d\n");
        let (expected, said) = malformed(quirk, 3);
        assert_eq!((code, &*out), (expected, "d 4.0 1\nb 7.0 5\nb 8.0 6\nd 5.0 1\n"), "{quirk:?}");
        assert!(err.contains(&said) && err.is_empty() == said.is_empty(), "{quirk:?}: {err}");
        if quirk == Quirk::ClosesOnError {
            continue;
        }
        let (code, _, err) = pipe(server.port, "put e 1 1\ngot\nput e 2 2\n");
        assert_eq!(code, 1, "{quirk:?}");
        assert!(err.starts_with("tui-client: line 2, got: the commands are "), "{quirk:?}: {err}");
        assert!(err.contains("3 lines: 2 stored, 1 refused"), "{quirk:?}: {err}");
    }
}

#[test]
fn points_are_printed_in_each_format_from_all_servers() {
    let all = ["a 1.0 10", "a 2.0 20", "b 7.0 5", "b 8.0 6", "c 3.0 1"];
    for quirk in Quirk::ALL {
        let server = server(quirk);
        let (expected, said) = malformed(quirk, 1);
        for format in ["text", "csv", "json"] {
            let (code, out, err) = run(server.port, &["--format", format, "get", "*"]);
            assert_eq!(code, expected, "{quirk:?} {format}");
            assert!(err.contains(&said) && err.is_empty() == said.is_empty(), "{quirk:?}: {err}");
            let points: Vec<_> = all
                .map(|line| match format {
                    "csv" => line.replace(' ', ","),
                    "json" => {
                        let [key, value, time] = line.split(' ').collect::<Vec<_>>()[..] else {
                            panic!("{line}")
                        };
                        format!("{{\"key\":\"{key}\",\"value\":{value},\"timestamp\":{time}}}")
                    }
                    _ => line.to_owned(),
                })
                .into();
            let out = out.strip_prefix("key,value,timestamp\n").unwrap_or(&out);
            assert_eq!(sorted(out), points, "{quirk:?} {format}");
        }
    }
}

#[test]
fn once_folds_the_replies_of_all_servers() {
    for quirk in Quirk::ALL {
        let server = server(quirk);
        let (expected, _) = malformed(quirk, 1);
        let (code, out, err) = run(server.port, &["--once"]);
        assert_eq!(
            (code, sorted(&out)),
            (expected, vec!["a 2.0 20", "b 8.0 6", "c 3.0 1"]),
            "{err}"
        );
        let args = ["--once", "b", "a", "--columns", "key,last,count,change,min", "--sort", "key"];
        let (code, out, err) = run(server.port, &args);
        assert_eq!((code, &*out), (expected, "a 2.0 2 1.0 1.0\nb 8.0 2 1.0 7.0\n"), "{quirk:?}");
        assert_eq!(err.matches("malformed").count(), usize::try_from(expected).unwrap(), "{err}");
    }
}

#[test]
fn several_watches_work_on_all_servers() {
    for quirk in Quirk::ALL {
        let server = server(quirk);
        let args = ["--watch", "a", "--watch", "b", "--watch", "none", "--interval", "0.02"];
        let mut child = client(server.port).args(args).spawn().unwrap();
        let (out, err) = (Lines::of(child.stdout.take()), Lines::of(child.stderr.take()));
        let next = || out.next_line();
        assert_eq!([next(), next()], ["a 2.0 20", "b 8.0 6"], "{quirk:?}");
        server.put("b", "9.0", 7);
        assert_eq!(next(), "b 9.0 7", "{quirk:?}");
        server.put("a", "3.0", 30);
        assert_eq!(next(), "a 3.0 30", "{quirk:?}");
        server.put_together(&[("a", "5.0", 50), ("a", "4.0", 40)]);
        let mut both = [next(), next()];
        both.sort_unstable();
        assert_eq!(both, ["a 4.0 40", "a 5.0 50"], "{quirk:?}");
        assert_eq!(err.next_line(), format!("{POLLED}0.02s"), "{quirk:?}");
        if quirk == Quirk::Malformed {
            err.until("a: skipped 2 malformed lines");
            err.until("b: skipped 2 malformed lines");
        }
        assert_eq!(err.next_line(), "tui-client: no points for none yet", "{quirk:?}");
        kill(child);
    }
}

#[test]
fn a_server_that_closes_after_each_reply_is_polled_in_silence() {
    for quirk in [Quirk::ClosesAfterReply, Quirk::ClosesAfterRead] {
        let server = server(quirk);
        let args = ["--watch", "a", "--interval", "0.02"];
        let mut child = client(server.port).args(args).spawn().unwrap();
        let out = Lines::of(child.stdout.take());
        assert_eq!(out.next_line(), "a 2.0 20");
        for time in 30..35 {
            server.put("a", "3.0", time);
            assert_eq!(out.next_line(), format!("a 3.0 {time}"));
        }
        // Without a pause that makes the interval longer.
        assert_eq!(kill(child), format!("{POLLED}0.02s\n"), "{quirk:?}");
    }
}

#[test]
fn a_request_in_the_arguments_takes_one_connection_and_no_probe() {
    let server = server(Quirk::None);
    assert_eq!(run(server.port, &["put", "a", "1", "1"]), (0, String::new(), String::new()));
    let mut child = client(server.port).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"put a 2 2\n").unwrap();
    assert_eq!(finish(child).0, 0);
    assert_eq!((server.connections(), server.requests().len()), (2, 2));
}

#[test]
fn an_error_without_a_reason_is_said_to_have_none() {
    for (args, said) in [
        (&["put", "a", "1", "1"][..], "put a 1 1: no reason given"),
        (&["--once", "a"], "a: no reason given"),
    ] {
        let (port, serving) = peer(vec![|mut stream, from| {
            while !plain_request(stream, from).is_empty() {
                stream.write_all(b"error\n\n").unwrap();
            }
        }]);
        let (code, out, err) = run(port, args);
        serving.join().unwrap();
        assert_eq!((code, &*out), (1, ""), "{args:?}");
        assert!(err.starts_with(&format!("tui-client: {said}\n")), "{err}");
    }
}
