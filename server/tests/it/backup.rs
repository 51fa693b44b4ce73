//! `server backup`: of servers under load and of stopped ones, and what it refuses.

mod fake_server;
mod load;
mod refused;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::harness::files::{copy_files, file_names, snapshot};
use crate::harness::os;
use crate::harness::process::{ServerProcess, command, connect, retry, run};
use fake_server::FakeServer;
use load::Load;

/// The command, not yet started.
fn backup(directory: &Path, target: &Path) -> Command {
    let mut command = command();
    command.arg("backup").arg(directory).arg(target);
    command
}

/// Makes a backup; answers its exit code, output and messages.
fn try_back_up(directory: &Path, target: &Path) -> (Option<i32>, String, String) {
    let output = run(&mut backup(directory, target));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Makes a backup; answers what it says.
fn back_up(directory: &Path, target: &Path) -> String {
    let (code, said, message) = try_back_up(directory, target);
    assert_eq!((code, &*message), (Some(0), ""), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

/// What a server answers that is started on a copy of a backup, as it is restored.
fn restored(target: &Path) -> String {
    let copy = tempfile::tempdir().unwrap();
    copy_files(target, copy.path());
    let mut program = ServerProcess::open(copy.path());
    let reply = program.request("get *\n");
    let log = program.stop();
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
    reply
}

/// A directory with a part of `a` and a point of `b` in a log; no process uses it.
fn made() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let mut program = ServerProcess::open(directory.path());
    assert_eq!(program.request("put a 1 10\n"), "ok\n\n");
    program.stop();
    let mut program = ServerProcess::open(directory.path());
    assert_eq!(program.request("put b 2 20\n"), "ok\n\n");
    program.kill();
    directory
}

const MADE: &str = "ok\na 1.0 10\nb 2.0 20\n\n";

/// A script has to notice, also later.
#[test]
fn a_backup_of_damaged_files_has_an_exit_code_of_its_own() {
    let (directory, place) = (made(), tempfile::tempdir().unwrap());
    let names = file_names(directory.path());
    let part = names.iter().find(|name| name.starts_with("part-")).unwrap();
    let path = directory.path().join(part);
    let mut bytes = fs::read(&path).unwrap();
    bytes[60] ^= 4;
    fs::write(&path, &bytes).unwrap();
    let target = place.path().join("copy");
    for _ in 0..2 {
        let (code, said, _) = try_back_up(directory.path(), &target);
        assert_eq!(code, Some(3), "{said}");
        let warning = said.lines().nth(1).unwrap_or_default();
        assert!(warning.starts_with("damaged, or with lost points"), "{said}");
        assert!(warning.contains(part), "{said}");
    }
}

#[test]
fn a_stopped_server_is_backed_up() {
    let (directory, place) = (made(), tempfile::tempdir().unwrap());
    let target = place.path().join("far").join("copy");
    // What the server that was killed has left.
    fs::remove_file(directory.path().join("CONTROL")).unwrap();
    let before = file_names(directory.path());
    let said = back_up(directory.path(), &target);
    assert!(said.starts_with("files: 2 linked, 3 copied ("), "{said}");
    assert_eq!(file_names(directory.path()), before);
    assert_eq!(restored(&target), MADE);
    let said = back_up(directory.path(), &target);
    assert!(said.starts_with("files: 0 linked, 0 copied (0 bytes), 5 left as they were"), "{said}");
    assert_eq!(run(command().arg("check").arg(&target)).status.code(), Some(0));
    // It goes its own way once it is used itself.
    let mut program = ServerProcess::open(&target);
    assert_eq!(
        program.request("put c 3 30\nget *\n"),
        "ok\n\nok\na 1.0 10\nb 2.0 20\nc 3.0 30\n\n"
    );
    program.stop();
    let (code, said, message) = try_back_up(directory.path(), &target);
    assert_eq!((code, &*said), (Some(1), ""));
    assert!(message.contains("is neither empty nor a backup"), "{message}");
    let mut program = ServerProcess::open(directory.path());
    assert_eq!(program.request("get *\n"), MADE);
    program.stop();
}

/// A part or a log that was moved to another disk, and is linked from there.
#[test]
fn what_a_symbolic_link_leads_to_is_copied() {
    let (directory, place) = (made(), tempfile::tempdir().unwrap());
    let (away, target) = (place.path().join("away"), place.path().join("copy"));
    let names = file_names(directory.path());
    let log = names.iter().find(|name| name.starts_with("log-")).unwrap();
    fs::rename(directory.path().join(log), &away).unwrap();
    if !os::link_to(&away, &directory.path().join(log)) {
        return;
    }
    let said = back_up(directory.path(), &target);
    assert!(said.starts_with("files: 1 linked, 4 copied ("), "{said}");
    assert!(fs::symlink_metadata(target.join(log)).unwrap().is_file());
    fs::remove_file(away).unwrap();
    assert_eq!(restored(&target), MADE);
}

#[test]
fn a_running_server_is_backed_up_and_goes_on() {
    let (directory, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let target = place.path().join("copy");
    let mut program = ServerProcess::open(directory.path());
    assert_eq!(program.request("put a 1 10\nput b 2 20\n"), "ok\n\nok\n\n");
    let said = back_up(directory.path(), &target);
    assert!(said.starts_with("files: 1 linked, 3 copied ("), "{said}");
    program.wait_until_logged("the backup is made in ");
    assert!(program.log().contains("files: 1 linked, 3 copied"), "{}", program.log());
    assert_eq!(program.request("put a 7 70\n"), "ok\n\n");
    assert_eq!(restored(&target), MADE);
    // Nothing of what it is to say is left behind.
    program.stop();
    assert!(!file_names(directory.path()).contains(&"CONTROL".to_owned()));
    back_up(directory.path(), &target);
    assert_eq!(restored(&target), "ok\na 1.0 10\na 7.0 70\nb 2.0 20\n\n");
    let parts = |directory| {
        let mut names = file_names(directory);
        names.retain(|name| name.starts_with("part-") || name.starts_with("log-"));
        names
    };
    assert_eq!(parts(&target), parts(directory.path()));
}

/// Every put that was acknowledged before is in each copy, while clients put, a follower is told all, and
/// checkpoints and merges go on.
#[test]
fn backups_under_load_have_all_that_was_acknowledged_before() {
    let (directory, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let target = place.path().join("copy");
    let path = directory.path().to_str().unwrap();
    let mut program = ServerProcess::start(["--data-dir", path, "--log-limit", "64KiB"]);
    let load = Load::start(program.port());
    for round in 0..4 {
        load.wait_for_more(5_000);
        let before = load.acknowledged();
        back_up(directory.path(), &target);
        let missing = load::missing(&restored(&target), &before);
        assert_eq!(missing, [""; 0], "round {round}");
    }
    let all = load.stop();
    let reply = program.request("get *\n");
    assert_eq!(load::missing(&reply, &all), [""; 0]);
    back_up(directory.path(), &target);
    assert_eq!(restored(&target), reply);
    let log = program.stop();
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
    for said in ["checkpoint: ", "merged "] {
        assert!(log.contains(said), "{said}: {log}");
    }
}

/// Kills the command when the target has so many names, or when it has ended.
fn kill_at(mut child: Child, target: &Path, names: usize) {
    retry("it ends", || {
        let has_ended = child.try_wait().unwrap().is_some();
        let is_there = fs::read_dir(target).is_ok_and(|all| all.count() >= names);
        (has_ended || is_there).then_some(())
    });
    let _ = child.kill();
    child.wait().unwrap();
}

/// What a server on a copy answers, or `None` when it is refused as not finished.
fn reply_or_refusal(copy: &Path) -> Option<String> {
    let mut start = ServerProcess::launch(["--data-dir", copy.to_str().unwrap()]);
    loop {
        match start.next_line() {
            Some(line) if line.contains("listening on ") => {
                start.listens(&line);
                let reply = start.request("get *\n");
                start.stop();
                return Some(reply);
            }
            Some(_) => {}
            None => {
                let (code, log) = start.wait_for_exit();
                assert_eq!(code, Some(1), "{log}");
                assert!(log.contains("it is a backup "), "{log}");
                return None;
            }
        }
    }
}

#[test]
fn a_backup_that_is_killed_is_the_one_before_or_says_that_it_is_none() {
    let (directory, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut program = ServerProcess::open(directory.path());
    let mut time = 0;
    for round in 0..2 {
        let target = place.path().join(format!("{round}"));
        // What the server had at each attempt, and which of these the copy has at least.
        let (mut moments, mut oldest) = (Vec::new(), None);
        for names in 1..9 {
            time += 1;
            assert_eq!(program.request(&format!("put a 1 {time}\n")), "ok\n\n");
            moments.push(program.request("get *\n"));
            let mut killed = backup(directory.path(), &target);
            killed.stdout(Stdio::null()).stderr(Stdio::null());
            kill_at(killed.spawn().unwrap(), &target, names);
            let copy = tempfile::tempdir().unwrap();
            copy_files(&target, copy.path());
            if let Some(reply) = reply_or_refusal(copy.path()) {
                let found = moments.iter().position(|moment| *moment == reply);
                // A directory in which nothing was written yet becomes a store without points.
                assert!(found.is_some() || oldest.is_none() && reply == "ok\n\n", "{reply}");
                assert!(found >= oldest, "{found:?} is older than {oldest:?}");
                oldest = found;
            }
        }
        // The server notices that the last one is gone.
        let said = retry("a backup can be made", || {
            let (code, said, message) = try_back_up(directory.path(), &target);
            assert!(code == Some(0) || message.contains("another backup"), "{message}");
            (code == Some(0)).then_some(said)
        });
        assert!(said.ends_with(" s\n"), "{said}");
        assert_eq!(restored(&target), program.request("get *\n"));
    }
    program.stop();
}

/// At each file, with certainty: nothing answers it any more when it is killed.
#[test]
fn a_backup_that_is_killed_between_files() {
    let (directory, place) = (made(), tempfile::tempdir().unwrap());
    for has_copy in [false, true] {
        let target = place.path().join(format!("{has_copy}"));
        ServerProcess::open(directory.path()).stop();
        let mut before = None;
        if has_copy {
            back_up(directory.path(), &target);
            before = Some(restored(&target));
            let mut program = ServerProcess::open(directory.path());
            assert_eq!(program.request("put c 3 30\n"), "ok\n\n");
            program.stop();
        }
        let mut kills = 0;
        loop {
            let server = FakeServer::start(directory.path(), kills);
            let mut command = backup(directory.path(), &target);
            command.stdout(Stdio::null()).stderr(Stdio::null());
            let mut child = command.spawn().unwrap();
            let Some(connection) = server.wait() else {
                assert_eq!(child.wait().unwrap().code(), Some(0));
                break;
            };
            assert_eq!(child.try_wait().unwrap(), None);
            child.kill().unwrap();
            child.wait().unwrap();
            drop(connection);
            kills += 1;
            let copy = tempfile::tempdir().unwrap();
            copy_files(&target, copy.path());
            assert_eq!(reply_or_refusal(copy.path()), before, "killed at {kills}");
        }
        assert!(kills > 2, "{kills}");
        let mut program = ServerProcess::open(directory.path());
        assert_eq!(restored(&target), program.request("get *\n"));
        program.stop();
    }
}
