//! Right checksums in a part that is none of a store's, so that fuzzing gets behind them.

use std::mem::{offset_of, size_of};

use memchr::memmem;
use zerocopy::{FromBytes, IntoBytes};

use super::{
    CHUNK_MAGIC, ChunkHeader, END_MAGIC, END_MAGIC_V2, FILE_MAGIC, FILE_MAGIC_OF_LOSSES,
    FILE_MAGIC_V1, FileHeader, Footer, FooterV1, FooterV2,
};
use crate::store::local::part::deletes::checksums::{find_block, mend_block};
use crate::store::local::salt::Salt;

/// What is made right besides, and what stays as it is.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct PartRepair {
    /// The header stays as it is.
    pub keeps_header: bool,
    /// The footer stays as it is.
    pub keeps_footer: bool,
    /// The checksum of the index stays as it is.
    pub keeps_index: bool,
    /// The block of deletes stays as it is.
    pub keeps_block: bool,
    /// Each chunk reaches to the next one, and the block of deletes to the index.
    pub fits_lengths: bool,
    /// The footer says where the block of deletes was found.
    pub fits_offsets: bool,
    /// The footer has the salt of the header.
    pub has_one_salt: bool,
    /// The place of a chunk that stays as it is among the others.
    pub kept_chunk: usize,
}

/// Makes the checksums of a part right, as far as its bytes look like one.
pub fn mend_part(bytes: &mut [u8], repair: &PartRepair) {
    let (mut salt, mut begin) = (Salt::NONE, FileHeader::LENGTH_V1);
    if let Ok((header, _)) = FileHeader::mut_from_prefix(bytes)
        && matches!(header.magic, FILE_MAGIC | FILE_MAGIC_OF_LOSSES)
    {
        if !repair.keeps_header {
            header.checksum = header.sum().into();
        }
        (salt, begin) = (header.salt, FileHeader::LENGTH);
    }
    let block = find_block(bytes).filter(|_| repair.fits_offsets);
    let (end, deletes, index) = if bytes.ends_with(&END_MAGIC) {
        let end = bytes.len().saturating_sub(size_of::<Footer>());
        mend_footer(bytes, end, salt, block, repair)
    } else if bytes.ends_with(&END_MAGIC_V2) {
        let end = bytes.len().saturating_sub(size_of::<FooterV2>());
        mend_footer_v2(bytes, end, block, repair)
    } else if bytes.ends_with(&FILE_MAGIC_V1) {
        let end = bytes.len().saturating_sub(size_of::<FooterV1>());
        mend_footer_v1(bytes, end, repair)
    } else {
        (bytes.len(), bytes.len(), bytes.len())
    };
    let index = index.min(end);
    let deletes = deletes.min(index);
    if !repair.keeps_block {
        mend_block(&mut bytes[deletes..index], salt, repair.fits_lengths);
    }
    mend_chunks(&mut bytes[..deletes], begin, salt, repair);
}

/// Answers where the footer, the block of deletes and the index begin.
fn mend_footer(
    bytes: &mut [u8],
    end: usize,
    salt: Salt,
    block: Option<(usize, usize)>,
    repair: &PartRepair,
) -> (usize, usize, usize) {
    let (body, tail) = bytes.split_at_mut(end);
    let Ok(footer) = Footer::mut_from_bytes(tail) else { return (end, end, end) };
    if let Some((deletes, index)) = block {
        footer.deletes_offset = (deletes as u64).into();
        footer.index_offset = (index as u64).into();
    }
    let (deletes, index) = (place(footer.deletes_offset.get()), place(footer.index_offset.get()));
    if !repair.keeps_footer {
        if repair.has_one_salt {
            footer.salt = salt;
        }
        if !repair.keeps_index {
            let checksum = footer.salt.body_checksum(body.get(index..).unwrap_or_default());
            footer.index_checksum = checksum.into();
        }
        footer.checksum = footer.sum().into();
    }
    (end, deletes, index)
}

fn mend_footer_v2(
    bytes: &mut [u8],
    end: usize,
    block: Option<(usize, usize)>,
    repair: &PartRepair,
) -> (usize, usize, usize) {
    let (body, tail) = bytes.split_at_mut(end);
    let Ok(footer) = FooterV2::mut_from_bytes(tail) else { return (end, end, end) };
    if let Some((deletes, index)) = block {
        footer.deletes_offset = (deletes as u64).into();
        footer.index_offset = (index as u64).into();
    }
    let (deletes, index) = (place(footer.deletes_offset.get()), place(footer.index_offset.get()));
    if !repair.keeps_footer {
        if !repair.keeps_index {
            let checksum = crc32c::crc32c(body.get(index..).unwrap_or_default());
            footer.index_checksum = checksum.into();
        }
        let fields = offset_of!(FooterV2, checksum);
        footer.checksum = crc32c::crc32c(&footer.as_bytes()[..fields]).into();
    }
    (end, deletes, index)
}

fn mend_footer_v1(bytes: &mut [u8], end: usize, repair: &PartRepair) -> (usize, usize, usize) {
    let (body, tail) = bytes.split_at_mut(end);
    let Ok(footer) = FooterV1::mut_from_bytes(tail) else { return (end, end, end) };
    let index = place(footer.index_offset.get());
    if !repair.keeps_footer {
        if !repair.keeps_index {
            let checksum = crc32c::crc32c(body.get(index..).unwrap_or_default());
            footer.index_checksum = checksum.into();
        }
        let fields = offset_of!(FooterV1, checksum);
        footer.checksum = crc32c::crc32c(&footer.as_bytes()[..fields]).into();
    }
    (end, index, index)
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

fn mend_chunks(bytes: &mut [u8], mut at: usize, salt: Salt, repair: &PartRepair) {
    let mut number = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| memmem::find(rest, &CHUNK_MAGIC)) {
        let start = at + found;
        let chunk = &mut bytes[start..];
        let next = chunk.get(ChunkHeader::LENGTH..).and_then(|rest| {
            memmem::find(rest, &CHUNK_MAGIC).map(|next| next + ChunkHeader::LENGTH)
        });
        let next = next.unwrap_or(chunk.len());
        let Ok((header, body)) = ChunkHeader::mut_from_prefix(chunk) else { return };
        if repair.fits_lengths {
            header.length = u32::try_from(next).unwrap_or(u32::MAX).into();
        }
        let length = (header.length.get() as usize).clamp(ChunkHeader::LENGTH, next);
        if number != repair.kept_chunk {
            let body = body.get(..length - ChunkHeader::LENGTH).unwrap_or_default();
            header.body_checksum = salt.body_checksum(body).into();
            header.checksum = header.sum(salt).into();
        }
        number += 1;
        at = start + length;
    }
}
