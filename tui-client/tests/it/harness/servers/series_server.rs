//! A server with selectors that has one key, for scenes: it answers what the screen asks for.

use std::collections::BTreeMap;

use shared::Selector;
use shared::selector::{Aggregate, Clause, Step, Time};
use tui_client::keymap::Mode;

use super::scene::{NOW, Scene};

pub const DAY: i64 = 86_400;

/// The points of the key `a` on a server with selectors.
#[derive(Default)]
pub struct SeriesServer {
    pub points: BTreeMap<i64, f64>,
}

impl SeriesServer {
    pub fn of(points: impl IntoIterator<Item = (i64, f64)>) -> Self {
        Self { points: points.into_iter().collect() }
    }

    /// The data lines of the reply.
    pub fn answer(&self, line: &str) -> String {
        let word = line.strip_prefix("get ").unwrap();
        let time = |time: Option<Time>, unbounded| match time {
            Some(Time::At(at)) => at,
            Some(Time::Ago(ago)) => NOW - ago.seconds(),
            None => unbounded,
        };
        let line = |(time, value): (&i64, &f64)| format!("a {value:?} {time}\n");
        match Selector::from_bytes(word.as_bytes()).unwrap().clause() {
            None => self.points.iter().map(line).collect(),
            Some(Clause::Last { count, to }) => {
                let until = time(to, NOW + 60);
                let newest = self.points.range(..=until).rev();
                let newest = newest.take(usize::try_from(count.get()).unwrap());
                let newest: Vec<_> = newest.map(line).collect();
                newest.into_iter().rev().collect()
            }
            Some(Clause::Range { from, to, buckets }) => {
                let (begin, to) = (from, time(to, i64::MAX));
                let from = time(from, i64::MIN);
                let within = self.points.range(from..=to);
                let Some(buckets) = buckets else { return within.map(line).collect() };
                let first = within.clone().next().map_or(from, |(&first, _)| first);
                let stamp = if begin.is_some() { from } else { first };
                let mut all: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
                for (&time, &value) in within {
                    let start = match buckets.step {
                        Step::All => stamp,
                        Step::Every(step) => time.div_euclid(step.seconds()) * step.seconds(),
                    };
                    all.entry(start).or_default().push(value);
                }
                let all = all.into_iter().map(|(start, values)| {
                    let count = f64::from(u32::try_from(values.len()).unwrap());
                    let value = match buckets.how {
                        Aggregate::Avg => values.iter().sum::<f64>() / count,
                        Aggregate::Min => values.iter().copied().fold(f64::MAX, f64::min),
                        Aggregate::Max => values.iter().copied().fold(f64::MIN, f64::max),
                        Aggregate::Count => count,
                        other => panic!("{other:?}"),
                    };
                    line((&start, &value))
                });
                all.collect()
            }
            Some(Clause::Follow { .. }) => panic!("{word}"),
        }
    }

    /// Answers what is asked for until nothing more is; returns the requests and the lines that it
    /// took.
    pub fn serve(&self, scene: &mut Scene) -> (Vec<String>, usize) {
        let (mut asked, mut lines) = (Vec::new(), 0);
        while let Some(line) = scene.sent.first().map(|request| request.line.clone()) {
            let data = self.answer(&line);
            lines += data.lines().count();
            scene.ok(&line, &data);
            asked.push(line);
            assert!(asked.len() < 100, "it never ends: {asked:?}");
        }
        (asked, lines)
    }

    /// A chart of `a` on the full screen.
    pub fn chart(&self, width: u16, height: u16) -> Scene {
        let mut scene = Scene::live(width, height, &["a"], &[]);
        self.serve(&mut scene);
        scene.to(Mode::Watch);
        scene.keys("f");
        self.serve(&mut scene);
        scene
    }

    /// A put, told to the screen.
    pub fn put(&mut self, scene: &mut Scene, time: i64, value: f64) {
        self.points.insert(time, value);
        scene.told(&format!("a {value:?} {time}\n"));
    }
}

/// A point a minute for a month, between 20 and 80, with one spike in each direction.
pub fn month() -> SeriesServer {
    let value = |n: i64| match n {
        20_000 => 1000.0,
        30_001 => -500.0,
        n => 50.0 + f64::from(i32::try_from(n % 61).unwrap() - 30),
    };
    let last = 30 * DAY / 60;
    SeriesServer::of((0..=last).map(|n| (NOW - (last - n) * 60, value(n))))
}
