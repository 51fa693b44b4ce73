//! The packed points of a chunk, as any bytes: they are none, or as many points as they should be, and in
//! both ways of reading the same.

#![no_main]

use std::alloc::System;

use cap::Cap;
use libfuzzer_sys::fuzz_target;
use server::store::local::chunk::{decode, find_last};

/// A chunk has at most 8,192 points.
#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, 64 << 20);

fuzz_target!(|input: (u16, i64, &[u8])| {
    let (count, to, bytes) = input;
    let count = usize::from(count) % 9000;
    let whole = decode(bytes, count);
    let found = find_last(bytes, count, to);
    if let Ok(points) = whole {
        assert_eq!(points.len(), count);
        // Only points by rising time are ever written.
        if points.is_sorted_by(|a, b| a.timestamp < b.timestamp) {
            let place = points.partition_point(|point| point.timestamp <= to).checked_sub(1);
            let bits = |at: usize| (at, points[at].timestamp, points[at].value.to_bits());
            let found = found
                .map(|found| found.map(|(at, point)| (at, point.timestamp, point.value.to_bits())));
            assert_eq!(found, Ok(place.map(bits)));
        }
    }
});
