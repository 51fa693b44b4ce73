//! What a client, an operator and the log are told of damage, and what `server check` and
//! `server repair` do about it.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::harness::files::{file_names, snapshot};
use crate::harness::os;
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

/// Such as after a mistake in a path.
#[test]
fn an_empty_directory_is_not_said_to_be_sound() {
    let directory = tempfile::tempdir().unwrap();
    for command in ["check", "repair"] {
        let (code, said, message) = maintain(command, directory.path());
        assert_eq!((code, &*said), (Some(1), ""), "{message}");
        assert!(message.contains("no server has used it yet"), "{message}");
    }
    assert_eq!(file_names(directory.path()), [""; 0]);
}

#[test]
fn a_flipped_byte_is_found_refused_and_given_up() {
    let directory = made();
    let part = file(directory.path(), "part-");
    let path = directory.path().join(&part);
    let mut bytes = fs::read(&path).unwrap();
    // The first chunk, that of `a`, stands behind the header.
    bytes[60] ^= 4;
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

/// No number before its own is missing because of it.
#[test]
fn a_directory_under_the_name_of_a_far_file_is_set_aside() {
    let directory = made();
    let name = "log-999999999999";
    fs::create_dir(directory.path().join(name)).unwrap();
    let (code, found, _) = maintain("check", directory.path());
    assert!(code == Some(1) && found.contains(&format!("{name}: its number")), "{found}");
    for is_first in [true, false] {
        let mut program = ServerProcess::open(directory.path());
        assert_eq!(program.request("get *\n"), "ok\na 1.0 10\nb 2.0 20\nc 3.0 30\n\n");
        let log = program.stop();
        let is_said = log.contains(&format!("{name} is kept as damaged-{name}: its number"));
        assert_eq!(is_said, is_first, "{log}");
    }
    assert!(directory.path().join(format!("damaged-{name}")).is_dir());
}

#[test]
fn a_directory_that_is_used_or_missing_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut program = ServerProcess::open(directory.path());
    assert_eq!(program.request("put a 1 10\n"), "ok\n\n");
    for what in ["check", "repair"] {
        let (code, output, message) = maintain(what, directory.path());
        assert_eq!((code, &*output), (Some(1), ""), "{what}: {message}");
        assert!(message.contains("is using it; end that one"), "{what}: {message}");
        let (code, output, message) = maintain(what, &directory.path().join("none"));
        assert_eq!((code, &*output), (Some(1), ""), "{what}: {message}");
        assert_eq!(message.lines().count(), 1, "{message}");
        let (code, _, message) = maintain(what, Path::new("no\u{7f}/directory"));
        assert_eq!(code, Some(1), "{message}");
    }
    program.stop();
}

const USER: u32 = 54_321;

/// A damaged directory of another user, whose files have a mode; `None` where this process is not root.
fn of_a_user(mode: u32) -> Option<TempDir> {
    let directory = made();
    let path = directory.path().join(file(directory.path(), "part-"));
    let mut bytes = fs::read(&path).unwrap();
    bytes[60] ^= 4;
    fs::write(&path, &bytes).unwrap();
    fs::remove_file(directory.path().join("LOCK")).unwrap();
    let mut names = file_names(directory.path()).into_iter();
    let is_given = names.all(|name| os::give_to(&directory.path().join(name), USER, mode));
    // Everyone may write there.
    let is_given = is_given && os::give_to(directory.path(), USER, 0o777);
    if !is_given {
        os::skipped("repairs of what others own", "only root can give files away");
    }
    is_given.then_some(directory)
}

#[test]
fn what_root_repairs_belongs_to_whom_it_did() {
    let Some(directory) = of_a_user(0o640) else { return };
    let (code, given_up, message) = maintain("repair", directory.path());
    assert_eq!(code, Some(0), "{given_up}{message}");
    let names = file_names(directory.path());
    assert!(names.iter().any(|name| name.starts_with("damaged-")), "{names:?}");
    for name in names {
        let about = fs::metadata(directory.path().join(&name)).unwrap();
        assert_eq!((os::owner(&about), os::mode(&about)), (Some(USER), Some(0o640)), "{name}");
    }
}

/// A server of that user could not start there any more.
#[test]
fn what_a_server_of_root_writes_belongs_to_whom_the_data_does() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("data");
    fs::create_dir(&directory).unwrap();
    if !os::give_to(&directory, USER, 0o700) {
        os::skipped("starts where others own the data", "only root can give files away");
        return;
    }
    os::give_to(place.path(), USER, 0o700);
    for started in 0..2 {
        let mut program = ServerProcess::open(&directory);
        assert_eq!(program.request(&format!("put a 1 {started}\n")), "ok\n\n");
        program.stop();
        let names = file_names(&directory);
        assert!(names.iter().any(|name| name.starts_with("log-") || name.starts_with("part-")));
        for name in names {
            let about = fs::metadata(directory.join(&name)).unwrap();
            assert_eq!((os::owner(&about), os::mode(&about)), (Some(USER), Some(0o600)), "{name}");
        }
    }
}

/// Its server could not take it otherwise.
#[test]
fn the_lock_that_a_backup_by_root_makes_belongs_to_whom_the_data_does() {
    let Some(directory) = of_a_user(0o600) else { return };
    let place = tempfile::tempdir().unwrap();
    let backup = |command: &mut Command, target: &str| {
        run(command.arg("backup").arg(directory.path()).arg(place.path().join(target)))
    };
    let mut by_another = command();
    os::run_as(&mut by_another, USER + 1);
    os::give_to(place.path(), USER + 1, 0o700);
    assert_eq!(backup(&mut by_another, "a").status.code(), Some(1));
    let lock = directory.path().join("LOCK");
    assert!(!lock.exists());
    let made = backup(&mut command(), "b");
    assert_eq!(made.status.code(), Some(3), "{}", String::from_utf8_lossy(&made.stderr));
    let about = fs::metadata(&lock).unwrap();
    assert_eq!((os::owner(&about), os::mode(&about)), (Some(USER), Some(0o600)));
}

#[test]
fn another_user_is_refused_before_anything_is_changed() {
    let Some(directory) = of_a_user(0o644) else { return };
    let before = snapshot(directory.path());
    let mut repair = command();
    os::run_as(&mut repair, USER + 1);
    let output = run(repair.arg("repair").arg(directory.path()));
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("belongs to another user"), "{message}");
    assert!(message.contains(&format!("owner {USER}, mode 644")), "{message}");
    assert_eq!(snapshot(directory.path()), before);
}
