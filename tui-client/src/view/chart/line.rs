//! How the lines of a chart are told apart, and the newest value of each.

use ratatui::style::{Color, Modifier, Style};

use crate::app::App;
use crate::app::chart::{self, Chart};
use crate::app::watch::Watched;
use crate::view::theme::Theme;

/// The style of a line: that of the theme for the first one, then others that differ.
pub fn line_style(theme: &Theme, line: usize) -> Style {
    const OTHERS: [Color; 5] =
        [Color::Magenta, Color::Yellow, Color::Green, Color::Blue, Color::LightRed];
    let Some(at) = line.checked_sub(1) else {
        return theme.plot;
    };
    match theme.plot.fg {
        Some(_) => Style::new().fg(OTHERS[at % OTHERS.len()]),
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
pub(super) fn newest(app: &App, key: &Watched, chart: &Chart, line: usize) -> Option<f64> {
    if app.watch().viewport().follows() {
        return Some(key.series.as_ref()?.last.value);
    }
    chart.newest.get(line).copied().flatten().map(|newest| newest.max)
}
