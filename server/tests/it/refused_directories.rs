//! Data directories that the server refuses: one line, exit code 1, and nothing in them changes.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::harness::files::{copy_files, file_names, snapshot};
use crate::harness::os;
use crate::harness::process::ServerProcess;

/// Starts a server on `directory`, which must be refused for a reason that contains `words`, and
/// leave all below `root` as it is.
fn refused(directory: &Path, root: &Path, words: &[&str]) {
    let before = snapshot(root);
    let mut program = ServerProcess::launch([OsStr::new("--data-dir"), directory.as_os_str()]);
    while let Some(line) = program.next_line() {
        assert!(!line.contains("listening"), "it starts: {}", program.log());
    }
    let (code, said) = program.wait_for_exit();
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "one line: {said}");
    let begin = format!("server: can't open data directory {} (--data-dir): ", directory.display());
    assert!(said.starts_with(&begin), "{said}");
    for word in words {
        assert_eq!(said.matches(word).count(), 1, "{word:?} once in {said}");
    }
    assert_eq!(snapshot(root), before, "after: {said}");
}

/// A data directory with a point in it, made by the server.
fn made() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let mut program = ServerProcess::open(directory.path());
    assert_eq!(program.request("put palm.cpu 23.7 1150864247\n"), "ok\n\n");
    program.stop();
    directory
}

#[test]
fn a_second_server_on_the_same_directory() {
    let directory = tempfile::tempdir().unwrap();
    let mut first = ServerProcess::open(directory.path());
    assert_eq!(first.request("put palm.cpu 23.7 1150864247\n"), "ok\n\n");
    refused(directory.path(), directory.path(), &["is using it; end that one", "--data-dir"]);
    assert_eq!(first.request("put palm.cpu 24 1150864248\n"), "ok\n\n");
    first.kill();
    // The lock went with the process.
    let mut after = ServerProcess::open(directory.path());
    assert_eq!(
        after.request("get *\n"),
        "ok\npalm.cpu 23.7 1150864247\npalm.cpu 24.0 1150864248\n\n"
    );
}

/// What a server of this version writes into FORMAT, for a directory with this number.
fn format_file(version: u32, number: &str) -> String {
    let line = format!("{:<255}\n", format!("metrics server data, format {version}"));
    let text = format!("{line}directory {number}\n");
    let checksum = crc32c::crc32c(text.as_bytes());
    format!("{text}CRC32C of the 299 bytes before: {checksum:08x}\n")
}

/// The number of a directory.
fn number(directory: &Path) -> String {
    let text = fs::read_to_string(directory.join("FORMAT")).unwrap();
    let line = text.lines().nth(1).unwrap();
    line.strip_prefix("directory ").unwrap().to_owned()
}

#[test]
fn a_directory_of_a_newer_format() {
    let directory = made();
    let (text, number) =
        (fs::read_to_string(directory.path().join("FORMAT")).unwrap(), number(directory.path()));
    assert_eq!(text, format_file(3, &number));
    fs::write(directory.path().join("FORMAT"), format_file(4, &number)).unwrap();
    fs::write(directory.path().join("part-000000000007-000000000009.tmp"), "unfinished").unwrap();
    let words = ["format 4", "up to 3", "use a newer server"];
    refused(directory.path(), directory.path(), &words);
    // Such as in a copy of the data.
    fs::remove_file(directory.path().join("LOCK")).unwrap();
    refused(directory.path(), directory.path(), &words);
}

/// Whatever FORMAT says.
#[test]
fn a_file_of_a_newer_format() {
    let directory = made();
    let part = directory.path().join("part-000000000001-000000000001");
    let mut bytes = fs::read(&part).unwrap();
    bytes[4] = 4;
    let checksum = crc32c::crc32c(&bytes[..16]);
    bytes[16..20].copy_from_slice(&checksum.to_le_bytes());
    fs::write(&part, &bytes).unwrap();
    let words = ["format 4", "up to 3", "use a newer server"];
    refused(directory.path(), directory.path(), &words);
    fs::remove_file(directory.path().join("FORMAT")).unwrap();
    refused(directory.path(), directory.path(), &words);
    // A header that is damaged says nothing.
    bytes[16] ^= 1;
    fs::write(&part, &bytes).unwrap();
    fs::write(directory.path().join("FORMAT"), format_file(3, &"7".repeat(32))).unwrap();
    let mut program = ServerProcess::open(directory.path());
    assert_eq!(program.request("get *\n"), "ok\npalm.cpu 23.7 1150864247\n\n");
    assert!(program.stop().contains("part-000000000001-000000000001: its header is damaged"));
}

#[test]
fn a_directory_whose_format_is_garbage() {
    let directory = tempfile::tempdir().unwrap();
    let format = directory.path().join("FORMAT");
    let long = format!("metrics server data, format 1\n{}", "x".repeat(10_000));
    let garbage = [
        "",
        "\n",
        "hello",
        "metrics server data, format ",
        "metrics server data, format 0\n",
        "metrics server data, format 3\n",
        "metrics server data, format one\n",
        "metrics server data, format -1\n",
        "metrics server data, format 99999999999999999999\n",
        "Metrics server data, format 1\n",
        &long,
    ];
    for garbage in garbage.map(str::as_bytes).into_iter().chain([&b"\xff\xfe\0\0"[..]]) {
        fs::write(&format, garbage).unwrap();
        refused(directory.path(), directory.path(), &["FORMAT", "restore that file"]);
    }
    fs::remove_file(&format).unwrap();
    fs::create_dir(&format).unwrap();
    refused(directory.path(), directory.path(), &["FORMAT can't be read", os::DIRECTORY_AS_FILE]);
}

/// The files of the directory say what it is; also one that says it in vain is written anew.
#[test]
fn a_format_that_is_missing_or_damaged_is_written_anew() {
    let sound = format_file(3, &"7".repeat(32)).into_bytes();
    let flipped = |at: usize| {
        let mut bytes = sound.clone();
        bytes[at] ^= 1;
        bytes
    };
    let cut = sound[..30].to_vec();
    for damaged in [None, Some(vec![]), Some(b"hello".to_vec()), Some(flipped(28)), Some(cut)] {
        let directory = made();
        let format = directory.path().join("FORMAT");
        match &damaged {
            None => fs::remove_file(&format).unwrap(),
            Some(bytes) => fs::write(&format, bytes).unwrap(),
        }
        let mut program = ServerProcess::open(directory.path());
        assert_eq!(program.request("get *\n"), "ok\npalm.cpu 23.7 1150864247\n\n", "{damaged:?}");
        let log = program.stop();
        assert!(log.contains("FORMAT is missing, damaged"), "{damaged:?}: {log}");
        let text = fs::read_to_string(&format).unwrap();
        assert_eq!(text, format_file(3, &number(directory.path())));
        assert_ne!(text.as_bytes(), sound, "a number of its own");
    }
}

#[test]
fn the_directory_of_lost_files_is_no_stranger_when_it_is_empty() {
    let directory = tempfile::tempdir().unwrap();
    let lost = directory.path().join("lost+found");
    fs::create_dir(&lost).unwrap();
    let mut program = ServerProcess::open(directory.path());
    assert_eq!(program.request("put palm.cpu 23.7 1150864247\n"), "ok\n\n");
    let log = program.stop();
    assert!(!log.contains("lost+found"), "{log}");
    let directory = tempfile::tempdir().unwrap();
    let lost = directory.path().join("lost+found");
    fs::create_dir(&lost).unwrap();
    fs::write(lost.join("#12"), "mine").unwrap();
    refused(directory.path(), directory.path(), &["files that are not a metrics server's"]);
}

#[test]
fn a_directory_with_foreign_files() {
    for (name, is_file) in [("notes.txt", true), ("photos", false), (".hidden", true)] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        if is_file {
            fs::write(path, "mine").unwrap();
        } else {
            fs::create_dir(path).unwrap();
        }
        refused(
            directory.path(),
            directory.path(),
            &["files that are not a metrics server's", "choose an empty or a new directory"],
        );
    }
}

#[test]
fn a_path_that_is_not_a_directory() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, "mine").unwrap();
    refused(&file, root.path(), &["it is not a directory", "--data-dir"]);
    refused(&file.join("below"), root.path(), &["it is not a directory", "--data-dir"]);
    let circle = root.path().join("circle");
    if let Some(said) = os::make_circle(&circle) {
        refused(&circle, root.path(), &[said]);
    }
}

/// Such as after two directories were copied into one.
#[test]
fn parts_that_contradict_each_other() {
    let directory = made();
    let part = directory.path().join("part-000000000001-000000000001");
    for name in ["part-000000000001-000000000002", "part-000000000002-000000000003"] {
        fs::copy(&part, directory.path().join(name)).unwrap();
    }
    fs::write(directory.path().join("part-000000000004-000000000004.tmp"), "unfinished").unwrap();
    refused(
        directory.path(),
        directory.path(),
        &["part-000000000001-000000000002", "contradict each other", "move one of them away"],
    );
}

/// The second start completes a first one that was killed before it had written the format.
#[test]
fn a_directory_of_an_interrupted_first_start() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("LOCK"), "").unwrap();
    fs::write(directory.path().join("FORMAT.tmp"), "metrics").unwrap();
    let mut program = ServerProcess::open(directory.path());
    assert_eq!(program.request("put palm.cpu 23.7 1150864247\n"), "ok\n\n");
    program.stop();
    let expected =
        ["FILES", "FILES-COPY", "FORMAT", "LOCK", "RESERVE", "part-000000000001-000000000001"];
    assert_eq!(file_names(directory.path()), expected);
}

/// Only the server's own unfinished files are removed; others are reported and kept.
#[test]
fn foreign_files_are_kept() {
    let directory = made();
    let foreign = ["log-000000000009.tmp.tmp", "log-7", "my notes.tmp", "notes.txt", "old.tmp"];
    for name in foreign {
        fs::write(directory.path().join(name), "mine").unwrap();
    }
    let own = ["FORMAT.tmp", "part-000000000007-000000000009.tmp"];
    for name in own {
        fs::write(directory.path().join(name), "unfinished").unwrap();
    }
    let copied = tempfile::tempdir().unwrap();
    copy_files(directory.path(), copied.path());
    let mut program = ServerProcess::open(copied.path());
    assert_eq!(program.request("get *\n"), "ok\npalm.cpu 23.7 1150864247\n\n");
    let log = program.stop();
    let mut expected: Vec<String> = file_names(directory.path());
    // Ending without a new point leaves an empty part: nothing is missing there.
    expected.push("part-000000000002-000000000002".to_owned());
    expected.retain(|name| !own.contains(&name.as_str()));
    expected.sort_unstable();
    assert_eq!(file_names(copied.path()), expected);
    for name in foreign {
        assert!(log.contains(&format!("{name} is none of the server's files")), "{name}: {log}");
        assert_eq!(fs::read(copied.path().join(name)).unwrap(), b"mine");
    }
}
