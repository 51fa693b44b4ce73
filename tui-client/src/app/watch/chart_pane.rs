//! The chart of the watched keys: its keys, its viewport and its cursor.

use jiff::tz::TimeZone;
use shared::Point;

use crate::app::chart::viewport::Viewport;
use crate::app::chart::{self, Chart, ChartSpec};
use crate::app::context::Context;
use crate::app::screen::layout::Layout;
use crate::app::screen::mouse::row_in;
use crate::app::watch::{Watch, Watched, wider};
use crate::event::MouseEvent;
use crate::keymap::ChartAction;
use crate::metrics::alerts::{Alert, Alerts};
use crate::metrics::recent_points::RecentPoints;
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
        let Some(bounds) = self.chart_bounds() else { return };
        let before = self.viewport.clone();
        match action {
            ChartAction::Zoom { closer } => self.viewport.zoom(closer, bounds),
            ChartAction::Pan(quarters) => self.viewport.pan(quarters, bounds),
            ChartAction::Cursor(step) => {
                let (_, columns) = self.chart_columns(layout, alerts, cx.zone());
                let points = self.selected_points();
                self.viewport.move_cursor(step, columns, &points, bounds);
                self.say_reading(&points, layout, cx);
            }
            ChartAction::Live => self.viewport.whole(),
            ChartAction::LogAxis => self.viewport.log = !self.viewport.log,
        }
        let why = match action {
            _ if self.viewport != before => None,
            ChartAction::Zoom { closer: true } => {
                Some("no closer: a second has a place of its own")
            }
            ChartAction::Zoom { .. } | ChartAction::Pan(_) if before.shows_all() => {
                Some("all of it is shown")
            }
            ChartAction::Pan(..0) => Some("there is nothing earlier"),
            ChartAction::Pan(_) => Some("there is nothing later"),
            _ => None,
        };
        if let Some(why) = why {
            cx.say(Tone::Plain, why);
        }
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
        let column = mouse.column.checked_sub(left).filter(|&column| column < columns);
        if let Some(column) = column {
            let points = self.selected_points();
            self.viewport.point_at(column, columns, &points, bounds);
            self.say_reading(&points, layout, cx);
        }
    }

    /// Shows the reading of the cursor on the bottom line if the chart has no legend.
    fn say_reading(&self, points: &RecentPoints, layout: &Layout, cx: &mut Context) {
        let cursor = self.viewport.cursor();
        let has_legend = chart::rows(self.chart_size(layout).1).0 > 0;
        let read = points.iter().find(|point| Some(point.timestamp) == cursor);
        if let Some(&Point { timestamp, value }) = read.filter(|_| !has_legend) {
            let date = time::date(timestamp, cx.zone());
            cx.say(Tone::Plain, format!("{date}  {}", number::exact(value)));
        }
    }

    /// The columns of the labels and of the plot on the screen.
    fn chart_columns(&self, layout: &Layout, alerts: &Alerts, zone: &TimeZone) -> (u16, u16) {
        let (width, height) = self.chart_size(layout);
        self.with_chart(height, alerts, zone, |spec| chart::columns(spec, width))
    }

    /// The columns and rows of the chart on the screen, with legend and axes.
    fn chart_size(&self, layout: &Layout) -> (u16, u16) {
        let Some(area) = layout.watch else { return (0, 0) };
        let rows = area.inner_rows().saturating_sub(layout.watch_rows(self.keys().len()));
        (area.width.saturating_sub(2), u16::try_from(rows).unwrap_or(u16::MAX))
    }

    /// The chart in this many columns and rows, with legend and axes.
    pub fn chart(&self, (width, height): (u16, u16), alerts: &Alerts, zone: &TimeZone) -> Chart {
        self.with_chart(height, alerts, zone, |spec| Chart::fitted(spec, width))
    }

    /// Passes the spec of the chart, without its columns, to a function.
    fn with_chart<T>(
        &self,
        height: u16,
        alerts: &Alerts,
        zone: &TimeZone,
        plot: impl FnOnce(&ChartSpec<'_>) -> T,
    ) -> T {
        let series = self.in_chart().filter_map(|key| key.series.as_ref());
        let lines: Vec<RecentPoints> = series.map(|series| series.recent().clone()).collect();
        let (_, rows) = chart::rows(height);
        plot(&ChartSpec {
            lines: &lines,
            range: self.viewport.range(self.chart_bounds().unwrap_or_default()),
            log: self.viewport.log,
            thresholds: &self.thresholds(alerts),
            cursor: self.viewport.cursor(),
            unit: self.chart_unit(),
            columns: 0,
            rows: rows.into(),
            zone,
        })
    }

    /// The keys whose points are in the chart, the selected one first.
    pub fn in_chart(&self) -> impl Iterator<Item = &Watched> {
        let charted = self.charted().filter(|key| key.series.is_some());
        charted.take(chart::MAX_LINES)
    }

    /// The values that alerts on the selected key compare with.
    pub fn thresholds(&self, alerts: &Alerts) -> Vec<f64> {
        let key = self.in_chart().next().map_or("", |first| &first.key);
        let alerts = alerts.alerts().filter(|alert| alert.concerns(key));
        alerts.filter_map(Alert::threshold).collect()
    }

    /// The unit that all lines share.
    fn chart_unit(&self) -> Unit {
        let mut units = self.in_chart().map(|key| Unit::of(&key.key));
        let first = units.next().unwrap_or_default();
        if units.all(|unit| unit == first) { first } else { Unit::Plain }
    }

    /// The points of the selected key, shared with its series.
    fn selected_points(&self) -> RecentPoints {
        let series = self.selected_key().and_then(|key| key.series.as_ref());
        series.map(|series| series.recent().clone()).unwrap_or_default()
    }

    /// The times of the first and last point of the keys in the chart.
    pub fn chart_bounds(&self) -> Option<(i64, i64)> {
        wider(self.in_chart().filter_map(|key| key.bounds))
    }

    /// The viewport of the chart.
    pub fn viewport(&self) -> &Viewport {
        &self.viewport
    }
}
