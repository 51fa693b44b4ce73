//! From a key press to the last change of the chart that follows from it: zooming and panning over
//! ten million points of a key, back and forth, with the real binary in a pseudo-terminal of 200x50
//! and the real server.
//!
//! `cargo bench -p tui-client --bench zoom`. Fails unless 99 % of the pictures are complete within
//! 50 ms.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is the report")]

#[path = "harness.rs"]
pub mod harness;

use std::fmt::Write as _;
use std::ops::Range;
use std::thread::sleep;
use std::time::Duration;

use harness::client::Client;
use harness::picture::{QUIET, complete_after};
use harness::puts::now;
use harness::report::Times;
use harness::server::TestServer;

/// Points of the key, one a second.
const POINTS: u64 = 10_000_000;

/// Points that are sent at once.
const BATCH: u64 = 100_000;

/// The keys that are pressed, twice.
const KEYS: &str = "503450zzz[[[]]ZZzz4zzzzzz[[ZZ]]ZZ0ZZZZZZZZZZZZZZZ135341";

/// The chart on the screen, with its legend.
const CHART: Range<usize> = 2..49;

const WITHIN: Duration = Duration::from_millis(50);

pub fn measure(_: &[String]) -> bool {
    let server = TestServer::start();
    let now = now();
    for batch in 0..POINTS / BATCH {
        let mut puts = String::new();
        for at in batch * BATCH..(batch + 1) * BATCH {
            // Waves of hours within waves of days, with a spike every two weeks.
            let value =
                (at / 40 % 97) + (at / 3600 % 211) + if at % 1_234_567 == 0 { 9000 } else { 0 };
            let _ = writeln!(puts, "put palm.cpu {value}.{} {}", at % 10, now - POINTS + at);
        }
        server.send(&puts);
    }
    let client = Client::start(server.port, "--watch palm.cpu", (50, 200));
    let shell = &client.shell;
    shell.until_shown("last 15m of ");
    shell.press("f");
    sleep(4 * QUIET);

    let turns = ["the first time", "again"].map(|turn| {
        let times: Vec<_> = KEYS
            .chars()
            .map(|key| (complete_after(shell, &key.to_string(), &CHART), key))
            .collect();
        let slowest = times.iter().max().map(|(_, key)| *key).unwrap_or_default();
        let times: Times = times.into_iter().map(|(time, _)| time).collect();
        times.say(&format!("a new picture, {turn} (worst: {slowest})"), WITHIN)
    });
    client.quit();
    turns == [true; 2]
}
