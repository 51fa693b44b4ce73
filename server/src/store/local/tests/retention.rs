//! Retention, by a clock that the test sets.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::super::background::compaction;
use super::super::background::compaction_policy::{Candidate, MAX_PART_SIZE, choose};
use super::damage::logged;
use super::random::Random;
use super::sim_disk::power_cut::{Left, Survival};
use super::sim_disk::{Rules, Verb};
use super::*;
use crate::clock::Clock;

fn with_clock(now: &Arc<AtomicI64>, log_limit: u64) -> LocalConfig {
    let now = Arc::clone(now);
    LocalConfig {
        clock: Clock::new(move || now.load(Ordering::SeqCst)),
        retention: Some(Duration::from_secs(100)),
        log_limit,
        ..restless()
    }
}

/// A system time that may jump, and a running time that does not.
#[derive(Debug, Default)]
struct Clocks {
    now: Arc<AtomicI64>,
    minutes: Arc<AtomicU64>,
}

impl Clocks {
    fn at(now: i64) -> Self {
        Self { now: Arc::new(now.into()), ..Self::default() }
    }

    /// A store that checkpoints every batch.
    fn config(&self, retention: u64) -> LocalConfig {
        let config = with_clock(&self.now, 1);
        let minutes = Arc::clone(&self.minutes);
        let uptime = move || Duration::from_secs(60 * minutes.load(Ordering::SeqCst));
        LocalConfig {
            clock: config.clock.with_uptime(uptime),
            retention: Some(Duration::from_secs(retention)),
            ..config
        }
    }

    fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    /// Lets a store run for so long, with a point of now each minute.
    async fn run(&self, store: &Local, minutes: u64) -> Vec<Row> {
        let mut rows = Vec::new();
        for _ in 0..minutes {
            self.now.fetch_add(60, Ordering::SeqCst);
            self.minutes.fetch_add(1, Ordering::SeqCst);
            let new = row("now", self.now());
            assert_eq!(put(store, std::slice::from_ref(&new)).await, Ok(vec![]));
            rows.push(new);
            self.tick(store);
            settle(store);
        }
        rows
    }

    /// Waits until the store has seen the present time.
    fn tick(&self, store: &Local) {
        // No thread is between its look at the clock and its wait then.
        drop(store.state.memory());
        store.state.notify();
        until(|| !store.state.is_sample_due());
    }
}

fn until(done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(300), "it takes too long");
        std::thread::yield_now();
    }
}

fn row(key: &str, timestamp: i64) -> Row {
    (key.to_owned(), timestamp, f64::from(i32::try_from(timestamp).unwrap()) / 2.0)
}

fn parts(state: &StoreState) -> Vec<Arc<super::super::part::Part>> {
    state.memory().parts.to_vec()
}

#[tokio::test]
async fn what_is_older_than_the_retention_is_neither_taken_nor_answered() {
    let now = Arc::new(AtomicI64::new(1000));
    let disk = SimDisk::new(Image::new());
    for log_limit in [1 << 30, 1] {
        let store = open(&disk, with_clock(&now, log_limit)).unwrap();
        let start = now.load(Ordering::SeqCst);
        let rows = [row("a", start - 101), row("a", start - 100), row("b", start), row("c", 5)];
        let refused = put(&store, &rows).await.unwrap();
        let reason = RefusalReason::OlderThanRetention;
        assert_eq!(refused, [0, 3].map(|index| Refused { index, reason }));
        // A checkpoint in the second round, when the limit is a byte.
        assert_eq!(put(&store, &[row("b", start + 1)]).await, Ok(vec![]));
        settle(&store);

        let answer = async || contract::read(&store, Query::all()).await;
        let rest = [row("b", start), row("b", start + 1)];
        assert_eq!(answer().await, [&[row("a", start - 100)][..], &rest].concat());
        now.fetch_add(1, Ordering::SeqCst);
        assert_eq!(answer().await, rest);
        now.fetch_add(100, Ordering::SeqCst);
        assert_eq!(answer().await, rest[1..]);
        now.fetch_add(1, Ordering::SeqCst);
        assert_eq!(answer().await, []);
        within(store.close()).await;
    }
}

/// A day of points in several parts, and as much time later.
async fn a_day_of_points(disk: &SimDisk, clocks: &Clocks) -> Vec<Row> {
    let mut rows = Vec::new();
    for hour in 0..24 {
        let store = open(disk, clocks.config(WEEK)).unwrap();
        let new = [row("a", clocks.now()), row(&format!("b{hour}"), clocks.now() + 1)];
        assert_eq!(put(&store, &new).await, Ok(vec![]));
        rows.extend(new);
        clocks.now.fetch_add(3600, Ordering::SeqCst);
        within(store.close()).await;
    }
    rows
}

const WEEK: u64 = 7 * 86_400;

const HOUR: u64 = 3600;

/// Everything that a store with the right options and the right time answers.
async fn answer(disk: &SimDisk, clocks: &Clocks) -> Vec<Row> {
    let store = open(disk, clocks.config(WEEK)).unwrap();
    let answer = contract::read(&store, Query::all()).await;
    within(store.close()).await;
    sorted(answer)
}

fn sorted(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    rows
}

#[tokio::test]
async fn a_wrong_option_of_less_than_an_hour_costs_nothing() {
    for minutes in [59, 62] {
        let (disk, clocks) = (SimDisk::new(Image::new()), Clocks::at(1_000_000));
        let mut rows = a_day_of_points(&disk, &clocks).await;
        let store = open(&disk, clocks.config(HOUR)).unwrap();
        let oldest = clocks.now() - 3600;
        assert!(contract::read(&store, Query::all()).await.iter().all(|row| row.1 >= oldest));
        let reason = RefusalReason::OlderThanRetention;
        let refused = put(&store, &[row("a", oldest - 1)]).await;
        assert_eq!(refused, Ok(vec![Refused { index: 0, reason }]));
        rows.extend(clocks.run(&store, minutes).await);
        let all = rows.len() as u64;
        if minutes > 60 {
            until(|| parts(&store.state).iter().map(|part| part.points()).sum::<u64>() < all);
        }
        within(store.close()).await;
        let mut found = answer(&disk, &clocks).await;
        if minutes > 60 {
            assert!(!found.contains(&rows[0]), "an hour deletes");
            // Too old an hour before the end.
            rows.retain(|row| row.1 >= oldest + 120);
            found.retain(|row| row.1 >= oldest + 120);
        }
        assert_eq!(found, sorted(rows), "{minutes} minutes");
    }
}

#[tokio::test]
async fn a_system_time_that_jumps_for_less_than_an_hour_costs_nothing() {
    const YEARS: i64 = 10 * 365 * 86_400;
    let (disk, clocks) = (SimDisk::new(Image::new()), Clocks::at(1_000_000));
    let mut rows = a_day_of_points(&disk, &clocks).await;
    let store = open(&disk, clocks.config(WEEK)).unwrap();
    for _ in 0..3 {
        rows.extend(clocks.run(&store, 70).await);
        clocks.now.fetch_add(YEARS, Ordering::SeqCst);
        let wrong = clocks.run(&store, 30).await;
        let found = contract::read(&store, Query::all()).await;
        assert!(wrong.iter().all(|row| found.contains(row)) && !found.contains(&rows[0]));
        clocks.now.fetch_sub(YEARS, Ordering::SeqCst);
        rows.extend(wrong);
    }
    rows.extend(clocks.run(&store, 70).await);
    assert_eq!(sorted(contract::read(&store, Query::all()).await), sorted(rows.clone()));
    within(store.close()).await;
    // The same when the server is started by the wrong time.
    clocks.now.fetch_add(YEARS, Ordering::SeqCst);
    let store = open(&disk, clocks.config(WEEK)).unwrap();
    rows.extend(clocks.run(&store, 30).await);
    clocks.now.fetch_sub(YEARS, Ordering::SeqCst);
    rows.extend(clocks.run(&store, 60).await);
    within(store.close()).await;
    assert_eq!(answer(&disk, &clocks).await, sorted(rows));
}

#[tokio::test]
async fn refused_points_keep_the_contract() {
    let now = Arc::new(AtomicI64::new(1000));
    for log_limit in [1 << 30, 1] {
        let max_ahead = Some(Duration::from_secs(50));
        let config = LocalConfig { max_ahead, ..with_clock(&now, log_limit) };
        let store = open(&SimDisk::new(Image::new()), config).unwrap();
        contract::hold_while_refusing(&store, 900..=1050).await;
    }
}

#[tokio::test]
async fn expired_parts_are_dropped_and_trimmed() {
    let now = Arc::new(AtomicI64::new(1000));
    let config = with_clock(&now, 1 << 30);
    let disk = SimDisk::new(Image::new());
    // A part of old points, one of old and new chunks, one of a chunk that is both, one of new
    // points.
    let contents = [
        vec![row("old", 950), row("older", 940)],
        vec![row("old", 960), row("new", 1050)],
        (990..1030).map(|at| row("both", at)).collect(),
        vec![row("new", 1060)],
    ];
    for rows in &contents {
        let store = open(&disk, config.clone()).unwrap();
        assert_eq!(put(&store, rows).await, Ok(vec![]));
        within(store.close()).await;
    }
    let size = |name: &str| disk.visible()[name].len();
    let names: Vec<_> = disk.visible().into_keys().filter(|name| name.contains("part")).collect();
    assert_eq!(names.len(), 4);
    let before: Vec<_> = names.iter().map(|name| size(name)).collect();

    now.store(1110, Ordering::SeqCst);
    let state = recovered(&disk, config.clone()).unwrap().state;
    let expected: Vec<_> = contents.concat().into_iter().filter(|row| row.1 >= 1010).collect();
    assert_eq!(sorted(read(&state).unwrap()), sorted(expected.clone()));
    let mut merges = 0;
    loop {
        let parts = parts(&state);
        let cutoff = state.config().cutoff();
        // By the share that is expired alone, not by size.
        let size = MAX_PART_SIZE + 1;
        let candidates: Vec<_> = parts
            .iter()
            .map(|part| Candidate {
                size,
                ..compaction::candidate(part, &HiddenTimes::new(), cutoff, false)
            })
            .collect();
        let Some(range) = choose(&candidates) else { break };
        compaction::merge(&state, &parts[range], cutoff).unwrap();
        merges += 1;
        assert!(merges <= 4, "merges that make no difference");
    }
    assert_eq!(merges, 2);
    let points: Vec<_> = parts(&state).iter().map(|part| part.points()).collect();
    assert_eq!(points, [0, 1, 40, 1], "nothing of the first, half of the second");
    assert!(size(&names[0]) < 70 && size(&names[0]) < before[0]);
    assert!(size(&names[1]) < before[1]);
    assert_eq!(sorted(read(&state).unwrap()), sorted(expected.clone()));

    // A merge for the sake of size trims the rest.
    let all = parts(&state);
    compaction::merge(&state, &all, state.config().cutoff()).unwrap();
    let points: Vec<_> = parts(&state).iter().map(|part| part.points()).collect();
    assert_eq!(points, [expected.len() as u64]);
    assert_eq!(sorted(read(&state).unwrap()), sorted(expected.clone()));
    drop(state);
    let found = read(&recovered(&disk, config).unwrap().state).unwrap();
    assert_eq!(sorted(found), sorted(expected));
}

/// Where an open file can't be replaced, the old part keeps its name as long as it is read, and the
/// new one is left alone.
#[tokio::test]
async fn a_part_that_is_read_is_replaced_when_it_is_closed() {
    let now = Arc::new(AtomicI64::new(1000));
    let config = with_clock(&now, 1 << 30);
    let disk = SimDisk::with_rules(Image::new(), Rules::HELD);
    let store = open(&disk, config.clone()).unwrap();
    let rows = [row("old", 910), row("old", 920), row("new", 1050)];
    assert_eq!(put(&store, &rows).await, Ok(vec![]));
    within(store.close()).await;
    drop(store);
    now.store(1100, Ordering::SeqCst);
    let start = disk.operations();
    let state = recovered(&disk, config.clone()).unwrap().state;
    let name = disk.visible().into_keys().find(|name| name.contains("part")).unwrap();
    let unfinished = format!("{name}.tmp");
    let before = disk.visible()[&name].clone();

    let reader = parts(&state).remove(0);
    let cutoff = config.cutoff();
    compaction::merge(&state, std::slice::from_ref(&reader), cutoff).unwrap();
    let new = parts(&state).remove(0);
    let (candidate, old_points) =
        (compaction::candidate(&new, &HiddenTimes::new(), cutoff, false), reader.points());
    assert!(candidate.resting && !new.take_name(&disk).unwrap());
    assert_eq!((new.points(), old_points), (1, 3));
    assert_eq!(disk.visible()[&name], before);
    assert!(reader.is_sound() && new.is_sound());
    let written = disk.visible()[&unfinished].clone();

    drop(reader);
    // A failure is logged once.
    disk.on_call(|verb, _| (verb == Verb::Rename).then_some(io::ErrorKind::PermissionDenied));
    let (all, mut refused) = (parts(&state), BTreeSet::new());
    let mut take_names = || logged(|| compaction::take_names(&state, &all, &mut refused));
    let (all_named, log) = take_names();
    assert!(!all_named && log.contains("can't give part-"), "{log}");
    assert_eq!(take_names(), (false, String::new()));
    disk.on_call(|_, _| None);
    assert_eq!(take_names(), (true, String::new()));
    assert!(new.take_name(&disk).unwrap() && new.has_name());
    assert!(!compaction::candidate(&new, &HiddenTimes::new(), cutoff, false).resting);
    assert_eq!(disk.visible()[&name], written);
    assert!(!disk.visible().contains_key(&unfinished));
    assert_eq!(read(&state).unwrap(), rows[2..]);

    for moment in start..=disk.operations() {
        for (seed, left) in [Left::Nothing, Left::Everything, Left::Some].into_iter().enumerate() {
            let random = Random(seed as u64);
            let image = disk.image(moment, &mut Survival { names: left, bytes: left, random });
            let found = recovered(&SimDisk::with_rules(image, Rules::HELD), config.clone());
            assert_eq!(read(&found.unwrap().state).unwrap(), rows[2..], "{}", disk.around(moment));
        }
    }
}

#[tokio::test]
async fn a_series_that_expired_whole_begins_anew() {
    let clocks = Clocks::at(1000);
    let disk = SimDisk::new(Image::new());
    let (mut expected, mut sent) = (Vec::new(), 0);
    for round in 0..4 {
        let store = open(&disk, clocks.config(HOUR)).unwrap();
        for at in 0..90 {
            let time = clocks.now.fetch_add(60, Ordering::SeqCst);
            clocks.minutes.fetch_add(1, Ordering::SeqCst);
            let rows = [row(&format!("key{}", (round + at / 30) % 5), time)];
            assert_eq!(put(&store, &rows).await, Ok(vec![]));
            expected.extend(rows);
            sent += 1;
            clocks.tick(&store);
            settle(&store);
        }
        let cutoff = clocks.now() - 3600;
        expected.retain(|row| row.1 >= cutoff);
        let mut found = contract::read(&store, Query::all()).await;
        found.sort_by_key(|row| row.1);
        assert_eq!(found, expected);
        within(store.close()).await;
    }
    let state = recovered(&disk, clocks.config(HOUR)).unwrap().state;
    let points: u64 = parts(&state).iter().map(|part| part.points()).sum();
    assert!(points < sent, "{points} points of {sent} are on the disk");
}
