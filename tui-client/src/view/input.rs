//! The command line, or in its place a search, a filter, a file name or a confirmation.

use std::borrow::Cow;
use std::ops::Range;

use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};

use super::canvas::pen::Pen;
use super::canvas::{Canvas, cursor_at, on_border};
use super::hints;
use super::theme::Theme;
use crate::app::App;
use crate::app::input::overlay::Overlay;
use crate::app::input::prompt::check::Verdict;
use crate::app::input::prompt::paste::{Pasted, Wrong};
use crate::app::line_input::editor::Editor;
use crate::app::line_input::{Found, InputPurpose, LineInput};
use crate::keymap::Mode;
use crate::request::normalize::wire_line;
use crate::text::number;
use crate::text::width::{behind, width};

/// A piece of text and how it looks.
type Span<'a> = (&'a str, Style);

/// Draws the pane and returns the place of the cursor.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, border: bool) -> Option<Position> {
    let Canvas { app, theme, .. } = *canvas;
    let input = app.input().line().filter(|input| input.mode() == app.mode());
    // A line without a title here has its place elsewhere.
    let input = input.and_then(|input| Some((input, title(app, input)?)));
    let mut field = area;
    if border {
        let (title, focused) = match (&input, app.mode()) {
            (Some((_, title)), _) => (&**title, true),
            (None, Mode::Confirm) => (" send these lines? ", true),
            (None, mode) => (" request ", mode == Mode::Prompt),
        };
        field = canvas.pane(focused, title, &[], area);
        if let Some((text, style)) = remark(app, theme).or_else(|| wrong_line(app, theme)) {
            canvas.foot_pen(area).write(&format!(" {text} "), on_border(style));
        }
    }
    if field.is_empty() {
        return None;
    }
    let pen = canvas.pen(field, 0);
    match (app.input().overlay(), input) {
        (Some(Overlay::Confirm(pasted)), _) => {
            draw_pasted(pasted, theme, pen);
            None
        }
        (_, Some((input, _))) => Some(draw_input(app, input, theme, field, pen)),
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
        InputPurpose::SavePicture => " save a picture of the screen ".into(),
        InputPurpose::SaveSession => " save view, points and log ".into(),
        InputPurpose::SaveView => " save the view, for --view FILE ".into(),
        InputPurpose::Filter(_)
        | InputPurpose::Alert
        | InputPurpose::Watch
        | InputPurpose::Time
        | InputPurpose::Mark(_)
        | InputPurpose::Compare => return None,
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
        // With a border, the title says how many lines.
        (InputPurpose::SavePicture | InputPurpose::SaveSession | InputPurpose::SaveView, _) => {
            ("save to ".into(), String::new())
        }
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

/// Draws a line whose own place is not on the screen, with hints beside it, and returns the place of
/// the cursor.
pub fn draw_beside_hints(canvas: &mut Canvas<'_>, area: Rect) -> Option<Position> {
    /// Columns for what is typed before hints have room.
    const MIN_TYPED: usize = 40;
    let Canvas { app, theme, .. } = *canvas;
    let input = app.input().line().filter(|input| input.mode() == app.mode())?;
    let area = hints::draw_beside(canvas, width(input.text()).max(MIN_TYPED), area);
    let pen = canvas.pen(area, 0);
    Some(draw_input(app, input, theme, area, pen))
}

/// How many lines of the log pass its filter, if there is one.
fn filtered(app: &App) -> Option<String> {
    let log = app.log();
    let all = number::plural(log.len(), "line", "lines");
    log.filter().map(|_| format!("{} of {all}", number::count(log.shown())))
}

/// The remark on the line: why it is wrong, what is missing, or its date.
pub fn remark(app: &App, theme: &Theme) -> Option<(String, Style)> {
    if app.mode() != Mode::Prompt {
        return None;
    }
    match app.verdict() {
        Verdict::Empty => None,
        Verdict::Wrong { why, .. } => Some((why, theme.bad)),
        Verdict::Suspicious { why, .. } => Some((why, theme.alert)),
        Verdict::Unfinished(why) => Some((why, theme.quiet)),
        Verdict::Own(promise) => Some((promise.to_owned(), theme.quiet)),
        Verdict::Accepted => {
            let now = app.now().unix();
            let filled = wire_line(app.input().prompt.text().as_bytes(), now).filled.is_some();
            filled.then(|| ("with the current time".to_owned(), theme.quiet))
        }
    }
    .or_else(|| Some((app.input().prompt.date(app.now(), app.zone())?, theme.quiet)))
}

fn draw_prompt(app: &App, theme: &Theme, field: Rect, mut pen: Pen<'_>) -> Position {
    let focused = app.mode() == Mode::Prompt;
    let editor = app.input().prompt.editor();
    let text = editor.text();
    let mark = if focused { theme.focus } else { theme.quiet };
    if text.is_empty() && !app.mode().takes_requests() {
        pen.write("> ", mark);
        return cursor_at(field, 2);
    }
    if text.is_empty() {
        pen.write("> ", mark).write("such as  get *   put palm.cpu 23.7", theme.quiet);
        return cursor_at(field, 2);
    }
    let ghost = app.input().prompt.ghost(app.now().unix()).filter(|_| focused);
    let mut spans = match app.verdict() {
        Verdict::Accepted | Verdict::Own(_) => vec![(text, theme.good)],
        Verdict::Suspicious { at, .. } => underlined(text, at, theme.good, theme.alert).to_vec(),
        Verdict::Wrong { at, .. } if !at.is_empty() => {
            underlined(text, at, theme.text, theme.bad).to_vec()
        }
        Verdict::Empty | Verdict::Unfinished(_) | Verdict::Wrong { .. } => vec![(text, theme.text)],
    };
    spans.extend(ghost.as_deref().map(|ghost| (ghost, theme.quiet)));
    draw_line(("> ", mark), editor, &spans, field, pen)
}

/// A text in which one part is underlined and has a style of its own.
fn underlined(text: &str, part: Range<usize>, rest: Style, style: Style) -> [Span<'_>; 3] {
    let style = style.add_modifier(Modifier::UNDERLINED);
    [(&text[..part.start], rest), (&text[part.clone()], style), (&text[part.end..], rest)]
}

/// Draws a line behind its mark, scrolled to its cursor, and returns the place of the cursor.
pub fn draw_line(
    mark: Span<'_>,
    editor: &Editor,
    spans: &[Span<'_>],
    field: Rect,
    mut pen: Pen<'_>,
) -> Position {
    pen.write(mark.0, mark.1);
    let mut skip = first_column(editor, width(mark.0), field);
    for &(text, style) in spans {
        let rest;
        (rest, skip) = behind(text, skip);
        pen.write(rest, style);
    }
    cursor(editor, width(mark.0), field)
}

/// The place of the cursor in a line behind a mark of so many columns.
pub fn cursor(editor: &Editor, mark: usize, field: Rect) -> Position {
    let first = first_column(editor, mark, field);
    cursor_at(field, mark + editor.cursor_column().saturating_sub(first))
}

/// The first column in view; one stays free for a cursor behind the last character.
fn first_column(editor: &Editor, mark: usize, field: Rect) -> usize {
    editor.first_column(usize::from(field.width).saturating_sub(mark + 1))
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
    let cursor = cursor_at(field, width("search: ") + editor.cursor_column());
    if search.failed && found.is_empty() {
        pen.write("  no such line", theme.quiet);
    } else if !found.is_empty() {
        pen.write("  → ", theme.quiet);
        let at = found.find(part).unwrap_or(0);
        for (text, style) in underlined(found, at..at + part.len(), theme.text, theme.alert) {
            pen.write(text, style);
        }
    }
    cursor
}

/// The reason why the first wrong line among the pasted ones is wrong.
fn wrong_line(app: &App, theme: &Theme) -> Option<(String, Style)> {
    let pasted = app.input().overlay()?.pasted()?;
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
    pen.skip(2).write(&pasted.sample, theme.quiet);
}
