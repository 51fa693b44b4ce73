//! From a key press to the last change of table, chart and log that follows from it: another place in
//! time over a day of 8,000 keys with 20 million points, with the real binary in a pseudo-terminal of
//! 200x50 and the real server. A put of each key a second goes on meanwhile.
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
use harness::report::{Times, say};
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
            agree &= says_the_same(&picture(shell, &PANES));
            time
        });
        times.collect::<Times>().say(what, WITHIN)
    };
    let typed = |at: usize| format!("@-{}m\r", 5 + at * 28);
    let typed = measured("a typed time, over a day", &mut (0..50).map(typed));
    let left = |_| "\x1b[D".to_owned();
    let stepped = measured("a step of the cursor from point to point", &mut (0..STEPS).map(left));
    shell.press("3");
    shell.until_shown("last 1d");
    let in_a_day = measured("a step of the cursor in a day", &mut (0..STEPS).map(left));
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
    let agree = say("table and chart", if agree { "agree" } else { "differ" }, "agree", agree);
    client.quit();
    feed.stop();
    typed && stepped && in_a_day && live && agree
}

/// The value of the first row of the table is that of the legend of the chart, or, where a column has
/// many points, between its least and its greatest.
fn says_the_same(panes: &[String]) -> bool {
    let row = panes.iter().find_map(|line| line.split_once("key0000000.cpu"));
    let legend = panes.iter().find_map(|line| line.split_once("■ key0000000.cpu "));
    let words = |text: Option<(&str, &str)>| -> Vec<String> {
        let words = text.into_iter().flat_map(|(_, rest)| rest.split_whitespace());
        words.take(3).map(str::to_owned).collect()
    };
    let number = |word: &String| word.parse::<f64>().ok();
    let value = words(row).first().and_then(number);
    match (value, &words(legend)[..]) {
        (Some(value), [least, to, greatest]) if to == "to" => {
            number(least).is_some_and(|least| least <= value)
                && number(greatest).is_some_and(|greatest| value <= greatest)
        }
        (Some(value), [same, ..]) => number(same) == Some(value),
        _ => false,
    }
}
