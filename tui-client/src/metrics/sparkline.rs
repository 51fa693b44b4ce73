//! The course of a series as sparkline: of its window where it was asked for, else its last values.

use crate::metrics::series::Series;

/// One a column; a blank where there are no points.
pub fn sparkline(series: &Series, columns: usize) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let values: Vec<Option<f64>> = match series.trend() {
        Some(trend) => trend.columns(columns),
        None => series.recent().newest(columns).map(|point| Some(point.value)).collect(),
    };
    let known = || values.iter().copied().flatten();
    let low = known().fold(f64::INFINITY, f64::min);
    let high = known().fold(f64::NEG_INFINITY, f64::max);
    let bar = |value: f64| {
        // Halved, because a difference may overflow.
        let share = (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 7")]
        let at = if share.is_finite() { (share * 7.0).round() as usize } else { 3 };
        BARS[at.min(7)]
    };
    values.iter().map(|value| value.map_or(' ', bar)).collect()
}
