//! The command line, and what stands in its place while something else is asked for.

use std::borrow::Cow;
use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};

use super::text::{Pen, behind, width};
use super::theme::Theme;
use crate::app::App;
use crate::app::ask::Question;
use crate::app::editor::Editor;
use crate::app::mode::Mode;
use crate::app::prompt::check::Verdict;
use crate::app::prompt::paste::Wrong;
use crate::request::normalize::wire_line;
use crate::text::format;

/// A piece of text and how it looks.
type Span<'a> = (&'a str, Style);

/// Draws it and says where the cursor belongs.
pub fn draw(
    app: &App,
    theme: &Theme,
    area: Rect,
    border: bool,
    buffer: &mut Buffer,
) -> Option<Position> {
    let asked = ask_title(app);
    let field = if border {
        let (title, focused) = match app.mode() {
            Mode::Prompt => (" request ", true),
            Mode::Recall => (" search the lines entered before ", true),
            Mode::Confirm => (" send these lines? ", true),
            Mode::Ask => (&*asked, true),
            _ => (" request ", false),
        };
        let inner = super::pane(theme, focused, title, &[], area, buffer);
        if let Some((text, style)) = remark(app, theme).or_else(|| wrong_line(app, theme)) {
            let below = area.height.saturating_sub(1);
            Pen::new(buffer, super::within_sides(area), below)
                .write(&format!(" {text} "), super::on_border(style));
        }
        inner
    } else {
        area
    };
    if field.is_empty() {
        return None;
    }
    let pen = Pen::new(buffer, field, 0);
    match app.mode() {
        Mode::Recall => Some(draw_recall(app, theme, field, pen)),
        Mode::Confirm => {
            draw_pasted(app, theme, pen);
            None
        }
        Mode::Ask => {
            let mark: &str = match app.asked().question {
                Question::Search => "/",
                Question::Filter => "&",
                Question::Save => &match filtered(app).filter(|_| !border) {
                    Some(lines) => format!("{lines} to "),
                    None => "save to ".to_owned(),
                },
            };
            let answer = &app.asked().answer;
            let example = app.asked().example();
            let spans = match answer.text() {
                "" => [(&*example, theme.quiet)],
                text => [(text, theme.text)],
            };
            Some(draw_line((mark, theme.focus), answer, &spans, field, pen))
        }
        Mode::Prompt => Some(draw_prompt(app, theme, field, pen)),
        Mode::Table
        | Mode::Watch
        | Mode::Chart
        | Mode::Columns
        | Mode::Field
        | Mode::Log
        | Mode::Help
        | Mode::HelpSearch => {
            draw_prompt(app, theme, field, pen);
            None
        }
    }
}

fn ask_title(app: &App) -> Cow<'static, str> {
    match app.asked().question {
        Question::Search => " search the log ".into(),
        Question::Filter => " only lines with (!without) ".into(),
        Question::Save => match filtered(app) {
            Some(lines) => format!(" save {lines}, as filtered ").into(),
            None => " save the log ".into(),
        },
    }
}

/// How many lines the filter leaves of how many, if there is one.
fn filtered(app: &App) -> Option<String> {
    let log = app.log();
    let all = format::plural(log.len(), "line", "lines");
    log.filter().map(|_| format!("{} of {all}", format::count(log.shown())))
}

/// What there is to say about the line: why it is wrong, what is missing, its date.
pub fn remark(app: &App, theme: &Theme) -> Option<(String, Style)> {
    if app.mode() != Mode::Prompt {
        return None;
    }
    match app.verdict() {
        Verdict::Empty => None,
        Verdict::Wrong { why, .. } => Some((why, theme.bad)),
        Verdict::Suspicious { why, .. } => Some((why, theme.alert)),
        Verdict::Unfinished(why) => Some((why, theme.quiet)),
        Verdict::Accepted => {
            let now = app.now().unix();
            let filled = wire_line(app.prompt().text().as_bytes(), now).filled.is_some();
            filled.then(|| ("with the current time".to_owned(), theme.quiet))
        }
    }
    .or_else(|| Some((app.date_in_line()?, theme.quiet)))
}

fn draw_prompt(app: &App, theme: &Theme, field: Rect, mut pen: Pen<'_>) -> Position {
    let focused = app.mode() == Mode::Prompt;
    let editor = app.prompt().editor();
    let text = editor.text();
    let mark = if focused { theme.focus } else { theme.quiet };
    if text.is_empty() {
        pen.write("> ", mark).write("such as  get *   put palm.cpu 23.7", theme.quiet);
        return position(field, 2);
    }
    let ghost = app.ghost().filter(|_| focused);
    let marked = |at: Range<usize>, rest: Style, mark: Style| {
        let mark = mark.add_modifier(Modifier::UNDERLINED);
        vec![(&text[..at.start], rest), (&text[at.clone()], mark), (&text[at.end..], rest)]
    };
    let mut spans = match app.verdict() {
        Verdict::Accepted => vec![(text, theme.good)],
        Verdict::Suspicious { at, .. } => marked(at, theme.good, theme.alert),
        Verdict::Wrong { at, .. } if !at.is_empty() => marked(at, theme.text, theme.bad),
        Verdict::Empty | Verdict::Unfinished(_) | Verdict::Wrong { .. } => vec![(text, theme.text)],
    };
    spans.extend(ghost.as_deref().map(|ghost| (ghost, theme.quiet)));
    draw_line(("> ", mark), editor, &spans, field, pen)
}

fn draw_line(
    mark: Span<'_>,
    editor: &Editor,
    spans: &[Span<'_>],
    field: Rect,
    mut pen: Pen<'_>,
) -> Position {
    pen.write(mark.0, mark.1);
    // One column stays free for the cursor behind the last character.
    let first = editor.first_column(pen.room().saturating_sub(1));
    let mut skip = first;
    for &(text, style) in spans {
        let rest;
        (rest, skip) = behind(text, skip);
        pen.write(rest, style);
    }
    let column = editor.cursor_column().saturating_sub(first) + width(mark.0);
    position(field, column)
}

fn position(field: Rect, column: usize) -> Position {
    let column = u16::try_from(column).unwrap_or(u16::MAX);
    Position { x: field.x.saturating_add(column).min(field.right().saturating_sub(1)), y: field.y }
}

fn draw_recall(app: &App, theme: &Theme, field: Rect, mut pen: Pen<'_>) -> Position {
    let recall = app.prompt().recall();
    let pattern = recall.pattern.text();
    let style = if recall.failed { theme.bad } else { theme.focus };
    pen.write("search: ", theme.quiet).write(pattern, style);
    let cursor = position(field, width("search: ") + recall.pattern.cursor_column());
    let found = recall.found();
    if recall.failed && found.is_empty() {
        pen.write("  no such line", theme.quiet);
    } else if !found.is_empty() {
        pen.write("  → ", theme.quiet);
        let at = found.find(pattern).unwrap_or(0);
        let marked = theme.alert.add_modifier(Modifier::UNDERLINED);
        pen.write(&found[..at], theme.text)
            .write(&found[at..at + pattern.len()], marked)
            .write(&found[at + pattern.len()..], theme.text);
    }
    cursor
}

/// Why the first wrong line of those pasted is wrong.
fn wrong_line(app: &App, theme: &Theme) -> Option<(String, Style)> {
    let pasted = app.pasted()?;
    Some((format!("line {}: {}", pasted.wrong.first, pasted.why.as_ref()?), theme.bad))
}

fn wrong_lines(wrong: Wrong) -> String {
    let at_least = if wrong.at_least { "at least " } else { "" };
    let first = if wrong.lines == 1 && !wrong.at_least { "" } else { "first " };
    format!("{at_least}{} of them wrong, {first}line {}", format::count(wrong.lines), wrong.first)
}

fn draw_pasted(app: &App, theme: &Theme, mut pen: Pen<'_>) {
    let Some(pasted) = app.pasted() else { return };
    let lines = format::plural(pasted.lines, "line", "lines");
    let size = format::bytes(pasted.text.len() as u64);
    pen.write(&format!("{lines}, {size}"), theme.alert);
    if pasted.wrong.lines > 0 {
        pen.write(&format!(", {}", wrong_lines(pasted.wrong)), theme.bad);
    }
    pen.write("  ", theme.text).write(&pasted.sample, theme.quiet);
}
