//! The cost of a screen of 200x50 that is told every put, measured as `/proc` shows it on the real
//! binary in a pseudo-terminal, against the real server in a process of its own. Each key has a
//! point a second, all keys' points together, as a collector sends them:
//!
//! - 8,000 keys with 20 million points, unsorted and sorted by a maximum: the first screen, the
//!   processor time of client and server together beyond what the puts cost alone, bytes on the wire;
//! - the same of 10 keys;
//! - one key of 10 million points with `--watch`: also the time from a put to its point on the screen;
//! - a million keys: the first screen, and the memory of the client.
//!
//! `cargo bench -p tui-client --bench live [-- NAME]`, such as `8000`. Fails when a bound is not held.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is the report")]

#[path = "harness.rs"]
mod harness;

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use harness::pty::Shell;
use harness::server::serve;
use server::shutdown::Shutdown;
use tempfile::TempDir;

/// Set for the process that serves: the directory with the data.
const DATA: &str = "SERVE_THIS_DIRECTORY";

/// How long each is looked at, and how long it has to come to rest before.
const LOOK: Duration = Duration::from_secs(20);
const REST: Duration = Duration::from_secs(12);

/// A point a second.
const SECOND: Duration = Duration::from_secs(1);

pub fn main() -> ExitCode {
    if let Some(data) = std::env::var_os(DATA) {
        serve(Path::new(&data), 0, Shutdown::default(), |port| println!("{port}"));
        return ExitCode::SUCCESS;
    }
    let args: Vec<_> = std::env::args().skip(1).collect();
    if !args.iter().any(|arg| arg == "--bench") {
        // As a test of all targets there is nothing to do.
        return ExitCode::SUCCESS;
    }
    let names: Vec<_> = args.iter().filter(|arg| !arg.starts_with("--")).collect();
    let all = [
        Case {
            name: "8000",
            keys: 8000,
            points: 2500,
            args: "",
            shown: "8,000 keys",
            share: 1.5,
            wire: 400.0,
            first: 100,
        },
        Case {
            name: "8000-sorted",
            keys: 8000,
            points: 2500,
            args: "--sort=-max",
            shown: "8,000 keys",
            share: 1.5,
            wire: 400.0,
            first: 100,
        },
        Case {
            name: "10",
            keys: 10,
            points: 2500,
            args: "",
            shown: "10 keys",
            share: 0.3,
            wire: 400.0,
            first: 100,
        },
        Case {
            name: "watch",
            keys: 1,
            points: 10_000_000,
            args: "--watch key0000000.cpu",
            shown: "age",
            share: 0.3,
            wire: 2.0,
            first: 100,
        },
        Case {
            name: "1000000",
            keys: 1_000_000,
            points: 1,
            args: "",
            shown: "keys",
            share: 1.5,
            wire: 400.0,
            first: 1000,
        },
    ];
    let chosen =
        all.iter().filter(|case| names.is_empty() || names.iter().any(|&name| name == case.name));
    let held: Vec<bool> = chosen.map(Case::run).collect();
    if held.iter().all(|&held| held) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What is measured, and its bounds.
struct Case {
    name: &'static str,
    keys: usize,
    /// Of each key, before the screen is opened.
    points: u64,
    args: &'static str,
    /// A text of the first screen with data.
    shown: &'static str,
    /// Percents of a core, of both processes beyond the puts.
    share: f64,
    /// kB a second.
    wire: f64,
    /// Milliseconds from the connection to the first screen.
    first: u128,
}

impl Case {
    fn run(&self) -> bool {
        let server = ServerProcess::start();
        let names: Vec<String> = (0..self.keys).map(|key| format!("key{key:07}.cpu")).collect();
        fill(server.port, &names, self.points);
        // A million keys at once are no load that a screen is measured with.
        let feed = (self.keys < 100_000).then(|| Feed::start(server.port, names));
        sleep(REST);
        let (alone, _) = share(|| server.used(), LOOK);
        let proxy = Proxy::before(server.port);
        let client = Client::start(proxy.port, self.args);
        client.shell.until_shown(self.shown);
        let first = proxy.since_first();
        sleep(REST);
        let before = proxy.bytes();
        let (both, time) = share(|| server.used() + client.used(), LOOK);
        #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
        let wire = (proxy.bytes() - before) as f64 / time.as_secs_f64() / 1000.0;
        let memory = client.memory();
        let (beyond, memory_bound) = ((both - alone).max(0.0), 250 * 1024);
        println!("{} keys, {} points each {}", self.keys, self.points, self.args);
        let held = [
            say(
                "first screen",
                &format!("{} ms", first.as_millis()),
                &format!("{} ms", self.first),
                first.as_millis() <= self.first,
            ),
            say(
                "processor time beyond the puts",
                &format!("{beyond:.2} % of a core"),
                &format!("{} %", self.share),
                beyond <= self.share,
            ),
            say(
                "on the wire",
                &format!("{wire:.1} kB/s"),
                &format!("{} kB/s", self.wire),
                wire <= self.wire,
            ),
            say(
                "memory of the client",
                &format!("{memory} KiB"),
                "250 MiB",
                memory <= memory_bound,
            ),
        ];
        client.quit();
        if let Some(feed) = feed {
            feed.stop();
        }
        held.iter().all(|&held| held)
    }
}

fn say(what: &str, measured: &str, bound: &str, held: bool) -> bool {
    println!(
        "  {what:<32} {measured:>18}   at most {bound:<10} {}",
        if held { "held" } else { "NOT HELD" }
    );
    held
}

/// The percents of a core that are used for so long, and how long that was.
fn share(used: impl Fn() -> Duration, time: Duration) -> (f64, Duration) {
    let (before, begun) = (used(), Instant::now());
    sleep(time);
    let (used, took) = (used().saturating_sub(before), begun.elapsed());
    (used.as_secs_f64() / took.as_secs_f64() * 100.0, took)
}

/// Processor time of a process, of all its threads that run.
fn processor_time(pid: u32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let read = |task: fs::DirEntry| fs::read_to_string(task.path().join("schedstat")).ok();
    let spent = tasks.filter_map(|task| read(task.ok()?)?.split(' ').next()?.parse::<u64>().ok());
    Duration::from_nanos(spent.sum())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A server that is killed when this is dropped.
struct ServerProcess {
    port: u16,
    child: Child,
    _data: TempDir,
}

impl ServerProcess {
    fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env(DATA, data.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Self { port: port.trim().parse().unwrap(), child, _data: data }
    }

    fn used(&self) -> Duration {
        processor_time(self.child.id())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends puts and waits for their replies.
fn put(server: &mut TcpStream, lines: &str) {
    let mut replies = server.try_clone().unwrap();
    let mut rest = lines.lines().count() * shared::response::OK.len();
    let reading = thread::spawn(move || {
        let mut bytes = vec![0; 64 * 1024];
        while rest > 0 {
            rest -= replies.read(&mut bytes).unwrap();
        }
    });
    server.write_all(lines.as_bytes()).unwrap();
    reading.join().unwrap();
}

/// Appends the puts of all keys in one second.
fn append(names: &[String], second: u64, into: &mut String) {
    for (key, name) in names.iter().enumerate() {
        let value = (key as u64 * 7 + second * 13) % 9973;
        writeln!(into, "put {name} {}.{:02} {second}", value / 10, value % 100).unwrap();
    }
}

/// Puts so many points of each key, up to now.
fn fill(port: u16, names: &[String], points: u64) {
    let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (end, mut lines) = (now(), String::new());
    for second in end - points..end {
        append(names, second, &mut lines);
        if lines.len() > 1 << 22 {
            put(&mut server, &lines);
            lines.clear();
        }
    }
    put(&mut server, &lines);
}

/// Puts a point of each key a second.
struct Feed {
    over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Feed {
    fn start(port: u16, names: Vec<String>) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            server.set_nodelay(true).unwrap();
            let mut next = Instant::now();
            while !end.load(Ordering::Relaxed) {
                let mut lines = String::new();
                append(&names, now(), &mut lines);
                put(&mut server, &lines);
                next += SECOND;
                sleep(next.saturating_duration_since(Instant::now()));
            }
        });
        Self { over, thread }
    }

    fn stop(self) {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
    }
}

/// Counts the bytes of all connections.
struct Proxy {
    port: u16,
    bytes: Arc<AtomicU64>,
    begun: Instant,
    /// Nanoseconds from `begun` to the first connection.
    first: Arc<AtomicU64>,
}

impl Proxy {
    fn before(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (bytes, first) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (begun, counted, connected) = (Instant::now(), Arc::clone(&bytes), Arc::clone(&first));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let nanoseconds = u64::try_from(begun.elapsed().as_nanos()).unwrap();
                let _ = connected.compare_exchange(
                    0,
                    nanoseconds,
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                );
                let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
                for stream in [&client, &server] {
                    stream.set_nodelay(true).unwrap();
                }
                let (there, back) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                for (from, to) in [(there, server), (back, client)] {
                    let counted = Arc::clone(&counted);
                    thread::spawn(move || pass_on(from, to, &counted));
                }
            }
        });
        Self { port, bytes, begun, first }
    }

    fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The time since the first connection.
    fn since_first(&self) -> Duration {
        let first = Duration::from_nanos(self.first.load(Ordering::Relaxed));
        self.begun.elapsed().saturating_sub(first)
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, counted: &AtomicU64) {
    let mut bytes = vec![0; 256 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        counted.fetch_add(read as u64, Ordering::Relaxed);
        if to.write_all(&bytes[..read]).is_err() {
            return;
        }
    }
}

/// The client in a terminal of its own.
struct Client {
    shell: Shell,
    pid: u32,
    _directory: TempDir,
}

impl Client {
    fn start(port: u16, args: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file: PathBuf = directory.path().join("pid");
        let shell = Shell::run(&format!(
            "stty rows 50 cols 200; echo $$ > '{}'; exec \"$CLIENT\" --port {port} {args}",
            file.display()
        ));
        shell.resize(50, 200);
        shell.until_shown("localhost");
        let pid = fs::read_to_string(file).unwrap().trim().parse().unwrap();
        Self { shell, pid, _directory: directory }
    }

    fn used(&self) -> Duration {
        processor_time(self.pid)
    }

    /// Resident memory in KiB.
    fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    fn quit(self) {
        self.shell.press("q\x03\x03");
        self.shell.wait();
    }
}
