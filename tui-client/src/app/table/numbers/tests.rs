//! Numbers of rows that are asked for while points are put.

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;

use super::*;
use crate::app::table::Table;
use crate::metrics::column::{Chosen, Column};
use crate::metrics::series::summary::Summarizer;
use crate::metrics::sort::Sort;
use crate::request::pending::QueryTag;

/// The time of the newest point at the start.
const NOW: i64 = 1000;

fn key() -> KeyBuf {
    "a".parse().unwrap()
}

fn point(timestamp: i64, value: f64) -> Point {
    Point { timestamp, value }
}

/// A server with a key of 20 points, and the table that is told of its puts.
struct Both {
    stored: BTreeMap<i64, f64>,
    /// Puts that are not told yet.
    told: VecDeque<Point>,
    /// Queries without an answer, and the answers of those that are computed.
    queries: VecDeque<(RowQuery, String)>,
    computed: VecDeque<(RowQuery, Vec<Point>)>,
    table: Table,
}

impl Both {
    /// Before the first answer; the points are of this value.
    fn new(window: Window, value: f64) -> Self {
        Self::at(NOW, window, value)
    }

    /// The newest point is of this time.
    fn at(newest: i64, window: Window, value: f64) -> Self {
        let stored: BTreeMap<_, _> = (newest - 19..=newest).map(|time| (time, value)).collect();
        let mut summarizer = Summarizer::new(0);
        summarizer.add_lines(format!("a {value:.1} {newest}\n").as_bytes());
        let mut table = Table::new("get *");
        table.show_live("get *", summarizer.finish(), 10, NOW);
        table.numbers.set_window(window);
        let columns = [Column::Key, Column::Min, Column::Max, Column::Avg, Column::Spark];
        table.chosen = Chosen::only(&columns);
        let (told, computed) = Default::default();
        let mut both = Self { stored, told, queries: VecDeque::new(), computed, table };
        both.plan();
        both
    }

    fn plan(&mut self) {
        let queries = self.table.ask_numbers(10, 200, &[], (Duration::from_secs(1), NOW));
        self.take(queries);
    }

    fn take(&mut self, queries: Vec<Query>) {
        for query in queries {
            let QueryTag::Rows(tag) = query.tag else { panic!("{query:?}") };
            self.queries.push_back((tag, query.selector));
        }
    }

    fn put(&mut self, time: i64, value: f64) {
        self.stored.insert(time, value);
        self.told.push_back(point(time, value));
    }

    fn tell(&mut self) {
        if let Some(point) = self.told.pop_front() {
            self.table.tell(key().as_key(), point, NOW);
        }
    }

    /// The server computes the answer to the next query.
    fn compute(&mut self) {
        let Some((tag, selector)) = self.queries.pop_front() else { return };
        let clause = selector.trim_end_matches(']').split_once('[').unwrap().1;
        let mut parts = clause.split(':');
        let (_, to) = (parts.next(), parts.next().unwrap());
        let stored = self.stored.iter().map(|(&time, &value)| point(time, value));
        let points: Vec<Point> = match tag.part {
            RowPart::Recent => {
                let count: usize = to.parse().unwrap();
                stored.skip(self.stored.len().saturating_sub(count)).collect()
            }
            RowPart::Number(of) => {
                let to = to.parse().unwrap_or(i64::MAX);
                let values: Vec<_> =
                    stored.filter(|point| point.timestamp <= to).map(|point| point.value).collect();
                let number = aggregate(of, &values);
                number.map(|number| point(NOW - 19, number)).into_iter().collect()
            }
            RowPart::Trend(step) => {
                let mut buckets: BTreeMap<i64, f64> = BTreeMap::new();
                for point in stored {
                    let bucket = buckets.entry(point.timestamp.div_euclid(step) * step);
                    let top = bucket.or_insert(point.value);
                    *top = top.max(point.value);
                }
                buckets.into_iter().map(|(time, value)| point(time, value)).collect()
            }
        };
        self.computed.push_back((tag, points));
    }

    /// The next answer comes.
    fn receive(&mut self) {
        let Some((tag, points)) = self.computed.pop_front() else { return };
        let mut answer = PointLists::default();
        for point in points {
            answer.push(key().as_key(), point);
        }
        let queries = self.table.on_points(tag, Some(answer), (Duration::from_secs(1), NOW));
        self.take(queries);
        self.table.show_numbers(Duration::from_secs(1));
    }

    /// Every answer comes.
    fn settle(&mut self) {
        while !(self.queries.is_empty() && self.computed.is_empty()) {
            self.compute();
            self.receive();
        }
    }

    /// Takes steps, each with the value of a put, comes to rest and checks.
    fn run(&mut self, steps: Vec<(u8, i32)>) {
        let mut time = NOW;
        for (step, value) in steps {
            match step {
                // No more than the newest points that are asked for have room for.
                0 if time < NOW + 10 => {
                    time += 1;
                    self.put(time, value.into());
                }
                0 | 1 => self.tell(),
                2 => self.compute(),
                _ => self.receive(),
            }
        }
        self.settle();
        while !self.told.is_empty() {
            self.tell();
        }
        self.check();
    }

    /// The row has the numbers of what is stored.
    fn check(&self) {
        let series = &self.table.answer().series[0];
        let values: Vec<f64> = self.stored.values().copied().collect();
        assert_eq!(series.count(), Some(values.len() as u64));
        assert_eq!(series.min(), aggregate(Aggregate::Min, &values));
        assert_eq!(series.max(), aggregate(Aggregate::Max, &values));
        let means = series.mean().zip(aggregate(Aggregate::Avg, &values));
        assert!(means.is_some_and(|(a, b)| (a - b).abs() < 1e-9), "{means:?}");
        let shown = series.trend().unwrap().columns(1000);
        assert_eq!(shown.into_iter().flatten().reduce(f64::max), series.max());
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are few")]
fn aggregate(of: Aggregate, values: &[f64]) -> Option<f64> {
    let all = values.iter().copied();
    match of {
        Aggregate::Min => all.reduce(f64::min),
        Aggregate::Max => all.reduce(f64::max),
        Aggregate::Count => (!values.is_empty()).then_some(values.len() as f64),
        _ => all.reduce(|sum, value| sum + value).map(|sum| sum / values.len() as f64),
    }
}

proptest! {
    /// Whenever points are put and told, and answers are computed and come, each point counts once.
    #[test]
    fn each_point_counts_once(
        steps in proptest::collection::vec((0..4_u8, -50..50_i32), 0..60),
        window in proptest::sample::select(&[Window::Minutes15, Window::All][..]),
        again in proptest::bool::ANY,
    ) {
        let mut both = Both::new(window, 10.0);
        if again {
            both.settle();
            both.table.numbers.set_window(Window::Hour);
            both.table.show_numbers(Duration::from_secs(1));
            both.plan();
        }
        both.run(steps);
    }
}

#[test]
fn a_point_that_is_told_before_the_answer_counts() {
    let mut both = Both::new(Window::Minutes15, 10.0);
    while !both.queries.is_empty() {
        both.compute();
    }
    both.put(NOW + 1, 500.0);
    both.put(NOW + 2, 1.0);
    both.tell();
    both.tell();
    both.settle();
    both.check();
}

#[test]
fn a_point_that_is_in_the_answer_and_told_later_counts_once() {
    let mut both = Both::new(Window::Minutes15, 10.0);
    both.put(NOW + 1, 500.0);
    both.settle();
    both.tell();
    both.check();
}

#[test]
fn the_newest_bar_is_that_of_its_points() {
    let mut both = Both::new(Window::Minutes15, 10.0);
    both.settle();
    both.put(NOW + 1, 20.0);
    both.tell();
    let trend = both.table.answer().series[0].trend().unwrap().columns(48);
    assert_eq!(trend.last(), Some(&Some(20.0)));
    both.check();
}

#[test]
fn a_key_without_points_in_the_window_gets_numbers_with_its_next_point() {
    let mut both = Both::at(NOW - 2000, Window::Minutes15, 10.0);
    both.stored.clear();
    both.settle();
    let series = &both.table.answer().series[0];
    assert_eq!((series.max(), series.mean()), (None, None));
    both.put(NOW + 1, 7.0);
    both.put(NOW + 2, 9.0);
    both.tell();
    both.tell();
    both.check();
}

#[test]
fn numbers_are_shown_with_their_window_until_those_of_another_have_come() {
    let mut both = Both::new(Window::Minutes15, 10.0);
    both.settle();
    both.stored.insert(NOW - 950, 99.0);
    // A job has the answer, so that it must not be changed.
    let answer = std::sync::Arc::clone(&both.table.answer);
    both.table.numbers.set_window(Window::All);
    both.table.show_numbers(Duration::from_secs(1));
    let shown = |both: &Both| (both.table.shown_window(), both.table.answer().series[0].max());
    assert_eq!(shown(&both), (Window::Minutes15, Some(10.0)));
    both.plan();
    both.settle();
    assert_eq!(shown(&both), (Window::Minutes15, Some(10.0)));
    drop(answer);
    both.table.show_numbers(Duration::from_secs(1));
    assert_eq!(shown(&both), (Window::All, Some(99.0)));
}

/// The table is in the order of a number, so that it is asked for of all rows.
fn sorted_by(column: Column, window: Window) -> Both {
    let mut both = Both::new(window, 10.0);
    both.settle();
    both.table.set_sort(Sort { column: Some(column), descending: true }, 10, NOW);
    both.plan();
    assert!(both.queries.iter().any(|(_, selector)| selector.starts_with('*')));
    both
}

proptest! {
    /// As above, where the numbers of all rows are asked for besides.
    #[test]
    fn each_point_counts_once_where_all_rows_are_asked_for(
        steps in proptest::collection::vec((0..4_u8, -50..50_i32), 0..60),
        window in proptest::sample::select(&[Window::Minutes15, Window::All][..]),
        column in proptest::sample::select(&[Column::Avg, Column::Count, Column::Max][..]),
    ) {
        let mut both = sorted_by(column, window);
        both.run(steps);
    }
}

#[test]
fn a_point_that_is_told_before_the_answer_for_all_rows_counts() {
    let mut both = sorted_by(Column::Avg, Window::Minutes15);
    while !both.queries.is_empty() {
        both.compute();
    }
    both.put(NOW + 1, 500.0);
    both.tell();
    both.settle();
    both.check();
}

#[test]
fn a_row_without_points_in_the_window_has_no_mean() {
    let mut series = Series::new(key(), point(1, 1.0), 0);
    series.set_with_sum(Aggregate::Count, None, 0, 0.0);
    series.set_with_sum(Aggregate::Avg, None, 0, 0.0);
    assert_eq!((series.count(), series.mean()), (Some(0), None));
    series.set_with_sum(Aggregate::Count, None, 2, 6.0);
    series.set_with_sum(Aggregate::Avg, None, 2, 6.0);
    assert_eq!((series.count(), series.mean()), (Some(2), Some(3.0)));
    series.set_with_sum(Aggregate::Count, Some(2.0), 2, 6.0);
    series.set_with_sum(Aggregate::Avg, Some(1.0), 2, 6.0);
    assert_eq!((series.count(), series.mean()), (Some(4), Some(2.0)));
}

#[test]
fn trends_in_sight_have_one_step() {
    let at = Duration::from_secs(1);
    let mut summarizer = Summarizer::new(0);
    summarizer.add_lines(b"a 1.0 2000000\nb 1.0 2000000\nc 1.0 2000000\n");
    let mut answer = summarizer.finish();
    let mut numbers = Numbers { window: Window::All, ..Numbers::default() };
    let needs = RowNeeds { in_sight: Parts::TREND, ..RowNeeds::default() };
    // The queries until nothing is missing of the rows in sight, a minute later each time.
    let mut now = 2_000_000;
    let mut settle = |in_sight: std::ops::Range<usize>| {
        let mut asked = 0;
        loop {
            now += 60;
            let rows = answer.series[in_sight.clone()].iter();
            let mut queries = numbers.plan(rows, std::iter::empty(), &[], needs, (at, now));
            if queries.is_empty() {
                break;
            }
            while let Some(query) = queries.pop() {
                asked += 1;
                assert!(asked < 100, "it never ends");
                let QueryTag::Rows(tag) = query.tag else { panic!("{query:?}") };
                let mut lists = PointLists::default();
                let pattern = query.selector.split('[').next().unwrap();
                for (key, first) in [("a", 1_900_000), ("b", 0), ("c", 1_999_000)] {
                    if pattern.contains(key) {
                        lists.push(key.parse::<KeyBuf>().unwrap().as_key(), point(first, 1.0));
                    }
                }
                queries.extend(numbers.on_points(tag, Some(lists), (at, now)));
            }
            numbers.apply(&mut answer, at);
        }
        let steps = answer.series[in_sight.clone()].iter();
        steps.map(|series| series.trend().unwrap().full_step()).collect::<Vec<_>>()
    };
    assert_eq!(settle(0..1), [2085]);
    let steps = settle(0..2);
    assert!(steps[0] == steps[1] && steps[1] > 41_000, "{steps:?}");
    assert_eq!(settle(1..3), [steps[1]; 2], "a new row has the step of those in sight");
    assert_eq!(settle(2..3), [steps[1]; 1], "what is known stays as long as it is new");
}
