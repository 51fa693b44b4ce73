//! A recording answers what the real server answers.

use shared::response::decode_points;
use shared::{Key, Point};
use tui_client::session::Recording;

use crate::harness::server::TestServer;

/// Points with gaps, repetitions, restarts of a counter and both zeros.
fn points() -> Vec<(&'static str, i64, f64)> {
    let mut points = Vec::new();
    for at in 0..400_i64 {
        let wave = f64::from(i32::try_from(at * at % 97).unwrap()) / 7.0;
        points.push(("palm.cpu", 1_150_864_000 + at + at / 50 * 30, wave));
        points.push(("palm.requests", -200 + at * 3, f64::from(i32::try_from(at % 60).unwrap())));
    }
    for (at, value) in [(5, 0.0), (6, -0.0), (7, 1e300), (8, -1e300), (9, 1.0), (1000, 0.1)] {
        points.push(("eardrum.temp", at, value));
    }
    points.push(("火.one", i64::MIN, 5.0));
    points.push(("火.one", i64::MAX, 7.5));
    points
}

fn selectors() -> Vec<String> {
    let mut selectors: Vec<String> = [
        "*",
        "palm.cpu",
        "palm.*",
        "nowhere",
        "{eardrum,palm}.*",
        "火.*",
        "*[last]",
        "*[last:3]",
        "palm.*[last@1150864123]",
        "*[last:2@-90000d]",
        "*[last@0]",
        "*[last:5@7]",
        "palm.cpu[1150864100:]",
        "palm.cpu[:1150864100]",
        "*[10:5]",
        "*[-3d:]",
        "*[6:8]",
        "*[-1:-0s]",
    ]
    .map(str::to_owned)
    .into();
    let hows =
        ["avg", "min", "max", "sum", "count", "first", "last", "rate", "p50", "p90", "p95", "p99"];
    let ranges =
        ["palm.*[:", "palm.cpu[1150864101:1150864300", "eardrum.*[-5:9", "火.*[:", "*[-100:100"];
    for how in hows {
        for range in ranges {
            for step in ["7", "1m", "all"] {
                selectors.push(format!("{range}:{step}:{how}]"));
            }
        }
    }
    selectors
}

/// The points in a reply.
fn lines(reply: &[u8]) -> Vec<(String, Point)> {
    let data = reply.strip_prefix(b"ok\n").expect("it is good");
    let data = data.strip_suffix(b"\n").expect("it has an end");
    let of = |(key, point): (Key<'_>, Point)| (key.as_str().to_owned(), point);
    decode_points(data).map(|line| of(line.unwrap())).collect()
}

#[test]
fn a_recording_answers_as_the_server_does() {
    let server = TestServer::start();
    let mut recording = Recording::default();
    let mut puts = String::new();
    for (key, timestamp, value) in points() {
        puts.push_str(&format!("put {key} {value:?} {timestamp}\n"));
        recording.add(Key::new(key).unwrap(), [Point { timestamp, value }]);
    }
    server.send(&puts);
    let now = tui_client::clock::unix_now();
    for selector in selectors() {
        let line = format!("get {selector}");
        let mut ours = Vec::new();
        assert!(!recording.answer(line.as_bytes(), now, &mut ours));
        let theirs = server.send(&format!("{line}\n"));
        let (ours, theirs) = (lines(&ours), lines(theirs.as_bytes()));
        assert_eq!(ours.len(), theirs.len(), "{selector}: {ours:?} {theirs:?}");
        // The sums of the server are compensated in an order of their own.
        let is_sum = [":avg]", ":sum]", ":rate]"].iter().any(|end| selector.ends_with(end));
        for (our, their) in ours.iter().zip(&theirs) {
            let (a, b) = (our.1.value, their.1.value);
            let is_near =
                a.to_bits() == b.to_bits() || is_sum && (a - b).abs() <= 1e-9 * b.abs().max(1.0);
            assert!(is_near && our.0 == their.0, "{selector}: {our:?} {their:?}");
            assert_eq!(our.1.timestamp, their.1.timestamp, "{selector}: {our:?} {their:?}");
        }
    }
}

#[test]
fn a_recording_takes_nothing() {
    let mut out = Vec::new();
    let mut recording = Recording::default();
    recording.add(Key::new("a").unwrap(), [Point { timestamp: 7, value: 1.5 }]);
    for line in ["put a 1 1", "del a", "got a", "get a[", "get a", "get *[+]", "get *[:+]"] {
        let is_follow = recording.answer(line.as_bytes(), 0, &mut out);
        assert_eq!(is_follow, line.contains('+'), "{line}");
    }
    let refused = "error\nthis is a replay\n\n";
    let wrong = "error\nwrong command\n\n";
    let told = "ok\na 1.5 7\n\nok\nok\na 1.5 7\n";
    assert_eq!(str::from_utf8(&out), Ok(&*format!("{refused}{refused}{wrong}{wrong}{told}")));
}
