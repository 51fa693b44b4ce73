//! The list of keys, over everything else.

use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::canvas::Canvas;
use super::canvas::ascii::key_names;
use super::canvas::pen::cells;
use super::hints;
use crate::app::input::overlay::help::Help;
use crate::keymap::{HelpLine, Mode};
use crate::text::width::width;

/// Columns of the border and the margin around the text.
const FRAME: usize = 4;

/// The fewest columns, on both sides together, in which the panes below stay visible.
const MARGIN: u16 = 16;

/// Draws the list in the middle of the screen.
pub fn draw(canvas: &mut Canvas<'_>, help: &Help) {
    let (theme, screen) = (canvas.theme, canvas.buffer.area);
    let (mut keys, mut words) = (0, 0);
    for line in help.all_lines() {
        if let HelpLine::Keys(names, help) = line {
            keys = keys.max(width(&key_names(theme, names.into_owned())));
            words = words.max(width(help));
        }
    }
    let (columns, rows) = help.shape((screen.width, screen.height));
    let mut wide = cells((keys + 2 + words + FRAME) * columns);
    if wide.saturating_add(MARGIN) > screen.width {
        wide = screen.width;
    }
    let area = canvas.popup(wide.into(), rows + 2);
    let covers_hints = area.bottom() >= screen.bottom();
    if covers_hints {
        // The bottom line may be wider than the list.
        let below = screen.bottom().saturating_sub(1);
        Clear.render(Rect { y: below, height: screen.height.min(1), ..screen }, canvas.buffer);
    }
    let title = match (help.mode(), help.query()) {
        (Mode::HelpSearch, query) => format!(" keyboard /{query}_ "),
        (_, "") => " keyboard · / searches ".to_owned(),
        (_, query) => format!(" keyboard /{query} "),
    };
    let inner = canvas.pane(true, &title, &[], area);
    if covers_hints {
        hints::draw_at_foot(canvas, area);
    }
    let found = help.lines();
    if found.is_empty() {
        canvas.pen(inner, 0).write(" nothing found", theme.quiet);
    }
    canvas.scroll_position((help.top(), rows * columns, found.len()), None, area);
    let share = inner.width / cells(columns);
    let shown = found.get(help.top()..).unwrap_or_default();
    for (at, lines) in (0..).zip(shown.chunks(rows.max(1)).take(columns)) {
        draw_column(canvas, lines, keys, Rect { x: inner.x + at * share, width: share, ..inner });
    }
}

fn draw_column(canvas: &mut Canvas<'_>, lines: &[HelpLine], keys: usize, area: Rect) {
    let theme = canvas.theme;
    let room = usize::from(area.width).saturating_sub(3);
    // On a narrow screen the keys take at most two fifths, and fewer if their text would be cut.
    let keys = keys.min(usize::from(area.width) * 2 / 5);
    let column =
        |names: &str, help: &str| keys.min(room.saturating_sub(width(help)).max(width(names)));
    for (row, line) in (0..area.height).zip(lines) {
        let mut pen = canvas.pen(area, row);
        pen.skip(1);
        match line {
            HelpLine::Heading(text) => pen.write(text, theme.title),
            HelpLine::Keys(names, help) => {
                let names = key_names(theme, names.to_string());
                pen.field(&names, column(&names, help), false, theme.key)
                    .skip(2)
                    .write(help, theme.text)
            }
        };
    }
}
