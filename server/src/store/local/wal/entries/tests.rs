use proptest::prelude::*;
use shared::Point;
use zerocopy::{FromBytes, IntoBytes};

use super::*;
use crate::store::local::disk::window::SparseFile;
use crate::store::local::salt::Salt;
use crate::store::local::series::loss::Extent;
use crate::store::local::series::series_point::SeriesPoint;
use crate::store::local::wal::header::{
    Group, Mark, PreviousSegment, RecordHeader, SegmentHeaderV2,
};
use crate::store::local::wal::record::{
    ChainEnd, MAX_RECORD_POINTS, append_points, complete, decode_points, decode_series,
};

fn salt(number: u64) -> Salt {
    Salt::read_from_bytes(&number.to_le_bytes()).unwrap()
}

const SALT: u64 = 0x0123_4567_89ab_cdef;

/// A segment that is being made.
struct Made {
    bytes: Vec<u8>,
    end: ChainEnd,
    durable: Option<u64>,
}

impl Made {
    fn new(first_sequence: u64) -> Self {
        let header = SegmentHeader::new(7, salt(SALT), first_sequence, PreviousSegment::NONE);
        let (checksum, extent) = (header.checksum(), Extent::EMPTY);
        let end = ChainEnd { next_sequence: first_sequence, checksum, extent };
        Self { bytes: header.begin_file(), end, durable: None }
    }

    /// Adds records as a group.
    fn add(&mut self, mut records: Vec<u8>) {
        let start = self.bytes.len() as u64;
        let group = Group {
            salt: salt(SALT),
            durable: self.durable.unwrap_or(start),
            end: start + records.len() as u64,
            synced_alone: self.durable.is_none(),
        };
        self.end = complete(&mut records, &group, self.end);
        self.bytes.extend(records);
    }

    fn add_points(&mut self, rows: &[SeriesPoint]) {
        let mut records = Vec::new();
        append_points(rows, &mut records);
        self.add(records);
    }
}

fn raw_record(payload: &[u8]) -> Vec<u8> {
    let header = RecordHeader::new(RecordKind::Points, payload, &Extent::EMPTY);
    [header.as_bytes(), payload].concat()
}

fn rows() -> impl Strategy<Value = Vec<SeriesPoint>> {
    let row = (any::<u32>(), any::<i64>(), -1e6..1e6).prop_map(|(series, timestamp, value)| {
        SeriesPoint { series, point: Point { timestamp, value } }
    });
    prop::collection::vec(row, 1..20)
}

/// What is found in a segment: the numbers and payloads of records, the bad stretches, and whether
/// each of those is damage.
#[derive(Debug, PartialEq)]
struct Read {
    good: Vec<(u64, Vec<u8>)>,
    bad: Vec<(u64, u64, bool)>,
    /// Records that do not follow the one before.
    breaks: usize,
}

fn read(file: &[u8]) -> Read {
    let bytes = &file[..file.len().min(Beginning::LENGTH)];
    let file = SparseFile::whole(file);
    read_all(SegmentEntries::new(&file, file.length, &Beginning::of(bytes, 7)))
}

fn read_all(mut entries: SegmentEntries<'_>) -> Read {
    let (mut good, mut bad, mut breaks) = (Vec::new(), Vec::new(), 0);
    while let Some(entry) = entries.next_entry().unwrap() {
        match entry {
            SegmentEntry::Record { sequence, payload, follows, .. } => {
                breaks += usize::from(!follows);
                good.push((sequence, payload.to_vec()));
            }
            SegmentEntry::Bad { offset, length, .. } => bad.push((offset, length)),
        }
    }
    let durable = entries.durable();
    let bad = bad.into_iter().map(|(at, length)| (at, length, at < durable)).collect();
    Read { good, bad, breaks }
}

/// A group for each batch.
fn file(batches: &[Vec<SeriesPoint>]) -> Vec<u8> {
    let mut made = Made::new(0);
    for rows in batches {
        made.add_points(rows);
    }
    made.bytes
}

fn decoded(read: &Read) -> Vec<Vec<SeriesPoint>> {
    let points = |payload: &[u8]| decode_points(payload).map(Option::unwrap).collect();
    read.good.iter().map(|(_, payload)| points(payload)).collect()
}

#[test]
fn a_large_batch_is_several_records() {
    let row = |timestamp| SeriesPoint { series: 1, point: Point { timestamp, value: 0.5 } };
    let rows: Vec<_> = (0..).map(row).take(MAX_RECORD_POINTS + 1).collect();
    let mut made = Made::new(3);
    made.add_points(&rows);
    assert_eq!(made.end.next_sequence, 5);
    let read = read(&made.bytes);
    let (head, tail) = rows.split_at(MAX_RECORD_POINTS);
    assert!(decoded(&read) == [head.to_vec(), tail.to_vec()] && read.bad.is_empty());
    assert_eq!(read.good.iter().map(|(sequence, _)| *sequence).collect::<Vec<_>>(), [3, 4]);
}

/// Whatever is damaged in the last group may be of a write that was cut off; before it nothing.
#[test]
fn only_the_last_group_passes_for_a_write_that_was_cut_off() {
    let mut made = Made::new(0);
    let mut ends = Vec::new();
    for group in 0..3_u8 {
        made.add([raw_record(&[group; 5]), raw_record(&[group; 9])].concat());
        ends.push(made.bytes.len());
    }
    for place in SegmentHeader::LENGTH..made.bytes.len() {
        let mut bytes = made.bytes.clone();
        bytes[place] ^= 1;
        let found = read(&bytes);
        assert_eq!(found.good.len(), 5, "{place}");
        let is_damage = place < ends[1];
        assert!(matches!(found.bad[..], [(_, _, is)] if is == is_damage), "{place} {found:?}");
        // The same with a group behind that was cut off.
        bytes.extend(&made.bytes[ends[1]..ends[1] + 30]);
        let found = read(&bytes);
        let is_damage = place < ends[2];
        assert_eq!(found.bad.first().map(|bad| bad.2), Some(is_damage), "{place} {found:?}");
        // It may be one stretch with what is damaged in the record before it.
        let is_one = found.bad.len() == 1;
        assert_eq!(found.bad.last().map(|bad| bad.2), Some(is_one), "{place} {found:?}");
    }
}

/// Groups that were written without a sync: a power cut takes any of them.
#[test]
fn groups_behind_the_last_sync_pass_for_writes_that_were_cut_off() {
    let mut made = Made::new(0);
    made.add(raw_record(&[0; 5]));
    let synced = made.bytes.len();
    made.durable = Some(synced as u64);
    for group in 1..4 {
        made.add(raw_record(&[group; 5]));
    }
    for place in SegmentHeader::LENGTH..made.bytes.len() {
        let mut bytes = made.bytes.clone();
        bytes[place] ^= 1;
        let found = read(&bytes);
        let is_damage = place < synced;
        assert!(matches!(found.bad[..], [(_, _, is)] if is == is_damage), "{place} {found:?}");
    }
}

#[test]
fn a_record_of_a_wrong_number_is_none() {
    for wrong in [0, 9, 11, u64::MAX - 1] {
        let mut made = Made::new(8);
        made.add(raw_record(b"one"));
        made.add(raw_record(b"two"));
        let start = made.bytes.len();
        let next = made.end;
        made.end.next_sequence = wrong;
        made.add(raw_record(b"wrong"));
        made.end = next;
        let end = made.bytes.len();
        made.add(raw_record(b"three"));
        let found = read(&made.bytes);
        let numbers: Vec<_> = found.good.iter().map(|(number, _)| *number).collect();
        // Number 11 has room for one that is missing before it, were those bytes damaged.
        assert_eq!(numbers, [8, 9, 10], "{wrong}");
        assert_eq!(found.bad, [(start as u64, (end - start) as u64, true)], "{wrong}");
    }
}

/// A record that names another one than that which stands before it, such as when a disk gives old
/// bytes back.
#[test]
fn a_record_behind_another_one_does_not_follow() {
    let mut made = Made::new(0);
    made.add(raw_record(b"one"));
    made.end.checksum ^= 1;
    made.add(raw_record(b"two"));
    let file = SparseFile::whole(&made.bytes);
    let beginning = Beginning::of(&made.bytes[..Beginning::LENGTH], 7);
    let found = read_all(SegmentEntries::new(&file, file.length, &beginning));
    assert_eq!((found.good.len(), found.breaks), (2, 1));
}

/// The mark says how much was synced, also when nothing else does.
#[test]
fn what_is_missing_before_the_mark_is_damage() {
    let mut made = Made::new(0);
    made.add(raw_record(b"one"));
    let durable = made.bytes.len() as u64;
    let mark = Mark::new(durable, salt(SALT));
    made.bytes[SegmentHeader::MARK..SegmentHeader::LENGTH].copy_from_slice(mark.as_bytes());
    made.bytes[SegmentHeader::LENGTH] ^= 1;
    let found = read(&made.bytes);
    assert_eq!(found.bad, [(SegmentHeader::LENGTH as u64, RecordHeader::LENGTH as u64 + 3, true)]);
    let beginning = Beginning::of(&made.bytes[..Beginning::LENGTH], 7);
    assert_eq!(beginning.marked, durable);
}

#[test]
fn a_segment_without_its_salt_is_damaged_as_a_whole() {
    let whole = file(&[vec![], vec![]]);
    let mut made = Made::new(0);
    made.add(raw_record(b"one"));
    assert_eq!(whole.len(), SegmentHeader::LENGTH);
    for (first, second) in [(3, 515), (59, 571), (20, 552)] {
        let mut bytes = made.bytes.clone();
        bytes[first] ^= 4;
        assert_eq!(read(&bytes).good.len(), 1);
        bytes[second] ^= 4;
        let found = read(&bytes);
        assert_eq!(
            found,
            Read { good: vec![], bad: vec![(0, bytes.len() as u64, true)], breaks: 0 }
        );
        // The next segment names the salt.
        let mut beginning = Beginning::of(&bytes[..Beginning::LENGTH], 7);
        beginning.assume(Layout::Salted(salt(SALT)));
        let file = SparseFile::whole(&bytes);
        let found = read_all(SegmentEntries::new(&file, file.length, &beginning));
        assert_eq!(
            (found.good.len(), &found.bad[..]),
            (1, &[(0, SegmentHeader::LENGTH as u64, true)][..])
        );
    }
}

/// Payloads that clients chose, with records in them: of format 2, and of format 3 as far as its
/// salt can be guessed.
fn forged(guess: u64) -> Vec<u8> {
    let payload = b"forged";
    let mut forged = unsalted_record(1, payload);
    for sequence in 0..4 {
        let mut record = raw_record(payload);
        let durable = SegmentHeader::LENGTH as u64;
        let group = Group { salt: salt(guess), durable, end: 1 << 40, synced_alone: true };
        complete(
            &mut record,
            &group,
            ChainEnd { next_sequence: sequence, checksum: 0, extent: Extent::EMPTY },
        );
        forged.extend(record);
    }
    forged
}

/// A record of format 2.
fn unsalted_record(sequence: u64, payload: &[u8]) -> Vec<u8> {
    let mut record = vec![0x9e, b'R', b'e', b'c', 1, 0, 0, 0];
    record.extend(u32::try_from(payload.len()).unwrap().to_le_bytes());
    record.extend(sequence.to_le_bytes());
    record.extend(crc32c::crc32c(payload).to_le_bytes());
    record.extend(crc32c::crc32c(&record).to_le_bytes());
    record.extend(payload);
    record
}

/// In format 2 what a client chose may pass for a record where bytes are damaged; what follows is
/// not lost for it when its number is too far ahead, and never when only a payload is damaged.
#[test]
fn a_forged_record_of_format_2_hides_nothing() {
    let forged = unsalted_record(1000, b"forged");
    let records =
        [unsalted_record(7, b"one"), unsalted_record(8, &forged), unsalted_record(9, b"three")];
    let whole = [SegmentHeaderV2::bytes(7), records.concat()].concat();
    let second = SegmentHeaderV2::LENGTH + records[0].len();
    let third = second + records[1].len();
    for place in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        let found = read(&bytes);
        let numbers: Vec<_> = found.good.iter().map(|(number, _)| *number).collect();
        let expected: &[u64] = match place {
            ..SegmentHeaderV2::LENGTH => &[7, 8, 9],
            _ if place < second => &[8, 9],
            _ if place < third => &[7, 9],
            _ => &[7, 8],
        };
        assert_eq!(numbers, expected, "{place}");
        let is_damage = place < third;
        assert!(matches!(found.bad[..], [(_, _, is)] if is == is_damage), "{place} {found:?}");
    }
}

fn finds_forged(bytes: &[u8]) -> bool {
    read(bytes).good.iter().any(|(_, payload)| payload == b"forged")
}

#[test]
fn what_clients_chose_never_passes_for_a_record() {
    for guess in [0, SALT ^ 1, SALT ^ 1 << 40, SALT] {
        let mut made = Made::new(0);
        made.add(raw_record(b"one"));
        made.add(raw_record(&forged(guess)));
        made.add(raw_record(b"two"));
        let mut is_found = false;
        for place in 0..made.bytes.len() {
            let mut bytes = made.bytes.clone();
            bytes[place] ^= 1 << (place % 8);
            is_found |= finds_forged(&bytes) || finds_forged(&bytes[..place]);
            // Both headers.
            let mut bytes = made.bytes.clone();
            bytes[5] ^= 1;
            bytes[SegmentHeader::SECOND + 5] ^= 1;
            bytes[place] ^= 0x10;
            is_found |= finds_forged(&bytes) || finds_forged(&bytes[..place]);
        }
        // The test can fail: with the salt itself they pass.
        assert_eq!(is_found, guess == SALT, "{guess:x}");
    }
}

proptest! {
    #[test]
    fn one_bad_byte_costs_one_record(
        batches in prop::collection::vec(rows(), 1..6),
        place in any::<prop::sample::Index>(),
        flip in 1..=255u8,
    ) {
        let mut file = file(&batches);
        let whole = read(&file);
        prop_assert_eq!(&decoded(&whole), &batches);
        prop_assert!(whole.bad.is_empty());
        let place = place.index(file.len());
        file[place] ^= flip;
        let Read { good, bad, breaks } = read(&file);
        prop_assert_eq!((bad.len(), breaks), (1, 0));
        let (start, end) = (bad[0].0, bad[0].0 + bad[0].1);
        prop_assert!((start..end).contains(&(place as u64)));
        let lost = usize::from(place >= SegmentHeader::LENGTH);
        prop_assert_eq!(good.len(), batches.len() - lost);
        prop_assert!(good.iter().all(|one| whole.good.contains(one)));
        prop_assert_eq!(bad[0].2, end < file.len() as u64);
    }

    #[test]
    fn a_cut_file_keeps_what_is_whole(batches in prop::collection::vec(rows(), 1..5)) {
        let whole = file(&batches);
        let all = read(&whole).good;
        for cut in 0..=whole.len() {
            let Read { good, bad, breaks } = read(&whole[..cut]);
            prop_assert_eq!(breaks, 0);
            prop_assert!(all.starts_with(&good));
            let length = |(_, payload): &(u64, Vec<u8>)| RecordHeader::LENGTH + payload.len();
            let end = SegmentHeader::LENGTH + good.iter().map(length).sum::<usize>();
            prop_assert!(bad.iter().all(|(_, _, is_damage)| !is_damage));
            if cut >= SegmentHeader::LENGTH {
                let torn = (cut > end).then(|| (end as u64, (cut - end) as u64, false));
                prop_assert_eq!(bad, torn.into_iter().collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn records_beyond_4_gib_are_found_and_damage_has_its_place(
        (before, after) in (rows(), rows()),
        damage in 1..2000u64,
    ) {
        let begin = 5 << 30;
        let record = |rows: &[SeriesPoint], place: u64, next_sequence| {
            let mut record = Vec::new();
            append_points(rows, &mut record);
            let end = place + record.len() as u64;
            let group = Group { salt: salt(SALT), durable: place, end, synced_alone: true };
            complete(&mut record, &group, ChainEnd { next_sequence, checksum: 0, extent: Extent::EMPTY });
            record
        };
        let first = record(&before, begin, 8);
        let place = begin + first.len() as u64 + damage;
        let last = record(&after, place, 9);
        let file = SparseFile {
            length: place + last.len() as u64,
            stretches: vec![(begin, first), (place, last)],
        };
        let mut beginning = Beginning::of(&[], 7);
        beginning.assume(Layout::Salted(salt(SALT)));
        let mut entries = SegmentEntries::new(&file, file.length, &beginning);
        (entries.at, entries.header_damage) = (begin, VecDeque::new());
        let found = read_all(entries);
        prop_assert_eq!(decoded(&found), [before, after]);
        prop_assert_eq!(found.bad, [(place - damage, damage, true)]);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read(&bytes);
        let mut beginning = Beginning::of(&bytes[..bytes.len().min(Beginning::LENGTH)], 7);
        beginning.assume(Layout::Salted(Salt::NONE));
        let file = SparseFile::whole(&bytes);
        let mut entries = SegmentEntries::new(&file, file.length, &beginning);
        while entries.next_entry().unwrap().is_some() {}
        decode_points(&bytes).for_each(drop);
        decode_series(&bytes).for_each(drop);
    }
}
