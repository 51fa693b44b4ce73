//! Queries and deletions against a simple model, in lock-step, whatever moves in the store: puts out
//! of order, duplicates, restarts, crashes, checkpoints, merges, retention, parts of format 1.

use std::num::{NonZeroI64, NonZeroU64};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use shared::selector::Aggregate;

use super::*;
use crate::clock::Clock;
use crate::store::contract::model::Model;
use crate::store::query::{KeySelection, Select, Step, Window};

/// What is done to a store.
#[derive(Debug, Clone)]
enum Action {
    /// Points of several keys.
    Put(Vec<(u8, i64, i16)>),
    /// Many points of one key, so that its chunks have summaries.
    Fill {
        key: u8,
        start: i64,
        count: i64,
    },
    Delete(KeySelection, Window),
    Ask(Query),
    /// Close it and open it again.
    Restart,
    /// Kill it and open it again.
    Kill,
    /// Wait until nothing moves.
    Settle,
    /// Time goes by.
    Wait(i64),
}

fn key(number: u8) -> String {
    ["a.cpu", "a.mem", "b.cpu", "b.mem", "c", "火.cpu"][usize::from(number)].to_owned()
}

fn keys() -> impl Strategy<Value = KeySelection> {
    let glob = prop::sample::select(vec![
        "a.*",
        "*.cpu",
        "?",
        "{b,c}*",
        "{b.cpu,b,a,b.cpu}*",
        "nowhere*",
        "**",
    ]);
    prop_oneof![
        2 => Just(KeySelection::All),
        2 => (0..6u8).prop_map(|number| KeySelection::One(key(number).parse().unwrap())),
        3 => glob.prop_map(|glob| KeySelection::Glob(glob.parse().unwrap())),
    ]
}

fn timestamp() -> impl Strategy<Value = i64> {
    prop_oneof![
        8 => -20..1200i64,
        1 => any::<i64>(),
        1 => prop::sample::select(vec![i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX]),
    ]
}

fn window() -> impl Strategy<Value = Window> {
    prop_oneof![
        1 => Just(Window::ALL),
        6 => (timestamp(), timestamp()).prop_map(|(a, b)| Window { from: a.min(b), to: a.max(b) }),
        1 => (timestamp(), 0..3i64)
            .prop_map(|(from, more)| Window { from, to: from.saturating_add(more) }),
        1 => Just(Window::EMPTY),
    ]
}

fn select() -> impl Strategy<Value = Select> {
    let how = prop::sample::select(vec![
        Aggregate::Avg,
        Aggregate::Min,
        Aggregate::Max,
        Aggregate::Sum,
        Aggregate::Count,
        Aggregate::First,
        Aggregate::Last,
        Aggregate::Rate,
        Aggregate::P50,
        Aggregate::P99,
    ]);
    let seconds = prop_oneof![8 => 1..700i64, 1 => 1..=i64::MAX];
    let step = prop_oneof![
        3 => seconds.prop_map(|seconds| Step::Every(NonZeroI64::new(seconds).unwrap())),
        1 => prop::option::of(timestamp()).prop_map(|stamp| Step::All { stamp }),
    ];
    let count = prop_oneof![3 => 1..4u64, 1 => 1..2000u64, 1 => 1..=u64::MAX];
    let newest = (count, timestamp(), any::<bool>());
    prop_oneof![
        2 => window().prop_map(Select::Points),
        2 => newest.prop_map(|(count, to, or_later)| {
            Select::Newest { count: NonZeroU64::new(count).unwrap(), to, or_later }
        }),
        4 => (window(), step, how)
            .prop_map(|(window, step, how)| Select::Buckets { window, step, how }),
    ]
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let put = prop::collection::vec((0..6u8, timestamp(), any::<i16>()), 1..30);
    let fill = (0..6u8, 0..600i64, 1..700i64);
    let ask = (keys(), select());
    let action = prop_oneof![
        6 => put.prop_map(Action::Put),
        2 => fill.prop_map(|(key, start, count)| Action::Fill { key, start, count }),
        2 => (keys(), window()).prop_map(|(keys, window)| Action::Delete(keys, window)),
        8 => ask.prop_map(|(keys, select)| Action::Ask(Query { keys, select })),
        1 => Just(Action::Restart),
        1 => Just(Action::Kill),
        1 => Just(Action::Settle),
        1 => (0..300i64).prop_map(Action::Wait),
    ];
    prop::collection::vec(action, 1..50)
}

/// Each value is a multiple of a quarter, so that sums are exact.
fn quarters(value: i16) -> f64 {
    f64::from(value) / 4.0
}

/// Whether rows are alike; the model adds what format 1 has without compensation.
fn is_same(a: &Row, b: &Row) -> bool {
    let off = (a.2 - b.2).abs();
    (&a.0, a.1) == (&b.0, b.1) && (a.2.to_bits() == b.2.to_bits() || off < 1e-9 * b.2.abs())
}

/// A store and the model of what it is to answer.
struct Pair {
    config: LocalConfig,
    disk: SimDisk,
    store: Local,
    model: Model,
    now: Arc<AtomicI64>,
}

impl Pair {
    async fn new(image: Image, log_limit: u64, retention: Option<Duration>) -> Self {
        let now = Arc::new(AtomicI64::new(0));
        let clock = Clock::new({
            let now = Arc::clone(&now);
            move || now.load(Ordering::Relaxed)
        });
        let config = LocalConfig { log_limit, retention, clock, ..restless() };
        let disk = SimDisk::new(image);
        let store = open(&disk, config.clone()).unwrap();
        let mut model = Model::default();
        for (key, timestamp, value) in contract::read(&store, Query::all()).await {
            model.put(&key, Point { timestamp, value });
        }
        Self { config, disk, store, model, now }
    }

    async fn put(&mut self, rows: Vec<Row>) {
        let oldest = self.config.cutoff();
        let refused = put(&self.store, &rows).await.unwrap();
        assert_eq!(refused.len(), rows.iter().filter(|row| row.1 < oldest).count());
        for (key, timestamp, value) in rows.into_iter().filter(|row| row.1 >= oldest) {
            self.model.put(&key, Point { timestamp, value });
        }
    }

    async fn reopen(&mut self) {
        within(self.store.close()).await;
        self.store = open(&self.disk, self.config.clone()).unwrap();
    }

    async fn act(&mut self, action: Action) {
        match action {
            Action::Put(puts) => {
                let rows = puts.into_iter();
                self.put(rows.map(|(k, at, value)| (key(k), at, quarters(value))).collect()).await;
            }
            Action::Fill { key: number, start, count } => {
                let value = |at: i64| quarters(i16::try_from(at * at % 977 - 400).unwrap());
                let rows = (start..start + count).map(|at| (key(number), at, value(at)));
                self.put(rows.collect()).await;
            }
            Action::Delete(keys, window) => {
                let deletion = Deletion { keys, window };
                assert_eq!(within(self.store.delete(deletion.clone())).await, Ok(()));
                self.model.delete(&deletion);
            }
            Action::Ask(query) => {
                let expected = self.model.get(&query, self.config.cutoff());
                let found = contract::read(&self.store, query.clone()).await;
                let same = found.iter().zip(&expected).take_while(|(a, b)| is_same(a, b)).count();
                let next = (found.get(same), expected.get(same));
                assert!(next == (None, None), "{query:?}: found and expected {next:?}");
            }
            Action::Restart => self.reopen().await,
            Action::Kill => {
                let left = SimDisk::new(self.disk.visible());
                within(self.store.close()).await;
                self.disk = left;
                self.store = open(&self.disk, self.config.clone()).unwrap();
            }
            Action::Settle => settle(&self.store),
            Action::Wait(seconds) => {
                self.now.fetch_add(seconds, Ordering::Relaxed);
            }
        }
    }

    async fn end(mut self) {
        for select in [
            Select::Points(Window::ALL),
            Select::Newest { count: NonZeroU64::MIN, to: 600, or_later: true },
            Select::Buckets {
                window: Window::ALL,
                step: Step::Every(NonZeroI64::new(400).unwrap()),
                how: Aggregate::Max,
            },
        ] {
            self.act(Action::Ask(Query { keys: KeySelection::All, select })).await;
        }
        within(self.store.close()).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn a_store_answers_as_the_model_does(
        actions in actions(),
        log_limit in prop_oneof![300..3000u64, 3000..40_000u64],
        retention in prop::option::weighted(0.3, 200..800u64),
        from_format_1 in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let image = if from_format_1 { upgrade::format_1("mixed") } else { Image::new() };
            let mut pair = Pair::new(image, log_limit, retention.map(Duration::from_secs)).await;
            for action in actions {
                pair.act(action).await;
            }
            pair.end().await;
        });
    }
}
