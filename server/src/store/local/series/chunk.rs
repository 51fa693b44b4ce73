//! Points of one series, compressed.
//!
//! Timestamps and values are columns of their own. Numbers are packed by `pco`, which finds the
//! common step of decimal values; timestamps a fixed step apart cost nothing.

use pco::standalone::{simple_compress_into, simple_decompress_into};
use pco::{ChunkConfig, DeltaSpec};
use shared::Point;

use super::run::Run;
use crate::store::local::varint;

/// Most points in a chunk: enough for `pco` to come within a few percent of its best, few enough
/// that a reader holds many of them.
pub const MAX_CHUNK_POINTS: usize = 8192;

/// Timestamps are `first + n * step`.
const REGULAR: u8 = 0;

/// Timestamps are packed by `pco`.
const PACKED: u8 = 1;

/// The bytes of a chunk are not as they were written, although their checksum is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the chunk can't be unpacked")]
pub struct BadChunk;

/// How hard to look for the smallest chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// Take it that neighbours are alike, without trying anything else: nearly twice as fast, and
    /// the first merge makes up for it. For checkpoints, which puts may be waiting for.
    Quick,
    /// Try what there is.
    Thorough,
}

impl Effort {
    fn config(self) -> ChunkConfig {
        match self {
            Self::Quick => ChunkConfig::default().with_delta_spec(DeltaSpec::TryConsecutive(1)),
            Self::Thorough => ChunkConfig::default(),
        }
    }
}

/// Appends `points`, at most [`MAX_CHUNK_POINTS`] and at least one, by strictly rising timestamp.
///
/// # Errors
/// When `pco` refuses; no input is known that makes it.
pub fn encode(points: &[Point], effort: Effort, out: &mut Vec<u8>) -> Result<(), BadChunk> {
    let config = effort.config();
    encode_timestamps(points, &config, out)?;
    let values: Vec<f64> = points.iter().map(|point| point.value).collect();
    simple_compress_into(&values, &config, out).map_err(|_| BadChunk)?;
    Ok(())
}

fn encode_timestamps(
    points: &[Point],
    config: &ChunkConfig,
    out: &mut Vec<u8>,
) -> Result<(), BadChunk> {
    let first = points.first().ok_or(BadChunk)?.timestamp;
    let step = points.get(1).map_or(0, |second| second.timestamp.wrapping_sub(first));
    let regular =
        points.windows(2).all(|pair| pair[1].timestamp.wrapping_sub(pair[0].timestamp) == step);
    if regular {
        out.push(REGULAR);
        varint::encode_signed(first, out);
        varint::encode_signed(step, out);
        return Ok(());
    }
    let timestamps: Vec<i64> = points.iter().map(|point| point.timestamp).collect();
    let mut packed = Vec::new();
    simple_compress_into(&timestamps, config, &mut packed).map_err(|_| BadChunk)?;
    out.push(PACKED);
    varint::encode(packed.len() as u64, out);
    out.extend_from_slice(&packed);
    Ok(())
}

/// Reads a chunk of `count` points.
///
/// # Errors
/// When the bytes are no chunk of that many points.
pub fn decode(mut bytes: &[u8], count: usize) -> Result<Run, BadChunk> {
    if count == 0 || count > MAX_CHUNK_POINTS {
        return Err(BadChunk);
    }
    let (&kind, rest) = bytes.split_first().ok_or(BadChunk)?;
    bytes = rest;
    let mut timestamps = vec![0_i64; count];
    match kind {
        REGULAR => {
            let mut next = varint::decode_signed(&mut bytes).ok_or(BadChunk)?;
            let step = varint::decode_signed(&mut bytes).ok_or(BadChunk)?;
            for timestamp in &mut timestamps {
                *timestamp = next;
                next = next.wrapping_add(step);
            }
        }
        PACKED => {
            let length = varint::decode(&mut bytes).and_then(|length| usize::try_from(length).ok());
            let (packed, rest) = bytes.split_at_checked(length.ok_or(BadChunk)?).ok_or(BadChunk)?;
            unpack(packed, &mut timestamps)?;
            bytes = rest;
        }
        _ => return Err(BadChunk),
    }
    let mut values = vec![0_f64; count];
    unpack(bytes, &mut values)?;
    let points = timestamps.into_iter().zip(values);
    Ok(points.map(|(timestamp, value)| Point { timestamp, value }).collect())
}

fn unpack<T: pco::data_types::Number>(packed: &[u8], numbers: &mut [T]) -> Result<(), BadChunk> {
    let progress = simple_decompress_into(packed, numbers).map_err(|_| BadChunk)?;
    if progress.finished && progress.n_processed == numbers.len() { Ok(()) } else { Err(BadChunk) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn values() -> impl Strategy<Value = f64> {
        prop_oneof![
            (-100_000i32..100_000).prop_map(|cents| f64::from(cents) / 100.0),
            any::<f64>().prop_filter("finite", |value| value.is_finite()),
            Just(-0.0),
        ]
    }

    proptest! {
        #[test]
        fn points_read_back_bit_by_bit(
            irregular in prop::collection::btree_map(any::<i64>(), values(), 1..200),
            (start, step) in (any::<i64>(), 1..1000i64),
            regular in prop::collection::vec(values(), 1..200),
        ) {
            let start = start.min(i64::MAX - 200_000);
            let regular: BTreeMap<_, _> =
                regular.into_iter().zip(0..).map(|(value, at)| (start + at * step, value)).collect();
            for (points, effort) in [(irregular, Effort::Quick), (regular, Effort::Thorough)] {
                let points: Vec<_> =
                    points.into_iter().map(|(timestamp, value)| Point { timestamp, value }).collect();
                let mut bytes = Vec::new();
                encode(&points, effort, &mut bytes).unwrap();
                let read = decode(&bytes, points.len()).unwrap();
                prop_assert_eq!(read.len(), points.len());
                for (point, read) in points.iter().zip(read.iter()) {
                    prop_assert_eq!(point.timestamp, read.timestamp);
                    prop_assert_eq!(point.value.to_bits(), read.value.to_bits());
                }
                for count in [0, points.len() - 1, points.len() + 1, MAX_CHUNK_POINTS + 1] {
                    prop_assert!(decode(&bytes, count).is_err());
                }
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), count in 0..9000usize) {
            let _ = decode(&bytes, count);
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
