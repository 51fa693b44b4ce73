//! A session that is being gathered from the server, to be saved: first the newest points and how
//! many there are besides, then as many of those as a file is to have.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use shared::{Glob, Key, Point};

use crate::metrics::reply::PointLists;
use crate::metrics::watch_plan::merged;
use crate::request::pending::{Priority, Query, QueryTag, SessionPart, SessionQuery};
use crate::session::coverage::Coverage;
use crate::session::{Comparison, LeftOut, Recording, Session, View};
use crate::wire_log::store::Snapshot;

/// Points of the table's time that a file has: those of 100 keys with a point a second for a quarter
/// of an hour, and a few more. Of more keys only those that matter have theirs.
const MAX_POINTS: u64 = 120_000;

/// Points of a key in the chart, from before the table's time, that a file has as they are.
const MAX_CHART_POINTS: u64 = 20_000;

/// Buckets in which there are more of them.
const MAX_BUCKETS: i64 = 1_000;

/// Newest points of the keys in sight.
const RECENT: u32 = 64;

/// What a session is of.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The first Unix second of the table's time.
    pub from: i64,
    /// As much time before that: numbers of the window as of a time need it. It is in the session if
    /// there is room.
    pub earlier: i64,
    /// The first Unix second in the chart, and its keys.
    pub chart: Option<(i64, Vec<Glob>)>,
    /// The keys in the chart, the other watched ones, then those of the rows in sight.
    pub in_sight: Vec<Glob>,
    /// What is asked for of the marks.
    pub marks: String,
    /// What is asked for of the watched keys on a screen.
    pub history: Vec<String>,
    /// There are more keys than a session has, which is of those in sight: so many are not.
    pub keys_left_out: u64,
}

/// A session that is being gathered.
#[derive(Debug)]
pub struct Saving {
    number: u64,
    path: String,
    session: Session,
    scope: Scope,
    /// Points of each key in the table's time.
    counts: HashMap<String, u64>,
    /// Points of all keys in that time and as much before it.
    earlier: u64,
    /// Points of each key from the table's time up to the place in time, and up to some seconds after it;
    /// of no time of which a count was lost.
    until_place: BTreeMap<i64, HashMap<String, u64>>,
    /// Points of each key in the chart from before.
    chart_counts: HashMap<String, u64>,
    /// Queries without an answer.
    waiting: usize,
    /// All that is wanted is asked for.
    is_last: bool,
    /// Keys of which there are only the newest points.
    points_left_out: u64,
    /// Those are the points around the place in time.
    is_around_place: bool,
    /// A query was refused, or its answer was lost.
    lacks_answers: bool,
}

impl Saving {
    /// A session to be saved at a path as typed, with the number of its queries.
    pub fn new(number: u64, path: String, view: View, log: Snapshot, scope: Scope) -> Self {
        Self {
            number,
            path,
            session: Session { view, recording: Recording::default(), log },
            scope,
            counts: HashMap::new(),
            earlier: 0,
            until_place: BTreeMap::new(),
            chart_counts: HashMap::new(),
            waiting: 0,
            is_last: false,
            points_left_out: 0,
            is_around_place: false,
            lacks_answers: false,
        }
    }

    /// The first queries.
    pub fn begin(&mut self) -> Vec<Query> {
        let Scope { from, earlier, chart, in_sight, history, .. } = &self.scope;
        let (from, before) = (*from, from.saturating_sub(1));
        let mut selectors = Vec::new();
        for keys in self.all_keys() {
            // What stands at any time from then on.
            let states = [before, earlier.saturating_sub(1)];
            // First, because its order is that of the keys.
            selectors.push((format!("{keys}[last:2]"), SessionPart::Points));
            for at in states {
                selectors.push((format!("{keys}[last@{at}]"), SessionPart::Points));
            }
            // Of a key without all points these times are all that is known.
            for at in self.shown_times() {
                selectors.push((format!("{keys}[last:2@{at}]"), SessionPart::Points));
            }
            for until in self.ends_around_place() {
                let part = SessionPart::PlaceCount { until };
                selectors.push((format!("{keys}[{from}:{until}:all:count]"), part));
            }
            selectors.push((format!("{keys}[{from}::all:count]"), SessionPart::Count));
            selectors.push((format!("{keys}[{earlier}::all:count]"), SessionPart::EarlierCount));
        }
        // Of a time without points no count comes.
        self.until_place =
            self.ends_around_place().into_iter().map(|until| (until, HashMap::new())).collect();
        selectors.push((self.scope.marks.clone(), SessionPart::Points));
        let recent = merged(in_sight).into_iter().map(|keys| format!("{keys}[last:{RECENT}]"));
        let history = recent.chain(history.iter().cloned());
        selectors.extend(history.map(|selector| (selector, SessionPart::Points)));
        if let Some((begin, keys)) = chart.as_ref().filter(|(begin, _)| *begin < from) {
            let count =
                |keys| (format!("{keys}[{begin}:{before}:all:count]"), SessionPart::ChartCount);
            selectors.extend(merged(keys).into_iter().map(count));
        }
        self.queries(selectors)
    }

    /// The place in time, and the time that the table is compared with.
    fn shown_times(&self) -> BTreeSet<i64> {
        let base = match &self.session.view.compared {
            Some(Comparison::Base(base)) => Some(base.at),
            _ => None,
        };
        [self.session.view.place, base].into_iter().flatten().collect()
    }

    /// The ends of what a file may have around the place in time of all keys: the place, and as much of the
    /// table's time after it as there is room for.
    fn ends_around_place(&self) -> BTreeSet<i64> {
        /// Parts of the table's time.
        const PARTS: [i64; 3] = [16, 4, 1];
        let Scope { from, earlier, .. } = self.scope;
        let Some(at) = self.session.view.place else { return BTreeSet::new() };
        let later = PARTS.map(|part| at.saturating_add(from.saturating_sub(earlier) / part));
        let saved_at = self.session.view.saved_at;
        later.into_iter().filter(|&end| end < saved_at).chain([at]).collect()
    }

    /// The patterns of the keys that the session has.
    fn all_keys(&self) -> Vec<String> {
        match self.scope.keys_left_out {
            0 => vec!["*".to_owned()],
            _ => merged(&self.scope.in_sight),
        }
    }

    fn queries(&mut self, selectors: Vec<(String, SessionPart)>) -> Vec<Query> {
        self.waiting += selectors.len();
        let number = self.number;
        let query = |(selector, part)| {
            let tag = QueryTag::Session(SessionQuery { number, part });
            Query { selector, tag, priority: Priority::Now }
        };
        selectors.into_iter().map(query).collect()
    }

    /// Takes the answer to a query; none if it was refused or lost. Returns the next queries.
    pub fn take(&mut self, query: SessionQuery, points: Option<&PointLists>) -> Vec<Query> {
        if query.number != self.number {
            return Vec::new();
        }
        for (key, points) in points.into_iter().flat_map(PointLists::iter) {
            self.add(key, points, query.part);
        }
        if let (None, SessionPart::PlaceCount { until }) = (points, query.part) {
            self.until_place.remove(&until);
        }
        self.lacks_answers |= points.is_none();
        self.waiting = self.waiting.saturating_sub(1);
        if self.waiting > 0 || self.is_last {
            return Vec::new();
        }
        self.is_last = true;
        let selectors = self.selectors();
        self.queries(selectors)
    }

    fn add(&mut self, key: &str, points: &[Point], part: SessionPart) {
        match part {
            SessionPart::Points => self.add_points(key, points.iter().copied()),
            SessionPart::Count => {
                self.counts.insert(key.to_owned(), count(points));
            }
            SessionPart::PlaceCount { until } => {
                if let Some(counts) = self.until_place.get_mut(&until) {
                    counts.insert(key.to_owned(), count(points));
                }
            }
            SessionPart::EarlierCount => self.earlier += count(points),
            SessionPart::ChartCount => {
                self.chart_counts.insert(key.to_owned(), count(points));
            }
            SessionPart::Extremes { later } => {
                let moved = |point: &Point| {
                    let timestamp = point.timestamp.saturating_add(later);
                    Point { timestamp, ..*point }
                };
                self.add_points(key, points.iter().map(moved));
            }
        }
    }

    /// Adds points that are known.
    pub fn add_points(&mut self, key: &str, points: impl Iterator<Item = Point>) {
        if let Ok(key) = Key::new(key) {
            self.session.recording.add(key, points);
        }
    }

    /// Records that of no key more than the newest points are there.
    pub fn has_newest_only(&mut self) {
        let at = self.session.view.saved_at;
        let until = at.saturating_sub(1);
        let mut coverage = Coverage { until, ..Coverage::all_from(at) };
        coverage.known.insert(at);
        self.points_left_out = self.session.recording.len() as u64;
        self.is_around_place = false;
        self.session.recording.set_coverage(coverage);
    }

    /// Adds the newest points of keys that no server was there to be asked for. Of a key that comes
    /// more than once those count that leave no gap before the newest.
    pub fn add_away<'a>(&mut self, keys: impl Iterator<Item = (&'a str, Vec<Point>)>) {
        let answered: HashSet<String> =
            self.session.recording.iter().map(|(key, _)| key.as_str().to_owned()).collect();
        let mut since: BTreeMap<String, i64> = BTreeMap::new();
        for (key, points) in keys.filter(|(key, _)| !answered.contains(*key)) {
            let times = || points.iter().map(|point| point.timestamp);
            let Some((first, last)) = times().min().zip(times().max()) else { continue };
            let known = since.get(key).copied().unwrap_or(last);
            if last >= known {
                since.insert(key.to_owned(), known.min(first));
                self.add_points(key, points.into_iter());
            }
        }
        let Some(coverage) = self.session.recording.coverage().filter(|_| !since.is_empty()) else {
            return;
        };
        self.points_left_out += since.len() as u64;
        let mut coverage = Coverage { since, ..coverage.clone() };
        if coverage.until == i64::MAX {
            coverage.until = coverage.from.saturating_sub(1);
            coverage.whole = answered;
            coverage.known.insert(self.session.view.saved_at);
        }
        self.session.recording.set_coverage(coverage);
    }

    /// What is asked for last.
    fn selectors(&mut self) -> Vec<(String, SessionPart)> {
        let Scope { from, earlier, chart, .. } = &self.scope;
        let (from, before) = (*from, from.saturating_sub(1));
        let mut selectors = Vec::new();
        if self.counts.values().sum::<u64>() <= MAX_POINTS {
            let begin = if self.earlier <= MAX_POINTS { *earlier } else { from };
            let range = |keys| (format!("{keys}[{begin}:]"), SessionPart::Points);
            selectors.extend(self.all_keys().into_iter().map(range));
            self.session.recording.set_coverage(Coverage::all_from(begin));
        } else {
            let mut coverage = Coverage { until: before, ..Coverage::all_from(from) };
            coverage.known = self.shown_times();
            coverage.known.insert(self.session.view.saved_at);
            let (until, fitting) = self.fitting();
            if let Some(until) = until {
                // Around the place in time all is as it was.
                coverage.until = until;
                self.is_around_place = true;
                let range = |keys| (format!("{keys}[{from}:{until}]"), SessionPart::Points);
                selectors.extend(self.all_keys().into_iter().map(range));
            }
            self.points_left_out = (self.counts.len() as u64).saturating_sub(fitting.len() as u64);
            coverage.whole.extend(fitting.iter().map(|key| key.as_str().to_owned()));
            coverage.whole.extend(self.marks());
            self.session.recording.set_coverage(coverage);
            let range = |keys| (format!("{keys}[{from}:]"), SessionPart::Points);
            selectors.extend(merged(&fitting).into_iter().map(range));
        }
        let Some((begin, keys)) = chart else { return selectors };
        for key in keys {
            match self.chart_counts.get(key.as_str()) {
                None => {}
                Some(..=MAX_CHART_POINTS) => {
                    selectors.push((format!("{key}[{begin}:{before}]"), SessionPart::Points));
                }
                Some(_) => {
                    let step = (from.saturating_sub(*begin) / MAX_BUCKETS).max(2);
                    for (how, later) in [("min", 0), ("max", step / 2)] {
                        let selector = format!("{key}[{begin}:{before}:{step}s:{how}]");
                        selectors.push((selector, SessionPart::Extremes { later }));
                    }
                }
            }
        }
        selectors
    }

    /// Where there is no room for all points: the last second up to which all keys have theirs, if they
    /// have that of a place in time, and the keys in sight that have theirs beyond it, too.
    fn fitting(&self) -> (Option<i64>, Vec<Glob>) {
        let place = self.session.view.place.and_then(|at| Some((at, self.until_place.get(&at)?)));
        let place = place.filter(|(_, counts)| counts.values().sum::<u64>() <= MAX_POINTS);
        let none = HashMap::new();
        let mut until = place.map(|(at, _)| at);
        let mut counts = place.map_or(&none, |(_, counts)| counts);
        let mut room = MAX_POINTS - counts.values().sum::<u64>();
        // What is in the chart comes before what can't be seen.
        let Scope { chart, in_sight, .. } = &self.scope;
        let is_charted = |key: &&Glob| chart.as_ref().is_some_and(|(_, keys)| keys.contains(key));
        let (charted, others): (Vec<_>, Vec<_>) = in_sight.iter().partition(is_charted);
        let mut fitting = self.take_room(&charted, counts, &mut room);
        let whole: HashSet<&str> = fitting.iter().map(Glob::as_str).collect();
        let ends = until.into_iter().flat_map(|at| self.until_place.range(at..));
        for (end, later) in ends {
            let more = later.iter().filter(|(key, _)| !whole.contains(key.as_str()));
            let more = more.map(|(key, &count)| count.saturating_sub(of(counts, key))).sum();
            let Some(rest) = room.checked_sub(more) else { break };
            (room, until, counts) = (rest, Some(*end), later);
        }
        fitting.extend(self.take_room(&others, counts, &mut room));
        (until, fitting)
    }

    /// Those of the keys that have room for all their points; `counts` of them have theirs already.
    fn take_room(
        &self,
        keys: &[&Glob],
        counts: &HashMap<String, u64>,
        room: &mut u64,
    ) -> Vec<Glob> {
        let fits = |key: &&&Glob| {
            let behind = of(&self.counts, key.as_str()).saturating_sub(of(counts, key.as_str()));
            let rest = room.checked_sub(behind);
            *room = rest.unwrap_or(*room);
            rest.is_some()
        };
        keys.iter().filter(fits).map(|&key| key.clone()).collect()
    }

    /// The keys of marks, whose points are all there.
    fn marks(&self) -> Vec<String> {
        let pattern = self.scope.marks.split_once('[').map(|(pattern, _)| pattern);
        let Some(pattern) = pattern.and_then(|it| it.parse::<Glob>().ok()) else {
            return Vec::new();
        };
        let keys = self.session.recording.iter().map(|(key, _)| key.as_str());
        keys.filter(|key| pattern.matches(key)).map(str::to_owned).collect()
    }

    /// Nothing more is waited for.
    pub fn is_complete(&self) -> bool {
        self.is_last && self.waiting == 0
    }

    /// Something that was asked for has not come.
    pub fn lacks_answers(&self) -> bool {
        self.lacks_answers || !self.is_complete()
    }

    /// The path, the session, and what it does not have.
    pub fn into_parts(self) -> (String, Session, LeftOut) {
        let left_out = LeftOut {
            keys: self.scope.keys_left_out,
            points_of: self.points_left_out,
            around_place: self.is_around_place,
        };
        (self.path, self.session, left_out)
    }
}

/// The number of points of a key.
fn of(counts: &HashMap<String, u64>, key: &str) -> u64 {
    counts.get(key).copied().unwrap_or(0)
}

/// The number that a bucket of points says.
fn count(points: &[Point]) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    let count = |point: &Point| point.value as u64;
    points.iter().map(count).sum()
}
