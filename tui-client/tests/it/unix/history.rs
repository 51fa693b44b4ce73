//! The history where it is no ordinary file, or belongs to another user.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use tui_client::system::files::HistoryFile;

use crate::harness::pty::{Shell, script};
use crate::harness::server::TestServer;
use crate::harness::wait::in_time;

/// A user and a group that no system has.
const USER: u32 = 1_234_567;
const GROUP: u32 = 2_345_678;

/// A directory for the history, and its history.
fn directory() -> (TempDir, PathBuf, HistoryFile) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history");
    let history = HistoryFile::in_directory(directory.path().to_owned());
    (directory, path, history)
}

fn make_fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// A history of this is neither read nor written, and nothing waits for it.
fn refuses(history: &HistoryFile) {
    let history = history.clone();
    let outcome = in_time("a history", move || [history.load().map(drop), history.add("get a")]);
    for refused in outcome {
        let told = refused.unwrap_err().to_string();
        assert!(told.ends_with(": no regular file"), "{told}");
    }
}

#[test]
fn a_named_pipe_stays_one() {
    let (_directory, path, history) = directory();
    make_fifo(&path);
    refuses(&history);
    assert!(fs::symlink_metadata(&path).unwrap().file_type().is_fifo());
}

#[test]
fn a_link_to_what_is_no_file_stays_and_so_does_what_it_leads_to() {
    let (directory, path, history) = directory();
    // As /dev/null, to which a link is made so that nothing is kept; but one that may be lost.
    let target = directory.path().join("device");
    let mut mknod = Command::new("mknod");
    mknod.arg(&target).args(["c", "1", "3"]).stderr(Stdio::null());
    // Only root may do that.
    if !mknod.status().is_ok_and(|status| status.success()) {
        make_fifo(&target);
    }
    let before = fs::symlink_metadata(&target).unwrap().ino();
    symlink(&target, &path).unwrap();
    refuses(&history);
    assert_eq!(fs::read_link(&path).unwrap(), target);
    let after = fs::symlink_metadata(&target).unwrap();
    assert!(!after.is_file());
    assert_eq!(after.ino(), before);
}

#[test]
fn the_target_of_a_link_is_made_when_it_is_missing() {
    let (directory, path, history) = directory();
    let elsewhere = directory.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink("elsewhere/first", &path).unwrap();
    symlink("second", elsewhere.join("first")).unwrap();
    assert_eq!(history.load().unwrap(), [""; 0]);
    history.add("get a").unwrap();
    history.add("get b").unwrap();
    assert_eq!(fs::read_link(&path).unwrap(), Path::new("elsewhere/first"));
    assert_eq!(fs::read_to_string(elsewhere.join("second")).unwrap(), "get a\nget b\n");
    assert_eq!(history.load().unwrap(), ["get a", "get b"]);

    fs::remove_file(&path).unwrap();
    symlink("history", &path).unwrap();
    assert!(history.load().is_err() && history.add("get c").is_err(), "a circle");
    fs::remove_file(&path).unwrap();
    symlink("missing/history", &path).unwrap();
    assert!(history.add("get c").is_err(), "a directory that is missing");
    assert_eq!(fs::read_link(&path).unwrap(), Path::new("missing/history"));
}

#[test]
fn mode_and_other_names_of_the_file_stay() {
    let (directory, path, history) = directory();
    history.add("get a").unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    let other = directory.path().join("other");
    fs::hard_link(&path, &other).unwrap();
    // Once with so many bytes that the oldest lines go.
    for text in ["get b\n".to_owned(), format!("get {}\n", "x".repeat(90)).repeat(60_000)] {
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        history.add("get c").unwrap();
        let kept = fs::metadata(&path).unwrap();
        assert_eq!((kept.mode() & 0o777, kept.nlink()), (0o640, 2));
        assert!(fs::read_to_string(&other).unwrap().ends_with("\nget c\n"));
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3, "nothing is left over");
}

/// As with `sudo`, where it keeps the home directory.
#[test]
fn what_root_makes_in_the_directory_of_a_user_belongs_to_that_user() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: not root");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    chown(home.path(), Some(USER), Some(GROUP)).unwrap();
    let state = home.path().join(".local/state/tui-client");
    let history = HistoryFile::in_directory(state.clone());
    history.add("get a").unwrap();
    let all =
        [".local", ".local/state", ".local/state/tui-client"].map(|path| home.path().join(path));
    let files = ["history", "history.lock"].map(|name| state.join(name));
    for path in all.iter().chain(&files) {
        let made = fs::metadata(path).unwrap();
        assert_eq!((made.uid(), made.gid()), (USER, GROUP), "{}", path.display());
    }
    chown(&files[0], Some(USER + 1), Some(GROUP + 1)).unwrap();
    history.add("get b").unwrap();
    let kept = fs::metadata(&files[0]).unwrap();
    assert_eq!((kept.uid(), kept.gid()), (USER + 1, GROUP + 1), "and stays with its owner");
}

#[test]
fn a_lock_that_is_a_named_pipe_holds_nothing_up() {
    let (directory, path, history) = directory();
    make_fifo(&directory.path().join("history.lock"));
    let history = history.clone();
    let error = in_time("the lock", move || history.add("get a")).unwrap_err().to_string();
    assert!(error.ends_with("history.lock: no regular file"), "{error}");
    assert!(!path.exists());
}

#[test]
fn a_log_is_saved_beside_a_history_that_is_no_file() {
    let server = TestServer::start();
    let state = tempfile::tempdir().unwrap();
    let history = state.path().join("tui-client/history");
    fs::create_dir(history.parent().unwrap()).unwrap();
    make_fifo(&history);
    // Without an end of what could be read.
    let _reader = File::options().read(true).write(true).open(&history).unwrap();
    let environment = [("XDG_STATE_HOME", state.path().to_str().unwrap())];
    let shell = Shell::run_with(&script(server.port, ""), &environment);
    shell.until_shown("the history can't be kept: ");
    // A put before that is not sent.
    shell.until_shown("● localhost");
    shell.press("put a 1 1\r");
    shell.until_shown("stored a 1.0 1");
    shell.press("put a 2 2\r");
    shell.until_shown("stored a 2.0 2");
    let log = state.path().join("log");
    shell.press("\t\t");
    shell.until_shown("& filter");
    shell.press("s\x15");
    shell.press(&format!("{}\r", log.display()));
    shell.until_shown("saved");
    shell.press("q");
    shell.until_restored();
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("→ put a 2 2"), "{log}");
    assert_eq!(log.matches("the history can't be kept").count(), 1, "{log}");
    assert!(fs::symlink_metadata(&history).unwrap().file_type().is_fifo());
}
