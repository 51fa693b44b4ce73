//! Immutable files of chunks: written once, then read chunk by chunk.
//!
//! Each chunk tells its series, range and checksum itself; the index at the end says the same
//! more compactly. When the index is bad it is made again from the chunks.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fmt, io};

use memchr::memmem;
use shared::{Key, KeyBuf, Point};
use tracing::error;

use super::disk::{Disk, DiskFile};
use super::file_name::{FileName, SegmentId, UNFINISHED};
use super::series::chunk::{self, Effort};
use super::series::merge::Source;
use super::series::run::Run;
use super::series::series_index::SeriesId;
use super::varint;
use crate::store::ReadError;

/// Begins a part.
const FILE_MAGIC: [u8; 4] = *b"MPRT";

/// Length of the header of a part.
const FILE_HEADER: usize = 8;

/// Begins a chunk; what is looked for when the index is bad.
const CHUNK_MAGIC: [u8; 4] = [0x9e, b'C', b'h', b'k'];

/// Length of a chunk's header; the key and the points follow.
const CHUNK_HEADER: usize = 42;

/// Length of the end of a part, which says where its index is.
const FOOTER: usize = 20;

/// Chunks are gathered up to here before they are written.
const WRITE_SIZE: usize = 1 << 20;

/// Where a chunk is and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkEntry {
    /// Whose points.
    pub series: SeriesId,
    /// How many points.
    pub count: u32,
    /// First timestamp.
    pub first: i64,
    /// Last timestamp.
    pub last: i64,
    offset: u64,
    length: u32,
}

/// A part that is open for reading.
#[derive(Debug)]
pub struct Part {
    /// The segments whose points it holds.
    pub segments: RangeInclusive<SegmentId>,
    /// Its size on the disk in bytes.
    pub size: u64,
    file: Box<dyn DiskFile>,
    /// By series, then by time.
    entries: Vec<ChunkEntry>,
    /// A chunk could not be read.
    damaged: AtomicBool,
}

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
    buffer: Vec<u8>,
    entries: Vec<ChunkEntry>,
    keys: Vec<(SeriesId, KeyBuf)>,
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
        let file = disk.create(&unfinished(&name))?;
        let mut buffer = FILE_MAGIC.to_vec();
        buffer.resize(FILE_HEADER, 0);
        Ok(Self {
            disk,
            name,
            effort,
            segments,
            file,
            written: 0,
            buffer,
            entries: Vec::new(),
            keys: Vec::new(),
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
        self.buffer.resize(start + CHUNK_HEADER, 0);
        self.buffer.extend_from_slice(key_bytes);
        chunk::encode(points, self.effort, &mut self.buffer).map_err(io::Error::other)?;
        let length = u32::try_from(self.buffer.len() - start).map_err(io::Error::other)?;
        let entry = ChunkEntry {
            series,
            count,
            first: first.timestamp,
            last: last.timestamp,
            offset: self.written + start as u64,
            length,
        };
        write_chunk_header(&mut self.buffer[start..], &entry, key_bytes.len());
        if self.keys.last().is_none_or(|(last, _)| *last != series) {
            self.keys.push((series, key.clone()));
        }
        self.entries.push(entry);
        if self.buffer.len() >= WRITE_SIZE { self.write_out() } else { Ok(()) }
    }

    /// How many points were added.
    pub fn points(&self) -> u64 {
        count_points(&self.entries)
    }

    fn write_out(&mut self) -> io::Result<()> {
        self.file.write_all_at(&self.buffer, self.written)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Makes the part durable under its name: write, sync, rename, sync the directory. A part
    /// without points is a part all the same: it says that nothing of its segments is missing.
    ///
    /// # Errors
    /// When any of it fails; the part then counts for nothing.
    pub fn finish(mut self) -> Result<Part, PartError> {
        if let Err(error) = self.complete() {
            self.abandon();
            return Err(PartError::NotMade(error));
        }
        self.disk.sync_directory().map_err(PartError::NotDurable)?;
        Ok(Part {
            segments: self.segments,
            size: self.written,
            file: self.file,
            entries: self.entries,
            damaged: AtomicBool::new(false),
        })
    }

    fn complete(&mut self) -> io::Result<()> {
        let index = self.written + self.buffer.len() as u64;
        let start = self.buffer.len();
        encode_index(&self.entries, &self.keys, &mut self.buffer);
        let checksum = crc32c::crc32c(&self.buffer[start..]);
        self.buffer.extend_from_slice(&index.to_le_bytes());
        self.buffer.extend_from_slice(&checksum.to_le_bytes());
        let footer = crc32c::crc32c(&self.buffer[self.buffer.len() - 12..]);
        self.buffer.extend_from_slice(&footer.to_le_bytes());
        self.buffer.extend_from_slice(&FILE_MAGIC);
        self.write_out()?;
        self.file.sync()?;
        self.disk.rename(&unfinished(&self.name), &self.name.to_string())
    }

    /// Removes what was written so far, to make room.
    pub fn abandon(self) {
        // What stays behind is removed at the next start.
        let _ = self.disk.remove(&unfinished(&self.name));
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

fn count_points(entries: &[ChunkEntry]) -> u64 {
    entries.iter().map(|entry| u64::from(entry.count)).sum()
}

fn unfinished(name: &FileName) -> String {
    format!("{name}{UNFINISHED}")
}

fn write_chunk_header(chunk: &mut [u8], entry: &ChunkEntry, key_length: usize) {
    chunk[..4].copy_from_slice(&CHUNK_MAGIC);
    chunk[4..8].copy_from_slice(&entry.length.to_le_bytes());
    chunk[8..12].copy_from_slice(&entry.series.to_le_bytes());
    chunk[12..16].copy_from_slice(&entry.count.to_le_bytes());
    chunk[16..24].copy_from_slice(&entry.first.to_le_bytes());
    chunk[24..32].copy_from_slice(&entry.last.to_le_bytes());
    // A key has at most 1,024 bytes.
    chunk[32..34].copy_from_slice(&u16::try_from(key_length).unwrap_or(u16::MAX).to_le_bytes());
    let header = crc32c::crc32c(&chunk[..34]);
    chunk[34..38].copy_from_slice(&header.to_le_bytes());
    let body = crc32c::crc32c(&chunk[CHUNK_HEADER..]);
    chunk[38..42].copy_from_slice(&body.to_le_bytes());
}

/// The entry that a chunk's header tells, and the length of its key.
fn read_chunk_header(header: &[u8], offset: u64) -> Option<(ChunkEntry, usize)> {
    let header = header.first_chunk::<CHUNK_HEADER>()?;
    let word = |at: usize| {
        u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    let long = |at: usize| (u64::from(word(at)) | u64::from(word(at + 4)) << 32).cast_signed();
    if header[..4] != CHUNK_MAGIC || crc32c::crc32c(&header[..34]) != word(34) {
        return None;
    }
    let entry = ChunkEntry {
        series: word(8),
        count: word(12),
        first: long(16),
        last: long(24),
        offset,
        length: word(4),
    };
    Some((entry, usize::from(u16::from_le_bytes([header[32], header[33]]))))
}

/// Chunks in the order of the file, series by series; a key takes only what differs from the one
/// before it.
fn encode_index(entries: &[ChunkEntry], keys: &[(SeriesId, KeyBuf)], out: &mut Vec<u8>) {
    let (mut series, mut end, mut time) = (0, FILE_HEADER as u64, 0_i64);
    let mut key_before: &[u8] = b"";
    let mut keys = keys.iter().peekable();
    varint::encode(entries.len() as u64, out);
    for entry in entries {
        varint::encode(u64::from(entry.series - series), out);
        if let Some((_, key)) = keys.next_if(|(id, _)| *id == entry.series) {
            let key = key.as_str().as_bytes();
            let same = key.iter().zip(key_before).take_while(|(a, b)| a == b).count();
            varint::encode(same as u64 + 1, out);
            varint::encode((key.len() - same) as u64, out);
            out.extend_from_slice(&key[same..]);
            key_before = key;
        } else {
            varint::encode(0, out);
        }
        varint::encode(entry.offset - end, out);
        varint::encode(u64::from(entry.length), out);
        varint::encode(u64::from(entry.count), out);
        varint::encode_signed(entry.first.wrapping_sub(time), out);
        varint::encode_signed(entry.last.wrapping_sub(entry.first), out);
        (series, end, time) = (entry.series, entry.offset + u64::from(entry.length), entry.first);
    }
}

/// What an index tells: the chunks, and the keys of their series.
type Contents = (Vec<ChunkEntry>, Vec<(SeriesId, KeyBuf)>);

fn decode_index(mut bytes: &[u8]) -> Option<Contents> {
    let input = &mut bytes;
    let count = usize::try_from(varint::decode(input)?).ok()?;
    let (mut entries, mut keys) = (Vec::new(), Vec::new());
    let (mut series, mut end, mut time) = (0_u32, FILE_HEADER as u64, 0_i64);
    let mut key: Vec<u8> = Vec::new();
    for _ in 0..count {
        series = series.checked_add(u32::try_from(varint::decode(input)?).ok()?)?;
        if let Some(same) = varint::decode(input)?.checked_sub(1) {
            let length = usize::try_from(varint::decode(input)?).ok()?;
            let (tail, rest) = input.split_at_checked(length)?;
            *input = rest;
            key.truncate(usize::try_from(same).ok()?);
            key.extend_from_slice(tail);
            keys.push((series, Key::from_bytes(&key).ok()?.to_owned()));
        }
        let offset = end.checked_add(varint::decode(input)?)?;
        let length = u32::try_from(varint::decode(input)?).ok()?;
        let count = u32::try_from(varint::decode(input)?).ok()?;
        let first = time.wrapping_add(varint::decode_signed(input)?);
        let last = first.wrapping_add(varint::decode_signed(input)?);
        entries.push(ChunkEntry { series, count, first, last, offset, length });
        end = offset.checked_add(u64::from(length))?;
        time = first;
    }
    input.is_empty().then_some((entries, keys))
}

impl Part {
    /// Opens a part; also tells the keys of its series, by rising id.
    ///
    /// # Errors
    /// When it can't be read. A bad index is no error: it is reported and made again.
    pub fn open(
        disk: &dyn Disk,
        segments: RangeInclusive<SegmentId>,
    ) -> io::Result<(Self, Vec<(SeriesId, KeyBuf)>)> {
        let name = FileName::Part(segments.clone()).to_string();
        let file = disk.open(&name)?;
        let size = file.length()?;
        let indexed = read_index(&*file, size)?;
        let damaged = indexed.is_none();
        let (entries, keys) = if let Some(contents) = indexed {
            contents
        } else {
            let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
            file.read_exact_at(&mut bytes, 0)?;
            let contents = scan(&bytes);
            error!("{name}: the index is damaged; found {} chunks without it", contents.0.len());
            contents
        };
        Ok((Self { segments, size, file, entries, damaged: AtomicBool::new(damaged) }, keys))
    }

    /// The chunks of a series, by time.
    pub fn chunks(&self, series: SeriesId) -> Range<usize> {
        let start = self.entries.partition_point(|entry| entry.series < series);
        let count = self.entries[start..].partition_point(|entry| entry.series == series);
        start..start + count
    }

    /// The first series with an id of `from` or more.
    pub fn first_series(&self, from: SeriesId) -> Option<SeriesId> {
        let at = self.entries.partition_point(|entry| entry.series < from);
        self.entries.get(at).map(|entry| entry.series)
    }

    /// How many points it holds.
    pub fn points(&self) -> u64 {
        count_points(&self.entries)
    }

    /// All chunks, by series and time.
    pub fn entries(&self) -> &[ChunkEntry] {
        &self.entries
    }

    /// Whether anything in it could not be read so far.
    pub fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    /// Reads all of it to tell whether anything in it is damaged.
    pub fn is_sound(&self) -> bool {
        self.entries.iter().all(|entry| self.read_chunk(entry).is_ok()) && !self.is_damaged()
    }

    /// Copies the file to one of another name.
    ///
    /// # Errors
    /// When it can't be read or the copy can't be written.
    pub fn copy_to(&self, disk: &dyn Disk, name: &str) -> io::Result<()> {
        let unfinished = format!("{name}{UNFINISHED}");
        self.copy(disk, &unfinished).inspect_err(|_| {
            // What stays behind is removed at the next start.
            let _ = disk.remove(&unfinished);
        })?;
        disk.rename(&unfinished, name)?;
        disk.sync_directory()
    }

    fn copy(&self, disk: &dyn Disk, name: &str) -> io::Result<()> {
        let copy = disk.create(name)?;
        let size = self.file.length()?;
        let mut at = 0;
        while at < size {
            let length = usize::try_from(size - at).unwrap_or(WRITE_SIZE).min(WRITE_SIZE);
            let mut bytes = vec![0; length];
            self.file.read_exact_at(&mut bytes, at)?;
            copy.write_all_at(&bytes, at)?;
            at += length as u64;
        }
        copy.sync()
    }

    fn read_chunk(&self, entry: &ChunkEntry) -> Result<Run, ReadError> {
        let mut bytes = vec![0; entry.length as usize];
        self.file.read_exact_at(&mut bytes, entry.offset).map_err(|error| {
            error!(%error, "{self}: can't read {} bytes at {}", entry.length, entry.offset);
            ReadError(format!("a part of the data can't be read: {}", error.kind()))
        })?;
        Ok(unpack(&bytes, entry).unwrap_or_else(|| {
            if !self.damaged.swap(true, Ordering::Relaxed) {
                error!("{self} is damaged; what can be read of it is served, the rest is lost");
            }
            let (count, first, last) = (entry.count, entry.first, entry.last);
            error!(
                series = entry.series,
                "{self}: the chunk at {} is damaged: {count} points from {first} to {last} are lost",
                entry.offset
            );
            Run::from([])
        }))
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        FileName::Part(self.segments.clone()).fmt(f)
    }
}

fn unpack(bytes: &[u8], entry: &ChunkEntry) -> Option<Run> {
    let (told, key_length) = read_chunk_header(bytes, entry.offset)?;
    let body = bytes.get(CHUNK_HEADER..)?;
    let checksum = bytes.get(38..42)?.first_chunk().map(|word| u32::from_le_bytes(*word))?;
    if told != *entry || crc32c::crc32c(body) != checksum {
        return None;
    }
    chunk::decode(body.get(key_length..)?, entry.count as usize).ok()
}

/// The contents of a part by its index, or `None` when footer or index are bad.
fn read_index(file: &dyn DiskFile, size: u64) -> io::Result<Option<Contents>> {
    let Some(footer_at) = size.checked_sub(FOOTER as u64) else { return Ok(None) };
    let mut footer = [0; FOOTER];
    file.read_exact_at(&mut footer, footer_at)?;
    let word = |at: usize| {
        u32::from_le_bytes([footer[at], footer[at + 1], footer[at + 2], footer[at + 3]])
    };
    let index_at = u64::from(word(0)) | u64::from(word(4)) << 32;
    if crc32c::crc32c(&footer[..12]) != word(12) || footer[16..] != FILE_MAGIC {
        return Ok(None);
    }
    let Some(length) = footer_at.checked_sub(index_at) else { return Ok(None) };
    let mut index = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    file.read_exact_at(&mut index, index_at)?;
    if crc32c::crc32c(&index) != word(8) {
        return Ok(None);
    }
    Ok(decode_index(&index))
}

/// Finds the chunks of a part whose index is bad.
fn scan(bytes: &[u8]) -> Contents {
    let mut entries: Vec<ChunkEntry> = Vec::new();
    let mut keys: Vec<(SeriesId, KeyBuf)> = Vec::new();
    for at in memmem::find_iter(bytes, &CHUNK_MAGIC) {
        let Some((entry, key_length)) = read_chunk_header(&bytes[at..], at as u64) else {
            continue;
        };
        let Some(whole) = bytes.get(at..at.saturating_add(entry.length as usize)) else { continue };
        if unpack(whole, &entry).is_none() {
            continue;
        }
        let key = whole.get(CHUNK_HEADER..CHUNK_HEADER + key_length);
        let Some(key) = key.and_then(|key| Key::from_bytes(key).ok()) else { continue };
        if keys.last().is_none_or(|(last, _)| *last < entry.series) {
            keys.push((entry.series, key.to_owned()));
        }
        entries.push(entry);
    }
    entries.sort_by_key(|entry| (entry.series, entry.first));
    (entries, keys)
}

/// A chunk as a source of a merge.
#[derive(Debug, Clone)]
pub struct ChunkSource {
    part: Arc<Part>,
    at: usize,
}

impl ChunkSource {
    /// The chunks of a series in a part.
    pub fn of(part: &Arc<Part>, series: SeriesId) -> impl Iterator<Item = Self> {
        part.chunks(series).map(|at| Self { part: Arc::clone(part), at })
    }
}

impl Source for ChunkSource {
    fn range(&self) -> (i64, i64) {
        let entry = &self.part.entries[self.at];
        (entry.first, entry.last)
    }

    fn open(&self) -> Result<Run, ReadError> {
        self.part.read_chunk(&self.part.entries[self.at])
    }
}
