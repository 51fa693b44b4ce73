//! A real disk that is full: puts are refused at once with a reason, reads go on, and puts resume
//! when there is room. Nothing acknowledged is lost, nothing refused comes back. A start serves reads,
//! and deletes make room.
//!
//! The disk is a file system in memory, mounted in a mount namespace of its own. `SMALL_DISK` names
//! another one. Where nothing can be mounted the tests are skipped, unless `REQUIRE_DISK_FULL=1`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use server::net::HeldByServer;

use crate::harness::files::{copy_files, file_names};
use crate::harness::process::{ServerProcess, command, retry, run, wait_for_output};
use crate::harness::random::Random;

const SMALL_DISK: &str = "SMALL_DISK";
const REQUIRE: &str = "REQUIRE_DISK_FULL";

const HELP: &str = "\
this test needs a small file system and can't mount one. Do one of these:
- run it as root, in a container with the capability SYS_ADMIN;
- allow user namespaces, and install util-linux for unshare and mount;
- mount one yourself and name it: mount -t tmpfs -o size=3m tmpfs DIR; SMALL_DISK=DIR cargo test";

/// Puts that a small disk has no room for.
const MAX_PUTS: usize = 4_000_000;

/// Mounts a disk of 3 MiB at its first argument and runs the rest there.
const MOUNT: &str = r#"mount -t tmpfs -o size=3m tmpfs "$1" && shift && exec "$@""#;

/// How long a test may take on the small disk, its own waits included.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// Runs `body` with an empty directory on a small disk, or the test of this `name` again in a
/// process that has one. Without the means to mount one the test is skipped, unless
/// `REQUIRE_DISK_FULL` is set.
fn on_a_small_disk(name: &str, body: impl FnOnce(&Path)) {
    if let Some(disk) = std::env::var_os(SMALL_DISK) {
        let directory = tempfile::tempdir_in(disk).expect("SMALL_DISK can be written to");
        return body(directory.path());
    }
    let ways: [&[&str]; 2] = [&["--mount"], &["--map-root-user", "--mount"]];
    let mount_point = tempfile::tempdir().unwrap();
    let mounted = |way: &[&str]| {
        let mut unshare = Command::new("unshare");
        unshare.args(way).args(["sh", "-c", MOUNT, "sh"]).arg(mount_point.path());
        unshare
    };
    let possible = |way: &&&[&str]| {
        let probe = mounted(way).arg("true").stderr(Stdio::null()).status();
        probe.is_ok_and(|status| status.success())
    };
    let Some(way) = ways.iter().find(possible) else {
        assert!(std::env::var_os(REQUIRE).is_none_or(|value| value.is_empty()), "{HELP}");
        // Not by a macro, whose output is not shown when a test passes.
        let mut stderr = io::stderr();
        writeln!(stderr, "\nSKIPPED {name}: {HELP}").unwrap();
        return;
    };
    let child = mounted(way)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(SMALL_DISK, mount_point.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let output = wait_for_output(child.unwrap(), LIMIT);
    let stdout = String::from_utf8_lossy(&output.stdout);
    println!("{stdout}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "it failed on the small disk");
    assert!(stdout.contains("1 passed"), "{name} is no test");
}

/// Fills what room there is up to `most` bytes.
fn ballast(path: &Path, most: usize) {
    let mut file = File::options().create(true).append(true).open(path).unwrap();
    for _ in 0..most / 4096 {
        match file.write_all(&[0; 4096]) {
            Ok(()) => {}
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::StorageFull);
                return;
            }
        }
    }
}

/// A client that remembers what was acknowledged.
struct Client {
    random: Random,
    puts: usize,
    /// Puts in a row to the same key.
    puts_to_a_key: usize,
    acknowledged: Vec<(String, BTreeMap<u64, u64>)>,
}

type Connection = BufReader<TcpStream>;

/// The status and the reason, or nothing.
fn read_reply(connection: &mut Connection) -> String {
    let mut reply = String::new();
    while !reply.ends_with("\n\n") {
        assert!(connection.read_line(&mut reply).unwrap() > 0, "cut off: {reply:?}");
    }
    reply
}

impl Client {
    fn new(puts_to_a_key: usize) -> Self {
        Self { random: Random(7), puts: 0, puts_to_a_key, acknowledged: Vec::new() }
    }

    /// Puts `count` points together; answers how many were acknowledged. Those that were not
    /// were told that the disk is full.
    fn put(&mut self, connection: &mut Connection, count: usize) -> usize {
        let mut lines = String::new();
        let mut puts = Vec::new();
        for _ in 0..count {
            self.puts += 1;
            // Values that can't be compressed.
            let (key, value) = (self.puts / self.puts_to_a_key, self.random.below(1 << 53));
            let key = format!("a.key.as.long.as.some.keys.are.k{key}");
            let timestamp = u64::try_from(self.puts).unwrap() * 50 + self.random.below(300);
            writeln!(lines, "put {key} {value} {timestamp}").unwrap();
            puts.push((key, timestamp, value));
        }
        connection.get_mut().write_all(lines.as_bytes()).unwrap();
        let mut acknowledged = 0;
        for (key, timestamp, value) in puts {
            let reply = read_reply(connection);
            if reply == "ok\n\n" {
                acknowledged += 1;
                if self.acknowledged.last().is_none_or(|(last, _)| *last != key) {
                    self.acknowledged.push((key, BTreeMap::new()));
                }
                self.acknowledged.last_mut().unwrap().1.insert(timestamp, value);
            } else {
                assert_eq!(reply, "error\nthe disk is full\n\n");
            }
        }
        acknowledged
    }

    /// Puts, so many together, until the disk is full.
    fn fill(&mut self, connection: &mut Connection, together: usize) {
        while self.put(connection, together) == together {
            assert!(self.puts < MAX_PUTS, "SMALL_DISK is not small");
        }
    }

    /// Puts until there is no room for a single one. A checkpoint that is given up can make some
    /// room once more, which the ballast then takes.
    fn fill_up(&mut self, connection: &mut Connection, rest: &Path) {
        self.fill(connection, 200);
        let mut refused = 0;
        while refused < 3 {
            ballast(rest, usize::MAX);
            let any = self.put(connection, 1) + self.put(connection, 200) > 0;
            refused = if any { 0 } else { refused + 1 };
        }
    }

    /// What `get *` must say.
    fn expected(&self) -> String {
        let mut all = "ok\n".to_owned();
        for (key, points) in &self.acknowledged {
            for (timestamp, &value) in points {
                writeln!(all, "{key} {value}.0 {timestamp}").unwrap();
            }
        }
        all + "\n"
    }

    fn check(&self, program: &mut ServerProcess, when: &str) {
        let (found, expected) = (program.request("get *\n"), self.expected());
        if found != expected {
            let (found, expected) = (found.lines(), expected.lines());
            let differs = found.zip(expected).find(|(found, expected)| found != expected);
            panic!("{when}: the first difference, found and expected: {differs:?}");
        }
    }
}

fn refuses_until_there_is_room(disk: &Path, log_limit: &str) {
    let data: PathBuf = disk.join("data");
    let [half, rest, reserve, last_reserve] =
        ["half", "rest", "reserve", "last-reserve"].map(|name| disk.join(name));
    let arguments = ["--data-dir", data.to_str().unwrap(), "--log-limit", log_limit];
    let connect = |program: &ServerProcess| BufReader::new(program.connect());
    let mut client = Client::new(3000);

    ballast(&half, 1 << 20);
    ballast(&reserve, 384 << 10);
    ballast(&last_reserve, 384 << 10);
    let mut program = ServerProcess::start(arguments);
    let mut connection = connect(&program);
    // As long as it is full each put is told so, and reads go on.
    client.fill_up(&mut connection, &rest);
    client.check(&mut program, "full");
    assert_eq!(program.request("what\nget nowhere\n"), "error\nwrong command\n\nok\n\n");

    // Room: it goes on, on the same connection. A checkpoint that failed is tried again first.
    fs::remove_file(&rest).unwrap();
    fs::remove_file(&half).unwrap();
    retry("puts are not accepted again", || (client.put(&mut connection, 1) > 0).then_some(()));
    client.check(&mut program, "room again");
    client.fill_up(&mut connection, &rest);
    client.check(&mut program, "full again");
    program.kill();

    // Without room for a log it starts, serves reads, and leaves at most a file of the log behind.
    // What the next start removes is removed first: that start would have room for a put.
    let finished = || {
        let is_removed = |name: &String| name.contains(".tmp") || name == "CONTROL";
        let (unfinished, finished) =
            file_names(&data).into_iter().partition::<Vec<_>, _>(is_removed);
        for name in unfinished {
            fs::remove_file(data.join(name)).unwrap();
        }
        finished
    };
    let before = finished().len();
    for _ in 0..3 {
        ballast(&rest, usize::MAX);
        program = ServerProcess::start(arguments);
        client.check(&mut program, "on a full disk");
        connection = connect(&program);
        assert_eq!(client.put(&mut connection, 1), 0);
        client.check(&mut program, "on a full disk, after a put");
        program.kill();
        let left = finished();
        assert!(left.len() <= before + 1, "{left:?}");
    }

    // Little room: its end, which may have none for a part, keeps the log then.
    fs::remove_file(&reserve).unwrap();
    program = ServerProcess::start(arguments);
    client.check(&mut program, "after kill -9");
    connection = connect(&program);
    client.fill_up(&mut connection, &rest);
    drop(connection);
    let log = program.stop();
    assert!(log.contains("no room on the disk"), "{log}");
    let left = file_names(&data);
    let is_kept = left.iter().any(|name| name.starts_with("log-"));
    assert_eq!(is_kept, log.contains("its points stay in the log"), "{left:?} {log}");
    assert!(!left.iter().any(|name| name.contains(".tmp")), "room is wasted: {left:?}");
    fs::remove_file(&last_reserve).unwrap();
    program = ServerProcess::start(arguments);
    client.check(&mut program, "at the end");
}

#[test]
fn a_log_that_fills_the_disk() {
    on_a_small_disk("disk_full::a_log_that_fills_the_disk", |disk| {
        refuses_until_there_is_room(disk, "64MiB");
    });
}

/// Each put to a key of its own: names take most of a write then, and where it is cut off, its
/// points are often whole on the disk already.
#[test]
fn what_was_refused_does_not_come_back() {
    on_a_small_disk("disk_full::what_was_refused_does_not_come_back", |disk| {
        let reserve: Vec<_> = (0..8).map(|number| disk.join(format!("reserve{number}"))).collect();
        for reserve in &reserve {
            ballast(reserve, 128 << 10);
        }
        let data = disk.join("data");
        let mut client = Client::new(1);
        drop(ServerProcess::open(&data).stop());
        for reserve in &reserve {
            ballast(&disk.join("rest"), usize::MAX);
            fs::remove_file(reserve).unwrap();
            let mut program = ServerProcess::open(&data);
            client.check(&mut program, "after kill -9");
            let mut connection = BufReader::new(program.connect());
            // A batch that the server reads and writes as one.
            client.fill(&mut connection, 60);
            program.kill();
        }
    });
}

/// Others fill the disk, and what is taken back makes room for puts.
#[test]
fn deletes_make_room_on_a_full_disk() {
    on_a_small_disk("disk_full::deletes_make_room_on_a_full_disk", |disk| {
        let data = disk.join("data");
        let arguments =
            ["--data-dir", data.to_str().unwrap(), "--log-limit", "256KiB", "--allow-delete"];
        let mut client = Client::new(3000);
        let program = ServerProcess::start(arguments);
        let mut connection = BufReader::new(program.connect());
        while client.puts < 40_000 {
            assert_eq!(client.put(&mut connection, 200), 200);
        }
        ballast(&disk.join("rest"), usize::MAX);
        client.fill_up(&mut connection, &disk.join("rest"));
        // Also after a start there.
        program.kill();
        let mut program = ServerProcess::start(arguments);
        client.check(&mut program, "full");
        assert_eq!(program.request("del *\nget *\n"), "ok\n\nok\n\n");
        client.acknowledged.clear();
        let mut connection = BufReader::new(program.connect());
        retry("no room is given back", || (client.put(&mut connection, 1) > 0).then_some(()));
        client.check(&mut program, "room again");
        program.kill();
        let mut program = ServerProcess::start(arguments);
        client.check(&mut program, "after kill -9");
    });
}

#[test]
fn parts_that_fill_the_disk() {
    on_a_small_disk("disk_full::parts_that_fill_the_disk", |disk| {
        refuses_until_there_is_room(disk, "128KiB");
    });
}

/// The data is elsewhere, so that its files are copied, and those of the copy before stay.
#[test]
fn a_backup_for_which_there_is_no_room_leaves_the_one_before() {
    let name = "disk_full::a_backup_for_which_there_is_no_room_leaves_the_one_before";
    on_a_small_disk(name, |disk| {
        let directory = tempfile::tempdir().unwrap();
        let (target, rest) = (disk.join("copy"), disk.join("rest"));
        let back_up = || run(command().arg("backup").arg(directory.path()).arg(&target));
        let restored = || {
            let copy = tempfile::tempdir().unwrap();
            copy_files(&target, copy.path());
            ServerProcess::open(copy.path()).request("get *\n")
        };
        let mut program = ServerProcess::open(directory.path());
        let mut client = Client::new(100);
        let mut connection = BufReader::new(program.connect());
        assert_eq!(client.put(&mut connection, 200), 200);
        let made = back_up();
        let said = String::from_utf8(made.stdout).unwrap();
        assert!(made.status.success() && said.starts_with("files: 0 linked, 4 copied"), "{said}");
        let first = client.expected();
        assert_eq!(restored(), first);

        for _ in 0..20 {
            assert_eq!(client.put(&mut connection, 1000), 1000);
        }
        ballast(&rest, usize::MAX);
        let names = file_names(&target);
        let refused = back_up();
        let message = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{message}");
        assert!(message.contains("is full; make room there"), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
        assert_eq!(file_names(&target), names);
        assert_eq!(restored(), first);
        fs::remove_file(rest).unwrap();
        assert!(back_up().status.success());
        assert_eq!(restored(), client.expected());
        client.check(&mut program, "of the server itself");
        program.stop();
    });
}

/// Its command is stopped, and does not say that it needs no files any more.
#[test]
fn a_backup_that_lasts_makes_no_server_refuse_puts() {
    let name = "disk_full::a_backup_that_lasts_makes_no_server_refuse_puts";
    on_a_small_disk(name, |disk| {
        let data = disk.join("data");
        let arguments = ["--data-dir", data.to_str().unwrap(), "--log-limit", "128KiB"];
        let mut program = ServerProcess::start(arguments);
        let mut client = Client::new(3000);
        let mut connection = BufReader::new(program.connect());
        assert_eq!(client.put(&mut connection, 200), 200);
        let contact = fs::read_to_string(data.join("CONTROL")).unwrap();
        let (mut held, _) = HeldByServer::ask(&contact).unwrap();
        held.keep().unwrap();
        let mut put_some = || {
            retry("puts are not accepted", || {
                let count = client.put(&mut connection, 200);
                (count > 0).then_some(count)
            })
        };
        let reason = loop {
            put_some();
            if let Err(error) = held.keep() {
                break error;
            }
        };
        assert_eq!(reason.kind(), ErrorKind::StorageFull);
        // Much of the log of before has room now.
        let mut stored = 0;
        while stored < 10_000 {
            stored += put_some();
        }
        program.wait_until_logged("the files that a backup copies are not kept any longer");
        client.check(&mut program, "with room again");
        // The next one is made.
        let copy = tempfile::tempdir().unwrap();
        let made = run(command().arg("backup").arg(&data).arg(copy.path()));
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        program.stop();
        client.check(&mut ServerProcess::open(copy.path()), "from the backup");
    });
}
