//! The course of a series as sparkline: of its window where it was asked for, else its last values.

use shared::Point;

use crate::metrics::gaps::{AROUND, Gaps};
use crate::metrics::series::Series;
use crate::metrics::trend::{Trend, TrendAxis};

/// From the least value to the greatest. The full block is not among them: in rows below each
/// other it would touch the bars of the row above.
const BARS: [char; 7] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇'];

/// A value that does not change.
const LINE: char = '─';

/// One a column; a blank where a chart has a gap.
pub fn sparkline(series: &Series, columns: usize) -> String {
    match series.trend() {
        Some(trend) => tops(&trend.columns(columns), series),
        None => bars(&with_gaps(series.recent().newest(columns + AROUND + 1).copied(), columns)),
    }
}

/// The same on an axis that several series have in common; what is known of a series whose course
/// was not asked for yet.
pub fn sparkline_on(series: &Series, axis: TrendAxis) -> String {
    let values = match series.trend() {
        Some(trend) => trend.columns_on(axis),
        None => Trend::of_points(1, usize::MAX, series.recent().iter()).columns_on(axis),
    };
    tops(&values, series)
}

/// The course of a series as a trend of its own, on an axis that several have in common.
pub fn sparkline_of(trend: &Trend, axis: TrendAxis, series: &Series) -> String {
    tops(&trend.columns_on(axis), series)
}

/// The bars of the greatest values of times, which may be the same although the values are not.
fn tops(values: &[Option<f64>], series: &Series) -> String {
    let high = values.iter().copied().flatten().fold(f64::NEG_INFINITY, f64::max);
    let varies = match series.min() {
        Some(min) => min < high,
        None => series.recent().iter().any(|point| point.value < high),
    };
    bars_of(values, varies)
}

fn bars(values: &[Option<f64>]) -> String {
    bars_of(values, false)
}

/// Bars, full ones if the greatest values of times are the same but values between them `vary`.
fn bars_of(values: &[Option<f64>], vary: bool) -> String {
    let known = || values.iter().copied().flatten();
    let low = known().fold(f64::INFINITY, f64::min);
    let high = known().fold(f64::NEG_INFINITY, f64::max);
    let bottom = bottom(low, high);
    let bar = |value: f64| {
        if low >= high && vary {
            return BARS[6];
        }
        if low >= high {
            return LINE;
        }
        // Halved, because a difference may overflow.
        let share = (value / 2.0 - bottom / 2.0) / (high / 2.0 - bottom / 2.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 6")]
        let at = if share.is_finite() { (share * 6.0).round() as usize } else { 0 };
        BARS[at.min(6)]
    };
    values.iter().map(|value| value.map_or(' ', bar)).collect()
}

/// The value of the lowest bar: zero where the bars then still have half of the height to differ in,
/// so that heights can be compared; else the least value, so that a load between 900 and 910 keeps
/// its shape.
fn bottom(low: f64, high: f64) -> f64 {
    if low >= 0.0 && low <= high / 2.0 { 0.0 } else { low }
}

/// The newest values, with a blank for each time without points.
fn with_gaps(points: impl Iterator<Item = Point> + Clone, columns: usize) -> Vec<Option<f64>> {
    let gaps = Gaps::of(points.clone().map(|point| point.timestamp), None);
    let mut values = Vec::new();
    for (at, point) in points.enumerate() {
        let is_gap = at.checked_sub(1).and_then(|at| gaps.is_joined(at)) == Some(false);
        values.extend(is_gap.then_some(None));
        values.push(Some(point.value));
    }
    let surplus = values.len().saturating_sub(columns);
    values.into_iter().skip(surplus).skip_while(Option::is_none).collect()
}

#[cfg(test)]
mod tests {
    use shared::selector::Aggregate;

    use super::*;

    #[test]
    fn a_time_without_points_is_a_blank() {
        let shown = |times: &[i64], columns: usize| {
            let mut points = times.iter().map(|&timestamp| Point { timestamp, value: 1.0 });
            let key = "a".parse().unwrap();
            let mut series = Series::new(key, points.next().unwrap(), 64);
            points.for_each(|point| {
                series.tell(point, crate::metrics::series::Bounds::of_all(i64::MAX));
            });
            sparkline(&series, columns)
        };
        assert_eq!(shown(&[0, 600_000_000], 9), "──", "no step is usual");
        assert_eq!(shown(&[0, 60, 120, 600_000_000, 600_000_001], 9), "─── ──");
        assert_eq!(shown(&[0, 60, 120, 600_000_000, 600_000_001], 4), "─ ──");
        assert_eq!(shown(&[0, 60, 120, 600_000_000, 600_000_001], 2), "──");
        assert_eq!(shown(&[0, 100, 250, 300], 9), "────");
        let slower: Vec<i64> = (0..7).map(|n| n * 60).chain(361..370).collect();
        assert_eq!(shown(&slower, 64), "─".repeat(16), "their interval changes");
        assert_eq!(shown(&slower, 10), "─".repeat(10), "whatever is in sight");
    }

    #[test]
    fn a_line_is_a_constant_and_not_maxima_that_are_alike() {
        let saw_tooth = |with_min: Option<f64>| {
            let point = |timestamp, value| Point { timestamp, value };
            let mut series = Series::new("a".parse().unwrap(), point(0, 247.0), 64);
            series.set_trend(Trend::new(19, 49, &[point(0, 247.0), point(19, 247.0)]));
            series.set(Aggregate::Min, with_min, &[]);
            sparkline(&series, 9)
        };
        assert_eq!(saw_tooth(Some(0.0)), "▇▇");
        assert_eq!(saw_tooth(Some(247.0)), "──");
        // The least value is not asked for: the newest points tell.
        let mut series = Series::new("a".parse().unwrap(), Point { timestamp: 1, value: 3.0 }, 64);
        series.forget_numbers();
        let recent: Vec<_> = [1.0, 3.0]
            .iter()
            .zip(0..)
            .map(|(&value, timestamp)| Point { timestamp, value })
            .collect();
        series.set_recent(&recent, 16);
        series.set_trend(Trend::new(19, 49, &[recent[1]]));
        assert_eq!((series.min(), &*sparkline(&series, 9)), (None, "▇"));
    }

    #[test]
    fn bars_leave_room_above_and_begin_at_zero_where_that_shows_something() {
        let shown = |values: &[f64]| bars(&values.iter().map(|&v| Some(v)).collect::<Vec<_>>());
        let load: Vec<f64> = (0..=10).map(|n| f64::from(n) * 10.0).collect();
        assert_eq!(shown(&load), "▁▂▂▃▃▄▅▅▆▆▇", "no full block, which would touch the row above");
        assert_eq!(shown(&[50.0, 75.0, 100.0]), "▄▆▇", "zero is at the bottom");
        assert_eq!(shown(&[900.0, 905.0, 910.0]), "▁▄▇", "from zero it would have no shape");
        assert_eq!(shown(&[-1.0, 0.0, 1.0]), "▁▄▇");
        assert_eq!(shown(&[7.5, 7.5]), "──", "constant");
        assert_eq!(shown(&[0.0, 0.0]), "──", "constantly zero is constant");
        assert_eq!(shown(&[f64::MIN, f64::MAX]), "▁▇");
        assert_eq!(bars(&[Some(1.0), None, Some(3.0)]), "▃ ▇", "a gap stays a gap");
    }
}
