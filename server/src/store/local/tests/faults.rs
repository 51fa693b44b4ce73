//! A disk whose operations fail.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::super::series::head::Heads;
use super::super::state::memory::Frozen;
use super::history::History;
use super::random::Random;
use super::sim_disk::Verb;
use super::sim_disk::power_cut::{Left, Survival};
use super::*;
use crate::store::Cursor;

const BROKEN: io::ErrorKind = io::ErrorKind::Other;
pub const FULL: io::ErrorKind = io::ErrorKind::StorageFull;

/// How many calls there were, and the first that failed.
pub type Seen = Arc<(AtomicUsize, Mutex<Option<(Verb, String)>>)>;

/// Makes the calls for which `chosen` is true fail, from number `first` on, `times` times.
/// Answers the count of chosen calls and what the first failing call was.
pub fn fail_at(
    disk: &SimDisk,
    (first, times): (usize, usize),
    error: io::ErrorKind,
    chosen: impl Fn(Verb, &str) -> bool + Send + Sync + 'static,
) -> Seen {
    let seen = Seen::default();
    let counter = Arc::clone(&seen);
    disk.on_call(move |verb, name| {
        if !chosen(verb, name) {
            return None;
        }
        let number = counter.0.fetch_add(1, Ordering::SeqCst);
        let fails = number >= first && number - first < times;
        if fails {
            counter.1.lock().unwrap().get_or_insert((verb, name.to_owned()));
        }
        fails.then_some(error)
    });
    seen
}

fn rows(number: usize) -> Vec<Row> {
    let mut random = Random(number as u64);
    let row = |at: usize| {
        let key = format!("key{}", random.below(2 + number.min(60) / 6));
        let value = f64::from(u32::try_from(number * 100 + at).unwrap());
        (key, i64::try_from(random.below(30)).unwrap(), value)
    };
    (0..=number % 9).map(row).collect()
}

/// Puts, and records the outcome in `history`.
pub async fn send(
    store: &Local,
    disk: &SimDisk,
    history: &mut History,
    number: usize,
) -> Result<(), PutError> {
    let rows = rows(number);
    let sent = history.send(&rows, disk.operations());
    let outcome = put(store, &rows).await;
    match &outcome {
        Ok(refused) => {
            assert_eq!(refused, &[]);
            history.acknowledge(sent, disk.operations());
        }
        Err(PutError::Unavailable(_)) => history.refuse(sent, disk.operations()),
        Err(PutError::UnknownOutcome) => {}
    }
    outcome.map(drop)
}

/// What is there now and what would be there after a power cut fits the history.
pub fn check(disk: &SimDisk, history: &History, what: &str) {
    let now = disk.operations();
    let survival = |names, bytes| Survival { names, bytes, random: Random(7) };
    let images = [
        disk.visible(),
        disk.image(now, &mut survival(Left::Nothing, Left::Nothing)),
        disk.image(now, &mut survival(Left::Everything, Left::Nothing)),
        disk.image(now, &mut survival(Left::Some, Left::Some)),
    ];
    for (kind, image) in images.into_iter().enumerate() {
        let found = recovered(&SimDisk::new(image), restless()).unwrap();
        let fits = history.check(&read(&found.state).unwrap(), now);
        assert_eq!(fits, Ok(()), "{what}, image {kind}\n{}", disk.around(now));
    }
}

/// What failed is tried again after a pause; the store has to come to it by itself.
pub async fn resumes(store: &Local, disk: &SimDisk, history: &mut History) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut in_a_row = 0;
    for number in 1000.. {
        let taken = send(store, disk, history, number).await.is_ok();
        in_a_row = if taken { in_a_row + 1 } else { 0 };
        if in_a_row == 10 {
            return;
        }
        assert!(Instant::now() < deadline, "no put is taken again\n{}", disk.around(usize::MAX));
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn a_panic_in_a_checkpoint_stops_puts_and_blocks_nothing() {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, restless()).unwrap();
    let mut history = History::default();
    disk.on_call(|verb, name| {
        assert!(verb != Verb::Create || !name.starts_with("part-"), "a test's panic");
        None
    });
    let mut number = 0;
    while send(&store, &disk, &mut history, number).await != Err(Unavailable::Failed.into()) {
        number += 1;
    }
    assert_eq!(history.check(&read(&store.state).unwrap(), disk.operations()), Ok(()));
    within(store.close()).await;
    disk.no_faults();
    check(&disk, &history, "closed");
}

#[test]
fn merging_ends_when_it_is_unknown_which_parts_there_are() {
    let disk = SimDisk::new(Image::new());
    let state = recovered(&disk, restless()).unwrap().state;
    for segment in 1..=4 {
        let mut heads = Heads::default();
        let point = Point { timestamp: i64::try_from(segment).unwrap(), value: 0.5 };
        let series = series_of(&state, "a");
        heads.append([series::series_point::SeriesPoint { series, point }]);
        let frozen = Frozen::new(heads, 0, segment..=segment);
        checkpoint::checkpoint(&state, &frozen, &vec![]).unwrap();
    }
    let before = read(&state).unwrap();
    assert_eq!(before.len(), 4);
    disk.on_call(|verb, _| (verb == Verb::SyncDirectory).then_some(BROKEN));
    // Returns although the store is open.
    compaction::run(&state, &Queue::default());
    disk.no_faults();
    assert_eq!(state.memory().parts.len(), 4);
    assert_eq!(read(&state).unwrap(), before);
    assert_eq!(read(&recovered(&disk, restless()).unwrap().state).unwrap(), before);
}

#[tokio::test]
async fn nothing_is_acknowledged_after_a_failed_write_or_sync_of_the_log() {
    let of_log = |verb, name: &str| {
        name.starts_with("log-") && matches!(verb, Verb::Write | Verb::Sync | Verb::Truncate)
    };
    let mut first = 0;
    loop {
        let disk = SimDisk::new(Image::new());
        let store = open(&disk, restless()).unwrap();
        let seen = fail_at(&disk, (first, 1), BROKEN, of_log);
        let mut history = History::default();
        for number in 0..40 {
            let broken_before = seen.1.lock().unwrap().is_some();
            let outcome = send(&store, &disk, &mut history, number).await;
            let broken = seen.1.lock().unwrap().clone();
            match outcome {
                Ok(()) => assert_eq!(broken, None, "acknowledged"),
                Err(error) => {
                    assert!(broken.is_some(), "{error}");
                    // Only the first failure leaves an unknown outcome.
                    let again = error == Unavailable::Failed.into();
                    assert!(again || !broken_before && error == PutError::UnknownOutcome);
                }
            }
            let found = read(&store.state).unwrap();
            assert_eq!(history.check(&found, disk.operations()), Ok(()), "broken at {broken:?}");
            if !broken_before {
                settle(&store);
            }
        }
        check(&disk, &history, &format!("broken at {:?}", seen.1));
        within(store.close()).await;
        check(&disk, &history, &format!("closed after {:?}", seen.1));
        if seen.1.lock().unwrap().is_none() {
            break;
        }
        first += 1;
    }
    assert!(first > 50, "only {first} calls were tried");
}

#[tokio::test]
async fn a_disk_that_breaks_anywhere_loses_nothing_that_was_acknowledged() {
    for times in [1, 3, usize::MAX] {
        let mut first = 0;
        loop {
            let disk = SimDisk::new(Image::new());
            let store = open(&disk, restless()).unwrap();
            let seen = fail_at(&disk, (first, times), BROKEN, |_, _| true);
            let mut history = History::default();
            let mut failed = false;
            for number in 0..25 {
                match send(&store, &disk, &mut history, number).await {
                    Ok(()) => assert!(!failed, "acknowledged after a failure at {:?}", seen.1),
                    Err(PutError::UnknownOutcome) => {
                        assert!(!failed, "unknown after a failure at {:?}", seen.1);
                        failed = true;
                    }
                    Err(PutError::Unavailable(Unavailable::Failed)) => failed = true,
                    Err(PutError::Unavailable(Unavailable::Stalled)) => {}
                    Err(error) => panic!("{error} at {:?}", seen.1),
                }
            }
            within(store.close()).await;
            disk.no_faults();
            check(&disk, &history, &format!("broken {times} times at {:?}", seen.1));
            if seen.0.load(Ordering::SeqCst) <= first {
                break;
            }
            first += if times == 1 { 1 } else { 5 };
        }
        assert!(first > 80, "only {first} calls were tried");
    }
}

/// A disk with parts, and with logs that no checkpoint has seen.
async fn store_in_use(batches: usize) -> (SimDisk, History) {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, restless()).unwrap();
    let mut history = History::default();
    for number in 0..batches {
        send(&store, &disk, &mut history, number).await.unwrap();
        settle(&store);
    }
    let image = disk.visible();
    within(store.close()).await;
    let history = history.cut_at(usize::MAX);
    (SimDisk::new(image), history)
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_whole_is_an_error() {
    let (disk, _) = store_in_use(60).await;
    let store = open(&disk, restless()).unwrap();
    let all = contract::read(&store, Query::all()).await;
    for error in [BROKEN, io::ErrorKind::UnexpectedEof] {
        let mut first = 0;
        loop {
            let seen = fail_at(&disk, (first, 1), error, |verb, _| verb == Verb::Read);
            let mut cursor = store.get(Query::all());
            let outcome = loop {
                match within(cursor.next_block()).await {
                    Ok(Some(_)) => {}
                    Ok(None) => break Ok(()),
                    Err(error) => break Err(error),
                }
            };
            let failed = seen.1.lock().unwrap().is_some();
            assert_eq!(outcome.is_err(), failed, "read {first}");
            if !failed {
                break;
            }
            first += 1;
        }
        assert!(first > 5, "only {first} reads were tried");
    }
    disk.no_faults();
    assert_eq!(contract::read(&store, Query::all()).await, all);
    within(store.close()).await;
}

#[tokio::test]
async fn a_recovery_that_fails_changes_nothing_for_the_next_one() {
    let small = LocalConfig { log_limit: 300, ..restless() };
    let (disk, history) = store_in_use(55).await;
    let image = disk.visible();
    for error in [BROKEN, FULL, io::ErrorKind::UnexpectedEof] {
        for times in [1, usize::MAX] {
            let mut first = 0;
            let mut failures = 0;
            loop {
                let disk = SimDisk::new(image.clone());
                let seen = fail_at(&disk, (first, times), error, |_, _| true);
                let opened = open(&disk, small.clone());
                let calls = seen.0.load(Ordering::SeqCst);
                disk.no_faults();
                match opened {
                    Ok(store) => {
                        let found = read(&store.state).unwrap();
                        assert_eq!(history.check(&found, 0), Ok(()), "{:?}", seen.1);
                        within(store.close()).await;
                    }
                    Err(_) => failures += 1,
                }
                check(&disk, &history, &format!("{error} at {:?}", seen.1));
                let store = open(&disk, small.clone()).unwrap();
                assert_eq!(put(&store, &rows(3)).await, Ok(vec![]));
                within(store.close()).await;
                if calls <= first {
                    break;
                }
                first += 1;
            }
            assert!(failures > 10, "only {failures} failures");
        }
    }
}
