//! The numbers of all points of the watched keys whose alerts compare them, whatever the window of
//! the list is. Each is asked for once, kept up to date by the told points, and asked for again now
//! and then.

use std::collections::HashMap;
use std::time::Duration;

use shared::selector::Aggregate;
use shared::{Glob, Key, Point};

use crate::app::watch::Watch;
use crate::event::Moment;
use crate::metrics::alerts::{Alert, Alerts};
use crate::metrics::needs::Parts;
use crate::metrics::reply::PointLists;
use crate::metrics::series::{Bounds, LATE, Series, newest};
use crate::metrics::watch_plan::merged;
use crate::metrics::window::Window;
use crate::request::pending::{AlertedQuery, Priority, Query, QueryTag};

/// Wait after a query that was refused or lost.
const RETRY: Duration = Duration::from_secs(5);

/// The numbers of all points of a key.
#[derive(Debug, Default)]
pub(super) struct Totals {
    /// The series without its points; none before the first answer.
    series: Option<Series>,
    /// The numbers that are known.
    parts: Parts,
    /// They are to be asked for again, and hold until then.
    is_outdated: bool,
    /// The numbers that alerts need, once that was looked up.
    needed: Option<Parts>,
    /// The least and the greatest value that was told since the numbers were asked for.
    told: Option<[f64; 2]>,
}

impl Totals {
    /// The series with the numbers, if they are known.
    pub(super) fn series(&self) -> Option<&Series> {
        self.series.as_ref()
    }

    /// Takes a told point; one of this time may be known, with another value.
    pub(super) fn tell(&mut self, point: Point, present: i64, is_known: bool) {
        let [min, max] = self.told.unwrap_or([point.value; 2]);
        self.told = Some([min.min(point.value), max.max(point.value)]);
        match &mut self.series {
            Some(series) if is_known => series.correct(point),
            Some(series) => drop(series.tell(point, Bounds::of_all(present))),
            None => {}
        }
    }

    fn lacks(&self) -> bool {
        let known = if self.is_outdated { Parts::default() } else { self.parts };
        !known.contains(self.needed.unwrap_or_default())
    }
}

/// The queries under way.
#[derive(Debug, Default)]
pub(super) struct TotalsAsked {
    batch: Option<Batch>,
    number: u64,
    /// Alerts at the last look: each more changes what is needed.
    alerts: usize,
    retry_at: Duration,
    /// When all are to be asked for again, once some were.
    again_at: Option<Duration>,
}

/// Queries that are made together; their answers are taken together.
#[derive(Debug)]
struct Batch {
    keys: Vec<String>,
    parts: Parts,
    /// Counts and means are of the points up to this time.
    until: Option<i64>,
    /// Queries without an answer.
    left: usize,
    has_failed: bool,
    answers: HashMap<(Aggregate, String), f64>,
}

impl Watch {
    /// The numbers of the keys that match these are to be asked for again, and so are those under
    /// way: points were put or taken back unnoticed.
    pub fn renew_totals(&mut self, patterns: &[Glob]) {
        self.totals.batch = None;
        for watched in &mut self.keys {
            let is_meant = patterns.iter().any(|pattern| pattern.matches(&watched.key));
            watched.totals.is_outdated |= is_meant;
        }
    }

    /// The queries for what alerts lack, once the newest points of their keys are known.
    pub fn ask_totals(&mut self, alerts: &Alerts, now: Moment) -> Vec<Query> {
        let is_under_way = self.totals.batch.is_some() || now.elapsed < self.totals.retry_at;
        if !self.asks || is_under_way || !alerts.alerts().any(Alert::is_of_all) {
            return Vec::new();
        }
        if self.totals.again_at.is_some_and(|at| at <= now.elapsed) {
            self.totals.again_at = None;
            self.keys.iter_mut().for_each(|watched| watched.totals.is_outdated = true);
        }
        let count = alerts.alerts().len();
        let is_other = std::mem::replace(&mut self.totals.alerts, count) != count;
        let mut batch = Batch {
            keys: Vec::new(),
            parts: Parts::default(),
            until: None,
            left: 0,
            has_failed: false,
            answers: HashMap::new(),
        };
        let mut globs: Vec<Glob> = Vec::new();
        for watched in self.keys.iter_mut().filter(|watched| watched.series.is_some()) {
            let known = watched.totals.needed.filter(|_| !is_other);
            let needed = known.unwrap_or_else(|| alerts.needs_of(&watched.key));
            watched.totals.needed = Some(needed);
            if watched.totals.lacks()
                && !self.absent.has(&watched.key)
                && let Ok(glob) = watched.key.parse()
            {
                watched.totals.told = None;
                batch.parts = batch.parts | needed;
                batch.keys.push(watched.key.clone());
                globs.push(glob);
            }
        }
        if batch.keys.is_empty() {
            return Vec::new();
        }
        let series = self.keys.iter().filter_map(|watched| watched.series.as_ref());
        batch.until = newest(series, now.unix()).map(|newest| newest.saturating_sub(LATE));
        self.totals.number += 1;
        let again = Duration::from_secs(Window::All.refresh());
        self.totals.again_at.get_or_insert(now.elapsed + again);
        let patterns = merged(&globs);
        let mut queries = Vec::new();
        for of in batch.parts.numbers() {
            let is_extreme = matches!(of, Aggregate::Min | Aggregate::Max);
            let until = batch.until.filter(|_| !is_extreme);
            let until = until.map(|until| until.to_string()).unwrap_or_default();
            let tag = QueryTag::Alerted(AlertedQuery { batch: self.totals.number, of });
            queries.extend(patterns.iter().map(|pattern| Query {
                selector: format!("{pattern}[:{until}:all:{of}]"),
                tag,
                priority: Priority::Soon,
            }));
        }
        batch.left = queries.len();
        self.totals.batch = Some(batch);
        queries
    }

    /// When numbers for alerts are to be asked for.
    pub fn next_totals(&self, now: Duration) -> Option<Duration> {
        let TotalsAsked { batch, retry_at, again_at, .. } = &self.totals;
        let is_idle = self.asks && batch.is_none();
        let times = [Some(*retry_at), *again_at].into_iter().flatten().filter(|&at| at > now);
        times.min().filter(|_| is_idle)
    }

    /// The answer to this query is still of use.
    pub fn awaits_totals(&self, query: AlertedQuery) -> bool {
        self.totals.batch.is_some() && self.totals.number == query.batch
    }

    /// Takes the answer to a query, `None` if it was refused or lost; says whether numbers are known
    /// that were not.
    pub fn on_totals(
        &mut self,
        query: AlertedQuery,
        points: Option<&PointLists>,
        now: Duration,
    ) -> bool {
        let is_current = self.totals.number == query.batch;
        let Some(batch) = self.totals.batch.as_mut().filter(|_| is_current) else { return false };
        batch.left = batch.left.saturating_sub(1);
        batch.has_failed |= points.is_none();
        for (key, points) in points.into_iter().flat_map(PointLists::iter) {
            if let Some(number) = points.first() {
                batch.answers.insert((query.of, key.to_owned()), number.value);
            }
        }
        let Some(batch) = self.totals.batch.take_if(|batch| batch.left == 0) else { return false };
        if batch.has_failed {
            self.totals.retry_at = now + RETRY;
            return false;
        }
        for key in &batch.keys {
            let place = self.places.get(key.as_str()).copied();
            let Some(watched) = place.and_then(|place| self.keys.get_mut(place)) else { continue };
            let Some(known) = &watched.series else { continue };
            let totals = &mut watched.totals;
            if totals.series.is_some() && self.away.has(key.as_str()) {
                continue;
            }
            let is_newer =
                |point: &&Point| batch.until.is_some_and(|until| until < point.timestamp);
            let newer = known.recent().iter().filter(is_newer).map(|point| point.value);
            let newer: Vec<f64> = newer.collect();
            let told = totals.told.map(Vec::from).unwrap_or_default();
            let Ok(key) = Key::new(key) else { continue };
            let mut series = Series::new(key.to_owned(), known.last, 0);
            // The count comes before the mean.
            for of in [Aggregate::Min, Aggregate::Max, Aggregate::Count, Aggregate::Avg] {
                if batch.parts.contains(Parts::number(of)) {
                    let is_extreme = matches!(of, Aggregate::Min | Aggregate::Max);
                    let answer = batch.answers.get(&(of, key.as_str().to_owned())).copied();
                    series.set(of, answer, if is_extreme { &told } else { &newer });
                }
            }
            (totals.series, totals.parts) = (Some(series), batch.parts);
            totals.is_outdated = false;
        }
        true
    }
}
