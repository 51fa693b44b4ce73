//! The saved session that is shown: when it was saved, and what it knows.

use std::sync::Arc;

use jiff::tz::TimeZone;
use shared::selector::{Clause, Time};
use shared::{Glob, Selector};

use crate::metrics::series::Series;
use crate::metrics::series::summary::Answer;
use crate::session::coverage::Coverage;
use crate::session::{Recording, Session};
use crate::text::{number, time};

/// A saved session that is shown.
#[derive(Debug)]
pub struct Replayed {
    session: Arc<Session>,
    /// How many of its keys have the newest points only.
    partial: u64,
}

impl Replayed {
    /// What is to be known of a session.
    pub fn of(session: Arc<Session>) -> Self {
        let partial = session.recording.partial() as u64;
        Self { session, partial }
    }

    fn coverage(&self) -> Option<&Coverage> {
        self.session.recording.coverage()
    }

    /// The points that it has.
    pub fn recording(&self) -> &Recording {
        &self.session.recording
    }

    /// The keys of which it does not say how they stood at a Unix second.
    pub fn unknown_at(&self, at: i64) -> impl Iterator<Item = String> {
        let of = self.coverage().into_iter().flat_map(move |coverage| {
            let keys = self.recording().iter().map(|(key, _)| key.as_str());
            keys.filter(move |key| coverage.known_at(key, at) == 0)
        });
        of.map(str::to_owned)
    }

    /// How many keys have the newest points only.
    pub fn newest_only(&self) -> u64 {
        self.partial
    }

    /// Of those keys it has all points around a place in time.
    pub fn is_around_place(&self) -> bool {
        let has =
            |place: i64| self.coverage().is_some_and(|it| it.from <= place && place <= it.until);
        self.session.view.place.is_some_and(has)
    }

    /// The Unix second at which it was saved.
    pub fn saved_at(&self) -> i64 {
        self.session.view.saved_at
    }

    /// The Unix second at which it begins, if it says nothing of this one.
    pub fn begins_after(&self, at: i64) -> Option<i64> {
        let coverage = self.coverage()?;
        coverage.begins_after(at).then_some(coverage.from)
    }

    /// The Unix second from which on there are points of a span before another one, where that begins later.
    pub fn begins_within(&self, seconds: i64, at: i64) -> Option<i64> {
        let from = self.coverage()?.from;
        (at.saturating_sub(seconds) < from && from < at).then_some(from)
    }

    /// Only the newest points of a key are known at a Unix second.
    pub fn lacks_numbers(&self, key: &str, at: i64) -> bool {
        self.partial(at) > 0 && self.coverage().is_some_and(|it| !it.is_whole(key))
    }

    /// The number of keys of which only the newest points are known at a Unix second.
    pub fn partial(&self, at: i64) -> u64 {
        let is_partial = |it: &&Coverage| !(it.from <= at && at <= it.until);
        self.coverage().filter(is_partial).map_or(0, |_| self.partial)
    }
}

/// What an answer may lack because it was not saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsaved {
    /// The Unix second from which on points were saved, where earlier ones are asked for.
    from: Option<i64>,
    /// The keys of which only the newest points were saved.
    newest_only: u64,
}

impl Unsaved {
    /// What was saved, in words.
    pub fn said(self, now: i64, zone: &TimeZone) -> String {
        let of = number::plural(self.newest_only, "key", "keys");
        let from = self.from.map(|from| time::short_moment(from, now, zone));
        match (from, self.newest_only) {
            (None, 0) => "this has only what was saved".to_owned(),
            (None, _) => format!("of {of} only the newest points were saved"),
            (Some(from), 0) => format!("saved were the points from {from} on"),
            (Some(from), _) => {
                format!("saved were the points from {from} on, of {of} only the newest")
            }
        }
    }
}

impl Replayed {
    /// What the answer to a selector may lack; none where it has all. `keys` are those of the session.
    pub fn unsaved<'a>(
        &self,
        selector: Selector<'_>,
        answer: &Answer,
        keys: impl Iterator<Item = &'a str>,
    ) -> Option<Unsaved> {
        let unix = |time| match time {
            Time::At(at) => at,
            Time::Ago(ago) => self.saved_at().saturating_sub(ago.seconds()),
        };
        let (from, to) = match selector.clause() {
            None => (None, None),
            Some(Clause::Range { from, to, .. }) => (from.map(unix), to.map(unix)),
            Some(Clause::Last { count, to }) => {
                let mut counts = answer.series.iter().map(Series::count);
                let is_whole = counts.all(|known| known.is_some_and(|known| known >= count.get()));
                if is_whole && !answer.series.is_empty() {
                    return None;
                }
                (None, to.map(unix))
            }
            Some(Clause::Follow { .. }) => return None,
        };
        let Some(coverage) = self.coverage() else {
            return Some(Unsaved { from: None, newest_only: 0 });
        };
        let pattern = Glob::from(selector.pattern());
        let is_partial = |key: &&str| pattern.matches(key) && !coverage.is_whole(key);
        let is_covered = to.unwrap_or(self.saved_at()) <= coverage.until;
        let newest_only = if is_covered { 0 } else { keys.filter(is_partial).count() as u64 };
        let is_early = from.is_none_or(|from| from < coverage.from);
        // Where nothing but the newest points was saved, that begins with the session itself.
        let is_newest_only = newest_only > 0 && coverage.from >= self.saved_at();
        let from = Some(coverage.from).filter(|_| is_early && !is_newest_only);
        (from.is_some() || newest_only > 0).then_some(Unsaved { from, newest_only })
    }
}
