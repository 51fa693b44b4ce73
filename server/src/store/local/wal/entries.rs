//! Walking over a segment of any length, a record at a time.

use std::collections::VecDeque;
use std::io;

use memchr::memmem;

use super::beginning::Beginning;
use super::header::{GroupMark, Layout, RecordKind, RecordStart, SegmentHeader};
use crate::store::local::disk::DiskFile;
use crate::store::local::disk::window::{Unreadable, Window};

/// What was found in a segment.
#[derive(Debug)]
pub enum SegmentEntry<'a> {
    /// A record whose checksums are right.
    Record {
        /// Where it begins.
        offset: u64,
        /// What it holds.
        kind: RecordKind,
        /// Counts the records of a store, without a gap.
        sequence: u64,
        /// Its bytes.
        payload: &'a [u8],
        /// The record before it is the one that stood there when it was written, as far as both are
        /// known.
        follows: bool,
        /// What its header says of it and of the records before; `None` in formats 1 and 2.
        group: Option<GroupMark>,
    },
    /// Bytes that are no record. Behind [`SegmentEntries::durable`] they are of a write that a crash
    /// cut off, which was never acknowledged; anywhere else they are damage.
    Bad {
        /// Where they begin.
        offset: u64,
        /// How many they are.
        length: u64,
        /// What the header of the record says that they are, if that is sound.
        start: Option<RecordStart>,
    },
}

/// Walks over a segment. What is damaged is named and stepped over.
#[derive(Debug)]
pub struct SegmentEntries<'f> {
    window: Window<'f>,
    layout: Option<Layout>,
    /// What is to be told of the header.
    header_damage: VecDeque<(u64, u64)>,
    /// Place of the next entry.
    at: u64,
    /// The number of the next record, when no bytes before it are damaged.
    expected: Option<u64>,
    /// Where the last record ends of which the header is known.
    sound_end: u64,
    /// The checksum that the record at `sound_end` names.
    checksum: Option<u32>,
    /// A record has to stand at the next place: no search has led there.
    is_certain: bool,
    durable: u64,
}

impl<'f> SegmentEntries<'f> {
    /// The entries of a segment of `length` bytes that begins so.
    pub fn new(file: &'f dyn DiskFile, length: u64, beginning: &Beginning) -> Self {
        let Beginning { layout, ref header, marked, .. } = *beginning;
        let damage = beginning.damage();
        let begin = layout.map_or(0, Layout::begin);
        let damage = damage.iter().map(|&(at, count)| (at, count.min(length.saturating_sub(at))));
        // A file that has no more than a header was just begun.
        let has_more = length > Beginning::LENGTH as u64;
        let durable = match layout {
            Some(Layout::Salted(_)) if has_more => begin.max(marked),
            None if has_more => length,
            _ => 0,
        };
        Self {
            window: Window::new(file, length),
            layout,
            header_damage: damage.filter(|(_, count)| *count > 0).collect(),
            at: begin.min(length),
            expected: header.as_ref().map(SegmentHeader::first_sequence),
            sound_end: begin,
            checksum: header.as_ref().map(SegmentHeader::checksum),
            is_certain: true,
            durable,
        }
    }

    /// Bytes at the front of which no crash can have taken any, as far as the entries up to here say
    /// it.
    pub fn durable(&self) -> u64 {
        // What can't be read was not cut off.
        self.durable.max(self.unreadable().map_or(0, |unreadable| unreadable.end))
    }

    /// Bytes that could not be read, if there were any.
    pub fn unreadable(&self) -> Option<&Unreadable> {
        self.window.unreadable()
    }

    /// Where the last record ends of which the header is known.
    pub fn sound_end(&self) -> u64 {
        self.sound_end
    }

    /// The next entry, or `None` at the end.
    ///
    /// # Errors
    /// When the file can't be read, or a record does not fit into memory.
    pub fn next_entry(&mut self) -> io::Result<Option<SegmentEntry<'_>>> {
        let length = self.window.length();
        if let Some((offset, length)) = self.header_damage.pop_front() {
            return Ok(Some(SegmentEntry::Bad { offset, length, start: None }));
        }
        if self.at >= length {
            return Ok(None);
        }
        let offset = self.at;
        let Some(layout) = self.layout else {
            // Without the salt a client could have written what would be found.
            self.at = length;
            let length = length - offset;
            return Ok(Some(SegmentEntry::Bad { offset, length, start: None }));
        };
        if let Some(start) = self.start_at(layout, offset)? {
            let payload = offset + layout.record_header_length();
            let end = payload + u64::from(start.payload_length);
            let sound = self.is_sound(layout, payload, &start)?;
            // In formats 1 and 2 a client may have written a header that a search has found.
            if sound || self.is_certain || layout != Layout::Unsalted {
                let follows = self.follows(offset, &start);
                self.step_over(offset, end, &start, sound);
                let (Some(kind), true) = (start.kind, sound) else {
                    let (length, start) = (self.at - offset, Some(start));
                    return Ok(Some(SegmentEntry::Bad { offset, length, start }));
                };
                let RecordStart { sequence, group, .. } = start;
                let bytes = self.window.get(payload, end - payload)?;
                let payload = bytes.get(..start.payload_length as usize).unwrap_or_default();
                let record =
                    SegmentEntry::Record { offset, kind, sequence, payload, follows, group };
                return Ok(Some(record));
            }
        }
        self.is_certain = false;
        self.at = self.search(layout, offset + 1)?.unwrap_or(length);
        Ok(Some(SegmentEntry::Bad { offset, length: self.at - offset, start: None }))
    }

    /// Goes on behind a record whose header is sound.
    fn step_over(&mut self, offset: u64, end: u64, start: &RecordStart, sound: bool) {
        let length = self.window.length();
        self.at = end.min(length);
        self.expected = start.sequence.checked_add(1);
        if end <= length {
            self.sound_end = end;
        }
        self.checksum = start.group.map(|group| group.checksum);
        let durable = match start.group {
            // Something was written behind it.
            Some(group) if group.synced_alone && group.end < length => group.end,
            Some(group) => group.durable,
            // Something is sound behind what stands before it.
            None if sound => offset,
            None => 0,
        };
        self.durable = self.durable.max(durable);
    }

    /// Whether the record before is the one that stood there when this one was written.
    fn follows(&self, offset: u64, start: &RecordStart) -> bool {
        let known = self.checksum.zip(start.group).filter(|_| self.sound_end == offset);
        known.is_none_or(|(checksum, group)| group.previous == checksum)
    }

    /// The next place from `from` on where a record stands.
    fn search(&mut self, layout: Layout, mut from: u64) -> io::Result<Option<u64>> {
        let magic = memmem::Finder::new(layout.magic());
        while let Some(place) = self.window.find(from, &magic)? {
            if let Some(start) = self.start_at(layout, place)? {
                let payload = place + layout.record_header_length();
                if layout != Layout::Unsalted || self.is_sound(layout, payload, &start)? {
                    return Ok(Some(place));
                }
            }
            from = place + 1;
        }
        Ok(None)
    }

    /// What the header of a record at `place` says; `None` when it is damaged, or can't be one that
    /// stands there.
    fn start_at(&mut self, layout: Layout, place: u64) -> io::Result<Option<RecordStart>> {
        let begin = self.window.get(place, layout.record_header_length())?;
        let start = layout.decode(begin);
        Ok(start.filter(|start| self.is_possible(layout, place, start)))
    }

    fn is_possible(&self, layout: Layout, place: u64, start: &RecordStart) -> bool {
        let header = layout.record_header_length();
        let end = place + header + u64::from(start.payload_length);
        let in_group = start.group.is_none_or(|group| group.durable <= place && group.end >= end);
        // What is missing has stood in the bytes that are damaged. Nothing says in formats 1 and 2 how
        // many records are missing before a file.
        let is_first = layout == Layout::Unsalted && place == layout.begin();
        let missing = self.expected.map(|expected| start.sequence.checked_sub(expected));
        let had_room = |missing: Option<u64>| {
            missing.is_some_and(|missing| missing <= (place - self.sound_end) / header)
        };
        in_group && (is_first || missing.is_none_or(had_room))
    }

    /// Whether the payload at `place` is whole.
    fn is_sound(&mut self, layout: Layout, place: u64, start: &RecordStart) -> io::Result<bool> {
        let length = u64::from(start.payload_length);
        if length > self.window.length().saturating_sub(place) {
            return Ok(false);
        }
        let payload = self.window.get(place, length)?.get(..start.payload_length as usize);
        let sound = |payload| layout.salt().body_checksum(payload) == start.payload_checksum;
        Ok(start.kind.is_some() && payload.is_some_and(sound))
    }
}

#[cfg(test)]
mod tests;
