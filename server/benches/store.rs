//! What the store costs without the network: `cargo bench -p server --bench store`. An item is a
//! point; the disk is the one of the build's own directory.

#![expect(clippy::expect_used, reason = "a benchmark that cannot go on has nothing to say")]

#[path = "../../shared/benches/measure/mod.rs"]
mod measure;

use std::hint::black_box;
use std::path::Path;

use measure::Measure;
use server::store::local::chunk::{self, Effort};
use server::store::local::{Durability, Local, LocalConfig};
use server::store::query::Query;
use server::store::{Cursor, Store};
use shared::{Key, KeyBuf, Point};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const SERIES: usize = 8000;

fn main() {
    let mut measure = Measure::from_args();
    for points in CHUNKS {
        measure.items(points);
        encode_chunk(&measure, points, Effort::Quick);
        encode_chunk(&measure, points, Effort::Thorough);
        decode_chunk(&measure, points);
    }
    measure.samples(30);
    for size in BATCHES {
        measure.items(size);
        put(&measure, size, Durability::Sync);
        put(&measure, size, Durability::Interval);
    }
    measure.samples(5).items(POINTS);
    get_all_from_parts(&measure);
    recover_from_log(&measure);
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

const CHUNKS: [usize; 4] = [120, 1024, 2500, chunk::MAX_CHUNK_POINTS];

fn encode_chunk(measure: &Measure, count: usize, effort: Effort) {
    let points: Vec<_> = Walk::new(7).take(count).collect();
    let mut bytes = Vec::new();
    measure.run(&format!("encode_chunk {effort:?} {count}"), || {
        bytes.clear();
        chunk::encode(black_box(&points), effort, &mut bytes)
    });
}

fn decode_chunk(measure: &Measure, count: usize) {
    let points: Vec<_> = Walk::new(7).take(count).collect();
    let mut bytes = Vec::new();
    chunk::encode(&points, Effort::Thorough, &mut bytes).expect("points of a walk can be packed");
    measure.run(&format!("decode_chunk {count}"), || chunk::decode(black_box(&bytes), count));
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
    Local::open(path, LocalConfig { durability, ..LocalConfig::default() }).expect("a store")
}

const BATCHES: [usize; 4] = [1, 100, 1000, 8000];

fn put(measure: &Measure, size: usize, durability: Durability) {
    let name = format!("put {durability} {size}");
    if measure.wants(&name) {
        let mut bench = Bench::new(durability);
        measure.run(&name, || bench.put(size));
    }
}

/// Points of a whole store.
const POINTS: usize = 2_000_000;

/// Everything in a store that has been closed and opened again, so that all points are in parts.
fn get_all_from_parts(measure: &Measure) {
    let name = "get_all_from_parts";
    if !measure.wants(name) {
        return;
    }
    let mut bench = Bench::new(Durability::Interval);
    bench.fill(POINTS);
    let Bench { runtime, store, directory, .. } = bench;
    runtime.block_on(store.close());
    // The lock goes with the last handle.
    drop(store);
    let store = open(directory.path(), Durability::Interval);
    measure.run(name, || {
        runtime.block_on(async {
            let mut cursor = store.get(Query::all());
            let mut points = 0;
            while let Some(block) = cursor.next_block().await.expect("a block") {
                points += block.len();
            }
            assert_eq!(points, POINTS);
        });
    });
}

/// Opening a store whose points are all in the log.
fn recover_from_log(measure: &Measure) {
    let name = "recover_from_log";
    if !measure.wants(name) {
        return;
    }
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
    measure.run_with(name, copy, |copy| (open(copy.path(), Durability::Interval), copy));
}
