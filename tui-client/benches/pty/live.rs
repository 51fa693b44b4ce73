//! The cost of a screen of 200x50 that is told every put, measured as `/proc` shows it on the real
//! binary in a pseudo-terminal, against the real server in a process of its own. Each key has a
//! point a second, all keys' points together, as a collector sends them:
//!
//! - 8,000 keys with 20 million points, unsorted and sorted by a maximum;
//! - three servers with as many each, in one view, at three times the bounds;
//! - 10 keys;
//! - one key of 10 million points with `--watch`: also the time from a put to its point on the screen;
//! - a million keys, with no puts but the typed ones, and with a point a second for each.
//!
//! Of each: the first screen of rows, the processor time of client and server together beyond what the puts
//! cost alone, bytes on the wire, the memory of the client, and the time from Enter until a typed put
//! is said to be stored, next to that of a put without a screen.
//!
//! `cargo bench -p tui-client --bench live [-- NAME]`, such as `8000`. Fails when a bound is not held.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is the report")]

#[path = "harness.rs"]
pub mod harness;

use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use harness::client::{Client, since};
use harness::process::shares_of;
use harness::proxy::Proxy;
use harness::puts::{Feed, Puts, fill, now};
use harness::report::{Times, say, tell};
use harness::server_process::ServerProcess;

/// The size of the terminal.
const SIZE: (u16, u16) = (50, 200);

/// How long each is looked at, and how long it has to come to rest before.
const LOOK: Duration = Duration::from_secs(20);
const REST: Duration = Duration::from_secs(12);

/// Two looks that differ by less than this share are of the same state of a server.
const STEADY: f64 = 0.1;
const MOST_LOOKS: usize = 6;

/// Puts of which the time is taken.
const SAMPLES: u64 = 300;

/// From Enter until a typed put is said to be stored.
const ACKNOWLEDGED: Duration = Duration::from_millis(20);

/// From a put to its point on the screen.
const SHOWN: Duration = Duration::from_millis(50);

/// In KiB.
const MEMORY: u64 = 250 * 1024;

const CASES: [Case; 7] = [
    Case {
        name: "8000",
        keys: 8000,
        points: 2500,
        args: "",
        shown: "8,000 keys",
        first: Duration::from_millis(100),
        share: Some(1.5),
        wire: Some(400.0),
        ..REST_OF_CASE
    },
    Case {
        name: "8000-sorted",
        keys: 8000,
        points: 2500,
        args: "--sort=-max",
        shown: "8,000 keys",
        first: Duration::from_millis(100),
        share: Some(1.5),
        wire: Some(400.0),
        ..REST_OF_CASE
    },
    Case {
        name: "3x8000",
        servers: 3,
        keys: 8000,
        points: 2500,
        shown: "24,000 keys",
        first: Duration::from_millis(300),
        share: Some(4.5),
        wire: Some(1200.0),
        ..REST_OF_CASE
    },
    Case {
        name: "10",
        keys: 10,
        points: 2500,
        shown: "10 keys",
        first: Duration::from_millis(100),
        share: Some(0.3),
        ..REST_OF_CASE
    },
    Case {
        name: "watch",
        keys: 1,
        points: 10_000_000,
        args: "--watch key0000000.cpu",
        shown: "age",
        first: Duration::from_millis(100),
        share: Some(0.3),
        wire: Some(2.0),
        is_watched: true,
        ..REST_OF_CASE
    },
    Case { name: "1000000", has_puts: false, ..A_MILLION },
    Case { name: "1000000-live", ..A_MILLION },
];

/// What most cases have in common.
const REST_OF_CASE: Case = Case {
    name: "",
    servers: 1,
    keys: 0,
    points: 0,
    args: "",
    shown: "",
    row: None,
    has_puts: true,
    first: Duration::ZERO,
    share: None,
    wire: None,
    is_watched: false,
};

const A_MILLION: Case = Case {
    keys: 1_000_000,
    points: 1,
    shown: "1,000,000 keys",
    row: Some("key0000020.cpu"),
    first: Duration::from_secs(1),
    ..REST_OF_CASE
};

/// What is measured, and its bounds.
struct Case {
    name: &'static str,
    servers: usize,
    /// Of each server.
    keys: usize,
    /// Of each key, before the screen is opened.
    points: u64,
    args: &'static str,
    /// A text that is shown when all keys are known.
    shown: &'static str,
    /// A text of the first screen of rows, where that comes before.
    row: Option<&'static str>,
    /// Each key has a point a second.
    has_puts: bool,
    /// From the connection to the first screen.
    first: Duration,
    /// Percents of a core, of both processes beyond the puts.
    share: Option<f64>,
    /// kB a second.
    wire: Option<f64>,
    /// The first key is watched.
    is_watched: bool,
}

pub fn measure(names: &[String]) -> bool {
    let chosen = |case: &&Case| names.is_empty() || names.iter().any(|name| name == case.name);
    let held: Vec<bool> = CASES.iter().filter(chosen).map(Case::run).collect();
    held.into_iter().all(|held| held)
}

impl Case {
    fn run(&self) -> bool {
        let puts = if self.has_puts { ", a point a second each" } else { ", no puts" };
        let servers = self.servers;
        println!("{}: {servers} x {} keys with {} points{puts}", self.name, self.keys, self.points);
        let servers: Vec<_> = (0..servers).map(|_| ServerProcess::start()).collect();
        let ports: Vec<u16> = servers.iter().map(|server| server.port).collect();
        let keys: Vec<String> = (0..self.keys).map(|key| format!("key{key:07}.cpu")).collect();
        for &port in &ports {
            fill(port, &keys, self.points);
        }
        let feed = |&port: &u16| self.has_puts.then(|| Feed::of_points(port, keys.clone()));
        let feeds: Vec<_> = ports.iter().filter_map(feed).collect();
        sleep(REST);
        let processes: Vec<_> = servers.iter().map(ServerProcess::process).collect();
        let look = || shares_of(&processes, LOOK).0.iter().sum::<f64>();
        let mut alone = look();
        // What was put before the screen is opened may still be merged.
        for _ in 0..MOST_LOOKS {
            let before = std::mem::replace(&mut alone, look());
            if self.share.is_none() || (before - alone).abs() <= STEADY * before {
                break;
            }
        }
        let mut held = self.cost(&servers, alone);

        let client = Client::start_at(&ports, self.args, SIZE);
        client.shell.until_shown(self.shown);
        let Some(&port) = ports.first() else { return false };
        // A key of several servers begins with the name of its own.
        let name = if ports.len() > 1 { format!("localhost:{port}/") } else { String::new() };
        held &= typed(&client, &name, port);
        feeds.into_iter().for_each(Feed::stop);
        if self.is_watched {
            held &= told(&client, port);
        }
        held &= memory(&client, "with typed puts");
        client.quit();
        held
    }

    /// What the screen costs while nothing is typed. `alone`: what the puts cost.
    fn cost(&self, servers: &[ServerProcess], alone: f64) -> bool {
        let before = |server: &ServerProcess| Proxy::before(server.port, "no such request").0;
        let proxies: Vec<_> = servers.iter().map(before).collect();
        let ports: Vec<u16> = proxies.iter().map(|proxy| proxy.port).collect();
        let client = Client::start_at(&ports, self.args, SIZE);
        let since_first = || proxies.iter().map(Proxy::since_first).max().unwrap_or_default();
        client.shell.until_shown(self.row.unwrap_or(self.shown));
        let first = since_first();
        client.shell.until_shown(self.shown);
        let whole = since_first();
        sleep(REST);
        let bytes = || proxies.iter().map(Proxy::bytes).sum::<u64>();
        let before = bytes();
        let mut processes: Vec<_> = servers.iter().map(ServerProcess::process).collect();
        processes.push(client.process);
        let (shares, time) = shares_of(&processes, LOOK);
        let showing = shares.last().copied().unwrap_or_default();
        let serving = shares.iter().sum::<f64>() - showing;
        #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
        let wire = (bytes() - before) as f64 / time.as_secs_f64() / 1000.0;
        let beyond = (serving + showing - alone).max(0.0);
        let share = format!("{beyond:.2} % (client {showing:.2}, server {serving:.2} - {alone:.2})");
        let bound = format!("within {:?}", self.first);
        let held = [
            say("first screen", format!("{first:.1?}"), &bound, first <= self.first),
            at_most("processor time, of a core", share, beyond, self.share, "%"),
            at_most("on the wire", format!("{wire:.1} kB/s"), wire, self.wire, "kB/s"),
            memory(&client, "while nothing is typed"),
        ];
        if self.row.is_some() {
            tell("all keys known", format!("{whole:.1?}"));
        }
        client.quit();
        held.into_iter().all(|held| held)
    }

}

fn memory(client: &Client, when: &str) -> bool {
    let memory = client.process.most_memory();
    let measured = format!("{memory} KiB");
    say(&format!("memory of the client, {when}"), measured, "250 MiB", memory <= MEMORY)
}

/// Prints a figure that may have a bound; gives whether it is held.
fn at_most(what: &str, text: String, measured: f64, bound: Option<f64>, unit: &str) -> bool {
    if let Some(bound) = bound {
        return say(what, text, &format!("at most {bound} {unit}"), measured <= bound);
    }
    tell(what, text);
    true
}

/// A time out of step with everything else, up to 128 ms.
fn out_of_step(sample: u64) -> Duration {
    Duration::from_millis(sample * 37 % 128)
}

/// From Enter until a typed put of a key of a server is said to be stored.
fn typed(client: &Client, server: &str, port: u16) -> bool {
    let mut other = Puts::to(port);
    let (shown, alone): (Vec<_>, Vec<_>) = (0..SAMPLES)
        .map(|sample| {
            let shown = client.put_typed(&format!("{server}typed.cpu"), &format!("{sample}.5"), out_of_step(sample));
            sleep(out_of_step(sample));
            let begun = Instant::now();
            other.send(&format!("put other.cpu {sample}.5 {}\n", now()));
            (shown, begun.elapsed())
        })
        .unzip();
    tell("a put without a screen", Times::from_iter(alone));
    Times::from_iter(shown).say("a typed put, from Enter to its ok", ACKNOWLEDGED)
}

/// From a put of the watched key to its point on the screen: several a second.
fn told(client: &Client, port: u16) -> bool {
    let mut other = Puts::to(port);
    let times: Times = (0..SAMPLES)
        .map(|sample| {
            sleep(Duration::from_millis(100) + out_of_step(sample));
            let begun = SystemTime::now();
            other.send(&format!("put key0000000.cpu {sample}.75 {}\n", now()));
            client.shell.until_shown(&format!(" {sample}.75 "));
            since(begun)
        })
        .collect();
    times.say("a watched key, from put to screen", SHOWN)
}
