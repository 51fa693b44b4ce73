//! The axes of a chart: the mapping of times and values to dots, and the ticks with labels.

use jiff::tz::TimeZone;

use crate::app::chart::calendar::{STEPS, TimeStep};
use crate::app::chart::line::Line;
use crate::app::chart::{AxisTick, ChartSpec};
use crate::text::units::{Scale, Unit};
use crate::text::width::width;
use crate::text::{time, units};

/// Columns for each label of time.
const LABEL_SPACING: usize = 16;

/// Columns between two labels of time.
const LABEL_GAP: usize = 2;

/// The visible range, and its mapping to dots. Values of a logarithmic axis are logarithms.
pub(super) struct Axes {
    from: i64,
    to: i64,
    low: f64,
    high: f64,
    /// The last dot on each axis.
    dots: (f64, f64),
    /// Dots a second, and dots for two units of the value.
    scale: (f64, f64),
    unit: Unit,
    /// The step of ticks in rows at even distances, if the range is made for them.
    even_step: Option<f64>,
}

impl Axes {
    #[expect(clippy::cast_precision_loss, reason = "a screen has few columns")]
    pub(super) fn around(
        spec: &ChartSpec<'_>,
        unit: Unit,
        (mut low, mut high): (f64, f64),
    ) -> Option<Self> {
        if spec.columns == 0 || spec.rows == 0 || spec.lines.iter().all(Line::is_unknown) {
            return None;
        }
        if low >= high {
            // A constant line is in the middle.
            let room = (low.abs() / 20.0).max(0.5);
            (low, high) = ((low - room).max(f64::MIN), (high + room).min(f64::MAX));
        }
        let even = if spec.log { None } else { even_range((low, high), spec.rows) };
        let even_step = even.map(|(range, step)| {
            (low, high) = range;
            step
        });
        let (mut from, mut to) = spec.range;
        if from >= to {
            // A single time is in the middle.
            (from, to) = (from.saturating_sub(1), from.saturating_add(1));
        }
        let dots = ((spec.columns * 2 - 1) as f64, (spec.rows * 4 - 1) as f64);
        let scale = (dots.0 / to.abs_diff(from) as f64, dots.1 / (high / 2.0 - low / 2.0));
        Some(Self { from, to, low, high, dots, scale, unit, even_step })
    }

    /// Seconds since the first time.
    #[expect(clippy::cast_precision_loss, reason = "a dot is coarser")]
    fn since_from(&self, timestamp: i64) -> f64 {
        let distance = timestamp.abs_diff(self.from) as f64;
        if timestamp < self.from { -distance } else { distance }
    }

    /// The position in time: 0 at the first time, 1 at the last.
    #[expect(clippy::cast_precision_loss, reason = "a dot is coarser")]
    fn across(&self, timestamp: i64) -> f64 {
        self.since_from(timestamp) / self.to.abs_diff(self.from) as f64
    }

    #[expect(clippy::cast_possible_truncation, reason = "both are within the field")]
    pub(super) fn dot(&self, timestamp: i64, value: f64) -> (i64, i64) {
        // Multiplication is faster than division, and a chart has many points.
        let x = self.since_from(timestamp) * self.scale.0;
        let y = (self.high / 2.0 - value / 2.0) * self.scale.1;
        let nearest = |dot: f64, last: f64| (dot + 0.5).min(last) as i64;
        (nearest(x, self.dots.0), nearest(y, self.dots.1))
    }

    /// The row of cells that a value is in, as a line is drawn there.
    pub(super) fn row(&self, value: f64, rows: usize) -> usize {
        let (_, dot) = self.dot(self.from, value);
        usize::try_from(dot / 4).unwrap_or(0).min(rows.saturating_sub(1))
    }

    #[expect(clippy::cast_precision_loss, reason = "few rows")]
    pub(super) fn value_ticks(&self, rows: usize) -> Vec<AxisTick> {
        if let Some(step) = self.even_step {
            return self.ticks_at(step, rows);
        }
        let wanted = (rows as f64 / 3.0).clamp(1.0, 8.0);
        let mut closer = [1.0, 1.6, 2.5, 4.0].map(|times| self.spaced_ticks(wanted * times, rows));
        // A scale needs at least two labels, each in a row of its own.
        let apart = |ticks: &[AxisTick]| ticks.windows(2).all(|pair| pair[0].at > pair[1].at);
        let enough = closer.iter().position(|ticks| ticks.len() >= 2 && apart(ticks)).unwrap_or(2);
        let mut ticks = std::mem::take(&mut closer[enough]);
        // Steps below the precision of a float make equal labels.
        ticks.dedup_by(|tick, before| tick.at == before.at || tick.label == before.label);
        ticks
    }

    fn spaced_ticks(&self, wanted: f64, rows: usize) -> Vec<AxisTick> {
        let half_range = self.high / 2.0 - self.low / 2.0;
        self.ticks_at(nice(half_range / wanted * 2.0), rows)
    }

    /// The ticks at the multiples of a step.
    fn ticks_at(&self, step: f64, rows: usize) -> Vec<AxisTick> {
        let scale = Scale::new(self.unit, self.low.abs().max(self.high.abs()));
        let tick = |value| AxisTick { at: self.row(value, rows), label: scale.label(value, step) };
        multiples(step, self.low, self.high).map(tick).collect()
    }

    /// The ticks of a logarithmic axis: decades, and parts of decades where there are few.
    #[expect(clippy::cast_possible_truncation, reason = "a float has 633 decades")]
    pub(super) fn log_ticks(&self, rows: usize) -> Vec<AxisTick> {
        let (first, last) = (self.low.ceil() as i32, self.high.floor() as i32);
        let decades = last - first + 1;
        let wanted = i32::try_from(rows / 3).unwrap_or(i32::MAX).clamp(1, 8);
        let times: &[f64] = match decades {
            ..=1 => &[1.0, 2.0, 3.0, 5.0, 7.0],
            2 if wanted >= 5 => &[1.0, 2.0, 5.0],
            _ => &[1.0],
        };
        let step = (decades / wanted).max(1);
        let labelled = (first - 1..=last).filter(|decade| decade.rem_euclid(step) == 0);
        let values = labelled.flat_map(|decade| times.iter().map(move |n| n * 10_f64.powi(decade)));
        // A logarithm and its power differ a little.
        let bounds = self.low - 1e-9..=self.high + 1e-9;
        let values = values.filter(|value| bounds.contains(&value.log10()));
        let ticks = self.one_a_row(values, rows, |value| units::short(value, self.unit));
        if ticks.len() >= 3 {
            return ticks;
        }
        // An axis of less than two decades is nearly linear.
        let (low, high) = (10_f64.powf(self.low), 10_f64.powf(self.high));
        let step = nice((high - low) / f64::from(wanted));
        let scale = Scale::new(self.unit, high);
        let values = multiples(step, low.max(step), high);
        let even = self.one_a_row(values, rows, |value| scale.label(value, step));
        if even.len() > ticks.len() { even } else { ticks }
    }

    /// The ticks of a logarithmic axis at rising values, the first one of each row.
    fn one_a_row(
        &self,
        values: impl Iterator<Item = f64>,
        rows: usize,
        label: impl Fn(f64) -> String,
    ) -> Vec<AxisTick> {
        let tick = |value: f64| AxisTick { at: self.row(value.log10(), rows), label: label(value) };
        let mut ticks: Vec<_> = values.map(tick).collect();
        ticks.dedup_by_key(|tick| tick.at);
        ticks
    }

    /// The ticks of time whose labels have room: at least two of them wherever steps of a second
    /// allow it.
    pub(super) fn time_ticks(&self, columns: usize, zone: &TimeZone) -> Vec<AxisTick> {
        let span = i128::from(self.to) - i128::from(self.from);
        let wanted = i128::try_from((columns / LABEL_SPACING).max(1)).unwrap_or(1);
        let count = |step: TimeStep| span / i128::from(step.seconds());
        let enough = STEPS.iter().position(|&step| count(step) <= wanted);
        if let Some(enough) = enough {
            // Steps that end beside the range leave one label or none.
            let finer = STEPS[..=enough].iter().rev().copied();
            let finer = finer.take_while(|&step| count(step) <= span.min(columns as i128));
            let ticks = finer.map(|step| {
                let times = step.times((self.from, self.to), zone, columns + 2);
                self.labelled(&times, step, columns, zone)
            });
            let mut most = Vec::new();
            for ticks in ticks {
                if ticks.len() >= 2 {
                    return ticks;
                }
                most = if ticks.len() > most.len() { ticks } else { most };
            }
            if !most.is_empty() {
                return most;
            }
        }
        // No calendar has the times.
        let times = (0..=wanted).map(|n| i128::from(self.from) + n * span / wanted);
        let times: Vec<i64> = times.filter_map(|time| i64::try_from(time).ok()).collect();
        self.labelled(&times, TimeStep::Days(1), columns, zone)
    }

    /// Rising times with labels, without those that have no room.
    fn labelled(
        &self,
        times: &[i64],
        step: TimeStep,
        columns: usize,
        zone: &TimeZone,
    ) -> Vec<AxisTick> {
        let short_date = if columns < 50 { "%m-%d" } else { "%Y-%m-%d" };
        let clock = if step.seconds() < 60 { "%H:%M:%S" } else { "%H:%M" };
        let dated = format!("{short_date} {clock}");
        let mut ticks: Vec<AxisTick> = Vec::new();
        let (mut day, mut free) = (String::new(), 0);
        for &time in times {
            let date = time::formatted(time, zone, "%Y-%m-%d");
            // The first tick of a day has its date, if that has room.
            let forms: &[&str] = match step {
                TimeStep::Years(_) => &["%Y"],
                TimeStep::Months(_) => &["%Y-%m"],
                TimeStep::Days(_) => &["%Y-%m-%d"],
                TimeStep::Seconds(_) if date == day => &[clock],
                TimeStep::Seconds(_) if day.is_empty() => &[&dated],
                TimeStep::Seconds(_) => &[&dated, clock],
            };
            let at = self.column(time, columns);
            let mut labels = forms
                .iter()
                .map(|form| (*form, AxisTick { at, label: time::formatted(time, zone, form) }));
            let room = columns + 1;
            let fits = |tick: &AxisTick| tick.start(room) >= free && width(&tick.label) <= room;
            let Some((form, tick)) = labels.find(|(_, tick)| fits(tick)) else { continue };
            free = tick.start(room) + width(&tick.label) + LABEL_GAP;
            day = if form == clock { day } else { date };
            ticks.push(tick);
        }
        ticks
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "few columns"
    )]
    pub(super) fn column(&self, time: i64, columns: usize) -> usize {
        (self.across(time) * columns.saturating_sub(1) as f64).round() as usize
    }
}

/// A range of values, and the step of its ticks.
type EvenRange = ((f64, f64), f64);

/// A range of values around another one in which the multiples of a round step are in the middle of
/// rows at even distances, and the step. None where there are too few rows: a range would have to be
/// much wider; or where floats are too coarse for it.
#[expect(clippy::cast_precision_loss, reason = "few rows")]
fn even_range((low, high): (f64, f64), rows: usize) -> Option<EvenRange> {
    /// With fewer rows the range would be half as wide again, or more.
    const MIN_ROWS: usize = 6;
    /// The dot of a row that its value is drawn at.
    const MIDDLE: f64 = 2.0;
    /// How much wider a range may be for twice or half as many ticks as there should be.
    const WIDER: f64 = 0.15;
    let last_dot = (rows * 4).checked_sub(1)? as f64;
    let least = (high - low) / last_dot;
    let is_coarse = !(least * 1e10 > low.abs().max(high.abs()) && least.is_normal());
    if rows < MIN_ROWS || is_coarse {
        return None;
    }
    let wanted = (rows as f64 / 4.0).clamp(2.0, 8.0);
    let mut best: Option<(f64, EvenRange)> = None;
    for apart in 1..=rows / 2 {
        let apart = apart as f64;
        let fits = |step: f64| {
            let row = step / apart;
            let dot = row / 4.0;
            // The first row from the top that has all values below it, and the last one.
            let first = ((high - MIDDLE * dot) / row - 1e-9).ceil();
            let lowest = ((low + (last_dot - MIDDLE) * dot) / row + 1e-9).floor();
            if first > lowest {
                return None;
            }
            let range = |top: f64| {
                let high = top * row + MIDDLE * dot;
                (high - last_dot * dot, high)
            };
            let middle = range(first + ((lowest - first) / 2.0).floor());
            let range = match middle {
                // No values below zero, no room for them.
                (below, _) if below < 0.0 && low >= 0.0 => range(lowest),
                (_, above) if above > 0.0 && high <= 0.0 => range(first),
                _ => middle,
            };
            let cost = dot / least + WIDER * (rows as f64 / apart / wanted).log2().abs();
            Some((cost, (range, step)))
        };
        let fit = round_steps(least * 4.0 * apart).find_map(fits);
        best = match (best, fit) {
            (Some(best), Some(fit)) if best.0 <= fit.0 => Some(best),
            (best, fit) => fit.or(best),
        };
    }
    best.map(|(_, range)| range)
}

/// Some of 1, 2, 2.5, 5, 10, … that are not below `step`, rising.
fn round_steps(step: f64) -> impl Iterator<Item = f64> {
    let power = power_of_ten(step.log10().floor());
    let times = [1.0, 2.0, 2.5, 5.0, 10.0, 20.0, 25.0].into_iter();
    times.map(move |n| n * power).filter(move |&n| n >= step * (1.0 - 1e-9))
}

/// At most 20 multiples of a step within two bounds; none if the step is not positive and finite.
fn multiples(step: f64, low: f64, high: f64) -> impl Iterator<Item = f64> {
    let first = (low / step).ceil();
    let count = if step.is_finite() && step > 0.0 { 20 } else { 0 };
    let values = (0..count).map(move |n| (first + f64::from(n)) * step);
    values.take_while(move |value| value.is_finite() && *value <= high)
}

/// A power of ten, the same on every system where it can be exact or rounded once: their libraries
/// round `powf` differently, and a label then moves to another row.
fn power_of_ten(exponent: f64) -> f64 {
    let exact = |exponent: f64| {
        let mut power = 1.0;
        let mut left = exponent;
        while left >= 1.0 {
            (power, left) = (power * 10.0, left - 1.0);
        }
        power
    };
    match exponent {
        // Up to here a float holds them exactly.
        0.0..=22.0 => exact(exponent),
        -22.0..0.0 => 1.0 / exact(-exponent),
        _ => 10_f64.powf(exponent),
    }
}

/// The least of 1, 2, 5, 10, … that is not below `step`.
fn nice(step: f64) -> f64 {
    let power = power_of_ten(step.log10().floor());
    let times = [1.0, 2.0, 5.0, 10.0].into_iter();
    times.map(|n| n * power).find(|&n| n >= step).unwrap_or(step)
}
