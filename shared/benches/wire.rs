//! What a point costs on the wire: `cargo bench -p shared --bench wire`. A second's throughput in
//! items is points; 30 M items/s are 33 ns a point.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use shared::frame::{Line, RequestFramer};
use shared::response::{decode_points, encode_point};
use shared::{Key, Point, Request};

const POINTS: u32 = 1000;

fn main() {
    divan::main();
}

/// Points of many series, two decimals each.
fn points() -> Vec<(String, Point)> {
    let point = |at: u32| {
        let key = format!("host{:04}.cpu.user", at * 7 % 800);
        let value = f64::from(at * 7919 % 100_000) / 100.0;
        (key, Point { value, timestamp: 1_700_000_000 + i64::from(at) })
    };
    (0..POINTS).map(point).collect()
}

fn puts() -> Vec<u8> {
    points().iter().flat_map(|(key, point)| format!("put {key} {point}\n").into_bytes()).collect()
}

/// A batch of puts cut into lines, and no more.
#[divan::bench]
fn frame(bencher: Bencher<'_, '_>) {
    let puts = puts();
    bencher.counter(ItemsCount::new(POINTS)).bench(|| {
        let (mut framer, mut input) = (RequestFramer::default(), puts.as_slice());
        while let Some(line) = framer.next_request(&mut input) {
            black_box(line);
        }
    });
}

/// A batch of puts cut into lines and decoded.
#[divan::bench]
fn frame_and_decode(bencher: Bencher<'_, '_>) {
    let puts = puts();
    bencher.counter(ItemsCount::new(POINTS)).bench(|| {
        let (mut framer, mut input) = (RequestFramer::default(), puts.as_slice());
        while let Some(line) = framer.next_request(&mut input) {
            let _ = black_box(Request::decode_line(line));
        }
    });
}

/// The lines of a batch, decoded.
#[divan::bench]
fn decode(bencher: Bencher<'_, '_>) {
    let puts = puts();
    let lines: Vec<&[u8]> =
        puts.strip_suffix(b"\n").unwrap_or(&puts).split(|&b| b == b'\n').collect();
    bencher.counter(ItemsCount::new(POINTS)).bench(|| {
        for line in &lines {
            let _ = black_box(Request::decode_line(Line::Text(line)));
        }
    });
}

/// Data lines of an answer.
#[divan::bench]
fn encode(bencher: Bencher<'_, '_>) {
    let points = points();
    let points: Vec<_> =
        points.iter().filter_map(|(key, point)| Some((Key::new(key).ok()?, *point))).collect();
    let mut out = Vec::with_capacity(64 * 1024);
    bencher.counter(ItemsCount::new(points.len())).bench_local(|| {
        out.clear();
        for &(key, point) in &points {
            encode_point(key, point, &mut out);
        }
        black_box(out.len())
    });
}

/// Data lines read by a client.
#[divan::bench]
fn decode_data(bencher: Bencher<'_, '_>) {
    let mut data = Vec::new();
    for (key, point) in points() {
        data.extend_from_slice(format!("{key} {point}\n").as_bytes());
    }
    bencher.counter(ItemsCount::new(POINTS)).bench(|| {
        for point in decode_points(&data) {
            let _ = black_box(point);
        }
    });
}
