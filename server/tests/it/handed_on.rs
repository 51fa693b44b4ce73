//! A data directory that one server program after the other continues, each on another kind of
//! machine: every point is there for the next one, byte for byte.
//!
//! `SERVERS` names the programs, a command a line, with what has white space in quotes; `own` is the one that is tested, which is also
//! the default, three times:
//!
//! ```sh
//! SERVERS='own
//! /usr/lib/wine/wine64 target/cross/x86_64-pc-windows-gnu/debug/server.exe
//! qemu-arm-static -L /usr/arm-linux-gnueabihf target/cross/armv7-unknown-linux-gnueabihf/debug/server
//! own' cargo test -p server --test it handed_on
//! ```

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use server::store::local::{Local, LocalConfig};
use server::store::query::Query;
use server::store::{Cursor, Store};
use shared::{Key, Point, response};

use crate::harness::files::file_names;
use crate::harness::process::{ServerProcess, command};
use crate::harness::random::Random;
use crate::harness::within;

/// Small, so that there are checkpoints and merges.
const LOG_LIMIT: &str = "64KiB";

/// Puts at once: more than two checkpoints' worth of log, so that there is one at least.
const PUTS: usize = 20_000;

/// Puts that are in the log of a server when it ends.
const LAST_PUTS: usize = 500;

/// Times that a server gets [`PUTS`], at most, until it merges parts.
const MAX_ROUNDS: usize = 50;

/// Values whose text or bits are easily lost on the way.
const VALUES: [f64; 16] = [
    0.0,
    -0.0,
    5e-324,
    -2.225_073_858_507_201e-308,
    2.225_073_858_507_201_4e-308,
    f64::MAX,
    f64::MIN,
    0.1 + 0.2,
    -1.234_567_890_123_456_7e300,
    9_007_199_254_740_993.0,
    123_456_789_012_345_680.0,
    1e16,
    1e22,
    0.000_01,
    1.0 / 3.0,
    -42.0,
];

/// The points that are stored, by series in the order of their first puts.
#[derive(Default)]
struct Model {
    series: Vec<(String, BTreeMap<i64, f64>)>,
}

impl Model {
    fn put(&mut self, key: &str, point: Point) {
        let place = self.series.iter().position(|(known, _)| known == key).unwrap_or_else(|| {
            self.series.push((key.to_owned(), BTreeMap::new()));
            self.series.len() - 1
        });
        self.series[place].1.insert(point.timestamp, point.value);
    }

    /// The reply to `get *`.
    fn reply(&self) -> String {
        let mut reply = Vec::new();
        response::encode_status_ok(&mut reply);
        for (key, points) in &self.series {
            let key = Key::new(key).unwrap();
            for (&timestamp, &value) in points {
                response::encode_point(key, Point { timestamp, value }, &mut reply);
            }
        }
        response::encode_end(&mut reply);
        String::from_utf8(reply).unwrap()
    }
}

/// The keys of a server: some that all put to, some of its own.
fn keys(server: usize) -> Vec<String> {
    let longest = "längster.".repeat(102) + &"x".repeat(4);
    let shared = ["palm.cpu", "größe.straße", "温度.東京", "🦀.load", "с.кириллицей", &longest];
    let own = (0..4).map(|at| format!("server{server}.ключ{at}"));
    shared.into_iter().map(str::to_owned).chain(own).collect()
}

/// Puts out of order and again, to all keys; they end up in the model.
fn puts(random: &mut Random, server: usize, count: usize, model: &mut Model) -> String {
    let keys = keys(server);
    let mut lines = Vec::new();
    for at in 0..count {
        let key = &keys[pick(random, keys.len())];
        let now = i64::try_from(at).unwrap() * 3;
        let timestamp = match random.below(64) {
            0 => i64::MIN + now,
            1 => i64::MAX - now,
            2..=12 => now - i64::try_from(random.below(3000)).unwrap(),
            _ => now + 7 * i64::try_from(server).unwrap(),
        };
        let value = match random.below(4) {
            0 => VALUES[pick(random, VALUES.len())],
            1 => f64::from_bits(random.below(u64::MAX)),
            _ => f64::from(u32::try_from(random.below(1_000_000)).unwrap()) / 100.0,
        };
        let point = Point { timestamp, value: if value.is_finite() { value } else { 0.5 } };
        lines.extend_from_slice(b"put ");
        response::encode_point(Key::new(key).unwrap(), point, &mut lines);
        model.put(key, point);
    }
    String::from_utf8(lines).unwrap()
}

fn pick(random: &mut Random, end: usize) -> usize {
    usize::try_from(random.below(end as u64)).unwrap()
}

/// The words of a command. What is in quotes is one.
fn words(command: &str) -> Vec<&str> {
    let pieces = command.split('"').enumerate();
    let words = pieces.map(|(at, piece)| match at % 2 {
        0 => piece.split_whitespace().collect(),
        _ => vec![piece],
    });
    words.collect::<Vec<_>>().concat()
}

#[test]
fn a_program_may_have_white_space_in_its_path() {
    assert_eq!(words("own"), ["own"]);
    assert_eq!(words(" a -b  \"c  d/e\" f"), ["a", "-b", "c  d/e", "f"]);
    assert_eq!(words(""), [""; 0]);
}

/// Starts a program on a directory. The lock of one that was killed under an emulator may outlive
/// it for a moment.
fn start(program: &str, directory: &Path) -> ServerProcess {
    loop {
        let mut words = words(program).into_iter();
        let mut command = match words.next() {
            None | Some("own") => command(),
            Some(first) => Command::new(first),
        };
        command.args(words).arg("--data-dir").arg(directory).args(["--log-limit", LOG_LIMIT]);
        let mut server = ServerProcess::spawn(&mut command);
        loop {
            match server.next_line() {
                Some(line) if line.contains("listening on ") => {
                    server.listens(&line);
                    return server;
                }
                Some(line) if line.contains("is using it; end that one") => break,
                Some(_) => {}
                None => panic!("{program} ended: {}", server.describe_end()),
            }
        }
        server.wait_for_exit();
    }
}

/// Stops a program in an orderly way; returns its log. To a process of wine SIGTERM is the same as
/// SIGKILL, and SIGINT is Ctrl-C.
fn stop(program: &str, server: ServerProcess) -> String {
    if !words(program).first().is_some_and(|first| first.contains("wine")) {
        return server.stop();
    }
    server.signal("-INT");
    let (code, log) = server.wait_for_exit();
    assert_eq!(code, Some(0), "{program}: {log}");
    log
}

#[track_caller]
fn check(program: &str, server: &mut ServerProcess, model: &Model) {
    let (reply, expected) = (server.request("get *\n"), model.reply());
    if reply != expected {
        let differs = reply.lines().zip(expected.lines()).find(|(a, b)| a != b);
        panic!("{program}: {} lines, first difference {differs:?}", reply.lines().count());
    }
    let log = server.log();
    assert!(!log.contains("ERROR") && !log.contains("damaged"), "{program}: {log}");
}

#[test]
fn every_point_outlives_a_change_of_the_server() {
    let servers = std::env::var("SERVERS").unwrap_or_else(|_| "own\nown\nown".to_owned());
    let servers = servers.lines().map(str::trim).filter(|line| !line.is_empty());
    let directory = tempfile::tempdir().unwrap();
    let (mut model, mut random) = (Model::default(), Random(1));
    for (number, program) in servers.enumerate() {
        let mut server = start(program, directory.path());
        check(program, &mut server, &model);
        let mut put = |server: &mut ServerProcess, count| {
            let requests = puts(&mut random, number, count, &mut model);
            assert!(server.request(&requests) == "ok\n\n".repeat(count), "{program}: all are ok");
        };
        let mut rounds = 0;
        while !server.log().contains(" merging") {
            rounds += 1;
            assert!(rounds < MAX_ROUNDS, "{program} merges nothing: {}", server.log());
            put(&mut server, PUTS);
            server.wait_for_line(" checkpoint: ");
        }
        server.wait_until_logged(" merged ");
        put(&mut server, LAST_PUTS);
        check(program, &mut server, &model);
        if number % 2 == 1 {
            println!("{program}: killed");
            server.kill();
        } else {
            let log = stop(program, server);
            println!("{program}: stopped");
            assert!(log.contains("stopped"), "{program}: {log}");
        }
    }
    read_every_chunk(directory.path(), &model);
}

/// Reads all parts and the log of a directory, twice: by the library, and by the program, whose log
/// would name what is damaged.
fn read_every_chunk(directory: &Path, model: &Model) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut read = Model::default();
    runtime.block_on(async {
        let store = Local::open(directory, LocalConfig::default()).unwrap();
        let mut cursor = store.get(Query::all());
        while let Some(block) = within(cursor.next_block()).await.unwrap() {
            for (key, points) in block.series() {
                for &point in points {
                    read.put(key.as_str(), point);
                }
            }
        }
        within(store.close()).await;
    });
    assert!(read.reply() == model.reply());
    let mut server = ServerProcess::open(directory);
    check("own", &mut server, model);
    let log = server.stop();
    assert!(!log.contains("ERROR") && !log.contains("WARN"), "{log}");
    let names = file_names(directory);
    assert!(!names.iter().any(|name| name.starts_with("damaged-")), "{names:?}");
}
