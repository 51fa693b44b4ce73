//! The rows of a live screen are those of a server that is asked at the end.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{row, rows};
use crate::harness::scene::{NOW, Scene};

const KEYS: [&str; 4] = ["a", "b.c", "b.d", "e"];

/// A put of one of a few keys, around the present.
#[derive(Debug, Clone)]
struct Put {
    key: &'static str,
    value: i32,
    timestamp: i64,
}

fn put() -> impl Strategy<Value = Put> {
    (proptest::sample::select(&KEYS[..]), -9..9_i32, NOW - 20..NOW + 20)
        .prop_map(|(key, value, timestamp)| Put { key, value, timestamp })
}

/// The lines that tell these puts.
fn lines(puts: &[Put]) -> String {
    let line = |put: &Put| format!("{} {}.0 {}\n", put.key, put.value, put.timestamp);
    puts.iter().map(line).collect()
}

/// What a server has stored.
#[derive(Default)]
struct Model {
    /// In the order of their first put.
    keys: Vec<&'static str>,
    points: BTreeMap<&'static str, BTreeMap<i64, i32>>,
}

impl Model {
    fn store(&mut self, puts: &[Put]) {
        for put in puts {
            if !self.keys.contains(&put.key) {
                self.keys.push(put.key);
            }
            self.points.entry(put.key).or_default().insert(put.timestamp, put.value);
        }
    }

    /// The newest point of each key.
    fn last(&self) -> Vec<Put> {
        let last = |&key: &&'static str| {
            let (&timestamp, &value) = self.points[key].last_key_value().unwrap();
            Put { key, value, timestamp }
        };
        self.keys.iter().map(last).collect()
    }
}

proptest! {
    /// Whenever the state is taken among the puts, and however the lines come, the rows are those of
    /// a server that is asked at the end.
    #[test]
    fn nothing_is_lost_between_the_state_and_what_is_told(
        before in proptest::collection::vec(put(), 0..20),
        unheard in proptest::collection::vec(put(), 0..10),
        after in proptest::collection::vec(put(), 0..30),
        taken in 0..11_usize,
        piece in 1..6_usize,
    ) {
        let mut model = Model::default();
        model.store(&before);
        let mut scene = Scene::live(120, 40, &[], &[]);
        let taken = taken.min(unheard.len());
        model.store(&unheard[..taken]);
        let state = lines(&model.last());
        model.store(&unheard[taken..]);
        // All of them are told before the state comes.
        scene.told(&lines(&unheard));
        scene.ok("get *[last]", &state);
        for puts in after.chunks(piece) {
            scene.told(&lines(puts));
            model.store(puts);
        }
        let last = model.last().into_iter();
        let expected: Vec<_> = last.map(|put| row(put.key, f64::from(put.value))).collect();
        prop_assert_eq!(rows(&scene), expected);
    }
}
