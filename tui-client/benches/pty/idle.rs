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
pub mod harness;

use std::thread::sleep;
use std::time::Duration;

use harness::client::Client;
use harness::process::shares;
use harness::proxy::Proxy;
use harness::puts::{Feed, Puts, now};
use harness::report::say;
use harness::server::TestServer;

/// The size of the terminal.
const SIZE: (u16, u16) = (24, 80);

/// How long the first two are looked at.
const LOOK: Duration = Duration::from_secs(20);

/// How long the program takes to come to rest: helpers of its runtime, which looked up the name of
/// the server, end after ten seconds.
const REST: Duration = Duration::from_secs(12);

pub fn measure(args: &[String]) -> bool {
    let seconds = args.iter().find_map(|arg| arg.parse().ok()).unwrap_or(60);
    [idle(), watching(), long_watch(Duration::from_secs(seconds))] == [true; 3]
}

/// Wake-ups with nothing to do: connected, no points, no polls.
fn idle() -> bool {
    let server = TestServer::start();
    let client = Client::start(server.port, "", SIZE);
    client.shell.until_shown("no points yet");
    client.shell.press("\x1b[17~");
    client.shell.until_shown("paused, F6 resumes");
    sleep(REST);
    // On a busy machine it may come to rest only during the first look.
    let woken = [(); 2].map(|()| {
        let before = client.process.switches();
        sleep(LOOK);
        client.process.switches().saturating_sub(before)
    });
    let woken = woken[0].min(woken[1]);
    client.quit();
    say("idle, 20 s", format!("{woken} wake-ups"), "0", woken == 0)
}

/// Processor time while a key is watched at 1 Hz and the value changes each time.
fn watching() -> bool {
    let server = TestServer::start();
    let feeding = feed(server.port, Duration::from_secs(1), 1_000_000);
    let client = Client::start(server.port, "--watch palm.cpu", SIZE);
    client.shell.until_shown("palm.cpu");
    sleep(REST);
    let ([share], _) = shares([client.process], LOOK);
    client.quit();
    feeding.stop();
    say("watching one key at 1 Hz", format!("{share:.2} % of a core"), "< 0.5 %", share < 0.5)
}

/// Memory over a long watch, of the key and of the table, whose data changes all the time without growing.
fn long_watch(time: Duration) -> bool {
    let server = TestServer::start();
    let feeding = feed(server.port, Duration::from_millis(10), 1000);
    let (proxy, _) = Proxy::before(server.port, "get palm.cpu");
    let client = Client::start(proxy.port, "--watch palm.cpu", SIZE);
    client.shell.until_shown("palm.cpu");
    // Until every buffer has had its largest content.
    sleep(time / 4);
    let (first, told) = (client.process.memory(), proxy.lines());
    sleep(time * 3 / 4);
    let (last, told) = (client.process.memory(), proxy.lines() - told);
    client.quit();
    feeding.stop();
    let measured = format!("{first} → {last} KiB");
    let held = last <= first + first / 20 && told > 0;
    say(&format!("watching at up to 100 Hz, {told} lines told"), measured, "grows < 5 %", held)
}

/// Puts a new value again and again, into a series of at most so many points.
fn feed(port: u16, every: Duration, points: u64) -> Feed {
    let (mut server, begin) = (Puts::to(port), now() - points);
    let mut put = move |at: u64, number: u64| {
        server.send(&format!("put palm.cpu {}.5 {}\n", number % 97, begin + at));
    };
    (0..points.min(1000)).for_each(|at| put(at, at));
    let mut number = 0;
    Feed::start(every, move || {
        put((1000 + number) % points, number);
        number += 1;
    })
}
