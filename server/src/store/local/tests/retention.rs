//! Retention, by a clock that the test sets.

mod start;
mod strays;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::super::background::compaction;
use super::super::background::compaction_policy::{Candidate, MAX_PART_SIZE, choose};
use super::super::part::header::ChunkEntry;
use super::damage::{logged, logged_from};
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

    /// Opens a store, and waits until it has seen the present time.
    fn open(&self, disk: &SimDisk, retention: u64) -> Local {
        let store = open(disk, self.config(retention)).unwrap();
        until(|| !store.state.is_sample_due());
        store
    }

    fn now(&self) -> i64 {
        self.now.load(Ordering::SeqCst)
    }

    /// Lets a store run for so long, with a point of now each minute.
    async fn run(&self, store: &Local, minutes: u64) -> Vec<Row> {
        let mut rows = Vec::new();
        for _ in 0..minutes {
            let new = row("now", self.now() + 60);
            assert_eq!(put(store, std::slice::from_ref(&new)).await, Ok(vec![]));
            rows.push(new);
            self.pass_minute(store);
            settle(store);
        }
        rows
    }

    /// Lets a minute go by, which the store sees.
    fn pass_minute(&self, store: &Local) {
        self.now.fetch_add(60, Ordering::SeqCst);
        self.minutes.fetch_add(1, Ordering::SeqCst);
        // No thread is between its look at the clock and its wait then.
        drop(store.state.memory());
        store.state.notify();
        until(|| !store.state.is_sample_due());
    }
}

/// All that is hidden now may be deleted.
fn hidden(state: &StoreState) -> Expiry {
    Expiry { cutoff: state.config().cutoff(), ..NOTHING_EXPIRED }
}

fn info_of<T>(work: impl FnOnce() -> T) -> (T, String) {
    logged_from(tracing::Level::INFO, work)
}

pub fn until(done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(300), "it takes too long");
        std::thread::yield_now();
    }
}

fn row(key: &str, timestamp: i64) -> Row {
    (key.to_owned(), timestamp, f64::from(i32::try_from(timestamp).unwrap()) / 2.0)
}

/// A timestamp far ahead of the clock.
const FAR: i64 = 4_000_000_000;

fn far(key: &str, offset: i64) -> Row {
    (key.to_owned(), FAR + offset, 0.5)
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
        let store = clocks.open(disk, WEEK);
        let one = |key: i64| row(&format!("key{}", (key + hour) % 20), clocks.now() + key);
        let new: Vec<_> = (0..10).map(one).collect();
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
    let store = clocks.open(disk, WEEK);
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
        let store = clocks.open(&disk, HOUR);
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
            assert!(found.len() < rows.len(), "an hour deletes");
            // Others were too old an hour before the end.
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
    let store = clocks.open(&disk, WEEK);
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
    let store = clocks.open(&disk, WEEK);
    rows.extend(clocks.run(&store, 30).await);
    clocks.now.fetch_sub(YEARS, Ordering::SeqCst);
    rows.extend(clocks.run(&store, 60).await);
    within(store.close()).await;
    assert_eq!(answer(&disk, &clocks).await, sorted(rows));
}

/// Parts are rewritten and merged without what is expired, from old points with strays among them on.
#[tokio::test]
async fn a_crash_at_any_moment_takes_only_what_was_too_old_for_an_hour() {
    for (seed, rules) in (0..).zip(Rules::ALL) {
        let clocks = Clocks::at(FAR + 1000);
        let disk = SimDisk::with_rules(Image::new(), rules);
        // Most of the points, so that they are the most of a merged part, too.
        let first: Vec<_> = (1..201).map(|at| row("a", at)).chain([far("a", 0)]).collect();
        let store = open(&disk, clocks.config(1 << 40)).unwrap();
        assert_eq!(put(&store, &first).await, Ok(vec![]));
        within(store.close()).await;
        drop(store);
        clocks.now.store(1_000_000, Ordering::SeqCst);

        let store = clocks.open(&disk, HOUR);
        // Each point with the operations after which it is acknowledged; the time of operations.
        let mut sent: Vec<_> = first.into_iter().map(|row| (0, row)).collect();
        let mut times = vec![(disk.operations(), clocks.now())];
        for _ in 0..130 {
            let new = row(&format!("key{}", clocks.now() / 1800 % 3), clocks.now());
            assert_eq!(put(&store, std::slice::from_ref(&new)).await, Ok(vec![]));
            sent.push((disk.operations(), new));
            clocks.pass_minute(&store);
            settle(&store);
            times.push((disk.operations(), clocks.now()));
        }
        let kept = sent.len() as u64 - 200;
        until(|| parts(&store.state).iter().map(|part| part.points()).sum::<u64>() <= kept);
        within(store.close()).await;
        drop(store);

        let mut random = Random(seed);
        for moment in (times[0].0..=disk.operations()).step_by(5) {
            let left = [Left::Nothing, Left::Everything, Left::Some][random.below(3)];
            let mut survival = Survival { names: left, bytes: left, random: Random(moment as u64) };
            let image = SimDisk::with_rules(disk.image(moment, &mut survival), rules);
            let found = read(&recovered(&image, clocks.config(WEEK)).unwrap().state).unwrap();
            let found: BTreeMap<_, _> =
                found.into_iter().map(|(key, time, value)| ((key, time), value)).collect();
            let now = times.iter().find(|(until, _)| moment <= *until).unwrap_or(&times[130]).1;
            let mut known = 0;
            for (acknowledged, (key, time, value)) in &sent {
                let is_found = found.get(&(key.clone(), *time)) == Some(value);
                known += usize::from(is_found);
                let is_due = *acknowledged > moment || *time < now - 2 * 3600;
                assert!(is_found || is_due, "{key} {time} is lost\n{}", disk.around(moment));
            }
            assert_eq!(found.len(), known, "what was not sent is found");
        }
    }
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
        let expiry = hidden(&state);
        // By the share that is expired alone, not by size.
        let size = MAX_PART_SIZE + 1;
        let candidates: Vec<_> =
            parts.iter().map(|part| Candidate { size, ..as_candidate(part, expiry) }).collect();
        let Some(range) = choose(&candidates) else { break };
        let ((), log) = info_of(|| compaction::merge(&state, &parts[range], expiry).unwrap());
        assert_eq!(log.matches(": dropped").count(), 1, "{log}");
        let dropped = [
            format!(
                "{}: dropped what is older than the retention points=2 first=940 last=950",
                names[0]
            ),
            format!(
                "{}: dropped what is older than the retention points=1 first=960 last=960",
                names[1]
            ),
        ];
        assert!(log.contains(&dropped[merges]), "{log}");
        merges += 1;
        assert!(merges <= 4, "merges that make no difference");
    }
    assert_eq!(merges, 2);
    let points: Vec<_> = parts(&state).iter().map(|part| part.points()).collect();
    assert_eq!(points, [0, 1, 40, 1], "nothing of the first, half of the second");
    assert!(size(&names[0]) < 90 && size(&names[0]) < before[0]);
    assert!(size(&names[1]) < before[1]);
    assert_eq!(sorted(read(&state).unwrap()), sorted(expected.clone()));

    // A merge for the sake of size trims the rest.
    let all = parts(&state);
    let ((), log) = info_of(|| compaction::merge(&state, &all, hidden(&state)).unwrap());
    let dropped = "dropped what is older than the retention points=20 first=990 last=1009";
    assert!(log.contains(&format!("{}: {dropped}", names[2])), "{log}");
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
    let expiry = hidden(&state);
    compaction::merge(&state, std::slice::from_ref(&reader), expiry).unwrap();
    let new = parts(&state).remove(0);
    let (candidate, old_points) = (as_candidate(&new, expiry), reader.points());
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
    assert!(!as_candidate(&new, expiry).resting);
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
        let store = clocks.open(&disk, HOUR);
        for at in 0..90 {
            let rows = [row(&format!("key{}", (round + at / 30) % 5), clocks.now())];
            assert_eq!(put(&store, &rows).await, Ok(vec![]));
            expected.extend(rows);
            sent += 1;
            clocks.pass_minute(&store);
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

/// New keys all the time, as containers have them: when all of their points are deleted, they take
/// no memory either, and no id is used again.
#[tokio::test]
async fn series_that_expire_leave_the_index() {
    let (disk, clocks) = (SimDisk::new(Image::new()), Clocks::at(1_000_000));
    let store = clocks.open(&disk, HOUR);
    let mut known = Vec::new();
    for hour in 0..8 {
        for minute in 0..4 {
            let keys = (0..10).map(|key| row(&format!("{hour}.{minute}.{key}"), clocks.now()));
            assert_eq!(put(&store, &keys.collect::<Vec<_>>()).await, Ok(vec![]));
            clocks.run(&store, 15).await;
        }
        known.push(store.status().series);
    }
    // The last hour, the one that waits for its deletion, and what shares parts with them.
    assert!(known.iter().all(|&series| series <= 200), "{known:?}");
    // With that of `run`, and those that were given twice while a series was retired.
    assert!(store.state.index().end() >= 321);
    within(store.close()).await;
}
