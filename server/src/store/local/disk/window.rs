//! Reading a file of any length through a buffer.

use std::io;

use memchr::memmem;

use super::{DiskFile, is_full};

/// Bytes that are read at once, and more when more are asked for. Few in tests, so that what they
/// read lies across the borders of windows.
const READ_SIZE: u64 = if cfg!(test) { 512 } else { 1 << 20 };

/// Bytes that are read at once where more can't be read.
const PAGE_SIZE: usize = if cfg!(test) { 64 } else { 4096 };

/// A stretch of a file in memory.
#[derive(Debug)]
pub struct Window<'f> {
    file: &'f dyn DiskFile,
    length: u64,
    /// Place of the buffer in the file.
    start: u64,
    buffer: Vec<u8>,
    unreadable: Option<Unreadable>,
}

/// Bytes that could not be read.
#[derive(Debug)]
pub struct Unreadable {
    /// How many.
    pub bytes: u64,
    /// Place of the first.
    pub first: u64,
    /// Behind the last.
    pub end: u64,
    /// Why.
    pub error: io::Error,
}

impl<'f> Window<'f> {
    /// A window on a file of `length` bytes; nothing is read yet.
    pub fn new(file: &'f dyn DiskFile, length: u64) -> Self {
        Self { file, length, start: 0, buffer: Vec::new(), unreadable: None }
    }

    /// Length of the file in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The bytes that could not be read, if there were any.
    pub fn unreadable(&self) -> Option<&Unreadable> {
        self.unreadable.as_ref()
    }

    /// The bytes from `at` on: at least `count`, fewer at the end of the file, and more where they
    /// are in memory. Those that can't be read are zeros; see [`Window::unreadable`].
    ///
    /// # Errors
    /// When they do not fit into memory, or the disk is full.
    pub fn get(&mut self, at: u64, count: u64) -> io::Result<&[u8]> {
        let at = at.min(self.length);
        let left = self.length - at;
        let count = count.min(left);
        let known = at >= self.start && at + count <= self.start + self.buffer.len() as u64;
        if !known {
            self.start = at;
            // Not emptied before, which would have it filled with zeros for every window.
            if let Err(error) = resize(&mut self.buffer, count.max(READ_SIZE).min(left)) {
                self.buffer.clear();
                return Err(error);
            }
            match self.file.read_exact_at(&mut self.buffer, at) {
                // No bad place of the disk.
                Err(error) if is_full(&error) => {
                    self.buffer.clear();
                    return Err(error);
                }
                Err(_) => self.read_by_pages(at),
                Ok(()) => {}
            }
        }
        let skipped = usize::try_from(at - self.start).ok();
        Ok(skipped.and_then(|skipped| self.buffer.get(skipped..)).unwrap_or_default())
    }

    /// Reads what can be read of the buffer.
    fn read_by_pages(&mut self, start: u64) {
        let mut at = start;
        for page in self.buffer.chunks_mut(PAGE_SIZE) {
            let length = page.len() as u64;
            if let Err(error) = self.file.read_exact_at(page, at) {
                page.fill(0);
                let unreadable = Unreadable { bytes: 0, first: at, end: at, error };
                let unreadable = self.unreadable.get_or_insert(unreadable);
                unreadable.bytes += length;
                unreadable.end = unreadable.end.max(at + length);
            }
            at += length;
        }
    }

    /// The first place from `from` on where `needle` stands.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn find(&mut self, mut from: u64, needle: &memmem::Finder<'_>) -> io::Result<Option<u64>> {
        let needed = needle.needle().len();
        loop {
            let bytes = self.get(from, needed as u64)?;
            if let Some(found) = needle.find(bytes) {
                return Ok(Some(from + found as u64));
            }
            // It may begin at the end of this window.
            match (bytes.len() + 1).checked_sub(needed) {
                None | Some(0) => return Ok(None),
                Some(searched) => from += searched as u64,
            }
        }
    }
}

/// `length` bytes of a file from `offset` on.
///
/// # Errors
/// When they can't be read or do not fit into memory.
pub fn read(file: &dyn DiskFile, offset: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    resize(&mut bytes, length)?;
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

/// Gives a buffer a length that a file asks for.
fn resize(buffer: &mut Vec<u8>, length: u64) -> io::Result<()> {
    let room = usize::try_from(length)
        .ok()
        .filter(|&wanted| buffer.try_reserve_exact(wanted.saturating_sub(buffer.len())).is_ok());
    let room = room.ok_or_else(|| {
        io::Error::new(io::ErrorKind::OutOfMemory, format!("{length} bytes do not fit into memory"))
    })?;
    buffer.resize(room, 0);
    Ok(())
}

/// A file in memory of any length, with holes.
#[cfg(test)]
#[derive(Debug, Default)]
pub struct SparseFile {
    /// Bytes by their place.
    pub stretches: Vec<(u64, Vec<u8>)>,
    /// Length of the whole file.
    pub length: u64,
}

#[cfg(test)]
impl SparseFile {
    /// A file without holes.
    pub fn whole(bytes: &[u8]) -> Self {
        Self { length: bytes.len() as u64, stretches: vec![(0, bytes.to_vec())] }
    }
}

#[cfg(test)]
impl DiskFile for SparseFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.length)
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let end = offset + buffer.len() as u64;
        if end > self.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer.fill(0);
        for (place, bytes) in &self.stretches {
            let from = offset.max(*place);
            let to = end.min(place + bytes.len() as u64);
            if from < to {
                let range = |start| {
                    let at = |place: u64| usize::try_from(place - start).unwrap();
                    at(from)..at(to)
                };
                buffer[range(offset)].copy_from_slice(&bytes[range(*place)]);
            }
        }
        Ok(())
    }

    fn write_all_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn allocate(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn truncate(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every place and count of a small file, in every order of two.
    #[test]
    fn a_window_shows_the_bytes_of_the_file() {
        let bytes: Vec<u8> = (0..2 * READ_SIZE + 100).map(|at| at.to_le_bytes()[0]).collect();
        let file = SparseFile::whole(&bytes);
        let mut window = Window::new(&file, file.length);
        for at in (0..bytes.len() + 100).step_by(37).chain((0..bytes.len()).rev().step_by(41)) {
            for count in [0, 1, 90, 600, 5000] {
                let found = window.get(at as u64, count).unwrap();
                let rest = bytes.get(at..).unwrap_or_default();
                assert!(rest.starts_with(found), "{count} at {at}");
                assert!(found.len() as u64 >= count.min(rest.len() as u64), "{count} at {at}");
            }
        }
    }

    #[test]
    fn a_needle_is_found_across_windows_and_beyond_4_gib() {
        let needle = memmem::Finder::new(b"needle");
        for place in (READ_SIZE - 8..READ_SIZE + 2).chain([5 << 30]) {
            let from = place.saturating_sub(2 * READ_SIZE);
            let stretches = vec![(place, b"needle".to_vec())];
            let file = SparseFile { length: place + 6, stretches };
            let mut window = Window::new(&file, file.length);
            assert_eq!(window.find(from, &needle).unwrap(), Some(place));
            assert_eq!(window.find(place + 1, &needle).unwrap(), None);
        }
    }

    #[test]
    fn what_does_not_fit_into_memory_is_an_error() {
        let file = SparseFile { length: u64::MAX, ..SparseFile::default() };
        for length in [u64::MAX, u64::MAX / 2] {
            let error = read(&file, 0, length).unwrap_err();
            assert_eq!(error.to_string(), format!("{length} bytes do not fit into memory"));
        }
    }
}
