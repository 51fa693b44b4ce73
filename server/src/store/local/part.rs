//! Parts: immutable files of chunks, written once, then read chunk by chunk.
//!
//! Each chunk says its series, range and checksum itself; the index at the end says the same more
//! compactly. A damaged index is rebuilt from the chunks.

pub mod chunk_reader;
pub mod chunk_source;
pub mod chunk_table;
pub mod deletes;
pub mod header;
pub mod index;
mod kept_copy;
pub mod losses;
pub mod sequential_reader;
pub mod writer;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::ops::{Range, RangeInclusive};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::{fmt, io};

use shared::KeyBuf;
use tracing::error;

use super::disk::{Disk, DiskFile, check_readable};
use super::file_name::{FileName, SegmentId, UNFINISHED};
use super::salt::Salt;
use super::series::chunk;
use super::series::loss::{Extent, Loss, Losses};
use super::series::run::Run;
use super::series::series_index::{EVERY_SERIES, SeriesId};
use super::series::time_ranges::SharedRanges;
use crate::store::query::Window;
use crate::store::{Damage, ReadError};
use chunk_table::{ChunkTable, Cursor};
use deletes::{Deletes, TimeRange};
use header::{ChunkEntry, ChunkHeader};
use index::{PartIndex, PartKeys};

/// A part that is open for reading.
#[derive(Debug)]
pub struct Part {
    segments: RangeInclusive<SegmentId>,
    size: u64,
    file: Box<dyn DiskFile>,
    salt: Salt,
    /// Its chunks.
    table: ChunkTable,
    deletes: Deletes,
    end: SeriesId,
    /// What is gone of it and of the files that it replaces, apart from damaged chunks.
    losses: Losses,
    /// What it deletes in older parts is not known.
    deletes_unknown: bool,
    /// It could not be opened, or is missing.
    is_absent: bool,
    /// What it is about, losses included.
    extent: OnceLock<Extent>,
    /// Places of the chunks that could not be read when they were read last.
    failed: Mutex<BTreeSet<usize>>,
    has_failed: AtomicBool,
    /// The index or a chunk is damaged.
    damaged: AtomicBool,
    /// The part that it replaces, as long as that one's file is open and has the name of both. The
    /// file of this one has its unfinished name then.
    replaced: Mutex<Option<Weak<Part>>>,
}

impl Part {
    /// A part that was just written, or whose index was just read.
    fn new(
        segments: RangeInclusive<SegmentId>,
        size: u64,
        file: Box<dyn DiskFile>,
        index: PartIndex,
    ) -> Self {
        let PartIndex { salt, chunks, block, gone, block_unknown, .. } = index;
        let mut losses = block.losses.losses;
        losses.extend(&gone);
        Self {
            segments,
            size,
            file,
            salt,
            table: chunks,
            deletes: block.deletes,
            end: block.end,
            losses,
            deletes_unknown: block_unknown,
            is_absent: false,
            extent: OnceLock::new(),
            failed: Mutex::default(),
            has_failed: AtomicBool::new(false),
            damaged: AtomicBool::new(false),
            replaced: Mutex::default(),
        }
    }

    /// Whether a file of a part is so damaged that neither a chunk nor a deletion can be read.
    ///
    /// # Errors
    /// When the file can't be.
    pub fn is_unreadable(disk: &dyn Disk, name: &str) -> io::Result<bool> {
        let file = disk.open(name)?;
        let size = file.length()?;
        let is_read = matches!(PartIndex::read(&*file, size), Ok(Some(_)));
        Ok(!is_read && PartIndex::rebuild(&*file, size)?.is_none())
    }

    /// Opens a part.
    ///
    /// # Errors
    /// When it can't be read. A damaged index is no error: it is logged and rebuilt.
    pub fn open(disk: &dyn Disk, segments: RangeInclusive<SegmentId>) -> io::Result<OpenedPart> {
        let name = FileName::Part(segments.clone()).to_string();
        let file = disk.open(&name)?;
        let size = file.length()?;
        check_readable(&*file, size)?;
        let read = PartIndex::read(&*file, size).unwrap_or_else(|error| {
            error!(%error, "{name}: the index can't be read");
            None
        });
        let damaged = read.is_none();
        let mut index = if let Some(index) = read {
            index
        } else if let Some(index) = PartIndex::rebuild(&*file, size)? {
            error!("{name}: the index is damaged; found {} chunks without it", index.chunks.len());
            index
        } else {
            error!(
                "{name}: its header and its end are damaged, and nothing of it can be read without its salt"
            );
            PartIndex::unreadable()
        };
        if index.block_unknown {
            error!(
                "{name}: what it deletes is damaged; deleted points may come back, so what may be deleted is refused"
            );
        } else if index.block_damaged {
            error!("{name}: the block of what it deletes is damaged; its index says the same");
        }
        if index.header_damaged {
            error!("{name}: its header is damaged; its end says the same");
        }
        let damaged = damaged || index.block_damaged || index.header_damaged;
        let keys = std::mem::take(&mut index.keys);
        let lost_keys = std::mem::take(&mut index.block.losses.keys);
        let part = Self::new(segments, size, file, index);
        part.damaged.store(damaged, Ordering::Relaxed);
        Ok(OpenedPart { part, keys, lost_keys })
    }

    /// In place of a part that is missing or can't be read and was about this.
    pub fn absent(segments: RangeInclusive<SegmentId>, extent: Extent) -> Self {
        let gone = [Loss::with_names(extent)].into_iter().collect();
        let index = PartIndex { gone, ..PartIndex::new(Salt::NONE) };
        Self { is_absent: true, ..Self::new(segments, 0, Box::new(NoFile), index) }
    }

    /// Whether it could not be opened, or is missing.
    pub fn is_absent(&self) -> bool {
        self.is_absent
    }

    /// What it is about, losses included.
    pub fn extent(&self) -> Extent {
        *self.extent.get_or_init(|| {
            let mut extent = self.table.extent();
            for loss in self.losses.iter() {
                extent.extend(&loss.extent);
            }
            // Its deletions are gone with it.
            let of_series = self.deletes.iter().filter(|(series, _)| *series != EVERY_SERIES);
            for (series, ranges) in of_series {
                for range in ranges {
                    extent.add(*series, *range);
                }
            }
            extent
        })
    }

    /// Whether it has points that may be among these losses.
    pub fn has_any_of(&self, losses: &Losses) -> bool {
        let extent = |entry: &ChunkEntry| Extent::of(entry.series, (entry.first, entry.last));
        self.table.iter().any(|entry| losses.touches(&extent(&entry)))
    }

    /// Leaves out of its losses what it was not about.
    pub fn bound_losses(&mut self, extent: &Extent) {
        let bounded = |loss: &Loss| Loss { extent: loss.extent.intersection(extent), ..*loss };
        self.losses = self.losses.iter().map(bounded).collect();
    }

    /// Whether what it deletes in older parts is not known.
    pub fn has_unknown_deletes(&self) -> bool {
        self.deletes_unknown
    }

    /// Has answers be refused that may have points of older parts which it deletes, as far as these may be in
    /// `about`: what is deleted there counts as lost.
    pub fn suspect<'p>(&mut self, older: impl IntoIterator<Item = &'p Arc<Self>>, about: &Extent) {
        for part in older {
            let extent = part.extent().intersection(about);
            self.losses.add(Loss { extent, unnamed: None });
        }
    }

    /// Counts what it has of some series as lost. Answers of each from when to when that, and what was lost
    /// before, is; `None` when there is nothing.
    pub fn give_up(&mut self, all: &BTreeSet<SeriesId>) -> Vec<Option<(i64, i64)>> {
        let mut has_any = false;
        for series in all {
            for entry in self.table.within(*series, Window::ALL).filter_map(|at| self.table.get(at))
            {
                let extent = Extent::of(*series, (entry.first, entry.last));
                self.losses.add(Loss { extent, unnamed: None });
                has_any = true;
            }
        }
        if has_any {
            self.table = self.table.without(|entry| all.contains(&entry.series));
        }
        let hull = |a: (i64, i64), b: (i64, i64)| (a.0.min(b.0), a.1.max(b.1));
        let lost = |series: &SeriesId| self.losses.times(*series, Window::ALL).reduce(hull);
        let lost: Vec<_> = all.iter().map(lost).collect();
        if lost.iter().any(Option::is_some) {
            self.damaged.store(true, Ordering::Relaxed);
        }
        lost
    }

    /// The segments whose points it holds.
    pub fn segments(&self) -> &RangeInclusive<SegmentId> {
        &self.segments
    }

    /// Its size on the disk in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The chunks of a series that may have points in a window, by time.
    fn chunks(&self, series: SeriesId, window: Window) -> Range<usize> {
        if window.is_empty() {
            return 0..0;
        }
        self.table.within(series, window)
    }

    /// The places of the chunks of a series, for callers that ask by rising id: `cursor` says how far the part
    /// was looked through.
    pub fn chunks_behind(&self, cursor: &mut Cursor, series: SeriesId) -> Range<usize> {
        cursor.move_behind(&self.table, series)
    }

    /// The last chunk of a series that begins not later than `to`, with its place, and whether there
    /// are later ones; `cursor` as for [`Part::chunks_behind`].
    pub fn last_begun(
        &self,
        cursor: &mut Cursor,
        series: SeriesId,
        to: i64,
    ) -> (Option<(usize, ChunkEntry)>, bool) {
        let chunks = self.chunks_behind(cursor, series);
        let begun = |at| cursor.get(&self.table, at).filter(|entry| entry.first <= to);
        let mut places = chunks.clone();
        // Mostly it is the last one.
        if let Some(at) = places.next_back()
            && let Some(entry) = begun(at)
        {
            return (Some((at, entry)), false);
        }
        let end = chunk_table::partition_point(places.clone(), |at| begun(at).is_some());
        let last = end.checked_sub(1).filter(|last| places.contains(last));
        (last.and_then(|at| Some((at, begun(at)?))), !chunks.is_empty())
    }

    /// Number of points in it.
    pub fn points(&self) -> u64 {
        self.table.points()
    }

    /// Its chunks.
    pub fn table(&self) -> &ChunkTable {
        &self.table
    }

    /// Whether any points of a series in older parts are deleted.
    pub fn has_deletes(&self, series: SeriesId) -> bool {
        !self.deletes_of(series).is_empty() || !self.deletes_of(EVERY_SERIES).is_empty()
    }

    /// Adds which points of a series in older parts are deleted.
    pub fn hide(&self, series: SeriesId, hidden: &mut SharedRanges) {
        hidden.insert_all(self.deletes_of(series));
        hidden.insert_all(self.deletes_of(EVERY_SERIES));
    }

    fn deletes_of(&self, series: SeriesId) -> &[TimeRange] {
        let place = self.deletes.binary_search_by_key(&series, |(series, _)| *series);
        place.map_or(&[], |place| &self.deletes[place].1)
    }

    /// Which points of older parts are deleted.
    pub fn all_deletes(&self) -> &Deletes {
        &self.deletes
    }

    /// All ids of series that were given before it was written are below this.
    pub fn end(&self) -> SeriesId {
        self.end
    }

    /// Whether anything in it could not be read so far.
    pub fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    /// Whether its file has its name. The part that it replaces is in the file of that name
    /// otherwise, and after a crash.
    pub fn has_name(&self) -> bool {
        self.replaced().is_none()
    }

    fn replaced(&self) -> MutexGuard<'_, Option<Weak<Self>>> {
        self.replaced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives its file its name when the part that it replaces is closed. Answers whether it has it.
    ///
    /// # Errors
    /// When the file can't be renamed, or that may not be durable.
    pub fn take_name(&self, disk: &dyn Disk) -> io::Result<bool> {
        let mut replaced = self.replaced();
        match &*replaced {
            None => Ok(true),
            Some(part) if part.strong_count() > 0 => Ok(false),
            Some(_) => {
                match disk.rename(&format!("{self}{UNFINISHED}"), &self.to_string()) {
                    // It was renamed before, which may not be durable yet.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    renamed => renamed?,
                }
                disk.sync_directory()?;
                *replaced = None;
                Ok(true)
            }
        }
    }

    /// What is gone of it and of the files that it replaces, apart from damaged chunks.
    pub fn losses(&self) -> &Losses {
        &self.losses
    }

    /// The series and times of the chunks that could not be read when they were read last.
    pub fn failed_chunks(&self) -> Vec<ChunkEntry> {
        if !self.has_failed.load(Ordering::Relaxed) {
            return Vec::new();
        }
        self.failed().iter().filter_map(|at| self.table.get(*at)).collect()
    }

    fn failed(&self) -> MutexGuard<'_, BTreeSet<usize>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers that a chunk could not be read. Answers whether that is new.
    fn note_failed(&self, at: usize) -> bool {
        let is_new = self.failed().insert(at);
        self.has_failed.store(true, Ordering::Relaxed);
        is_new
    }

    fn is_failed(&self, at: usize) -> bool {
        self.has_failed.load(Ordering::Relaxed) && self.failed().contains(&at)
    }

    /// Reads all of it. Answers whether nothing in it is damaged.
    pub fn is_sound(&self) -> bool {
        let Ok(is_sound) = self.check(|_| Ok::<_, Infallible>(()));
        is_sound
    }

    /// Like [`Part::is_sound`]; `before_chunk` is told the length of each chunk before it is read.
    ///
    /// # Errors
    /// The first of `before_chunk`, which ends it.
    pub fn check<E>(&self, mut before_chunk: impl FnMut(u64) -> Result<(), E>) -> Result<bool, E> {
        let mut sound = 0;
        // All of it, so that all that is damaged is logged.
        for (at, entry) in self.table.iter().enumerate() {
            before_chunk(entry.length.into())?;
            sound += usize::from(self.read_chunk(at, &entry).is_ok());
        }
        Ok(sound == self.table.len() && !self.is_damaged())
    }

    /// The points of a chunk, which is at this place.
    fn read_chunk(&self, at: usize, entry: &ChunkEntry) -> Result<Run, ReadError> {
        let mut bytes = vec![0; entry.length as usize];
        self.read_bytes(at, entry, &mut bytes)?;
        self.points_of(&bytes, at, entry)
    }

    /// The points of a chunk whose bytes were read, like [`Part::read_chunk`].
    fn points_of(&self, bytes: &[u8], at: usize, entry: &ChunkEntry) -> Result<Run, ReadError> {
        if let Some(points) = decode_chunk(bytes, entry, self.salt) {
            return Ok(points);
        }
        self.damaged.store(true, Ordering::Relaxed);
        let (count, first, last) = (entry.count, entry.first, entry.last);
        if self.note_failed(at) {
            error!(
                series = entry.series,
                "{self}: the chunk at {} is damaged: {count} points from {first} to {last} can't be read",
                entry.offset
            );
        }
        Err(Damage::of((first, last)).into())
    }

    /// The bytes of a chunk, as many as it has.
    fn read_bytes(&self, at: usize, entry: &ChunkEntry, bytes: &mut [u8]) -> Result<(), ReadError> {
        self.file.read_exact_at(bytes, entry.offset).map_err(|error| {
            let (count, first, last) = (entry.count, entry.first, entry.last);
            if self.note_failed(at) {
                error!(
                    series = entry.series,
                    "{self}: the chunk at {} can't be read: {count} points from {first} to {last}: {error}",
                    entry.offset
                );
            }
            ReadError::Unreadable(Damage::of((first, last)))
        })
    }
}

/// The file of a part that is missing or can't be read.
#[derive(Debug)]
struct NoFile;

impl DiskFile for NoFile {
    fn length(&self) -> io::Result<u64> {
        Ok(0)
    }

    fn read_exact_at(&self, _: &mut [u8], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn write_all_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn allocate(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn truncate(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn sync(&self) -> io::Result<()> {
        Err(io::ErrorKind::NotFound.into())
    }
}

/// A part that was opened, and the keys that it knows.
#[derive(Debug)]
pub struct OpenedPart {
    /// The part.
    pub part: Part,
    /// The keys of the series that have chunks, by rising id.
    pub keys: PartKeys,
    /// Keys of series of which points were lost.
    pub lost_keys: Vec<(SeriesId, KeyBuf)>,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        FileName::Part(self.segments.clone()).fmt(f)
    }
}

/// The points of a chunk; `None` when it is damaged or not the one that the index names.
fn decode_chunk(bytes: &[u8], entry: &ChunkEntry, salt: Salt) -> Option<Run> {
    chunk::decode(packed_points(bytes, entry, salt)?, entry.count as usize).ok()
}

/// The packed points of a chunk; `None` when it is damaged or not the one that the index names.
fn packed_points<'b>(bytes: &'b [u8], entry: &ChunkEntry, salt: Salt) -> Option<&'b [u8]> {
    let (header, _, points) = ChunkHeader::decode_chunk(bytes, salt)?;
    header.matches(entry).then_some(points)
}
