//! The timestamps of a chunk, by the smallest of three encodings.

use shared::Point;

use super::column::{self, enough, pack, unpack};
use super::{BadChunk, Effort};
use crate::store::local::varint;

/// Timestamps are `first + n * step`: both as varints.
const REGULAR: u8 = 0;

/// Timestamps are a column: its length in bytes, and the column.
const PACKED: u8 = 1;

/// Timestamps are varints: the first one, then each one's difference to the one before.
const DIFFERENCES: u8 = 2;

/// Most timestamps of which the differences may be smaller than a column.
const MAX_DIFFERENCES: usize = 64;

/// Appends the timestamps of points, at least one, and answers the mark of their encoding.
pub fn encode(points: &[Point], effort: Effort, out: &mut Vec<u8>) -> Result<u8, BadChunk> {
    let first = points.first().ok_or(BadChunk)?.timestamp;
    let step = points.get(1).map_or(0, |second| second.timestamp.wrapping_sub(first));
    if differences(points).all(|difference| difference == step) {
        varint::encode_signed(first, out);
        varint::encode_signed(step, out);
        return Ok(REGULAR);
    }
    let start = out.len();
    if points.len() <= MAX_DIFFERENCES {
        varint::encode_signed(first, out);
        for difference in differences(points) {
            varint::encode(difference.cast_unsigned(), out);
        }
    }
    let differences = out.len() - start;
    if differences > 0 && differences <= enough(effort) {
        return Ok(DIFFERENCES);
    }
    let timestamps: Vec<i64> = points.iter().map(|point| point.timestamp).collect();
    let mut packed = Vec::new();
    pack(&timestamps, effort, &mut packed)?;
    if differences > 0 && differences <= packed.len() {
        return Ok(DIFFERENCES);
    }
    out.truncate(start);
    varint::encode(packed.len() as u64, out);
    out.extend_from_slice(&packed);
    Ok(PACKED)
}

fn differences(points: &[Point]) -> impl Iterator<Item = i64> {
    points.windows(2).map(|pair| pair[1].timestamp.wrapping_sub(pair[0].timestamp))
}

/// Takes as many timestamps off the front of `bytes` as `timestamps` has room for.
pub fn decode(mark: u8, bytes: &mut &[u8], timestamps: &mut [i64]) -> Result<(), BadChunk> {
    match mark {
        REGULAR => {
            let mut next = varint::decode_signed(bytes).ok_or(BadChunk)?;
            let step = varint::decode_signed(bytes).ok_or(BadChunk)?;
            for timestamp in timestamps {
                *timestamp = next;
                next = next.wrapping_add(step);
            }
        }
        PACKED => {
            let length = varint::decode(bytes).and_then(|length| usize::try_from(length).ok());
            let (packed, rest) = bytes.split_at_checked(length.ok_or(BadChunk)?).ok_or(BadChunk)?;
            unpack(packed, timestamps)?;
            *bytes = rest;
        }
        DIFFERENCES => {
            let (first, others) = timestamps.split_first_mut().ok_or(BadChunk)?;
            *first = varint::decode_signed(bytes).ok_or(BadChunk)?;
            let mut before = *first;
            for timestamp in others {
                let difference = varint::decode(bytes).ok_or(BadChunk)?;
                before = before.wrapping_add_unsigned(difference);
                *timestamp = before;
            }
        }
        _ => return Err(BadChunk),
    }
    Ok(())
}

/// Takes `count` timestamps off the front of `bytes`, and answers the last of them that is not later
/// than `to` with its place; `None` when all are. Of a column those far behind it are not read.
pub fn find_last(
    mark: u8,
    bytes: &mut &[u8],
    count: usize,
    to: i64,
) -> Result<Option<(usize, i64)>, BadChunk> {
    let mut found = None;
    match mark {
        REGULAR => {
            let first = varint::decode_signed(bytes).ok_or(BadChunk)?;
            let step = varint::decode_signed(bytes).ok_or(BadChunk)?;
            if first <= to {
                // Both may be more than a signed number holds: they wrap around.
                let behind = to.wrapping_sub(first).cast_unsigned();
                let steps = behind.checked_div(step.cast_unsigned()).unwrap_or(0);
                let steps = steps.min(count.saturating_sub(1) as u64);
                let timestamp = first.wrapping_add(step.wrapping_mul(steps.cast_signed()));
                found = usize::try_from(steps).ok().map(|place| (place, timestamp));
            }
        }
        PACKED => {
            let length = varint::decode(bytes).and_then(|length| usize::try_from(length).ok());
            let (packed, rest) = bytes.split_at_checked(length.ok_or(BadChunk)?).ok_or(BadChunk)?;
            let mut passed = 0;
            column::find(packed, |timestamps: &[i64]| {
                let before = timestamps.partition_point(|timestamp| *timestamp <= to);
                if let Some(last) = before.checked_sub(1) {
                    found = Some((passed + last, timestamps[last]));
                }
                passed += timestamps.len();
                (before < timestamps.len()).then_some(())
            })?;
            *bytes = rest;
        }
        DIFFERENCES => {
            let mut timestamp = varint::decode_signed(bytes).ok_or(BadChunk)?;
            for place in 0..count {
                if place > 0 {
                    let difference = varint::decode(bytes).ok_or(BadChunk)?;
                    timestamp = timestamp.wrapping_add_unsigned(difference);
                }
                if timestamp <= to {
                    found = Some((place, timestamp));
                }
            }
        }
        _ => return Err(BadChunk),
    }
    Ok(found)
}
