//! The last point or the table row of each key, once.

use std::collections::HashMap;
use std::io::{ErrorKind, IsTerminal, Write, stderr};

use shared::response::decode_points;
use shared::{Client, Glob, KeyBuf, Selector};

use super::alert_command::AlertCommands;
use super::connection::{connect, has_points, take_reply};
use super::printer::Printer;
use super::watch::selectors;
use super::{Failure, NO_SELECTORS, REFUSED, verdict, warn};
use crate::cli::Plan;
use crate::clock::unix_now;
use crate::metrics::alerts::{Alert, Alerts};
use crate::metrics::column::Column;
use crate::metrics::needs::Needs;
use crate::metrics::series::Series;
use crate::metrics::series::summary::Summarizer;
use crate::metrics::sort::{Sort, TableSpec, arrange};
use crate::metrics::watch_plan::patterns_for;
use crate::metrics::window::Window;
use crate::text::escape::named;

/// Recent points of a series from which a trend is drawn, and known whether it is stale: as many
/// as for the table on the screen.
const MAX_RECENT: usize = 64;

/// Prints the last point of these keys, or of all when there are none, arranged as the command line
/// says. Alerts that fire are reported. A server with selectors is asked for no more points than
/// that takes.
pub(super) async fn run(
    plan: &Plan,
    keys: &[Glob],
    commands: &mut AlertCommands,
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    let connection = connect(plan).await?;
    out.begin()?;
    let mut selection = Selection {
        keys,
        found: vec![false; keys.len()],
        alerts: Alerts::once(&plan.alerts),
        commands,
        spec: &plan.table,
        answered: false,
        passed: false,
        held: Vec::new(),
        is_read: true,
        out,
    };
    let needs = plan.alerts.iter().map(Alert::needs).chain([plan.table.needs()]).collect();
    let outcome = match selection.ask_for_last(&connection, needs).await? {
        Some(outcome) => outcome,
        None => selection.ask_for_all(&connection, needs).await?,
    };
    selection.print_held()?;
    if outcome.is_ok() {
        let missing = keys.iter().zip(selection.found).filter(|&(_, found)| !found);
        missing
            .for_each(|(pattern, _)| warn(&format!("no points for {}", named(pattern.as_str()))));
        if !selection.passed {
            match plan.table.filter {
                Some(_) => warn("no key passes the filter"),
                None if keys.is_empty() => warn("no points"),
                None => {}
            }
        }
    }
    outcome.and_then(|()| verdict(&selection.alerts))?;
    // As grep: nothing was found.
    if selection.passed { Ok(()) } else { Err(Failure::Exit(REFUSED)) }
}

/// Numbers of each key in the window, in the order of [`Needs::aggregates`].
type Aggregates = HashMap<KeyBuf, Vec<Option<f64>>>;

/// What becomes of the series in the replies.
struct Selection<'a, W: Write> {
    keys: &'a [Glob],
    /// The keys that have points.
    found: Vec<bool>,
    alerts: Alerts,
    commands: &'a mut AlertCommands,
    spec: &'a TableSpec,
    /// Some reply had points.
    answered: bool,
    /// At least one series has passed the filter.
    passed: bool,
    /// Passed, and waiting for their order.
    held: Vec<Series>,
    /// The reader of the output has not enough of it yet.
    is_read: bool,
    out: &'a mut Printer<W>,
}

impl<W: Write> Selection<'_, W> {
    /// Asks a server that knows selectors; `None` when it may be one that does not.
    async fn ask_for_last(
        &mut self,
        connection: &Client,
        needs: Needs,
    ) -> Result<Option<Result<(), Failure>>, Failure> {
        let mut refusals = Vec::new();
        let patterns = patterns_for(self.keys);
        let range = format!("{}{}", self.spec.window.range(), self.spec.window.end());
        for pattern in &patterns {
            let mut of_all = Aggregates::new();
            for (at, aggregate) in needs.aggregates().enumerate() {
                let selector = format!("{pattern}[{range}:all:{aggregate}]");
                let out = &mut *self.out;
                let refused = ask(connection, &selector, |data| {
                    for point in decode_points(data) {
                        let Ok((key, point)) = point else {
                            out.add_malformed(1);
                            continue;
                        };
                        let numbers = of_all.entry(key.to_owned()).or_default();
                        numbers.resize(at, None);
                        numbers.push(Some(point.value));
                    }
                    Ok(())
                });
                refusals.extend(refused.await?);
            }
            let selector = format!("{pattern}{}", needs.last());
            refusals.extend(self.ask(connection, &selector, needs, &of_all).await?);
        }
        // No points of these keys say nothing, but no points at all.
        let is_known =
            self.answered || patterns != ["*"] && has_points(connection, "*[last]").await?;
        if !is_known {
            return Ok(None);
        }
        for refusal in &refusals {
            warn(refusal);
        }
        Ok(Some(if refusals.is_empty() { Ok(()) } else { Err(Failure::Exit(REFUSED)) }))
    }

    /// Asks a server without selectors for all points, which may come in any order.
    async fn ask_for_all(
        &mut self,
        connection: &Client,
        needs: Needs,
    ) -> Result<Result<(), Failure>, Failure> {
        let all = || vec!["*".to_owned()];
        let selectors = if self.keys.is_empty() { all() } else { selectors(self.keys) };
        let mut outcome = Ok(());
        // A point is kept for each key, so no more of them than are needed.
        let recent = if needs.is_of_two() { 1 } else { MAX_RECENT };
        for selector in selectors {
            let mut summarizer = Summarizer::new(recent).at(unix_now());
            let refused = ask(connection, &selector, |data| {
                summarizer.add_lines(data);
                Ok(())
            });
            if let Some(refusal) = refused.await? {
                // The other keys may still be served.
                warn(&refusal);
                outcome = Err(Failure::Exit(REFUSED));
            }
            let answer = summarizer.finish();
            self.out.add_malformed(answer.malformed);
            self.take(answer.series)?;
        }
        if self.answered && self.spec.window != Window::All {
            warn(&format!("{NO_SELECTORS}, so the numbers are of all points"));
        } else if self.answered && stderr().is_terminal() {
            // Cron mails each line.
            warn(&format!("{NO_SELECTORS}, so all points were read"));
        }
        Ok(outcome)
    }

    /// Takes the reply to a selector of the newest points, key by key; the message when it is refused.
    async fn ask(
        &mut self,
        connection: &Client,
        selector: &str,
        needs: Needs,
        of_all: &Aggregates,
    ) -> Result<Option<String>, Failure> {
        let mut summarizer = Summarizer::new(MAX_RECENT).at(unix_now());
        let is_of_all = self.spec.window == Window::All;
        let complete = |mut series: Vec<Series>| {
            for series in &mut series {
                let numbers = of_all.get(series.key.as_str());
                for (at, aggregate) in needs.aggregates().enumerate() {
                    let number = numbers.and_then(|numbers| numbers.get(at).copied().flatten());
                    if number.is_some() || !is_of_all {
                        series.set(aggregate, number, &[]);
                    }
                }
            }
            series
        };
        let refused = ask(connection, selector, |data| {
            summarizer.add_lines(data);
            self.take(complete(summarizer.take_complete()))
        });
        let refused = refused.await?;
        let rest = summarizer.finish();
        self.out.add_malformed(rest.malformed);
        self.take(complete(rest.series))?;
        Ok(refused)
    }

    fn take(&mut self, mut series: Vec<Series>) -> Result<(), Failure> {
        self.answered |= !series.is_empty();
        series.retain(|series| self.is_wanted(series.key.as_str()));
        let now = unix_now();
        // Each key is asked for once, so that none can go away.
        for event in self.alerts.evaluate(&series, |_| false, |_| false, now) {
            warn(event.text());
            self.commands.run(&event);
        }
        let TableSpec { filter, sort, columns, .. } = self.spec;
        let passes = |series: &Series| {
            filter.as_ref().is_none_or(|filter| filter.passes(series, now, false))
        };
        series.retain(passes);
        self.passed |= !series.is_empty();
        for mut series in series {
            if *sort == Sort::default() {
                self.print(&series, now)?;
                continue;
            }
            if !columns.contains(&Column::Spark) {
                series.forget_recent();
            }
            self.held.push(series);
        }
        Ok(())
    }

    fn is_wanted(&mut self, key: &str) -> bool {
        let mut any = self.keys.is_empty();
        for (pattern, found) in self.keys.iter().zip(&mut self.found) {
            let matches = pattern.matches(key);
            (any, *found) = (any || matches, *found || matches);
        }
        any
    }

    fn print_held(&mut self) -> Result<(), Failure> {
        let now = unix_now();
        let order = arrange(&self.held, self.spec.sort, None, now);
        let places = (0..order.len()).filter_map(|row| order.place(row));
        let held = std::mem::take(&mut self.held);
        places.filter_map(|place| held.get(place)).try_for_each(|series| self.print(series, now))
    }

    /// Prints a series, if there is still a reader. Alerts are judged to the end without one.
    fn print(&mut self, series: &Series, now: i64) -> Result<(), Failure> {
        if !self.is_read {
            return Ok(());
        }
        match self.out.series(series, now) {
            Err(Failure::Local(error))
                if error.kind() == ErrorKind::BrokenPipe && self.alerts.alerts().len() > 0 =>
            {
                self.is_read = false;
                Ok(())
            }
            outcome => outcome,
        }
    }
}

/// Takes the reply to a selector; the message when it is refused.
async fn ask(
    connection: &Client,
    selector: &str,
    each: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<Option<String>, Failure> {
    let Ok(parsed) = Selector::from_bytes(selector.as_bytes()) else { return Ok(None) };
    let refused = take_reply(connection.get(parsed).await?, each).await?;
    Ok(refused.map(|reason| format!("{selector}: {reason}")))
}
