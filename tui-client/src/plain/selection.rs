//! The last point or the table row of each key, once.

use std::io::Write;

use shared::{Client, Glob, Selector};

use super::connection::{connect, take_reply};
use super::printer::Printer;
use super::watch::selectors;
use super::{Failure, REFUSED, malformed_lines, verdict, warn};
use crate::cli::Plan;
use crate::clock::unix_now;
use crate::metrics::alerts::Alerts;
use crate::metrics::column::Column;
use crate::metrics::recent_points::RecentPoints;
use crate::metrics::series::Series;
use crate::metrics::sort::{Sort, TableSpec, arrange};
use crate::metrics::summary::Summarizer;

/// Recent points of a series from which a trend is drawn, and known whether it is stale: as many
/// as for the table on the screen.
const MAX_RECENT: usize = 64;

/// Prints the last point of these keys, or of all when there are none, arranged as the command line
/// says. Alerts that fire are reported.
pub(super) async fn run(
    plan: &Plan,
    keys: &[Glob],
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    let connection = connect(plan).await?;
    out.begin()?;
    let selectors = if keys.is_empty() { vec!["*".to_owned()] } else { selectors(keys) };
    let mut outcome = Ok(());
    let mut selection = Selection {
        keys,
        found: vec![false; keys.len()],
        alerts: Alerts::once(&plan.alerts),
        spec: &plan.table,
        passed: false,
        held: Vec::new(),
        out,
    };
    for selector in &selectors {
        match selection.ask(&connection, selector).await {
            // The other keys may still be served.
            Err(Failure::Exit(code)) => outcome = Err(Failure::Exit(code)),
            other => other?,
        }
    }
    selection.print_held()?;
    if outcome.is_ok() {
        let missing = keys.iter().zip(selection.found).filter(|&(_, found)| !found);
        missing.for_each(|(pattern, _)| warn(&format!("no points for {pattern}")));
        if plan.table.filter.is_some() && !selection.passed {
            warn("no key passes the filter");
        }
    }
    outcome.and_then(|()| verdict(&selection.alerts))
}

/// What becomes of the series in the replies.
struct Selection<'a, W: Write> {
    keys: &'a [Glob],
    /// The keys that have points.
    found: Vec<bool>,
    alerts: Alerts,
    spec: &'a TableSpec,
    /// At least one series has passed the filter.
    passed: bool,
    /// Passed, and waiting for their order.
    held: Vec<Series>,
    out: &'a mut Printer<W>,
}

impl<W: Write> Selection<'_, W> {
    async fn ask(&mut self, connection: &Client, selector: &str) -> Result<(), Failure> {
        let Ok(selector) = Selector::from_bytes(selector.as_bytes()) else { return Ok(()) };
        let mut summarizer = Summarizer::new(MAX_RECENT);
        let reply = connection.get(selector).await?;
        let refused = take_reply(reply, |data| {
            summarizer.add_lines(data);
            self.take(summarizer.take_complete())
        });
        if let Some(reason) = refused.await? {
            warn(&format!("{selector}: {reason}"));
            return Err(Failure::Exit(REFUSED));
        }
        let rest = summarizer.finish();
        if rest.malformed > 0 {
            warn(&format!("{selector}: {}", malformed_lines(rest.malformed)));
        }
        self.take(rest.series)
    }

    fn take(&mut self, mut series: Vec<Series>) -> Result<(), Failure> {
        series.retain(|series| self.is_wanted(series.key.as_str()));
        let now = unix_now();
        // Each key is asked for once, so that none can go away.
        for event in self.alerts.evaluate(&series, |_| false, |_| false, now) {
            warn(event.text());
        }
        let TableSpec { filter, sort, columns } = self.spec;
        series.retain(|series| filter.as_ref().is_none_or(|filter| filter.passes(series, now)));
        self.passed |= !series.is_empty();
        for mut series in series {
            if *sort == Sort::default() {
                self.out.series(&series, now)?;
                continue;
            }
            if !columns.contains(&Column::Spark) {
                series.recent = RecentPoints::default();
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
        let mut places = (0..order.len()).filter_map(|row| order.place(row));
        places.try_for_each(|place| self.out.series(&self.held[place], now))
    }
}
