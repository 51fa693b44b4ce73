//! The keys of the series in a part, packed as its index has them.

use shared::Key;

use crate::store::local::series::series_index::SeriesId;
use crate::store::local::varint;

/// Keys by rising series id. They take about as much memory as they take on the disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartKeys {
    series: Vec<SeriesId>,
    /// Of each key how many bytes it has in common with the one before, how many more it has, and
    /// those.
    packed: Vec<u8>,
    /// The bytes of the last one.
    last: Vec<u8>,
}

impl PartKeys {
    /// Adds the key of a series with a greater id than those before.
    pub fn push(&mut self, series: SeriesId, key: Key<'_>) {
        let key = key.as_bytes();
        let same = key.iter().zip(&self.last).take_while(|(a, b)| a == b).count();
        varint::encode(same as u64, &mut self.packed);
        varint::encode((key.len() - same) as u64, &mut self.packed);
        self.packed.extend_from_slice(&key[same..]);
        self.last.truncate(same);
        self.last.extend_from_slice(&key[same..]);
        self.series.push(series);
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// The series of the last key.
    pub fn last_series(&self) -> Option<SeriesId> {
        self.series.last().copied()
    }

    /// Calls `each` with the series and the bytes of their keys, which may be no valid keys when they
    /// were read from the disk.
    pub fn for_each(&self, mut each: impl FnMut(SeriesId, &[u8])) {
        let mut walk = Walk { input: &self.packed, key: Vec::new() };
        for &series in &self.series {
            let Some(key) = walk.next_key() else { return };
            each(series, key);
        }
    }

    /// Whether others are the keys of the same series.
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.series, &self.packed) == (&other.series, &other.packed)
    }

    /// Appends how many keys there are, and the keys.
    pub fn encode(&self, out: &mut Vec<u8>) {
        varint::encode(self.series.len() as u64, out);
        out.extend_from_slice(&self.packed);
    }
}

/// Keys in an index that is being read.
#[derive(Debug)]
pub struct PackedKeys<'i> {
    count: u64,
    packed: &'i [u8],
}

impl<'i> PackedKeys<'i> {
    /// Takes the keys off the front of an index; `None` when they are none.
    pub fn take(input: &mut &'i [u8]) -> Option<Self> {
        let count = varint::decode(input)?;
        let (start, mut length) = (*input, 0);
        for _ in 0..count {
            let same = usize::try_from(varint::decode(input)?).ok()?;
            let more = usize::try_from(varint::decode(input)?).ok()?;
            (_, *input) = input.split_at_checked(more)?;
            if same > length {
                return None;
            }
            length = same + more;
        }
        Some(Self { count, packed: &start[..start.len() - input.len()] })
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        usize::try_from(self.count).unwrap_or(usize::MAX)
    }

    /// The keys of these series; `None` when there are more or fewer.
    pub fn of(self, series: Vec<SeriesId>) -> Option<PartKeys> {
        if self.count != series.len() as u64 {
            return None;
        }
        Some(PartKeys { series, packed: self.packed.to_vec(), last: Vec::new() })
    }
}

/// Unpacks keys one after the other.
struct Walk<'k> {
    input: &'k [u8],
    key: Vec<u8>,
}

impl Walk<'_> {
    fn next_key(&mut self) -> Option<&[u8]> {
        let same = usize::try_from(varint::decode(&mut self.input)?).ok()?;
        let more = usize::try_from(varint::decode(&mut self.input)?).ok()?;
        let (tail, rest) = self.input.split_at_checked(more)?;
        self.input = rest;
        self.key.truncate(same);
        self.key.extend_from_slice(tail);
        Some(&self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back() {
        let names = ["a.cpu", "a.cpu2", "a", "b.cpu", "b.cpu.user"];
        let mut keys = PartKeys::default();
        for (series, name) in (3..).step_by(2).zip(names) {
            keys.push(series, Key::new(name).unwrap());
        }
        let mut bytes = Vec::new();
        keys.encode(&mut bytes);
        bytes.extend_from_slice(b"rest");
        let mut input = bytes.as_slice();
        let packed = PackedKeys::take(&mut input).unwrap();
        assert_eq!(input, b"rest");
        let read = packed.of(vec![3, 5, 7, 9, 11]).unwrap();
        let mut found = Vec::new();
        read.for_each(|series, key| found.push((series, String::from_utf8(key.to_vec()).unwrap())));
        let expected: Vec<_> = (3..).step_by(2).zip(names.map(str::to_owned)).collect();
        assert_eq!(found, expected);
        assert!(PackedKeys::take(&mut bytes.as_slice()).unwrap().of(vec![1]).is_none());
        for cut in 0..bytes.len() - 4 {
            assert!(PackedKeys::take(&mut &bytes[..cut]).is_none(), "{cut}");
        }
        // More in common than there is.
        assert!(PackedKeys::take(&mut &[1, 1, 1, b'a'][..]).is_none());
    }
}
