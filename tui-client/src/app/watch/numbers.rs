//! The numbers of the watched keys in a window, which a server with selectors is asked for.

use std::collections::HashMap;
use std::time::Duration;

use shared::selector::Aggregate;
use shared::{Glob, Point};

use crate::app::watch::watched::NUMBERS;
use crate::app::watch::{Watch, Watched};
use crate::event::Moment;
use crate::metrics::reply::SeriesPoints;
use crate::metrics::series::{LATE, newest};
use crate::metrics::watch_plan::merged;
use crate::metrics::window::Window;
use crate::request::pending::{Priority, Query, QueryTag, WatchQuery};

/// Time after which numbers are asked for again that were refused or lost.
const RETRY: Duration = Duration::from_secs(5);

/// The requests for numbers.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    window: Window,
    /// Until when the numbers need not be asked for again, once they were.
    until: Option<Duration>,
    /// Queries without an answer.
    asked: HashMap<u64, AskedNumber>,
}

/// A query for one number of some keys.
#[derive(Debug)]
struct AskedNumber {
    /// The keys.
    pattern: String,
    /// The place in [`NUMBERS`].
    place: usize,
    /// The first time, if there is one.
    from: Option<i64>,
    /// A count or a mean is of the points up to this time, if there is one.
    until: Option<i64>,
    /// The answer lacks some of the keys.
    is_cut: bool,
}

impl AskedNumber {
    /// The points that the answer may not know, but counts.
    fn is_newer(&self, point: &Point) -> bool {
        let is_extreme = matches!(NUMBERS.get(self.place), Some(Aggregate::Min | Aggregate::Max));
        match self.until {
            Some(until) => point.timestamp > until,
            None => is_extreme && self.from.is_none_or(|from| from <= point.timestamp),
        }
    }
}

impl Watched {
    /// The numbers of the series are those of the window, because all of them are answered.
    fn knows_numbers(&self) -> bool {
        self.series.is_some() && self.known.iter().all(|&known| known)
    }
}

impl Watch {
    /// The window of the numbers that are shown, as soon as there are some; none on a server
    /// without selectors.
    pub fn numbers_window(&self) -> Option<Window> {
        let is_known = self.asks && self.keys.iter().any(Watched::knows_numbers);
        is_known.then_some(self.numbers.window)
    }

    /// The window of the points that count in the numbers; all on a server without selectors.
    pub(super) fn told_window(&self) -> Window {
        if self.asks { self.numbers.window } else { Window::All }
    }

    /// The numbers of a key are asked for, and not answered yet.
    pub fn awaits_numbers(&self, watched: &Watched) -> bool {
        self.asks && !watched.knows_numbers()
    }

    /// The answer to a query is still wanted.
    pub fn awaits(&self, query: WatchQuery) -> bool {
        query.window == self.numbers.window && self.numbers.asked.contains_key(&query.number)
    }

    /// Takes no more answers to earlier queries for numbers.
    pub fn drop_numbers(&mut self) {
        self.numbers.asked.clear();
    }

    /// When the numbers are to be asked for again; not while they are under way.
    pub(super) fn next_numbers(&self) -> Option<Duration> {
        self.numbers.until.filter(|_| self.asks && self.numbers.asked.is_empty())
    }

    /// The queries for the numbers in a window that are due.
    pub(super) fn ask_numbers(
        &mut self,
        window: Window,
        (now, aged): (Moment, Duration),
    ) -> Vec<Query> {
        let is_other = std::mem::replace(&mut self.numbers.window, window) != window;
        if is_other {
            self.drop_numbers();
            self.keys.iter_mut().for_each(|watched| watched.known = Default::default());
        }
        if !self.next_numbers().is_some_and(|due| is_other || due <= aged) {
            return Vec::new();
        }
        self.numbers.until = None;
        let patterns = self.patterns.clone();
        self.numbers(&patterns, now)
    }

    /// The queries for the numbers of the watched keys that match some patterns in the window, once
    /// their newest points are known. Counts and means leave those out, so that each point counts
    /// once whether it was put before the answer or after.
    pub fn numbers(&mut self, patterns: &[Glob], now: Moment) -> Vec<Query> {
        let (window, unix) = (self.numbers.window, now.unix());
        let refresh = now.elapsed + Duration::from_secs(window.refresh());
        self.numbers.until.get_or_insert(refresh);
        let from = window.seconds().map(|seconds| unix.saturating_sub(seconds));
        let newest = newest(self.keys.iter().filter_map(|key| key.series.as_ref()), unix);
        let until = newest.map(|newest| newest.saturating_sub(LATE));
        let until = until.filter(|&until| from.is_none_or(|from| until > from));
        let is_there = |glob: &&Glob| !(glob.is_key() && self.absent.has(glob.as_str()));
        let patterns: Vec<Glob> = patterns.iter().filter(is_there).cloned().collect();
        let patterns = merged(&patterns);
        let mut queries = Vec::new();
        for (place, of) in NUMBERS.into_iter().enumerate() {
            let is_extreme = matches!(of, Aggregate::Min | Aggregate::Max);
            let until = until.filter(|_| !is_extreme);
            let to = until.map_or(window.end().to_owned(), |until| until.to_string());
            for pattern in &patterns {
                self.queries += 1;
                let pattern = pattern.clone();
                queries.push(Query {
                    selector: format!("{pattern}[{}{to}:all:{of}]", window.range()),
                    tag: QueryTag::Watch(WatchQuery { number: self.queries, window }),
                    priority: Priority::Soon,
                });
                let asked = AskedNumber { pattern, place, from, until, is_cut: false };
                self.numbers.asked.insert(self.queries, asked);
            }
        }
        queries
    }

    /// The answer to a query lacks some of the keys.
    pub fn cut_numbers(&mut self, query: WatchQuery) {
        if let Some(asked) = self.numbers.asked.get_mut(&query.number) {
            asked.is_cut = true;
        }
    }

    /// Takes the answer to a query, unless its window is left; `None` if it was refused or lost,
    /// which is asked for again soon.
    pub fn on_numbers(
        &mut self,
        query: WatchQuery,
        answer: Option<&[SeriesPoints]>,
        now: Duration,
    ) {
        let is_wanted = self.awaits(query);
        let Some(asked) = self.numbers.asked.remove(&query.number).filter(|_| is_wanted) else {
            return;
        };
        let Some(answer) = answer else {
            let retry = now + RETRY;
            self.numbers.until = Some(self.numbers.until.map_or(retry, |until| until.min(retry)));
            return;
        };
        let (Ok(pattern), Some(&of)) = (asked.pattern.parse::<Glob>(), NUMBERS.get(asked.place))
        else {
            return;
        };
        let number = |all: &SeriesPoints| Some((all.key.to_string(), all.points.first()?.value));
        let numbers: HashMap<String, f64> = answer.iter().filter_map(number).collect();
        for watched in self.keys.iter_mut().filter(|watched| pattern.matches(&watched.key)) {
            let number = numbers.get(&watched.key).copied();
            let Some(series) = &mut watched.series else { continue };
            // Nothing is answered of a key without points in the window.
            if number.is_none() && (asked.is_cut || self.away.has(&watched.key)) {
                continue;
            }
            let newer = series.recent().iter().filter(|point| asked.is_newer(point));
            let newer: Vec<f64> = newer.map(|point| point.value).collect();
            series.set(of, number, &newer);
            if let Some(known) = watched.known.get_mut(asked.place) {
                *known = true;
            }
        }
    }
}
