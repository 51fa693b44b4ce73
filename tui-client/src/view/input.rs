//! The command line, and what stands in its place while something else is asked for.

use std::borrow::Cow;
use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};

use super::text::Pen;
use super::theme::Theme;
use crate::app::App;
use crate::app::editor::Editor;
use crate::app::line_input::{Found, InputPurpose, LineInput};
use crate::app::overlay::Overlay;
use crate::app::prompt::check::Verdict;
use crate::app::prompt::paste::{Pasted, Wrong};
use crate::keymap::Mode;
use crate::request::normalize::wire_line;
use crate::text::number;
use crate::text::width::{behind, width};

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
    // The line that is asked for in the place of the command line, if there is one.
    let input = app.input().filter(|input| input.mode() == app.mode());
    let title = input.and_then(|input| title(app, input));
    let field = if border {
        let (title, focused) = match (&title, app.mode()) {
            (Some(title), _) => (&**title, true),
            (None, Mode::Confirm) => (" send these lines? ", true),
            (None, mode) => (" request ", mode == Mode::Prompt),
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
    match (app.overlay(), input) {
        (Some(Overlay::Confirm(pasted)), _) => {
            draw_pasted(pasted, theme, pen);
            None
        }
        (_, Some(input)) if title.is_some() => Some(draw_input(app, input, theme, field, pen)),
        _ => {
            let cursor = draw_prompt(app, theme, field, pen);
            (app.mode() == Mode::Prompt).then_some(cursor)
        }
    }
}

/// The title of a line that has its place here.
fn title(app: &App, input: &LineInput) -> Option<Cow<'static, str>> {
    Some(match input.purpose() {
        InputPurpose::HistorySearch(_) => " search the lines entered before ".into(),
        InputPurpose::LogSearch(_) => " search the log ".into(),
        InputPurpose::LogFilter(_) => " only lines with (!without) ".into(),
        InputPurpose::SaveLog => match filtered(app) {
            Some(lines) => format!(" save {lines}, as filtered ").into(),
            None => " save the log ".into(),
        },
        InputPurpose::Filter(_) | InputPurpose::Alert | InputPurpose::Watch => return None,
    })
}

fn draw_input(app: &App, input: &LineInput, theme: &Theme, field: Rect, pen: Pen<'_>) -> Position {
    const EXAMPLES: &str = "text  !without  > sent  < received  12:30";
    let (mark, example): (Cow<'_, str>, _) = match (input.purpose(), app.log().last_search()) {
        (InputPurpose::HistorySearch(found), _) => {
            return draw_history_search(input.editor(), found, theme, field, pen);
        }
        (InputPurpose::LogSearch(_), Some(last)) => {
            ("/".into(), format!("{EXAMPLES}; enter: {} again", last.text()))
        }
        (InputPurpose::LogSearch(_), None) => ("/".into(), EXAMPLES.to_owned()),
        (InputPurpose::LogFilter(_), _) => ("&".into(), EXAMPLES.to_owned()),
        // The title says it where there is a border.
        _ => match filtered(app).filter(|_| !app.layout().prompt_border) {
            Some(lines) => (format!("{lines} to ").into(), String::new()),
            None => ("save to ".into(), String::new()),
        },
    };
    let span = match input.text() {
        "" => (&*example, theme.quiet),
        text => (text, theme.text),
    };
    draw_line((&mark, theme.focus), input.editor(), &[span], field, pen)
}

/// How many lines the filter leaves of how many, if there is one.
fn filtered(app: &App) -> Option<String> {
    let log = app.log();
    let all = number::plural(log.len(), "line", "lines");
    log.filter().map(|_| format!("{} of {all}", number::count(log.shown())))
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
    .or_else(|| Some((app.prompt().date(app.now(), app.zone())?, theme.quiet)))
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
    let ghost = app.prompt().ghost(app.now().unix()).filter(|_| focused);
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

fn draw_history_search(
    editor: &Editor,
    search: &Found,
    theme: &Theme,
    field: Rect,
    mut pen: Pen<'_>,
) -> Position {
    let (part, found) = (editor.text(), search.text());
    let style = if search.failed { theme.bad } else { theme.focus };
    pen.write("search: ", theme.quiet).write(part, style);
    let cursor = position(field, width("search: ") + editor.cursor_column());
    if search.failed && found.is_empty() {
        pen.write("  no such line", theme.quiet);
    } else if !found.is_empty() {
        pen.write("  → ", theme.quiet);
        let at = found.find(part).unwrap_or(0);
        let marked = theme.alert.add_modifier(Modifier::UNDERLINED);
        pen.write(&found[..at], theme.text)
            .write(&found[at..at + part.len()], marked)
            .write(&found[at + part.len()..], theme.text);
    }
    cursor
}

/// Why the first wrong line of those pasted is wrong.
fn wrong_line(app: &App, theme: &Theme) -> Option<(String, Style)> {
    let pasted = app.overlay()?.pasted()?;
    Some((format!("line {}: {}", pasted.wrong.first, pasted.why.as_ref()?), theme.bad))
}

fn wrong_lines(wrong: Wrong) -> String {
    let at_least = if wrong.at_least { "at least " } else { "" };
    let first = if wrong.lines == 1 && !wrong.at_least { "" } else { "first " };
    format!("{at_least}{} of them wrong, {first}line {}", number::count(wrong.lines), wrong.first)
}

fn draw_pasted(pasted: &Pasted, theme: &Theme, mut pen: Pen<'_>) {
    let lines = number::plural(pasted.lines, "line", "lines");
    let size = number::bytes(pasted.text.len() as u64);
    pen.write(&format!("{lines}, {size}"), theme.alert);
    if pasted.wrong.lines > 0 {
        pen.write(&format!(", {}", wrong_lines(pasted.wrong)), theme.bad);
    }
    pen.write("  ", theme.text).write(&pasted.sample, theme.quiet);
}
