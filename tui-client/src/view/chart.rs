//! A series over time in braille dots, with both axes.

use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::text::{Pen, width};
use super::theme::Theme;
use crate::app::chart::Chart;
use crate::app::fold::Series;
use crate::app::format;

/// Columns of the labels of the value axis.
const LABELS: u16 = 9;

/// Draws the chart.
pub fn draw(series: &Series, zone: &TimeZone, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let labels = if area.width >= 3 * LABELS { LABELS } else { 0 };
    let (columns, rows) = (area.width.saturating_sub(labels + 1), area.height.saturating_sub(1));
    let chart = Chart::new(series.tail.iter(), columns.into(), rows.into(), zone);
    for tick in &chart.values {
        if labels > 0 {
            let row = u16::try_from(tick.at).unwrap_or(u16::MAX);
            let label = Rect { width: labels, ..area };
            Pen::new(buffer, label, row).field(&tick.label, labels.into(), true, theme.quiet);
        }
    }
    let plot = Rect { x: area.x + labels, width: area.width - labels, ..area };
    for (row, cells) in (0..rows).zip(chart.cells.chunks(chart.columns.max(1))) {
        let ticked = chart.values.iter().any(|tick| tick.at == usize::from(row));
        let axis = if ticked { "┤" } else { "│" };
        let dots: String = cells.iter().map(|&dots| braille(dots)).collect();
        Pen::new(buffer, plot, row).write(axis, theme.quiet).write(&dots, theme.plot);
    }
    draw_times(&chart, plot, rows, theme, buffer);
    let shown = series.tail.len() as u64;
    if shown < series.count {
        let text = format!("last {} of {}", format::count(shown), format::count(series.count));
        Pen::new(buffer, plot, 0).write_right(&text, theme.quiet);
    }
}

fn braille(dots: u8) -> char {
    if dots == 0 {
        return ' ';
    }
    char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' ')
}

fn draw_times(chart: &Chart, plot: Rect, row: u16, theme: &Theme, buffer: &mut Buffer) {
    let room = usize::from(plot.width);
    let mut free = 0;
    for tick in &chart.times {
        let wide = width(&tick.label);
        // Centred below its place, as far as the ends allow.
        let from = (tick.at + 1).saturating_sub(wide / 2).min(room.saturating_sub(wide));
        if from < free || wide > room {
            continue;
        }
        let from_cell = u16::try_from(from).unwrap_or(u16::MAX);
        let label = Rect {
            x: plot.x.saturating_add(from_cell),
            width: plot.width.saturating_sub(from_cell),
            ..plot
        };
        Pen::new(buffer, label, row).write(&tick.label, theme.quiet);
        free = from + wide + 2;
    }
}
