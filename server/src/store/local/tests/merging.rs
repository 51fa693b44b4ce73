//! Merging keeps few parts, writes each point few times, and changes no answer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::super::background::compaction_policy::{Candidate, GROWTH, MAX_PART_SIZE, choose};
use super::random::Random;
use super::*;

/// What becomes of checkpoints of these sizes.
#[derive(Debug, Default)]
struct Simulation {
    sizes: Vec<u64>,
    checkpointed: u64,
    /// By checkpoints and merges.
    written: u64,
    most_parts: usize,
}

impl Simulation {
    fn checkpoint(&mut self, size: u64) {
        self.sizes.push(size);
        self.checkpointed += size;
        self.written += size;
        while let Some(range) = choose(&self.candidates()) {
            assert!(range.len() > 1, "{range:?} of {:?}", self.sizes);
            let total: u64 = self.sizes[range.clone()].iter().sum();
            assert!(total <= MAX_PART_SIZE);
            self.written += total;
            self.sizes.splice(range, [total]);
        }
        self.most_parts = self.most_parts.max(self.sizes.len());
    }

    fn candidates(&self) -> Vec<Candidate> {
        let sizes = self.sizes.iter().zip(1..);
        sizes
            .map(|(&size, id)| Candidate {
                segments: id..=id,
                size,
                expired: 0.0,
                deleted: 0.0,
                resting: false,
            })
            .collect()
    }

    fn amplification(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "only a ratio")]
        let ratio = self.written as f64 / self.checkpointed as f64;
        ratio
    }
}

/// The bound that `GROWTH` states, for checkpoints of `smallest` bytes and more.
fn check_bounds(simulation: &Simulation, smallest: u64) {
    let levels = |total: u64| (total / smallest).max(1).ilog(GROWTH) + 1;
    let times = f64::from(levels(simulation.checkpointed));
    assert!(simulation.amplification() <= times, "{:.2} > {times}", simulation.amplification());
    let small = 2 * levels(simulation.checkpointed.min(MAX_PART_SIZE));
    let parts = u64::from(small) + 3 * (simulation.checkpointed / MAX_PART_SIZE);
    assert!(simulation.most_parts as u64 <= parts, "{} > {parts}", simulation.most_parts);
}

#[test]
fn parts_and_rewrites_stay_few() {
    // The last ones outgrow the largest part that a merge makes.
    let kinds = [(1000, 1, 5000), (1000, 1000, 5000), (1, 10_000, 5000), (40 << 20, 1 << 20, 700)];
    for (smallest, spread, checkpoints) in kinds {
        for seed in 0..3 {
            let mut random = Random(seed);
            let mut simulation = Simulation::default();
            for _ in 0..checkpoints {
                simulation.checkpoint(smallest + random.below(spread) as u64);
                check_bounds(&simulation, smallest);
            }
        }
    }
}

/// What is done to a store.
#[derive(Debug, Clone)]
enum Step {
    Put(Vec<(u8, i64)>),
    /// Close it and open it again.
    Restart,
    /// Kill it and open it again.
    Kill,
    /// Wait until nothing moves.
    Settle,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let timestamp = prop_oneof![0..40i64, -5..5i64, any::<i64>()];
    let put = prop::collection::vec((0..6u8, timestamp), 1..40).prop_map(Step::Put);
    let step = prop_oneof![
        12 => put,
        1 => Just(Step::Restart),
        1 => Just(Step::Kill),
        1 => Just(Step::Settle),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn a_store_is_a_sorted_map_whatever_moves_in_it(steps in steps(), log_limit in 100..3000u64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let config = LocalConfig { log_limit, ..restless() };
        let mut disk = SimDisk::new(Image::new());
        let mut store = open(&disk, config.clone()).unwrap();
        let mut order: Vec<String> = Vec::new();
        let mut model: BTreeMap<(usize, i64), f64> = BTreeMap::new();
        let mut value = 0.0;
        for step in steps {
            match step {
                Step::Put(puts) => {
                    let mut rows = Vec::new();
                    for (key, timestamp) in puts {
                        value += 0.5;
                        let key = format!("key{key}");
                        let place = order.iter().position(|known| *known == key);
                        let place = place.unwrap_or_else(|| {
                            order.push(key.clone());
                            order.len() - 1
                        });
                        model.insert((place, timestamp), value);
                        rows.push((key, timestamp, value));
                    }
                    prop_assert_eq!(runtime.block_on(put(&store, &rows)), Ok(vec![]));
                }
                Step::Restart => {
                    runtime.block_on(within(store.close()));
                    store = open(&disk, config.clone()).unwrap();
                }
                Step::Kill => {
                    let left = SimDisk::new(disk.visible());
                    runtime.block_on(within(store.close()));
                    disk = left;
                    store = open(&disk, config.clone()).unwrap();
                }
                Step::Settle => settle(&store),
            }
            let expected: Vec<_> = model
                .iter()
                .map(|(&(place, timestamp), &value)| (order[place].clone(), timestamp, value))
                .collect();
            prop_assert_eq!(read(&store.state).unwrap(), expected);
        }
        runtime.block_on(within(store.close()));
    }
}

#[tokio::test]
async fn a_merge_does_not_hold_the_index_while_it_reads() {
    let disk = SimDisk::new(Image::new());
    let config = LocalConfig { log_limit: 20_000, segment_size: 10_000, ..restless() };
    let store = open(&disk, config).unwrap();
    let (asked, held) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    disk.on_call({
        let (asked, held, state) =
            (Arc::clone(&asked), Arc::clone(&held), Arc::downgrade(&store.state));
        move |verb, name| {
            let is_merge = std::thread::current().name() == Some("compact");
            if is_merge
                && verb == Verb::Read
                && name.starts_with("part-")
                && let Some(state) = state.upgrade()
            {
                let (send, receive) = std::sync::mpsc::channel();
                // As the put of a new key does.
                std::thread::spawn(move || {
                    drop(state.index_mut());
                    let _ = send.send(());
                });
                asked.fetch_add(1, Ordering::SeqCst);
                let got = receive.recv_timeout(std::time::Duration::from_secs(2)).is_ok();
                held.fetch_add(usize::from(!got), Ordering::SeqCst);
            }
            None
        }
    });
    for round in 0..9 {
        let rows: Vec<_> = (0..5000).map(|at| ("a".to_owned(), round * 5000 + at, 1.0)).collect();
        put(&store, &rows).await.unwrap();
    }
    within(store.close()).await;
    disk.no_faults();
    assert!(asked.load(Ordering::SeqCst) > 0);
    assert_eq!(held.load(Ordering::SeqCst), 0);
}
