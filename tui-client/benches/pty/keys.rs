//! From a key press to the bytes on the wire while the log takes in all that it can get: the real
//! binary in a pseudo-terminal of 200x50 is told puts by the real server, ten times a second, with a raw
//! log; what goes over the wire, and when the system took it, is seen by a proxy between the two.
//!
//! `cargo bench -p tui-client --bench keys`. Fails unless 99 % are on the wire within 5 ms while
//! 50,000 lines a second arrive.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is the report")]

#[path = "harness.rs"]
pub mod harness;

use std::fmt::Write as _;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use harness::proxy::Proxy;
use harness::pty::Shell;
use harness::puts::{Feed, Puts};
use harness::report::{Times, say, tell};
use harness::server::TestServer;
use harness::wait::PATIENCE;

/// Points put together: ten times a second some more than are asked for.
const POINTS: u32 = 6500;

/// Key presses measured.
const PRESSES: usize = 1000;

/// Enough for the line to be typed and drawn, and out of step with the puts.
const BETWEEN: Duration = Duration::from_millis(37);

const WITHIN: Duration = Duration::from_millis(5);
const LINES_A_SECOND: f64 = 50_000.0;

pub fn measure(_: &[String]) -> bool {
    let server = TestServer::start();
    let mut puts = String::new();
    for at in 0..POINTS {
        let _ = writeln!(puts, "put host{:04}.disk.used {at}.5 {}", at % 500, 1_700_000_000 + at);
    }
    server.send(&puts);

    // The same way without a screen and without anything else to do: what the machine takes for it.
    let (plain, seen) = Proxy::before(server.port, "got bench.key");
    let shell = Shell::run(&format!("\"$CLIENT\" --port {} >/dev/null", plain.port));
    shell.until_shown("requests, one a line");
    tell("in plain mode, with nothing else to do", times(&shell, &seen));
    shell.press("\x04");
    shell.wait();

    let (proxy, seen) = Proxy::before(server.port, "got bench.key");
    let shell = Shell::run(&format!("\"$CLIENT\" --port {} --raw-log", proxy.port));
    shell.resize(50, 200);
    shell.until_shown("raw log");
    shell.until_shown("500 keys");
    let mut other = Puts::to(server.port);
    let feed = Feed::start(Duration::from_millis(100), move || other.send(&puts));
    shell.until_shown("← host0499");
    let (begun, before) = (Instant::now(), proxy.lines());
    let times = times(&shell, &seen);
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more")]
    let rate = (proxy.lines() - before) as f64 / begun.elapsed().as_secs_f64();
    feed.stop();
    shell.press("\x03");
    shell.wait();

    let bound = format!("{LINES_A_SECOND:.0}/s");
    let enough = say("log lines that arrive", format!("{rate:.0}/s"), &bound, rate >= LINES_A_SECOND);
    times.say("on the screen meanwhile", WITHIN) && enough
}

/// From Enter to the bytes of the request.
fn times(shell: &Shell, seen: &Receiver<SystemTime>) -> Times {
    (0..PRESSES).map(|_| press(shell, seen)).collect()
}

/// Types a request, and measures from Enter to its bytes.
fn press(shell: &Shell, seen: &Receiver<SystemTime>) -> Duration {
    shell.press("got bench.key");
    thread::sleep(BETWEEN);
    let pressed = shell.press_now("\r");
    let written = seen.recv_timeout(PATIENCE).expect("the request goes out");
    written.duration_since(pressed).expect("the clock is not set")
}
