//! Damage is never passed off as emptiness: a `get` that needs what is gone is an error, and all others
//! are answered as ever.

use std::num::NonZeroU64;
use std::time::Duration;

use shared::selector::Aggregate;

use super::super::*;
use super::missing::bad_sector;
use super::{Damage, damaged, logged, names, without_rotation};
use crate::clock::Clock;
use crate::store::local::file_list::FileList;
use crate::store::local::part::header::{ChunkHeader, FileHeader, IndexPlace};
use crate::store::local::wal::header::RecordHeader;
use crate::store::query::{KeySelection, Select, Step};

fn row(key: &str, timestamp: i64) -> Row {
    (key.to_owned(), timestamp, 0.5)
}

fn keys(pattern: &str) -> KeySelection {
    match Key::new(pattern) {
        Ok(key) => KeySelection::One(key.to_owned()),
        Err(_) if pattern == "*" => KeySelection::All,
        Err(_) => KeySelection::Glob(
            shared::Selector::from_bytes(pattern.as_bytes()).unwrap().pattern().into(),
        ),
    }
}

fn points(pattern: &str, from: i64, to: i64) -> Query {
    Query { keys: keys(pattern), select: Select::Points(Window { from, to }) }
}

fn all(pattern: &str) -> Query {
    points(pattern, i64::MIN, i64::MAX)
}

fn last(pattern: &str, count: u64, to: i64) -> Query {
    let count = NonZeroU64::new(count).unwrap();
    Query { keys: keys(pattern), select: Select::Newest { count, to, or_later: true } }
}

fn buckets(pattern: &str, how: Aggregate) -> Query {
    let step = Step::All { stamp: None };
    Query { keys: keys(pattern), select: Select::Buckets { window: Window::ALL, step, how } }
}

/// The reasons of the refusals, empty for those that are answered.
fn refusals(state: &Arc<StoreState>, queries: &[Query]) -> Vec<String> {
    let told = |answer: Result<_, ReadError>| match answer {
        Ok(_) => String::new(),
        Err(error @ (ReadError::Damaged(_) | ReadError::Unreadable(_))) => error.to_string(),
        Err(error) => panic!("{error}"),
    };
    answers(state, queries).into_iter().map(told).collect()
}

fn state_of(disk: &SimDisk, config: LocalConfig) -> Arc<StoreState> {
    Arc::new(recovered(disk, config).unwrap().state)
}

fn file(image: &Image, kind: &str) -> String {
    let mut names = names(image, |name| name.to_string().starts_with(kind));
    assert_eq!(names.len(), 1, "{names:?}");
    names.remove(0)
}

/// Where the body of each chunk of a part begins, by the keys in front of the points.
fn place_of(bytes: &[u8], key: &str) -> usize {
    let found = bytes.windows(key.len()).position(|window| window == key.as_bytes());
    found.unwrap() + key.len()
}

/// Three series in a part, one of which has a chunk that is damaged.
async fn damaged_part() -> (Image, String) {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, without_rotation()).unwrap();
    for key in ["one.a", "two.a", "three.b"] {
        put(&store, &[row(key, 10), row(key, 20), row(key, 30)]).await.unwrap();
    }
    within(store.close()).await;
    let image = disk.visible();
    let name = file(&image, "part-");
    let place = place_of(&image[&name], "two.a");
    (damaged(&image, &name, Damage::Flip(place + 2)), name)
}

const TWO: &str = "the disk has lost points of two.a from 10 to 30";

#[tokio::test]
async fn a_get_that_needs_a_damaged_chunk_is_refused_and_no_other() {
    let (image, name) = damaged_part().await;
    let state = state_of(&SimDisk::new(image), without_rotation());
    let refused = [
        all("two.a"),
        all("*"),
        all("*.a"),
        points("two.a", 30, 99),
        last("two.a", 2, 99),
        last("*", 2, 99),
        last("two.a", 1, 29),
        buckets("two.a", Aggregate::P50),
        buckets("t*", Aggregate::Sum),
    ];
    let answered = [
        all("one.a"),
        all("t*.b"),
        points("two.a", 31, 99),
        points("*", 0, 9),
        // The index knows the last point, and how many there are.
        last("two.a", 1, 99),
        last("*", 1, 99),
        buckets("*", Aggregate::Count),
        all("unknown"),
    ];
    // Before it is known, and after.
    for _ in 0..2 {
        let (told, _) = logged(|| refusals(&state, &refused));
        assert!(told.iter().all(|reason| reason == TWO), "{told:?}");
        assert_eq!(refusals(&state, &answered), [""; 8]);
    }
    assert_eq!(state.status().damages, 1);
    let read = &answers(&state, &answered)[..1];
    assert_eq!(read, [Ok(vec![row("one.a", 10), row("one.a", 20), row("one.a", 30)])]);
    assert!(state.memory().parts[0].to_string() == name);
}

/// What is found in the middle of an answer is known before the next one.
#[tokio::test]
async fn an_answer_that_meets_damage_breaks_off_and_the_next_one_is_refused_at_once() {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, without_rotation()).unwrap();
    let rows: Vec<_> = (0..40_000).map(|at| row("long", at)).collect();
    put(&store, &rows).await.unwrap();
    put(&store, &[row("short", 1), row("short", 3)]).await.unwrap();
    within(store.close()).await;
    let image = disk.visible();
    let name = file(&image, "part-");
    let place = place_of(&image[&name], "short");
    let disk = SimDisk::new(damaged(&image, &name, Damage::Flip(place + 1)));
    let store = open(&disk, without_rotation()).unwrap();
    let mut told = 0;
    let mut cursor = store.get(Query::all());
    let error = loop {
        match within(crate::store::Cursor::next_block(&mut cursor)).await {
            Ok(Some(block)) => told += block.len(),
            Ok(None) => panic!("the answer looks whole"),
            Err(error) => break error,
        }
    };
    assert!(told > 0, "nothing of the answer is out");
    assert_eq!(error.to_string(), "the disk has lost points of short from 1 to 3");
    let mut cursor = store.get(Query::all());
    let again = within(crate::store::Cursor::next_block(&mut cursor)).await;
    assert_eq!(again, Err(error));
    assert_eq!(contract::read(&store, all("long")).await.len(), rows.len());
    within(store.close()).await;
}

/// A bad sector is told like other damage.
#[tokio::test]
async fn a_chunk_that_cannot_be_read_is_refused_by_its_key_and_no_other() {
    let (image, name) = damaged_part().await;
    let place = place_of(&image[&name], "two.a") + 1;
    let disk = SimDisk::new(image);
    let state = state_of(&disk, without_rotation());
    bad_sector(&disk, &name, place);
    let refused = [
        all("two.a"),
        all("*"),
        last("two.a", 2, 99),
        last("two.a", 1, 29),
        last("t*", 1, 29),
        buckets("t*", Aggregate::P50),
    ];
    let told = vec![format!("{TWO}: they can't be read at the moment"); 6];
    let answered = [all("one.a"), all("{one,three}.*"), points("*", 31, 99), last("*", 1, 99)];
    for _ in 0..2 {
        assert_eq!(logged(|| refusals(&state, &refused)).0, told);
        assert_eq!(refusals(&state, &answered), [""; 4]);
    }
    assert_eq!(state.status().damages, 1);
    // What comes first is not sent any more, once that is known.
    let mut reader = LocalReader::new(Arc::clone(&state), all("*"));
    assert!(within(crate::store::Cursor::next_block(&mut reader)).await.is_err());
}

/// What could not be read for a while is as good as any other later.
#[tokio::test]
async fn a_chunk_that_can_be_read_again_is_answered() {
    let (image, name) = damaged_part().await;
    let mut sound = image.clone();
    let place = place_of(&image[&name], "two.a");
    sound.get_mut(&name).unwrap()[place + 2] ^= 1 << ((place + 2) % 8);
    let disk = SimDisk::new(sound);
    let state = state_of(&disk, without_rotation());
    let whole = answers(&state, &[all("*")]);
    disk.on_call(|verb, _| (verb == Verb::Read).then_some(std::io::ErrorKind::Other));
    let failed = answers(&state, &[all("*"), all("*")]);
    assert!(failed.iter().all(|answer| matches!(answer, Err(ReadError::Unreadable(_)))));
    assert!(state.status().damages > 0);
    disk.no_faults();
    assert_eq!(answers(&state, &[all("*")]), whole);
    assert_eq!(state.status().damages, 0);
}

/// Merges and rewrites keep the loss, and so do starts.
#[tokio::test]
async fn a_loss_outlives_merges_and_starts_until_it_is_deleted_or_expired() {
    let (image, name) = damaged_part().await;
    let disk = SimDisk::new(image.clone());
    let store = open(&disk, without_rotation()).unwrap();
    put(&store, &[row("one.a", 40), row("four.c", 50)]).await.unwrap();
    within(store.close()).await;
    let evidence = image[&name].clone();
    for round in 0..3 {
        let state = state_of(&disk, without_rotation());
        assert_eq!(refusals(&state, &[all("*"), all("two.a")]), [TWO; 2], "round {round}");
        assert_eq!(refusals(&state, &[all("{one,three}.*"), points("*", 31, 99)]), ["", ""]);
        let parts = Arc::clone(&state.memory().parts);
        logged(|| compaction::merge(&state, &parts, NOTHING_EXPIRED).unwrap());
        // No index has its last point any more.
        assert_eq!(refusals(&state, &[all("*"), last("two.a", 1, 99)]), [TWO; 2]);
        assert!(state.index().find(Key::new("two.a").unwrap()).is_some());
    }
    assert_eq!(disk.visible()[&format!("{}{name}", file_name::DAMAGED)], evidence);

    // A part of it is taken back, then all of it.
    for (window, is_left) in
        [(Window { from: 20, to: 99 }, true), (Window { from: 0, to: 19 }, false)]
    {
        let is_refused = |state: &Arc<StoreState>| {
            let told = refusals(state, &[all("two.a"), points("*", 15, 16)]);
            told.iter().map(|reason| !reason.is_empty()).collect::<Vec<_>>()
        };
        let store = open(&disk, without_rotation()).unwrap();
        let deletion = Deletion { keys: keys("two.a"), window };
        within(store.delete(deletion)).await.unwrap();
        assert_eq!(is_refused(&store.state), [is_left; 2]);
        within(store.close()).await;
        let state = state_of(&disk, without_rotation());
        assert_eq!(is_refused(&state), [is_left; 2]);
        let parts = Arc::clone(&state.memory().parts);
        compaction::merge(&state, &parts, NOTHING_EXPIRED).unwrap();
        let state = state_of(&disk, without_rotation());
        // The merge has taken out of the loss what was deleted.
        assert_eq!(refusals(&state, &[points("two.a", 20, 99)]), [""]);
        assert_eq!(is_refused(&state), [is_left; 2]);
    }
    let state = state_of(&disk, without_rotation());
    assert_eq!(refusals(&state, &[all("*")]), [""]);
    assert!(state.index().find(Key::new("two.a").unwrap()).is_none());
}

#[tokio::test]
async fn retention_ends_a_loss() {
    let (image, _) = damaged_part().await;
    let at = |now| LocalConfig {
        retention: Some(Duration::from_secs(100)),
        clock: Clock::new(move || now),
        ..without_rotation()
    };
    let disk = SimDisk::new(image);
    assert_eq!(refusals(&state_of(&disk, at(110)), &[all("two.a")]), [TWO]);
    assert_eq!(refusals(&state_of(&disk, at(131)), &[all("two.a"), all("*")]), ["", ""]);
    // So does the part that is written without what is expired.
    let state = state_of(&disk, at(131));
    let parts = Arc::clone(&state.memory().parts);
    let expiry = Expiry { cutoff: 31, ..NOTHING_EXPIRED };
    logged(|| compaction::merge(&state, &parts, expiry).unwrap());
    assert!(state.memory().parts[0].losses().is_empty());
}

/// Without an index the places of chunks say which series are gone between them.
#[tokio::test]
async fn what_is_gone_of_a_part_without_index_is_known_by_its_neighbours() {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, without_rotation()).unwrap();
    for key in ["a", "b", "c", "d", "e"] {
        put(&store, &[row(key, 10), row(key, 20)]).await.unwrap();
    }
    within(store.close()).await;
    let mut image = disk.visible();
    // It would say within which times all of it was.
    image.retain(|name, _| !FileList::NAMES.contains(&&**name));
    let name = file(&image, "part-");
    let bytes = &image[&name];
    let tail = &bytes[bytes.len() - IndexPlace::FOOTER_LENGTH..];
    let kind = part::header::FileKind::of(bytes);
    let place = IndexPlace::find(kind, tail, bytes.len() as u64).unwrap();
    let index = usize::try_from(place.index_offset).unwrap();
    let without_index = damaged(&image, &name, Damage::Flip(index + 3));
    // Chunks of one length each.
    let length = (usize::try_from(place.deletes_offset.unwrap()).unwrap() - FileHeader::LENGTH) / 5;
    let chunk = |number: usize| FileHeader::LENGTH + number * length;
    let state = |at: usize| {
        let image = damaged(&without_index, &name, Damage::Flip(at));
        logged(|| state_of(&SimDisk::new(image), without_rotation())).0
    };
    let told = |state: &Arc<StoreState>, queries: &[Query]| {
        let told = refusals(state, queries);
        told.iter().map(|reason| !reason.is_empty()).collect::<Vec<_>>()
    };
    // The body of the third chunk: its header says what it was. Nothing but it knew the key.
    let bodies = state(chunk(2) + ChunkHeader::LENGTH + 2);
    assert_eq!(
        told(&bodies, &[all("a"), all("d"), all("c"), all("*")]),
        [false, false, true, true]
    );
    assert_eq!(told(&bodies, &[points("c", 21, 99), points("*", 21, 99)]), [false, false]);
    // Its header: it is somewhere between those beside it.
    let headers = state(chunk(2) + 9);
    assert_eq!(
        told(&headers, &[all("a"), all("c"), all("e"), all("*")]),
        [false, true, false, true]
    );
    assert_eq!(told(&headers, &[points("b", 0, 20), points("b", 21, 30)]), [false, true]);
    assert_eq!(told(&headers, &[points("d", 10, 99), points("d", 0, 9)]), [false, true]);
    // Put anew, it is another series; what it had before is gone all the same.
    let disk = SimDisk::new(damaged(&without_index, &name, Damage::Flip(chunk(2) + 9)));
    let store = open(&disk, without_rotation()).unwrap();
    put(&store, &[row("c", 30)]).await.unwrap();
    assert_eq!(told(&store.state, &[all("c"), all("a")]), [true, false]);
    within(store.close()).await;
    let (state, _) = logged(|| state_of(&disk, without_rotation()));
    assert_eq!(told(&state, &[all("c"), all("a")]), [true, false]);
}

/// Nothing names the keys that are gone, so that no `del KEY` can.
#[tokio::test]
async fn a_deletion_of_every_key_ends_losses_of_unknown_ones() {
    let (mut image, name) = killed_log().await;
    let places = records(&image[&name]);
    for record in &places[5..8] {
        image.get_mut(&name).unwrap()[record + RecordHeader::LENGTH + 1] ^= 1;
    }
    let queries = [all("three.b"), all("*"), points("*", 25, 26), all("one.a")];
    for (pattern, window, expected) in [
        // The series of a key that is deleted is not known any more.
        ("one.*", Window::ALL, [true; 4]),
        ("*", Window { from: 20, to: 99 }, [true, true, false, false]),
        ("*", Window::ALL, [false; 4]),
        ("**", Window::ALL, [false; 4]),
    ] {
        let what = format!("del {pattern} of {window:?}");
        let disk = SimDisk::new(image.clone());
        let (store, _) = logged(|| open(&disk, without_rotation()).unwrap());
        let is_refused = |state: &Arc<StoreState>| {
            let told = refusals(state, &queries);
            told.iter().map(|reason| !reason.is_empty()).collect::<Vec<_>>()
        };
        assert_eq!(is_refused(&store.state), [true, true, true, false]);
        within(store.delete(Deletion { keys: keys(pattern), window })).await.unwrap();
        assert_eq!(is_refused(&store.state), expected, "{what}");
        put(&store, &[row("three.b", 500)]).await.unwrap();
        assert_eq!(refusals(&store.state, &[points("three.b", 500, 500)]), [""]);
        let killed = disk.visible();
        within(store.close()).await;
        // From the log, and from parts that are merged.
        for disk in [SimDisk::new(killed), disk] {
            for start in 0..3 {
                let (store, _) = logged(|| open(&disk, without_rotation()).unwrap());
                let state = Arc::clone(&store.state);
                assert_eq!(is_refused(&state), expected, "{what}, start {start}");
                let found = answers(&state, &[points("three.b", 500, 500)]).remove(0);
                assert_eq!(found, Ok(vec![row("three.b", 500)]), "{what}");
                put(&store, &[row("one.a", 1000 + start)]).await.unwrap();
                within(store.close()).await;
            }
        }
    }
}

/// What a killed store leaves in its log that put each key three times, a batch each.
async fn killed_log() -> (Image, String) {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, without_rotation()).unwrap();
    put(&store, &[row("one.a", 5), row("two.a", 5)]).await.unwrap();
    for key in ["one.a", "two.a", "three.b"] {
        put(&store, &[row(key, 10), row(key, 20), row(key, 30)]).await.unwrap();
    }
    put(&store, &[row("one.a", 40)]).await.unwrap();
    put(&store, &[row("one.a", 50)]).await.unwrap();
    let image = disk.visible();
    within(store.close()).await;
    let name = file(&image, "log-");
    (image, name)
}

/// The places of the records of a log.
fn records(bytes: &[u8]) -> Vec<usize> {
    let magic = [0x9e, b'R', b'e', b'3'];
    let places = bytes.windows(4).enumerate().filter(|(_, window)| *window == magic);
    places.map(|(place, _)| place).collect()
}

#[tokio::test]
async fn a_damaged_record_of_the_log_refuses_what_its_header_says() {
    let (image, name) = killed_log().await;
    let places = records(&image[&name]);
    // Names, a batch, names; a batch; a batch; names, a batch, names; two batches.
    assert_eq!(places.len(), 10);
    let disk =
        SimDisk::new(damaged(&image, &name, Damage::Flip(places[4] + RecordHeader::LENGTH + 4)));
    let refused = [all("two.a"), all("*"), points("*.a", 30, 99)];
    let answered =
        [all("one.a"), all("three.b"), points("*", 31, 99), points("two.a", 0, 9), all("unknown")];
    let check = |state: &Arc<StoreState>, what: &str| {
        assert_eq!(refusals(state, &refused), [TWO; 3], "{what}");
        assert_eq!(refusals(state, &answered), [""; 5], "{what}");
    };
    let (recovered, _) = logged(|| recovered(&disk, without_rotation()).unwrap());
    assert_eq!(recovered.state.status().damages, 1);
    check(&Arc::new(recovered.state), "after a start");
    // A start that ends in order writes a part, then parts are merged.
    for round in 0..3 {
        let (store, _) = logged(|| open(&disk, without_rotation()).unwrap());
        check(&store.state, &format!("round {round}"));
        put(&store, &[row("one.a", 60 + round), row(&format!("more{round}"), 1000)]).await.unwrap();
        check(&store.state, &format!("round {round} with a put"));
        settle(&store);
        within(store.close()).await;
    }
    let state = state_of(&disk, without_rotation());
    let parts = Arc::clone(&state.memory().parts);
    compaction::merge(&state, &parts, NOTHING_EXPIRED).unwrap();
    check(&state, "merged");
    let store = open(&disk, without_rotation()).unwrap();
    let window = Window { from: 10, to: 30 };
    within(store.delete(Deletion { keys: keys("two.a"), window })).await.unwrap();
    assert_eq!(refusals(&store.state, &refused), [""; 3]);
    within(store.close()).await;
    assert_eq!(refusals(&state_of(&disk, without_rotation()), &refused), [""; 3]);
}

/// A deletion that was made before the points that are gone does not end their loss, one that was made
/// later does.
#[tokio::test]
async fn deletions_in_the_log_count_for_what_was_put_before() {
    for is_later in [false, true] {
        let disk = SimDisk::new(Image::new());
        let store = open(&disk, without_rotation()).unwrap();
        put(&store, &[row("a", 1), row("b", 1)]).await.unwrap();
        let deletion = Deletion { keys: keys("a"), window: Window::ALL };
        if !is_later {
            within(
                store.delete(Deletion { window: Window { from: 2, to: 9 }, ..deletion.clone() }),
            )
            .await
            .unwrap();
        }
        put(&store, &[row("a", 5)]).await.unwrap();
        if is_later {
            within(store.delete(deletion)).await.unwrap();
        }
        put(&store, &[row("b", 2)]).await.unwrap();
        put(&store, &[row("b", 3)]).await.unwrap();
        let image = disk.visible();
        within(store.close()).await;
        let name = file(&image, "log-");
        let places = records(&image[&name]);
        let hit = places[if is_later { 3 } else { 4 }] + RecordHeader::LENGTH + 1;
        let disk = SimDisk::new(damaged(&image, &name, Damage::Flip(hit)));
        let (state, _) = logged(|| state_of(&disk, without_rotation()));
        let told = refusals(&state, &[all("a"), all("b")]);
        let expected = if is_later { "" } else { "the disk has lost points of a from 5 to 5" };
        assert_eq!(told, [expected, ""], "deleted later: {is_later}");
    }
}

#[tokio::test]
async fn damaged_headers_of_the_log_refuse_the_times_before_the_next_one() {
    let (image, name) = killed_log().await;
    let places = records(&image[&name]);
    let disk = SimDisk::new(damaged(&image, &name, Damage::Flip(places[4] + 9)));
    let (state, _) = logged(|| state_of(&disk, without_rotation()));
    let told = refusals(&state, &[all("two.a"), all("*"), points("*", 31, 99), points("*", 0, 4)]);
    assert!(told[0].contains("two.a from 5 to 30"), "{told:?}");
    assert!(!told[1].is_empty());
    assert_eq!(told[2..], ["", ""]);
    // With its names and the points, twice: nothing knows any more which series there were.
    let mut image = image;
    for record in &places[5..8] {
        image.get_mut(&name).unwrap()[record + RecordHeader::LENGTH + 1] ^= 1;
    }
    let (state, _) = logged(|| state_of(&SimDisk::new(image), without_rotation()));
    let told = refusals(&state, &[all("three.b"), all("one.a"), points("*", 31, 99)]);
    assert!(told[0].contains("unknown keys from 10 to 30"), "{told:?}");
    assert_eq!(told[1..], ["", ""]);
    // A list is what its keys are, a pattern may be about any.
    let told = refusals(&state, &[all("{one,two}.a"), all("{one.a,three.b}"), all("{one,two}.a*")]);
    assert_eq!(told.iter().map(String::is_empty).collect::<Vec<_>>(), [true, false, false]);
}
