//! The files of the write-ahead log.

use std::io;

use zerocopy::IntoBytes;

use super::beginning::Beginning;
use super::entries::{SegmentEntries, SegmentEntry};
use super::header::{Group, Layout, MAX_SEQUENCE, Mark, PreviousSegment, SegmentHeader};
use super::record::{self, ChainEnd};
use crate::store::local::config::Durability;
use crate::store::local::disk::window::Window;
use crate::store::local::disk::{self, Disk, DiskFile};
use crate::store::local::file_name::{FileName, MAX_SEGMENT, SegmentId};
use crate::store::local::salt::Salt;
use crate::store::local::series::loss::{Extent, Losses};

/// Where the log goes on.
#[derive(Debug, Clone, Copy)]
pub struct NextSegment {
    /// The segment to begin.
    pub id: SegmentId,
    /// The number of its first record.
    pub first_sequence: u64,
    /// The segment before it.
    pub previous: PreviousSegment,
}

/// The segment that is being written.
#[derive(Debug)]
pub struct Segment {
    /// `None` when there was no room for it.
    file: Option<Box<dyn DiskFile>>,
    id: SegmentId,
    /// What the next one says of the one before it when this one has no file.
    before: Option<PreviousSegment>,
    salt: Salt,
    durability: Durability,
    /// Bytes that count.
    length: u64,
    /// Bytes that are written.
    written: u64,
    /// Bytes that are synced.
    synced: u64,
    /// Bytes of which the file says that they are.
    marked: u64,
    /// Behind the records that count.
    end: ChainEnd,
    /// Behind those that are written.
    written_end: ChainEnd,
}

impl Segment {
    /// Begins a segment. It is durable when this answers `Ok`.
    ///
    /// # Errors
    /// [`SegmentError`] when there is no new segment.
    pub fn create(
        disk: &dyn Disk,
        next: NextSegment,
        durability: Durability,
    ) -> Result<Self, SegmentError> {
        let NextSegment { id, first_sequence, previous } = next;
        // What is written behind it has to be read again.
        if id > MAX_SEGMENT || first_sequence > MAX_SEQUENCE / 2 {
            let error = io::Error::other("there are no more numbers for segments or records");
            return Err(SegmentError::NotMade(error));
        }
        let name = FileName::Segment(id).to_string();
        let salt = Salt::draw(disk).map_err(SegmentError::NotMade)?;
        let header = SegmentHeader::new(id, salt, first_sequence, previous);
        let not_made = |error| {
            // Starts that fail for want of room must not fill the directory with empty files.
            let _ = disk.remove(&name);
            SegmentError::NotMade(error)
        };
        let file = disk.create(&name).map_err(not_made)?;
        file.write_all_at(&header.begin_file(), 0).map_err(|error| {
            if disk::is_full(&error) { not_made(error) } else { SegmentError::Broken(error) }
        })?;
        file.sync().map_err(SegmentError::Broken)?;
        disk.sync_directory().map_err(SegmentError::Broken)?;
        let length = SegmentHeader::LENGTH as u64;
        let (checksum, extent) = (header.checksum(), Extent::EMPTY);
        let end = ChainEnd { next_sequence: first_sequence, checksum, extent };
        let (written, synced, marked, written_end) = (length, length, length, end);
        let (file, before) = (Some(file), None);
        Ok(Self {
            file,
            id,
            before,
            salt,
            durability,
            length,
            written,
            synced,
            marked,
            end,
            written_end,
        })
    }

    /// In place of a segment for which there is no room.
    pub fn missing(next: NextSegment, durability: Durability) -> Self {
        let length = SegmentHeader::LENGTH as u64;
        let (next_sequence, extent) = (next.first_sequence, Extent::EMPTY);
        let end = ChainEnd { next_sequence, checksum: 0, extent };
        Self {
            file: None,
            id: next.id.saturating_sub(1),
            before: Some(next.previous),
            salt: Salt::NONE,
            durability,
            length,
            written: length,
            synced: length,
            marked: length,
            end,
            written_end: end,
        }
    }

    /// Whether there is no file.
    pub fn is_missing(&self) -> bool {
        self.file.is_none()
    }

    /// Its number.
    pub fn id(&self) -> SegmentId {
        self.id
    }

    /// Bytes of records in it that count.
    pub fn record_bytes(&self) -> u64 {
        self.length - SegmentHeader::LENGTH as u64
    }

    /// Where the log goes on when all of this segment is synced.
    pub fn next(&self) -> NextSegment {
        NextSegment {
            id: self.id + 1,
            first_sequence: self.end.next_sequence,
            previous: self.before.unwrap_or_else(|| {
                PreviousSegment::new(self.salt, self.synced, self.length, &self.end.extent)
            }),
        }
    }

    /// Writes records, which belong to no segment yet, as a group behind those that count. They count
    /// after [`Segment::keep`].
    ///
    /// # Errors
    /// When some of them may not be written.
    pub fn write(&mut self, records: &mut [u8]) -> io::Result<()> {
        let Some(file) = &self.file else { return Err(io::ErrorKind::StorageFull.into()) };
        self.written = self.length + records.len() as u64;
        let group = Group {
            salt: self.salt,
            durable: self.synced,
            end: self.written,
            synced_alone: self.durability == Durability::Sync,
        };
        self.written_end = record::complete(records, &group, self.end);
        // Durable along with the group, and true at any rate.
        if self.marked < self.synced {
            let mark = Mark::new(self.synced, self.salt);
            file.write_all_at(mark.as_bytes(), SegmentHeader::MARK as u64)?;
            self.marked = self.synced;
        }
        file.write_all_at(records, self.length)
    }

    /// Makes all that was written durable.
    ///
    /// # Errors
    /// When it is unknown what is durable; see [`DiskFile::sync`].
    pub fn sync(&mut self) -> io::Result<()> {
        if let Some(file) = &self.file {
            file.sync()?;
        }
        self.synced = self.written;
        Ok(())
    }

    /// Has what was written count.
    pub fn keep(&mut self) {
        (self.length, self.end) = (self.written, self.written_end);
    }

    /// Takes back, durably, what was written and does not count.
    ///
    /// # Errors
    /// When it may be found by a recovery.
    pub fn roll_back(&mut self) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        file.truncate(self.length)?;
        file.sync()?;
        (self.written, self.synced, self.written_end) = (self.length, self.length, self.end);
        Ok(())
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
    length: u64,
    beginning: Beginning,
}

impl SegmentFile {
    /// Opens a segment.
    ///
    /// # Errors
    /// When that fails.
    pub fn open(disk: &dyn Disk, id: SegmentId) -> io::Result<Self> {
        let file = disk.open(&FileName::Segment(id).to_string())?;
        let length = file.length()?;
        disk::check_readable(&*file, length)?;
        let front = length.min(Beginning::LENGTH as u64);
        let mut window = Window::new(&*file, front);
        let beginning = Beginning::of(window.get(0, front)?, id);
        Ok(Self { file, length, beginning })
    }

    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Bytes that it had at least, as it says itself.
    pub fn marked(&self) -> u64 {
        self.beginning.marked
    }

    /// The number of its first record, as its header says it; `None` in formats 1 and 2.
    pub fn first_sequence(&self) -> Option<u64> {
        self.beginning.header.as_ref().map(SegmentHeader::first_sequence)
    }

    /// What it says of the segment before it.
    pub fn previous(&self) -> Option<PreviousSegment> {
        self.beginning.header.as_ref()?.previous()
    }

    /// Reads it by the salt that the next segment names, when it does not say its own any more.
    pub fn assume_salt(&mut self, salt: Salt) {
        let layout = if salt == Salt::NONE { Layout::Unsalted } else { Layout::Salted(salt) };
        self.beginning.assume(layout);
    }

    /// Where its first record stands; 0 when nothing says how its records are written.
    pub fn begin(&self) -> u64 {
        self.beginning.layout.map_or(0, Layout::begin)
    }

    /// Most records that so many bytes of it have room for.
    pub fn max_records(&self, bytes: u64) -> u64 {
        let layout = self.beginning.layout;
        layout.map_or(u64::MAX, |layout| bytes / layout.record_header_length())
    }

    /// Whether nothing says how its records are written.
    pub fn is_unknown(&self) -> bool {
        self.beginning.layout.is_none()
    }

    /// What the next segment is to say of this one; `durable`, `end` and `extent` as in
    /// [`PreviousSegment::new`].
    pub fn as_previous(&self, durable: u64, end: u64, extent: &Extent) -> PreviousSegment {
        let layout = self.beginning.layout;
        layout.map_or(PreviousSegment::NONE, |layout| {
            PreviousSegment::new(layout.salt(), durable.min(end), end, extent)
        })
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
        SegmentEntries::new(&*self.file, self.length, &self.beginning)
    }
}

/// Whether a segment has points that may be among these losses, as far as its records say.
pub fn has_any_of(disk: &dyn Disk, id: SegmentId, losses: &Losses) -> bool {
    let find = || -> io::Result<bool> {
        if losses.is_empty() {
            return Ok(false);
        }
        let segment = SegmentFile::open(disk, id)?;
        let mut entries = segment.entries();
        while let Some(entry) = entries.next_entry()? {
            if let SegmentEntry::Record { group: Some(group), .. } = entry
                && losses.touches(&group.extent)
            {
                return Ok(true);
            }
        }
        Ok(false)
    };
    find().unwrap_or(true)
}

/// Whether a segment can't be read or has damaged bytes: such as no crash leaves.
pub fn is_damaged(disk: &dyn Disk, id: SegmentId) -> bool {
    is_damaged_by(disk, id, None)
}

/// Like [`is_damaged`], also by what the next segment says of it, if that is there.
pub fn is_damaged_or_cut(disk: &dyn Disk, id: SegmentId) -> bool {
    let next = SegmentFile::open(disk, id.saturating_add(1)).ok();
    is_damaged_by(disk, id, next.and_then(|next| next.previous()))
}

fn is_damaged_by(disk: &dyn Disk, id: SegmentId, named: Option<PreviousSegment>) -> bool {
    let find = || -> io::Result<bool> {
        let segment = SegmentFile::open(disk, id)?;
        let mut entries = segment.entries();
        let mut first_bad = u64::MAX;
        while let Some(entry) = entries.next_entry()? {
            match entry {
                SegmentEntry::Bad { offset, .. } => first_bad = first_bad.min(offset),
                SegmentEntry::Record { offset, follows: false, .. } => {
                    first_bad = first_bad.min(offset);
                }
                SegmentEntry::Record { .. } => {}
            }
        }
        let durable = entries.durable().max(named.map_or(0, |named| named.durable()));
        let end = segment.marked().max(named.map_or(0, |named| named.end()));
        Ok(first_bad < durable || segment.length < end)
    };
    find().unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::local::sim_disk::{Image, SimDisk};

    #[test]
    fn none_is_begun_that_would_not_be_read() {
        for (id, first_sequence, is_made) in [
            (MAX_SEGMENT, MAX_SEQUENCE / 2, true),
            (MAX_SEGMENT + 1, 0, false),
            (1, MAX_SEQUENCE / 2 + 1, false),
        ] {
            let disk = SimDisk::new(Image::new());
            let next = NextSegment { id, first_sequence, previous: PreviousSegment::NONE };
            let made = Segment::create(&disk, next, Durability::Sync);
            assert_eq!((made.is_ok(), disk.visible().len()), (is_made, usize::from(is_made)));
            assert!(!is_made || SegmentFile::open(&disk, id).unwrap().begin() > 0);
        }
    }
}
