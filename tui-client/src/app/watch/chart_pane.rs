//! The chart of the watched keys: its keys, its viewport and its cursor.

use jiff::tz::TimeZone;

use crate::app::chart::line::Line;
use crate::app::chart::viewport::Viewport;
use crate::app::chart::{self, Chart, ChartSpec};
use crate::app::context::Context;
use crate::app::screen::layout::Layout;
use crate::app::screen::mouse::row_in;
use crate::app::watch::{Watch, Watched};
use crate::event::MouseEvent;
use crate::keymap::ChartAction;
use crate::metrics::alerts::{Alert, Alerts};
use crate::session::ChartView;
use crate::text::units::Unit;
use crate::text::{number, time};
use crate::wire_log::entry::Tone;

impl Watch {
    /// Performs an action of the chart.
    pub fn update_chart(
        &mut self,
        action: ChartAction,
        layout: &Layout,
        alerts: &Alerts,
        cx: &mut Context,
    ) {
        let Some(bounds) = self.chart_bounds() else {
            return cx.say(Tone::Plain, "no points in the chart yet");
        };
        let before = self.viewport.clone();
        self.unreached = None;
        match action {
            ChartAction::Zoom { closer } => {
                let before = self.nearest_before(self.viewport.range(bounds).0, layout);
                self.viewport.zoom(closer, bounds, before);
            }
            ChartAction::Pan(quarters) => {
                let mut viewport = self.viewport.clone();
                let before = |time| self.nearest_before(time, layout);
                let after = |time| self.in_chart().filter_map(|key| key.nearest_after(time)).min();
                viewport.pan(quarters, bounds, before, after);
                self.viewport = viewport;
            }
            ChartAction::Cursor(step) => {
                let (_, columns) = self.chart_columns(layout, alerts, cx.zone());
                let line = self.selected_line(layout);
                self.viewport.move_cursor(step, columns, &line, bounds);
                self.say_reading(&line, layout, cx);
            }
            ChartAction::End { first } => {
                let Some(time) = self.selected_end(first) else { return };
                self.viewport.go_to(time, bounds);
                self.say_reading(&self.selected_line(layout), layout, cx);
            }
            ChartAction::Window(seconds) => {
                let cursor = self.viewport.cursor();
                self.viewport.choose(seconds);
                // The place in time stays.
                if let Some(at) = cursor {
                    self.viewport.go_to(at, bounds);
                }
            }
            ChartAction::LogAxis => self.viewport.log = !self.viewport.log,
        }
        let why = match action {
            _ if self.viewport != before => None,
            ChartAction::Zoom { closer: true } => {
                Some("no closer: a second has a place of its own")
            }
            ChartAction::Zoom { .. } => Some("all of it is shown"),
            ChartAction::Pan(_) if before.shows_all(bounds) => Some("all of it is shown"),
            ChartAction::End { first: true } => Some("this is the first point"),
            ChartAction::End { first: false } => Some("this is the last point"),
            ChartAction::Pan(..0) => Some("there is nothing earlier"),
            ChartAction::Pan(_) => Some("there is nothing later"),
            _ => None,
        };
        if let Some(why) = why {
            cx.say(Tone::Plain, why);
        }
    }

    /// Moves the cursor of the chart to a Unix time, and the window so that it is in sight: at once, or
    /// with [`Watch::reach`] when it is known that there are points for so long.
    pub fn point_to(&mut self, at: i64) {
        let Some(bounds) = self.chart_bounds() else { return };
        let window = self.viewport.window();
        self.viewport.go_to(at, bounds);
        // Earlier points may come, which are shown around it then.
        self.unreached = (at < bounds.first).then_some((at, window));
    }

    /// Moves the window to the time that the cursor points to, if more points are known by now.
    pub fn reach(&mut self) {
        let Some((at, window)) = self.unreached else { return };
        let is_known = self.chart_bounds().is_some_and(|bounds| bounds.first <= at);
        if !is_known || self.viewport.cursor() != Some(at) {
            return;
        }
        self.viewport.show(window, Some(at));
        self.point_to(at);
    }

    /// Shows the chart as it was elsewhere.
    pub fn show_view(&mut self, chart: &ChartView) {
        self.unreached = None;
        self.viewport.show(chart.window, chart.cursor);
        self.viewport.log = chart.log;
    }

    /// Selects and marks the keys that were elsewhere.
    pub fn select_and_mark(&mut self, chart: &ChartView) {
        for watched in &mut self.keys {
            watched.kept |= chart.marked.contains(&watched.key);
        }
        let unknown = chart.marked.iter().filter(|key| self.place(key.as_str()).is_none());
        self.to_mark = unknown.cloned().collect();
        let selected = chart.selected.as_ref().and_then(|key| self.place(key));
        self.selected = selected.unwrap_or(self.selected);
    }

    /// Seconds of a step of the selected line, 1 where it has points; none before it has any.
    pub fn selected_step(&self, layout: &Layout) -> Option<u64> {
        let line = self.selected_line(layout);
        let is_known = line.iter().next().is_some();
        is_known.then(|| line.step().unwrap_or(1))
    }

    /// Shows the newest points in the chart as at the start, and follows them.
    pub fn go_live(&mut self) {
        self.unreached = None;
        self.viewport.live();
        self.open_anew();
    }

    /// The time of the first or the last point of the selected key, without strays of the future
    /// unless they are shown.
    fn selected_end(&self, first: bool) -> Option<i64> {
        let times = self.selected_key()?.times()?;
        // Of all keys in the chart: the selected one may lag behind.
        let bounds = self.chart_bounds()?;
        let (_, to) = self.viewport.range(bounds);
        Some(match first {
            true => times.first,
            false if to > bounds.newest => times.last,
            false => times.newest,
        })
    }

    /// Selects the key under the pointer, or moves the cursor of the chart there.
    pub fn click(&mut self, mouse: MouseEvent, layout: &Layout, alerts: &Alerts, cx: &mut Context) {
        let rows = layout.watch_rows(self.keys().len());
        if let Some(row) = row_in(layout.watch, mouse, 1, rows) {
            let at = self.first_visible(rows) + row;
            self.move_by(at.cast_signed() - self.selected().cast_signed());
        }
        let Some(area) = layout.watch else { return };
        // The plot begins below the border and the keys, right of the labels and the axis.
        let below = usize::from(mouse.row) > usize::from(area.y) + rows;
        let Some(bounds) = self.chart_bounds().filter(|_| below) else { return };
        let (labels, columns) = self.chart_columns(layout, alerts, cx.zone());
        let left = area.x.saturating_add(labels + 2);
        // The values at the ends of the lines stand for the last column.
        let last = columns.checked_sub(1);
        let column = mouse.column.checked_sub(left).and_then(|column| Some(column.min(last?)));
        if let Some(column) = column {
            let line = self.selected_line(layout);
            self.viewport.point_at(column, columns, &line, bounds);
            self.say_reading(&line, layout, cx);
        }
    }

    /// Shows the reading of the cursor on the bottom line if the chart has no legend.
    fn say_reading(&self, line: &Line, layout: &Layout, cx: &mut Context) {
        let has_legend = chart::rows(self.chart_size(layout).1, self.in_chart().count()).0 > 0;
        let Some(cursor) = self.viewport.cursor().filter(|_| !has_legend) else { return };
        let read = line.iter().find(|sample| sample.timestamp == cursor);
        let values = match read {
            Some(sample) => number::range(sample.min, sample.max, number::exact),
            // The server is asked for the window that the cursor has gone to.
            None => "asking …".to_owned(),
        };
        cx.say(Tone::Plain, format!("{}  {values}", time::date(cursor, cx.zone())));
    }

    /// The time of the nearest point before a time, of any line, as far as it is known.
    pub fn nearest_before(&self, time: i64, layout: &Layout) -> Option<i64> {
        let bounds = self.chart_bounds()?;
        let view = self.view(bounds, self.chart_size(layout).0);
        self.in_chart().filter_map(|key| key.nearest_before(time, &view)).max()
    }

    /// The columns of the labels and of the plot on the screen.
    fn chart_columns(&self, layout: &Layout, alerts: &Alerts, zone: &TimeZone) -> (u16, u16) {
        let (width, height) = self.chart_size(layout);
        self.with_chart((width, height), &[], alerts, zone, |spec| chart::columns(spec, width))
    }

    /// The columns and rows of the chart on the screen, with legend and axes.
    pub(super) fn chart_size(&self, layout: &Layout) -> (u16, u16) {
        let Some(area) = layout.watch else { return (0, 0) };
        let rows = area.inner_rows().saturating_sub(layout.watch_rows(self.keys().len()));
        (area.width.saturating_sub(2), u16::try_from(rows).unwrap_or(u16::MAX))
    }

    /// The chart in this many columns and rows, with legend and axes; some times have a line.
    pub fn chart(
        &self,
        size: (u16, u16),
        events: &[i64],
        alerts: &Alerts,
        zone: &TimeZone,
    ) -> Chart {
        self.with_chart(size, events, alerts, zone, |spec| Chart::fitted(spec, size.0))
    }

    /// Passes the spec of the chart, without its columns, to a function.
    fn with_chart<T>(
        &self,
        (width, height): (u16, u16),
        events: &[i64],
        alerts: &Alerts,
        zone: &TimeZone,
        plot: impl FnOnce(&ChartSpec<'_>) -> T,
    ) -> T {
        let view = self.view(self.chart_bounds().unwrap_or_default(), width);
        let lines = self.lines(&view);
        let (_, rows) = chart::rows(height, lines.len());
        plot(&ChartSpec {
            lines: &lines,
            range: (view.from, view.to),
            log: self.viewport.log,
            thresholds: &self.thresholds(alerts),
            cursor: self.viewport.cursor(),
            events,
            units: &self.in_chart().map(|key| Unit::of(&key.key)).collect::<Vec<_>>(),
            has_right: false,
            columns: 0,
            rows: rows.into(),
            zone,
        })
    }

    /// The keys whose points are in the chart, the selected one first.
    pub fn in_chart(&self) -> impl Iterator<Item = &Watched> {
        let charted = self.charted().filter(|key| key.is_chartable());
        charted.take(chart::MAX_LINES)
    }

    /// Gives each key in the chart a colour and a letter, which no other key has as long as it is
    /// drawn.
    pub fn number_lines(&mut self) {
        let drawn: Vec<usize> =
            self.in_chart().filter_map(|key| self.places.get(&key.key).copied()).collect();
        for (place, key) in self.keys.iter_mut().enumerate() {
            key.line.take_if(|_| !drawn.contains(&place));
        }
        let mut taken: Vec<_> = self.keys.iter().filter_map(|key| key.line).collect();
        for place in drawn {
            if let Some(key) = self.keys.get_mut(place).filter(|key| key.line.is_none()) {
                key.line = (0..chart::MAX_LINES).find(|line| !taken.contains(line));
                taken.extend(key.line);
            }
        }
    }

    /// The numbers of the colours of the lines in the chart, in their order.
    pub fn line_numbers(&self) -> Vec<usize> {
        self.in_chart().map(Watched::line_number).collect()
    }

    /// The values that alerts on the selected key compare with.
    pub fn thresholds(&self, alerts: &Alerts) -> Vec<f64> {
        let key = self.in_chart().next().map_or("", |first| &first.key);
        let alerts = alerts.alerts().filter(|alert| alert.concerns(key));
        alerts.filter_map(Alert::threshold).collect()
    }

    /// The line of the selected key.
    fn selected_line(&self, layout: &Layout) -> Line {
        let view = self.view(self.chart_bounds().unwrap_or_default(), self.chart_size(layout).0);
        self.selected_key().map(|key| key.line(&view)).unwrap_or_default()
    }

    /// The viewport of the chart.
    pub fn viewport(&self) -> &Viewport {
        &self.viewport
    }
}
