//! From a key press to the last change of table, chart and log that follows from it: another place in
//! time over a day of 8,000 keys with 20 million points, with the real binary in a pseudo-terminal of
//! 200x50 and the real server. A put of each key a second goes on meanwhile, but for steps in a day.
//!
//! `cargo bench -p tui-client --bench place`. Fails unless 99 % of the screens are complete within
//! 100 ms, table and chart say the same, and what is live is back at once.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is the report")]

#[path = "harness.rs"]
pub mod harness;

use std::ops::Range;
use std::time::Duration;

use harness::client::Client;
use harness::picture::{complete_after, picture};
use harness::puts::{Feed, fill_every};
use harness::report::{Times, say, tell};
use harness::server_process::ServerProcess;

const KEYS: usize = 8000;

/// Points of each key, and the seconds between two.
const POINTS: u64 = 2500;
const STEP: u64 = 35;

/// Below the top line, above the command line.
const PANES: Range<usize> = 1..46;

const WITHIN: Duration = Duration::from_millis(100);

/// Steps of the cursor of the chart.
const STEPS: usize = 150;

pub fn measure(_: &[String]) -> bool {
    let server = ServerProcess::start();
    let keys: Vec<String> = (0..KEYS).map(|key| format!("key{key:07}.cpu")).collect();
    fill_every(server.port, &keys, POINTS, STEP);
    let feed = Feed::of_points(server.port, keys);
    let client = Client::start(server.port, "--watch key0000000.cpu", (50, 200));
    let shell = &client.shell;
    shell.until_shown("8,000 keys");
    shell.until_shown("last 15m");
    let mut agree = true;
    let mut measured = |what: &str, presses: &mut dyn Iterator<Item = String>| {
        let times = presses.map(|keys| {
            let time = complete_after(shell, &keys, &PANES);
            let panes = picture(shell, &PANES);
            if agree && !says_the_same(&panes) {
                agree = false;
                tell("table and chart differ first", panes[..8].join("\n"));
            }
            time
        });
        times.collect::<Times>().say(what, WITHIN)
    };
    let typed = |at: usize| format!("@-{}m\r", 5 + at * 28);
    let typed = measured("a typed time, over a day", &mut (0..50).map(typed));
    let left = |_| "\x1b[D".to_owned();
    let stepped = measured("a step of the cursor from point to point", &mut (0..STEPS).map(left));
    let live: Times = (0..20)
        .map(|_| {
            shell.press("@-3h\r");
            shell.until_shown("15m before");
            let pressed = std::time::Instant::now();
            shell.press("0");
            shell.until("the table of now", |screen| !screen.contents().contains("15m before"));
            pressed.elapsed()
        })
        .collect();
    let live = live.say("back to live", WITHIN);
    // The newest step of a chart of a day changes with a point now and then.
    feed.stop();
    shell.press("3");
    shell.until_shown("last 1d");
    let in_a_day = measured("a step of the cursor in a day", &mut (0..STEPS).map(left));
    let agree = say("table and chart", if agree { "agree" } else { "differ" }, "agree", agree);
    client.quit();
    typed && stepped && in_a_day && live && agree
}

/// The value of the key in the table and in the list of watched keys is that of the legend of the chart,
/// or, where a column has many points, between its least and its greatest.
fn says_the_same(panes: &[String]) -> bool {
    const KEY: &str = "key0000000.cpu ";
    let number = |word: &str| word.parse::<f64>().ok();
    let (mut rows, mut legend) = (Vec::new(), None);
    // The first line has the titles, and the log has what was said.
    for line in panes.iter().skip(1).filter(|line| !line.contains('←')) {
        for (at, _) in line.match_indices(KEY) {
            let words: Vec<_> = line[at + KEY.len()..].split_whitespace().take(3).collect();
            match &words[..] {
                _ if !line[..at].ends_with("■ ") => rows.push(words[0]),
                [least, "to", greatest] => legend = number(least).zip(number(greatest)),
                [value, ..] => legend = number(value).zip(number(value)),
                [] => {}
            }
        }
    }
    let fits = |row: &&str| {
        let (value, legend) = (number(row), legend);
        value.zip(legend).is_some_and(|(value, (least, greatest))| least <= value && value <= greatest)
    };
    rows.len() == 2 && rows.iter().all(fits)
}
