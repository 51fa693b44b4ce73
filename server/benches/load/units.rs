//! Numbers as text, with units.

use std::time::Duration;

/// `part / whole` as a float; counts here are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// The share of `time` that one of `count` has.
pub fn per(time: Duration, count: u64) -> Duration {
    Duration::from_secs_f64(time.as_secs_f64() * ratio(1, count))
}

/// How many of `count` fit a second.
pub fn rate(count: u64, time: Duration) -> f64 {
    ratio(count, 1) / time.as_secs_f64().max(1e-9)
}

/// `3.21 M`, `45.2 k`.
pub fn scaled(number: f64) -> String {
    match number {
        1e6.. => format!("{:.2} M", number / 1e6),
        1e3.. => format!("{:.1} k", number / 1e3),
        _ => format!("{number:.0}"),
    }
}

/// `1.8 GiB`, `12.3 MiB`.
pub fn bytes(count: u64) -> String {
    const MIB: u64 = 1 << 20;
    match ratio(count, MIB) {
        mib @ 1024.0.. => format!("{:.2} GiB", mib / 1024.0),
        mib => format!("{mib:.1} MiB"),
    }
}

/// `1.23 s`, `4.56 ms`, `78 µs`.
pub fn time(time: Duration) -> String {
    match time.as_secs_f64() {
        s @ 1.0.. => format!("{s:.2} s"),
        s @ 1e-3.. => format!("{:.2} ms", s * 1e3),
        s => format!("{:.0} µs", s * 1e6),
    }
}
