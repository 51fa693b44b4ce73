//! Small numbers in few bytes: LEB128, and zigzag for numbers of either sign.

/// Appends `number`, seven bits a byte, lowest first.
pub fn encode(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// Appends a number of either sign.
pub fn encode_signed(number: i64, out: &mut Vec<u8>) {
    encode(((number << 1) ^ (number >> 63)).cast_unsigned(), out);
}

/// Takes a number off the front of `input`; `None` when it is cut off or too large.
#[inline]
pub fn decode(input: &mut &[u8]) -> Option<u64> {
    // Nearly all are small.
    if let Some((&byte, rest)) = input.split_first()
        && byte < 0x80
    {
        *input = rest;
        return Some(byte.into());
    }
    decode_any(input)
}

fn decode_any(input: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for (at, &byte) in input.iter().enumerate().take(10) {
        let bits = u64::from(byte & 0x7f);
        if at == 9 && bits > 1 {
            return None;
        }
        number |= bits << (7 * at);
        if byte < 0x80 {
            *input = &input[at + 1..];
            return Some(number);
        }
    }
    None
}

/// Takes a number of either sign off the front of `input`.
pub fn decode_signed(input: &mut &[u8]) -> Option<i64> {
    let number = decode(input)?;
    Some((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_read_back(number in prop_oneof![0..1000u64, any::<u64>()], tail in any::<u8>()) {
            let mut bytes = Vec::new();
            encode(number, &mut bytes);
            encode_signed(number.cast_signed(), &mut bytes);
            for cut in 0..bytes.len() {
                let mut input = &bytes[..cut];
                prop_assert!(decode(&mut input).and_then(|_| decode_signed(&mut input)).is_none());
            }
            bytes.push(tail);
            let mut input = bytes.as_slice();
            prop_assert_eq!(decode(&mut input), Some(number));
            prop_assert_eq!(decode_signed(&mut input), Some(number.cast_signed()));
            prop_assert_eq!(input, [tail]);
        }
    }
}
