//! Puts that spell records and chunks: whatever is damaged around them, nothing that was never put
//! appears, and nothing acknowledged is lost but what was hit.

use std::collections::BTreeMap;

use zerocopy::{FromBytes, IntoBytes};

use super::super::*;
use super::{
    Damage, all_damages, batch, damaged, log_damages, logged, missing, names, without_rotation,
};
use crate::store::local::disk::Disk;
use crate::store::local::file_name::FileName;
use crate::store::local::part::header::{ChunkEntry, ChunkHeader, LastValue};
use crate::store::local::salt::Salt;
use crate::store::local::series::loss::Extent;
use crate::store::local::series::series_point::SeriesPoint;
use crate::store::local::wal::header::{Group, RecordHeader, RecordKind, SegmentHeader};
use crate::store::local::wal::record::{ChainEnd, append_points, complete};

const KEY: &str = "series0";

/// Bytes of the forged payload.
const PAYLOAD: usize = 512;

/// The salt that the client guesses.
fn guess() -> Salt {
    Salt::NONE
}

fn points(rows: &[(i64, u64)]) -> Vec<SeriesPoint> {
    let point = |&(timestamp, bits)| Point { timestamp, value: f64::from_bits(bits) };
    rows.iter().map(|row| SeriesPoint { series: 0, point: point(row) }).collect()
}

/// The payload of a batch of these points.
fn payload(rows: &[(i64, u64)]) -> Vec<u8> {
    let mut record = Vec::new();
    append_points(&points(rows), &mut record);
    record.split_off(RecordHeader::LENGTH)
}

/// Timestamps and values of one series whose batch holds a whole record `sequence` of a segment, right
/// but for its salt. Its payload is a batch of points that were never put.
fn forged_record(sequence: u16) -> Vec<(i64, u64)> {
    // In a batch two bytes stand before each value: how far it is from the one before in series and
    // time. The last eight of the first nine values are the header. Of the bytes before those, the
    // second belongs to the length, the number, the durable place, the end of the group, the last
    // series, the first time and the times before: so much later a point is, and zigzag makes twice of
    // that.
    let length_step = i64::try_from(PAYLOAD >> 8).unwrap() / 2;
    let start = 1000;
    let times = [start, start + length_step, start + length_step, start + length_step];
    let end_of_group = times[3] + 1;
    let mut rows: Vec<(i64, u64)> = times.map(|time| (time, 0)).to_vec();
    rows.extend([(end_of_group, 0); 5]);
    // 49 points a second apart take ten bytes each, two that are a hundred seconds apart eleven.
    for number in 1..=49 {
        rows.push((end_of_group + number, f64::to_bits(0.25)));
    }
    rows.extend([1, 2].map(|number| (end_of_group + 49 + 100 * number, f64::to_bits(0.25))));

    let whole = payload(&rows);
    let forged = &whole[whole.len() - PAYLOAD..];
    let crc = crc32c::crc32c(forged);
    let about = Extent::of(0, (0, 0));
    for previous in 0.. {
        let mut record =
            [RecordHeader::new(RecordKind::Points, forged, &about).as_bytes(), forged].concat();
        let durable = SegmentHeader::LENGTH as u64;
        let group = Group { salt: guess(), durable, end: 2 << 56, synced_alone: false };
        let before = ChainEnd { next_sequence: sequence.into(), checksum: previous, extent: about };
        complete(&mut record, &group, before);
        assert_eq!(record[12..16], crc.to_le_bytes());
        let value = |at: usize| u64::from_le_bytes(record[at..at + 8].try_into().unwrap());
        for (row, at) in (0..=80).step_by(10).enumerate() {
            rows[row].1 = value(at);
        }
        // Values are finite.
        if rows.iter().all(|row| f64::from_bits(row.1).is_finite()) {
            let whole = payload(&rows);
            let place = whole.len() - record.len();
            assert_eq!(whole[place..], record, "the batch holds the record");
            return rows;
        }
    }
    unreachable!("no header with finite values");
}

fn as_rows(points: &[(i64, u64)]) -> Vec<Row> {
    points.iter().map(|&(time, bits)| (KEY.to_owned(), time, f64::from_bits(bits))).collect()
}

/// The rows that count, of those that were sent.
fn last_written(sent: &[Row]) -> Vec<Row> {
    let by_place: BTreeMap<_, _> = sent.iter().map(|row| ((&row.0, row.1), row)).collect();
    by_place.into_values().cloned().collect()
}

#[tokio::test]
async fn a_record_in_the_values_of_a_batch_is_never_found() {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, without_rotation()).unwrap();
    let mut batches = vec![batch(0)];
    assert_eq!(put(&store, &batches[0]).await, Ok(vec![]));
    // The first batch took three records and those with keys.
    for sequence in [3, 4] {
        batches.push(as_rows(&forged_record(sequence)));
        assert_eq!(put(&store, batches.last().unwrap()).await, Ok(vec![]));
    }
    for number in 1..4 {
        batches.push(batch(number));
        assert_eq!(put(&store, batches.last().unwrap()).await, Ok(vec![]));
    }
    let image = disk.visible();
    within(store.close()).await;

    let sent = batches.concat();
    let counts = last_written(&sent);
    let name = &names(&image, |name| matches!(name, FileName::Segment(_)))[0];
    for damage in log_damages(image[name].len()) {
        let what = format!("{damage:?}");
        if matches!(damage, Damage::Cut(at) if at % 7 != 0) {
            continue;
        }
        let disk = SimDisk::new(damaged(&image, name, damage));
        let recover = || read_what_is_left(&recovered(&disk, without_rotation()).unwrap().state);
        let (found, log) = logged(recover);
        assert!(found.iter().all(|row| sent.contains(row)), "{what}: what was never put");
        let found = last_written(&found);
        let lost: Vec<_> = counts.iter().filter(|row| !found.contains(row)).collect();
        if let Damage::Flip(_) = damage {
            let hit = batches.iter().filter(|batch| lost.iter().any(|row| batch.contains(row)));
            // A batch that replaces points of another one brings those back.
            assert!(hit.count() <= 2, "{what}: lost {lost:?}");
            assert!(lost.is_empty() || log.contains(name.as_str()), "{what}: {log}");
        }
    }
}

/// A chunk of one point that was never put, as values.
fn forged_chunk() -> Vec<f64> {
    for timestamp in 77.. {
        let mut body = b"k\x08".to_vec();
        body.extend([154, 1, 0]);
        body.extend(0.5_f64.to_le_bytes());
        let entry = ChunkEntry {
            series: 0,
            count: 1,
            first: timestamp,
            last: timestamp,
            offset: 0,
            length: u32::try_from(ChunkHeader::LENGTH + body.len()).unwrap(),
            last_value: LastValue::UNKNOWN,
        };
        let mut bytes = ChunkHeader::new(&entry, 1, &body, guess()).as_bytes().to_vec();
        bytes.extend(body);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        let values: Vec<_> =
            bytes.chunks(8).map(|value| f64::from_le_bytes(value.try_into().unwrap())).collect();
        if values.iter().all(|value| value.is_finite()) {
            return values;
        }
    }
    unreachable!("no chunk of finite values");
}

#[tokio::test]
async fn a_chunk_in_the_values_of_a_chunk_is_never_found() {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, without_rotation()).unwrap();
    let values = forged_chunk();
    let sent: Vec<Row> =
        (1000..).zip(&values).map(|(at, value)| ("k".to_owned(), at, *value)).collect();
    assert_eq!(put(&store, &sent).await, Ok(vec![]));
    assert_eq!(put(&store, &[("other".to_owned(), 1, 0.5)]).await, Ok(vec![]));
    within(store.close()).await;
    let image = disk.visible();
    let sent = [&sent[..], &[("other".to_owned(), 1, 0.5)]].concat();
    let name = &names(&image, |name| matches!(name, FileName::Part(_)))[0];
    let spelled: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let place = image[name].windows(spelled.len()).position(|bytes| *bytes == spelled);
    assert!(place.is_some(), "the part holds the chunk");
    for damage in all_damages(image[name].len()) {
        // Alone, without an index, and without header and footer.
        let mut images = vec![damaged(&image, name, damage); 3];
        for image in &mut images[1..] {
            if let Some(last) = image.get_mut(name).and_then(|bytes| bytes.last_mut()) {
                *last ^= 3;
            }
        }
        if let Some(first) = images[2].get_mut(name).and_then(|bytes| bytes.first_mut()) {
            *first ^= 3;
        }
        for image in images {
            let disk = SimDisk::new(image);
            let found = read_what_is_left(&recovered(&disk, without_rotation()).unwrap().state);
            missing(&sent, &found, &format!("{damage:?}"));
        }
    }
}

/// Two files never have the same salt.
#[test]
fn each_file_has_a_salt_of_its_own() {
    let root = tempfile::tempdir().unwrap();
    let disk = data_directory::open(root.path()).unwrap();
    let disk: &dyn Disk = &*disk;
    let salts: Vec<_> = (0..20).map(|_| Salt::draw(disk).unwrap()).collect();
    for (at, salt) in salts.iter().enumerate() {
        assert!(*salt != Salt::NONE && !salts[..at].contains(salt));
    }
    assert_ne!(Salt::read_from_bytes(&[1; 8]).unwrap(), Salt::read_from_bytes(&[2; 8]).unwrap());
}
