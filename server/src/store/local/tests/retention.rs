//! Retention, by a clock that the test sets.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

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

        let answer = async || contract::read(&store, Selector::ALL).await;
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

#[tokio::test]
async fn refused_points_keep_the_contract() {
    let now = Arc::new(AtomicI64::new(1000));
    for log_limit in [1 << 30, 1] {
        let store = open(&SimDisk::new(Image::new()), with_clock(&now, log_limit)).unwrap();
        contract::hold_while_refusing(&store, 900).await;
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
    let sorted = |mut rows: Vec<Row>| {
        rows.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        rows
    };
    assert_eq!(sorted(read(&state).unwrap()), sorted(expected.clone()));
    let mut merges = 0;
    loop {
        let parts = parts(&state);
        let cutoff = state.config().cutoff();
        // By the share that is expired alone, not by size.
        let size = MAX_PART_SIZE + 1;
        let candidates: Vec<_> = parts
            .iter()
            .map(|part| Candidate { size, ..compaction::candidate(part, cutoff, false) })
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
    let (candidate, old_points) = (compaction::candidate(&new, cutoff, false), reader.points());
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
    assert!(!compaction::candidate(&new, cutoff, false).resting);
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
    let now = Arc::new(AtomicI64::new(1000));
    let config = with_clock(&now, 200);
    let disk = SimDisk::new(Image::new());
    let mut expected = Vec::new();
    for round in 0..30 {
        let store = open(&disk, config.clone()).unwrap();
        for at in 0..8 {
            let time = now.fetch_add(7, Ordering::SeqCst);
            let rows = [row(&format!("key{}", (round + at) % 5), time)];
            assert_eq!(put(&store, &rows).await, Ok(vec![]));
            expected.extend(rows);
            settle(&store);
        }
        let cutoff = now.load(Ordering::SeqCst) - 100;
        expected.retain(|row| row.1 >= cutoff);
        let mut found = contract::read(&store, Selector::ALL).await;
        found.sort_by_key(|row| row.1);
        assert_eq!(found, expected);
        within(store.close()).await;
    }
    let points: usize = disk.visible().values().map(Vec::len).sum();
    assert!(points < 3000, "{points} bytes are left of what expired");
}
