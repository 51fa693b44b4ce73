//! `--put`: lines NAME VALUE [TIME] instead of requests.

use crate::harness::client::{pipe_to, run, unix_now};
use crate::harness::server::TestServer;

#[test]
fn names_and_values_are_stored_with_the_time_at_which_they_come() {
    let server = TestServer::start();
    let before = unix_now();
    let input = "load1 0.5\n\n  load5\t0.25 \r\nold 1 7\n";
    let (code, out, err) = pipe_to(server.port, &["--put", "--prefix", "run1."], input);
    assert_eq!((code, &*out, &*err), (0, "", ""));
    assert_eq!(run(server.port, &["get", "run1.old"]).1, "run1.old 1.0 7\n");
    for (key, value) in [("run1.load1", "0.5"), ("run1.load5", "0.25")] {
        let line = run(server.port, &["get", key]).1;
        let time =
            line.strip_prefix(&format!("{key} {value} ")).unwrap_or_else(|| panic!("{line}"));
        assert!((before..=unix_now()).contains(&time.trim().parse().unwrap()), "{line}");
    }
}

#[test]
fn a_backup_is_its_own_way_back() {
    let server = TestServer::start();
    server.send("put a 1 1\nput a 2 2\nput \u{706b} 3e300 -3\n");
    let backup = run(server.port, &["get", "*"]).1;
    let other = TestServer::start();
    assert_eq!(pipe_to(other.port, &["--put"], backup.clone()).0, 0);
    assert_eq!(run(other.port, &["get", "*"]).1, backup);
}

#[test]
fn wrong_lines_have_their_number_and_replaced_points_are_counted() {
    let server = TestServer::start();
    let input = "a 1 7\nput a 2 7\na\na 3 7\n\nb 1 7\nb x\na 4 07\n";
    let (code, _, err) = pipe_to(server.port, &["--put"], input);
    assert_eq!(code, 1);
    let lines: Vec<_> = err.lines().collect();
    let [second, third, seventh, replaced, summary] = lines[..] else { panic!("{err}") };
    assert!(second.starts_with("tui-client: line 2, put a 2 7: "), "{err}");
    assert_eq!(third, "tui-client: line 3, a: a value is missing");
    assert!(seventh.starts_with("tui-client: line 7, b x: a value is a decimal"), "{err}");
    assert_eq!(replaced, "tui-client: 2 points replaced one of the same name and second");
    assert!(summary.starts_with("tui-client: 8 lines: 4 stored, 3 refused, 1 blank"), "{err}");
    assert_eq!(run(server.port, &["get", "a"]).1, "a 4.0 7\n");
}

#[test]
fn what_makes_no_sense_with_data_lines_is_refused() {
    for args in [
        &["--put", "get", "a"][..],
        &["--put", "--once"],
        &["--prefix", "a."],
        &["--put", "--prefix", "a b"],
        &["--put", "--prefix", "a*"],
    ] {
        assert_eq!(run(1, args).0, 2, "{args:?}");
    }
}
