//! Points as a chunk: they read back bit by bit, however hard it was looked for the smallest.

#![no_main]

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use server::store::local::chunk::{Effort, MAX_CHUNK_POINTS, decode, encode, find_last};
use shared::Point;

/// Points that are alike in some way, as those of a chunk mostly are.
#[derive(Debug, Arbitrary)]
struct Series {
    first: i64,
    step: u32,
    /// Added to each step, one after the other.
    jitter: Vec<u16>,
    /// Of these each value is one.
    values: Vec<Value>,
    /// Which of them.
    order: Vec<u8>,
    count: u16,
    to: i64,
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Value {
    Any(f64),
    Decimal { whole: i32, digits: u8 },
    Large { whole: i64, digits: u8 },
}

impl Value {
    fn get(self) -> f64 {
        let value = match self {
            Self::Any(value) => value,
            Self::Decimal { whole, digits } => {
                f64::from(whole) / 10_f64.powi(i32::from(digits % 20))
            }
            Self::Large { whole, digits } => whole as f64 / 10_f64.powi(i32::from(digits % 20)),
        };
        // All values are finite.
        if value.is_finite() { value } else { 0.0 }
    }
}

impl Series {
    fn points(&self) -> Vec<Point> {
        let mut points = Vec::new();
        let mut timestamp = self.first;
        let count = usize::from(self.count);
        // Mostly few: a full chunk takes a hundred times as long.
        let max = if count.is_multiple_of(16) { MAX_CHUNK_POINTS } else { 400 };
        for at in 0..count / 16 % max + 1 {
            let order = self.order.get(at % self.order.len().max(1)).copied().unwrap_or(0);
            let value = self.values.get(usize::from(order) % self.values.len().max(1));
            points.push(Point { timestamp, value: value.map_or(at as f64, |value| value.get()) });
            let jitter = self.jitter.get(at % self.jitter.len().max(1)).copied().unwrap_or(0);
            let step = u64::from(self.step) + u64::from(jitter) + 1;
            let Some(next) = timestamp.checked_add_unsigned(step) else { break };
            timestamp = next;
        }
        points
    }
}

fn bits(point: &Point) -> (i64, u64) {
    (point.timestamp, point.value.to_bits())
}

fuzz_target!(|series: Series| {
    let points = series.points();
    let place = points.partition_point(|point| point.timestamp <= series.to).checked_sub(1);
    let mut lengths = Vec::new();
    for effort in [Effort::Quick, Effort::Thorough] {
        let mut bytes = Vec::new();
        encode(&points, effort, &mut bytes).expect("pco takes any numbers");
        let read = decode(&bytes, points.len()).expect("it was just written");
        assert!(read.iter().map(bits).eq(points.iter().map(bits)), "{effort:?}");
        let found = find_last(&bytes, points.len(), series.to).expect("it was just written");
        let found = found.map(|(at, point)| (at, bits(&point)));
        assert_eq!(found, place.map(|at| (at, bits(&points[at]))), "{effort:?}");
        lengths.push(bytes.len());
    }
    assert!(lengths[1] <= lengths[0], "with more effort it takes more: {lengths:?}");
});
