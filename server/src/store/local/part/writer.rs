//! Writing a part.

use std::io;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};

use shared::{KeyBuf, Point};
use zerocopy::IntoBytes;

use super::Part;
use super::chunk_table::ChunkTableBuilder;
use super::deletes::Deletes;
use super::header::{ChunkEntry, ChunkHeader, FileHeader, LastValue, MAX_CHUNK_LENGTH};
use super::index::PartIndex;
use super::losses::PartLosses;
use crate::store::local::disk::{Disk, DiskFile};
use crate::store::local::file_name::{FileName, SegmentId, UNFINISHED};
use crate::store::local::salt::Salt;
use crate::store::local::series::chunk::{self, Effort};
use crate::store::local::series::series_index::SeriesId;

/// Bytes of chunks that are gathered before they are written.
const WRITE_SIZE: usize = 1 << 20;

/// Bytes that are written before they are synced: a sync of all of a large part at its end would keep
/// the sync of the log, and with it puts, waiting.
const SYNC_SIZE: u64 = 1 << 20;

/// A part that is being written.
#[derive(Debug)]
pub struct PartWriter<'d> {
    disk: &'d dyn Disk,
    name: FileName,
    effort: Effort,
    segments: RangeInclusive<SegmentId>,
    file: Box<dyn DiskFile>,
    /// Bytes before `buffer`, already written.
    written: u64,
    /// Bytes of them that are synced.
    synced: u64,
    buffer: Vec<u8>,
    chunks: ChunkTableBuilder,
    index: PartIndex,
    is_complete: bool,
}

impl<'d> PartWriter<'d> {
    /// Begins a part under an unfinished name.
    ///
    /// # Errors
    /// When the file can't be made.
    pub fn create(
        disk: &'d dyn Disk,
        segments: RangeInclusive<SegmentId>,
        effort: Effort,
    ) -> io::Result<Self> {
        let name = FileName::Part(segments.clone());
        let salt = Salt::draw(disk)?;
        let file = disk.create(&unfinished(&name))?;
        let buffer = FileHeader::new(salt, false).as_bytes().to_vec();
        let index = PartIndex::new(salt);
        Ok(Self {
            disk,
            name,
            effort,
            segments,
            file,
            written: 0,
            synced: 0,
            buffer,
            chunks: ChunkTableBuilder::default(),
            index,
            is_complete: false,
        })
    }

    /// Adds points of a series, at most [`chunk::MAX_CHUNK_POINTS`], by strictly rising timestamp.
    /// Series come by rising id, chunks of a series by time and without overlap.
    ///
    /// # Errors
    /// When they can't be written.
    pub fn add(&mut self, series: SeriesId, key: &KeyBuf, points: &[Point]) -> io::Result<()> {
        let (Some(first), Some(last)) = (points.first(), points.last()) else { return Ok(()) };
        let start = self.buffer.len();
        let key_bytes = key.as_str().as_bytes();
        let count = u32::try_from(points.len()).map_err(io::Error::other)?;
        self.buffer.resize(start + ChunkHeader::LENGTH, 0);
        self.buffer.extend_from_slice(key_bytes);
        chunk::encode(points, self.effort, &mut self.buffer).map_err(io::Error::other)?;
        let length = u32::try_from(self.buffer.len() - start).ok();
        let length = length.filter(|&length| length <= MAX_CHUNK_LENGTH);
        let length = length.ok_or_else(|| io::Error::other("a chunk is too long"))?;
        let mut entry = ChunkEntry {
            series,
            count,
            first: first.timestamp,
            last: last.timestamp,
            offset: self.written + start as u64,
            length,
            last_value: LastValue::UNKNOWN,
        };
        let summary = entry.summarize(points);
        let (header, body) = self.buffer[start..].split_at_mut(ChunkHeader::LENGTH);
        header.copy_from_slice(
            ChunkHeader::new(&entry, key_bytes.len(), body, self.index.salt).as_bytes(),
        );
        if self.index.keys.last_series() != Some(series) {
            self.index.keys.push(series, key.as_key());
        }
        self.chunks.push(entry, summary);
        self.index.block.end = self.index.block.end.max(series.saturating_add(1));
        if self.buffer.len() >= WRITE_SIZE { self.write_out() } else { Ok(()) }
    }

    /// Sets which points of parts with smaller segments are deleted.
    pub fn set_deletes(&mut self, deletes: Deletes) {
        self.index.block.deletes = deletes;
    }

    /// Sets what was lost of the files that the part replaces.
    pub fn set_losses(&mut self, losses: PartLosses) {
        self.index.block.losses = losses;
    }

    /// Says that all ids of series that were ever given are below `end`. Those of the points are in
    /// any case.
    pub fn set_end(&mut self, end: SeriesId) {
        self.index.block.end = self.index.block.end.max(end);
    }

    /// Leaves a hole of so many bytes, which takes no room on most disks.
    ///
    /// # Errors
    /// When what comes before it can't be written.
    #[cfg(test)]
    pub fn leave_hole(&mut self, bytes: u64) -> io::Result<()> {
        self.write_out()?;
        self.written += bytes;
        Ok(())
    }

    /// Number of points that were added.
    pub fn points(&self) -> u64 {
        self.chunks.points()
    }

    fn write_out(&mut self) -> io::Result<()> {
        for piece in self.buffer.chunks(WRITE_SIZE) {
            self.file.write_all_at(piece, self.written)?;
            self.written += piece.len() as u64;
            if self.written - self.synced >= SYNC_SIZE {
                self.file.sync()?;
                self.synced = self.written;
            }
        }
        self.buffer.clear();
        Ok(())
    }

    /// Makes the part durable under its name: write, sync, rename, sync the directory. A part
    /// without points is a part all the same: it says that nothing of its segments is missing.
    ///
    /// # Errors
    /// When any of it fails; the part then counts for nothing.
    pub fn finish(mut self) -> Result<Part, PartError> {
        if let Err(error) = self.complete().and_then(|()| self.take_name()) {
            self.abandon();
            return Err(PartError::NotMade(error));
        }
        self.disk.sync_directory().map_err(PartError::NotDurable)?;
        Ok(Part::new(self.segments, self.written, self.file, self.index))
    }

    /// Like [`PartWriter::finish`], for a part of the same segments as `old`, which it replaces. Where
    /// an open file can't be replaced, the part has to take its name later; see
    /// [`Part::take_name`].
    ///
    /// # Errors
    /// When any of it fails; the part then counts for nothing.
    pub fn finish_over(mut self, old: &Arc<Part>) -> Result<Part, PartError> {
        match self.complete().and_then(|()| self.take_name()) {
            Ok(()) => self.disk.sync_directory().map_err(PartError::NotDurable)?,
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                let part = Part::new(self.segments, self.written, self.file, self.index);
                return Ok(Part { replaced: Mutex::new(Some(Arc::downgrade(old))), ..part });
            }
            Err(error) => {
                self.abandon();
                return Err(PartError::NotMade(error));
            }
        }
        Ok(Part::new(self.segments, self.written, self.file, self.index))
    }

    fn take_name(&self) -> io::Result<()> {
        self.disk.rename(&unfinished(&self.name), &self.name.to_string())
    }

    /// Writes what is behind the chunks, once; nothing is added after that.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn complete(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.is_complete, true) {
            return Ok(());
        }
        let offset = self.written + self.buffer.len() as u64;
        self.index.chunks = std::mem::take(&mut self.chunks).build();
        self.index.encode(offset, self.effort, &mut self.buffer).map_err(io::Error::other)?;
        self.write_out()?;
        if !self.index.block.losses.losses.is_empty() {
            self.file.write_all_at(FileHeader::new(self.index.salt, true).as_bytes(), 0)?;
        }
        self.file.sync()
    }

    /// Removes what was written so far, to make room.
    pub fn abandon(self) {
        let Self { disk, name, file, .. } = self;
        // The name of an open file could not be used at once again.
        drop(file);
        // What stays behind is removed at the next start.
        let _ = disk.remove(&unfinished(&name));
    }
}

/// Why there is no new part.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    /// There is nothing under its name.
    #[error(transparent)]
    NotMade(io::Error),
    /// It is under its name, and that may or may not be durable.
    #[error("the directory can't be synced: {0}")]
    NotDurable(io::Error),
}

impl From<io::Error> for PartError {
    fn from(error: io::Error) -> Self {
        Self::NotMade(error)
    }
}

impl From<PartError> for io::Error {
    fn from(error: PartError) -> Self {
        match error {
            PartError::NotMade(error) | PartError::NotDurable(error) => error,
        }
    }
}

fn unfinished(name: &FileName) -> String {
    format!("{name}{UNFINISHED}")
}
