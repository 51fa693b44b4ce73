//! Makes the directories of the present format. Those of a released one are kept as they are.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use super::data;
use crate::harness::files::{copy_files, file_names};
use crate::harness::process::ServerProcess;
use crate::harness::random::Random;

/// A directory that is being made, and what its store is to answer: a model that is not the server.
struct Directory {
    path: PathBuf,
    /// Keys by the order of their first puts.
    order: Vec<String>,
    /// Values as they are answered.
    points: BTreeMap<(String, i64), String>,
    server: Option<ServerProcess>,
}

impl Directory {
    fn new(format: &Path, name: &str) -> Self {
        let (order, points) = (Vec::new(), BTreeMap::new());
        Self { path: format.join(name), order, points, server: None }
    }

    fn start(&mut self) {
        let options =
            [OsStr::new("--allow-delete"), OsStr::new("--data-dir"), self.path.as_os_str()];
        self.server = Some(ServerProcess::start(options));
    }

    /// Sends requests in one packet, each of which is answered `ok`.
    fn send(&mut self, requests: &[String]) {
        let server = self.server.as_mut().unwrap();
        let replies = server.request(&requests.concat());
        assert_eq!(replies, "ok\n\n".repeat(requests.len()));
    }

    /// Puts in one packet; the values are in the form in which they are answered.
    fn put(&mut self, puts: &[(&str, String, i64)]) {
        let mut requests = Vec::new();
        for (key, value, timestamp) in puts {
            requests.push(format!("put {key} {value} {timestamp}\n"));
            self.learn(key, value, *timestamp);
        }
        self.send(&requests);
    }

    fn learn(&mut self, key: &str, value: &str, timestamp: i64) {
        if !self.order.iter().any(|known| known == key) {
            self.order.push(key.to_owned());
        }
        self.points.insert((key.to_owned(), timestamp), value.to_owned());
    }

    fn delete(&mut self, key: &str, from: i64, to: i64) {
        self.send(&[format!("del {key}[{from}:{to}]\n")]);
        self.points.retain(|(of, at), _| of != key || !(from..=to).contains(at));
        let left = |key: &String| self.points.keys().any(|(of, _)| of == key);
        self.order.retain(left);
    }

    fn stop(&mut self) {
        drop(self.server.take().unwrap().stop());
    }

    fn kill(&mut self) {
        self.server.take().unwrap().kill();
    }

    /// Writes what it is to answer, and checks that it does.
    fn finish(self) {
        let mut expected = String::from("ok\n");
        for key in &self.order {
            for ((_, timestamp), value) in self.points.iter().filter(|((of, _), _)| of == key) {
                writeln!(expected, "{key} {value} {timestamp}").unwrap();
            }
        }
        expected.push('\n');
        let copy = tempfile::tempdir().unwrap();
        copy_files(&self.path, copy.path());
        assert_eq!(ServerProcess::open(copy.path()).request("get *\n"), expected);
        fs::write(self.path.with_extension("txt"), expected).unwrap();
    }
}

fn number(value: f64) -> String {
    // The form of the protocol between 1e-4 and 1e16.
    format!("{value:?}")
}

/// A random walk of two decimals.
fn walk(random: &mut Random) -> impl FnMut() -> String + use<> {
    let mut hundredths = 5000;
    let mut random = Random(random.below(u64::MAX));
    move || {
        hundredths += i32::try_from(random.below(101)).unwrap() - 50;
        number(f64::from(hundredths) / 100.0)
    }
}

const START: i64 = 1_150_864_247;

fn make_log(format: &Path) {
    let mut log = Directory::new(format, "log");
    log.start();
    log.put(&[("palm.cpu", number(23.7), START)]);
    log.put(&[
        ("palm.cpu", number(2.0), START),
        ("palm.cpu", number(0.5), START + 1),
        ("eardrum.cpu", number(3.0), START + 3),
    ]);
    log.delete("palm.cpu", START - 7, START);
    log.kill();
    log.finish();
}

fn make_part(format: &Path) {
    let mut part = Directory::new(format, "part");
    part.start();
    part.put(&[
        ("palm.cpu", number(2.0), START),
        ("palm.cpu", number(0.5), START + 1),
        ("eardrum.cpu", number(3.0), START + 3),
        ("palm.cpu", number(0.25), START + 13),
    ]);
    part.stop();
    part.finish();
}

/// The second part takes back points of the first one, and a whole series.
fn make_deletes(format: &Path) {
    let mut deletes = Directory::new(format, "deletes");
    let mut random = Random(1);
    let (mut cpu, mut mem) = (walk(&mut random), walk(&mut random));
    deletes.start();
    let mut puts = vec![("eardrum.cpu", number(3.0), START)];
    for at in START..START + 300 {
        puts.extend([("palm.cpu", cpu(), at), ("palm.mem", mem(), at)]);
    }
    deletes.put(&puts);
    deletes.stop();
    deletes.start();
    deletes.delete("eardrum.cpu", i64::MIN + 1, i64::MAX);
    deletes.delete("palm.cpu", START + 10, START + 19);
    deletes.delete("palm.cpu", START + 290, START + 5000);
    deletes.put(&[("palm.cpu", number(0.5), START + 15)]);
    deletes.stop();
    deletes.finish();
}

/// A chunk of each encoding of values and timestamps.
fn make_values(format: &Path) {
    let mut values = Directory::new(format, "values");
    let mut random = Random(2);
    let mut walk = walk(&mut random);
    values.start();
    let mut puts = Vec::new();
    for (at, second) in (0..400_u32).zip(START..) {
        let irregular = second + i64::from(at) * 60 + i64::try_from(random.below(3)).unwrap();
        let chosen = f64::from(u32::try_from(random.below(40)).unwrap());
        puts.extend([
            ("decimals.of.16.bits", walk(), second),
            ("decimals.of.32.bits", number(f64::from(at * at + 7) / 10.0), irregular),
            ("decimals.of.64.bits", number(f64::from(at) * 1_000_000_007.5), second),
            ("dictionary.of.decimals", number((chosen * chosen).mul_add(1.25e9, 0.125)), second),
            ("dictionary", number(1.0 / (chosen + 3.0)), irregular),
            ("packed", number((f64::from(at) / 50.0).sin() + 2.0), second),
            ("packed.alike", number(f64::from(at / 30).sqrt() + 0.1), second),
        ]);
    }
    for (at, value) in (START..).zip(["-0.0", "0.0", "1.7976931348623157e+308"]) {
        puts.push(("plain", value.to_owned(), at));
    }
    values.put(&puts);
    // So large that there is no summary.
    let large: Vec<_> = (0..300).map(|at| ("large", "1.5e+308".to_owned(), at)).collect();
    values.put(&large);
    values.stop();
    values.finish();
}

fn make_mixed(format: &Path) {
    let mut mixed = Directory::new(format, "mixed");
    let mut random = Random(3);
    for run in 0..3 {
        let (mut cpu, mut mem) = (walk(&mut random), walk(&mut random));
        let start = START + run * 150;
        let own = format!("run{run}.cpu");
        let mut puts = vec![(own.as_str(), number(0.5), start)];
        for at in 0..250 {
            puts.push(("palm.cpu", cpu(), start + at));
            if at % 10 == 0 {
                puts.push(("palm.mem", mem(), start + at));
            }
            if at % 9 == 0 {
                let timestamp = i64::try_from(random.below(500)).unwrap() - 250;
                puts.push(("eardrum.cpu", number(f64::from(u8::try_from(at).unwrap())), timestamp));
            }
        }
        mixed.start();
        mixed.put(&puts);
        if run < 2 {
            mixed.stop();
        }
    }
    mixed.put(&[
        ("bounds", "1.7976931348623157e+308".to_owned(), i64::MAX),
        ("bounds", "-1.7976931348623157e+308".to_owned(), i64::MIN),
        ("bounds", "5e-324".to_owned(), 0),
        ("bounds", "-0.0".to_owned(), 1),
        ("火.cpu", number(1.0), 1),
    ]);
    mixed.delete("palm.mem", START + 320, START + 345);
    mixed.kill();
    mixed.finish();
}

/// What a crash at a bad moment leaves.
fn make_crash(format: &Path) {
    let mut crash = Directory::new(format, "crash");
    crash.start();
    crash.put(&[("palm.cpu", number(1.0), 1)]);
    crash.put(&[("palm.cpu", number(2.0), 2)]);
    crash.kill();
    let (name_1, name_2) = ("log-000000000001", "log-000000000002");
    let log_1 = fs::read(crash.path.join(name_1)).unwrap();
    crash.start();
    crash.put(&[("eardrum.cpu", number(3.0), 3)]);
    let log_2 = fs::read(crash.path.join(name_2)).unwrap();
    crash.stop();
    crash.start();
    crash.put(&[("palm.cpu", number(4.0), 2)]);
    crash.send(&["put palm.cpu 5 5\n".to_owned()]);
    crash.kill();
    // As if the logs had not been removed yet; and a write that was cut off.
    fs::write(crash.path.join(name_1), log_1).unwrap();
    fs::write(crash.path.join(name_2), log_2).unwrap();
    let log_3 = crash.path.join("log-000000000003");
    let bytes = fs::read(&log_3).unwrap();
    fs::write(&log_3, &bytes[..bytes.len() - 7]).unwrap();
    let part = fs::read(crash.path.join("part-000000000001-000000000002")).unwrap();
    fs::write(crash.path.join("part-000000000003-000000000003.tmp"), &part[..100]).unwrap();
    crash.finish();
}

/// Parts of format 1, and one of this format beside them that replaces points of theirs.
fn make_beside(format: &Path) {
    let mut beside = Directory::new(format, "beside-format-1");
    copy_files(&data("format-1/part"), &beside.path);
    for line in fs::read_to_string(data("format-1/part.txt")).unwrap().lines() {
        if let [key, value, timestamp] = line.split(' ').collect::<Vec<_>>()[..] {
            beside.learn(key, value, timestamp.parse().unwrap());
        }
    }
    beside.start();
    beside.put(&[
        ("eardrum.cpu", number(3.5), START + 3),
        ("palm.cpu", number(0.125), START + 5),
        ("palm.mem", number(64.0), START + 5),
    ]);
    beside.delete("palm.cpu", START + 13, START + 13);
    beside.stop();
    beside.finish();
}

/// Makes the directories of the present format, in a temporary directory. With `MAKE_DIRECTORIES=1` they
/// go to `tests/data/format-N`, which must not be there: that is done once, for a release.
#[test]
fn directories_of_the_present_format_can_be_made() {
    let temporary = tempfile::tempdir().unwrap();
    ServerProcess::open(&temporary.path().join("new")).kill();
    let version = fs::read_to_string(temporary.path().join("new/FORMAT")).unwrap();
    let version = version.lines().next().unwrap().trim_end().rsplit(' ').next().unwrap().to_owned();
    let name = format!("format-{version}");
    let is_release = std::env::var_os("MAKE_DIRECTORIES").is_some();
    let format = if is_release { data(&name) } else { temporary.path().join(&name) };
    assert!(!format.exists(), "{} is there; it is made once, for its release", format.display());
    for make in
        [make_log, make_part, make_deletes, make_values, make_mixed, make_crash, make_beside]
    {
        make(&format);
    }
    let made = file_names(&format);
    assert_eq!(made.len(), 14, "{made:?}");
    // Files that are kept are as long as those that are made: a change of the format shows here. Their
    // salts differ. A format that is not released yet is not kept.
    if !is_release && data(&name).exists() {
        for file in ["log/log-000000000001", "part/part-000000000001-000000000001"] {
            let kept = fs::read(data(&name).join(file)).unwrap();
            let made = fs::read(format.join(file)).unwrap();
            assert_eq!(made.len(), kept.len(), "{file} has changed");
        }
    }
}
