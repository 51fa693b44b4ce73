//! Random damage of a directory that has parts, logs and deletions: each answer is whole or an error, a start
//! is refused only where nothing can be read, and nothing that was never put appears.
//!
//! `DAMAGES=n` tries n of them instead of the usual few.

use std::collections::BTreeMap;

use super::super::random::Random;
use super::super::*;
use super::{logged, without_rotation};
use crate::store::query::{KeySelection, Select, Window};

fn damages() -> u64 {
    std::env::var("DAMAGES").map_or(150, |damages| damages.parse().unwrap())
}

/// What is there by key and time, in the end.
type Model = BTreeMap<(String, i64), f64>;

/// What a killed store leaves.
struct Made {
    image: Image,
    model: Model,
    /// All that was ever put.
    put: Vec<Row>,
    /// What the last group of commits put or took back: it may pass for cut off.
    of_last_group: Vec<(String, i64)>,
}

async fn made(seed: u64) -> Made {
    let mut random = Random(seed);
    let mut disk = SimDisk::new(Image::new());
    let (mut model, mut all, mut of_last_group) = (Model::new(), Vec::new(), Vec::new());
    let mut value = 0.0;
    for round in 0..4 {
        let store = open(&disk, without_rotation()).unwrap();
        for _ in 0..(2 + random.below(3)) << round {
            of_last_group.clear();
            if random.below(8) == 0 {
                let key = format!("key{}", random.below(5));
                let from = i64::try_from(random.below(60)).unwrap();
                let window = Window { from, to: from + 9 };
                let keys = KeySelection::One(key.parse().unwrap());
                within(store.delete(Deletion { keys, window })).await.unwrap();
                let is_hit = |(of, at): &(String, i64)| *of == key && window.contains(*at);
                of_last_group
                    .extend(all.iter().map(|row: &Row| (row.0.clone(), row.1)).filter(is_hit));
                model.retain(|place, _| !is_hit(place));
                continue;
            }
            let rows: Vec<Row> = (0..=random.below(6))
                .map(|_| {
                    value += 0.25;
                    let at = i64::try_from(random.below(70)).unwrap();
                    (format!("key{}", random.below(5 + round)), at, value)
                })
                .collect();
            put(&store, &rows).await.unwrap();
            for row in &rows {
                model.insert((row.0.clone(), row.1), row.2);
                of_last_group.push((row.0.clone(), row.1));
            }
            all.extend(rows);
        }
        settle(&store);
        let killed = SimDisk::new(disk.visible());
        within(store.close()).await;
        if round % 2 == 1 {
            disk = killed;
        }
    }
    Made { image: disk.visible(), model, put: all, of_last_group }
}

fn damage(image: &mut Image, random: &mut Random) -> (String, Option<usize>) {
    let names: Vec<_> = image.keys().filter(|name| *name != "LOCK").cloned().collect();
    let name = names[random.below(names.len())].clone();
    let length = image[&name].len();
    let bytes = image.get_mut(&name).unwrap();
    let mut bad_sector = None;
    let what = match random.below(6) {
        0 if length > 0 => {
            bytes.truncate(random.below(length));
            format!("{name} cut to {}", bytes.len())
        }
        1 => {
            image.remove(&name);
            format!("{name} removed")
        }
        2 => {
            bytes.clear();
            format!("{name} emptied")
        }
        3 if length > 0 => {
            let place = random.below(length);
            bad_sector = Some(place);
            format!("{name} unreadable at {place}")
        }
        _ if length > 0 => {
            let at = random.below(length);
            for byte in bytes.iter_mut().skip(at).take(1 + random.below(40)) {
                *byte ^= 1 << random.below(8);
            }
            format!("{name} of {length} flipped from {at} on")
        }
        _ => format!("{name} as it was"),
    };
    (what, bad_sector)
}

fn check(state: &Arc<StoreState>, made: &Made, what: &str) {
    let keys: Vec<_> = (0..8).map(|number| format!("key{number}")).collect();
    let window = Window { from: 20, to: 40 };
    let one = |key: &String| KeySelection::One(key.parse().unwrap());
    let mut queries: Vec<_> = keys.iter().map(|key| Query::points(one(key))).collect();
    queries.extend(keys.iter().map(|key| Query { keys: one(key), select: Select::Points(window) }));
    queries.push(Query::all());
    for (query, answer) in queries.iter().zip(answers(state, &queries)) {
        let Ok(rows) = answer else { continue };
        let Select::Points(window) = query.select else { unreachable!() };
        let is_asked =
            |key: &str, at: i64| query.keys.matches(Key::new(key).unwrap()) && window.contains(at);
        let found: Model = rows.into_iter().map(|(key, at, value)| ((key, at), value)).collect();
        for ((key, at), value) in &made.model {
            let place = (key.clone(), *at);
            if is_asked(key, *at) && !made.of_last_group.contains(&place) {
                assert_eq!(found.get(&place), Some(value), "{what}: {query:?} at {place:?}");
            }
        }
        for ((key, at), value) in &found {
            assert!(made.put.contains(&(key.clone(), *at, *value)), "{what}: never put");
        }
    }
}

#[tokio::test]
async fn random_damage_is_an_error_or_changes_nothing() {
    let mut made_before = Vec::new();
    for seed in 0..4 {
        made_before.push(made(seed).await);
    }
    let mut random = Random(77);
    for number in 0..damages() {
        let made = &made_before[random.below(made_before.len())];
        let mut image = made.image.clone();
        let (what, bad_sector) = damage(&mut image, &mut random);
        let what = format!("damage {number}: {what}");
        let disk = SimDisk::new(image);
        if let Some(place) = bad_sector {
            let bad = what.clone();
            disk.on_read(move |name, from, to| {
                bad.contains(&format!("{name} ")) && (from..to).contains(&place)
            });
        }
        // As it is found, then after checkpoints and merges, and after another start.
        for start in 0..3 {
            let (opened, _) = logged(|| open(&disk, without_rotation()));
            let store = opened.unwrap_or_else(|error| panic!("{what}, start {start}: {error}"));
            logged(|| check(&store.state, made, &format!("{what}, start {start}")));
            settle(&store);
            logged(|| check(&store.state, made, &format!("{what}, start {start}, settled")));
            within(store.close()).await;
        }
    }
}
