//! Reading a point of each of many chunks: those that follow each other in a part with one call, and
//! of each no more than what is before its point.

use std::sync::Arc;

use shared::Point;

use super::{ChunkSource, Part, packed_points};
use crate::store::ReadError;
use crate::store::local::series::chunk;

/// Most bytes that are read at once for more than one chunk: some 20 chunks of 2,500 points. Few in
/// tests, so that not all chunks are read at once.
const MAX_READ: u64 = if cfg!(test) { 2048 } else { 64 * 1024 };

/// Bytes between two chunks that are read along with them, which takes as long as another call.
const MAX_GAP: u64 = if cfg!(test) { 64 } else { 4 * 1024 };

/// Reads points of chunks; keeps what was read last.
#[derive(Debug, Default)]
pub struct ChunkReader {
    part: Option<Arc<Part>>,
    /// Place of the bytes in the part.
    start: u64,
    bytes: Vec<u8>,
    /// Points that were unpacked since [`ChunkReader::take_unpacked`].
    unpacked: usize,
}

impl ChunkReader {
    /// The last point of a chunk that is not later than `to`; `None` when there is none, and when the
    /// chunk is damaged, which is not reported. Chunks that will be asked for `next` are read
    /// along with it where they are near.
    ///
    /// # Errors
    /// When the chunk can't be read.
    pub fn last_until<'c>(
        &mut self,
        chunk: &ChunkSource,
        to: i64,
        next: impl IntoIterator<Item = &'c ChunkSource>,
    ) -> Result<Option<Point>, ReadError> {
        if self.bytes_of(chunk).is_none() {
            self.read(chunk, next)?;
        }
        let entry = chunk.entry();
        let packed = self.bytes_of(chunk).and_then(|bytes| packed_points(bytes, entry));
        let found = packed
            .and_then(|packed| chunk::find_last(packed, entry.count as usize, to).ok().flatten());
        Ok(found.map(|(place, point)| {
            self.unpacked += place + 1;
            point
        }))
    }

    /// Counts points that were unpacked elsewhere.
    pub fn add_unpacked(&mut self, points: usize) {
        self.unpacked += points;
    }

    /// The number of points that were unpacked since the last call.
    pub fn take_unpacked(&mut self) -> usize {
        std::mem::take(&mut self.unpacked)
    }

    /// The bytes of a chunk, if they are here.
    fn bytes_of(&self, chunk: &ChunkSource) -> Option<&[u8]> {
        let part = self.part.as_ref().filter(|part| chunk.is_in(part));
        let entry = chunk.entry();
        let start = entry.offset.checked_sub(part.and(Some(self.start))?)?;
        self.bytes.get(usize::try_from(start).ok()?..)?.get(..entry.length as usize)
    }

    fn read<'c>(
        &mut self,
        chunk: &ChunkSource,
        next: impl IntoIterator<Item = &'c ChunkSource>,
    ) -> Result<(), ReadError> {
        let entry = chunk.entry();
        let (start, alone) = (entry.offset, entry.offset + u64::from(entry.length));
        let mut end = alone;
        for entry in
            next.into_iter().take_while(|next| next.is_in(&chunk.part)).map(ChunkSource::entry)
        {
            let its_end = entry.offset.saturating_add(entry.length.into());
            if entry.offset < end || entry.offset > end + MAX_GAP || its_end > start + MAX_READ {
                break;
            }
            end = its_end;
        }
        self.part = None;
        self.start = start;
        if end > alone {
            self.resize(end - start);
            // What is not readable may be none of what is wanted.
            if chunk.part.file.read_exact_at(&mut self.bytes, start).is_err() {
                end = alone;
            }
        }
        if end == alone {
            self.resize(alone - start);
            chunk.part.read_bytes(entry, &mut self.bytes)?;
        }
        self.part = Some(Arc::clone(&chunk.part));
        Ok(())
    }

    /// Gives the buffer a length, at most that of a chunk or [`MAX_READ`].
    fn resize(&mut self, length: u64) {
        self.bytes.resize(usize::try_from(length).unwrap_or_default(), 0);
    }
}
