//! The cost of the client while no key is pressed, measured on the real binary in a
//! pseudo-terminal, against the real server:
//!
//! - wake-ups of a screen on which nothing can change: none,
//! - processor time while one key is watched at 1 Hz: less than half a percent of a core,
//! - memory over a long watch, at 100 Hz instead of 10: flat.
//!
//! `cargo bench -p tui-client --bench idle [-- SECONDS]`; SECONDS of the long watch, 60 if not
//! said, of which a quarter is for the buffers to grow; 570 for as many points as an hour at 10 Hz
//! has. Fails when a bound is not held.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is the report")]

#[path = "harness.rs"]
mod harness;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use harness::proxy::Proxy;
use harness::pty::Shell;
use harness::server::TestServer;

/// How long the first two are looked at.
const LOOK: Duration = Duration::from_secs(20);

/// How long the program takes to come to rest: helpers of its runtime, which looked up the name of
/// the server, end after ten seconds.
const REST: Duration = Duration::from_secs(12);

pub fn main() -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).collect();
    if !args.iter().any(|arg| arg == "--bench") {
        // As a test of all targets there is nothing to do.
        return ExitCode::SUCCESS;
    }
    let seconds = args.iter().find_map(|arg| arg.parse().ok()).unwrap_or(60);
    let held = [idle(), watching(), long_watch(Duration::from_secs(seconds))];
    if held.iter().all(|&held| held) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn say(what: &str, measured: &str, bound: &str, held: bool) -> bool {
    println!("{what:<44} {measured:>22}   {bound:<18} {}", if held { "held" } else { "NOT HELD" });
    held
}

/// Wake-ups with nothing to do: connected, no points, no polls.
fn idle() -> bool {
    let server = TestServer::start();
    let client = Client::start(server.port, "");
    client.shell.until_shown("no points yet");
    client.shell.press("\x1b[17~");
    client.shell.until_shown("paused, F6 resumes");
    sleep(REST);
    let before = client.switches();
    sleep(LOOK);
    let woken = client.switches() - before;
    client.quit();
    say("idle, 20 s", &format!("{woken} wake-ups"), "0", woken == 0)
}

/// Processor time while a key is watched at 1 Hz and the value changes each time.
fn watching() -> bool {
    let server = TestServer::start();
    let feeding = Feed::start(server.port, Duration::from_secs(1), 1_000_000);
    let client = Client::start(server.port, "--watch palm.cpu");
    client.shell.until_shown("palm.cpu");
    sleep(REST);
    let (before, begun) = (client.processor_time(), Instant::now());
    sleep(LOOK);
    let used = client.processor_time().saturating_sub(before);
    let share = used.as_secs_f64() / begun.elapsed().as_secs_f64() * 100.0;
    client.quit();
    feeding.stop();
    say("watching one key at 1 Hz", &format!("{share:.2} % of a core"), "< 0.5 %", share < 0.5)
}

/// Memory over a long watch, of the key and of the table, whose data changes all the time without growing.
fn long_watch(time: Duration) -> bool {
    let server = TestServer::start();
    let feeding = Feed::start(server.port, Duration::from_millis(10), 1000);
    let (proxy, _) = Proxy::before(server.port, "get palm.cpu");
    let client = Client::start(proxy.port, "--watch palm.cpu");
    client.shell.until_shown("palm.cpu");
    // Until every buffer has had its largest content.
    sleep(time / 4);
    let (first, told) = (client.memory(), proxy.lines());
    sleep(time * 3 / 4);
    let (last, told) = (client.memory(), proxy.lines() - told);
    client.quit();
    feeding.stop();
    let measured = format!("{first} → {last} KiB");
    let held = last <= first + first / 20 && told > 0;
    say(&format!("watching at up to 100 Hz, {told} lines told"), &measured, "grows < 5 %", held)
}

/// The client in a terminal of its own.
struct Client {
    shell: Shell,
    pid: u32,
}

impl Client {
    fn start(port: u16, args: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("pid");
        let shell = Shell::run(&format!(
            "echo $$ > '{}'; exec \"$CLIENT\" --port {port} {args}",
            file.display()
        ));
        shell.until_shown("● localhost");
        let pid = fs::read_to_string(file).unwrap().trim().parse().unwrap();
        Self { shell, pid }
    }

    /// For each thread, a file of what the system knows of it.
    fn threads(&self, file: &str) -> Vec<String> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid)).unwrap();
        tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join(file)).ok()).collect()
    }

    /// How often a thread began to wait, or was interrupted: each time it had been woken before.
    fn switches(&self) -> u64 {
        let all = self.threads("status");
        let lines = all.iter().flat_map(|status| status.lines());
        let counts = lines.filter_map(|line| line.split_once("ctxt_switches:"));
        counts.map(|(_, count)| count.trim().parse::<u64>().unwrap()).sum()
    }

    fn processor_time(&self) -> Duration {
        let all = self.threads("schedstat");
        let spent = all.iter().map(|line| line.split(' ').next().unwrap().parse::<u64>().unwrap());
        Duration::from_nanos(spent.sum())
    }

    /// Resident memory in KiB.
    fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    fn quit(self) {
        self.shell.press("\x03");
        self.shell.wait();
    }
}

/// Puts a new value again and again, into a series of at most so many points.
struct Feed {
    over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Feed {
    fn start(port: u16, every: Duration, points: u64) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&over);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let thread = thread::spawn(move || {
            let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let mut put = |at: u64, number: u64| {
                let line = format!("put palm.cpu {}.5 {}\n", number % 97, now - points + at);
                server.write_all(line.as_bytes()).unwrap();
                server.read_exact(&mut [0; 4]).unwrap();
            };
            (0..points.min(1000)).for_each(|at| put(at, at));
            for number in 0.. {
                if end.load(Ordering::Relaxed) {
                    break;
                }
                put((1000 + number) % points, number);
                sleep(every);
            }
        });
        Self { over, thread }
    }

    fn stop(self) {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
    }
}
