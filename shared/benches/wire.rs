//! What a point costs on the wire: `cargo bench -p shared --bench wire`. An item is a point; 30 M
//! items/s are 33 ns a point.

mod measure;

use std::hint::black_box;

use measure::Measure;
use shared::frame::{Line, RequestFramer};
use shared::response::{decode_points, encode_point};
use shared::{Key, Point, Request};

const POINTS: u32 = 1000;

fn main() {
    let mut measure = Measure::from_args();
    measure.items(POINTS);
    frame(&measure);
    frame_and_decode(&measure);
    decode(&measure);
    encode(&measure);
    decode_data(&measure);
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

/// A batch of puts cut into lines.
fn frame(measure: &Measure) {
    let puts = puts();
    measure.run("frame", || {
        let (mut framer, mut input) = (RequestFramer::default(), puts.as_slice());
        while let Some(line) = framer.next_request(&mut input) {
            black_box(line);
        }
    });
}

/// A batch of puts cut into lines and decoded.
fn frame_and_decode(measure: &Measure) {
    let puts = puts();
    measure.run("frame_and_decode", || {
        let (mut framer, mut input) = (RequestFramer::default(), puts.as_slice());
        while let Some(line) = framer.next_request(&mut input) {
            let _ = black_box(Request::decode_line(line));
        }
    });
}

/// The lines of a batch, decoded.
fn decode(measure: &Measure) {
    let puts = puts();
    let lines: Vec<&[u8]> =
        puts.strip_suffix(b"\n").unwrap_or(&puts).split(|&b| b == b'\n').collect();
    measure.run("decode", || {
        for line in &lines {
            let _ = black_box(Request::decode_line(Line::Text(line)));
        }
    });
}

/// Data lines of a reply.
fn encode(measure: &Measure) {
    let points = points();
    let points: Vec<_> =
        points.iter().filter_map(|(key, point)| Some((Key::new(key).ok()?, *point))).collect();
    let mut out = Vec::with_capacity(64 * 1024);
    measure.run("encode", || {
        out.clear();
        for &(key, point) in &points {
            encode_point(key, point, &mut out);
        }
        black_box(out.len())
    });
}

/// Data lines read by a client.
fn decode_data(measure: &Measure) {
    let mut data = Vec::new();
    for (key, point) in points() {
        data.extend_from_slice(format!("{key} {point}\n").as_bytes());
    }
    measure.run("decode_data", || {
        for point in decode_points(&data) {
            let _ = black_box(point);
        }
    });
}
