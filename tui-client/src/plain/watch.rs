//! New points of the watched keys, a data line each, across restarts of the server.

use std::collections::HashMap;
use std::io::{self, Write, stdout};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use shared::client::ClientError;
use shared::response::decode_points;
use shared::{Client, Key, KeyBuf, Point, Selector};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

use super::format::Printer;
use super::{Connection, Failure, connect, reconnect, take_reply, tell, unix_now};
use crate::app::fold::Fold;
use crate::app::glob::Glob;
use crate::app::sentinel::Sentinel;
use crate::app::watch::{Ask, Extension, plan as requests};
use crate::cli::Plan;

/// Runs until standard output is closed. The first connection must succeed, so that a wrong
/// `--port` shows at once; later ones are tried again until they do. When an alert has fired, that
/// is told at the end.
pub(super) async fn run(
    plan: &Plan,
    keys: &[Glob],
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    let connection = connect(plan, out).await?;
    let mut sentinel = Sentinel::new(&plan.alerts);
    let outcome = tokio::select! {
        outcome = follow(plan, keys, connection, &mut sentinel, out) => outcome,
        () = output_closed() => Ok(()),
        // Without alerts there is nothing to say at the end, and the signal does its work.
        Ok(()) = told_to_end(), if !plan.alerts.is_empty() => Ok(()),
    };
    match outcome {
        Ok(()) | Err(Failure::Local(_)) if sentinel.fired() => Err(Failure::Alerted),
        outcome => outcome,
    }
}

/// Comes with Ctrl-C or SIGTERM.
async fn told_to_end() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
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
    sentinel: &mut Sentinel,
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    let mut watched = Watched::all(keys);
    loop {
        let outcome = poll(plan, &connection.0, &mut watched, sentinel, out).await?;
        let Failure::Connection(reason) = outcome else {
            return Ok(());
        };
        tell(&format!("{reason}; trying again until it works"));
        connection = reconnect(plan).await;
        tell("connected again");
    }
}

/// Polls until the connection fails, which is given, or something else does.
async fn poll(
    plan: &Plan,
    client: &Client,
    watched: &mut [Watched<'_>],
    sentinel: &mut Sentinel,
    out: &mut Printer<impl Write>,
) -> Result<Failure, Failure> {
    let mut ticks = interval(plan.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        for key in &mut *watched {
            match key.ask(client, plan.timeout, sentinel, out).await {
                Ok(()) => {}
                Err(failure @ Failure::Connection(_)) => return Ok(failure),
                Err(failure) => return Err(failure),
            }
        }
        out.flush()?;
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
        };
        selectors(patterns).into_iter().map(new).collect()
    }

    async fn ask(
        &mut self,
        client: &Client,
        limit: Duration,
        sentinel: &mut Sentinel,
        out: &mut Printer<impl Write>,
    ) -> Result<(), Failure> {
        let Ok(selector) = Selector::from_bytes(self.selector.as_bytes()) else {
            return Ok(());
        };
        let reply = client.get(selector).await?;
        let mut fold = Fold::new(2);
        // Keys in the order of the reply.
        let mut first: Vec<KeyBuf> = Vec::new();
        let refused = take_reply(reply, limit, |data| {
            if !sentinel.is_empty() {
                fold.add_lines(data);
            }
            for point in decode_points(data) {
                let (key, point) = point.map_err(ClientError::from)?;
                if !self.last.contains_key(key.as_str()) {
                    if !self.patterns.iter().any(|pattern| pattern.matches(key.as_str())) {
                        continue;
                    }
                    first.push(key.to_owned());
                }
                if self.begun {
                    if !self.is_news(key, point) {
                        continue;
                    }
                    out.point(key, point)?;
                }
                match self.last.get_mut(key.as_str()) {
                    Some(last) => *last = point,
                    None => drop(self.last.insert(key.to_owned(), point)),
                }
            }
            Ok(())
        });
        if let Some(reason) = refused.await? {
            // A server that can't serve now may do so later; it is said once.
            if self.complaint.as_ref() != Some(&reason) {
                tell(&format!("{}: {reason}", self.selector));
                self.complaint = Some(reason);
            }
            return Ok(());
        }
        self.complaint = None;
        if !std::mem::replace(&mut self.begun, true) {
            for pattern in self.patterns {
                let asked = self.selector == "*" || self.selector == pattern.as_str();
                if asked && !first.iter().any(|key| pattern.matches(key.as_str())) {
                    tell(&format!("no points for {pattern} yet"));
                }
            }
            for key in &first {
                if let Some(last) = self.last.get(key.as_str()) {
                    out.point(key.as_key(), *last)?;
                }
            }
        }
        let asked = |key: &str| self.selector == "*" || self.selector == key;
        for news in sentinel.judge(&fold.finish().series, asked, unix_now()) {
            tell(&news.text);
        }
        Ok(())
    }

    fn is_news(&self, key: Key<'_>, point: Point) -> bool {
        self.last.get(key.as_str()).is_none_or(|last| {
            point.timestamp > last.timestamp
                || (point.timestamp == last.timestamp
                    && point.value.to_bits() != last.value.to_bits())
        })
    }
}
