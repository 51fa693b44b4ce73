//! The files of the write-ahead log.

use std::io;

use zerocopy::IntoBytes;

use super::header::SegmentHeader;
use super::record::{SegmentEntries, SegmentEntry};
use crate::store::local::disk::{self, Disk, DiskFile};
use crate::store::local::file_name::{FileName, SegmentId};

/// The segment that is being written.
#[derive(Debug)]
pub struct Segment {
    /// `None` when there was no room for it.
    file: Option<Box<dyn DiskFile>>,
    id: SegmentId,
    length: u64,
}

impl Segment {
    /// Begins a segment. It is durable when this answers `Ok`.
    ///
    /// # Errors
    /// [`SegmentError`] when there is no new segment.
    pub fn create(disk: &dyn Disk, id: SegmentId) -> Result<Self, SegmentError> {
        let name = FileName::Segment(id).to_string();
        let header = SegmentHeader::new(id);
        let not_made = |error| {
            // Starts that fail for want of room must not fill the directory with empty files.
            let _ = disk.remove(&name);
            SegmentError::NotMade(error)
        };
        let file = disk.create(&name).map_err(not_made)?;
        file.write_all_at(header.as_bytes(), 0).map_err(|error| {
            if disk::is_full(&error) { not_made(error) } else { SegmentError::Broken(error) }
        })?;
        file.sync().map_err(SegmentError::Broken)?;
        disk.sync_directory().map_err(SegmentError::Broken)?;
        Ok(Self { file: Some(file), id, length: SegmentHeader::LENGTH as u64 })
    }

    /// In place of a segment for which there is no room; the next one has the number after `id`.
    pub fn missing(id: SegmentId) -> Self {
        Self { file: None, id, length: 0 }
    }

    /// Whether there is no file.
    pub fn is_missing(&self) -> bool {
        self.file.is_none()
    }

    /// Its number.
    pub fn id(&self) -> SegmentId {
        self.id
    }

    /// Bytes in it that count, header included.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Writes records behind those that count. They count after [`Segment::keep`].
    ///
    /// # Errors
    /// When some of them may not be written.
    pub fn write(&self, records: &[u8]) -> io::Result<()> {
        match &self.file {
            Some(file) => file.write_all_at(records, self.length),
            None => Err(io::ErrorKind::StorageFull.into()),
        }
    }

    /// Makes all that was written durable.
    ///
    /// # Errors
    /// When it is unknown what is durable; see [`DiskFile::sync`].
    pub fn sync(&self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), |file| file.sync())
    }

    /// Has the `length` bytes that were written last count.
    pub fn keep(&mut self, length: u64) {
        self.length += length;
    }

    /// Takes back, durably, what was written and does not count.
    ///
    /// # Errors
    /// When it may be found by a recovery.
    pub fn roll_back(&self) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        file.truncate(self.length)?;
        file.sync()
    }
}

/// Why there is no new segment.
#[derive(Debug)]
pub enum SegmentError {
    /// The file could not be made, or there is no room for it; nothing of it is left.
    NotMade(io::Error),
    /// A write or sync failed.
    Broken(io::Error),
}

impl From<SegmentError> for io::Error {
    fn from(error: SegmentError) -> Self {
        match error {
            SegmentError::NotMade(error) | SegmentError::Broken(error) => error,
        }
    }
}

/// A segment that is open for reading.
#[derive(Debug)]
pub struct SegmentFile {
    file: Box<dyn DiskFile>,
    id: SegmentId,
    length: u64,
}

impl SegmentFile {
    /// Opens a segment.
    ///
    /// # Errors
    /// When that fails.
    pub fn open(disk: &dyn Disk, id: SegmentId) -> io::Result<Self> {
        let file = disk.open(&FileName::Segment(id).to_string())?;
        let length = file.length()?;
        Ok(Self { file, id, length })
    }

    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Makes its bytes durable.
    ///
    /// # Errors
    /// When it is unknown whether they are; see [`DiskFile::sync`].
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    /// Its records and what is damaged, from the beginning.
    pub fn entries(&self) -> SegmentEntries<'_> {
        SegmentEntries::new(&*self.file, self.length, self.id)
    }

    /// Whether bad bytes are its end: the torn tail of a write that was never acknowledged.
    pub fn is_tail(&self, offset: u64, length: u64) -> bool {
        offset + length == self.length
    }
}

/// Whether a segment can't be read or has bytes that are no record anywhere but at its end.
pub fn is_damaged(disk: &dyn Disk, id: SegmentId) -> bool {
    let find = || -> io::Result<bool> {
        let segment = SegmentFile::open(disk, id)?;
        let mut entries = segment.entries();
        while let Some(entry) = entries.next_entry()? {
            if let SegmentEntry::Bad { offset, length } = entry
                && !segment.is_tail(offset, length)
            {
                return Ok(true);
            }
        }
        Ok(false)
    };
    find().unwrap_or(true)
}
