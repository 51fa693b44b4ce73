//! New points of the watched keys, a data line each, across restarts of the server; alerts on them
//! are reported as they change.

use std::collections::{HashMap, HashSet};
use std::future;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use shared::response::decode_points;
use shared::{Client, Glob, Key, KeyBuf, Point, Selector};
use tokio::time::{Instant, interval, sleep_until};

use super::connection::{Reconnector, connect, take_reply};
use super::printer::Printer;
use super::{ALERTED, Failure, REFUSED, malformed_lines, signals, verdict, warn};
use crate::cli::Plan;
use crate::clock::unix_now;
use crate::metrics::alerts::Alerts;
use crate::metrics::series::{Series, is_news};
use crate::metrics::summary::Summarizer;
use crate::metrics::watch_plan::{Ask, Extension, plan as requests};
use crate::system::os::signals::{UNCAUGHT_ENDS_WITH_CODE, output_closed};

/// Points of a series in one answer that alerts evaluate, the newest.
const MAX_EVALUATED: usize = 1024;

/// Runs until standard output is closed, or with alerts until a signal. The first connection must
/// succeed, so that a wrong `--port` shows at once; later ones are tried again until they do. The
/// outcome says whether an alert has fired.
pub(super) async fn run(
    plan: &Plan,
    patterns: &[Glob],
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    let connection = connect(plan).await?;
    out.begin()?;
    let exit_code = Arc::new(AtomicU8::new(0));
    // Without alerts there is nothing to report at the end, and signals end the program.
    let has_alerts = !plan.alerts.is_empty();
    let listening = has_alerts || !UNCAUGHT_ENDS_WITH_CODE;
    let own_code = has_alerts.then(|| Arc::clone(&exit_code));
    let signal = listening.then(|| signals::listen(own_code)).transpose()?;
    let (alerts, answered) = (Alerts::new(&plan.alerts), HashSet::new());
    let mut watcher = Watcher { patterns, alerts, exit_code, answered, out };
    let outcome = tokio::select! {
        outcome = watcher.run(plan, connection) => outcome,
        () = output_closed() => Ok(()),
        code = async { match signal {
            Some(signal) => signal.await,
            None => future::pending().await,
        }} => if has_alerts { Ok(()) } else { Err(Failure::Exit(code)) },
    };
    match outcome {
        Ok(()) => verdict(&watcher.alerts),
        Err(Failure::Local(_)) if watcher.alerts.fired() => Err(Failure::Exit(ALERTED)),
        outcome => outcome,
    }
}

/// The selectors that bring all keys of these patterns, as few as possible.
pub(super) fn selectors(patterns: &[Glob]) -> Vec<String> {
    match requests(patterns, Extension::Missing, false, false) {
        Ask::For(selectors) => selectors,
        Ask::WithTable => vec!["*".to_owned()],
    }
}

/// The state that all requests share.
struct Watcher<'a, W: Write> {
    patterns: &'a [Glob],
    alerts: Alerts,
    /// The exit code that the alerts make so far.
    exit_code: Arc<AtomicU8>,
    /// The selectors that have been answered.
    answered: HashSet<String>,
    out: &'a mut Printer<W>,
}

/// A selector that is polled, and how far each of its keys is printed.
#[derive(Default)]
struct Feed {
    selector: String,
    last: HashMap<KeyBuf, Point>,
    /// The first answer has come: from now on every point is new.
    begun: bool,
    /// The last warning, which is not repeated.
    warning: Option<String>,
    /// The series that alerts concern, as of the last answer.
    series: Vec<Series>,
}

impl Feed {
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
    /// Keys that were not known, in the order of the reply.
    first: Vec<KeyBuf>,
    /// Lines that are no points.
    malformed: u64,
    /// The key of the last line, because the lines of a key come together; whether it is watched,
    /// and whether an alert concerns it.
    current: Option<(KeyBuf, bool, bool)>,
}

impl<W: Write> Watcher<'_, W> {
    async fn run(&mut self, plan: &Plan, mut connection: Client) -> Result<(), Failure> {
        let feed = |selector| Feed { selector, ..Feed::default() };
        let mut feeds: Vec<Feed> = selectors(self.patterns).into_iter().map(feed).collect();
        let mut reconnector = Reconnector::new();
        reconnector.connected();
        loop {
            let begun = Instant::now();
            match self.poll(&connection, &mut feeds, &mut reconnector).await {
                Ok(()) => {
                    // A server that takes long has as long a rest.
                    let next = (begun + plan.interval).max(Instant::now() + begun.elapsed());
                    self.meanwhile(&feeds, sleep_until(next)).await;
                }
                Err(Failure::Connection(reason)) => {
                    let connecting = reconnector.reconnect(reason, plan, warn);
                    connection = self.meanwhile(&feeds, connecting).await;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Waits for something. Meanwhile alerts on ages are evaluated every second.
    async fn meanwhile<T>(&mut self, feeds: &[Feed], due: impl Future<Output = T>) -> T {
        let mut seconds = interval(Duration::from_secs(1));
        tokio::pin!(due);
        loop {
            tokio::select! {
                due = &mut due => return due,
                _ = seconds.tick(), if self.alerts.counts_time() => {
                    for feed in feeds {
                        self.evaluate(&feed.series, |_| false);
                    }
                }
            }
        }
    }

    /// Reports what is new; `asked` tells the keys that would be among the series if they had
    /// points.
    fn evaluate(&mut self, series: &[Series], asked: impl Fn(&str) -> bool) {
        let answered = |selector: &str| self.answered.contains(selector);
        let complete = |pattern: &Glob| answered("*") || answered(pattern.as_str());
        for event in self.alerts.evaluate(series, asked, complete, unix_now()) {
            warn(event.text());
        }
        let without_data = self.alerts.without_data().next().is_some();
        let code = match (self.alerts.fired(), without_data) {
            (true, _) => ALERTED,
            (false, true) => REFUSED,
            (false, false) => 0,
        };
        self.exit_code.store(code, Ordering::Relaxed);
    }

    /// Asks for everything once.
    async fn poll(
        &mut self,
        connection: &Client,
        feeds: &mut [Feed],
        reconnector: &mut Reconnector,
    ) -> Result<(), Failure> {
        for feed in feeds {
            self.ask(connection, feed).await?;
            reconnector.answered(warn);
        }
        Ok(self.out.flush()?)
    }

    async fn ask(&mut self, connection: &Client, feed: &mut Feed) -> Result<(), Failure> {
        if !feed.begun {
            // The points of a first answer that broke off are not printed yet.
            feed.last.clear();
        }
        let selector = feed.selector.clone();
        let Ok(selector) = Selector::from_bytes(selector.as_bytes()) else { return Ok(()) };
        let reply = connection.get(selector).await?;
        let summarizer = Summarizer::new(MAX_EVALUATED);
        let mut answer =
            ArrivingAnswer { summarizer, first: Vec::new(), malformed: 0, current: None };
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
                warn(&format!("no points for {pattern} yet"));
            }
            for key in &answer.first {
                if let Some(last) = feed.last.get(key.as_str()) {
                    self.out.point(key.as_key(), *last)?;
                }
            }
        }
        feed.series = answer.summarizer.finish().series;
        self.answered.insert(feed.selector.clone());
        self.evaluate(&feed.series, |key| feed.covers(key));
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
            let is_known = feed.last.contains_key(name);
            let is_watched = is_known || self.patterns.iter().any(|glob| glob.matches(name));
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
        let last = feed.last.get_mut(key.as_str());
        if feed.begun && last.as_ref().is_some_and(|last| !is_news(point, **last)) {
            return Ok(());
        }
        match last {
            Some(last) => *last = point,
            None => drop(feed.last.insert(key.to_owned(), point)),
        }
        if feed.begun { self.out.point(key, point) } else { Ok(()) }
    }
}
