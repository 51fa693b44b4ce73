//! A table that told points keep up to date: its values, its numbers, its order.

use std::sync::Arc;
use std::time::Duration;

use shared::{Glob, Key, KeyBuf, Point};

use super::numbers::RowNeeds;
use super::{Freshness, InSight, Table};
use crate::metrics::column::{Column, ColumnKind};
use crate::metrics::filter::Filter;
use crate::metrics::needs::{Needs, Parts};
use crate::metrics::reply::PointLists;
use crate::metrics::series::summary::Answer;
use crate::metrics::series::{Bounds, Series};
use crate::metrics::sort::{AT_ONCE, Order, SortJob, arrange_some};
use crate::request::pending::{Query, RowQuery};
use crate::sources::Away;

impl Table {
    /// Takes the state of all keys, which told points keep up to date from now on.
    pub fn show_live(
        &mut self,
        request: &str,
        mut answer: Answer,
        rows: usize,
        now: i64,
    ) -> Option<SortJob> {
        if self.is_live() {
            self.keep_numbers(&mut answer, rows);
        }
        self.numbers.reset();
        let job = self.show(request, answer, rows, now);
        self.freshness = Freshness::Live;
        job
    }

    /// Gives an answer what is known of the rows in sight, and of all where order or filter need
    /// that, until it has been asked for anew.
    fn keep_numbers(&self, answer: &mut Answer, rows: usize) {
        if self.numbers.are_of_all() {
            for before in &self.answer.series {
                if let Some(series) = answer.find_in_order(before.key.as_key()) {
                    series.keep_numbers(before);
                }
            }
        }
        for before in self.visible(rows).filter(|before| before.asked().is_some()) {
            if let Some(series) = answer.find_in_order(before.key.as_key()) {
                series.keep_stats(before);
            }
        }
    }

    /// The queries for what the rows in sight lack, on a screen of this many rows and cells, and for what
    /// the list of watched keys shows of the `listed` ones. `now` is on both clocks.
    pub fn ask_numbers(
        &mut self,
        rows: usize,
        room: usize,
        listed: &[KeyBuf],
        now: (Duration, i64),
    ) -> Vec<Query> {
        if !self.is_live() {
            return Vec::new();
        }
        let mut needs = self.needs(room);
        if !listed.is_empty() {
            needs.in_sight = needs.in_sight | Parts::of_watched();
        }
        if self.numbers.is_full()
            && let Some(answer) = Arc::get_mut(&mut self.answer)
        {
            answer.series.iter_mut().for_each(Series::forget_stats);
            self.numbers.reset();
        }
        // Known by the numbers, which are not here meanwhile.
        let mut numbers = std::mem::take(&mut self.numbers);
        let renewed = numbers.renewed().to_vec();
        let renewed = renewed.iter().filter_map(|key| {
            let place = self.answer.find(key.as_key())?;
            self.answer.series.get(place)
        });
        let listed = listed.iter().filter_map(|key| {
            let place = self.answer.find(key.as_key())?;
            self.answer.series.get(place)
        });
        let in_sight = self.visible(rows).chain(listed);
        let queries = numbers.plan(in_sight, renewed, &self.answer.series, needs, now);
        self.numbers = numbers;
        if !self.numbers.is_asking() {
            self.forget_outdated();
        }
        queries
    }

    /// When numbers of the rows in sight are to be asked for again, on a screen of this many rows
    /// and cells.
    pub fn next_numbers(&self, rows: usize, room: usize) -> Option<Duration> {
        let next = || self.numbers.next_wake(self.visible(rows), self.needs(room));
        self.is_live().then(next).flatten()
    }

    /// What columns, order and filter need.
    pub(super) fn needs(&self, room: usize) -> RowNeeds {
        let fitting = self.chosen.fitting(room, self.sort.column, 0);
        let columns = || fitting.iter().map(|&(column, _)| column);
        let is_trend = |column: Column| matches!(column.kind(), ColumnKind::Trend);
        let shown: Needs =
            columns().filter(|&column| !is_trend(column)).map(Column::needs).collect();
        let trend = if columns().any(is_trend) { Parts::TREND } else { Parts::default() };
        // A row says whether it is stale.
        let in_sight = shown.parts() | trend | Parts::RECENT;
        let filter = self.filter.as_ref().map(Filter::needs);
        let of_all: Needs = self.sort.column.map(Column::needs).into_iter().chain(filter).collect();
        RowNeeds { in_sight, of_all: of_all.parts() }
    }

    /// Takes the answer to a query for rows, `None` if it was refused or lost; more queries may
    /// follow. `now` is on both clocks.
    pub fn on_points(
        &mut self,
        query: RowQuery,
        points: Option<PointLists>,
        now: (Duration, i64),
    ) -> Vec<Query> {
        let until = self.as_of().unwrap_or(now.1);
        self.numbers.on_points(query, points, (now.0, until))
    }

    /// Notes that an answer lacks these keys although they have points.
    pub fn lose_points(&mut self, query: RowQuery, keys: Vec<String>) {
        self.numbers.lose_points(query, keys);
    }

    /// Gives the rows the numbers that have come, if it is free. Those of a window that is chosen no
    /// longer are shown until then, and forgotten.
    pub fn show_numbers(&mut self, now: Duration) {
        if !self.numbers.is_ready() {
            return;
        }
        self.forget_outdated();
        if self.next.is_none()
            && let Some(answer) = Arc::get_mut(&mut self.answer)
            && self.numbers.apply(answer, now)
            && !self.is_plain()
        {
            (self.freshness, self.in_sight) = (Freshness::Outdated, InSight::Untidy);
        }
    }

    fn forget_outdated(&mut self) {
        if self.numbers.is_outdated()
            && self.next.is_none()
            && let Some(answer) = Arc::get_mut(&mut self.answer)
        {
            answer.series.iter_mut().for_each(Series::forget_numbers);
            self.numbers.set_forgotten();
        }
    }

    /// Sets the keys that an answer may lack although they have points: they keep their numbers.
    pub fn set_away(&mut self, away: Away) {
        self.numbers.set_away(away);
    }

    /// The answer to this query is still of use.
    pub fn awaits(&self, query: RowQuery) -> bool {
        self.numbers.awaits(query)
    }

    /// The answer is kept up to date by the points that are told.
    pub fn is_live(&self) -> bool {
        self.freshness != Freshness::Polled
    }

    /// Told points can be taken: no job needs the answer as it is. Otherwise the end of the job is
    /// told with [`Table::arranged`].
    pub fn is_free(&self) -> bool {
        let is_shared = Arc::strong_count(&self.answer) > 1;
        self.renewals.is_empty() && self.next.is_none() && !is_shared
    }

    /// Takes a point that was put just now; says whether its key is known. It must be free.
    /// `now` is in Unix seconds.
    pub fn tell(&mut self, key: Key<'_>, point: Point, now: i64) -> bool {
        let bounds = Bounds::of(self.numbers.shown_window(), now);
        self.numbers.tell(key.as_str(), point, bounds.is_stray(point.timestamp));
        if self.numbers.asks_for_all() {
            let (place, rows) = (self.answer.find(key), &self.answer.series);
            let row = place.and_then(|place| rows.get(place));
            self.numbers.tell_of_all(place.unwrap_or(rows.len()), row, point);
        }
        let are_runs_compared = self.base_run().is_some();
        let Some(answer) = Arc::get_mut(&mut self.answer) else { return true };
        let is_known = answer.tell(key, point, bounds);
        if are_runs_compared {
            self.runs.tell(answer, key);
        }
        is_known
    }

    /// The newest point of a key has this time, or the key is not known.
    pub fn ends_at(&self, key: Key<'_>, timestamp: i64) -> bool {
        let place = self.answer.find(key);
        let series = place.and_then(|place| self.answer.series.get(place));
        series.is_none_or(|series| {
            let before = series.before.map(|before| before.timestamp);
            series.last.timestamp == timestamp || before == Some(timestamp)
        })
    }

    /// Shows the rows of new keys after points were told. Rows that are sorted or filtered are
    /// arranged again with [`Table::rearrange`], and those in sight before with [`Table::tidy`].
    pub fn show_told(&mut self, malformed: u64) {
        if let Some(answer) = Arc::get_mut(&mut self.answer) {
            answer.malformed += malformed;
        }
        let all = u32::try_from(self.answer.series.len()).unwrap_or(u32::MAX);
        if self.is_plain() && matches!(self.order, Order::Reply(_)) {
            self.order = Order::Reply(all);
        } else {
            (self.freshness, self.in_sight) = (Freshness::Outdated, InSight::Untidy);
        }
    }

    /// Points were told since the rows were arranged, which matters for their order.
    pub fn is_outdated(&self) -> bool {
        self.freshness == Freshness::Outdated && !self.again && self.under_way.is_none()
    }

    /// Its rows are arranged at once, without a job.
    pub fn is_small(&self) -> bool {
        self.answer.series.len() <= AT_ONCE
    }

    /// Arranges the rows anew.
    pub fn rearrange(&mut self, rows: usize, now: i64) -> Option<SortJob> {
        self.freshness = Freshness::Live;
        let job = self.arrange(rows, now);
        if let Some(job) = &mut self.under_way {
            job.is_silent = true;
        }
        job
    }

    /// Filter or order are of ages, which change without any point, or of what stops as time goes by.
    pub fn ages(&self) -> bool {
        let is_sorted = self.sort.column.is_some_and(Column::is_of_comparison);
        let is_of_time = is_sorted && self.compared.is_some()
            || self.filter.as_ref().is_some_and(Filter::depends_on_time);
        self.is_live() && is_of_time
    }

    /// Takes the time: rows that are filtered or ordered by it are to be arranged again.
    pub fn age(&mut self, now: i64) {
        if self.ages() && self.aged_at != now {
            self.aged_at = now;
            (self.freshness, self.in_sight) = (Freshness::Outdated, InSight::Untidy);
        }
    }

    /// Brings the rows in sight, on a screen of this many, into order and leaves out those that no
    /// longer pass, so that what is shown keeps to filter and order until all rows are arranged again.
    pub fn tidy(&mut self, rows: usize, now: i64) {
        if self.in_sight == InSight::InOrder || self.is_plain() {
            return;
        }
        self.order.spell_out();
        let selected = self.order.place(self.selected).filter(|_| self.held);
        let first = self.first(rows);
        let (mut passing, mut end, mut start) = (Vec::new(), first, first);
        while passing.len() < rows && end - first < AT_ONCE && end < self.order.len() {
            passing.extend(self.passing(end, now));
            end += 1;
        }
        // What is left out at the end brings rows above into sight.
        while passing.len() < rows && first - start < AT_ONCE && start > 0 {
            start -= 1;
            passing.extend(self.passing(start, now));
        }
        let places = arrange_some(passing, &self.answer.series, self.sort, now);
        let at = |place: usize| places.iter().position(|&it| usize::try_from(it) == Ok(place));
        if let Some(row) = selected.and_then(at) {
            self.selected = start + row;
        }
        self.order.splice(start..end, places);
        self.keep_in_sight(rows);
    }

    /// The place in the answer of a row that passes the filter.
    pub(super) fn passing(&self, row: usize, now: i64) -> Option<u32> {
        let place = self.order.place(row)?;
        let series = self.answer.series.get(place)?;
        let is_compared = self.is_compared();
        let passes =
            self.filter.as_ref().is_none_or(|filter| filter.passes(series, now, is_compared));
        u32::try_from(place).ok().filter(|_| passes)
    }

    /// Takes the state of keys of which points were taken back; a key that is not in it has none.
    pub fn renew(&mut self, keys: Vec<Glob>, state: Answer) {
        self.renewals.push((keys, state));
    }

    /// Shows that state, if it is free.
    pub fn show_renewed(&mut self, rows: usize) {
        if self.renewals.is_empty() || self.next.is_some() {
            return;
        }
        let selected = self.held.then(|| self.selected_key().cloned()).flatten();
        let Some(answer) = Arc::get_mut(&mut self.answer) else { return };
        let mut gone = Vec::new();
        for (keys, state) in std::mem::take(&mut self.renewals) {
            let keys = keys.iter().filter_map(|key| key.as_str().parse::<KeyBuf>().ok());
            self.numbers.renew(keys.clone());
            for key in keys {
                let known = answer.find(key.as_key());
                let state = state.find(key.as_key()).and_then(|place| state.series.get(place));
                match (known, state) {
                    (Some(place), Some(state)) => {
                        let mut state = state.clone();
                        state.compare_as(&answer.series[place]);
                        answer.series[place] = state;
                    }
                    (Some(place), None) => gone.push(place),
                    (None, Some(state)) => answer.push(state.clone()),
                    (None, None) => {}
                }
            }
        }
        gone.sort_unstable();
        answer.remove(&gone);
        self.compared_rows = self.compared_rows.saturating_sub(gone.len());
        if self.base_run().is_some() {
            // Other rows may be compared with these.
            self.compared_rows = 0;
        }
        self.order.remove(&gone);
        let place = selected.and_then(|key| self.answer.find(key.as_key()));
        self.selected = place.and_then(|place| self.order.row(place)).unwrap_or(self.selected);
        self.keep_in_sight(rows);
        self.show_told(0);
    }
}
