//! Points as a line of braille dots with ticks on both axes: geometry only, no colours.

use jiff::tz::TimeZone;
use shared::Point;

use super::format;

/// Steps between ticks of time, in seconds.
const TIME_STEPS: [i64; 22] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
    172_800, 604_800, 2_592_000, 31_536_000,
];

/// A label on an axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tick {
    /// Its column or row, counted from the left or the top.
    pub at: usize,
    /// Its text.
    pub label: String,
}

/// A chart, ready to be drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chart {
    /// Columns of the plot.
    pub columns: usize,
    /// Braille patterns (offsets from U+2800), row by row from the top.
    pub cells: Vec<u8>,
    /// Labels of the value axis.
    pub values: Vec<Tick>,
    /// Labels of the time axis, by the column of their middle.
    pub times: Vec<Tick>,
}

impl Chart {
    /// Plots points, oldest first, on a field of this many cells.
    pub fn new<'a>(
        points: impl Iterator<Item = &'a Point> + Clone,
        columns: usize,
        rows: usize,
        zone: &TimeZone,
    ) -> Self {
        let mut chart = Self { columns, cells: vec![0; columns * rows], ..Self::default() };
        let Some(frame) = Frame::around(points.clone(), columns, rows) else {
            return chart;
        };
        let mut before = None;
        for point in points {
            let to = frame.dot(*point);
            chart.line(before.unwrap_or(to), to);
            before = Some(to);
        }
        chart.values = frame.value_ticks(rows);
        chart.times = frame.time_ticks(columns, zone);
        chart
    }

    /// Sets the dots between two places, both included.
    fn line(&mut self, (x0, y0): (i64, i64), (x1, y1): (i64, i64)) {
        let steps = (x1 - x0).abs().max((y1 - y0).abs()).max(1);
        for step in 0..=steps {
            self.dot(x0 + (x1 - x0) * step / steps, y0 + (y1 - y0) * step / steps);
        }
    }

    fn dot(&mut self, x: i64, y: i64) {
        /// The bits of a braille pattern, by row and column of the dot.
        const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else {
            return;
        };
        if x / 2 < self.columns
            && let Some(cell) = self.cells.get_mut(y / 4 * self.columns + x / 2)
        {
            *cell |= DOTS[y % 4][x % 2];
        }
    }
}

/// What is in view, and how it maps to dots.
struct Frame {
    from: i64,
    to: i64,
    low: f64,
    high: f64,
    dots: (f64, f64),
}

impl Frame {
    #[expect(clippy::cast_precision_loss, reason = "a screen has few columns")]
    fn around<'a>(
        points: impl Iterator<Item = &'a Point>,
        columns: usize,
        rows: usize,
    ) -> Option<Self> {
        if columns == 0 || rows == 0 {
            return None;
        }
        let mut range: Option<(i64, i64, f64, f64)> = None;
        for &Point { timestamp, value } in points {
            let (from, to, low, high) = range.unwrap_or((timestamp, timestamp, value, value));
            range = Some((from.min(timestamp), to.max(timestamp), low.min(value), high.max(value)));
        }
        let (from, to, mut low, mut high) = range?;
        if low >= high {
            // A flat line runs through the middle.
            let room = (low.abs() / 20.0).max(0.5);
            (low, high) = ((low - room).max(f64::MIN), (high + room).min(f64::MAX));
        }
        Some(Self {
            from,
            to: to.max(from.saturating_add(1)),
            low,
            high,
            dots: ((columns * 2 - 1) as f64, (rows * 4 - 1) as f64),
        })
    }

    /// From 0 at the first moment to 1 at the last.
    #[expect(clippy::cast_precision_loss, reason = "a dot is coarser")]
    fn across(&self, timestamp: i64) -> f64 {
        let from = i128::from(self.from);
        (i128::from(timestamp) - from) as f64 / (i128::from(self.to) - from) as f64
    }

    /// From 0 at the top to 1 at the bottom. Halved, because a difference may overflow.
    fn down(&self, value: f64) -> f64 {
        (self.high / 2.0 - value / 2.0) / (self.high / 2.0 - self.low / 2.0)
    }

    #[expect(clippy::cast_possible_truncation, reason = "both are within the field")]
    fn dot(&self, point: Point) -> (i64, i64) {
        let x = self.across(point.timestamp) * self.dots.0;
        let y = self.down(point.value) * self.dots.1;
        (x.round() as i64, y.round() as i64)
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "few rows"
    )]
    fn value_ticks(&self, rows: usize) -> Vec<Tick> {
        let half_range = self.high / 2.0 - self.low / 2.0;
        let wanted = (rows as f64 / 3.0).clamp(1.0, 8.0);
        let step = nice(half_range / wanted * 2.0);
        if !(step.is_finite() && step > 0.0) {
            return Vec::new();
        }
        let first = (self.low / step).ceil();
        let mut ticks = Vec::new();
        for n in 0..20 {
            let value = (first + f64::from(n)) * step;
            if !value.is_finite() || value > self.high {
                break;
            }
            let at = (self.down(value) * (rows - 1) as f64).round().max(0.0) as usize;
            // Steps far below the value's own precision would repeat themselves.
            if at < rows && ticks.last().is_none_or(|last: &Tick| last.at > at) {
                // Adding zero turns -0 into 0.
                let label = format::rounded(value + 0.0, 9);
                ticks.push(Tick { at, label });
            }
        }
        ticks
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "few columns"
    )]
    fn time_ticks(&self, columns: usize, zone: &TimeZone) -> Vec<Tick> {
        let span = i128::from(self.to) - i128::from(self.from);
        let wanted = (columns / 16).max(1) as i128;
        let step = TIME_STEPS.iter().map(|&step| i128::from(step));
        let step = step.clone().find(|step| span / step <= wanted).unwrap_or(span / wanted);
        let form = match step {
            0..60 => "%H:%M:%S",
            60..43_200 if span < 86_400 => "%H:%M",
            60..43_200 => "%m-%d %H:%M",
            _ => "%Y-%m-%d",
        };
        // Aligned to the local day, so that ticks fall on round times of day.
        let offset = jiff::Timestamp::from_second(self.from)
            .map_or(0, |time| i128::from(zone.to_offset(time).seconds()));
        let first = (i128::from(self.from) + offset).div_euclid(step) * step - offset;
        let mut ticks = Vec::new();
        for n in 0..=wanted + 2 {
            let Ok(time) = i64::try_from(first + n * step) else {
                break;
            };
            if time < self.from || time > self.to {
                continue;
            }
            ticks.push(Tick {
                at: (self.across(time) * (columns - 1) as f64).round() as usize,
                label: format::formatted(time, zone, form),
            });
        }
        ticks
    }
}

/// The least of 1, 2, 5, 10, … that is not below `step`.
fn nice(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let times = [1.0, 2.0, 5.0, 10.0].into_iter();
    times.map(|n| n * power).find(|&n| n >= step).unwrap_or(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: &[(i64, f64)], columns: usize, rows: usize) -> Chart {
        let points: Vec<_> =
            points.iter().map(|&(timestamp, value)| Point { timestamp, value }).collect();
        Chart::new(points.iter(), columns, rows, &TimeZone::UTC)
    }

    #[test]
    fn a_rising_line_goes_from_corner_to_corner() {
        let chart = chart(&[(0, 0.0), (60, 10.0)], 40, 10);
        assert_eq!(chart.cells[9 * 40] & 0x40, 0x40, "bottom left");
        assert_eq!(chart.cells[39] & 0x08, 0x08, "top right");
        let labels: Vec<_> = chart.values.iter().map(|tick| &*tick.label).collect();
        assert_eq!(labels, ["0", "5", "10"]);
        let labels: Vec<_> = chart.times.iter().map(|tick| &*tick.label).collect();
        assert_eq!(labels, ["00:00:00", "00:00:30", "00:01:00"]);
    }

    #[test]
    fn extremes_do_not_break_it() {
        for points in [
            &[][..],
            &[(5, 1.0)],
            &[(i64::MIN, f64::MIN), (i64::MAX, f64::MAX)],
            &[(0, f64::MAX), (1, f64::MAX)],
            &[(0, 0.0), (0, 5e-324)],
            &[(0, 1e16), (1, 1e16 + 2.0)],
        ] {
            for (columns, rows) in [(0, 0), (1, 1), (40, 10), (200, 60)] {
                let chart = chart(points, columns, rows);
                assert_eq!(chart.cells.len(), columns * rows);
                assert!(chart.times.iter().all(|tick| tick.at < columns));
            }
        }
    }
}
