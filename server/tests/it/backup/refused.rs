//! What can't be backed up, and where no backup can be: one sentence each, and nothing is changed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;
use std::net::TcpListener;
use std::thread;

use server::net::HeldByServer;

use super::fake_server::{FakeServer, contact, locked};
use super::*;

/// A backup is refused with a message that has these words; the directories stay as they are.
fn refused(directory: &Path, target: &Path, words: &str) {
    let roots: Vec<_> = [directory, target].into_iter().filter(|root| root.exists()).collect();
    let before: Vec<_> = roots.iter().map(|root| snapshot(root)).collect();
    let (code, said, message) = try_back_up(directory, target);
    assert_eq!((code, &*said), (Some(1), ""), "{message}");
    assert!(message.contains(words), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    let after: Vec<_> = roots.iter().map(|root| snapshot(root)).collect();
    assert_eq!(after, before, "{message}");
}

#[test]
fn places_that_are_no_backup() {
    let (directory, place) = (made(), tempfile::tempdir().unwrap());
    let at = |name: &str| place.path().join(name);
    let nested = "the same or inside each other";
    refused(directory.path(), directory.path(), nested);
    refused(directory.path(), &directory.path().join("copy"), nested);
    let inner = at("outer").join("inner");
    copy_files(directory.path(), &inner);
    refused(&inner, &at("outer"), nested);
    fs::create_dir(at("notes")).unwrap();
    fs::write(at("notes").join("notes.txt"), "mine").unwrap();
    refused(directory.path(), &at("notes"), "is neither empty nor a backup");
    refused(directory.path(), &at("notes").join("notes.txt"), "can't be read or written");
    let other = made();
    refused(directory.path(), other.path(), "is neither empty nor a backup");
    let program = ServerProcess::open(other.path());
    refused(directory.path(), other.path(), "a server or another backup uses ");
    program.stop();
    refused(&at("none"), &at("copy"), "there is no such directory");
    fs::create_dir(at("empty")).unwrap();
    refused(&at("empty"), &at("copy"), "no server has used it yet");
    refused(&at("notes"), &at("copy"), "files that are not a metrics server's");
    assert!(!at("copy").exists());
}

/// What TARGET has stays when DIR has lost it, whether a server goes on without it or not.
#[test]
fn a_data_directory_that_lacks_files() {
    let (directory, place) = (made(), tempfile::tempdir().unwrap());
    let target = place.path().join("copy");
    back_up(directory.path(), &target);
    let mut names = file_names(directory.path());
    names.retain(|name| name.starts_with("part-") || name.starts_with("log-"));
    assert_eq!(names.len(), 2, "{names:?}");
    for name in &names {
        let incomplete = tempfile::tempdir().unwrap();
        copy_files(directory.path(), incomplete.path());
        fs::remove_file(incomplete.path().join(name)).unwrap();
        let words = format!("files are missing there or can't be opened: {name};");
        refused(incomplete.path(), &target, &words);
        assert_eq!(restored(&target), MADE);
    }
    // A server that goes on without a part.
    let incomplete = tempfile::tempdir().unwrap();
    copy_files(directory.path(), incomplete.path());
    let part = names.iter().find(|name| name.starts_with("part-")).unwrap();
    fs::remove_file(incomplete.path().join(part)).unwrap();
    let program = ServerProcess::open(incomplete.path());
    let before = snapshot(&target);
    let (code, _, message) = try_back_up(incomplete.path(), &target);
    assert_eq!(code, Some(1), "{message}");
    assert!(message.contains("files are missing there or can't be opened: "), "{message}");
    assert_eq!(snapshot(&target), before);
    program.stop();
    assert_eq!(restored(&target), MADE);
}

/// As after a mistake in a path, or when a disk is not mounted.
#[test]
fn a_target_with_a_backup_of_other_data() {
    let (directory, other) = (made(), made());
    let (empty, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let target = place.path().join("copy");
    back_up(directory.path(), &target);
    ServerProcess::open(empty.path()).stop();
    // What the server that was killed has left.
    fs::remove_file(other.path().join("CONTROL")).unwrap();
    for source in [other.path(), empty.path()] {
        refused(source, &target, "is a backup of another data directory, which was at ");
    }
    // At the same path, as where all data directories are at /data.
    let at = place.path().join("data");
    fs::rename(directory.path(), &at).unwrap();
    back_up(&at, &target);
    fs::rename(&at, place.path().join("away")).unwrap();
    for source in [other.path(), empty.path()] {
        fs::rename(source, &at).unwrap();
        refused(&at, &target, "is a backup of another data directory, which was at ");
        fs::rename(&at, source).unwrap();
    }
    assert_eq!(restored(&target), MADE);
}

/// The state of before is put back.
#[test]
fn a_data_directory_that_has_gone_back() {
    let (directory, place) = (made(), tempfile::tempdir().unwrap());
    let (target, snapshot) = (place.path().join("copy"), place.path().join("snapshot"));
    copy_files(directory.path(), &snapshot);
    fs::remove_file(snapshot.join("CONTROL")).unwrap();
    let mut program = ServerProcess::open(directory.path());
    assert_eq!(program.request("put c 3 30\n"), "ok\n\n");
    program.kill();
    back_up(directory.path(), &target);
    let newest = restored(&target);
    refused(&snapshot, &target, "is a backup that is newer than the data directory");
    back_up(directory.path(), &target);
    assert_eq!(restored(&target), newest);
}

/// It went its own way, and is as long as the one that it was a backup of.
#[test]
fn a_backup_that_was_restored_and_used() {
    let (directory, place) = (made(), tempfile::tempdir().unwrap());
    let (target, clone) = (place.path().join("copy"), place.path().join("restored"));
    back_up(directory.path(), &target);
    copy_files(&target, &clone);
    for time in 1..4 {
        let mut program = ServerProcess::open(&clone);
        assert_eq!(program.request(&format!("put other 1 {time}\n")), "ok\n\n");
        program.kill();
    }
    fs::remove_file(clone.join("CONTROL")).unwrap();
    refused(&clone, &target, "is a backup of another data directory, which was at ");
    assert_eq!(restored(&target), MADE);
    let own = place.path().join("own");
    back_up(&clone, &own);
    refused(directory.path(), &own, "is a backup of another data directory, which was at ");
    back_up(directory.path(), &target);
}

/// A start and a checkpoint have given the gap a part.
#[test]
fn a_data_directory_that_has_lost_a_log() {
    let (directory, place) = (made(), tempfile::tempdir().unwrap());
    let (target, other) = (place.path().join("copy"), place.path().join("other"));
    back_up(directory.path(), &target);
    let mut names = file_names(directory.path());
    names.retain(|name| name.starts_with("log-"));
    fs::remove_file(directory.path().join(&names[0])).unwrap();
    let mut program = ServerProcess::open(directory.path());
    assert_eq!(program.request("put c 3 30\n"), "ok\n\n");
    refused_meanwhile(directory.path(), &target, &format!("can't be opened: {};", names[0]));
    program.stop();
    let mut names = file_names(directory.path());
    names.retain(|name| name.starts_with("part-"));
    let words = format!("lost points: {};", names[1]);
    refused(directory.path(), &target, &words);
    assert_eq!(restored(&target), MADE);
    // Into a new one, with a word of it.
    let (code, said, message) = try_back_up(directory.path(), &other);
    assert_eq!((code, &*message), (Some(3), ""), "{said}");
    assert!(said.lines().last().unwrap().contains(&format!("directory: {};", names[1])), "{said}");
    // The first copy has what a repair gives up.
    assert!(run(command().arg("repair").arg(directory.path())).status.success());
    refused(
        directory.path(),
        &target,
        "or from before a repair; choose an empty or a new directory",
    );
    assert_eq!(restored(&target), MADE);
    back_up(directory.path(), &place.path().join("repaired"));
}

/// Like [`refused`], while a server uses the data directory.
fn refused_meanwhile(directory: &Path, target: &Path, words: &str) {
    let before = snapshot(target);
    let (code, said, message) = try_back_up(directory, target);
    assert_eq!((code, &*said), (Some(1), ""), "{message}");
    assert!(message.contains(words), "{message}");
    let files = |root: BTreeMap<_, _>| root.into_values().collect::<Vec<_>>();
    assert_eq!(files(snapshot(target)), files(before), "{message}");
}

/// A byte of a file, as a disk loses it.
fn damage(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    // Another file: the one before may have a name in a backup.
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_data_directory_that_is_damaged() {
    let (directory, place) = (made(), tempfile::tempdir().unwrap());
    let (target, other) = (place.path().join("copy"), place.path().join("other"));
    back_up(directory.path(), &target);
    let log = file_names(directory.path()).into_iter().find(|name| name.starts_with("log-"));
    let log = directory.path().join(log.unwrap());
    let sound = fs::read(&log).unwrap();
    damage(&log, sound.len() - 5);
    refused(directory.path(), &target, "and such a file never changes");
    fs::write(&log, sound).unwrap();
    // A part that takes the place of the part and the log.
    ServerProcess::open(directory.path()).stop();
    let names = file_names(directory.path());
    let part = names.iter().rfind(|name| name.starts_with("part-")).unwrap();
    damage(&directory.path().join(part), 60);
    let (code, said, message) = try_back_up(directory.path(), &target);
    assert_eq!((code, &*said), (Some(1), ""), "{message}");
    let refusal = message.lines().last().unwrap();
    assert!(refusal.contains(&format!("have lost points: {part};")), "{message}");
    assert_eq!(restored(&target), MADE);
    let (code, said, message) = try_back_up(directory.path(), &other);
    assert_eq!(code, Some(3), "{message}");
    assert!(said.lines().last().unwrap().contains(&format!("directory: {part};")), "{said}");
}

#[test]
fn a_second_backup_at_once() {
    let (directory, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let target = place.path().join("copy");
    let mut program = ServerProcess::open(directory.path());
    assert_eq!(program.request("put a 1 10\n"), "ok\n\n");
    let contact = fs::read_to_string(directory.path().join("CONTROL")).unwrap();
    let (first, _) = HeldByServer::ask(&contact).unwrap();
    let (code, _, message) = try_back_up(directory.path(), &target);
    assert_eq!(code, Some(1), "{message}");
    assert!(message.contains("another backup of it is being made"), "{message}");
    first.finish("nothing");
    back_up(directory.path(), &target);
    program.wait_until_logged("no backup is made: another backup");
    program.stop();
}

#[test]
fn a_server_that_says_nothing_or_does_not_answer() {
    let (directory, place) = (made(), tempfile::tempdir().unwrap());
    let target = place.path().join("copy");
    let lock = locked(directory.path(), None);
    refused(directory.path(), &target, "no file CONTROL there says how to ask it");
    drop(lock);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let lock = locked(directory.path(), Some(contact(port)));
    refused(directory.path(), &target, "does not answer");
    fs::write(directory.path().join("CONTROL"), "call me\n").unwrap();
    refused(directory.path(), &target, "can't be understood");
    // What a server that was killed has left, and a program that has got its port.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    fs::write(directory.path().join("CONTROL"), contact(port)).unwrap();
    let stranger = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let list = "files of a metrics server's data\n";
        stream.write_all(format!("ok {}\n\n{list}", list.len() + 1).as_bytes()).unwrap();
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    refused(directory.path(), &target, "another program has got the port");
    stranger.join().unwrap();
    drop(lock);
    // Without a server it is not asked.
    back_up(directory.path(), &target);
    assert_eq!(restored(&target), MADE);
}

#[test]
fn a_server_that_ends_meanwhile() {
    refused_by_a_server(FakeServer::start, "the server ended before all was copied");
}

/// It has removed or replaced files since.
#[test]
fn a_server_whose_disk_is_full_meanwhile() {
    refused_by_a_server(FakeServer::with_full_disk, "the server's disk is full, and it keeps");
}

/// A server that keeps the first file is asked; the copy before stays.
fn refused_by_a_server(start: fn(&Path, usize) -> FakeServer, words: &str) {
    let (directory, place) = (made(), tempfile::tempdir().unwrap());
    ServerProcess::open(directory.path()).stop();
    let target = place.path().join("copy");
    back_up(directory.path(), &target);
    let mut program = ServerProcess::open(directory.path());
    assert_eq!(program.request("put c 3 30\n"), "ok\n\n");
    program.stop();
    let before = snapshot(&target);
    let server = start(directory.path(), 1);
    // Its connection ends then.
    let server = thread::spawn(move || drop(server.wait()));
    let (code, _, message) = try_back_up(directory.path(), &target);
    server.join().unwrap();
    assert_eq!(code, Some(1), "{message}");
    assert!(message.contains(words), "{message}");
    // But for the lock that it took.
    let mut after = snapshot(&target);
    let mut before = before;
    for root in [target.clone(), target.join("LOCK")] {
        after.remove(&root);
        before.remove(&root);
    }
    assert_eq!(after, before);
    assert_eq!(restored(&target), MADE);
}

/// What a copy lacks is named, also of one that was made by other means while the server ran.
#[test]
fn a_copy_without_some_files() {
    let (directory, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for time in 1..4 {
        let mut program = ServerProcess::open(directory.path());
        let mut puts = String::new();
        for at in 0..1 << (4 * time) {
            writeln!(puts, "put a{time} 1 {at}").unwrap();
        }
        program.request(&puts);
        program.stop();
    }
    let mut program = ServerProcess::open(directory.path());
    assert_eq!(program.request("put b 2 20\n"), "ok\n\n");
    let (target, by_hand) = (place.path().join("copy"), place.path().join("by hand"));
    back_up(directory.path(), &target);
    copy_files_that_can_be_read(directory.path(), &by_hand);
    program.stop();
    for copy in [&target, &by_hand] {
        let names = file_names(copy);
        for name in
            names.iter().filter(|name| name.starts_with("part-") || name.starts_with("log-"))
        {
            let incomplete = tempfile::tempdir().unwrap();
            copy_files(copy, incomplete.path());
            fs::remove_file(incomplete.path().join(name)).unwrap();
            let checked = run(command().arg("check").arg(incomplete.path()));
            let said = String::from_utf8_lossy(&checked.stdout).into_owned();
            assert_eq!(checked.status.code(), Some(1), "{name}: {said}");
            let mut program = ServerProcess::open(incomplete.path());
            assert!(program.request("get *\n").starts_with("error\nthe disk has lost points of "));
            let log = program.stop();
            assert!(log.contains("ERROR") && log.contains(name.as_str()), "{name}: {log}");
        }
    }
}

/// As `cp` copies a directory whose server runs; the lock can't be read everywhere.
fn copy_files_that_can_be_read(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in file_names(from).iter().filter(|name| *name != "LOCK") {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
}
