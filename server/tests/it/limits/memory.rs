//! Servers with less memory, shorter files, and directories that are taken away from them.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Command;
use std::thread;

use super::abuse;
use crate::harness::os::END_SIGNALS;
use crate::harness::process::{ServerProcess, command, run};

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
    for round in 0..abuse(3) {
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

#[test]
fn a_file_that_may_not_grow_is_a_full_disk() {
    let data = tempfile::tempdir().unwrap();
    // 128 KiB.
    let program = limited("-f 256", data.path(), &["--durability", "interval"]);
    let mut acknowledged = Vec::new();
    let mut refused = 0;
    for key in 0..3000 {
        // One file after the other is full.
        match put_keys(&program, key..key + 1) {
            (1, None) => acknowledged.push(key),
            (0, Some(reason)) => {
                assert_eq!(reason, "the disk is full");
                refused += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!((1..100).contains(&refused), "{refused} of 3000 are refused");
    program.kill();
    let mut program = ServerProcess::open(data.path());
    let found = program.request("get *\n");
    let found: Vec<usize> = found
        .lines()
        .filter_map(|line| line.rsplit_once(' ').and_then(|(_, time)| time.parse().ok()))
        .collect();
    assert_eq!(found, acknowledged);
    program.stop();
}

/// A command that the signal ends would say nothing.
#[test]
fn a_backup_whose_files_may_not_grow_is_one_on_a_full_disk() {
    let (data, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let target = place.path().join("copy");
    let mut program = ServerProcess::open(data.path());
    assert_eq!(program.request("put a 1 10\n"), "ok\n\n");
    program.stop();
    let mut backup = command();
    backup.arg("backup").arg(data.path()).arg(&target);
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -f 0 && exec \"$@\"", "sh"]);
    let refused = run(shell.arg(backup.get_program()).args(backup.get_args()));
    let message = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{message}");
    assert!(message.contains("is full; make room there"), "{message}");
    let made = run(&mut backup);
    assert!(made.status.success(), "{made:?}");
    let mut program = ServerProcess::open(&target);
    assert_eq!(program.request("get *\n"), "ok\na 1.0 10\n\n");
    program.stop();
}

#[test]
fn a_directory_that_is_replaced_is_noticed_before_the_next_ok() {
    for is_replaced in [false, true] {
        let root = tempfile::tempdir().unwrap();
        let (data, away) = (root.path().join("data"), root.path().join("away"));
        let mut program = ServerProcess::open(&data);
        assert_eq!(program.request("put a 1 1\n"), "ok\n\n");
        fs::rename(&data, &away).unwrap();
        if is_replaced {
            fs::create_dir(&data).unwrap();
        }
        assert_eq!(program.request("put a 2 2\n"), "error\nthe disk failed\n\n");
        program.wait_until_logged("the data directory was removed, or another one is in its place");
        assert_eq!(
            program.request("put a 2 2\nget a[:1]\n"),
            "error\nthe disk failed\n\nok\na 1.0 1\n\n"
        );
        // Whoever looks at the exit code alone knows that not all was well.
        program.signal(END_SIGNALS[0]);
        let (code, log) = program.wait_for_exit();
        assert_eq!(code, Some(1), "{log}");
        assert!(log.contains("server: the disk failed"), "{log}");
    }
}

#[test]
fn a_server_may_end_when_its_disk_has_failed() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    let mut server = command();
    let mut program = ServerProcess::spawn(
        server.arg("--data-dir").arg(&data).args(["--on-disk-failure", "stop"]),
    );
    program.wait_until_listening();
    assert_eq!(program.request("put a 1 1\n"), "ok\n\n");
    fs::rename(&data, root.path().join("away")).unwrap();
    // It may end before it has answered.
    let mut client = program.connect();
    client.write_all(b"put a 2 2\n").unwrap();
    let (code, log) = program.wait_for_exit();
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("server: the disk failed"), "{log}");
}
