//! What was lost of the files that a part replaces. It stands in the block of deletes, and with that
//! once more in the index.

use shared::{Key, KeyBuf};

use crate::store::local::series::loss::{Extent, Loss, Losses};
use crate::store::local::series::series_index::SeriesId;
use crate::store::local::varint;

/// Losses, and the keys of their series as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartLosses {
    /// What was lost.
    pub losses: Losses,
    /// By rising id.
    pub keys: Vec<(SeriesId, KeyBuf)>,
}

impl PartLosses {
    /// Appends their length in bytes, and them.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut bytes = Vec::new();
        if !self.losses.is_empty() {
            self.encode_all(&mut bytes);
        }
        varint::encode(bytes.len() as u64, out);
        out.extend_from_slice(&bytes);
    }

    fn encode_all(&self, out: &mut Vec<u8>) {
        varint::encode(self.losses.len() as u64, out);
        for Loss { extent, unnamed } in self.losses.iter() {
            varint::encode(extent.first_series.into(), out);
            varint::encode((extent.last_series - extent.first_series).into(), out);
            varint::encode_signed(extent.from, out);
            varint::encode(extent.to.abs_diff(extent.from), out);
            varint::encode(unnamed.map_or(0, |end| u64::from(end) + 1), out);
        }
        let mut before = 0;
        for (series, key) in &self.keys {
            varint::encode(u64::from(series - before), out);
            varint::encode(key.as_str().len() as u64, out);
            out.extend_from_slice(key.as_str().as_bytes());
            before = *series;
        }
    }

    /// Takes them off the front of `input`; `None` when they are not there.
    pub fn take(input: &mut &[u8]) -> Option<Self> {
        let length = usize::try_from(varint::decode(input)?).ok()?;
        let (mut bytes, rest) = input.split_at_checked(length)?;
        *input = rest;
        let mut found = Self::default();
        if bytes.is_empty() {
            return Some(found);
        }
        for _ in 0..varint::decode(&mut bytes)? {
            let first_series = SeriesId::try_from(varint::decode(&mut bytes)?).ok()?;
            let more = SeriesId::try_from(varint::decode(&mut bytes)?).ok()?;
            let from = varint::decode_signed(&mut bytes)?;
            let to = from.checked_add_unsigned(varint::decode(&mut bytes)?)?;
            let last_series = first_series.checked_add(more)?;
            let unnamed = varint::decode(&mut bytes)?.checked_sub(1);
            let unnamed = unnamed.map(SeriesId::try_from).transpose().ok()?;
            let extent = Extent { first_series, last_series, from, to };
            found.losses.add(Loss { extent, unnamed });
        }
        let mut series: SeriesId = 0;
        while !bytes.is_empty() {
            let more = SeriesId::try_from(varint::decode(&mut bytes)?).ok()?;
            series = series.checked_add(more)?;
            let length = usize::try_from(varint::decode(&mut bytes)?).ok()?;
            let (key, rest) = bytes.split_at_checked(length)?;
            bytes = rest;
            found.keys.push((series, Key::from_bytes(key).ok()?.to_owned()));
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn losses_read_back(
            boxes in prop::collection::vec(
                (any::<u32>(), any::<u32>(), any::<i64>(), any::<i64>(), any::<Option<u32>>()), 0..5),
            ids in prop::collection::btree_set(any::<u32>(), 0..5),
            behind in prop::collection::vec(any::<u8>(), 0..9),
        ) {
            let loss = |&(a, b, from, to, unnamed): &(u32, u32, i64, i64, Option<u32>)| {
                let (first_series, last_series) = (a.min(b), a.max(b));
                let extent = Extent { first_series, last_series, from: from.min(to), to: to.max(from) };
                Loss { extent, unnamed }
            };
            let losses: Losses = boxes.iter().map(loss).collect();
            let ids = ids.into_iter().filter(|_| !losses.is_empty());
            let keys = ids.map(|id| (id, format!("key{id}").parse().unwrap())).collect();
            let all = PartLosses { losses, keys };
            let mut bytes = Vec::new();
            all.encode(&mut bytes);
            bytes.extend_from_slice(&behind);
            let mut input = &bytes[..];
            prop_assert_eq!(PartLosses::take(&mut input), Some(all));
            prop_assert_eq!(input, behind);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = PartLosses::take(&mut &bytes[..]);
        }
    }
}
