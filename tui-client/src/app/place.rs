//! The place in time of the screen: the table as it was then, the cursor of the chart, a line of the
//! log. Nothing is missed meanwhile, because the live table is kept beside it.

pub mod judged;

use std::sync::Arc;
use std::time::Duration;

use crate::app::table::Table;
use crate::app::table::compared::Compared;
use crate::metrics::alerts::Alerts;
use crate::metrics::reply::PointLists;
use crate::metrics::series::summary::Answer;
use crate::metrics::sort::SortJob;
use crate::request::pending::{JudgedQuery, Query, RowQuery};
use crate::sources::Away;
use judged::Judged;

/// The least time between two requests for the same place, of which more became known.
const MIN_RENEWAL: Duration = Duration::from_secs(1);

/// This time more for each row, in microseconds: ten times what it takes.
const RENEWAL_MICROS: u64 = 20;

/// The place in time.
#[derive(Debug, Default)]
pub struct Place {
    /// Unix seconds; none while the screen is live.
    at: Option<i64>,
    /// Unix seconds to which chart and log alone have gone, because the server can't say how things
    /// stood.
    beside: Option<i64>,
    /// The step of the chart whose end it is, and the Unix time of its cursor.
    step: Option<(i64, u64)>,
    /// How things stood; none before the first answer.
    table: Option<Table>,
    /// The request under way, and the time that it asks for.
    asked: Option<(u64, i64)>,
    /// Points from before the place were told, put or taken back, since it was asked for.
    is_outdated: bool,
    /// When it was asked for last, since the start; none if it is to be asked for at once.
    asked_at: Option<Duration>,
    /// The server has not said how things stood; it is asked again at another time.
    has_failed: bool,
    /// What alerts compare then.
    judged: Judged,
    /// Places before this one, so that jobs and queries of their tables are not taken for its own.
    before: u64,
}

impl Place {
    /// The Unix time; none while the screen is live.
    pub fn at(&self) -> Option<i64> {
        self.at
    }

    /// The Unix time to which chart and log point, whether or not the table can be of it; none while the
    /// screen is live.
    pub fn pointed_at(&self) -> Option<i64> {
        self.at.or(self.beside)
    }

    /// The Unix time that the request under way is of.
    pub fn asked_for(&self) -> Option<i64> {
        self.asked.map(|(_, at)| at)
    }

    /// The table as of a time, once it has come.
    pub fn table(&self) -> Option<&Table> {
        self.table.as_ref()
    }

    /// The table as of a time, to be changed.
    pub fn table_mut(&mut self) -> Option<&mut Table> {
        self.table.as_mut()
    }

    /// The table as of a time, else the live one.
    pub fn table_or<'t>(&'t mut self, live: &'t mut Table) -> &'t mut Table {
        self.table.as_mut().unwrap_or(live)
    }

    /// The table as of a time, if the job is one of its own.
    pub fn table_of_job(&mut self, id: u64) -> Option<&mut Table> {
        self.table.as_mut().filter(|table| table.has_job(id))
    }

    /// The table as of a time, if it awaits the answer to a query.
    pub fn table_of_query(&mut self, query: RowQuery) -> Option<&mut Table> {
        self.table.as_mut().filter(|table| table.awaits(query))
    }

    /// What alerts compare in the table as of a time.
    pub fn judged(&self) -> &Judged {
        &self.judged
    }

    /// The queries for what alerts compare in the table as of a time.
    pub fn ask_judged(&mut self, alerts: &Alerts) -> Vec<Query> {
        let at = self.table.as_ref().and_then(Table::as_of);
        at.map_or_else(Vec::new, |at| self.judged.ask(alerts, at))
    }

    /// Takes the answer to a query for that, none if it was refused or lost.
    pub fn take_judged(&mut self, query: JudgedQuery, points: Option<PointLists>) {
        if let Some(table) = &self.table {
            self.judged.take(query, points, table.answer());
        }
    }

    /// Goes to a Unix time.
    pub fn go(&mut self, at: i64) {
        (self.at, self.beside, self.has_failed) = (Some(at), None, false);
        self.step = None;
        if self.is_partial() {
            self.refresh();
        }
    }

    /// Points to a Unix time with chart and log alone.
    pub fn point_to(&mut self, at: i64) {
        (self.beside, self.step) = (Some(at), None);
    }

    /// It is the end of a step of so many seconds, at the cursor of the chart.
    pub fn set_step(&mut self, cursor: i64, step: u64) {
        self.step = Some((cursor, step));
    }

    /// The cursor of the chart and the seconds of the step whose end it is, if it is one.
    pub fn step(&self) -> Option<(i64, u64)> {
        self.step
    }

    /// Goes back to what is live; returns the table, whose arrangement is that of the live one from
    /// now on.
    pub fn end(&mut self) -> Option<Table> {
        let before = self.before + 1;
        let judged = Judged::after(&self.judged);
        std::mem::replace(self, Self { judged, before, ..Self::default() }).table
    }

    /// The time to ask for next; none while a request is under way, so that many steps of a cursor
    /// are no more than the server has time for.
    pub fn due(&self, now: Duration) -> Option<i64> {
        let known = self.table.as_ref().and_then(Table::as_of);
        let at = self.at.filter(|_| self.asked.is_none() && !self.has_failed)?;
        let is_due = known != Some(at) || self.next_renewal().is_some_and(|due| due <= now);
        is_due.then_some(at)
    }

    /// A source that was away is back: how things stood is asked for again if it was not known of all.
    pub fn complete(&mut self) {
        if self.asked.is_some() || self.is_partial() {
            self.refresh();
        }
    }

    /// Of some keys it is not known how they stood.
    fn is_partial(&self) -> bool {
        self.table.as_ref().is_some_and(|table| !table.unknown().is_empty())
    }

    /// When it is asked again how things stood, because more is known by now.
    pub fn next_renewal(&self) -> Option<Duration> {
        let table = self.table.as_ref().filter(|_| self.is_outdated && self.asked.is_none())?;
        let rows = table.answer().series.len() as u64;
        let pace = MIN_RENEWAL + Duration::from_micros(rows * RENEWAL_MICROS);
        (!self.has_failed).then_some(self.asked_at.map_or(Duration::ZERO, |at| at + pace))
    }

    /// A point of this Unix second was told or taken back: how things stood may be another.
    pub fn tell(&mut self, timestamp: i64) {
        self.is_outdated |= self.at.is_some_and(|at| timestamp <= at);
    }

    /// How things stood is to be asked for anew, at once.
    pub fn refresh(&mut self) {
        (self.is_outdated, self.asked_at) = (self.at.is_some(), None);
        self.has_failed = false;
    }

    /// How things stood was refused, or the answer was lost.
    pub fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Records a request.
    pub fn asked(&mut self, id: u64, at: i64, now: Duration) {
        (self.asked, self.asked_at, self.is_outdated) = (Some((id, at)), Some(now), false);
    }

    /// Takes the answer to the request with this id: how things stood and of which keys that is not
    /// known, or nothing if the request was refused or lost. Rows are arranged as those of the `live` table.
    pub fn take(
        &mut self,
        id: u64,
        answer: Option<(Answer, Away)>,
        live: &Table,
        rows: usize,
    ) -> Option<SortJob> {
        let (_, at) = self.asked.take_if(|asked| asked.0 == id)?;
        let Some(answer) = answer else {
            self.has_failed = true;
            return None;
        };
        self.judged.renew();
        let before = self.before;
        let table = self.table.get_or_insert_with(|| live.beside(before));
        table.show_as_of(at, answer, live.held_key(), rows)
    }

    /// Compares the table as of a time with how things stood before.
    pub fn compare(&mut self, compared: &Arc<Compared>, rows: usize) -> Option<SortJob> {
        let table = self.table.as_mut()?;
        let at = table.as_of().unwrap_or_default();
        table.compare(Arc::clone(compared), rows, at)
    }

    /// Compares the table with the same time again, of which more is known now.
    pub fn compare_again(&mut self, compared: &Arc<Compared>) {
        if let Some(table) = &mut self.table {
            table.compare_again(Arc::clone(compared));
        }
    }

    /// Compares the table as of a time with a run.
    pub fn compare_with_run(&mut self, run: &str, rows: usize) -> Option<SortJob> {
        let table = self.table.as_mut()?;
        let at = table.as_of().unwrap_or_default();
        table.compare_with_run(run, rows, at)
    }

    /// Compares no longer.
    pub fn end_comparison(&mut self, rows: usize) -> Option<SortJob> {
        let table = self.table.as_mut()?;
        let at = table.as_of().unwrap_or_default();
        table.end_comparison(rows, at)
    }

    /// The request under way has no answer.
    pub fn fail(&mut self) {
        (self.asked, self.has_failed) = (None, true);
    }

    /// The connection is a new one: what was asked for is asked for again.
    pub fn reset(&mut self) {
        (self.asked, self.has_failed) = (None, false);
        self.judged.renew();
        if let Some(table) = &mut self.table {
            table.ask_again();
        }
    }
}
