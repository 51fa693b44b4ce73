//! What the store costs without the network: `cargo bench -p server --bench store`. An item is a
//! point; the disk is the one of the build's own directory.

#![expect(clippy::expect_used, reason = "a benchmark that cannot go on has nothing to say")]

use std::path::Path;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use server::store::local::chunk::{self, Effort};
use server::store::local::{Config, Durability, Local};
use server::store::{Cursor, Store};
use shared::{Key, KeyBuf, Point, Selector};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const SERIES: usize = 8000;

fn main() {
    divan::main();
}

/// A random walk of two decimals, a point a second.
struct Walk {
    cents: i32,
    state: u64,
    timestamp: i64,
}

impl Walk {
    fn new(seed: u64) -> Self {
        Self {
            cents: 5_000,
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            timestamp: 1_700_000_000,
        }
    }
}

impl Iterator for Walk {
    type Item = Point;

    fn next(&mut self) -> Option<Point> {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.cents += i32::try_from(self.state % 5).unwrap_or(2) - 2;
        self.timestamp += 1;
        Some(Point { timestamp: self.timestamp, value: f64::from(self.cents) / 100.0 })
    }
}

const CHUNKS: [usize; 4] = [120, 1024, 2500, chunk::CHUNK_POINTS];

#[divan::bench(args = CHUNKS)]
fn chunk_encode_quick(bencher: Bencher<'_, '_>, points: usize) {
    encode(bencher, points, Effort::Quick);
}

#[divan::bench(args = CHUNKS)]
fn chunk_encode_thorough(bencher: Bencher<'_, '_>, points: usize) {
    encode(bencher, points, Effort::Thorough);
}

fn encode(bencher: Bencher<'_, '_>, points: usize, effort: Effort) {
    let points: Vec<_> = Walk::new(7).take(points).collect();
    let mut bytes = Vec::new();
    bencher.counter(ItemsCount::new(points.len())).bench_local(|| {
        bytes.clear();
        chunk::encode(black_box(&points), effort, &mut bytes)
    });
}

#[divan::bench(args = CHUNKS)]
fn chunk_decode(bencher: Bencher<'_, '_>, count: usize) {
    let points: Vec<_> = Walk::new(7).take(count).collect();
    let mut bytes = Vec::new();
    chunk::encode(&points, Effort::Thorough, &mut bytes).expect("points of a walk can be packed");
    bencher
        .counter(ItemsCount::new(count))
        .counter(BytesCount::new(bytes.len()))
        .bench(|| chunk::decode(black_box(&bytes), count));
}

/// A store on a real disk, and many series to put.
struct Bench {
    runtime: Runtime,
    store: Local,
    keys: Vec<KeyBuf>,
    walks: Vec<Walk>,
    at: usize,
    directory: TempDir,
}

impl Bench {
    fn new(durability: Durability) -> Self {
        let directory = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let runtime = Runtime::new().expect("a runtime");
        let store = open(directory.path(), durability);
        let keys = (0..SERIES).map(|at| {
            let key = format!("host{:04}.cpu.user{}", at / 10, at % 10);
            key.parse().expect("a key")
        });
        let walks = (0..SERIES as u64).map(Walk::new).collect();
        Self { runtime, store, keys: keys.collect(), walks, at: 0, directory }
    }

    fn batch(&mut self, size: usize) -> Vec<(Key<'_>, Point)> {
        let start = self.at;
        self.at = (start + size) % SERIES;
        let mut batch = Vec::with_capacity(size);
        for at in (start..start + size).map(|at| at % SERIES) {
            batch.extend(self.walks[at].next().map(|point| (self.keys[at].as_key(), point)));
        }
        batch
    }

    fn put(&mut self, size: usize) {
        let store = self.store.clone();
        // The handle is cheap; the batch borrows the keys.
        let handle = self.runtime.handle().clone();
        let batch = self.batch(size);
        handle.block_on(store.put_batch(&batch)).expect("a put");
    }

    fn fill(&mut self, points: usize) {
        for _ in 0..points / SERIES {
            self.put(SERIES);
        }
    }
}

fn open(path: &Path, durability: Durability) -> Local {
    Local::open(path, Config { durability, ..Config::default() }).expect("a store")
}

const BATCHES: [usize; 4] = [1, 100, 1000, 8000];

#[divan::bench(args = BATCHES, sample_count = 30)]
fn put_sync(bencher: Bencher<'_, '_>, size: usize) {
    let mut bench = Bench::new(Durability::Sync);
    bencher.counter(ItemsCount::new(size)).bench_local(|| bench.put(size));
}

#[divan::bench(args = BATCHES, sample_count = 30)]
fn put_interval(bencher: Bencher<'_, '_>, size: usize) {
    let mut bench = Bench::new(Durability::Interval);
    bencher.counter(ItemsCount::new(size)).bench_local(|| bench.put(size));
}

/// Everything of a store that has been closed and opened again: all of it in parts.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn get_all_from_parts(bencher: Bencher<'_, '_>) {
    const POINTS: usize = 2_000_000;
    let mut bench = Bench::new(Durability::Interval);
    bench.fill(POINTS);
    let Bench { runtime, store, directory, .. } = bench;
    runtime.block_on(store.close());
    // Its lock goes with the last handle.
    drop(store);
    let store = open(directory.path(), Durability::Interval);
    bencher.counter(ItemsCount::new(POINTS)).bench_local(|| {
        runtime.block_on(async {
            let mut cursor = store.get(Selector::ALL);
            let mut points = 0;
            while let Some(block) = cursor.next_block().await.expect("a block") {
                points += block.points.len();
            }
            assert_eq!(points, POINTS);
        });
    });
}

/// Opening a store whose points are all in the log.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn recover_from_log(bencher: Bencher<'_, '_>) {
    const POINTS: usize = 2_000_000;
    let mut bench = Bench::new(Durability::Interval);
    bench.fill(POINTS);
    // Copied while the store is running: what a crash would leave.
    let copy = || {
        let copy = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        for entry in std::fs::read_dir(bench.directory.path()).expect("a directory") {
            let from = entry.expect("an entry").path();
            let name = from.file_name().expect("a name");
            std::fs::copy(&from, copy.path().join(name)).expect("a copy");
        }
        copy
    };
    let _within = bench.runtime.enter();
    bencher
        .counter(ItemsCount::new(POINTS))
        .with_inputs(copy)
        .bench_local_values(|copy| (open(copy.path(), Durability::Interval), copy));
}
