//! New points of the watched keys, a data line each, across restarts of the server.

use std::collections::{HashMap, HashSet};
use std::io::{Write, stdout};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use shared::response::decode_points;
use shared::{Key, KeyBuf, Point, Selector};
use tokio::signal::unix::SignalKind;
use tokio::time::{Instant, interval, sleep_until};

use super::connection::{Comeback, Connection};
use super::format::Printer;
use super::signals::Ending;
use super::{ALERTED, Failure, REFUSED, malformed_lines, unix_now, verdict, warn};
use crate::cli::Plan;
use crate::metrics::alerts::Alerts;
use crate::metrics::glob::Glob;
use crate::metrics::summary::{Series, Summarizer, is_news};
use crate::metrics::watch_plan::{Ask, Extension, plan as requests};

/// Of more new points in one answer, alerts judge the newest.
const POINTS_JUDGED: usize = 1024;

/// Runs until standard output is closed. The first connection must succeed, so that a wrong
/// `--port` shows at once; later ones are tried again until they do. When an alert has fired, that
/// is told at the end.
pub(super) async fn run(
    plan: &Plan,
    keys: &[Glob],
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    let connection = Connection::make(plan).await?;
    out.begin()?;
    let (alerts, answered) = (Alerts::new(&plan.alerts), HashSet::new());
    let mut guard = Guard { alerts, ending: Ending::never(), answered };
    if !plan.alerts.is_empty() {
        // Without alerts there is nothing to say at the end, and a signal does its work.
        let signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        guard.ending = Ending::listen_with_code(signals)?;
    }
    let told = guard.ending.told();
    let outcome = tokio::select! {
        outcome = follow(plan, keys, connection, &mut guard, out) => outcome,
        () = output_closed() => Ok(()),
        _ = told => Ok(()),
    };
    match outcome {
        Ok(()) => verdict(&guard.alerts),
        Err(Failure::Local(_)) if guard.alerts.fired() => Err(Failure::Alerted),
        outcome => outcome,
    }
}

/// The alerts, and the exit code that they make.
struct Guard {
    alerts: Alerts,
    ending: Ending,
    /// The selectors that have been answered.
    answered: HashSet<String>,
}

impl Guard {
    /// Tells what is new; `asked` tells the keys that would be in the answer if they had points.
    fn judge(&mut self, series: &[Series], asked: impl Fn(&str) -> bool) {
        let answered = |selector: &str| self.answered.contains(selector);
        let complete = |pattern: &Glob| answered("*") || answered(pattern.as_str());
        for news in self.alerts.evaluate(series, asked, complete, unix_now()) {
            warn(&news.text);
        }
        let unjudged = self.alerts.unjudged().next().is_some();
        self.ending.set_code(match (self.alerts.fired(), unjudged) {
            (true, _) => ALERTED,
            (false, true) => REFUSED,
            (false, false) => 0,
        });
    }
}

/// Comes when nobody reads standard output any longer, which matters where there is nothing to
/// write for a long time.
async fn output_closed() {
    let closed = tokio::task::spawn_blocking(|| {
        let output = stdout();
        // No events are asked for: an error or the end is told in any case.
        let mut output = [PollFd::new(&output, PollFlags::empty())];
        rustix::event::poll(&mut output, None)
    });
    if !matches!(closed.await, Ok(Ok(_))) {
        std::future::pending::<()>().await;
    }
}

async fn follow(
    plan: &Plan,
    keys: &[Glob],
    mut connection: Connection,
    guard: &mut Guard,
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    let mut watched = Watched::all(keys);
    let mut comeback = Comeback::default();
    comeback.begin();
    loop {
        let mut next = Instant::now();
        let reason = loop {
            meanwhile(&watched, guard, sleep_until(next)).await;
            let begun = Instant::now();
            let outcome = poll(&connection, &mut watched, guard, &mut comeback, out).await;
            // A server that takes long has as long a rest.
            next = (begun + plan.interval).max(Instant::now() + begun.elapsed());
            match outcome {
                Ok(()) => {}
                Err(Failure::Connection(reason)) => break reason,
                Err(failure) => return Err(failure),
            }
        };
        connection = meanwhile(&watched, guard, comeback.from(reason, plan, warn)).await;
    }
}

/// Waits for something. Meanwhile time passes, of which some alerts are.
async fn meanwhile<T>(
    watched: &[Watched<'_>],
    guard: &mut Guard,
    due: impl Future<Output = T>,
) -> T {
    let mut seconds = interval(Duration::from_secs(1));
    tokio::pin!(due);
    loop {
        tokio::select! {
            due = &mut due => return due,
            _ = seconds.tick(), if guard.alerts.counts_time() => {
                for watched in watched {
                    guard.judge(&watched.guarded, |_| false);
                }
            }
        }
    }
}

/// Asks for everything once.
async fn poll(
    connection: &Connection,
    watched: &mut [Watched<'_>],
    guard: &mut Guard,
    comeback: &mut Comeback,
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    for key in watched {
        key.ask(connection, guard, out).await?;
        comeback.answered(warn);
    }
    Ok(out.flush()?)
}

/// What an answer has brought so far.
struct Arriving {
    /// The series that alerts are about.
    fold: Summarizer,
    /// Keys that were not known, in the order of the reply.
    first: Vec<KeyBuf>,
    /// Lines that are no points.
    malformed: u64,
    /// The key of the last line, because the lines of a key come together.
    current: Option<KeyBuf>,
    is_watched: bool,
    is_guarded: bool,
}

impl Default for Arriving {
    fn default() -> Self {
        Self {
            fold: Summarizer::new(POINTS_JUDGED),
            first: Vec::new(),
            malformed: 0,
            current: None,
            is_watched: false,
            is_guarded: false,
        }
    }
}

impl Arriving {
    fn take(
        &mut self,
        key: Key<'_>,
        point: Point,
        watched: &mut Watched<'_>,
        alerts: &Alerts,
        out: &mut Printer<impl Write>,
    ) -> Result<(), Failure> {
        if self.current.as_ref().is_none_or(|current| current.as_key() != key) {
            let is_known = watched.last.contains_key(key.as_str());
            self.is_watched =
                is_known || watched.patterns.iter().any(|pattern| pattern.matches(key.as_str()));
            self.is_guarded = alerts.concerns(key.as_str());
            if self.is_watched && !is_known {
                self.first.push(key.to_owned());
            }
            self.current = Some(key.to_owned());
        }
        if self.is_guarded {
            self.fold.add(key, point);
        }
        if self.is_watched { watched.take(key, point, out) } else { Ok(()) }
    }
}

/// What is asked for with one request, and how far each of its keys is printed.
struct Watched<'a> {
    patterns: &'a [Glob],
    selector: String,
    last: HashMap<KeyBuf, Point>,
    /// The first answer is behind us: from now on every point is new.
    begun: bool,
    complaint: Option<String>,
    /// The series that alerts are about, as of the last answer.
    guarded: Vec<Series>,
}

/// The selectors that bring all keys of these patterns, as few as possible.
pub(super) fn selectors(patterns: &[Glob]) -> Vec<String> {
    match requests(patterns, Extension::Missing, false, false) {
        Ask::For(selectors) => selectors,
        Ask::WithTable => vec!["*".to_owned()],
    }
}

impl<'a> Watched<'a> {
    fn all(patterns: &'a [Glob]) -> Vec<Self> {
        let new = |selector| Self {
            patterns,
            selector,
            last: HashMap::new(),
            begun: false,
            complaint: None,
            guarded: Vec::new(),
        };
        selectors(patterns).into_iter().map(new).collect()
    }

    async fn ask(
        &mut self,
        connection: &Connection,
        guard: &mut Guard,
        out: &mut Printer<impl Write>,
    ) -> Result<(), Failure> {
        if !self.begun {
            // What came of a first answer that broke off is not printed yet.
            self.last.clear();
        }
        let Ok(selector) = Selector::from_bytes(self.selector.as_bytes()) else {
            return Ok(());
        };
        let reply = connection.client.get(selector).await?;
        let mut arriving = Arriving::default();
        let refused = connection.take_reply(reply, |data| {
            for point in decode_points(data) {
                let Ok((key, point)) = point else {
                    arriving.malformed += 1;
                    continue;
                };
                arriving.take(key, point, self, &guard.alerts, out)?;
            }
            Ok(())
        });
        if let Some(reason) = refused.await? {
            // A server that can't serve now may do so later; it is said once.
            if self.complaint.as_ref() != Some(&reason) {
                warn(&format!("{}: {reason}", self.selector));
                self.complaint = Some(reason);
            }
            return Ok(());
        }
        let Arriving { fold, first, malformed, .. } = arriving;
        let complaint = (malformed > 0).then(|| malformed_lines(malformed));
        if let Some(text) = complaint.as_ref().filter(|_| self.complaint != complaint) {
            warn(&format!("{}: {text}", self.selector));
        }
        self.complaint = complaint;
        if !std::mem::replace(&mut self.begun, true) {
            for pattern in self.patterns {
                let asked = self.selector == "*" || self.selector == pattern.as_str();
                if asked && !first.iter().any(|key| pattern.matches(key.as_str())) {
                    warn(&format!("no points for {pattern} yet"));
                }
            }
            for key in &first {
                if let Some(last) = self.last.get(key.as_str()) {
                    out.point(key.as_key(), *last)?;
                }
            }
        }
        let asked = |key: &str| self.selector == "*" || self.selector == key;
        self.guarded = fold.finish().series;
        guard.answered.insert(self.selector.clone());
        guard.judge(&self.guarded, asked);
        Ok(())
    }

    /// Prints a point that is new.
    fn take(
        &mut self,
        key: Key<'_>,
        point: Point,
        out: &mut Printer<impl Write>,
    ) -> Result<(), Failure> {
        if self.begun {
            if self.last.get(key.as_str()).is_some_and(|&last| !is_news(point, last)) {
                return Ok(());
            }
            out.point(key, point)?;
        }
        match self.last.get_mut(key.as_str()) {
            Some(last) => *last = point,
            None => drop(self.last.insert(key.to_owned(), point)),
        }
        Ok(())
    }
}
