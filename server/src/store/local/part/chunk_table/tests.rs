use proptest::prelude::*;
use shared::Point;

use super::*;

/// Chunks as parts have them: series and times that rise, values of a few decimals, of any other kind, or none.
fn chunks() -> impl Strategy<Value = Vec<(ChunkEntry, Option<Summary>)>> {
    let value = prop_oneof![
        4 => (-1000..1000i32).prop_map(|cents| f64::from(cents) / 100.0),
        1 => any::<f64>(),
    ];
    let count = prop_oneof![4 => 1..4usize, 1 => 255..258usize];
    let chunk = (0..3u32, count, 1..1000i64, 0..100_u64, 1..5000u32, value);
    let start = prop_oneof![Just(i64::MIN), -1000..1_800_000_000i64];
    (any::<bool>(), start, prop::collection::vec(chunk, 0..400)).prop_map(
        |(is_far, start, chunks)| {
            let mut before = ChunkEntry { offset: 20, last: start, ..ChunkEntry::NONE };
            let (step, mut all) = (if is_far { 1 << 22 } else { 1 }, Vec::new());
            for (more, count, gap, hole, length, value) in chunks {
                let first = if more > 0 { start } else { before.last } + gap;
                let points: Vec<_> =
                    (first..).take(count).map(|timestamp| Point { timestamp, value }).collect();
                let mut entry = ChunkEntry {
                    series: before.series + more * step,
                    count: u32::try_from(count).unwrap(),
                    first,
                    last: points[count - 1].timestamp,
                    offset: before.offset
                        + u64::from(before.length)
                        + hole * u64::from(step).pow(2),
                    length,
                    ..ChunkEntry::NONE
                };
                let summary = if value.is_finite() { entry.summarize(&points) } else { None };
                all.push((entry, summary));
                before = entry;
            }
            all
        },
    )
}

fn table(chunks: &[(ChunkEntry, Option<Summary>)]) -> ChunkTable {
    chunks.iter().copied().collect()
}

proptest! {
    #[test]
    fn it_is_a_list_of_chunks(
        chunks in chunks(),
        before in prop::collection::vec(any::<u8>(), 0..20),
        behind in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let table = table(&chunks);
        let bytes = [&before, table.packed(), &behind].concat();
        let (read, series) = ChunkTable::read(bytes, before.len(), chunks.len()).unwrap();
        let mut expected: Vec<_> = chunks.iter().map(|(entry, _)| entry.series).collect();
        expected.dedup();
        prop_assert_eq!(series, expected);
        prop_assert_eq!(read.behind(), behind);
        let summaries: Vec<_> = table.summaries().map(Option::<&_>::copied).collect();
        prop_assert_eq!(read.large().count(), summaries.len());
        let read = read.complete(summaries).unwrap();
        prop_assert_eq!(read.behind(), []);
        for table in [&table, &read] {
            prop_assert_eq!(table.len(), chunks.len());
            prop_assert_eq!(table.points(), chunks.iter().map(|(entry, _)| u64::from(entry.count)).sum::<u64>());
            prop_assert!(table.iter().eq(chunks.iter().map(|(entry, _)| *entry)));
            let mut extent = Extent::EMPTY;
            for (entry, _) in &chunks {
                extent.add(entry.series, (entry.first, entry.last));
            }
            prop_assert_eq!(table.extent(), extent);
            for (at, (entry, summary)) in chunks.iter().enumerate() {
                prop_assert_eq!(table.get(at), Some(*entry));
                prop_assert_eq!(table.series(at), Some(entry.series));
                prop_assert_eq!(table.summary(at).copied(), *summary);
            }
            prop_assert_eq!((table.get(chunks.len()), table.series(chunks.len())), (None, None));
            prop_assert_eq!(table.last(), chunks.last().map(|(entry, _)| *entry));
        }
    }

    #[test]
    fn what_is_asked_for_is_found(
        chunks in chunks(),
        series in any::<prop::sample::Index>(),
        off in 0..3u32,
        (from, to) in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        step in 0..4u8,
        left_out in 0..4u32,
    ) {
        prop_assume!(!chunks.is_empty());
        let (table, of) = (table(&chunks), |index: prop::sample::Index| index.get(&chunks).0);
        let series = of(series).series.saturating_add(off).saturating_sub(1);
        let window = Window { from: of(from).last, to: of(to).first };
        let within = |(_, (entry, _)): &(usize, &(ChunkEntry, Option<Summary>))| {
            entry.series == series && window.intersects((entry.first, entry.last))
        };
        let expected: Vec<_> = chunks.iter().enumerate().filter(within).map(|(at, _)| at).collect();
        if !window.is_empty() {
            prop_assert!(table.within(series, window).eq(expected));
        }
        // By rising id, some of which are left out.
        let mut cursor = Cursor::default();
        let ids = chunks.iter().flat_map(|(entry, _)| [entry.series, entry.series.saturating_add(1)]);
        let ids: std::collections::BTreeSet<_> = ids.collect();
        for id in ids.into_iter().step_by(usize::from(step) + 1) {
            let expected = (0..chunks.len()).filter(|at| chunks[*at].0.series == id);
            let places = cursor.move_behind(&table, id);
            prop_assert!(places.clone().eq(expected));
            for at in [places.start, places.end] {
                prop_assert_eq!(cursor.get(&table, at), chunks.get(at).map(|(entry, _)| *entry));
            }
            let next = chunks.get(places.end).map(|(entry, _)| entry.series);
            prop_assert_eq!(cursor.next_series(&table), next);
            if id % 7 == 0 {
                cursor.forget();
            }
        }
        let rest = table.without(|entry| entry.series % 3 == left_out);
        let mut kept = chunks.clone();
        kept.retain(|(entry, _)| entry.series % 3 != left_out);
        prop_assert!(rest.iter().eq(kept.iter().map(|(entry, _)| *entry)));
        prop_assert!(rest.summaries().eq(kept.iter().filter(|(e, _)| e.is_large()).map(|(_, s)| s.as_ref())));
    }

    /// With a checksum that is right.
    #[test]
    fn damage_never_panics(
        chunks in chunks(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        count in 0..500usize,
    ) {
        let mut bytes = table(&chunks).packed().to_vec();
        bytes.push(0);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for count in [count, chunks.len()] {
            if let Some((table, _)) = ChunkTable::read(bytes.clone(), 0, count) {
                prop_assert_eq!(table.iter().count(), count);
                let mut cursor = Cursor::default();
                for series in (0..300).take(count) {
                    let places = cursor.move_behind(&table, series);
                    // All ways to look for a series find the same.
                    prop_assert_eq!(&places, &table.within(series, Window::ALL));
                    for at in places {
                        prop_assert_eq!(cursor.get(&table, at), table.get(at));
                    }
                }
                prop_assert_eq!(table.last(), table.iter().last());
                prop_assert_eq!(table.without(|_| false).len(), count);
            }
        }
    }

    #[test]
    fn a_place_is_found_as_a_slice_finds_it(before in 0..70usize, behind in 0..70usize, start in 0..10usize) {
        let end = start + before + behind;
        let is_before = |at| at < start + before;
        prop_assert_eq!(partition_point(start..end, is_before), start + before);
    }
}

#[test]
fn what_is_cut_off_or_out_of_order_is_none() {
    let entry = |series, offset| ChunkEntry { series, offset, length: 10, ..ChunkEntry::NONE };
    let is_read = |entries: &[ChunkEntry]| {
        let table: ChunkTable = entries.iter().map(|entry| (*entry, None)).collect();
        let (bytes, count) = (table.packed().to_vec(), entries.len());
        for cut in 0..bytes.len() {
            assert!(ChunkTable::read(bytes[..cut].to_vec(), 0, count).is_none(), "{cut}");
        }
        ChunkTable::read(bytes, 0, count).is_some()
    };
    let rising: Vec<_> = (0..300).map(|at| entry(at, 20 + u64::from(at) * 10)).collect();
    assert!(is_read(&rising));
    assert!(!is_read(&[entry(0, 19)]), "in the header");
    assert!(!is_read(&[entry(0, 20), entry(0, 29)]), "in the chunk before");
    assert!(!is_read(&[entry(1, 20), entry(0, 30)]), "series");
    assert!(!is_read(&[entry(0, u64::MAX - 9)]), "beyond all files");
    let swapped = [&rising[..128], &rising[256..], &rising[128..256]].concat();
    assert!(!is_read(&swapped), "series of blocks");
}

/// A chunk of one point for each of many series takes less than 6 bytes, in memory and on the disk.
#[test]
fn it_is_small() {
    let chunk = |series: u32| ChunkEntry {
        series,
        count: 1,
        first: 1_700_000_000 + i64::from(series % 16),
        last: 1_700_000_000 + i64::from(series % 16),
        offset: 20 + u64::from(series) * 70,
        length: 70,
        last_value: (f64::from(series % 1000) / 10.0).into(),
    };
    let table: ChunkTable = (0..10_000).map(|series| (chunk(series), None)).collect();
    assert!(table.packed().len() < 10_000 * 6, "{}", table.packed().len());
    assert_eq!(table.bytes.capacity(), table.packed().len());
}

#[test]
fn a_block_is_as_it_is_described() {
    let chunks = [
        ChunkEntry {
            series: 3,
            count: 1,
            first: 100,
            last: 100,
            offset: 20,
            length: 70,
            last_value: 0.5.into(),
        },
        ChunkEntry {
            series: 5,
            count: 4,
            first: 98,
            last: 105,
            offset: 90,
            length: 75,
            last_value: (-0.25).into(),
        },
    ];
    let mut expected = Vec::new();
    for least in [3_u64, 20, 70, 1, 98, 0, (-25_i64).cast_unsigned()] {
        expected.extend(least.to_le_bytes());
    }
    expected.extend([2, 7, 3, 2, 2, 3, 7, 2]);
    expected.extend([2 << 2, 0x00, 0x23, 5 << 3, 3 << 2, 2, 7 << 3, 75, 0]);
    let table: ChunkTable = chunks.into_iter().map(|chunk| (chunk, None)).collect();
    assert_eq!(table.packed(), expected);
}

/// What is behind the last series costs nothing: a cursor there unpacks no block.
#[test]
fn a_cursor_at_the_end_holds_what_it_held() {
    let entry = |at: u32| ChunkEntry {
        series: at,
        count: 1,
        offset: 20 + u64::from(at),
        length: 1,
        ..ChunkEntry::NONE
    };
    let table: ChunkTable = (0..200).map(|at| (entry(at), None)).collect();
    let mut cursor = Cursor::default();
    assert_eq!(cursor.move_behind(&table, 199), 199..200);
    cursor.forget();
    for series in 200..210 {
        assert_eq!(cursor.move_behind(&table, series), 200..200);
        assert_eq!(cursor.next_series(&table), None);
    }
    assert_eq!(cursor.unpacked(), 0);
}

/// The header of a block that says a lesser id than any of its chunks has hides none of the block before.
#[test]
fn what_a_header_says_of_the_least_id_is_not_relied_on() {
    let entry = |(at, series): (u64, u32)| ChunkEntry {
        series,
        count: 1,
        offset: 20 + at,
        length: 1,
        ..ChunkEntry::NONE
    };
    let series = (0..128).chain([100]).chain(129..256);
    let table: ChunkTable = (0..).zip(series).map(|chunk| (entry(chunk), None)).collect();
    let mut bytes = table.packed().to_vec();
    // Of eight bits each, the first difference to the id that the header says.
    let header = size_of::<block::BlockHeader>();
    bytes[table.blocks[1] + header] += 28;
    let (table, series) = ChunkTable::read(bytes, 0, 256).unwrap();
    assert!(series.into_iter().eq(0..256));
    for (at, series) in (0..256).enumerate() {
        assert_eq!(table.within(series, Window::ALL), at..at + 1);
    }
}
