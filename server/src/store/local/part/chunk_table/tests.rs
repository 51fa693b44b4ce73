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
            let (mut step, mut all) = (if is_far { 1 << 22 } else { 1 }, Vec::new());
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
                step = step.max(1);
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
        let (read, series) = ChunkTable::read(bytes, before.len(), chunks.len(), 20).unwrap();
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
        (without, count) in (any::<prop::sample::Index>(), 0..300usize),
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
        let places = without.index(chunks.len())..(without.index(chunks.len()) + count).min(chunks.len());
        let rest = table.without(&places);
        let mut kept = chunks.clone();
        kept.drain(places);
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
            if let Some((table, _)) = ChunkTable::read(bytes.clone(), 0, count, 20) {
                prop_assert_eq!(table.iter().count(), count);
                table.within(3, Window { from: 0, to: 1 << 40 });
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
            assert!(ChunkTable::read(bytes[..cut].to_vec(), 0, count, 20).is_none(), "{cut}");
        }
        ChunkTable::read(bytes, 0, count, 20).is_some()
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

/// A chunk of one point for each of a million series takes some 10 bytes in memory, and no more on the disk.
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
