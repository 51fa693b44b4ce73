//! Numbers of a few bits each, one behind the other, lowest bits first.

/// Bytes that a number lies in, at the most.
const SPAN: usize = 9;

/// How many bits the greatest of some numbers takes.
pub fn width(numbers: &[u64]) -> u32 {
    u64::BITS - numbers.iter().fold(0, |all, number| all | number).leading_zeros()
}

/// How many bytes so many numbers of `width` bits take.
pub fn length(count: usize, width: u32) -> usize {
    (count * width as usize).div_ceil(8)
}

/// Appends numbers of at most `width` bits.
pub fn append(numbers: &[u64], width: u32, out: &mut Vec<u8>) {
    let (mut pending, mut bits) = (0_u128, 0);
    for &number in numbers {
        pending |= u128::from(number) << bits;
        bits += width;
        while bits >= 8 {
            out.push(pending.to_le_bytes()[0]);
            pending >>= 8;
            bits -= 8;
        }
    }
    if bits > 0 {
        out.push(pending.to_le_bytes()[0]);
    }
}

/// The number at a place of those that `bytes` begin with. Behind the end of `bytes` all bits are 0.
#[inline]
pub fn get(bytes: &[u8], at: usize, width: u32) -> u64 {
    if width == 0 {
        return 0;
    }
    let bit = at * width as usize;
    let rest = bytes.get(bit / 8..).unwrap_or_default();
    let span = match rest.first_chunk::<SPAN>() {
        Some(span) => *span,
        None => padded(rest),
    };
    let [low @ .., high] = span;
    let shift = bit % 8;
    // In two steps, because a shift by 64 bits is none.
    let high = (u64::from(high) << 1) << (63 - shift);
    (u64::from_le_bytes(low) >> shift | high) & (u64::MAX >> (u64::BITS - width))
}

/// Reads the numbers that `bytes` begin with, as many as `numbers` has room for.
pub fn unpack(bytes: &[u8], width: u32, numbers: &mut [u64]) {
    /// Most bits of a number that eight bytes hold wherever it begins in the first of them.
    const NARROW: u32 = 57;
    if width == 0 {
        return numbers.fill(0);
    }
    if width > NARROW {
        let all = numbers.iter_mut().enumerate();
        return all.for_each(|(at, number)| *number = get(bytes, at, width));
    }
    let (mask, mut bit) = (u64::MAX >> (u64::BITS - width), 0);
    for number in numbers {
        let rest = bytes.get(bit / 8..).unwrap_or_default();
        let span = match rest.first_chunk() {
            Some(span) => *span,
            None => padded(rest),
        };
        *number = u64::from_le_bytes(span) >> (bit % 8) & mask;
        bit += width as usize;
    }
}

/// The last bytes of all, with zeros behind.
#[cold]
fn padded<const SPAN: usize>(bytes: &[u8]) -> [u8; SPAN] {
    let mut span = [0; SPAN];
    for (to, from) in span.iter_mut().zip(bytes) {
        *to = *from;
    }
    span
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_read_back(
            numbers in prop::collection::vec(any::<u64>(), 0..140),
            dropped in 0..=64u32,
            behind in prop::collection::vec(any::<u8>(), 0..12),
        ) {
            let numbers: Vec<_> =
                numbers.into_iter().map(|number| number.checked_shr(dropped).unwrap_or(0)).collect();
            let width = width(&numbers);
            prop_assert!(width <= 64 - dropped);
            let mut bytes = Vec::new();
            append(&numbers, width, &mut bytes);
            prop_assert_eq!(bytes.len(), length(numbers.len(), width));
            bytes.extend(behind);
            for (at, number) in numbers.iter().enumerate() {
                prop_assert_eq!(get(&bytes, at, width), *number);
            }
            prop_assert_eq!(get(&[], 7, width), 0);
            let mut all = vec![7; numbers.len()];
            unpack(&bytes, width, &mut all);
            prop_assert_eq!(&all, &numbers);
            unpack(&[], width, &mut all);
            prop_assert!(all.iter().all(|number| *number == 0));
        }
    }
}
