//! What alerts are judged by at a place in time: the numbers that they compare, of all keys that they are
//! on. The rows of the table have theirs only where they are in sight, and of a window.

use std::collections::HashMap;

use shared::selector::Aggregate;
use shared::{Glob, Key};

use crate::metrics::alerts::{Alert, Alerts};
use crate::metrics::needs::Needs;
use crate::metrics::reply::PointLists;
use crate::metrics::series::Series;
use crate::metrics::series::summary::Answer;
use crate::metrics::watch_plan::merged;
use crate::request::pending::{JudgedQuery, Priority, Query, QueryTag};

/// The numbers that alerts compare at a place in time.
#[derive(Debug, Default)]
pub struct Judged {
    /// The Unix time that they are of, and the alerts that they are for; none before they are asked for.
    of: Option<(i64, Vec<String>)>,
    /// They are to be asked for anew, and hold until then.
    is_outdated: bool,
    /// The number of the queries that were made last.
    number: u64,
    /// Queries without an answer.
    left: usize,
    has_failed: bool,
    answers: Vec<(Option<Aggregate>, PointLists)>,
    /// The keys with their numbers.
    series: HashMap<String, Series>,
}

impl Judged {
    /// Nothing is known, and answers to queries before are of no use.
    pub fn after(before: &Self) -> Self {
        Self { number: before.number, ..Self::default() }
    }

    /// The numbers are to be asked for anew, and hold until then.
    pub fn renew(&mut self) {
        self.is_outdated = true;
    }

    /// The queries for what alerts compare at a Unix time, besides the newest point of a key, unless
    /// that is known or asked for.
    pub fn ask(&mut self, alerts: &Alerts, at: i64) -> Vec<Query> {
        let texts = || alerts.alerts().map(Alert::as_str);
        let is_known = self.of.as_ref().filter(|_| !self.is_outdated);
        if is_known.is_some_and(|(of, known)| *of == at && known.iter().eq(texts())) {
            return Vec::new();
        }
        if self.of.as_ref().is_some_and(|&(of, _)| of != at) {
            self.series.clear();
        }
        *self = Self {
            of: Some((at, texts().map(str::to_owned).collect())),
            number: self.number + 1,
            series: std::mem::take(&mut self.series),
            ..Self::default()
        };
        let globs = |needs: &dyn Fn(Needs) -> bool| -> Vec<Glob> {
            let alerts = alerts.alerts().filter(|alert| needs(alert.needs()));
            alerts.map(|alert| alert.pattern().clone()).collect()
        };
        let number = self.number;
        let mut queries = Vec::new();
        let mut ask = |globs: Vec<Glob>, clause: &str, of| {
            let tag = QueryTag::Judged(JudgedQuery { batch: number, of });
            queries.extend(merged(&globs).into_iter().map(|pattern| Query {
                selector: format!("{pattern}{clause}"),
                tag,
                priority: Priority::Soon,
            }));
        };
        let needs: Needs = alerts.alerts().map(Alert::needs).collect();
        let is_recent = |needs: Needs| needs.is_recent() && needs != Needs::LAST;
        ask(globs(&is_recent), &needs.last_at(at), None);
        for of in needs.aggregates() {
            let has = |needs: Needs| needs.aggregates().any(|needed| needed == of);
            ask(globs(&has), &format!("[:{at}:all:{of}]"), Some(of));
        }
        self.left = queries.len();
        queries
    }

    /// The answer to this query is still of use.
    pub fn awaits(&self, query: JudgedQuery) -> bool {
        self.left > 0 && self.number == query.batch
    }

    /// Takes the answer to a query, none if it was refused or lost. `answer` has the newest point of
    /// each key.
    pub fn take(&mut self, query: JudgedQuery, points: Option<PointLists>, answer: &Answer) {
        if !self.awaits(query) {
            return;
        }
        self.left -= 1;
        match points {
            Some(points) => self.answers.push((query.of, points)),
            None => self.has_failed = true,
        }
        if self.left > 0 {
            return;
        }
        self.series.clear();
        for (of, lists) in std::mem::take(&mut self.answers) {
            for (key, points) in lists.iter() {
                let place = Key::new(key).ok().and_then(|key| answer.find(key));
                let Some(row) = place.and_then(|place| answer.series.get(place)) else { continue };
                let new = || Series::new(row.key.clone(), row.last, 0);
                let series = self.series.entry(key.to_owned()).or_insert_with(new);
                match of {
                    Some(of) => series.set(of, points.first().map(|point| point.value), &[]),
                    None => series.set_before(points),
                }
            }
        }
    }

    /// Numbers are under way, and none are known.
    pub fn is_under_way(&self) -> bool {
        self.left > 0 && self.series.is_empty()
    }

    /// The series with the number that an alert compares, of a key with this row; none where that is not
    /// known.
    pub fn series_of<'a>(&'a self, alert: &Alert, row: &'a Series, now: i64) -> Option<&'a Series> {
        if alert.needs() == Needs::LAST {
            return Some(row);
        }
        let known = self.series.get(row.key.as_str());
        if alert.is_of_all() {
            return known.filter(|series| alert.has_data(series, now));
        }
        // Of a single point there is no change, and none that could fire.
        if self.has_failed { known } else { known.or(Some(row)) }
    }
}
