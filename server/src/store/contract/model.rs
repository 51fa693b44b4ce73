//! The simplest store there is: sorted maps in memory.

use std::collections::BTreeMap;

use shared::Point;

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
}
