//! The table of the last `get`: its order, its filter, its selection and its scroll position.

mod as_of;
pub mod compared;
mod heading;
pub mod let_go;
mod live;
mod numbers;
mod runs;
mod told;

use std::sync::Arc;

use shared::{Glob, KeyBuf};

use crate::app::context::Context;
use crate::app::line_input::InputPurpose;
use crate::app::message::Message;
use crate::app::screen::layout::Layout;
use crate::app::screen::mouse::row_in;
use crate::event::MouseEvent;
use crate::keymap::{Mode, TableAction};
use crate::metrics::column::{Chosen, Column};
use crate::metrics::filter::Filter;
use crate::metrics::series::Series;
use crate::metrics::series::summary::Answer;
use crate::metrics::sort::{AT_ONCE, Order, Sort, SortJob, Sorted, TableSpec};
use crate::metrics::window::Window;
use crate::sources::Away;
use crate::wire_log::entry::Tone;
use compared::Compared;
use heading::KeyWidths;
use numbers::Numbers;
use runs::RunComparison;

/// The last answer, with order, filter, columns and selection.
#[derive(Debug, Default)]
pub struct Table {
    request: String,
    answer: Arc<Answer>,
    order: Order,
    arrived: Arrived,
    /// The selection follows its key. Otherwise the first row is selected, whatever its key.
    held: bool,
    selected: usize,
    top: usize,
    sort: Sort,
    filter: Option<Filter>,
    /// The filter that was dropped last.
    dropped_filter: Option<Filter>,
    chosen: Chosen,
    key_widths: KeyWidths,
    /// The id of the last job.
    job: u64,
    /// The job under way, at most one at a time.
    under_way: Option<UnderWay>,
    /// Another job is due after the one under way.
    again: bool,
    /// The answer for the next job, with its request.
    next: Option<(String, Arc<Answer>)>,
    /// Whether told points keep the answer up to date.
    freshness: Freshness,
    in_sight: InSight,
    /// Unix time at which ages were last compared with the filter.
    aged_at: i64,
    /// What is known of the rows besides their newest points, where those are told.
    numbers: Numbers,
    /// The state of keys of which points were taken back, until it can be shown.
    renewals: Vec<(Vec<Glob>, Answer)>,
    /// What the rows are compared with, and how many of them are.
    compared: Option<Arc<Compared>>,
    /// The runs whose keys are compared with each other, where rows are compared with nothing else.
    runs: RunComparison,
    /// The order before the rows were compared.
    sort_before: Option<Sort>,
    compared_rows: usize,
    /// Keys that had points then and have none now, and how many rows there were when they were counted.
    gone: usize,
    gone_of: Option<usize>,
    /// The keys that the answer lacks although they may have had points then: their source was away.
    unknown: Away,
    /// The number of keys of which only those in sight are left until their state has come.
    let_go: Option<usize>,
    /// Large answers to be dropped by a background thread, because that takes long.
    garbage: Vec<Arc<Answer>>,
}

/// Whether the rows in sight are as filter and order say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum InSight {
    /// They are.
    #[default]
    InOrder,
    /// Values, filter or order have changed since the rows were arranged.
    Untidy,
}

/// Whether told points keep an answer up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Freshness {
    /// It stays as it came.
    #[default]
    Polled,
    /// They do, and the rows are in order.
    Live,
    /// They do, and since the rows were arranged some came that matter for the order.
    Outdated,
}

/// What has come of the answer that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Arrived {
    #[default]
    Nothing,
    /// Its first rows; the others are still to come.
    FirstRows,
    All,
}

/// The parameters of a job.
#[derive(Debug)]
struct UnderWay {
    id: u64,
    request: String,
    sort: Sort,
    filter: Option<Filter>,
    /// The result is still to be shown.
    wanted: bool,
    /// Only the points have changed, so that it is no news that rows are sorted.
    is_silent: bool,
}

impl Table {
    /// An empty table that waits for the answer to `request`.
    pub fn new(request: impl Into<String>) -> Self {
        Self { request: request.into(), ..Self::default() }
    }

    /// Sets filter, order and columns.
    #[must_use]
    pub fn arranged_as(self, arrangement: TableSpec) -> Self {
        let TableSpec { filter, sort, columns, window } = arrangement;
        let mut numbers = self.numbers;
        numbers.set_window(window);
        numbers.set_forgotten();
        Self { filter, sort, chosen: Chosen::only(&columns), numbers, ..self }
    }

    /// The request that the table answers.
    pub fn request(&self) -> &str {
        &self.request
    }

    /// The answer.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// A whole answer has been shown.
    pub fn loaded(&self) -> bool {
        self.arrived == Arrived::All
    }

    /// The index of the selected row.
    pub fn selected(&self) -> usize {
        self.selected
    }

    /// The series of the selected row.
    pub fn selected_series(&self) -> Option<&Series> {
        self.row(self.selected)
    }

    /// The number of rows that pass the filter.
    pub fn rows(&self) -> usize {
        self.order.len()
    }

    /// The order of the rows.
    pub fn sort(&self) -> Sort {
        self.sort
    }

    /// The filter of the rows.
    pub fn filter(&self) -> Option<&Filter> {
        self.filter.as_ref()
    }

    /// The columns.
    pub fn chosen(&self) -> &Chosen {
        &self.chosen
    }

    /// A job is under way whose result will be shown.
    pub fn arranging(&self) -> bool {
        self.again || self.under_way.as_ref().is_some_and(|job| job.wanted && !job.is_silent)
    }

    fn row(&self, row: usize) -> Option<&Series> {
        self.answer.series.get(self.order.place(row)?)
    }

    /// The index of the first row on a screen of this many rows.
    pub fn first(&self, rows: usize) -> usize {
        self.top.min(self.order.len().saturating_sub(rows))
    }

    /// The series on a screen of this many rows.
    pub fn visible(&self, rows: usize) -> impl Iterator<Item = &Series> {
        let from = self.first(rows);
        (from..from.saturating_add(rows).min(self.order.len())).map_while(|row| self.row(row))
    }

    /// Takes a new answer. A small or unsorted one is shown at once; otherwise a job is returned,
    /// and the old answer stays on the screen until [`Table::arranged`].
    pub fn show(
        &mut self,
        request: &str,
        answer: Answer,
        rows: usize,
        now: i64,
    ) -> Option<SortJob> {
        let answer = Arc::new(answer);
        self.freshness = Freshness::Polled;
        if self.is_partial() {
            self.arrived = Arrived::Nothing;
        }
        let other = request != self.request;
        if !self.loaded() || other {
            // A first answer is shown unsorted until its job is done.
            let all = u32::try_from(answer.series.len()).unwrap_or(u32::MAX);
            self.set(request, Arc::clone(&answer), Order::Reply(all), rows);
        }
        if let Some((_, unseen)) = self.next.replace((request.to_owned(), answer)) {
            self.discard_shared(unseen);
        }
        self.arrange(rows, now)
    }

    /// Shows the first rows of an answer that is still arriving, where nothing is shown yet and no other rows
    /// may come before them.
    pub fn show_first(&mut self, request: &str, answer: Answer, rows: usize) {
        if self.loaded() || !self.is_plain() {
            return;
        }
        let count = u32::try_from(answer.series.len()).unwrap_or(u32::MAX);
        self.arrived = Arrived::FirstRows;
        self.set(request, Arc::new(answer), Order::Reply(count), rows);
    }

    /// Drops the first rows of an answer whose end does not come, or of which others would come first.
    pub fn drop_first(&mut self) {
        if self.is_partial() {
            self.arrived = Arrived::Nothing;
            self.clear();
        }
    }

    /// The rows are the first ones of an answer that is still arriving.
    pub fn is_partial(&self) -> bool {
        self.arrived == Arrived::FirstRows
    }

    /// The window that is chosen for the numbers.
    pub fn window(&self) -> Window {
        self.numbers.window()
    }

    /// The window of the numbers that are shown, until those of the chosen one have come.
    pub fn shown_window(&self) -> Window {
        self.numbers.shown_window()
    }

    /// Chooses another window: the numbers are asked for anew.
    fn change_window(&mut self, step: i8, cx: &mut Context) {
        if !self.is_live() {
            return cx.say(Tone::Plain, "this server is polled: the numbers are of all points");
        }
        match self.numbers.window().beside(step) {
            Some(window) => self.numbers.set_window(window),
            None => cx.say(Tone::Plain, "there is no window beyond"),
        }
    }

    fn is_plain(&self) -> bool {
        self.sort == Sort::default() && self.filter.is_none()
    }

    /// Sets the order. What comes first in it is what is to be seen, so that the selection no
    /// longer follows its key.
    pub fn set_sort(&mut self, sort: Sort, rows: usize, now: i64) -> Option<SortJob> {
        (self.sort, self.key_widths) = (sort, KeyWidths::default());
        (self.held, self.selected, self.top) = (false, 0, 0);
        self.arrange(rows, now)
    }

    /// The filter that was dropped last.
    pub fn dropped_filter(&self) -> Option<&Filter> {
        self.dropped_filter.as_ref()
    }

    /// Sets the filter.
    pub fn set_filter(&mut self, filter: Option<Filter>, rows: usize, now: i64) -> Option<SortJob> {
        self.key_widths = KeyWidths::default();
        self.filter = filter;
        self.arrange(rows, now)
    }

    /// Performs an action of the table, which has this many rows on the screen, and cells for its columns.
    pub fn update(
        &mut self,
        action: TableAction,
        (rows, room): (usize, usize),
        cx: &mut Context,
    ) -> Option<SortJob> {
        let now = self.time(cx);
        match action {
            TableAction::SortBeside(step) => return self.sort_beside(step.into(), rows, now),
            TableAction::SortBy(number) => {
                return self.sort_by(number.into(), (rows, room), now);
            }
            TableAction::Reverse => {
                let sort = Sort { descending: !self.sort.descending, ..self.sort };
                return self.set_sort(sort, rows, now);
            }
            TableAction::Window(step) => self.change_window(step, cx),
            TableAction::Filter => {
                let text = self.filter.as_ref().map_or("", Filter::as_str).to_owned();
                cx.send(Message::Ask(InputPurpose::Filter(self.filter.clone()), text));
            }
            TableAction::Watch | TableAction::Chart => {
                let Some(key) = self.selected_key() else {
                    cx.say(Tone::Bad, "no key is selected");
                    return None;
                };
                if let Ok(pattern) = key.as_str().parse() {
                    cx.send(Message::Watch(pattern));
                }
                let chart = action == TableAction::Chart;
                cx.send(Message::Focus(if chart { Mode::Chart } else { Mode::Watch }));
            }
            TableAction::Leave => {
                let Some(filter) = self.filter.take() else {
                    cx.send(Message::Focus(Mode::Prompt));
                    return None;
                };
                cx.say(Tone::Plain, filter_dropped(&filter));
                self.dropped_filter = Some(filter);
                return self.set_filter(None, rows, now);
            }
        }
        None
    }

    /// Shows or hides a column; the key stays.
    pub fn toggle_column(&mut self, column: Column) {
        self.chosen.toggle(column);
    }

    /// Sorts by the next column on the left or the right; the order of the reply comes before the
    /// first column.
    pub fn sort_beside(&mut self, step: isize, rows: usize, now: i64) -> Option<SortJob> {
        let shown: Vec<_> = Sort::columns().filter(|&it| self.chosen.shows(it)).collect();
        let at = shown.iter().position(|&column| self.sort.column == Some(column));
        let next = at.map_or(0, |at| at + 1).cast_signed() + step;
        let next = next.rem_euclid(shown.len().cast_signed() + 1).cast_unsigned();
        let column = next.checked_sub(1).map(|at| shown[at]);
        self.set_sort(Self::natural(column), rows, now)
    }

    /// Sorts by the n-th column in sight, counted from 1, or reverses its order; 0 is the order of the
    /// reply.
    pub fn sort_by(
        &mut self,
        number: usize,
        (rows, room): (usize, usize),
        now: i64,
    ) -> Option<SortJob> {
        let column = match number.checked_sub(1) {
            None => None,
            Some(at) => Some(*self.sortable(rows, room).get(at)?),
        };
        self.sort_by_column(column, rows, now)
    }

    /// Sorts by a column, or reverses its order.
    fn sort_by_column(&mut self, column: Option<Column>, rows: usize, now: i64) -> Option<SortJob> {
        let mut sort = Self::natural(column);
        if column == self.sort.column && column.is_some() {
            sort.descending = !self.sort.descending;
        }
        self.set_sort(sort, rows, now)
    }

    /// The columns that can be sorted by among those that fit into `room` cells, from left to right.
    pub fn sortable(&self, rows: usize, room: usize) -> Vec<Column> {
        let (fitting, _) = self.columns_in(room, rows);
        let is_fitting = |column: &Column| fitting.iter().any(|(known, _)| known == column);
        Sort::columns().filter(is_fitting).collect()
    }

    /// The default order of a column: names and ages ascending, numbers and dates descending.
    fn natural(column: Option<Column>) -> Sort {
        let rising = [None, Some(Column::Key), Some(Column::Age)];
        Sort { column, descending: !rising.contains(&column) }
    }

    /// Sorts and filters the waiting answer, or the one shown: at once if that is quick, else by a
    /// job.
    fn arrange(&mut self, rows: usize, now: i64) -> Option<SortJob> {
        if self.is_partial() && !self.is_plain() {
            self.drop_first();
        }
        if !self.loaded() && self.next.is_none() {
            return None;
        }
        let waits = self.next.as_ref().map(|(_, answer)| answer);
        let answer = Arc::clone(waits.unwrap_or(&self.answer));
        let quick = answer.series.len() <= AT_ONCE || self.is_plain();
        if !quick {
            self.in_sight = InSight::Untidy;
        }
        self.again = !quick && self.under_way.is_some();
        if self.again {
            return None;
        }
        self.job += 1;
        let (id, sort, filter) = (self.job, self.sort, self.filter.clone());
        let is_compared = self.is_compared();
        let job = SortJob { id, answer, sort, filter: filter.clone(), is_compared, now };
        let waited = self.next.take().map(|(request, _)| request);
        let request = waited.unwrap_or_else(|| self.request.clone());
        if !quick {
            self.under_way =
                Some(UnderWay { id, request, sort, filter, wanted: true, is_silent: false });
            return Some(job);
        }
        if let Some(job) = &mut self.under_way {
            job.wanted = false;
        }
        let arranged = job.run();
        self.set(&request, arranged.answer, arranged.order, rows);
        None
    }

    /// Takes the result of a job and shows it, unless request, order or filter have changed since;
    /// returns the next job.
    pub fn arranged(&mut self, arranged: Sorted, rows: usize, now: i64) -> Option<SortJob> {
        let Sorted { id, answer, order } = arranged;
        let Some(job) = self.under_way.take_if(|job| job.id == id) else {
            self.discard_shared(answer);
            return None;
        };
        let wanted = job.wanted && job.request == self.request;
        if wanted && job.sort == self.sort && job.filter == self.filter {
            self.set(&job.request, answer, order, rows);
        } else if wanted && self.next.is_none() {
            self.next = Some((job.request, answer));
        } else {
            self.discard_shared(answer);
        }
        self.again.then(|| self.arrange(rows, now)).flatten()
    }

    /// Drops an answer that is not shown; a large one in the background.
    pub fn discard(&mut self, answer: Answer) {
        self.discard_shared(Arc::new(answer));
    }

    fn discard_shared(&mut self, answer: Arc<Answer>) {
        // The one shown is to be free at once.
        if !Arc::ptr_eq(&self.answer, &answer) && answer.series.len() > AT_ONCE {
            self.garbage.push(answer);
        }
    }

    /// Drops all rows; many of them in the background.
    pub fn clear(&mut self) {
        let answer = std::mem::take(&mut self.answer);
        self.discard_shared(answer);
        self.order = Order::default();
    }

    /// Takes the large answers to be dropped.
    pub fn take_garbage(&mut self) -> Vec<Arc<Answer>> {
        std::mem::take(&mut self.garbage)
    }

    fn set(&mut self, request: &str, answer: Arc<Answer>, order: Order, rows: usize) {
        if !self.is_partial() {
            self.arrived = Arrived::All;
        }
        if request != self.request {
            request.clone_into(&mut self.request);
            (self.held, self.selected, self.top) = (false, 0, 0);
        }
        let selected = self.held.then(|| self.selected_series()).flatten();
        let place = selected.and_then(|series| answer.find(series.key.as_key()));
        let selected = place.and_then(|place| order.row(place));
        // The selected row stays on its line of the screen.
        let line = self.selected.saturating_sub(self.top);
        if !Arc::ptr_eq(&self.answer, &answer) {
            (self.compared_rows, self.gone_of, self.let_go) = (0, None, None);
            let before = std::mem::replace(&mut self.answer, answer);
            self.discard_shared(before);
        }
        self.order = order;
        self.in_sight = InSight::InOrder;
        if self.held {
            self.selected = selected.unwrap_or(self.selected);
            self.top = self.selected.saturating_sub(line);
        } else {
            (self.selected, self.top) = (0, 0);
        }
        self.keep_in_sight(rows);
    }

    /// Moves the selection, up if negative, on a screen of this many rows. At the very top the
    /// selection no longer follows its key and stays on the first row.
    pub fn move_by(&mut self, lines: isize, rows: usize) {
        self.selected = self.selected.saturating_add_signed(lines);
        if lines != 0 {
            self.held = lines != isize::MIN;
        }
        self.keep_in_sight(rows);
    }

    /// Selects the row under the pointer.
    pub fn click(&mut self, mouse: MouseEvent, layout: &Layout) {
        let rows = layout.table_rows();
        // Below the border and the heading.
        let line = row_in(layout.table, mouse, 1 + layout.heading_rows(), rows);
        let row = line.map(|line| self.first(rows) + line);
        if let Some(row) = row.filter(|&row| row < self.order.len()) {
            (self.selected, self.held) = (row, true);
        }
    }

    fn keep_in_sight(&mut self, rows: usize) {
        let count = self.order.len();
        self.selected = self.selected.min(count.saturating_sub(1));
        self.top = self.top.min(self.selected).max((self.selected + 1).saturating_sub(rows));
        self.top = self.top.min(count.saturating_sub(rows));
    }

    /// The key that the selection follows.
    pub fn held_key(&self) -> Option<&KeyBuf> {
        self.selected_key().filter(|_| self.held)
    }

    /// The key of the selected row.
    pub fn selected_key(&self) -> Option<&KeyBuf> {
        self.selected_series().map(|series| &series.key)
    }
}

/// What is said of a filter that is dropped.
pub fn filter_dropped(filter: &Filter) -> String {
    format!("filter dropped, / ↑ brings back {}", filter.as_str())
}

#[cfg(test)]
mod tests;
