//! How the lines of a chart are told apart, and the newest value of each.

use ratatui::style::{Modifier, Style};

use crate::app::App;
use crate::app::chart::{self, Chart};
use crate::app::watch::Watched;
use crate::view::theme::Theme;

/// The style of a line: its colour, or without colours more or less light.
pub fn line_style(theme: &Theme, line: usize) -> Style {
    let Some(at) = line.checked_sub(1) else {
        return theme.plot;
    };
    match theme.plot.fg {
        Some(_) => Style::new().fg(theme.lines[line % theme.lines.len()]),
        None if at.is_multiple_of(2) => theme.plot.add_modifier(Modifier::DIM),
        None => theme.plot.add_modifier(Modifier::BOLD),
    }
}

/// The mark of a line, in its colour.
pub const MARK: &str = "■";

/// The mark of one of so many lines: without colours a letter, which also stands in the plot.
pub fn line_mark(theme: &Theme, line: usize, lines: usize) -> &'static str {
    const LETTERS: [&str; chart::MAX_LINES] = ["A", "B", "C", "D", "E", "F"];
    let is_lettered = theme.plot.fg.is_none() && lines > 1;
    LETTERS.get(line).filter(|_| is_lettered).unwrap_or(&MARK)
}

/// The newest value of a line: what came last, or in the past the greatest at the end of what is shown.
/// The line of a run whose times are shifted goes on beyond what is of now.
pub(super) fn newest(app: &App, key: &Watched, chart: &Chart, line: usize) -> Option<f64> {
    let last = || Some(key.series.as_ref()?.last.value);
    let at_end = || chart.newest.get(line).copied().flatten().map(|newest| newest.max);
    let is_shifted = || app.sources().of_key(&key.key).is_some_and(|it| it.state.shift() > 0);
    match app.watch().viewport().follows() {
        true if is_shifted() => at_end().or_else(last),
        true => last(),
        false => at_end(),
    }
}
