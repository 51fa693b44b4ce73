//! The list of keys, over everything else.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect};
use ratatui::widgets::{Clear, Widget};

use super::ascii::key_names;
use super::text::Pen;
use super::theme::Theme;
use crate::app::App;
use crate::app::overlay::help::Help;
use crate::keymap::Mode;
use crate::keymap::{HelpLine, help_lines};
use crate::text::width::width;

/// Columns of the frame and the margin around the text.
const FRAME: usize = 4;

/// What lies below is not shown in fewer columns than this, on both sides together.
const MARGIN: u16 = 16;

/// Draws the list in the middle of the screen.
pub fn draw(app: &App, help: &Help, theme: &Theme, screen: Rect, buffer: &mut Buffer) {
    let lines = help_lines(help.opened_in());
    let keys = lines.iter().map(|line| match line {
        HelpLine::Keys(keys, _) => width(&key_names(theme, keys.to_string())),
        HelpLine::Heading(_) => 0,
    });
    let keys = keys.max().unwrap_or(0);
    let words = lines.iter().map(|line| match line {
        HelpLine::Keys(_, help) => width(help),
        HelpLine::Heading(_) => 0,
    });
    let (columns, rows) = Help::shape((screen.width, screen.height));
    let wide = (keys + 2 + words.max().unwrap_or(0) + FRAME) * columns;
    let mut wide = u16::try_from(wide).unwrap_or(u16::MAX);
    // Beside it a few columns of what lies below would only look like dirt.
    if wide.saturating_add(MARGIN) > screen.width {
        wide = screen.width;
    }
    let tall = u16::try_from(rows + 2).unwrap_or(u16::MAX);
    let area = screen.centered(Constraint::Length(wide), Constraint::Length(tall));
    Clear.render(area, buffer);
    let covers_hints = area.bottom() >= screen.bottom();
    if covers_hints {
        // Their beginning would stick out.
        let below = screen.bottom().saturating_sub(1);
        Clear.render(Rect { y: below, height: screen.height.min(1), ..screen }, buffer);
    }
    let title = match (help.mode(), help.query()) {
        (Mode::HelpSearch, query) => format!(" keyboard /{query}_ "),
        (_, "") => " keyboard · / searches ".to_owned(),
        (_, query) => format!(" keyboard /{query} "),
    };
    let inner = super::pane(theme, true, &title, &[], area, buffer);
    if covers_hints {
        super::status::draw_keys_at_foot(app, theme, area, buffer);
    }
    let found = help.lines();
    if found.is_empty() {
        Pen::new(buffer, inner, 0).write(" nothing found", theme.quiet);
    }
    let seen = (help.top(), rows * columns, found.len());
    super::whereabouts(theme, seen, None, area, buffer);
    let share = inner.width / u16::try_from(columns).unwrap_or(1);
    let shown = found.get(help.top()..).unwrap_or_default();
    for (at, lines) in (0..).zip(shown.chunks(rows.max(1)).take(columns)) {
        let part = Rect { x: inner.x + at * share, width: share, ..inner };
        draw_column(lines, keys, theme, part, buffer);
    }
}

fn draw_column(lines: &[HelpLine], keys: usize, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let room = usize::from(area.width).saturating_sub(3);
    // On a narrow screen the words matter as much as the keys, and those that would be cut come
    // closer to their keys.
    let keys = keys.min(usize::from(area.width) * 2 / 5);
    let column =
        |names: &str, help: &str| keys.min(room.saturating_sub(width(help)).max(width(names)));
    for (row, line) in (0..area.height).zip(lines) {
        let mut pen = Pen::new(buffer, area, row);
        match line {
            HelpLine::Heading(text) => pen.write(" ", theme.text).write(text, theme.title),
            HelpLine::Keys(names, help) => {
                let names = key_names(theme, names.to_string());
                pen.write(" ", theme.text)
                    .field(&names, column(&names, help), false, theme.key)
                    .write("  ", theme.text)
                    .write(help, theme.text)
            }
        };
    }
}
