//! Servers with less memory.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Command;
use std::thread;

use crate::harness::process::{ServerProcess, command};

/// A server that starts with what `ulimit` says.
fn limited(ulimit: &str, data: &Path, options: &[&str]) -> ServerProcess {
    let server = command();
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit {ulimit} && exec \"$@\""), "sh"]);
    shell.arg(server.get_program()).args(server.get_args());
    let mut program = ServerProcess::spawn(shell.arg("--data-dir").arg(data).args(options));
    program.wait_until_listening();
    program
}

/// Puts of a series each, numbers in a range, on one connection. Answers how many of them are stored,
/// and the reason why others are not.
fn put_keys(program: &ServerProcess, keys: std::ops::Range<usize>) -> (usize, Option<String>) {
    let mut stream = program.connect();
    let mut replies = BufReader::new(stream.try_clone().unwrap());
    let count = keys.len();
    let sender = thread::spawn(move || {
        let mut lines = String::new();
        for key in keys {
            writeln!(lines, "put host{key:08}.some.metric.of.it {key} {key}").unwrap();
            if lines.len() > 60_000 {
                stream.write_all(lines.as_bytes()).unwrap();
                lines.clear();
            }
        }
        stream.write_all(lines.as_bytes()).unwrap();
    });
    let (mut stored, mut reason, mut line) = (0, None, String::new());
    for _ in 0..count {
        line.clear();
        assert!(replies.read_line(&mut line).unwrap() > 0, "cut off after {stored} puts");
        if line == "ok\n" {
            assert_eq!(reason, None, "a new series after one was refused");
            stored += 1;
        } else {
            line.clear();
            replies.read_line(&mut line).unwrap();
            reason.get_or_insert_with(|| line.trim_end().to_owned());
        }
        line.clear();
        replies.read_line(&mut line).unwrap();
        assert_eq!(line, "\n");
    }
    sender.join().unwrap();
    (stored, reason)
}

#[test]
fn keys_without_end_are_refused_within_a_limit_of_memory() {
    const LIMIT: usize = 65_536;
    let data = tempfile::tempdir().unwrap();
    for round in 0..3 {
        // In KiB.
        let mut program = limited("-v 131072", data.path(), &[]);
        program.wait_until_logged("memory is limited to 128 MiB by ulimit -v");
        let (stored, reason) = put_keys(&program, 0..LIMIT + 10_000);
        assert_eq!(stored, LIMIT, "{}", program.describe_end());
        let expected = format!("there are too many series (the limit is {LIMIT})");
        assert_eq!(reason, Some(expected));
        let found = program.request("get *[::all:count]\n");
        assert_eq!(found.lines().filter(|line| line.ends_with(" 1.0 0")).count(), 1);
        assert_eq!(found.lines().count(), LIMIT + 2, "in round {round}");
        program.kill();
    }
}
