//! The command line options.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::harness::files::{file_names, snapshot};
use crate::harness::os;
use crate::harness::process::{ServerProcess, command, retry, run};

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Longer than the 260 characters that Windows had for a path once.
const LONG_PATH: &str = concat!(
    "a long name with spaces a long name with spaces a long name with spaces a long name/",
    "a long name with spaces a long name with spaces a long name with spaces a long name/",
    "a long name with spaces a long name with spaces a long name with spaces a long name/",
    "a long name with spaces a long name with spaces a long name with spaces a long name",
);

/// The data directory is created with permissions for its owner alone, where files have any.
#[test]
fn data_directories_are_relative_nested_and_private() {
    for (arguments, place) in [
        (&[][..], "metrics-data"),
        (&["--data-dir", "data"][..], "data"),
        (&["--data-dir", "./deep/down/data/"][..], "deep/down/data"),
        (&["--data-dir", "up/../data"][..], "data"),
        (&["--data-dir", "für Müller/Meßwerte 数据"][..], "für Müller/Meßwerte 数据"),
        (&["--data-dir", LONG_PATH][..], LONG_PATH),
    ] {
        let root = tempfile::tempdir().unwrap();
        if arguments.last().is_some_and(|path| path.contains("..")) {
            std::fs::create_dir(root.path().join("up")).unwrap();
        }
        let start = || {
            let mut program =
                ServerProcess::spawn(command().current_dir(root.path()).args(arguments));
            program.wait_until_listening();
            program
        };
        let mut program = start();
        let said = program.log().split("data in ").nth(1).expect("it says where the data is");
        assert!(Path::new(said.split(" durability=").next().unwrap()).is_absolute(), "{said}");
        assert_eq!(program.request("put a 1 1\n"), "ok\n\n");
        let directory = root.path().join(place);
        for (path, seen) in snapshot(&directory) {
            let wanted = if path == directory { 0o700 } else { 0o600 };
            assert!(seen.mode.is_none_or(|mode| mode == wanted), "{}: {seen:?}", path.display());
        }
        program.kill();
        let mut program = start();
        assert_eq!(program.request("get *\n"), "ok\na 1.0 1\n\n");
        program.stop();
        assert_eq!(
            file_names(&directory),
            ["FILES", "FILES-COPY", "FORMAT", "LOCK", "RESERVE", "part-000000000001-000000000002"],
            "a clean end leaves no log"
        );
        let start = snapshot(root.path()).into_keys().filter(|path| path.is_file());
        assert!(start.into_iter().all(|path| path.starts_with(&directory)), "nothing elsewhere");
    }
}

/// In brackets, as an address is written before a port, and as this server shows it.
#[test]
fn an_ipv6_address_may_have_its_brackets() {
    for host in ["[::1]", "::1"] {
        let mut program = ServerProcess::launch(["--ephemeral", "--host", host]);
        let line = program.wait_for_line("listening on ");
        let port = line.rsplit(':').next().unwrap();
        assert!(line.ends_with(&format!("listening on [::1]:{port}")), "{line}");
        let second = run(command().args(["--ephemeral", "--host", host, "--port", port]));
        let refusal = String::from_utf8(second.stderr).unwrap();
        let wanted = format!("server: can't listen on [::1]:{port}: address already in use");
        assert!(refusal.starts_with(&wanted), "{refusal}");
        program.kill();
    }
}

/// As when there are no inodes left: open files can be written, but none can be created. Here the
/// name of the next file is taken by a directory.
#[test]
fn a_directory_that_takes_no_new_file_bounds_the_log() {
    const MAX_PUTS: u64 = 200_000;
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    let next = data.join("log-000000000002");
    let mut program =
        ServerProcess::start(["--data-dir", data.to_str().unwrap(), "--log-limit", "64KiB"]);
    let mut put = 0;
    let mut put_100 = |program: &mut ServerProcess| {
        let lines: Vec<_> = (put..put + 100).map(|at| format!("put a {at} {at}\n")).collect();
        let replies = program.request(&lines.concat());
        let stored = replies == "ok\n\n".repeat(100);
        if stored {
            put += 100;
        } else {
            assert_eq!(replies, "error\nthe disk takes no more at the moment\n\n".repeat(100));
        }
        assert!(put < MAX_PUTS, "the log grows without bound: {}", program.log());
        stored
    };
    assert!(put_100(&mut program));
    std::fs::create_dir(&next).unwrap();
    while put_100(&mut program) {}
    assert!(!put_100(&mut program));
    program.wait_until_logged("can't begin a new log file");
    std::fs::remove_dir(&next).unwrap();
    retry("puts are not accepted again", || put_100(&mut program).then_some(()));
    let all = program.request("get *\n");
    program.kill();
    let mut program = ServerProcess::open(&data);
    assert_eq!(program.request("get *\n"), all);
    assert_eq!(all.lines().filter(|line| line.starts_with("a ")).count() as u64, put);
}

#[test]
fn ephemeral_leaves_nothing_behind() {
    for signal in os::END_SIGNALS {
        let root = tempfile::tempdir().unwrap();
        let mut program = ServerProcess::spawn(
            command().env(server::os::TEMP_VARIABLE, root.path()).arg("--ephemeral"),
        );
        program.wait_until_listening();
        assert_eq!(program.request("put a 1 1\nget *\n"), "ok\n\nok\na 1.0 1\n\n");
        assert_eq!(file_names(root.path()).len(), 1);
        program.signal(signal);
        assert_eq!(program.wait_for_exit().0, Some(0));
        assert_eq!(file_names(root.path()), [""; 0]);
    }
    let both = run(command().args(["--ephemeral", "--data-dir", "data"]));
    assert_eq!(both.status.code(), Some(2), "one or the other");
}

#[test]
fn retention_refuses_what_is_too_old_and_hides_it() {
    const REFUSED: &str = "error\nthe timestamp is older than the retention\n\n";
    let directory = tempfile::tempdir().unwrap();
    let (now, day) = (now(), 24 * 60 * 60);
    let (old, recent) = (now - 31 * day, now - 29 * day);

    // Points are kept forever by default.
    let mut program = ServerProcess::open(directory.path());
    assert_eq!(program.request(&format!("put old 1 {old}\nput old 2 0\n")), "ok\n\nok\n\n");
    program.stop();

    let keep = |path: &Path| {
        ServerProcess::start(["--retention", "30d", "--data-dir", path.to_str().unwrap()])
    };
    let mut program = keep(directory.path());
    assert!(program.log().contains("WARN no retention is known of the last start"));
    assert!(program.log().contains("hidden_points=2"), "{}", program.log());
    let requests = format!(
        "put a 1 {recent}\nput a 2 {old}\nwhat\nput b 3 {now}\nput a 4 -5\nput a 5 {}\nget *\n",
        now + 90 * day
    );
    let replies = format!(
        "ok\n\n{REFUSED}error\nwrong command\n\nok\n\n{REFUSED}ok\n\nok\na 1.0 {recent}\na 5.0 {}\nb 3.0 {now}\n\n",
        now + 90 * day
    );
    assert_eq!(program.request(&requests), replies);
    program.stop();

    // The old points were hidden: nothing is deleted in the first hour.
    let mut program = ServerProcess::open(directory.path());
    let kept = format!(
        "ok\nold 2.0 0\nold 1.0 {old}\na 1.0 {recent}\na 5.0 {}\nb 3.0 {now}\n\n",
        now + 90 * day
    );
    assert_eq!(program.request("get *\n"), kept);
    program.stop();
    let wrong = run(command().args(["--retention", "soon"]));
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn points_too_far_ahead_are_refused_one_by_one() {
    const REFUSED: &str = "error\nthe timestamp is too far in the future\n\n";
    let (now, day) = (now(), 24 * 60 * 60);
    // Milliseconds instead of seconds, and a little ahead of this clock.
    let requests =
        format!("put a 1 {now}000\nput a 2 {}\nput new 3 {}\nget *\n", now + 60, now + 2 * day);
    let mut program = ServerProcess::start(["--ephemeral", "--max-ahead", "1d"]);
    let replies = format!("{REFUSED}ok\n\n{REFUSED}ok\na 2.0 {}\n\n", now + 60);
    assert_eq!(program.request(&requests), replies);
    program.stop();
    // No limit by default.
    let mut program = ServerProcess::start(["--ephemeral"]);
    assert!(program.request(&requests).starts_with("ok\n\nok\n\nok\n\nok\n"));
    program.stop();
}

#[test]
fn only_a_server_that_is_told_so_lets_clients_delete() {
    for (options, reply) in [
        (&["--ephemeral"][..], "error\nwrong command\n\nok\nk 1.0 1\n\n"),
        (&["--ephemeral", "--allow-delete"], "ok\n\nok\n\n"),
    ] {
        let mut program = ServerProcess::launch(options);
        program.wait_until_listening();
        assert_eq!(program.request("put k 1 1\n"), "ok\n\n");
        assert_eq!(program.request("del k\nget *\n"), reply, "{options:?}");
        program.stop();
    }
}

#[test]
fn help_lists_all_options() {
    let output = run(command().arg("--help"));
    assert_eq!(output.status.code(), Some(0));
    let help = String::from_utf8(output.stdout).unwrap();
    for said in [
        "--host",
        "--port",
        "--insecure-public",
        "--tls-cert",
        "--tls-key",
        "--tls-client-ca",
        "--tls-crl",
        "--limit-by-certificate",
        "--handshake-timeout",
        "--data-dir",
        "./metrics-data",
        "--durability",
        "sync",
        "interval",
        "survives kill -9",
        "--retention",
        "30d",
        "--max-ahead",
        "--ephemeral",
        "--log-limit",
        "64MiB",
        "--max-connections",
        "--line-timeout",
        "--stall-timeout",
        "--idle-timeout",
        "--on-disk-failure",
        "--log-level",
        "Exit codes",
    ] {
        assert!(help.contains(said), "{said:?} is missing in {help}");
    }
}

#[test]
fn the_version_names_what_was_built() {
    let version = String::from_utf8(run(command().arg("--version")).stdout).unwrap();
    let target = shared::BUILD.rsplit(' ').next().unwrap();
    let number = concat!("server ", env!("CARGO_PKG_VERSION"), ", ");
    assert!(version.starts_with(number), "{version}");
    assert!(version.trim_end().ends_with(target) && target.contains('-'), "{version}");
}

#[test]
fn the_manual_and_completions_know_the_options() {
    for arguments in [&["--man"][..], &["--completions", "bash"], &["--completions", "powershell"]]
    {
        let output = run(command().args(arguments));
        let text = String::from_utf8(output.stdout).unwrap().replace('\\', "");
        assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}");
        assert!(text.contains("--data-dir") && text.contains("--retention"), "{arguments:?}");
    }
}
