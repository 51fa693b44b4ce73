//! What is deleted in the parts before a part, and what was lost of the files that it replaces: a block
//! of its own in front of the index, so that it is found without one.

#[cfg(any(test, fuzzing))]
pub mod checksums;

use std::io;
use std::mem::{offset_of, size_of};

use memchr::memmem;
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::losses::PartLosses;
use crate::store::local::disk::window::Window;
use crate::store::local::salt::Salt;
use crate::store::local::series::series_index::SeriesId;
use crate::store::local::varint;

/// Timestamps, first to last, both included.
pub type TimeRange = (i64, i64);

/// For series, by rising id, which points of older parts are deleted: ranges by rising timestamp,
/// without overlap, at least one a series.
pub type Deletes = Vec<(SeriesId, Vec<TimeRange>)>;

/// Begins the block.
const MAGIC: [u8; 4] = [0x9e, b'D', b'e', b'l'];

/// The beginning of the block. The ranges follow.
#[derive(Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct BlockHeader {
    magic: [u8; 4],
    end: U32,
    length: U64,
    /// Of what follows.
    body_checksum: U32,
    /// Of the fields before.
    checksum: U32,
}

impl BlockHeader {
    const LENGTH: usize = size_of::<Self>();

    fn new(end: SeriesId, body: &[u8], salt: Salt) -> Self {
        let mut header = Self {
            magic: MAGIC,
            end: end.into(),
            length: (body.len() as u64).into(),
            body_checksum: salt.body_checksum(body).into(),
            checksum: U32::ZERO,
        };
        header.checksum = header.sum(salt).into();
        header
    }

    /// The header at the front of `bytes`; `None` when magic or checksum are wrong.
    fn decode(bytes: &[u8], salt: Salt) -> Option<&Self> {
        let (header, _) = Self::ref_from_prefix(bytes).ok()?;
        (header.magic == MAGIC && header.checksum == header.sum(salt)).then_some(header)
    }

    fn sum(&self, salt: Salt) -> u32 {
        salt.header_checksum(&self.as_bytes()[..offset_of!(Self, checksum)])
    }
}

/// What the block says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Block {
    /// What is deleted in older parts.
    pub deletes: Deletes,
    /// All ids of series that were ever given when the part was written are below this.
    pub end: SeriesId,
    /// What was lost of the files that the part replaces; nothing in formats 1 and 2.
    pub losses: PartLosses,
}

impl Block {
    /// Appends the block.
    pub fn encode(&self, salt: Salt, out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + BlockHeader::LENGTH, 0);
        self.encode_body(out);
        let (header, body) = out[start..].split_at_mut(BlockHeader::LENGTH);
        header.copy_from_slice(BlockHeader::new(self.end, body, salt).as_bytes());
    }

    /// Appends the end of the ids, the length of what follows the header, and that.
    pub fn encode_copy(&self, out: &mut Vec<u8>) {
        let mut body = Vec::new();
        self.encode_body(&mut body);
        varint::encode(self.end.into(), out);
        varint::encode(body.len() as u64, out);
        out.extend_from_slice(&body);
    }

    fn encode_body(&self, out: &mut Vec<u8>) {
        self.losses.encode(out);
        let mut series = 0;
        for (id, ranges) in &self.deletes {
            varint::encode(u64::from(id - series), out);
            varint::encode(ranges.len() as u64, out);
            let mut before = 0;
            for &(first, last) in ranges {
                varint::encode_signed(first.wrapping_sub(before), out);
                varint::encode(last.wrapping_sub(first).cast_unsigned(), out);
                before = last;
            }
            series = *id;
        }
    }

    /// What a block says; `None` when it is damaged.
    pub fn decode(block: &[u8], salt: Salt) -> Option<Self> {
        let header = BlockHeader::decode(block, salt)?;
        let body = &block[BlockHeader::LENGTH..];
        let is_whole =
            header.length == body.len() as u64 && header.body_checksum == salt.body_checksum(body);
        if !is_whole {
            return None;
        }
        let mut input = body;
        let losses =
            if salt == Salt::NONE { PartLosses::default() } else { PartLosses::take(&mut input)? };
        Some(Self { deletes: decode_ranges(input)?, end: header.end.get(), losses })
    }

    /// Takes what [`Block::encode_copy`] has appended off the front of `input`; `None` when that is not
    /// there.
    pub fn take_copy(input: &mut &[u8]) -> Option<Self> {
        let end = SeriesId::try_from(varint::decode(input)?).ok()?;
        let length = usize::try_from(varint::decode(input)?).ok()?;
        let (mut body, rest) = input.split_at_checked(length)?;
        *input = rest;
        let losses = PartLosses::take(&mut body)?;
        Some(Self { deletes: decode_ranges(body)?, end, losses })
    }
}

fn decode_ranges(mut input: &[u8]) -> Option<Deletes> {
    let mut deletes = Deletes::new();
    while !input.is_empty() {
        let before = deletes.last().map(|(series, _)| *series);
        let difference = u32::try_from(varint::decode(&mut input)?).ok()?;
        let series = before.unwrap_or(0).checked_add(difference)?;
        if before.is_some_and(|before| series <= before) {
            return None;
        }
        let mut ranges = Vec::new();
        for _ in 0..varint::decode(&mut input)? {
            let before: Option<&TimeRange> = ranges.last();
            let start = before.map_or(0, |(_, last)| *last);
            let first = start.wrapping_add(varint::decode_signed(&mut input)?);
            let last = first.checked_add_unsigned(varint::decode(&mut input)?)?;
            if before.is_some() && first <= start {
                return None;
            }
            ranges.push((first, last));
        }
        if ranges.is_empty() {
            return None;
        }
        deletes.push((series, ranges));
    }
    Some(deletes)
}

/// Whether the header of a block stands at the front of `bytes`.
pub fn has_header(bytes: &[u8], salt: Salt) -> bool {
    BlockHeader::decode(bytes, salt).is_some()
}

/// What the first sound block of a file from `from` on says, and where it begins; `None` when there is
/// none.
///
/// # Errors
/// When the file can't be read.
pub fn find(
    window: &mut Window<'_>,
    mut from: u64,
    salt: Salt,
) -> io::Result<Option<(Block, u64)>> {
    let magic = memmem::Finder::new(&MAGIC);
    while let Some(offset) = window.find(from, &magic)? {
        from = offset + 1;
        let header = BlockHeader::decode(window.get(offset, BlockHeader::LENGTH as u64)?, salt);
        let Some(header) = header else { continue };
        let length = header.length.get().checked_add(BlockHeader::LENGTH as u64);
        let Some(length) = length.filter(|&length| length <= window.length() - offset) else {
            continue;
        };
        let Ok(length_here) = usize::try_from(length) else { continue };
        let block = window.get(offset, length)?.get(..length_here);
        if let Some(found) = block.and_then(|block| Block::decode(block, salt)) {
            return Ok(Some((found, offset)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::local::disk::window::SparseFile;
    use crate::store::local::series::loss::{Extent, Loss};

    fn deletes() -> impl Strategy<Value = Deletes> {
        let bound = prop_oneof![-50..50i64, any::<i64>(), Just(i64::MIN), Just(i64::MAX)];
        let bounds = prop::collection::btree_set(bound, 1..12);
        let ranges = bounds.prop_map(|bounds| {
            let bounds: Vec<_> = bounds.into_iter().collect();
            bounds.chunks(2).map(|pair| (pair[0], *pair.last().unwrap())).collect()
        });
        let id = prop_oneof![0..20u32, any::<u32>()];
        prop::collection::btree_map(id, ranges, 0..6).prop_map(|map| map.into_iter().collect())
    }

    proptest! {
        #[test]
        fn deletes_read_back_and_are_found(
            deletes in deletes(),
            end in any::<u32>(),
            salt in 1..=u64::MAX,
            before in prop::collection::vec(any::<u8>(), 0..1000),
            (place, bit) in (any::<prop::sample::Index>(), 0..8_u32),
        ) {
            let salt = Salt::read_from_bytes(&salt.to_le_bytes()).unwrap();
            let loss = Loss { extent: Extent::of(7, (1, 2)), unnamed: None };
            let losses = PartLosses { losses: [loss].into_iter().collect(), keys: Vec::new() };
            let says = Block { deletes, end, losses };
            let mut block = Vec::new();
            says.encode(salt, &mut block);
            prop_assert_eq!(Block::decode(&block, salt), Some(says.clone()));

            let bytes = [&before, &MAGIC[..], &block, b"index"].concat();
            let file = SparseFile::whole(&bytes);
            let found = find(&mut Window::new(&file, file.length), 0, salt).unwrap();
            prop_assert_eq!(found, Some((says.clone(), (before.len() + MAGIC.len()) as u64)));

            let mut copy = Vec::new();
            says.encode_copy(&mut copy);
            copy.push(7);
            let mut input = &copy[..];
            prop_assert_eq!(Block::take_copy(&mut input), Some(says));
            prop_assert_eq!(input, [7]);

            for cut in [0, block.len() / 2, block.len() - 1] {
                prop_assert_eq!(Block::decode(&block[..cut], salt), None);
            }
            let place = place.index(block.len());
            block[place] ^= 1_u8 << bit;
            prop_assert_eq!(Block::decode(&block, salt), None);
        }

        /// With a checksum that is right.
        #[test]
        fn arbitrary_bodies_never_panic(body in prop::collection::vec(any::<u8>(), 0..60)) {
            let block = [BlockHeader::new(7, &body, Salt::NONE).as_bytes(), &body].concat();
            if let Some(Block { deletes, end: 7, .. }) = Block::decode(&block, Salt::NONE) {
                prop_assert!(deletes.is_sorted_by(|a, b| a.0 < b.0));
                for (_, ranges) in deletes {
                    prop_assert!(ranges.iter().all(|(first, last)| first <= last));
                    prop_assert!(ranges.is_sorted_by(|a, b| a.1 < b.0) && !ranges.is_empty());
                }
            }
        }
    }
}
