//! An answer of any size, folded into one bounded record for each series as it arrives.

use std::collections::{HashMap, VecDeque};

use shared::response::decode_points;
use shared::{Key, KeyBuf, Point};

/// Recent points kept over all series of an answer: 16 bytes each, so 32 MiB.
const TAIL_BUDGET: usize = 2 * 1024 * 1024;

/// Recent points that a series may keep even when the budget is spent: enough for a sparkline.
const TAIL_AT_LEAST: usize = 16;

/// What is known of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name.
    pub key: KeyBuf,
    /// Points in the answer.
    pub count: u64,
    /// The newest point.
    pub last: Point,
    /// The least value.
    pub min: f64,
    /// The greatest value.
    pub max: f64,
    /// The mean of all values.
    pub mean: f64,
    /// The most recent points, oldest first; not all of them in a long series.
    pub tail: VecDeque<Point>,
    tail_limit: usize,
}

impl Series {
    fn new(key: KeyBuf, point: Point, tail_limit: usize) -> Self {
        Self {
            key,
            count: 1,
            last: point,
            min: point.value,
            max: point.value,
            mean: point.value,
            tail: VecDeque::from([point]),
            tail_limit,
        }
    }

    fn add(&mut self, point: Point) {
        self.count += 1;
        if point.timestamp >= self.last.timestamp {
            self.last = point;
        }
        self.min = self.min.min(point.value);
        self.max = self.max.max(point.value);
        #[expect(clippy::cast_precision_loss, reason = "a mean needs no more")]
        let count = self.count as f64;
        let step = (point.value - self.mean) / count;
        // The difference of two huge values may overflow where their mean does not.
        self.mean += if step.is_finite() { step } else { point.value / count - self.mean / count };
        if self.tail.len() >= self.tail_limit {
            self.tail.pop_front();
        }
        self.tail.push_back(point);
    }

    /// The newest value less the one before it, if there are two.
    pub fn change(&self) -> Option<f64> {
        let before = self.tail.len().checked_sub(2)?;
        Some(self.last.value - self.tail.get(before)?.value)
    }
}

/// The answer so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Fold {
    series: Vec<Series>,
    places: HashMap<KeyBuf, usize>,
    current: usize,
    wanted_tail: usize,
    points: u64,
    strange: u64,
}

impl Fold {
    /// Nothing yet; each series is to keep at most `tail` recent points.
    pub fn new(tail: usize) -> Self {
        Self {
            series: Vec::new(),
            places: HashMap::new(),
            current: 0,
            wanted_tail: tail,
            points: 0,
            strange: 0,
        }
    }

    /// Takes whole data lines.
    pub fn add_lines(&mut self, data: &[u8]) {
        for point in decode_points(data) {
            match point {
                Ok((key, point)) => self.add(key, point),
                Err(_) => self.strange += 1,
            }
        }
    }

    fn add(&mut self, key: Key<'_>, point: Point) {
        self.points += 1;
        // The lines of a series come together, so the look-up is rare.
        if let Some(current) = self.series.get_mut(self.current)
            && current.key.as_key() == key
        {
            return current.add(point);
        }
        if let Some(&place) = self.places.get(key.as_str()) {
            self.current = place;
            return self.series[place].add(point);
        }
        let share = TAIL_BUDGET / (self.series.len() + 1);
        let limit = self.wanted_tail.min(share.max(TAIL_AT_LEAST)).max(1);
        let key = key.to_owned();
        self.current = self.series.len();
        self.places.insert(key.clone(), self.current);
        self.series.push(Series::new(key, point, limit));
    }

    /// Points so far.
    pub fn points(&self) -> u64 {
        self.points
    }

    /// The whole answer.
    pub fn finish(self) -> Answer {
        Answer { series: self.series, points: self.points, strange: self.strange }
    }
}

/// A folded answer to a `get`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// In the order of the reply.
    pub series: Vec<Series>,
    /// Points in all series.
    pub points: u64,
    /// Data lines that are no points.
    pub strange: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(tail: usize, data: &str) -> Answer {
        let mut fold = Fold::new(tail);
        fold.add_lines(data.as_bytes());
        fold.finish()
    }

    #[test]
    fn an_answer_becomes_one_record_a_series() {
        let answer = fold(2, "a 2.0 1\na -1.0 2\nb 7.0 5\na 5.0 3\nnonsense\n");
        assert_eq!((answer.points, answer.strange), (4, 1));
        let [a, b] = &answer.series[..] else { panic!("two series: {answer:?}") };
        assert_eq!((a.count, a.min, a.max, a.mean), (3, -1.0, 5.0, 2.0));
        assert_eq!(a.last, Point { timestamp: 3, value: 5.0 });
        assert_eq!(a.change(), Some(6.0));
        assert_eq!(a.tail.len(), 2, "only the recent ones are kept");
        assert_eq!((b.count, b.change()), (1, None));
    }

    #[test]
    fn the_mean_of_huge_values_stays_finite() {
        let answer = fold(4, "a 1.7e308 1\na -1.7e308 2\na 1.7e308 3\n");
        assert!(answer.series[0].mean.is_finite());
    }
}
