//! What one can do with the table, the watched keys and their chart besides moving.

use std::time::Duration;

use shared::Glob;

use crate::app::App;
use crate::app::editor::Edit;
use crate::app::field::{Field, Purpose};
use crate::app::log::Tone;
use crate::app::mode::Mode;
use crate::app::poll_cost::Rates;
use crate::effect::Effect;
use crate::event::Moment;
use crate::metrics::alerts::{AlertEvent, Change};
use crate::metrics::expression::Alert;
use crate::metrics::sort::Sort;
use crate::text::format;

/// Intervals that `+` and `-` go through.
const INTERVALS: [u64; 13] =
    [100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 300_000, 900_000, 3_600_000];

/// What a key can mean in the table, among the watched keys, in the chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewAction {
    /// Order by the column beside.
    SortBeside(i8),
    /// Order by this column, counted from 1; 0 is the order of the reply.
    SortBy(u8),
    /// Order the other way round.
    Reverse,
    /// Type a filter.
    Filter,
    /// Choose columns.
    Columns,
    /// Show or hide the selected column.
    ToggleColumn,
    /// Watch the selected key of the table, its chart all over the screen.
    ChartSelected,
    /// Type a key or a glob to watch.
    AddWatch,
    /// Type an alert.
    AddAlert,
    /// Take the alerts on the selected key away.
    DropAlerts,
    /// Ask more often, or less.
    Interval(i8),
    /// Chart the selected key with others.
    Mark,
    /// Chart all keys.
    MarkAll,
    /// The chart all over the screen, or not.
    Full,
    /// Leave what was opened last: the cursor, the whole screen, the list, the filter, the line.
    Leave,
    /// Take the line that was typed.
    Accept,
    /// Edit the line.
    Edit(Edit),
    /// Half the time in the chart, or twice.
    Zoom(bool),
    /// Move the chart by quarters of its width.
    Pan(i8),
    /// Move the cursor of the chart by columns.
    Cursor(i8),
    /// All points in the chart.
    Whole,
    /// A logarithmic value axis, or not.
    Log,
}

impl App {
    pub(super) fn perform_view(&mut self, action: ViewAction, now: Moment) {
        let rows = self.layout().table_rows();
        let unix = now.unix();
        let job = match action {
            ViewAction::SortBeside(step) => self.table.sort_beside(step.into(), rows, unix),
            ViewAction::SortBy(number) => self.table.sort_by(number.into(), rows, unix),
            ViewAction::Reverse => {
                let sort = self.table.sort();
                let sort = Sort { descending: !sort.descending, ..sort };
                self.table.set_sort(sort, rows, unix)
            }
            _ => None,
        };
        self.wishes.extend(job.map(Effect::Arrange));
        match action {
            ViewAction::SortBeside(_) | ViewAction::SortBy(_) | ViewAction::Reverse => {}
            ViewAction::Filter => {
                let before = self.table.filter().cloned();
                let text = before.as_ref().map_or(String::new(), |filter| filter.as_str().into());
                self.open_field(Purpose::Filter(before), &text);
            }
            ViewAction::Columns => self.mode = Mode::Columns,
            ViewAction::ToggleColumn => self.table.chosen_mut().toggle(),
            ViewAction::ChartSelected => {
                self.watch_selected();
                if self.mode == Mode::Watch {
                    self.mode = Mode::Chart;
                }
            }
            ViewAction::AddWatch => self.open_field(Purpose::Watch, ""),
            ViewAction::AddAlert => {
                let text = self.key_in_hand().map_or(String::new(), |key| format!("{key} > "));
                self.open_field(Purpose::Alert, &text);
            }
            ViewAction::DropAlerts => self.drop_alerts(),
            ViewAction::Interval(step) => self.change_interval(step, now),
            ViewAction::Mark => self.watch.toggle_mark(),
            ViewAction::MarkAll => self.watch.toggle_all(),
            ViewAction::Full if self.mode == Mode::Chart => self.mode = Mode::Watch,
            ViewAction::Full => self.mode = Mode::Chart,
            ViewAction::Leave => self.leave(),
            ViewAction::Accept => self.accept_field(),
            ViewAction::Edit(edit) => self.change_field(|field| field.edit(edit)),
            ViewAction::Zoom(_)
            | ViewAction::Pan(_)
            | ViewAction::Cursor(_)
            | ViewAction::Whole
            | ViewAction::Log => self.look_otherwise(action),
        }
    }

    /// The key that the selection is on.
    fn key_in_hand(&self) -> Option<String> {
        match self.mode {
            Mode::Table => self.table.selected_key().map(ToString::to_string),
            _ => self.watch.selected_key().map(|key| key.key.clone()),
        }
    }

    fn change_interval(&mut self, step: i8, now: Moment) {
        let current = u64::try_from(self.interval.as_millis()).unwrap_or(u64::MAX);
        let mut steps = INTERVALS.into_iter();
        let next = if step > 0 {
            steps.find(|&millis| millis > current)
        } else {
            steps.rev().find(|&millis| millis < current)
        };
        let Some(next) = next else {
            return self.say(Tone::Plain, "there is no interval beyond");
        };
        self.interval = Duration::from_millis(next);
        let soon = now.elapsed + self.interval;
        self.refresh_at = self.refresh_at.min(soon);
        self.watch.hurry(soon);
        self.stretched = self.stretched.filter(|&period| period > self.interval);
        self.say(Tone::Plain, format!("asking every {}", format::interval(self.interval)));
    }

    fn leave(&mut self) {
        match self.mode {
            Mode::Chart | Mode::Watch if self.look.drop_cursor() => {}
            Mode::Chart => self.mode = Mode::Watch,
            Mode::Columns => self.mode = Mode::Table,
            Mode::Table if self.table.filter().is_some() => {
                self.filter_by(None);
                self.say(Tone::Plain, "filter dropped");
            }
            Mode::Field => {
                let Some(field) = self.field.take() else { return };
                self.mode = field.back;
                if let Purpose::Filter(before) = field.purpose {
                    self.filter_by(before);
                }
            }
            _ => self.mode = Mode::Prompt,
        }
    }

    fn open_field(&mut self, purpose: Purpose, text: &str) {
        self.field = Some(Field::new(purpose, self.mode, text));
        self.mode = Mode::Field;
    }

    pub(super) fn type_in_field(&mut self, text: &str) {
        self.change_field(|field| field.insert(text));
    }

    /// A whole alert takes the place of one that was only begun.
    pub(super) fn paste_in_field(&mut self, text: &str) {
        let is_alert = |text: &str| text.parse::<Alert>().is_ok();
        // As on a command line.
        let bare = text.trim().strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
        let text = bare.filter(|text| is_alert(text)).unwrap_or(text);
        self.change_field(|field| {
            if field.purpose == Purpose::Alert && is_alert(text) && !is_alert(field.text()) {
                field.edit(Edit::KillAll);
            }
            field.insert(text);
        });
    }

    fn change_field(&mut self, change: impl FnOnce(&mut Field)) {
        let Some(field) = &mut self.field else { return };
        change(field);
        // The table shows what the filter does while it is being typed.
        if let Purpose::Filter(_) = field.purpose {
            if field.text().trim().is_empty() {
                self.filter_by(None);
            } else if let Some(filter) = field.settled_filter() {
                self.filter_by(Some(filter));
            }
        }
    }

    fn filter_by(&mut self, filter: Option<crate::metrics::expression::Filter>) {
        if self.table.filter() != filter.as_ref() {
            let rows = self.layout().table_rows();
            let job = self.table.set_filter(filter, rows, self.now.unix());
            self.wishes.extend(job.map(Effect::Arrange));
        }
    }

    fn accept_field(&mut self) {
        let Some(field) = self.field.take() else {
            self.mode = Mode::Prompt;
            return;
        };
        if let Some((at, reason)) = field.fault() {
            self.say(Tone::Bad, format!("at character {}: {reason}", at + 1));
            self.field = Some(field);
            return;
        }
        self.mode = field.back;
        let text = field.text().trim();
        if text.is_empty() {
            return;
        }
        match field.purpose {
            // A word that could have become something else is a part of a key now.
            Purpose::Filter(_) => self.filter_by(text.parse().ok()),
            Purpose::Alert => {
                if let Ok(alert) = text.parse::<Alert>() {
                    self.add_alert(alert);
                }
            }
            Purpose::Watch => {
                if let Ok(pattern) = text.parse::<Glob>() {
                    self.watch_also(pattern);
                    self.focus(Mode::Watch);
                }
            }
        }
    }

    pub(super) fn watch_also(&mut self, pattern: Glob) {
        self.watch.add(pattern);
        self.refresh_at = self.now.elapsed;
        // Of what it brings, the alerts know nothing yet.
        let now = self.now;
        self.judge_watched(now);
    }

    fn add_alert(&mut self, alert: Alert) {
        self.watch.cover(alert.pattern());
        self.say(Tone::Good, format!("alert on {alert}"));
        self.alerts.add(alert);
        let now = self.now;
        self.judge_watched(now);
    }

    fn drop_alerts(&mut self) {
        let Some(key) = self.key_in_hand() else { return };
        let gone = self.alerts.drop_alerts_on(&key) as u64;
        let text = match gone {
            0 => format!("no alert on {key}"),
            _ => format!("{} on {key} gone", format::plural(gone, "alert", "alerts")),
        };
        self.say(Tone::Plain, text);
        let now = self.now;
        self.judge_watched(now);
    }

    /// Holds the watched keys against the alerts; rings when one fires.
    pub(super) fn judge_watched(&mut self, now: Moment) {
        let known = self.watch.keys().iter().filter_map(|key| key.series.as_ref());
        let complete = |pattern: &Glob| self.watch.has_heard_of(pattern);
        for AlertEvent { change, text } in
            self.alerts.evaluate(known, |_| true, complete, now.unix())
        {
            match change {
                Change::Resolved => self.note(now, Tone::Good, &text),
                Change::NoData => self.note(now, Tone::Plain, &text),
                Change::Firing => {
                    self.note(now, Tone::Bad, &text);
                    self.say(Tone::Bad, text);
                    if !self.wishes.contains(&Effect::Bell) {
                        self.wishes.push(Effect::Bell);
                    }
                }
            }
        }
        self.watch.mark_alarms(|key| self.alerts.fires(key));
    }

    /// The line that is being typed, if it is not a request.
    pub fn field(&self) -> Option<&Field> {
        self.field.as_ref()
    }

    /// What should not be.
    pub fn alerts(&self) -> impl ExactSizeIterator<Item = &Alert> {
        self.alerts.alerts()
    }

    /// What the polling costs, while there is any.
    pub fn cost(&self) -> Option<Rates> {
        let rates = self.poll_cost.rates(self.now.elapsed)?;
        (!self.paused && self.link.is_connected()).then_some(rates)
    }

    /// The interval that the server can keep, when it is longer than the one wanted.
    pub fn stretched(&self) -> Option<Duration> {
        self.stretched
    }
}
