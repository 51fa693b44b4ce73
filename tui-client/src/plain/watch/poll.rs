//! Polls of a server without selectors: all points of the watched keys, again and again.

use std::collections::HashMap;
use std::io::Write;

use shared::response::decode_points;
use shared::{Client, Glob, Key, KeyBuf, Point, Selector};
use tokio::time::{Instant, sleep_until};

use super::Watcher;
use crate::cli::Plan;
use crate::clock::unix_now;
use crate::metrics::series::summary::Summarizer;
use crate::metrics::series::{Series, is_news, present_until};
use crate::metrics::watch_plan::{Ask, Extension, plan as requests};
use crate::plain::connection::{Reconnector, take_reply};
use crate::plain::{Failure, malformed_lines, warn};
use crate::text::escape::named;

/// Points of a series in one answer that alerts evaluate, the newest.
const MAX_EVALUATED: usize = 1024;

/// The selectors that bring all keys of these patterns, as few as possible.
pub(in crate::plain) fn selectors(patterns: &[Glob]) -> Vec<String> {
    match requests(patterns, Extension::Missing, false, false) {
        Ask::For(selectors) => selectors,
        Ask::WithTable => vec!["*".to_owned()],
    }
}

/// A selector that is polled, and how far each of its keys is printed.
#[derive(Default)]
pub(super) struct Feed {
    selector: String,
    keys: HashMap<KeyBuf, Printed>,
    /// Answers so far.
    answers: u64,
    /// The first answer has come: from now on every point is new.
    begun: bool,
    /// The last warning, which is not repeated.
    warning: Option<String>,
    /// The series that alerts concern, as of the last answer.
    series: Vec<Series>,
}

/// How far a key is printed. The points of an answer may come in any order.
#[derive(Debug, Clone, Copy)]
struct Printed {
    newest: Point,
    /// The newest point before this answer, by its number.
    before: Option<Point>,
    answer: u64,
}

impl Feed {
    /// The series that alerts concern, as of the last answer.
    pub(super) fn series(&self) -> &[Series] {
        &self.series
    }

    /// How far each key is printed.
    pub(super) fn last(&self) -> impl Iterator<Item = (&KeyBuf, Point)> {
        self.keys.iter().map(|(key, printed)| (key, printed.newest)).filter(|_| self.begun)
    }

    fn covers(&self, key: &str) -> bool {
        self.selector == "*" || self.selector == key
    }

    fn warn_once(&mut self, warning: Option<String>) {
        if let Some(text) = warning.as_ref().filter(|_| self.warning != warning) {
            warn(&format!("{}: {text}", self.selector));
        }
        self.warning = warning;
    }
}

/// An answer that is arriving.
struct ArrivingAnswer {
    /// The series that alerts concern.
    summarizer: Summarizer,
    /// Later points are too far ahead to be the present.
    present: i64,
    /// Keys that were not known, in the order of the reply.
    first: Vec<KeyBuf>,
    /// Lines that are no points.
    malformed: u64,
    /// The key of the last line, because the lines of a key come together; whether it is watched,
    /// and whether an alert concerns it.
    current: Option<(KeyBuf, bool, bool)>,
}

impl<W: Write> Watcher<'_, W> {
    /// Polls until the connection ends.
    pub(super) async fn poll(
        &mut self,
        plan: &Plan,
        connection: &Client,
        reconnector: &mut Reconnector,
    ) -> Result<(), Failure> {
        if self.feeds.is_empty() {
            let feed = |selector| Feed { selector, ..Feed::default() };
            self.feeds = selectors(self.patterns).into_iter().map(feed).collect();
        }
        for feed in &mut self.feeds {
            // As far as a follow has printed and evaluated.
            let is_alerted = |key: &str| feed.covers(key) && self.alerts.concerns(key);
            let now = unix_now();
            let series = self.known.all_series(is_alerted, now);
            if !series.is_empty() {
                feed.series = series;
            }
            let last: Vec<_> = self.known.take_last(|key| feed.covers(key), now).collect();
            feed.begun |= !last.is_empty();
            let printed = |newest| Printed { newest, before: None, answer: feed.answers };
            feed.keys.extend(last.into_iter().map(|(key, last)| (key, printed(last))));
        }
        loop {
            let begun = Instant::now();
            self.poll_once(connection, reconnector).await?;
            // A server that takes long has as long a rest.
            let next = (begun + plan.interval).max(Instant::now() + begun.elapsed());
            self.meanwhile(sleep_until(next)).await;
        }
    }

    /// Evaluates the series of an answer.
    pub(super) fn evaluate_answered(&mut self, series: &[Series], asked: impl Fn(&str) -> bool) {
        let answered = std::mem::take(&mut self.answered);
        let is_answered = |selector: &str| answered.contains(selector);
        let complete = |pattern: &Glob| is_answered("*") || is_answered(pattern.as_str());
        self.evaluate(series, asked, complete);
        self.answered = answered;
    }

    /// Asks for everything once.
    async fn poll_once(
        &mut self,
        connection: &Client,
        reconnector: &mut Reconnector,
    ) -> Result<(), Failure> {
        let mut feeds = std::mem::take(&mut self.feeds);
        let mut outcome = Ok(());
        for feed in &mut feeds {
            outcome = self.ask(connection, feed).await;
            if outcome.is_err() {
                break;
            }
            reconnector.answered(warn);
        }
        self.feeds = feeds;
        outcome?;
        Ok(self.out.flush()?)
    }

    async fn ask(&mut self, connection: &Client, feed: &mut Feed) -> Result<(), Failure> {
        if !feed.begun && self.from.is_none() {
            // The points of a first answer that broke off are not printed yet.
            feed.keys.clear();
        }
        feed.answers += 1;
        let selector = feed.selector.clone();
        let Ok(selector) = Selector::from_bytes(selector.as_bytes()) else { return Ok(()) };
        let reply = connection.get(selector).await?;
        let now = unix_now();
        let summarizer = Summarizer::new(MAX_EVALUATED).at(now);
        let present = present_until(now);
        let mut answer =
            ArrivingAnswer { summarizer, present, first: Vec::new(), malformed: 0, current: None };
        let refused = take_reply(reply, |data| {
            for point in decode_points(data) {
                match point {
                    Ok((key, point)) => self.take(key, point, feed, &mut answer)?,
                    Err(_) => answer.malformed += 1,
                }
            }
            Ok(())
        });
        if let Some(reason) = refused.await? {
            // A server that can't serve now may do so later.
            feed.warn_once(Some(reason));
            return Ok(());
        }
        feed.warn_once((answer.malformed > 0).then(|| malformed_lines(answer.malformed)));
        if !std::mem::replace(&mut feed.begun, true) {
            let missing = |pattern: &&Glob| {
                let mut keys = answer.first.iter();
                feed.covers(pattern.as_str()) && !keys.any(|key| pattern.matches(key.as_str()))
            };
            for pattern in self.patterns.iter().filter(missing) {
                warn(&format!("no points for {} yet", named(pattern.as_str())));
            }
            for key in answer.first.iter().filter(|_| self.from.is_none()) {
                if let Some(printed) = feed.keys.get(key.as_str()) {
                    self.out.point(key.as_key(), printed.newest)?;
                }
            }
        }
        feed.series = answer.summarizer.finish().series;
        self.answered.insert(feed.selector.clone());
        self.evaluate_answered(&feed.series, |key| feed.covers(key));
        Ok(())
    }

    /// Takes a point; prints it if it is watched and new.
    fn take(
        &mut self,
        key: Key<'_>,
        point: Point,
        feed: &mut Feed,
        answer: &mut ArrivingAnswer,
    ) -> Result<(), Failure> {
        let current = answer.current.take().filter(|(current, ..)| current.as_key() == key);
        let (_, is_watched, is_alerted) = *answer.current.insert(current.unwrap_or_else(|| {
            let name = key.as_str();
            let is_known = feed.keys.contains_key(name);
            let is_watched = is_known || self.is_watched(name);
            if is_watched && !is_known {
                answer.first.push(key.to_owned());
            }
            (key.to_owned(), is_watched, self.alerts.concerns(name))
        }));
        if is_alerted {
            answer.summarizer.add(key, point);
        }
        if !is_watched {
            return Ok(());
        }
        let known = feed.keys.get_mut(key.as_str());
        let (newest, before) = match &known {
            Some(known) if known.answer == feed.answers => (Some(known.newest), known.before),
            Some(known) => (Some(known.newest), Some(known.newest)),
            None => (None, None),
        };
        let is_ahead = |point: Point| point.timestamp > answer.present;
        // A point too far ahead is none of the present, which one hides that is not.
        let replaces = |known: Point| is_ahead(known) && !is_ahead(point);
        if newest.is_some_and(|newest| is_ahead(point) && !is_ahead(newest)) {
            return Ok(());
        }
        let first_time = if feed.begun { None } else { self.from };
        let prints = feed.begun || first_time.is_some_and(|from| point.timestamp >= from);
        let is_known = before.is_some_and(|before| !replaces(before) && !is_news(point, before));
        if (feed.begun || first_time.is_some()) && is_known {
            return Ok(());
        }
        let is_newest = |newest: Point| replaces(newest) || point.timestamp >= newest.timestamp;
        let newest = newest.filter(|&newest| !is_newest(newest)).unwrap_or(point);
        let printed = Printed { newest, before, answer: feed.answers };
        match known {
            Some(known) => *known = printed,
            None => drop(feed.keys.insert(key.to_owned(), printed)),
        }
        if prints { self.out.point(key, point) } else { Ok(()) }
    }
}
