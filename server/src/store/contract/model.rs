//! The simplest store there is: sorted maps in memory.

use std::collections::BTreeMap;

use shared::selector::Aggregate;
use shared::{Key, Point};

use crate::store::query::{Deletion, KeySelection, Query, Select, Step, Window};

/// Key, timestamp, value.
pub type Row = (String, i64, f64);

/// Series in the order of their first puts, each a map of timestamps to values.
#[derive(Debug, Clone, Default)]
pub struct Model {
    order: Vec<String>,
    series: BTreeMap<String, BTreeMap<i64, f64>>,
}

impl Model {
    /// Stores a point.
    pub fn put(&mut self, key: &str, point: Point) {
        if !self.series.contains_key(key) {
            self.order.push(key.to_owned());
        }
        self.series.entry(key.to_owned()).or_default().insert(point.timestamp, point.value);
    }

    /// The value of a series at a timestamp.
    pub fn value(&self, key: &str, timestamp: i64) -> Option<f64> {
        self.series.get(key)?.get(&timestamp).copied()
    }

    /// The keys in the order of their first puts.
    pub fn keys(&self) -> &[String] {
        &self.order
    }

    /// All points of all series.
    pub fn all(&self) -> Vec<Row> {
        self.order.iter().flat_map(|key| self.one(key)).collect()
    }

    /// All points of a series.
    pub fn one(&self, key: &str) -> Vec<Row> {
        let points = self.series.get(key).into_iter().flatten();
        points.map(|(&timestamp, &value)| (key.to_owned(), timestamp, value)).collect()
    }

    /// Takes points back. A series without points is gone.
    pub fn delete(&mut self, deletion: &Deletion) {
        for key in self.selected(&deletion.keys) {
            if let Some(points) = self.series.get_mut(&key) {
                points.retain(|&timestamp, _| !deletion.window.contains(timestamp));
            }
        }
        self.series.retain(|_, points| !points.is_empty());
        self.order.retain(|key| self.series.contains_key(key));
    }

    /// What a query answers when points before `oldest` are hidden.
    pub fn get(&self, query: &Query, oldest: i64) -> Vec<Row> {
        let answer = |key: String| {
            let points: Vec<_> = self.one(&key).into_iter().filter(|row| row.1 >= oldest).collect();
            select(&points, query.select)
        };
        self.selected(&query.keys).into_iter().flat_map(answer).collect()
    }

    fn selected(&self, keys: &KeySelection) -> Vec<String> {
        let is_selected = |key: &&String| keys.matches(Key::new(key).unwrap());
        self.order.iter().filter(is_selected).cloned().collect()
    }
}

fn select(points: &[Row], select: Select) -> Vec<Row> {
    match select {
        Select::Points(window) => within(points, window),
        Select::Newest { count, to, or_later } => {
            let mut newest = within(points, Window { from: i64::MIN, to });
            if newest.is_empty() && or_later {
                newest = points.to_vec();
            }
            let count = usize::try_from(count.get()).unwrap_or(usize::MAX);
            newest.split_off(newest.len().saturating_sub(count))
        }
        Select::Buckets { window, step, how } => {
            let number = |row: &Row| match step {
                Step::All { .. } => 0,
                Step::Every(step) => row.1.div_euclid(step.get()),
            };
            let counted = within(points, window);
            let buckets = counted.chunk_by(|a, b| number(a) == number(b));
            buckets
                .filter_map(|bucket| {
                    let timestamp = match step {
                        Step::All { stamp } => stamp.unwrap_or(bucket[0].1),
                        Step::Every(step) => number(&bucket[0]).saturating_mul(step.get()),
                    };
                    let before = points.iter().rfind(|row| row.1 < bucket[0].1);
                    Some((bucket[0].0.clone(), timestamp, aggregate(bucket, before, how)?))
                })
                .collect()
        }
    }
}

fn within(points: &[Row], window: Window) -> Vec<Row> {
    points.iter().filter(|row| window.contains(row.1)).cloned().collect()
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn aggregate(bucket: &[Row], before: Option<&Row>, how: Aggregate) -> Option<f64> {
    let values: Vec<f64> = bucket.iter().map(|row| row.2).collect();
    let mut sorted = values.clone();
    sorted.sort_by(f64::total_cmp);
    let rank = |percent: usize| sorted[(values.len() * percent).div_ceil(100).max(1) - 1];
    let sum = values.iter().sum::<f64>() + 0.0;
    Some(match how {
        Aggregate::Avg => sum / values.len() as f64,
        Aggregate::Min => sorted[0],
        Aggregate::Max => sorted[sorted.len() - 1],
        Aggregate::Sum => sum,
        Aggregate::Count => values.len() as f64,
        Aggregate::First => values[0],
        Aggregate::Last => values[values.len() - 1],
        Aggregate::P50 => rank(50),
        Aggregate::P90 => rank(90),
        Aggregate::P95 => rank(95),
        Aggregate::P99 => rank(99),
        Aggregate::Rate => {
            let compared: Vec<_> = before.into_iter().chain(bucket).collect();
            let (first, last) = (compared.first()?, compared.last()?);
            if first.1 == last.1 {
                return None;
            }
            let increases = compared.windows(2).map(|pair| {
                if pair[1].2 >= pair[0].2 { pair[1].2 - pair[0].2 } else { pair[1].2.max(0.0) }
            });
            increases.sum::<f64>() / last.1.abs_diff(first.1) as f64
        }
    })
}
