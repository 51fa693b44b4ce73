//! The last point of each key, or what a table shows of it, once.

use std::io::Write;

use shared::{Client, Glob, Selector};

use super::connection::{connect, take_reply};
use super::printer::Printer;
use super::watch::selectors;
use super::{Failure, malformed_lines, verdict, warn};
use crate::cli::Plan;
use crate::import::source::unix_now;
use crate::metrics::alerts::Alerts;
use crate::metrics::column::Column;
use crate::metrics::recent::Recent;
use crate::metrics::series::Series;
use crate::metrics::sort::{Sort, TableSpec, arrange};
use crate::metrics::summary::Summarizer;

/// Recent points of a series from which a trend is drawn, and known whether it is stale: as many
/// as the table on the screen has of it.
const TAIL: usize = 64;

/// Prints the last point of these keys, or of all when there are none, arranged as the command line
/// says. An alert that fires then is told.
pub(super) async fn run(
    plan: &Plan,
    keys: &[Glob],
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    let connection = connect(plan).await?;
    out.begin()?;
    let selectors = if keys.is_empty() { vec!["*".to_owned()] } else { selectors(keys) };
    let mut outcome = Ok(());
    let mut sieve = Selection {
        keys,
        found: vec![false; keys.len()],
        alerts: Alerts::once(&plan.alerts),
        arrangement: &plan.table,
        passed: false,
        held: Vec::new(),
    };
    for selector in &selectors {
        match ask(&connection, selector, &mut sieve, out).await {
            // The other keys may still be served.
            Err(Failure::Refused) => outcome = Err(Failure::Refused),
            other => other?,
        }
    }
    sieve.print_held(out)?;
    if outcome.is_ok() {
        let missing = keys.iter().zip(sieve.found).filter(|&(_, found)| !found);
        missing.for_each(|(pattern, _)| warn(&format!("no points for {pattern}")));
        if plan.table.filter.is_some() && !sieve.passed {
            warn("no key passes the filter");
        }
    }
    outcome.and_then(|()| verdict(&sieve.alerts))
}

async fn ask(
    connection: &Client,
    selector: &str,
    sieve: &mut Selection<'_>,
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    let Ok(selector) = Selector::from_bytes(selector.as_bytes()) else {
        return Ok(());
    };
    let mut fold = Summarizer::new(TAIL);
    let reply = connection.get(selector).await?;
    let refused = take_reply(reply, |data| {
        fold.add_lines(data);
        sieve.take(fold.take_complete(), out)
    });
    if let Some(reason) = refused.await? {
        warn(&format!("{selector}: {reason}"));
        return Err(Failure::Refused);
    }
    let rest = fold.finish();
    if rest.malformed > 0 {
        warn(&format!("{selector}: {}", malformed_lines(rest.malformed)));
    }
    sieve.take(rest.series, out)
}

/// What becomes of the series in the replies.
struct Selection<'a> {
    keys: &'a [Glob],
    /// Which of the keys have points.
    found: Vec<bool>,
    alerts: Alerts,
    arrangement: &'a TableSpec,
    /// At least one series has passed the filter.
    passed: bool,
    /// Passed, and waiting for their order.
    held: Vec<Series>,
}

impl Selection<'_> {
    fn take(
        &mut self,
        mut series: Vec<Series>,
        out: &mut Printer<impl Write>,
    ) -> Result<(), Failure> {
        series.retain(|series| self.is_wanted(series.key.as_str()));
        let now = unix_now();
        // Each key is asked for once, so that none can go away.
        for event in self.alerts.evaluate(&series, |_| false, |_| false, now) {
            warn(event.text());
        }
        for mut series in series {
            let filter = self.arrangement.filter.as_ref();
            if filter.is_some_and(|filter| !filter.passes(&series, now)) {
                continue;
            }
            self.passed = true;
            if self.arrangement.sort == Sort::default() {
                self.print(&series, now, out)?;
                continue;
            }
            if !self.arrangement.columns.contains(&Column::Spark) {
                series.recent = Recent::default();
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

    fn print_held(&self, out: &mut Printer<impl Write>) -> Result<(), Failure> {
        let now = unix_now();
        let order = arrange(&self.held, self.arrangement.sort, None, now);
        let places = (0..order.len()).filter_map(|row| order.place(row));
        places.map(|place| &self.held[place]).try_for_each(|series| self.print(series, now, out))
    }

    fn print(
        &self,
        series: &Series,
        now: i64,
        out: &mut Printer<impl Write>,
    ) -> Result<(), Failure> {
        match &self.arrangement.columns[..] {
            [] => out.point(series.key.as_key(), series.last),
            columns => out.row(series, columns, now),
        }
    }
}
