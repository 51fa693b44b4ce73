//! Recorded points, and what a server with just these points answers.

use std::collections::{BTreeMap, HashMap};

use super::coverage::Coverage;
use shared::response::{encode_end, encode_error, encode_point, encode_status_ok};
use shared::selector::{Aggregate, Buckets, Clause, Since, Step, Time};
use shared::{Glob, Key, KeyBuf, Point, Request, Selector};

use super::View;
use crate::metrics::marks::PREFIX;
use crate::sources::SourceLabel;

/// Points more than this far ahead of the clock, in seconds, do not hide the present of their key.
const MAX_AHEAD: i64 = 60;

/// The reason for which nothing is stored or deleted.
pub const READ_ONLY: &str = "this is a replay";

/// The reason for which nothing is said of an early time.
const BEGINS_LATER: &str = "this session begins later";

/// What the view of a recording says of its keys.
#[derive(Clone, Copy)]
struct Known<'a> {
    /// The Unix time of the recording.
    now: i64,
    /// What the keys begin with whose times are shifted: their points ahead are still to come.
    shifted: &'a [(String, u64)],
    /// What all keys begin with, but for marks; none where there are others.
    prefixes: &'a [String],
}

impl Known<'_> {
    /// A key is one that a pattern means: one of a source, or a mark, where marks are named.
    fn means(self, pattern: &str, key: &str) -> bool {
        let is_any = self.prefixes.iter().any(|prefix| key.starts_with(prefix.as_str()));
        self.prefixes.is_empty() || is_any || pattern.contains(PREFIX)
    }

    /// By how many seconds the times of a key are shifted.
    fn shift(self, key: &str) -> u64 {
        let of_key = self.shifted.iter().find(|(prefix, _)| key.starts_with(prefix.as_str()));
        of_key.map_or(0, |&(_, by)| by)
    }

    /// The last time that may be the newest of a key.
    fn present(self, key: &str) -> i64 {
        let is_shifted = self.shift(key) > 0;
        if is_shifted { self.now } else { self.now.saturating_add(MAX_AHEAD) }
    }
}

/// The points of keys, each key's by rising time, in the order in which the keys were added.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recording {
    keys: Vec<(KeyBuf, BTreeMap<i64, f64>)>,
    places: HashMap<String, usize>,
    coverage: Option<Coverage>,
}

impl Recording {
    /// Adds points of a key; of two with the same time the first one stays.
    pub fn add(&mut self, key: Key<'_>, points: impl IntoIterator<Item = Point>) {
        let mut points = points.into_iter().filter(|point| point.value.is_finite()).peekable();
        if points.peek().is_none() {
            return;
        }
        let place = self.places.get(key.as_str()).copied().unwrap_or_else(|| {
            self.keys.push((key.to_owned(), BTreeMap::new()));
            self.places.insert(key.as_str().to_owned(), self.keys.len() - 1);
            self.keys.len() - 1
        });
        if let Some((_, known)) = self.keys.get_mut(place) {
            for Point { timestamp, value } in points {
                known.entry(timestamp).or_insert(value);
            }
        }
    }

    /// Sets what is known of the keys.
    pub fn set_coverage(&mut self, coverage: Coverage) {
        self.coverage = Some(coverage);
    }

    /// What is known of the keys; none where that is not recorded.
    pub fn coverage(&self) -> Option<&Coverage> {
        self.coverage.as_ref()
    }

    /// The number of keys with the newest points only.
    pub fn partial(&self) -> usize {
        let Some(coverage) = &self.coverage else { return 0 };
        self.keys.iter().filter(|(key, _)| !coverage.is_whole(key.as_str())).count()
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// There are no points.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The number of points.
    pub fn points(&self) -> usize {
        self.keys.iter().map(|(_, points)| points.len()).sum()
    }

    /// The keys and their points.
    pub fn iter(&self) -> impl Iterator<Item = (&KeyBuf, impl Iterator<Item = Point>)> {
        self.keys.iter().map(|(key, points)| {
            let point = |(&timestamp, &value): (&i64, &f64)| Point { timestamp, value };
            (key, points.iter().map(point))
        })
    }

    /// Appends the reply to a request line at a Unix time. Returns true for a follow: its reply has
    /// no end yet.
    pub fn answer(&self, line: &[u8], now: i64, out: &mut Vec<u8>) -> bool {
        self.answer_of(line, Known { now, shifted: &[], prefixes: &[] }, out)
    }

    /// As [`Recording::answer`], in a view and at the time that it was saved.
    pub fn answer_in_view(&self, line: &[u8], view: &View, out: &mut Vec<u8>) -> bool {
        let has_runs = !view.runs.is_empty();
        let sources = if has_runs { view.sources() } else { Vec::new() };
        let prefixes: Vec<_> = sources.iter().map(SourceLabel::prefix).collect();
        let known = Known { now: view.saved_at, shifted: &view.shifts, prefixes: &prefixes };
        self.answer_of(line, known, out)
    }

    fn answer_of(&self, line: &[u8], known: Known<'_>, out: &mut Vec<u8>) -> bool {
        match Request::decode(line) {
            Ok(Request::Get(selector)) if self.begins_after(selector, known.now) => {
                encode_error(BEGINS_LATER, out);
                false
            }
            Ok(Request::Get(selector)) => {
                encode_status_ok(out);
                self.select(selector, known, out);
                let is_follow = matches!(selector.clause(), Some(Clause::Follow { .. }));
                if !is_follow {
                    encode_end(out);
                }
                is_follow
            }
            Ok(Request::Put(..) | Request::Del(_)) => {
                encode_error(READ_ONLY, out);
                false
            }
            Err(_) => {
                encode_error(shared::response::WRONG_COMMAND, out);
                false
            }
        }
    }

    fn has_all_of(&self, key: &str, from: Option<i64>, to: i64) -> bool {
        self.coverage.as_ref().is_none_or(|coverage| coverage.has_all_of(key, from, to))
    }

    /// How things stood is asked for at a time of which nothing is known.
    fn begins_after(&self, selector: Selector<'_>, now: i64) -> bool {
        let Some(Clause::Last { to: Some(to), .. }) = selector.clause() else { return false };
        self.coverage.as_ref().is_some_and(|coverage| coverage.begins_after(unix(to, now)))
    }

    /// Appends the data lines of what is selected.
    fn select(&self, selector: Selector<'_>, known: Known<'_>, out: &mut Vec<u8>) {
        let now = known.now;
        // What is a pattern of the protocol is a glob.
        let Ok(glob) = selector.pattern().as_str().parse::<Glob>() else { return };
        let pattern = selector.pattern().as_str();
        let is_meant = |key: &str| glob.matches(key) && known.means(pattern, key);
        let keys = self.keys.iter().filter(|(key, _)| is_meant(key.as_str()));
        for (key, points) in keys {
            let mut tell = |timestamp, value| {
                encode_point(key.as_key(), Point { timestamp, value }, out);
            };
            let mut tell_range = |from: i64, to: i64| {
                if from <= to {
                    points.range(from..=to).for_each(|(&time, &value)| tell(time, value));
                }
            };
            match selector.clause() {
                None => tell_range(i64::MIN, i64::MAX),
                Some(Clause::Follow { since: None }) => {}
                Some(Clause::Follow { since: Some(Since::Beginning) }) => {
                    tell_range(i64::MIN, i64::MAX);
                }
                Some(Clause::Follow { since: Some(Since::Time(since)) }) => {
                    tell_range(unix(since, now), i64::MAX);
                }
                Some(Clause::Last { count, to }) => {
                    let count = usize::try_from(count.get()).unwrap_or(usize::MAX);
                    let present = known.present(key.as_str());
                    let to = to.map(|to| unix(to, now));
                    let covered = self.coverage.as_ref().zip(to);
                    let covered = covered.map(|(it, to)| it.known_at(key.as_str(), to));
                    let count = count.min(covered.unwrap_or(usize::MAX));
                    for (time, value) in newest(points, count, to, present) {
                        tell(time, value);
                    }
                }
                Some(Clause::Range { from, to, buckets }) => {
                    let begin = from.map(|from| unix(from, now));
                    let end = to.map_or(i64::MAX, |to| unix(to, now));
                    match buckets {
                        None => tell_range(begin.unwrap_or(i64::MIN), end),
                        Some(_) if !self.has_all_of(key.as_str(), begin, end.min(now)) => {}
                        Some(buckets) => {
                            let shift = known.shift(key.as_str());
                            for (time, value) in gather(points, begin, end, buckets, shift) {
                                tell(time, value);
                            }
                        }
                    }
                }
            }
        }
    }
}

fn unix(time: Time, now: i64) -> i64 {
    match time {
        Time::At(at) => at,
        Time::Ago(ago) => now.saturating_sub(ago.seconds()),
    }
}

/// The newest points, by rising time.
fn newest(
    points: &BTreeMap<i64, f64>,
    count: usize,
    to: Option<i64>,
    present: i64,
) -> Vec<(i64, f64)> {
    let take = |until: i64| -> Vec<(i64, f64)> {
        let newest = points.range(..=until).rev().take(count);
        newest.map(|(&time, &value)| (time, value)).collect()
    };
    let mut taken = take(to.unwrap_or(present));
    if taken.is_empty() && to.is_none() {
        taken = take(i64::MAX);
    }
    taken.reverse();
    taken
}

/// One point for each bucket of a range. Buckets are those of the times before they were shifted, and stand
/// at a whole step, as in a view of runs.
fn gather(
    points: &BTreeMap<i64, f64>,
    from: Option<i64>,
    to: i64,
    Buckets { step, how }: Buckets,
    shift: u64,
) -> Vec<(i64, f64)> {
    let first = from.unwrap_or(i64::MIN);
    if first > to {
        return Vec::new();
    }
    let mut before = points.range(..first).next_back().map(|(&time, &value)| (time, value));
    let mut gathered = Vec::new();
    let mut range = points.range(first..=to).map(|(&time, &value)| (time, value)).peekable();
    while let Some(&(oldest, _)) = range.peek() {
        let start = match step {
            Step::All => from.unwrap_or(oldest),
            Step::Every(step) => shifted_start_of(oldest, step.seconds(), shift),
        };
        let is_in = |time: i64| match step {
            Step::All => true,
            Step::Every(step) => shifted_start_of(time, step.seconds(), shift) == start,
        };
        let mut bucket = Vec::new();
        while let Some(point) = range.next_if(|&(time, _)| is_in(time)) {
            bucket.push(point);
        }
        let value = aggregate(how, before, &bucket);
        before = bucket.last().copied().or(before);
        gathered.extend(value.map(|value| (start, value)));
    }
    gathered
}

/// The start of the bucket of a time: a multiple of the step, but not before the first time.
fn start_of(time: i64, step: i64) -> i64 {
    let start = i128::from(time).div_euclid(i128::from(step)) * i128::from(step);
    i64::try_from(start).unwrap_or(i64::MIN)
}

/// The same of a time that is shifted by some seconds.
fn shifted_start_of(time: i64, step: i64, shift: u64) -> i64 {
    let start = start_of(time.saturating_sub_unsigned(shift), step).saturating_add_unsigned(shift);
    if shift == 0 { start } else { start_of(start, step) }
}

/// What becomes of the points of a bucket, with the point before it; none if there is nothing to
/// compare.
fn aggregate(how: Aggregate, before: Option<(i64, f64)>, bucket: &[(i64, f64)]) -> Option<f64> {
    let values = || bucket.iter().map(|&(_, value)| value);
    let percentile = |percent: usize| {
        let mut sorted: Vec<f64> = values().collect();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied()
    };
    #[expect(clippy::cast_precision_loss, reason = "fewer points than that")]
    let count = bucket.len() as f64;
    match how {
        Aggregate::Avg => Some(sum(values()) / count),
        Aggregate::Min => values().min_by(f64::total_cmp),
        Aggregate::Max => values().max_by(f64::total_cmp),
        Aggregate::Sum => Some(sum(values())),
        Aggregate::Count => Some(count),
        Aggregate::First => values().next(),
        Aggregate::Last => values().next_back(),
        Aggregate::Rate => rate(before, bucket),
        Aggregate::P50 => percentile(50),
        Aggregate::P90 => percentile(90),
        Aggregate::P95 => percentile(95),
        Aggregate::P99 => percentile(99),
    }
}

/// The compensated sum.
fn sum(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
    for value in values {
        let next = sum + value;
        lost += if sum.abs() >= value.abs() { sum - next + value } else { value - next + sum };
        sum = next;
    }
    // What exceeds the numbers has lost nothing that could be told.
    if lost.is_finite() { sum + lost } else { sum }
}

/// The increase a second of a counter.
fn rate(before: Option<(i64, f64)>, bucket: &[(i64, f64)]) -> Option<f64> {
    let all = || before.into_iter().chain(bucket.iter().copied());
    let (first, last) = (all().next()?.0, all().next_back()?.0);
    if first == last {
        return None;
    }
    let increases = all().zip(all().skip(1)).map(
        |((_, old), (_, new))| {
            if new < old { new.max(0.0) } else { new - old }
        },
    );
    #[expect(clippy::cast_precision_loss, reason = "seconds")]
    let seconds = (i128::from(last) - i128::from(first)) as f64;
    Some(sum(increases) / seconds)
}
