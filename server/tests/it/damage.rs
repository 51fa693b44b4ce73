//! What a client, an operator and the log are told of damage, and what `server check` and
//! `server repair` do about it.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::harness::files::{file_names, snapshot};
use crate::harness::process::{ServerProcess, command, run};

/// What a command says of a directory: its exit code, output and messages.
fn maintain(what: &str, directory: &Path) -> (Option<i32>, String, String) {
    let output = run(command().arg(what).arg(directory));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The one file of a directory whose name begins so.
fn file(directory: &Path, begin: &str) -> String {
    let names = file_names(directory);
    let mut names = names.iter().filter(|name| name.starts_with(begin));
    let name = names.next().expect("there is one").clone();
    assert_eq!(names.next(), None);
    name
}

/// A directory with a part of two keys, `a` and `b`, and a point of `c` in a log; no process uses it.
fn made() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let mut program = ServerProcess::open(directory.path());
    assert_eq!(program.request("put a 1 10\nput b 2 20\n"), "ok\n\nok\n\n");
    program.stop();
    let mut program = ServerProcess::open(directory.path());
    assert_eq!(program.request("put c 3 30\n"), "ok\n\n");
    program.kill();
    directory
}

#[test]
fn a_sound_directory_is_said_to_be_sound_and_left_as_it_is() {
    let directory = made();
    let before = snapshot(directory.path());
    let sound = (Some(0), "nothing is damaged\n".to_owned(), String::new());
    assert_eq!(maintain("check", directory.path()), sound);
    assert_eq!(snapshot(directory.path()), before);
    assert_eq!(maintain("repair", directory.path()), sound);
    let mut program = ServerProcess::open(directory.path());
    assert_eq!(program.request("get *\n"), "ok\na 1.0 10\nb 2.0 20\nc 3.0 30\n\n");
    program.stop();
}

#[test]
fn a_flipped_byte_is_found_refused_and_given_up() {
    let directory = made();
    let part = file(directory.path(), "part-");
    let path = directory.path().join(&part);
    let mut bytes = fs::read(&path).unwrap();
    // The first chunk, that of `a`, stands behind the header.
    bytes[70] ^= 4;
    fs::write(&path, &bytes).unwrap();
    let before = snapshot(directory.path());
    let (code, found, _) = maintain("check", directory.path());
    assert_eq!(code, Some(1), "{found}");
    assert!(
        found.contains(&format!("{part}: ")) && found.contains("of a from 10 to 10"),
        "{found}"
    );
    assert!(found.ends_with("it is damaged; server repair gives up what is gone\n"), "{found}");
    assert_eq!(snapshot(directory.path()), before);

    let mut program = ServerProcess::open(directory.path());
    let refused = "error\nthe disk has lost points of a from 10 to 10\n\n";
    assert_eq!(program.request("get a\n"), refused);
    assert_eq!(program.request("get *\n"), refused);
    assert_eq!(program.request("get b\n"), "ok\nb 2.0 20\n\n");
    // Other times, and what comes later.
    assert_eq!(program.request("put a 7 70\nget a[60:]\n"), "ok\n\nok\na 7.0 70\n\n");
    assert!(program.stop().contains(&part));

    let (code, given_up, _) = maintain("repair", directory.path());
    assert_eq!(code, Some(0), "{given_up}");
    assert!(given_up.contains("of a from 10 to 10"), "{given_up}");
    assert!(file_names(directory.path()).iter().any(|name| name.starts_with("damaged-")));
    let (code, sound, _) = maintain("check", directory.path());
    assert_eq!((code, &*sound), (Some(0), "nothing is damaged\n"));
    let mut program = ServerProcess::open(directory.path());
    assert_eq!(program.request("get *\n"), "ok\na 7.0 70\nb 2.0 20\nc 3.0 30\n\n");
    program.stop();
}

#[test]
fn a_missing_part_costs_what_it_held() {
    let directory = made();
    let part = file(directory.path(), "part-");
    fs::remove_file(directory.path().join(&part)).unwrap();
    let mut program = ServerProcess::open(directory.path());
    assert!(program.log().contains(&part), "{}", program.log());
    assert!(program.request("get *\n").starts_with("error\nthe disk has lost points of "));
    assert!(program.request("get a\n").starts_with("error\nthe disk has lost points of "));
    // A key whose series is younger may be one of them, begun again.
    let of_other_times = "ok\nc 3.0 30\n\n";
    assert_eq!(program.request("get c[21:]\n"), of_other_times);
    assert_eq!(program.request("put d 4 40\nget d[21:]\n"), "ok\n\nok\nd 4.0 40\n\n");
    program.stop();
    let (code, given_up, _) = maintain("repair", directory.path());
    assert_eq!(code, Some(0), "{given_up}");
    let mut program = ServerProcess::open(directory.path());
    assert_eq!(program.request("get *\n"), "ok\nc 3.0 30\nd 4.0 40\n\n");
    program.stop();
}

#[test]
fn a_directory_that_is_used_or_missing_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut program = ServerProcess::open(directory.path());
    assert_eq!(program.request("put a 1 10\n"), "ok\n\n");
    for what in ["check", "repair"] {
        let (code, output, message) = maintain(what, directory.path());
        assert_eq!((code, &*output), (Some(1), ""), "{what}: {message}");
        assert!(message.contains("another server is using it"), "{what}: {message}");
        let (code, output, message) = maintain(what, &directory.path().join("none"));
        assert_eq!((code, &*output), (Some(1), ""), "{what}: {message}");
        assert_eq!(message.lines().count(), 1, "{message}");
        let (code, _, message) = maintain(what, Path::new("no\u{7f}/directory"));
        assert_eq!(code, Some(1), "{message}");
    }
    program.stop();
}
