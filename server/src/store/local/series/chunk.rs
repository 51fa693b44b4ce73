//! Points of one series, compressed.
//!
//! Timestamps and values are columns of their own. Numbers are packed by `pco`; values of so many
//! decimals as whole numbers; timestamps a fixed step apart cost nothing.

mod column;
pub mod decimal;
mod dictionary;
mod numbers;
mod timestamps;
mod values;

use shared::Point;

use super::run::Run;

/// Packs and unpacks a column outside a chunk: the same numbers, packed as small.
pub use column::{Batches, pack as pack_column};

/// Most points in a chunk: enough for `pco` to come within a few percent of its best, few enough
/// that a reader holds many of them.
pub const MAX_CHUNK_POINTS: usize = 8192;

/// The bits of the first byte with the mark of the encoding of the timestamps; the others are that of
/// the values.
const TIMESTAMP_BITS: u32 = 2;

/// The bytes of a chunk are not as they were written, although their checksum is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the chunk can't be unpacked")]
pub struct BadChunk;

/// How hard to look for the smallest chunk. The points of a chunk never take more bytes when they
/// were packed with more effort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Take it that neighbours are alike, and try a dictionary only where that is far off: nearly
    /// twice as fast, and the first merge makes up for it. For checkpoints, which puts may be waiting
    /// for.
    Quick,
    /// Try what there is.
    Thorough,
}

/// Appends `points`, at most [`MAX_CHUNK_POINTS`] and at least one, by strictly rising timestamp.
///
/// # Errors
/// When `pco` refuses; no input is known that makes it.
pub fn encode(points: &[Point], effort: Effort, out: &mut Vec<u8>) -> Result<(), BadChunk> {
    let marks = out.len();
    out.push(0);
    let of_timestamps = timestamps::encode(points, effort, out)?;
    let values: Vec<f64> = points.iter().map(|point| point.value).collect();
    let of_values = values::encode(&values, effort, out)?.mark();
    out[marks] = of_timestamps | of_values << TIMESTAMP_BITS;
    Ok(())
}

/// Reads a chunk of `count` points, of any format.
///
/// # Errors
/// When the bytes are no chunk of that many points.
pub fn decode(mut bytes: &[u8], count: usize) -> Result<Run, BadChunk> {
    if count == 0 || count > MAX_CHUNK_POINTS {
        return Err(BadChunk);
    }
    let (&marks, rest) = bytes.split_first().ok_or(BadChunk)?;
    bytes = rest;
    let mut timestamps = vec![0_i64; count];
    timestamps::decode(marks & ((1 << TIMESTAMP_BITS) - 1), &mut bytes, &mut timestamps)?;
    let mut values = vec![0_f64; count];
    values::decode(marks >> TIMESTAMP_BITS, bytes, &mut values)?;
    let points = timestamps.into_iter().zip(values);
    Ok(points.map(|(timestamp, value)| Point { timestamp, value }).collect())
}

/// The last point of a chunk of `count` points, of any format, that is not later than `to`, and its
/// place; `None` when all are later. What is behind it is mostly neither read nor checked.
///
/// # Errors
/// When the bytes are no chunk of that many points, as far as they are read.
pub fn find_last(
    mut bytes: &[u8],
    count: usize,
    to: i64,
) -> Result<Option<(usize, Point)>, BadChunk> {
    if count == 0 || count > MAX_CHUNK_POINTS {
        return Err(BadChunk);
    }
    let (&marks, rest) = bytes.split_first().ok_or(BadChunk)?;
    bytes = rest;
    let of_timestamps = marks & ((1 << TIMESTAMP_BITS) - 1);
    let found = timestamps::find_last(of_timestamps, &mut bytes, count, to)?;
    let Some((place, timestamp)) = found else { return Ok(None) };
    if place >= count {
        return Err(BadChunk);
    }
    let value = values::get(marks >> TIMESTAMP_BITS, bytes, count, place)?;
    Ok(Some((place, Point { timestamp, value })))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::numbers::Encoding;
    use super::*;

    fn values() -> impl Strategy<Value = f64> {
        prop_oneof![
            (-100_000i32..100_000).prop_map(|cents| f64::from(cents) / 100.0),
            any::<f64>().prop_filter("finite", |value| value.is_finite()),
            Just(-0.0),
        ]
    }

    /// Values of a few points, or of many that come again.
    fn columns() -> impl Strategy<Value = Vec<f64>> {
        let pool = prop::collection::vec(values(), 1..60);
        let drawn = (pool, prop::collection::vec(any::<prop::sample::Index>(), 1..1500));
        let repeated = drawn.prop_map(|(pool, at)| at.iter().map(|at| *at.get(&pool)).collect());
        prop_oneof![prop::collection::vec(values(), 1..200), repeated]
    }

    fn points(values: &[f64], mut timestamp: impl FnMut() -> i64) -> Vec<Point> {
        values.iter().map(|&value| Point { timestamp: timestamp(), value }).collect()
    }

    fn encoded(points: &[Point], effort: Effort) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(points, effort, &mut bytes).unwrap();
        bytes
    }

    fn same(points: &[Point], read: &[Point]) -> bool {
        let bits = |point: &Point| (point.timestamp, point.value.to_bits());
        points.iter().map(bits).eq(read.iter().map(bits))
    }

    proptest! {
        #[test]
        fn points_read_back_bit_by_bit(
            values in columns(),
            irregular in any::<bool>(),
            start in any::<i64>(),
            steps in prop::collection::vec(1..1000i64, 1500),
        ) {
            let mut steps = steps.iter().scan(start.min(i64::MAX - 2_000_000), |at, step| {
                *at += if irregular { *step } else { steps[0] };
                Some(*at)
            });
            let points = points(&values, || steps.next().unwrap());
            for effort in [Effort::Quick, Effort::Thorough] {
                let bytes = encoded(&points, effort);
                prop_assert!(same(&points, &decode(&bytes, points.len()).unwrap()));
                for count in [0, points.len() - 1, points.len() + 1, MAX_CHUNK_POINTS + 1] {
                    prop_assert!(decode(&bytes, count).is_err());
                }
            }
        }

        #[test]
        fn the_last_point_until_any_time_is_found(
            values in columns(),
            step in prop::option::of(1..1000i64),
            start in any::<i64>(),
            steps in prop::collection::vec(1..1000i64, 1500),
            to in any::<prop::sample::Index>(),
            off in -1..=1i64,
        ) {
            let mut steps = steps.iter().scan(start.min(i64::MAX - 2_000_000), |at, random| {
                *at += step.unwrap_or(*random);
                Some(*at)
            });
            let points = points(&values, || steps.next().unwrap());
            let to = points[to.index(points.len())].timestamp.saturating_add(off);
            let expected = points.partition_point(|point| point.timestamp <= to).checked_sub(1);
            for effort in [Effort::Quick, Effort::Thorough] {
                let bytes = encoded(&points, effort);
                let found = find_last(&bytes, points.len(), to).unwrap();
                prop_assert_eq!(found.map(|(place, _)| place), expected);
                if let Some((place, point)) = found {
                    prop_assert!(same(&points[place..=place], &[point]));
                }
            }
        }

        #[test]
        fn a_merge_never_makes_a_checkpoint_bigger(
            values in columns(),
            steps in prop::collection::vec(1..5i64, 1500),
        ) {
            let mut at = 0;
            let mut steps = steps.into_iter();
            let points = points(&values, || {
                at += steps.next().unwrap();
                at
            });
            let [quick, thorough] =
                [Effort::Quick, Effort::Thorough].map(|effort| encoded(&points, effort).len());
            prop_assert!(thorough <= quick, "{thorough} > {quick}");
        }

        #[test]
        fn arbitrary_bytes_never_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            count in 0..9000usize,
            to in any::<i64>(),
        ) {
            let _ = decode(&bytes, count);
            let _ = find_last(&bytes, count, to);
        }

        #[test]
        fn damaged_chunks_never_panic(
            values in columns(),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        ) {
            let mut timestamps = 0..;
            let points = points(&values, || timestamps.next().unwrap());
            let mut bytes = encoded(&points, Effort::Thorough);
            for (at, byte) in damage {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let _ = decode(&bytes, points.len());
            for to in 0..4 {
                let _ = find_last(&bytes, points.len(), to * 500);
            }
        }
    }

    /// Values of each encoding, when they are some hundred.
    fn value_of(kind: usize, random: u64) -> f64 {
        let small = u32::try_from(random >> 40).unwrap();
        match kind {
            0 => 1.0 / (1.0 + f64::from(small)),
            1 => (f64::from(small % 128) / 10.0 + 273.15).ln(),
            // Finite ones of any size.
            2 => f64::from_bits(random & !(1 << 62)),
            // Decimals of 16, 32 and 64 bits.
            3 => f64::from(small % 300) / 10.0,
            4 => f64::from(small % 3_000_000) / 100.0,
            // Whose differences are smaller than a column of sixty.
            5 => f64::from(small % 60) / 10.0,
            _ => f64::from(small) * 4096.0 + 0.5,
        }
    }

    /// The timestamps of each encoding: regular ones, some with a step that no signed number holds, a
    /// column, and differences.
    fn timestamp_of(kind: usize, (at, count): (i64, i64), random: u64) -> i64 {
        match kind {
            0 => 1_700_000_000 + at * 35,
            1 if count == 2 => [i64::MIN, i64::MAX][usize::from(at > 0)],
            1 => i64::MIN.wrapping_add(at.wrapping_mul(i64::MAX)),
            2 => 1_700_000_000 + at * 35 + (random >> 33).cast_signed() % 9,
            // Whose differences are greater than a column of sixty.
            _ => 1_700_000_000 + at * 350 + (random >> 33).cast_signed() % 9,
        }
    }

    /// Each kind of values with each of timestamps and each count.
    fn kinds(counts: &[i64]) -> impl Iterator<Item = (usize, usize, i64)> {
        (0..7).flat_map(move |values| {
            (0..4).flat_map(move |times| counts.iter().map(move |count| (values, times, *count)))
        })
    }

    #[test]
    fn the_last_point_until_a_time_is_that_of_all_points() {
        let mut marks = std::collections::BTreeSet::new();
        let mut seed = 1_u64;
        let mut random = || {
            // A xorshift generator.
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        for (of_values, of_timestamps, count) in kinds(&[1, 2, 3, 5, 60, 256, 257, 700]) {
            if of_timestamps == 1 && count > 3 {
                continue;
            }
            let points: Vec<_> = (0..count)
                .map(|at| Point {
                    timestamp: timestamp_of(of_timestamps, (at, count), random()),
                    value: value_of(of_values, random()),
                })
                .collect();
            for effort in [Effort::Quick, Effort::Thorough] {
                let bytes = encoded(&points, effort);
                marks.insert(bytes[0]);
                let whole = decode(&bytes, points.len()).unwrap();
                let ends = [i64::MIN, i64::MAX].into_iter();
                let around = points
                    .iter()
                    .flat_map(|point| (-1..=1).map(|off| point.timestamp.saturating_add(off)));
                for to in ends.chain(around) {
                    let before = whole.partition_point(|point| point.timestamp <= to);
                    let expected = before.checked_sub(1).map(|place| (place, whole[place]));
                    let found = find_last(&bytes, points.len(), to).unwrap();
                    let bits = |found: Option<(usize, Point)>| {
                        found.map(|(place, point)| (place, point.timestamp, point.value.to_bits()))
                    };
                    assert_eq!(
                        bits(found),
                        bits(expected),
                        "{of_values} {of_timestamps} {count} {to}"
                    );
                }
            }
        }
        let all =
            (0..3).flat_map(|times| (0..5).map(move |values| times | values << TIMESTAMP_BITS));
        assert_eq!(marks, all.collect());
    }

    /// A value in a unit that it was not measured in: few distinct ones, and none a multiple of a
    /// step.
    fn converted(count: usize) -> Vec<Point> {
        let mut seed = 1_u32;
        let mut timestamps = 0..;
        let values = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (f64::from(seed >> 25) / 10.0 + 273.15).ln()
        });
        points(&values.take(count).collect::<Vec<_>>(), || timestamps.next().unwrap())
    }

    #[test]
    fn values_that_come_again_are_kept_once() {
        let mut points = converted(MAX_CHUNK_POINTS);
        (points[7].value, points[8].value) = (0.0, -0.0);
        for effort in [Effort::Quick, Effort::Thorough] {
            let bytes = encoded(&points, effort);
            assert_eq!(bytes[0], Encoding::Dictionary.mark() << TIMESTAMP_BITS);
            // Seven bits for one of 128, and 8 bytes for each of them.
            assert!(bytes.len() < MAX_CHUNK_POINTS * 15 / 16 + 1500, "{} bytes", bytes.len());
            assert!(same(&points, &decode(&bytes, points.len()).unwrap()));
        }
    }

    #[test]
    fn a_few_values_take_eight_bytes_each() {
        let points = converted(3);
        let bytes = encoded(&points, Effort::Quick);
        assert_eq!((bytes[0], bytes.len()), (Encoding::Plain.mark() << TIMESTAMP_BITS, 3 + 24));
    }

    #[test]
    fn marks_of_no_encoding_are_refused() {
        let mut bytes = encoded(&converted(3), Effort::Quick);
        for marks in 0..=u8::MAX {
            bytes[0] = marks;
            let is_right = marks == Encoding::Plain.mark() << TIMESTAMP_BITS;
            assert_eq!(decode(&bytes, 3).is_ok(), is_right, "{marks}");
        }
    }

    #[test]
    fn a_random_walk_of_two_decimals_costs_about_a_byte_a_point() {
        let mut cents = 5_000_i32;
        let mut seed = 1_u32;
        let points: Vec<_> = (0..)
            .take(MAX_CHUNK_POINTS)
            .map(|timestamp| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                cents += i32::try_from(seed >> 30).unwrap() - 1;
                Point { timestamp, value: f64::from(cents) / 100.0 }
            })
            .collect();
        for effort in [Effort::Quick, Effort::Thorough] {
            let mut bytes = Vec::new();
            encode(&points, effort, &mut bytes).unwrap();
            assert!(bytes.len() < MAX_CHUNK_POINTS, "{effort:?}: {} bytes", bytes.len());
        }
    }
}
