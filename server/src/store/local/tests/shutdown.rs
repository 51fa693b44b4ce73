//! Threads that end before their time, waits that must end, and files that come back.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::random::Random;
use super::sim_disk::Verb;
use super::sim_disk::power_cut::{Left, Survival};
use super::*;

/// Longer than anything here takes, unless it hangs.
const LONG: Duration = Duration::from_secs(60);

/// What a power cut now would leave of the bytes.
fn power_cut(disk: &SimDisk, config: &LocalConfig) -> usize {
    let mut nothing = Survival { names: Left::Everything, bytes: Left::Nothing, random: Random(1) };
    let image = disk.image(disk.operations(), &mut nothing);
    let Recovered { state, .. } = recovered(&SimDisk::new(image), config.clone()).unwrap();
    read(&state).unwrap().len()
}

fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < end, "never {what}");
        std::thread::yield_now();
    }
}

fn interval() -> LocalConfig {
    LocalConfig { durability: Durability::Interval, ..restless() }
}

/// Makes checkpoints wait until the sender is dropped, then `then` is called.
fn hold_checkpoints(disk: &SimDisk, then: fn()) -> mpsc::Sender<()> {
    let (release, held) = mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    disk.on_call(move |verb, name| {
        if verb == Verb::Create && name.starts_with("part-") {
            let _ = held.lock().unwrap().recv();
            then();
        }
        None
    });
    release
}

/// Puts until one does not come back; answers how many did.
async fn put_until_stalled(store: &Local) -> usize {
    let mut acknowledged = 0;
    loop {
        let row = [("a".to_owned(), i64::try_from(acknowledged).unwrap(), 1.0)];
        match tokio::time::timeout(Duration::from_millis(500), put(store, &row)).await {
            Ok(outcome) => assert_eq!(outcome, Ok(Vec::new())),
            Err(_) => return acknowledged,
        }
        acknowledged += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_interval_an_idle_store_syncs_in_time() {
    let disk = SimDisk::new(Image::new());
    let config = LocalConfig { log_limit: 1 << 20, segment_size: 1 << 20, ..interval() };
    let store = open(&disk, config.clone()).unwrap();
    put(&store, &[("a".to_owned(), 1, 1.0)]).await.unwrap();
    wait_for("on the disk", || power_cut(&disk, &config) == 1);
    within(store.close()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_interval_a_stalled_store_syncs_in_time() {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, interval()).unwrap();
    let release = hold_checkpoints(&disk, || {});
    let acknowledged = put_until_stalled(&store).await;
    wait_for("on the disk", || power_cut(&disk, &interval()) >= acknowledged);
    drop(release);
    within(store.close()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_of_the_committer_fails_puts_and_blocks_nothing() {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, restless()).unwrap();
    disk.on_call(|verb, name| {
        assert!(verb != Verb::Write || !name.starts_with("log-"), "a test's panic");
        None
    });
    for error in [PutError::UnknownOutcome, Unavailable::Failed.into()] {
        let row = [("a".to_owned(), 1, 1.0)];
        assert_eq!(put(&store, &row).await, Err(error));
    }
    assert_eq!(store.status().unavailable, Some(Unavailable::Failed));
    tokio::time::timeout(LONG, store.close()).await.expect("it closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_of_a_checkpoint_during_the_end_blocks_nothing() {
    let disk = SimDisk::new(Image::new());
    let store = open(&disk, restless()).unwrap();
    let release = hold_checkpoints(&disk, || panic!("a test's panic"));
    for timestamp in 0.. {
        if store.state.memory().frozen.is_some() {
            break;
        }
        put(&store, &[("a".to_owned(), timestamp, 1.0)]).await.unwrap();
    }
    let closing = tokio::spawn({
        let store = store.clone();
        async move { store.close().await }
    });
    wait_for("closing", || store.state.memory().phase.is_ending() || closing.is_finished());
    drop(release);
    tokio::time::timeout(LONG, closing).await.expect("it closes").unwrap();
}

/// The parts of a store, each with one point.
fn three_parts() -> Image {
    let disk = SimDisk::new(Image::new());
    let Recovered { state, .. } = recovered(&disk, LocalConfig::default()).unwrap();
    let series = series_of(&state, "a");
    for segment in 1..=3 {
        let mut heads = series::head::Heads::default();
        let timestamp = i64::try_from(segment).unwrap();
        let point = Point { timestamp, value: 0.5 };
        heads.append([series::series_point::SeriesPoint { series, point }]);
        let frozen = state::memory::Frozen::new(heads, 0, segment..=segment);
        checkpoint::checkpoint(&state, &frozen, &Vec::new()).unwrap();
    }
    disk.visible()
}

/// Neither merging nor a start may treat a file that is missing as if it had never been.
#[tokio::test]
async fn a_part_that_was_missing_for_a_while_is_taken_back() {
    let mut image = three_parts();
    let name = "part-000000000002-000000000002".to_owned();
    let missing = image.remove(&name).unwrap();
    let disk = SimDisk::new(image);
    let store = open(&disk, LocalConfig::default()).unwrap();
    within(store.close()).await;
    let mut image = disk.visible();
    image.insert(name, missing);
    let Recovered { state, .. } = recovered(&SimDisk::new(image), LocalConfig::default()).unwrap();
    assert_eq!(read(&state).unwrap().len(), 3);
}
