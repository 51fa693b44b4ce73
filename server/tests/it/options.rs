//! The options about data, as a user types them.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::harness::files::{look, names};
use crate::harness::process::{Program, command};

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The data directory is made where it was asked for, for its owner alone.
#[test]
fn data_directories_are_relative_nested_and_private() {
    for (arguments, place) in [
        (&[][..], "metrics-data"),
        (&["--data-dir", "data"][..], "data"),
        (&["--data-dir", "./deep/down/data/"][..], "deep/down/data"),
        (&["--data-dir", "up/../data"][..], "data"),
    ] {
        let root = tempfile::tempdir().unwrap();
        if arguments.last().is_some_and(|path| path.contains("..")) {
            std::fs::create_dir(root.path().join("up")).unwrap();
        }
        let start = || {
            let mut program = Program::spawn(command().current_dir(root.path()).args(arguments));
            program.listen();
            program
        };
        let mut program = start();
        assert!(program.log().contains("data in /"), "{}", program.log());
        assert_eq!(program.ask("put a 1 1\n"), "ok\n\n");
        let directory = root.path().join(place);
        for (path, seen) in look(&directory) {
            let wanted = if path == directory { 0o700 } else { 0o600 };
            assert_eq!(seen.mode, wanted, "{}", path.display());
        }
        program.kill();
        let mut program = start();
        assert_eq!(program.ask("get *\n"), "ok\na 1.0 1\n\n");
        program.stop();
        assert_eq!(
            names(&directory),
            ["FORMAT", "LOCK", "part-000000000001-000000000002"],
            "a clean end leaves no log"
        );
        let start = look(root.path()).into_keys().filter(|path| path.is_file());
        assert!(start.into_iter().all(|path| path.starts_with(&directory)), "nothing elsewhere");
    }
}

/// In brackets, as an address is written before a port, and as this server shows it.
#[test]
fn an_ipv6_address_may_have_its_brackets() {
    for host in ["[::1]", "::1"] {
        let mut program = Program::launch(["--ephemeral", "--host", host]);
        let line = program.wait_for("listening on ");
        let port = line.rsplit(':').next().unwrap();
        assert!(line.ends_with(&format!("listening on [::1]:{port}")), "{line}");
        let second = command().args(["--ephemeral", "--host", host, "--port", port]).output();
        let refusal = String::from_utf8(second.unwrap().stderr).unwrap();
        let wanted = format!("server: can't listen on [::1]:{port}: address already in use");
        assert!(refusal.starts_with(&wanted), "{refusal}");
        program.kill();
    }
}

/// As when there are no inodes left: what is open can be written, but no file can be begun.
#[test]
fn a_directory_that_takes_no_new_file_bounds_the_log() {
    const MOST: u64 = 200_000;
    let root = tempfile::tempdir().unwrap();
    let (data, away) = (root.path().join("data"), root.path().join("away"));
    let mut program =
        Program::start(["--data-dir", data.to_str().unwrap(), "--log-limit", "64KiB"]);
    let mut put = 0;
    let mut put_100 = |program: &mut Program| {
        let lines: Vec<_> = (put..put + 100).map(|at| format!("put a {at} {at}\n")).collect();
        let replies = program.ask(&lines.concat());
        let stored = replies == "ok\n\n".repeat(100);
        if stored {
            put += 100;
        } else {
            assert_eq!(replies, "error\nthe disk takes no more at the moment\n\n".repeat(100));
        }
        assert!(put < MOST, "the log grows for ever: {}", program.log());
        stored
    };
    assert!(put_100(&mut program));
    std::fs::rename(&data, &away).unwrap();
    while put_100(&mut program) {}
    assert!(!put_100(&mut program));
    program.hear("can't begin a new log file");
    std::fs::rename(&away, &data).unwrap();
    let start = Instant::now();
    while !put_100(&mut program) {
        assert!(start.elapsed() < Duration::from_secs(60), "it does not go on");
    }
    let all = program.ask("get *\n");
    program.kill();
    let mut program = Program::on(&data);
    assert_eq!(program.ask("get *\n"), all);
    assert_eq!(all.lines().filter(|line| line.starts_with("a ")).count() as u64, put);
}

#[test]
fn ephemeral_leaves_nothing_behind() {
    for signal in ["-TERM", "-INT"] {
        let root = tempfile::tempdir().unwrap();
        let mut program = Program::spawn(command().env("TMPDIR", root.path()).arg("--ephemeral"));
        program.listen();
        assert_eq!(program.ask("put a 1 1\nget *\n"), "ok\n\nok\na 1.0 1\n\n");
        assert_eq!(names(root.path()).len(), 1);
        program.signal(signal);
        assert_eq!(program.finish().0, Some(0));
        assert_eq!(names(root.path()), [""; 0]);
    }
    let both = command().args(["--ephemeral", "--data-dir", "data"]).output().unwrap();
    assert_eq!(both.status.code(), Some(2), "one or the other");
}

#[test]
fn retention_refuses_what_is_too_old_and_drops_it() {
    const REFUSED: &str = "error\nthe timestamp is older than the retention\n\n";
    let directory = tempfile::tempdir().unwrap();
    let (now, day) = (now(), 24 * 60 * 60);
    let (old, recent) = (now - 31 * day, now - 29 * day);

    // For ever, unless told otherwise.
    let mut program = Program::on(directory.path());
    assert_eq!(program.ask(&format!("put old 1 {old}\nput old 2 0\n")), "ok\n\nok\n\n");
    program.stop();

    let keep =
        |path: &Path| Program::start(["--retention", "30d", "--data-dir", path.to_str().unwrap()]);
    let mut program = keep(directory.path());
    let requests = format!(
        "put a 1 {recent}\nput a 2 {old}\nwhat\nput b 3 {now}\nput a 4 -5\nput a 5 {}\nget *\n",
        now + 90 * day
    );
    let replies = format!(
        "ok\n\n{REFUSED}error\nwrong command\n\nok\n\n{REFUSED}ok\n\nok\na 1.0 {recent}\na 5.0 {}\nb 3.0 {now}\n\n",
        now + 90 * day
    );
    assert_eq!(program.ask(&requests), replies);
    program.hear("all of it is older than the retention");
    program.stop();

    // It is gone, not only hidden.
    let mut program = Program::on(directory.path());
    let kept = format!("ok\na 1.0 {recent}\na 5.0 {}\nb 3.0 {now}\n\n", now + 90 * day);
    assert_eq!(program.ask("get *\n"), kept);
    program.stop();
    let wrong = command().args(["--retention", "soon"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn help_tells_all_of_it() {
    let output = command().arg("--help").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let help = String::from_utf8(output.stdout).unwrap();
    for said in [
        "--host",
        "--port",
        "--data-dir",
        "./metrics-data",
        "--durability",
        "sync",
        "interval",
        "survives kill -9",
        "--retention",
        "30d",
        "--ephemeral",
        "--log-limit",
        "64MiB",
        "--log-level",
        "Exit codes",
    ] {
        assert!(help.contains(said), "{said:?} is missing in {help}");
    }
}
