//! Right checksums in a segment that is none of a store's, so that fuzzing gets behind them.

use memchr::memmem;
use zerocopy::{FromBytes, IntoBytes};

use super::{
    Layout, Mark, RecordHeader, RecordHeaderV2, SEGMENT_MAGIC, SEGMENT_MAGIC_V2, SegmentHeader,
    SegmentHeaderV2,
};
use crate::store::local::file_name::SegmentId;
use crate::store::local::salt::Salt;

/// What is made right besides, and what stays as it is.
#[derive(Debug, Clone, Copy)]
pub struct SegmentRepair {
    /// The two headers and the mark stay as they are.
    pub kept: [bool; 3],
    /// Each record reaches to the next one, and its group to its end.
    pub fits_lengths: bool,
    /// Each record has the number behind that of the one before it.
    pub counts: bool,
    /// What a record says of the one before it stays as it is.
    pub keeps_chain: bool,
    /// The place of a record that stays as it is among the others.
    pub kept_record: usize,
}

/// Makes the checksums of a segment right, as far as its bytes look like one, and its number `id`.
pub fn mend_segment(bytes: &mut [u8], id: SegmentId, repair: &SegmentRepair) {
    if bytes.starts_with(&SEGMENT_MAGIC_V2) {
        let header = SegmentHeaderV2::bytes(id);
        if let Some(front) = bytes.get_mut(..header.len()).filter(|_| !repair.kept[0]) {
            front.copy_from_slice(&header);
        }
        mend_unsalted(bytes, repair);
        return;
    }
    let mut found: Option<(Salt, u32, u64)> = None;
    for (copy, at) in [0, SegmentHeader::SECOND].into_iter().enumerate() {
        let front = bytes.get_mut(at..).unwrap_or_default();
        let Ok((header, _)) = SegmentHeader::mut_from_prefix(front) else { continue };
        if header.magic == SEGMENT_MAGIC && !repair.kept[copy] {
            header.id = id.into();
            header.checksum = header.sum().into();
            found.get_or_insert((header.salt, header.checksum(), header.first_sequence()));
        }
    }
    let Some((salt, checksum, first_sequence)) = found else { return };
    let front = bytes.get_mut(SegmentHeader::MARK..).unwrap_or_default();
    if let Ok((mark, _)) = Mark::mut_from_prefix(front)
        && !repair.kept[2]
    {
        mark.checksum = salt.header_checksum(mark.durable.as_bytes()).into();
    }
    mend_salted(bytes, salt, (checksum, first_sequence), repair);
}

fn mend_salted(
    bytes: &mut [u8],
    salt: Salt,
    (mut previous, mut sequence): (u32, u64),
    repair: &SegmentRepair,
) {
    let layout = Layout::Salted(salt);
    for (number, (place, length)) in records(bytes, layout, repair.fits_lengths).enumerate() {
        let end = (place + RecordHeader::LENGTH + length) as u64;
        let Ok((header, payload)) = RecordHeader::mut_from_prefix(&mut bytes[place..]) else {
            return;
        };
        if number != repair.kept_record {
            if repair.fits_lengths {
                header.payload_length = u32::try_from(length).unwrap_or(u32::MAX).into();
                header.group_end = header.group_end.get().max(end).into();
            }
            if repair.counts {
                header.sequence = sequence.into();
            }
            if !repair.keeps_chain {
                header.previous = previous.into();
            }
            header.payload_checksum = salt.body_checksum(&payload[..length]).into();
            header.checksum = header.sum(salt).into();
        }
        (previous, sequence) = (header.checksum.get(), header.sequence.get().wrapping_add(1));
    }
}

fn mend_unsalted(bytes: &mut [u8], repair: &SegmentRepair) {
    let mut sequence = 0;
    for (number, (place, length)) in
        records(bytes, Layout::Unsalted, repair.fits_lengths).enumerate()
    {
        let Ok((header, payload)) = RecordHeaderV2::mut_from_prefix(&mut bytes[place..]) else {
            return;
        };
        if number != repair.kept_record {
            if repair.fits_lengths {
                header.payload_length = u32::try_from(length).unwrap_or(u32::MAX).into();
            }
            if repair.counts {
                header.sequence = sequence.into();
            }
            header.payload_checksum = crc32c::crc32c(&payload[..length]).into();
            let fields = std::mem::offset_of!(RecordHeaderV2, checksum);
            header.checksum = crc32c::crc32c(&header.as_bytes()[..fields]).into();
        }
        sequence = header.sequence.get().wrapping_add(1);
    }
}

/// Where records begin, and how long their payloads are: as they say it themselves, or up to the next
/// one; no longer than the file has room for.
fn records(
    bytes: &[u8],
    layout: Layout,
    fits_lengths: bool,
) -> impl Iterator<Item = (usize, usize)> + use<> {
    let header = usize::try_from(layout.record_header_length()).unwrap_or(usize::MAX);
    let mut at = usize::try_from(layout.begin()).unwrap_or(usize::MAX);
    let find = |from: usize| {
        let found = memmem::find(bytes.get(from..)?, layout.magic());
        found.map(|place| from + place)
    };
    let mut found = Vec::new();
    while let Some(place) = find(at) {
        let Some(room) = (bytes.len() - place).checked_sub(header) else { break };
        let told = bytes[place..].get(8..12).and_then(|told| told.try_into().ok());
        let told = usize::try_from(u32::from_le_bytes(told.unwrap_or_default()));
        let length = if fits_lengths {
            find(place + header).map_or(room, |next| next - place - header)
        } else {
            told.unwrap_or(usize::MAX).min(room)
        };
        found.push((place, length));
        at = place + header + length;
    }
    found.into_iter()
}
