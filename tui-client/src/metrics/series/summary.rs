//! An answer of any size, folded into one bounded record for each series as it arrives.

use shared::response::decode_points;
use shared::{Key, Point};

use crate::metrics::patterns::Patterns;
use crate::metrics::series::series_index::SeriesIndex;
use crate::metrics::series::{Bounds, Series, present_until};

/// Recent points kept over all series of an answer: 16 bytes each, so 32 MiB.
const RECENT_BUDGET: usize = 2 * 1024 * 1024;

/// Recent points that a series may keep even when the budget is spent: enough for a sparkline.
const MIN_RECENT: usize = 16;

/// Recent points of a watched series, whose chart needs more of them than a sparkline.
const MAX_RECENT_WATCHED: usize = 65_536;

/// Recent points kept over all watched series of an answer: 16 MiB, and as above.
const WATCHED_BUDGET: usize = 1024 * 1024;

/// Series that globs may watch, and as many that globs of alerts may; further ones that match are as any
/// other. Series watched by their names come on top.
pub const MAX_BY_GLOB: usize = 1000;

/// Of a budget, what each of so many series may keep; it changes only when their number doubles.
fn share(wanted: usize, budget: usize, series: usize) -> usize {
    wanted.min((budget / series.next_power_of_two()).max(MIN_RECENT))
}

/// The points that each of so many watched series may keep.
pub fn watched_share(series: usize) -> usize {
    share(MAX_RECENT_WATCHED, WATCHED_BUDGET, series)
}

/// Which globs are meant, as those that match more series than may be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cut {
    /// Those that are watched by hand.
    pub own: bool,
    /// Those of alerts alone.
    pub of_alerts: bool,
}

/// How many series globs have matched: those that are watched by hand, and those of alerts, which have
/// places of their own.
#[derive(Debug, Clone, Copy, Default)]
pub struct ByGlob {
    own: usize,
    of_alerts: usize,
}

impl ByGlob {
    /// These keys are watched already.
    pub fn of<'a>(keys: impl Iterator<Item = &'a str>, patterns: &Patterns) -> Self {
        let (mut own, mut of_alerts, mut of_both) = (0_usize, 0, 0);
        for key in keys.filter(|key| !patterns.has_key(key)) {
            let is_alerted = usize::from(patterns.is_alerted(key));
            if patterns.is_own(key) {
                (own, of_both) = (own + 1, of_both + is_alerted);
            } else {
                of_alerts += is_alerted;
            }
        }
        // Beyond the places of what is watched by hand they have some of those of alerts.
        let beyond = own.saturating_sub(MAX_BY_GLOB);
        Self { own, of_alerts: of_alerts + beyond.min(of_both) }
    }

    /// Counts a series unless it is watched by its name; says whether it is watched, and there is room for
    /// it. What has no room for the one reason may have some for the other.
    pub fn take(&mut self, key: &str, patterns: &Patterns) -> bool {
        let is_own = patterns.is_own(key);
        if is_own && patterns.has_key(key) {
            return true;
        }
        self.own += usize::from(is_own);
        if is_own && self.own <= MAX_BY_GLOB {
            return true;
        }
        let is_alerted = patterns.is_alerted(key);
        self.of_alerts += usize::from(is_alerted);
        is_alerted && self.of_alerts <= MAX_BY_GLOB
    }

    /// For which globs all places are taken.
    pub fn full(self) -> Cut {
        Cut { own: self.own >= MAX_BY_GLOB, of_alerts: self.of_alerts >= MAX_BY_GLOB }
    }

    /// Which globs have matched too many.
    pub fn cut(self) -> Cut {
        Cut { own: self.own > MAX_BY_GLOB, of_alerts: self.of_alerts > MAX_BY_GLOB }
    }
}

/// The answer so far.
#[derive(Debug, Clone)]
pub struct Summarizer {
    series: Vec<Series>,
    index: SeriesIndex,
    current: usize,
    wanted_recent: usize,
    /// What each series may keep now.
    limit: usize,
    patterns: Patterns,
    watched: Vec<usize>,
    by_glob: ByGlob,
    points: u64,
    malformed: u64,
    /// Later points are too far ahead to be the present.
    present: i64,
}

impl Summarizer {
    /// Nothing yet; each series is to keep at most `recent` recent points. For 0 only the newest
    /// points are known, and no summary.
    pub fn new(recent: usize) -> Self {
        Self {
            series: Vec::new(),
            index: SeriesIndex::default(),
            current: 0,
            wanted_recent: recent,
            limit: share(recent, RECENT_BUDGET, 1),
            patterns: Patterns::default(),
            watched: Vec::new(),
            by_glob: ByGlob::default(),
            points: 0,
            malformed: 0,
            present: i64::MAX,
        }
    }

    /// Points too far ahead of the time `now` do not hide the present of their key.
    #[must_use]
    pub fn at(self, now: i64) -> Self {
        Self { present: present_until(now), ..self }
    }

    /// Series that match one of these keep many more points and are listed in the answer.
    #[must_use]
    pub fn watching(self, patterns: Patterns) -> Self {
        Self { patterns, ..self }
    }

    /// Takes whole data lines.
    pub fn add_lines(&mut self, data: &[u8]) {
        for point in decode_points(data) {
            match point {
                Ok((key, point)) => self.add(key, point),
                Err(_) => self.malformed += 1,
            }
        }
    }

    /// Takes a point.
    pub fn add(&mut self, key: Key<'_>, point: Point) {
        self.points += 1;
        // The lines of a series come together, so the look-up is rare.
        if let Some(current) = self.series.get_mut(self.current)
            && current.key.as_key() == key
        {
            return current.add(point, Bounds::of_all(self.present));
        }
        if let Some(place) = self.index.find(key, &self.series) {
            self.current = place;
            return self.series[place].add(point, Bounds::of_all(self.present));
        }
        self.current = self.series.len();
        self.index.insert(key, self.current);
        let mut limit = self.limit();
        if self.by_glob.take(key.as_str(), &self.patterns) {
            self.watched.push(self.current);
            limit = self.watched_limit();
        }
        self.series.push(Series::new(key.to_owned(), point, limit));
    }

    /// The points that a new series may keep. When the number of series doubles, the others are cut
    /// to as many.
    fn limit(&mut self) -> usize {
        let others = self.series.len();
        if others.is_power_of_two() {
            let limit = share(self.wanted_recent, RECENT_BUDGET, others + 1);
            if limit < self.limit {
                let mut watched = self.watched.iter().peekable();
                for (place, series) in self.series.iter_mut().enumerate() {
                    if watched.next_if_eq(&&place).is_none() {
                        series.keep(limit);
                    }
                }
            }
            self.limit = limit;
        }
        self.limit
    }

    /// The points that a new watched series may keep.
    fn watched_limit(&mut self) -> usize {
        let limit = watched_share(self.watched.len());
        if limit < watched_share(self.watched.len() - 1) {
            for &place in &self.watched {
                if let Some(series) = self.series.get_mut(place) {
                    series.keep(limit);
                }
            }
        }
        limit
    }

    /// Takes the series out that are complete: all but the last, because the lines of a series come
    /// together. So no large answer is ever held where each series is used once.
    pub fn take_complete(&mut self) -> Vec<Series> {
        let mut complete = std::mem::take(&mut self.series);
        self.series.extend(complete.pop());
        self.index.clear();
        for last in &self.series {
            self.index.insert(last.key.as_key(), 0);
        }
        (self.current, self.watched, self.by_glob) = (0, Vec::new(), ByGlob::default());
        self.limit = share(self.wanted_recent, RECENT_BUDGET, self.series.len());
        complete
    }

    /// The first series by themselves, so many, once these are complete.
    pub fn first(&self, count: usize) -> Option<Answer> {
        let first = self.series.get(..count).filter(|_| self.series.len() > count)?;
        let mut answer = Answer::default();
        for series in first {
            answer.push(series.clone());
        }
        Some(answer)
    }

    /// Points so far.
    pub fn points(&self) -> u64 {
        self.points
    }

    /// The whole answer.
    pub fn finish(self) -> Answer {
        let Self { mut series, index, watched, patterns, by_glob, points, malformed, .. } = self;
        series.iter_mut().for_each(Series::sort);
        Answer { series, index, watched, patterns, cut: by_glob.cut(), points, malformed }
    }
}

/// A summarized answer to a `get`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// In the order of the reply.
    pub series: Vec<Series>,
    /// The places of the watched ones.
    pub watched: Vec<usize>,
    /// The patterns that were watched when the request was sent.
    pub patterns: Patterns,
    /// Which globs match more than may be watched.
    pub cut: Cut,
    /// Points in all series.
    pub points: u64,
    /// Data lines that are no points.
    pub malformed: u64,
    index: SeriesIndex,
}

impl Answer {
    /// Takes a point that was put just now; says whether its key was there before. Numbers
    /// are of the points within the bounds.
    pub fn tell(&mut self, key: Key<'_>, point: Point, bounds: Bounds) -> bool {
        if let Some(series) = self.find_in_order(key) {
            series.tell(point, bounds);
            return true;
        }
        self.push(Series::new(key.to_owned(), point, 0));
        false
    }

    /// Adds a series whose key is not among them.
    pub fn push(&mut self, series: Series) {
        self.index.insert(series.key.as_key(), self.series.len());
        self.series.push(series);
    }

    /// Removes the series at these places, which rise; those behind them move up.
    pub fn remove(&mut self, gone: &[usize]) {
        if gone.is_empty() {
            return;
        }
        let mut place = 0;
        self.series.retain(|_| {
            place += 1;
            gone.binary_search(&(place - 1)).is_err()
        });
        self.watched.retain(|place| gone.binary_search(place).is_err());
        for place in &mut self.watched {
            *place -= gone.partition_point(|gone| gone < place);
        }
        self.index.remove(gone);
    }

    /// The place of a key.
    pub fn find(&self, key: Key<'_>) -> Option<usize> {
        self.index.find(key, &self.series)
    }

    /// The series of a key that comes in the order of the series most of the time.
    pub fn find_in_order(&mut self, key: Key<'_>) -> Option<&mut Series> {
        let place = self.index.find_in_order(key, &self.series)?;
        self.series.get_mut(place)
    }
}

#[cfg(test)]
mod tests {
    use shared::{Glob, KeyBuf};

    use super::*;

    fn summarize(recent: usize, data: &str) -> Answer {
        let mut summarizer = Summarizer::new(recent);
        summarizer.add_lines(data.as_bytes());
        summarizer.finish()
    }

    #[test]
    fn an_answer_becomes_one_record_a_series() {
        let answer = summarize(2, "a 2.0 1\na -1.0 2\nb 7.0 5\na 5.0 3\nnonsense\n");
        assert_eq!((answer.points, answer.malformed), (4, 1));
        let [a, b] = &answer.series[..] else { panic!("two series: {answer:?}") };
        assert_eq!(
            (a.count(), a.min(), a.max(), a.mean()),
            (Some(3), Some(-1.0), Some(5.0), Some(2.0))
        );
        assert_eq!(a.last, Point { timestamp: 3, value: 5.0 });
        assert_eq!(a.change(), Some(6.0));
        assert_eq!(a.recent().len(), 2, "only the recent ones are kept");
        assert_eq!((b.count(), b.change()), (Some(1), None));
    }

    #[test]
    fn rates_and_staleness_come_from_the_distance_of_points() {
        let answer = summarize(8, "a 1.0 100\na 2.0 110\na 7.0 120\nb 1.0 100\n");
        let [a, b] = &answer.series[..] else { panic!("two series: {answer:?}") };
        assert_eq!((a.change(), a.step()), (Some(5.0), Some(10)));
        assert_eq!((b.change(), b.step()), (None, None));
        assert_eq!((a.is_stale(170), a.is_stale(171)), (false, true));
        assert_eq!((b.is_stale(400), b.is_stale(401)), (false, true));
        assert!(!b.is_stale(i64::MIN));
        let again = summarize(8, "a 1 0\na 1 10\na 1 20\na 1 9000\na 1 9010\n");
        assert_eq!(again.series[0].step(), Some(10), "an outage is not usual");
    }

    #[test]
    fn lines_may_come_in_any_order() {
        let sorted = summarize(3, "a 1 1\na 9 2\na 3 3\na 4 4\nb 5 1\nb 7 2\n");
        for mixed in [
            "a 4 4\na 9 2\nb 7 2\na 1 1\na 3 3\nb 5 1\n",
            "a 3 3\nb 5 1\na 4 4\na 9 2\nb 7 2\na 1 1\n",
        ] {
            assert_eq!(summarize(3, mixed), sorted, "{mixed}");
        }
    }

    #[test]
    fn watched_series_keep_more_points() {
        let patterns: Vec<Glob> = vec!["b*".parse().unwrap()];
        let mut summarizer = Summarizer::new(2).watching(Patterns::new(patterns, []));
        summarizer.add_lines("a 1 1\na 2 2\na 3 3\nb 1 1\nb 2 2\nb 3 3\n".as_bytes());
        let answer = summarizer.finish();
        assert_eq!(answer.watched, [1]);
        let tails: Vec<_> = answer.series.iter().map(|series| series.recent().len()).collect();
        assert_eq!(tails, [2, 3]);
    }

    #[test]
    fn the_budget_is_shared_by_all_series() {
        let patterns: Vec<Glob> = vec!["b*".parse().unwrap()];
        for (name, series, points, share) in [("a", 6000, 1024, 256), ("b", 20, 40_000, 32_768)] {
            let mut summarizer =
                Summarizer::new(1024).watching(Patterns::new(patterns.clone(), []));
            for number in 0..series {
                let key: KeyBuf = format!("{name}{number}").parse().unwrap();
                for timestamp in 0..points {
                    summarizer.add(key.as_key(), Point { value: 1.0, timestamp });
                }
            }
            let answer = summarizer.finish();
            assert!(answer.series.iter().all(|series| series.recent().len() == share), "{name}");
            assert!(
                answer.series.iter().all(|series| series.recent().get(0).unwrap().timestamp > 0),
                "the newest"
            );
        }
    }

    #[test]
    fn complete_series_can_be_taken_out_as_they_come() {
        let data = "a 1 1\na 2 2\nb 3 1\nc 4 1\nc 5 2\nc 6 3\nd 7 1\n";
        let whole = summarize(4, data).series;
        let lines: Vec<_> = data.split_inclusive('\n').collect();
        for size in 1..=lines.len() {
            let (mut summarizer, mut taken) = (Summarizer::new(4), Vec::new());
            for piece in lines.chunks(size) {
                summarizer.add_lines(piece.concat().as_bytes());
                taken.extend(summarizer.take_complete());
            }
            assert_eq!(taken.last().unwrap().key.as_str(), "c", "the last may go on");
            taken.extend(summarizer.finish().series);
            assert_eq!(taken, whole, "{size} lines at once");
        }
    }

    #[test]
    fn more_than_32_bits_of_points_and_of_malformed_lines_are_counted() {
        let mut summarizer = Summarizer::new(2);
        (summarizer.points, summarizer.malformed) = (5_000_000_000, u64::from(u32::MAX));
        summarizer.add_lines(b"a 1 1\nnonsense\na 2 2\n");
        let answer = summarizer.finish();
        assert_eq!((answer.points, answer.malformed), (5_000_000_002, 1 << 32));
    }

    #[test]
    fn a_point_far_ahead_does_not_hide_the_present() {
        let mut summarizer = Summarizer::new(4).at(100);
        summarizer.add_lines(b"a 1 90\na 2 160\na 3 161\na 4 9000\nb 1 9000\nb 2 9001\n");
        summarizer.add_lines(b"c 1 161\nc 2 7\n");
        let series = summarizer.finish().series;
        let last: Vec<_> = series.iter().map(|series| series.last.timestamp).collect();
        assert_eq!(last, [160, 9001, 7]);
        assert_eq!((series[0].change(), series[0].count()), (Some(1.0), Some(4)));
        assert_eq!(series[0].recent().iter().map(|point| point.timestamp).max(), Some(160));
    }

    #[test]
    fn the_mean_of_huge_values_stays_finite() {
        let answer = summarize(4, "a 1.7e308 1\na -1.7e308 2\na 1.7e308 3\n");
        assert!(answer.series[0].mean().unwrap().is_finite());
    }
}
