//! The points that are told while numbers of rows are asked for.

use std::collections::HashMap;

use shared::{KeyBuf, Point};

use crate::metrics::series::Series;

/// Rows of which told points are counted, where those of all rows are: 11 MiB, as full as a table of
/// 2^18 places may be. What is told of others is left to the next query, but for the newest two.
const MAX_ROWS: usize = 229_376;

/// The newest told points that are kept of a key.
const MAX_POINTS: usize = 64;

/// What was told of the rows of a query since it was made.
#[derive(Debug, Default)]
pub struct Told {
    keys: HashMap<String, ToldKey>,
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
    /// Nothing yet, for these keys.
    pub fn new(keys: &[KeyBuf]) -> Self {
        let entry = |key: &KeyBuf| (key.as_str().to_owned(), ToldKey::default());
        Self { keys: keys.iter().map(entry).collect() }
    }

    /// Takes a point; one too far ahead `is_stray`, one within the window `counts`.
    pub fn tell(&mut self, key: &str, point: Point, is_stray: bool, counts: bool) {
        let Some(told) = self.keys.get_mut(key) else { return };
        if counts {
            let value = point.value;
            let [min, max] = told.extremes.unwrap_or([value; 2]);
            told.extremes = Some([min.min(value), max.max(value)]);
        }
        if !is_stray {
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

/// What was told of any row since a query for all was made, by the places of the rows.
#[derive(Debug, Default)]
pub struct ToldOfAll {
    rows: HashMap<u32, Newer>,
    /// Points of more rows were told than are counted.
    is_cut: bool,
}

/// The points of a row that are newer than those of an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Newer {
    /// The least told value of the window; infinite without any.
    min: f64,
    /// The greatest.
    max: f64,
    /// The newer points by themselves.
    pub count: u32,
    /// The sum of their values.
    pub sum: f64,
}

/// Which points an answer has for sure, and which it can't have.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// The window begins at this time.
    pub from: i64,
    /// Counts and means are of points up to this time; none where that is not known.
    pub until: Option<i64>,
    /// Points after this time are too far ahead.
    pub present: i64,
}

impl Span {
    fn is_newer(self, timestamp: i64) -> bool {
        self.until.is_some_and(|until| until < timestamp) && timestamp <= self.present
    }
}

impl Newer {
    /// Those of a row of which nothing was told: its newest two may be newer than the answer.
    pub fn of(row: Option<&Series>, span: Span) -> Self {
        let mut newer = Self { min: f64::INFINITY, max: f64::NEG_INFINITY, count: 0, sum: 0.0 };
        for point in row.into_iter().flat_map(|row| [Some(row.last), row.before]).flatten() {
            newer.add(point, span);
        }
        newer
    }

    fn add(&mut self, point: Point, span: Span) {
        self.widen(point, span);
        if span.is_newer(point.timestamp) {
            self.count += 1;
            self.sum += point.value;
        }
    }

    fn widen(&mut self, point: Point, span: Span) {
        if (span.from..=span.present).contains(&point.timestamp) {
            (self.min, self.max) = (self.min.min(point.value), self.max.max(point.value));
        }
    }

    /// The least and the greatest value, if there is any.
    pub fn extremes(self) -> Option<[f64; 2]> {
        (self.min <= self.max).then_some([self.min, self.max])
    }
}

impl ToldOfAll {
    /// Takes a point of the row at this place, which does not have it yet; none for a new row.
    pub fn tell(&mut self, place: usize, row: Option<&Series>, point: Point, span: Span) {
        let Ok(place) = u32::try_from(place) else { return };
        if self.rows.len() >= MAX_ROWS && !self.rows.contains_key(&place) {
            self.is_cut = true;
            return;
        }
        let newer = self.rows.entry(place).or_insert_with(|| Newer::of(row, span));
        let has_time = |known: Point| known.timestamp == point.timestamp;
        match row {
            Some(row) if has_time(row.last) || row.before.is_some_and(has_time) => {
                newer.widen(point, span);
            }
            _ => newer.add(point, span),
        }
    }

    /// What the answer does not have of the row at this place.
    pub fn newer(&self, place: usize, row: &Series, span: Span) -> Newer {
        let told = u32::try_from(place).ok().and_then(|place| self.rows.get(&place));
        told.copied().unwrap_or_else(|| Newer::of(Some(row), span))
    }

    /// Some points were told that are not counted.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_all_rows_is_bounded() {
        let mut told = ToldOfAll::default();
        let span = Span { from: 0, until: Some(5), present: 100 };
        let row = Series::new("a".parse().unwrap(), Point { timestamp: 6, value: 4.0 }, 0);
        for place in 0..100_000 {
            told.tell(place, Some(&row), Point { timestamp: 7, value: 9.0 }, span);
        }
        assert!(!told.is_cut());
        let newer = told.newer(99_999, &row, span);
        assert_eq!((newer.extremes(), newer.count, newer.sum), (Some([4.0, 9.0]), 2, 13.0));
        for place in 0..=MAX_ROWS {
            told.tell(place, Some(&row), Point { timestamp: 7, value: 9.5 }, span);
        }
        assert!(told.is_cut() && told.rows.len() == MAX_ROWS);
        let left_out = told.newer(MAX_ROWS, &row, span);
        assert_eq!((left_out.extremes(), left_out.count), (Some([4.0, 4.0]), 1));
    }

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
    }
}
