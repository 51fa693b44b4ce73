//! The points that are told while numbers of rows are asked for.

use std::collections::HashMap;

use shared::{KeyBuf, Point};

/// Keys with told points, where those of all keys are kept. What is told of others is left to the
/// next query.
const MAX_KEYS: usize = 65_536;

/// The newest told points that are kept of a key.
const MAX_POINTS: usize = 64;

/// What was told of the rows of a query since it was made.
#[derive(Debug, Default)]
pub struct Told {
    keys: HashMap<String, ToldKey>,
    /// Those of all keys are kept, and no more of each than the extremes.
    of_all: bool,
}

/// What was told of a key.
#[derive(Debug, Clone, Default)]
struct ToldKey {
    /// The least and the greatest value.
    extremes: Option<[f64; 2]>,
    /// In the order in which they were told, those too far ahead left out.
    points: Vec<Point>,
}

impl Told {
    /// Nothing yet, for these keys; for all where there are none.
    pub fn new(keys: &[KeyBuf]) -> Self {
        let entry = |key: &KeyBuf| (key.as_str().to_owned(), ToldKey::default());
        Self { keys: keys.iter().map(entry).collect(), of_all: keys.is_empty() }
    }

    /// Takes a point; one too far ahead `is_stray`, one within the window `counts`.
    pub fn tell(&mut self, key: &str, point: Point, is_stray: bool, counts: bool) {
        if self.of_all && self.keys.len() < MAX_KEYS && !self.keys.contains_key(key) {
            self.keys.insert(key.to_owned(), ToldKey::default());
        }
        let Some(told) = self.keys.get_mut(key) else { return };
        if counts {
            let value = point.value;
            let [min, max] = told.extremes.unwrap_or([value; 2]);
            told.extremes = Some([min.min(value), max.max(value)]);
        }
        if !is_stray && !self.of_all {
            if told.points.len() == MAX_POINTS {
                told.points.remove(0);
            }
            told.points.push(point);
        }
    }

    /// The points of a key, in the order in which they were told.
    pub fn points(&self, key: &str) -> &[Point] {
        self.keys.get(key).map_or(&[], |told| &told.points)
    }

    /// The least and the greatest told value of a key.
    pub fn extremes(&self, key: &str) -> Option<[f64; 2]> {
        self.keys.get(key)?.extremes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_bounded() {
        let mut told = Told::new(&["a".parse().unwrap()]);
        for timestamp in 0..1000_i32 {
            let point = Point { timestamp: timestamp.into(), value: timestamp.into() };
            told.tell("a", point, timestamp == 999, true);
            told.tell("b", point, false, true);
        }
        assert_eq!(told.points("a").last().map(|point| point.timestamp), Some(998));
        assert_eq!((told.points("a").len(), told.points("b").len()), (MAX_POINTS, 0));
        assert_eq!(told.extremes("a"), Some([0.0, 999.0]));
        let mut told = Told::new(&[]);
        for key in 0..MAX_KEYS + 9 {
            told.tell(&key.to_string(), Point { timestamp: 1, value: 1.0 }, false, true);
        }
        assert_eq!((told.keys.len(), told.points("7").len()), (MAX_KEYS, 0));
    }
}
