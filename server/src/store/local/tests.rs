//! The local store over a disk of the tests' own, held against simple models.

mod acknowledgement;
mod crash;
mod damage;
mod deletes;
mod disk_full;
mod faults;
mod following;
mod history;
mod large;
mod limits;
mod maintenance;
mod merging;
mod newest;
mod queries;
mod retention;
mod shutdown;
mod starts;
mod upgrade;

use std::sync::Arc;

use shared::{Key, Point};

use super::background::compaction_policy::Candidate;
use super::background::present_points::PresentPoints;
use super::part::Part;
use super::recovery::{Recovered, recover};
use super::series::merge::{Merge, Source};
use super::series::retention::Expiry;
use super::series::series_index::SeriesLimits;
use super::state::StoreState;
use super::state::hidden_times::HiddenTimes;
use super::state::memory::Phase;
use super::wal::header::SegmentHeader;
use super::*;
use crate::store::contract::within;
use crate::store::query::Window;
use crate::store::{ReadError, contract};
use history::Row;
use sim_disk::{Image, Rules, SimDisk, Verb, random};

#[tokio::test]
async fn keeps_the_contract() {
    let directory = tempfile::tempdir().unwrap();
    let number = std::cell::Cell::new(0);
    contract::hold(|| {
        number.set(number.get() + 1);
        Local::open(&directory.path().join(number.get().to_string()), LocalConfig::default())
            .unwrap()
    })
    .await;
}

#[tokio::test]
async fn keeps_the_contract_when_everything_moves_all_the_time() {
    for rules in Rules::ALL {
        let disk = || Arc::new(SimDisk::with_rules(Image::new(), rules));
        contract::hold(|| Local::over(disk(), restless()).unwrap()).await;
    }
}

#[tokio::test]
async fn status_counts_the_bytes_of_parts_and_log() {
    let disk = SimDisk::new(Image::new());
    let on_disk = |kind: &str| -> usize {
        let files = disk.visible().into_iter().filter(|(name, _)| name.starts_with(kind));
        files.map(|(_, bytes)| bytes.len()).sum()
    };
    let two_series = |disk_bytes| StoreStatus { series: 2, disk_bytes, ..StoreStatus::default() };
    let config = LocalConfig { log_limit: 1 << 20, ..LocalConfig::default() };
    let store = open(&disk, config.clone()).unwrap();
    assert_eq!(store.status(), StoreStatus::default());
    put(&store, &[("a".to_owned(), 1, 1.0), ("b".to_owned(), 1, 1.0)]).await.unwrap();
    put(&store, &[("a".to_owned(), 2, 1.0)]).await.unwrap();
    let bytes = (on_disk("log-") - SegmentHeader::LENGTH) as u64;
    assert_eq!(store.status(), two_series(bytes));
    within(store.close()).await;
    assert_eq!(store.status().disk_bytes, on_disk("part-") as u64);

    let store = open(&disk, config.clone()).unwrap();
    let bytes = on_disk("part-") as u64;
    assert_eq!(store.status(), two_series(bytes));
    within(store.close()).await;
}

/// They are in each segment, and no reason to write parts of a few points a series.
#[tokio::test]
async fn the_names_of_series_bring_no_checkpoint_on() {
    let disk = SimDisk::new(Image::new());
    let config =
        LocalConfig { log_limit: 64 << 10, segment_size: 64 << 10, ..LocalConfig::default() };
    let store = open(&disk, config).unwrap();
    let parts = || disk.visible().into_keys().filter(|name| name.starts_with("part-")).count();
    for second in 0..5 {
        let row = |series| (format!("host{series:04}.interface.bytes"), second, 1.0);
        let rows: Vec<_> = (0..1000).map(row).collect();
        put(&store, &rows).await.unwrap();
        assert!(parts() == 0, "after {second} s");
    }
    let log = store.status().disk_bytes;
    assert!(log > 100 << 10, "{log}");
    within(store.close()).await;
}

/// Makes the disk under a store fail.
struct DiskFaults(SimDisk);

impl contract::Faults for DiskFaults {
    fn refuse_puts(&self) {
        self.0.set_room(Some(0));
    }

    fn lose_outcomes(&self) {
        self.0.on_call(|verb, name| {
            let of_log = verb == Verb::Sync && name.starts_with("log-");
            of_log.then_some(std::io::ErrorKind::Other)
        });
    }

    fn fail_reads(&self) {
        self.0.on_call(|verb, _| (verb == Verb::Read).then_some(std::io::ErrorKind::Other));
    }

    fn heal(&self) {
        self.0.set_room(None);
        self.0.no_faults();
    }
}

#[tokio::test]
async fn keeps_the_contract_while_its_disk_fails() {
    for config in [LocalConfig::default(), restless()] {
        contract::hold_while_failing(|| {
            let disk = SimDisk::new(Image::new());
            (open(&disk, config.clone()).unwrap(), DiskFaults(disk))
        })
        .await;
    }
}

/// Begins segments, checkpoints and merges every few batches.
fn restless() -> LocalConfig {
    LocalConfig {
        log_limit: 1000,
        segment_size: 400,
        retry: std::time::Duration::from_millis(1),
        ..LocalConfig::default()
    }
}

fn open(disk: &SimDisk, config: LocalConfig) -> Result<Local, OpenError> {
    Local::over(Arc::new(disk.clone()), config)
}

/// The series of a key, new or not.
fn series_of(state: &StoreState, key: &str) -> SeriesId {
    state.index_mut().find_or_create(Key::new(key).unwrap(), SeriesLimits::NONE).unwrap()
}

/// Recovers without any threads.
fn recovered(disk: &SimDisk, config: LocalConfig) -> Result<Recovered, OpenError> {
    recover(Arc::new(disk.clone()), config)
}

/// What `get *` answers, read on this thread.
fn read(state: &StoreState) -> Result<Vec<Row>, ReadError> {
    let mut rows = Vec::new();
    let window = Window::ALL.since(state.config().cutoff());
    let series: Vec<_> =
        state.index().iter_from(0).map(|(series, key)| (series, key.clone())).collect();
    for (series, key) in series {
        let mut merge = Merge::within(window, state.snapshot(series, window));
        while let Some(points) = merge.next_block()? {
            rows.extend(
                points.iter().map(|point| (key.as_str().to_owned(), point.timestamp, point.value)),
            );
        }
    }
    Ok(rows)
}

/// What is left of `get *` without what is damaged, read on this thread.
fn read_what_is_left(state: &StoreState) -> Vec<Row> {
    let mut rows = Vec::new();
    let window = Window::ALL.since(state.config().cutoff());
    let series: Vec<_> =
        state.index().iter_from(0).map(|(series, key)| (series, key.clone())).collect();
    for (series, key) in series {
        let mut pieces = state.snapshot(series, window);
        pieces.retain(|piece| piece.open().is_ok());
        let mut merge = Merge::within(window, pieces);
        while let Some(points) = merge.next_block().unwrap() {
            rows.extend(
                points.iter().map(|point| (key.as_str().to_owned(), point.timestamp, point.value)),
            );
        }
    }
    rows
}

/// The answers to queries, read on a thread of its own.
fn answers(state: &Arc<StoreState>, queries: &[Query]) -> Vec<Result<Vec<Row>, ReadError>> {
    let read = || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answer = |query: &Query| {
            runtime.block_on(drain(LocalReader::new(Arc::clone(state), query.clone())))
        };
        queries.iter().map(answer).collect()
    };
    std::thread::scope(|scope| scope.spawn(read).join().unwrap())
}

/// All that a reader answers.
async fn drain(mut reader: LocalReader) -> Result<Vec<Row>, ReadError> {
    let mut rows = Vec::new();
    while let Some(block) = crate::store::Cursor::next_block(&mut reader).await? {
        for (key, points) in block.series() {
            let key = key.as_str().to_owned();
            rows.extend(points.iter().map(|point| (key.clone(), point.timestamp, point.value)));
        }
    }
    Ok(rows)
}

async fn put(store: &Local, rows: &[Row]) -> Result<Vec<Refused>, PutError> {
    let batch: Vec<_> = rows
        .iter()
        .map(|(key, timestamp, value)| {
            (Key::new(key).unwrap(), Point { timestamp: *timestamp, value: *value })
        })
        .collect();
    within(store.put_batch(&batch)).await
}

const NOTHING_EXPIRED: Expiry = Expiry { cutoff: i64::MIN, newest: i64::MAX };

/// What the choice of a merge depends on, without a look into chunks.
fn as_candidate(part: &Arc<Part>, expiry: Expiry) -> Candidate {
    compaction::candidate(part, &HiddenTimes::default(), expiry, &PresentPoints::default(), false)
}

/// Waits until no checkpoint and no merge is due.
fn settle(store: &Local) {
    loop {
        let parts = Arc::clone(&store.state.memory().parts);
        let present = PresentPoints::default();
        let next =
            compaction::choose_next(&store.state, &parts, NOTHING_EXPIRED, &present, |_| false);
        let memory = store.state.memory();
        let due = memory.frozen.is_some() || next.is_some();
        if memory.phase != Phase::Open || !due && Arc::ptr_eq(&parts, &memory.parts) {
            return;
        }
        if Arc::ptr_eq(&parts, &memory.parts) {
            drop(store.state.wait(memory, std::time::Duration::from_secs(1)));
        }
    }
}
