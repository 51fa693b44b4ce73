//! One bad byte at every place of every file, and every file cut off at every byte: at most one
//! record or chunk is lost, the rest is served, nothing panics, and the log names the file.
//!
//! `DAMAGE_STEP=n` tries each n-th of these places only, for slow machines.

mod forged;
mod losses;
mod missing;
mod random_damage;

use std::collections::BTreeSet;
use std::io;
use std::sync::{Mutex, PoisonError};

use super::super::background::checkpoint::checkpoint;
use super::super::background::compaction;
use super::super::file_name::{DAMAGED, FileName};
use super::super::maintenance;
use super::super::part::header::{FileHeader, FileKind, IndexPlace};
use super::super::wal::header::SegmentHeader;
use super::*;
use crate::store::query::{KeySelection, Select, Window};

/// Collects what is logged by a thread.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs `work` and answers the warnings and errors that it logs on this thread.
pub fn logged<T>(work: impl FnOnce() -> T) -> (T, String) {
    logged_from(tracing::Level::WARN, work)
}

/// Like [`logged`], from a level on.
pub fn logged_from<T>(level: tracing::Level, work: impl FnOnce() -> T) -> (T, String) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let answer = tracing::subscriber::with_default(subscriber, work);
    let text = log.0.lock().unwrap().clone();
    (answer, String::from_utf8(text).unwrap())
}

/// Merges of parts that hold everything, without threads.
pub fn without_rotation() -> LocalConfig {
    LocalConfig { log_limit: 1 << 30, segment_size: 1 << 30, ..LocalConfig::default() }
}

/// Rows of a batch: two series, timestamps of their own, so that each batch can be distinguished.
pub fn batch(number: i64) -> Vec<Row> {
    let row = |at: i64| {
        let key = format!("series{}", (number + at) % 3);
        (key, number * 10 + at, f64::from(i32::try_from(number * 10 + at).unwrap()) / 4.0)
    };
    (0..4).map(row).collect()
}

fn sorted(rows: impl IntoIterator<Item = Row>) -> Vec<Row> {
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    rows
}

/// What a killed store leaves that commits `batches`, with `parts` files of them in parts and a
/// segment each for the rest.
async fn killed_store(parts: usize, logs: usize, batches_each: usize) -> (Image, Vec<Vec<Row>>) {
    let mut disk = SimDisk::new(Image::new());
    let mut sent = Vec::new();
    let mut numbers = 0..;
    for round in 0..parts + logs {
        let store = open(&disk, without_rotation()).unwrap();
        // Each part is larger than the one before, so that they are not merged meanwhile.
        let batches = batches_each + if round < parts { round } else { 0 };
        for number in numbers.by_ref().take(batches) {
            let rows = batch(number);
            assert_eq!(put(&store, &rows).await, Ok(vec![]));
            sent.push(rows);
        }
        if round < parts {
            within(store.close()).await;
        } else {
            let killed = SimDisk::new(disk.visible());
            within(store.close()).await;
            disk = killed;
        }
    }
    (disk.visible(), sent)
}

/// What a store leaves after so many starts, each with a part of its own, the last one with a log: its
/// files, and the rows. A round has `size` puts, four times as many as the one before.
pub async fn parts_and_log(
    rounds: i64,
    size: i64,
    rows: impl Fn(i64, i64) -> [Row; 2],
) -> (Image, Vec<Row>) {
    let disk = SimDisk::new(Image::new());
    let (mut sent, mut image) = (Vec::new(), Image::new());
    for round in 0..rounds {
        // Larger parts than before, so that they are not merged meanwhile.
        let store = open(&disk, without_rotation()).unwrap();
        for at in 0..size << (2 * round) {
            let rows = rows(round, at);
            put(&store, &rows).await.unwrap();
            sent.extend(rows);
        }
        settle(&store);
        image = disk.visible();
        within(store.close()).await;
    }
    (image, sent)
}

/// How a file is damaged.
#[derive(Debug, Clone, Copy)]
pub enum Damage {
    Flip(usize),
    /// Another byte there.
    Byte(usize, u8),
    Cut(usize),
    Gone,
}

pub fn all_damages(length: usize) -> impl Iterator<Item = Damage> {
    let step = std::env::var("DAMAGE_STEP").map_or(1, |step| step.parse().unwrap());
    let places = move || (0..length).step_by(step);
    places().map(Damage::Flip).chain(places().map(Damage::Cut)).chain([Damage::Gone])
}

/// Damages of a log; of the zeros in its header a few.
pub fn log_damages(length: usize) -> impl Iterator<Item = Damage> {
    let is_tried = |at: usize| {
        let zeros = SegmentHeader::COPY_LENGTH + 1..SegmentHeader::SECOND - 1;
        !zeros.contains(&at) || at.is_multiple_of(50)
    };
    all_damages(length).filter(move |damage| match *damage {
        Damage::Flip(at) | Damage::Cut(at) => is_tried(at),
        Damage::Byte(..) | Damage::Gone => true,
    })
}

pub fn damaged(image: &Image, name: &str, damage: Damage) -> Image {
    let mut image = image.clone();
    let bytes = image.get_mut(name).unwrap();
    match damage {
        Damage::Flip(at) => bytes[at] ^= 1 << (at % 8),
        Damage::Byte(at, byte) => bytes[at] = byte,
        Damage::Cut(length) => bytes.truncate(length),
        Damage::Gone => drop(image.remove(name)),
    }
    image
}

/// Opens, reads, and then moves everything on into one part as checkpoints and merges do.
fn open_and_move(disk: &SimDisk) -> (Vec<Row>, Vec<Row>) {
    open_and_move_after(disk, |_| ())
}

/// Like [`open_and_move`], with a look at what was found before it is moved.
fn open_and_move_after(
    disk: &SimDisk,
    look: impl FnOnce(&Arc<StoreState>),
) -> (Vec<Row>, Vec<Row>) {
    let Recovered { state, resume, damaged_segments, .. } =
        recovered(disk, without_rotation()).unwrap();
    let state = Arc::new(state);
    // First, because damage is logged once, and here by this thread.
    let found = read_what_is_left(&state);
    look(&state);
    if resume.first_segment < resume.segment {
        let mut memory = state.memory();
        let frozen = memory.take_heads(resume.first_segment..=resume.segment - 1);
        memory.frozen = Some(Arc::new(frozen));
        drop(memory);
        let frozen = state.memory().frozen.clone().unwrap();
        checkpoint(&state, &frozen, &damaged_segments).unwrap();
    }
    let parts = Arc::clone(&state.memory().parts);
    compaction::merge(&state, &parts, NOTHING_EXPIRED).unwrap();
    let merged = read_what_is_left(&state);
    (found, merged)
}

/// What of `sent` is missing; panics when anything else is there.
pub fn missing(sent: &[Row], found: &[Row], what: &str) -> Vec<Row> {
    let found = sorted(found.iter().cloned());
    assert!(found.iter().all(|row| sent.contains(row)), "{what}: what was never sent");
    sent.iter().filter(|row| !found.contains(row)).cloned().collect()
}

/// Damages `name` in every way at the places that `is_tried`; `bounded` says how much may be missing.
fn damage_everywhere(
    image: &Image,
    name: &String,
    sent: &[Row],
    is_tried: impl Fn(usize) -> bool,
    bounded: impl Fn(Damage, &[Row]),
) {
    let whole = image[name].clone();
    let is_log = matches!(FileName::parse(name), FileName::Segment(_));
    let damages: Vec<_> = if is_log {
        log_damages(whole.len()).collect()
    } else {
        all_damages(whole.len()).collect()
    };
    for damage in damages {
        if matches!(damage, Damage::Flip(at) | Damage::Cut(at) if !is_tried(at)) {
            continue;
        }
        let what = format!("{name} of {} bytes, {damage:?}", whole.len());
        let disk = SimDisk::new(damaged(image, name, damage));
        let of_newest_group = &sent[sent.len() - 4..];
        let look =
            |state: &Arc<StoreState>| no_answer_looks_whole(state, sent, of_newest_group, &what);
        let ((found, merged), log) = logged(|| open_and_move_after(&disk, look));
        let lost = missing(sent, &found, &what);
        bounded(damage, &lost);
        assert_eq!(merged, found, "{what}: after a merge");
        let reopened = Arc::new(recovered(&disk, without_rotation()).unwrap().state);
        logged(|| look(&reopened));
        assert_eq!(read_what_is_left(&reopened), found, "{what}");
        // The last group may be missing, and nothing says what was in the newest file when it is gone.
        let logs = names(image, |name| matches!(name, FileName::Segment(_)));
        let is_gone = match damage {
            Damage::Cut(length) => length < SegmentHeader::LENGTH,
            Damage::Gone => true,
            Damage::Flip(_) | Damage::Byte(..) => false,
        };
        let of_last_group = lost.iter().all(|row| sent[sent.len() - 4..].contains(row));
        let is_newest = logs.last() == Some(name);
        let unreported =
            is_newest && (is_gone || of_last_group && !matches!(damage, Damage::Flip(_)));
        if !lost.is_empty() && !unreported {
            assert!(log.contains(name), "{what}: lost {lost:?}, and the log says only {log}");
            assert!(log.contains("ERROR") || is_newest && of_last_group, "{what}: {log}");
        }
        if log.contains("ERROR") && !matches!(damage, Damage::Gone) {
            let kept = disk.visible().remove(&format!("{DAMAGED}{name}"));
            assert_eq!(kept, Some(damaged(image, name, damage)[name].clone()), "{what}: evidence");
        }
    }
}

/// Each answer is whole or an error, but for what a crash may have taken.
pub fn no_answer_looks_whole(
    state: &Arc<StoreState>,
    sent: &[Row],
    may_be_cut_off: &[Row],
    what: &str,
) {
    let keys: BTreeSet<_> = sent.iter().map(|row| row.0.clone()).collect();
    let of_key = |key: &String| Query::points(KeySelection::One(key.parse().unwrap()));
    let mut queries: Vec<_> = keys.iter().map(of_key).collect();
    queries.push(Query::all());
    for (query, answer) in queries.iter().zip(answers(state, &queries)) {
        let Ok(rows) = answer else { continue };
        let is_asked = |row: &Row| query.keys.matches(Key::new(&row.0).unwrap());
        let missing = sent.iter().filter(|row| is_asked(row) && !rows.contains(row));
        let missing: Vec<_> = missing.filter(|row| !may_be_cut_off.contains(row)).collect();
        assert!(missing.is_empty(), "{what}: {query:?} looks whole without {missing:?}");
    }
}

pub fn names(image: &Image, kind: impl Fn(&FileName) -> bool) -> Vec<String> {
    image.keys().filter(|name| kind(&FileName::parse(name))).cloned().collect()
}

#[tokio::test]
async fn a_damaged_log_costs_one_record() {
    // Alone, so that nothing but the logs knows the names, and with a part before them. Each way gets
    // a quarter of the places; no field is shorter than that.
    for parts in [0, 1] {
        let (image, batches) = killed_store(parts, 3, 3).await;
        damaged_segments(&image, &batches, parts);
    }
}

fn damaged_segments(image: &Image, batches: &[Vec<Row>], remainder: usize) {
    let sent = batches.concat();
    let logs = names(image, |name| matches!(name, FileName::Segment(_)));
    assert_eq!(logs.len(), 3, "{:?}", image.keys());
    for name in &logs {
        let places = |at: usize| at % 4 == remainder;
        damage_everywhere(image, name, &sent, places, |damage, lost| {
            let hit = batches.iter().filter(|batch| batch.iter().any(|row| lost.contains(row)));
            let most = if matches!(damage, Damage::Flip(_)) { 1 } else { 3 };
            assert!(hit.count() <= most, "{name}, {damage:?}: lost {lost:?}");
        });
    }
}

#[tokio::test]
async fn a_damaged_part_costs_one_chunk() {
    let (image, batches) = killed_store(3, 1, 6).await;
    damaged_parts(&image, &batches, 0..3, 0);
}

#[tokio::test]
async fn a_damaged_part_without_its_index_costs_one_chunk() {
    let (mut image, batches) = killed_store(3, 1, 6).await;
    for name in names(&image, |name| matches!(name, FileName::Part(_))) {
        // Two bits, so that no damage of one bit mends it.
        *image.get_mut(&name).unwrap().last_mut().unwrap() ^= 3;
    }
    // Nothing but the header says the salt then.
    damaged_parts(&image, &batches, 1..2, FileHeader::LENGTH);
}

/// Damages parts of which the first `needed` bytes can't be done without.
fn damaged_parts(
    image: &Image,
    batches: &[Vec<Row>],
    which: std::ops::Range<usize>,
    needed: usize,
) {
    let sent = batches.concat();
    let parts = names(image, |name| matches!(name, FileName::Part(_)));
    assert_eq!(parts.len(), 3);
    for name in &parts[which] {
        damage_everywhere(
            image,
            name,
            &sent,
            |_| true,
            |damage, lost| {
                let series: BTreeSet<_> = lost.iter().map(|row| &row.0).collect();
                // Each series has one chunk in a part.
                let most = if matches!(damage, Damage::Flip(at) if at >= needed) { 1 } else { 3 };
                assert!(series.len() <= most, "{name}, {damage:?}: lost {lost:?}");
            },
        );
    }
}

/// What a store leaves whose second part takes back points of the first one: its files, the rows that
/// are left, and those that are deleted.
async fn deleting_store() -> (Image, Vec<Row>, Vec<Row>) {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, without_rotation()).unwrap();
    let mut sent = Vec::new();
    for number in 0..12 {
        sent.extend(batch(number));
        assert_eq!(put(&store, &batch(number)).await, Ok(vec![]));
    }
    within(store.close()).await;
    let store = open(&disk, without_rotation()).unwrap();
    let window = Window { from: 20, to: 50 };
    let keys = KeySelection::One("series1".parse().unwrap());
    within(store.delete(Deletion { keys, window })).await.unwrap();
    let is_deleted = |row: &Row| row.0 == "series1" && window.contains(row.1);
    let (deleted, mut kept): (Vec<_>, Vec<_>) = sent.into_iter().partition(is_deleted);
    for number in 12..15 {
        kept.extend(batch(number));
        assert_eq!(put(&store, &batch(number)).await, Ok(vec![]));
    }
    within(store.close()).await;
    assert!(deleted.len() > 3);
    (disk.visible(), kept, deleted)
}

/// Where the block of deletes and the index of a part begin.
fn offsets(part: &[u8]) -> (usize, usize) {
    let tail = &part[part.len() - IndexPlace::FOOTER_LENGTH..];
    let place = IndexPlace::find(FileKind::of(part), tail, part.len() as u64).unwrap();
    let offset = |offset: u64| usize::try_from(offset).unwrap();
    (offset(place.deletes_offset.unwrap()), offset(place.index_offset))
}

const COME_BACK: &str = "deleted points may come back";

#[tokio::test]
async fn deletes_are_lost_with_their_block_and_the_index_alone() {
    let (image, kept, deleted) = deleting_store().await;
    let name = names(&image, |name| matches!(name, FileName::Part(_))).remove(1);
    let (block, index) = offsets(&image[&name]);
    for damage in all_damages(image[&name].len()) {
        let what = format!("{name} with deletes from {block} to {index}, {damage:?}");
        let disk = SimDisk::new(damaged(&image, &name, damage));
        let ((found, merged), log) = logged(|| open_and_move(&disk));
        let (back, found_kept): (Vec<_>, Vec<_>) =
            found.iter().cloned().partition(|row| deleted.contains(row));
        let lost = missing(&kept, &found_kept, &what);
        let series: BTreeSet<_> = lost.iter().map(|row| &row.0).collect();
        // The index says the same.
        let is_hit = match damage {
            Damage::Flip(_) | Damage::Byte(..) => false,
            Damage::Cut(length) => length < index,
            Damage::Gone => true,
        };
        assert!(back.is_empty() || is_hit && back.len() == deleted.len(), "{what}: back {back:?}");
        assert!(!matches!(damage, Damage::Flip(_)) || series.len() <= 1, "{what}: lost {lost:?}");
        if !matches!(damage, Damage::Gone) {
            assert_eq!(log.contains(COME_BACK), is_hit, "{what}: {log}");
            assert_eq!(!back.is_empty(), is_hit, "{what}: the test hits nothing");
            let evidence = disk.visible().remove(&format!("{DAMAGED}{name}"));
            let is_logged = log.contains("ERROR");
            assert_eq!(evidence.is_some(), is_logged, "{what}: evidence");
        }
        assert_eq!(merged, found, "{what}: after a merge");
        let reopened = recovered(&disk, without_rotation()).unwrap();
        assert_eq!(read_what_is_left(&reopened.state), found, "{what}");
    }
}

/// What may be deleted is refused, after merges too, until it is taken back.
fn check_refusals(disk: &SimDisk, deleted: &[Row], is_refused: bool) {
    let queries = [
        Query::points(KeySelection::One("series1".parse().unwrap())),
        Query::all(),
        within_times(20, 50),
        within_times(i64::MIN, 19),
        within_times(114, i64::MAX),
    ];
    let told = |disk: &SimDisk| {
        let state = logged(|| recovered(disk, without_rotation()).unwrap().state).0;
        let state = Arc::new(state);
        let answers = answers(&state, &queries);
        for rows in answers.iter().flatten() {
            assert!(!rows.iter().any(|row| deleted.contains(row)), "a deleted point is answered");
        }
        (state, answers.iter().map(Result::is_err).collect::<Vec<_>>())
    };
    let expected = [is_refused, is_refused, is_refused, false, false];
    let (state, told_before) = told(disk);
    assert_eq!(told_before, expected);
    let found = maintenance::check_disk(Arc::new(SimDisk::new(disk.visible())), without_rotation())
        .unwrap();
    let is_named = |line: String| line.contains("what it deletes in older parts is damaged");
    assert_eq!(found.iter().any(|line| is_named(line.to_string())), is_refused);
    let parts = Arc::clone(&state.memory().parts);
    logged(|| compaction::merge(&state, &parts, NOTHING_EXPIRED).unwrap());
    drop(state);
    assert_eq!(told(disk).1, expected, "after a merge");
    maintenance::repair_disk(Arc::new(disk.clone())).unwrap();
    let state = Arc::new(recovered(disk, without_rotation()).unwrap().state);
    assert!(answers(&state, &queries).iter().all(Result::is_ok), "after a repair");
}

fn within_times(from: i64, to: i64) -> Query {
    Query { keys: KeySelection::All, select: Select::Points(Window { from, to }) }
}

#[tokio::test]
async fn deletes_and_index_that_are_damaged_are_both_reported() {
    let (mut image, kept, deleted) = deleting_store().await;
    let name = names(&image, |name| matches!(name, FileName::Part(_))).remove(1);
    let (block, index) = offsets(&image[&name]);
    image.get_mut(&name).unwrap()[index] ^= 1;
    for (at, is_hit) in [(block + 10, true), (index + 1, false), (4, false)] {
        let disk = SimDisk::new(damaged(&image, &name, Damage::Flip(at)));
        let recover = || read_what_is_left(&recovered(&disk, without_rotation()).unwrap().state);
        let (found, log) = logged(recover);
        assert!(log.contains("the index is damaged"), "{log}");
        assert_eq!(log.contains(COME_BACK), is_hit, "{log}");
        let expected = if is_hit { [&kept[..], &deleted].concat() } else { kept.clone() };
        assert_eq!(sorted(found), sorted(expected), "{at}");
        check_refusals(&disk, &deleted, is_hit);
    }
}

#[tokio::test]
async fn a_damaged_part_that_is_rewritten_under_its_name_is_kept() {
    let (image, _) = killed_store(1, 0, 6).await;
    let name = names(&image, |name| matches!(name, FileName::Part(_))).remove(0);
    let damage = Damage::Flip(100);
    let disk = SimDisk::new(damaged(&image, &name, damage));
    let Recovered { state, .. } = recovered(&disk, without_rotation()).unwrap();
    let parts = Arc::clone(&state.memory().parts);
    let expiry = Expiry { cutoff: 20, ..NOTHING_EXPIRED };
    let ((), log) = logged(|| compaction::merge(&state, &parts, expiry).unwrap());
    assert!(log.contains(&name), "{log}");
    assert_eq!(
        disk.visible().remove(&format!("{DAMAGED}{name}")),
        damaged(&image, &name, damage).remove(&name)
    );
}

#[tokio::test]
async fn damaged_files_that_a_crash_left_behind_are_kept() {
    let (image, _) = killed_store(2, 2, 3).await;
    let damaged_names: Vec<_> = names(&image, |name| !matches!(name, FileName::Other));
    for name in &damaged_names {
        let damage = Damage::Flip(60);
        let disk = SimDisk::new(damaged(&image, name, damage));
        open_and_move(&disk);
        // All the old files are there again: their removal was not durable.
        let mut left = disk.visible();
        left.remove(&format!("{DAMAGED}{name}")).unwrap();
        left.extend(damaged(&image, name, damage));
        let disk = SimDisk::new(left);
        let found = read_what_is_left(&recovered(&disk, without_rotation()).unwrap().state);
        assert!(!found.is_empty());
        let kept: Vec<_> =
            disk.visible().into_keys().filter(|name| name.starts_with(DAMAGED)).collect();
        assert_eq!(kept, [format!("{DAMAGED}{name}")]);
    }
}
