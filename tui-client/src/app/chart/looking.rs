//! The chart as it is looked at: which keys and which part of time, and what its cursor reads.

use shared::Point;

use crate::app::App;
use crate::app::chart::viewport::Viewport;
use crate::app::chart::{self, Chart, Spec};
use crate::app::log::Tone;
use crate::app::views::ViewAction;
use crate::app::watch::{Watched, wider};
use crate::event::MouseEvent;
use crate::metrics::expression::Alert;
use crate::text::format;
use crate::text::units::Unit;

impl App {
    pub(crate) fn look_otherwise(&mut self, action: ViewAction) {
        let Some(bounds) = self.chart_bounds() else {
            return;
        };
        let before = self.look.clone();
        match action {
            ViewAction::Zoom(closer) => self.look.zoom(closer, bounds),
            ViewAction::Pan(quarters) => self.look.pan(quarters, bounds),
            ViewAction::Cursor(step) => {
                let (_, columns) = self.chart_columns();
                let points: Vec<Point> = self.selected_points().copied().collect();
                self.look.move_cursor(step, columns, &points, bounds);
                self.say_what_is_read(&points);
            }
            ViewAction::Whole => self.look.whole(),
            _ => self.look.log = !self.look.log,
        }
        let why = match action {
            _ if self.look != before => None,
            ViewAction::Zoom(true) => Some("no closer: a second has a place of its own"),
            ViewAction::Zoom(false) | ViewAction::Pan(_) if before.shows_all() => {
                Some("all of it is shown")
            }
            ViewAction::Pan(..0) => Some("there is nothing earlier"),
            ViewAction::Pan(_) => Some("there is nothing later"),
            _ => None,
        };
        if let Some(why) = why {
            self.say(Tone::Plain, why);
        }
    }

    /// A chart that is too low for a legend has it on the bottom line.
    fn say_what_is_read(&mut self, points: &[Point]) {
        let cursor = self.look.cursor();
        let read = points.iter().find(|point| Some(point.timestamp) == cursor);
        if let Some(&Point { timestamp, value }) = read.filter(|_| !self.has_legend()) {
            let date = format::date(timestamp, &self.zone);
            self.say(Tone::Plain, format!("{date}  {}", format::exact(value)));
        }
    }

    fn has_legend(&self) -> bool {
        chart::rows(self.chart_size().1).0 > 0
    }

    /// Puts the cursor of the chart where the mouse points to, if that is in the chart.
    pub(crate) fn point_in_chart(&mut self, mouse: MouseEvent) {
        let layout = self.layout();
        let Some(area) = layout.watch else { return };
        let rows = u16::try_from(layout.watch_rows(self.watch.keys().len())).unwrap_or(u16::MAX);
        // Within the border, below the keys, behind the labels and the axis.
        let below = mouse.row > area.y.saturating_add(rows);
        let Some(bounds) = self.chart_bounds().filter(|_| below) else { return };
        let (labels, columns) = self.chart_columns();
        let left = area.x.saturating_add(labels + 2);
        let column = mouse.column.checked_sub(left).filter(|&column| column < columns);
        if let Some(column) = column {
            let points: Vec<Point> = self.selected_points().copied().collect();
            self.look.point_at(column, columns, &points, bounds);
            self.say_what_is_read(&points);
        }
    }

    /// The columns of the labels and of the plot on the screen.
    fn chart_columns(&self) -> (u16, u16) {
        let (width, height) = self.chart_size();
        self.with_chart(height, |spec| chart::columns(spec, width))
    }

    /// Its columns and rows on the screen, those of the legend and the axes counted.
    fn chart_size(&self) -> (u16, u16) {
        let layout = self.layout();
        let Some(area) = layout.watch else { return (0, 0) };
        let rows = area.inner_rows().saturating_sub(layout.watch_rows(self.watch.keys().len()));
        (area.width.saturating_sub(2), u16::try_from(rows).unwrap_or(u16::MAX))
    }

    /// The chart in this many columns and rows, those of the legend and the axes counted.
    pub fn chart(&self, width: u16, height: u16) -> Chart {
        self.with_chart(height, |spec| Chart::fitted(spec, width))
    }

    /// What is to be plotted, but for its columns.
    fn with_chart<T>(&self, height: u16, plot: impl FnOnce(&Spec<'_>) -> T) -> T {
        let series = self.in_chart().filter_map(|key| key.series.as_ref());
        let lines: Vec<Vec<Point>> =
            series.map(|series| series.recent.iter().copied().collect()).collect();
        let (_, rows) = chart::rows(height);
        plot(&Spec {
            lines: &lines,
            range: self.look.range(self.chart_bounds().unwrap_or_default()),
            log: self.look.log,
            thresholds: &self.chart_thresholds(),
            cursor: self.look.cursor(),
            unit: self.chart_unit(),
            columns: 0,
            rows: rows.into(),
            zone: &self.zone,
        })
    }

    /// The keys whose points are in the chart, the selected one first.
    pub fn in_chart(&self) -> impl Iterator<Item = &Watched> {
        let charted = self.watch.charted().filter(|key| key.series.is_some());
        charted.take(chart::MAX_LINES)
    }

    /// The values that alerts on the selected key compare with.
    pub fn chart_thresholds(&self) -> Vec<f64> {
        let key = self.in_chart().next().map_or("", |first| &first.key);
        let alerts = self.alerts().filter(|alert| alert.concerns(key));
        alerts.filter_map(Alert::threshold).collect()
    }

    /// The unit that all lines share.
    fn chart_unit(&self) -> Unit {
        let mut units = self.in_chart().map(|key| Unit::of(&key.key));
        let first = units.next().unwrap_or_default();
        if units.all(|unit| unit == first) { first } else { Unit::Plain }
    }

    fn selected_points(&self) -> impl Iterator<Item = &Point> {
        let series = self.watch.selected_key().and_then(|key| key.series.as_ref());
        series.into_iter().flat_map(|series| &series.recent)
    }

    /// The first and the last moment of the points that may be charted.
    pub fn chart_bounds(&self) -> Option<(i64, i64)> {
        wider(self.in_chart().filter_map(|key| key.bounds))
    }

    /// How the chart is looked at.
    pub fn look(&self) -> &Viewport {
        &self.look
    }
}
