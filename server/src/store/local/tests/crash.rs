//! A power cut, or the death of the process, at every single operation on the disk: those of
//! puts, rotations, checkpoints, merges, closing, and of the recoveries from earlier crashes. On
//! disks of all kinds of rules for names.
//!
//! `CRASH_ROUNDS=n` runs n workloads of each kind instead of the usual few, and `CRASH_STEP=n` looks behind
//! each n-th operation only, for slow machines. A failure names the seed and the operation, and shows the
//! operations before it.

use std::cell::{Cell, RefCell};

use tokio::runtime::Runtime;

use super::damage::logged;
use super::history::{History, Moment};
use super::random::Random;
use super::sim_disk::Rules;
use super::sim_disk::power_cut::{Left, Survival};
use super::*;
use crate::store::query::KeySelection;

const STEPS: usize = 60;

fn rounds() -> u64 {
    std::env::var("CRASH_ROUNDS").map_or(1, |rounds| rounds.parse().unwrap())
}

/// Behind each how many operations there is a crash.
pub fn step() -> usize {
    std::env::var("CRASH_STEP").map_or(1, |step| step.parse().unwrap())
}

/// A store in use and the history of its puts.
struct Session<'s> {
    disk: &'s SimDisk,
    history: RefCell<History>,
    random: RefCell<Random>,
    next_value: Cell<usize>,
    /// Lets checkpoints and merges end before the next put, so that a seed does the same each
    /// time; otherwise they run alongside.
    settled: bool,
}

impl Session<'_> {
    fn rows(&self, step: usize) -> Vec<Row> {
        let mut random = self.random.borrow_mut();
        let rows = 1 + random.below(12);
        let keys = 2 + step / 7;
        // No two puts have the same value.
        let next = self.next_value.get();
        self.next_value.set(next + rows);
        let row = |number| {
            let key = format!("key{}", random.below(keys));
            let timestamp = i64::try_from(step + random.below(40)).unwrap();
            (key, timestamp, f64::from(u32::try_from(next + number).unwrap()) / 4.0)
        };
        (0..rows).map(row).collect()
    }

    /// Takes back some points of a key, or all of it, now and then of all keys.
    async fn delete(&self, store: &Local, step: usize) {
        let (keys, window) = {
            let mut random = self.random.borrow_mut();
            let key = (random.below(8) > 0).then(|| format!("key{}", random.below(2 + step / 7)));
            let from = i64::try_from(step + random.below(40)).unwrap();
            let part = Window { from, to: from + i64::try_from(random.below(20)).unwrap() };
            (key, if random.below(3) == 0 { Window::ALL } else { part })
        };
        let selection =
            keys.as_ref().map_or(KeySelection::All, |key| KeySelection::One(key.parse().unwrap()));
        let sent = self.history.borrow_mut().send_delete(keys, window, self.disk.operations());
        let deletion = Deletion { keys: selection, window };
        assert_eq!(within(store.delete(deletion)).await, Ok(()));
        self.history.borrow_mut().acknowledge_delete(&sent, self.disk.operations());
    }

    async fn send(&self, store: &Local, rows: Vec<Row>) {
        let sent = self.history.borrow_mut().send(&rows, self.disk.operations());
        assert_eq!(put(store, &rows).await, Ok(vec![]));
        self.history.borrow_mut().acknowledge(sent, self.disk.operations());
    }

    /// Opens the store, checks it, uses it and closes it.
    fn run(&self, runtime: &Runtime, config: LocalConfig, steps: usize) -> Result<(), String> {
        let store = open(self.disk, config).map_err(|error| format!("can't open: {error}"))?;
        let found = read(&store.state).map_err(|error| error.to_string())?;
        self.history.borrow().check(&found, self.disk.operations())?;
        self.history.borrow_mut().see(&found, self.disk.operations());
        runtime.block_on(async {
            for step in 0..steps {
                let one = self.rows(step);
                if step % 6 == 5 {
                    self.delete(&store, step).await;
                }
                if step % 5 == 4 {
                    let two = self.rows(step);
                    tokio::join!(biased; self.send(&store, one), self.send(&store, two));
                } else {
                    self.send(&store, one).await;
                }
                if self.settled {
                    super::settle(&store);
                }
            }
            within(store.close()).await;
        });
        let found = read(&store.state).map_err(|error| error.to_string())?;
        self.history.borrow().check(&found, self.disk.operations())
    }
}

pub fn survivals(seed: u64) -> impl Iterator<Item = Survival> {
    use Left::{Everything, Nothing, Some};
    let kinds = [
        (Nothing, Nothing),
        (Everything, Nothing),
        (Nothing, Everything),
        (Everything, Everything),
        (Some, Some),
        (Some, Some),
    ];
    kinds.into_iter().zip(0..).map(move |((names, bytes), kind)| Survival {
        names,
        bytes,
        random: Random(seed << 3 | kind),
    })
}

/// Cuts the power behind each `step`-th operation from `start` on and looks at what is left; `then` gets
/// the images.
fn power_cut_everywhere(
    disk: &SimDisk,
    history: &History,
    (start, step): (Moment, usize),
    config: &LocalConfig,
    seed: u64,
    mut then: impl FnMut(Image, &History),
) {
    for moment in (start..=disk.operations()).step_by(step) {
        let mut known = Vec::new();
        for survival in survivals(seed << 20 | moment as u64) {
            let image = disk.image(moment, &mut survival.clone());
            if known.contains(&image) {
                continue;
            }
            let recover = || {
                let copy = SimDisk::with_rules(image.clone(), disk.rules());
                recovered(&copy, config.clone())
                    .map_err(|error| format!("can't open: {error}"))
                    .and_then(|found| read(&found.state).map_err(|error| error.to_string()))
                    .and_then(|found| history.check(&found, moment))
            };
            if let Err(broken) = recover() {
                let (rules, around) = (disk.rules(), disk.around(moment));
                let (_, log) = logged(recover);
                panic!("{broken}\nseed {seed}, {rules:?}, {survival:?}\n{around}\n{log}");
            }
            then(image.clone(), &history.cut_at(moment));
            known.push(image);
        }
    }
}

fn crash_everywhere(disk: &SimDisk, config: &LocalConfig, seed: u64, settled: bool, step: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let session = |disk: &SimDisk, history: History, steps: usize| {
        let random = RefCell::new(Random(seed << 32 | disk.operations() as u64));
        let next_value = Cell::new(history.sent());
        let session = Session { disk, history: RefCell::new(history), random, next_value, settled };
        if let Err(broken) = session.run(&runtime, config.clone(), steps) {
            panic!("{broken}\nseed {seed}\n{}", disk.around(disk.operations()));
        }
        session.history.into_inner()
    };
    let history = session(disk, History::default(), STEPS);

    // Every image is looked at; from some of them a store goes on and is crashed again.
    let mut number = 0;
    power_cut_everywhere(disk, &history, (0, step), config, seed, |image, history| {
        number += 1;
        if number % 61 == 0 {
            let disk = SimDisk::with_rules(image, disk.rules());
            let history = session(&disk, history.clone(), 3);
            power_cut_everywhere(&disk, &history, (0, step), config, seed, |_, _| {});
        }
    });
    // The process dies, its successor goes on, and then the power is cut.
    for moment in (0..disk.operations()).step_by(47 * step) {
        let history = history.cut_at(moment);
        let disk = disk.killed_after(moment);
        let history = session(&disk, history, 3);
        power_cut_everywhere(&disk, &history, (moment, step), config, seed, |_, _| {});
    }
}

/// Crashes a store everywhere on disks of all rules, each with seeds of its own.
fn crash_with_all_rules(first_seed: u64, settled: bool) {
    std::thread::scope(|scope| {
        for rules in Rules::ALL {
            scope.spawn(move || {
                for seed in first_seed..first_seed + rounds() {
                    let disk = SimDisk::with_rules(Image::new(), rules);
                    crash_everywhere(&disk, &restless(), seed, settled, step());
                }
            });
        }
    });
}

#[test]
fn a_crash_at_any_operation_loses_nothing_that_was_acknowledged() {
    crash_with_all_rules(0, true);
}

#[test]
fn a_crash_while_checkpoints_and_merges_run_alongside_loses_nothing() {
    crash_with_all_rules(1000, false);
}

/// The tests above can fail: on each kind of disk they find a store that removes the log before the
/// part with its points has its name.
#[test]
fn a_store_that_removes_the_log_too_early_is_found() {
    for rules in Rules::ALL {
        let disk = SimDisk::with_rules(Image::new(), rules);
        disk.remove_first();
        let crashed = std::panic::catch_unwind(|| crash_everywhere(&disk, &restless(), 0, true, 1));
        let report = crashed.expect_err("nothing is found");
        let report = report.downcast_ref::<String>().expect("a message");
        // It is seen, and so it is said, because the list of files has the part.
        let is_found = ["was acknowledged and is lost", "the disk has lost points"]
            .iter()
            .any(|words| report.contains(words));
        assert!(is_found, "{rules:?}: {report}");
    }
}

/// Recovers what is left, begins a new segment there and is killed. What it found was sent.
fn killed_after_start(image: Image, config: &LocalConfig, sent: &[Row]) -> Image {
    let disk = SimDisk::new(image);
    let Recovered { state, resume, .. } = recovered(&disk, config.clone()).unwrap();
    let found = read(&state).unwrap();
    assert!(found.iter().all(|row| sent.contains(row)));
    drop(Committer::start(Arc::new(state), Arc::default(), resume).unwrap());
    disk.visible()
}

/// What a power cut or a kill leaves is never called damage, whatever is missing of the last writes, and
/// at the starts after the next one neither; and nothing is there that was never put.
#[test]
fn what_a_crash_leaves_is_never_called_damage() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for durability in [Durability::Sync, Durability::Interval] {
        let config = LocalConfig { durability, ..restless() };
        let disk = SimDisk::new(Image::new());
        let store = open(&disk, config.clone()).unwrap();
        let mut sent = Vec::new();
        runtime.block_on(async {
            for step in 0..12 {
                let row = |number: i64| (format!("key{}", number % 5), step * 10 + number, 0.5);
                let rows: Vec<Row> = (0..8).map(row).collect();
                // Longer than a sector together.
                let (one, two) = rows.split_at(4);
                let (one, two) = tokio::join!(biased; put(&store, one), put(&store, two));
                assert_eq!((one, two), (Ok(vec![]), Ok(vec![])));
                sent.extend(rows);
                settle(&store);
            }
        });
        let moments = disk.operations();
        runtime.block_on(within(store.close()));
        for moment in (0..=moments).step_by(step()) {
            for mut survival in survivals(moment as u64) {
                let mut image = disk.image(moment, &mut survival);
                for start in 0..3 {
                    let (left, log) = logged(|| killed_after_start(image, &config, &sent));
                    let around = disk.around(moment);
                    assert!(!log.contains("ERROR"), "start {start}, {survival:?}: {log}\n{around}");
                    image = left;
                }
            }
        }
    }
}
