//! The top line: connection, polling and its cost.

use std::time::Duration;

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::canvas::Canvas;
use super::canvas::pen::Pen;
use super::theme::Theme;
use crate::app::App;
use crate::app::replayed::Replayed;
use crate::app::server::link::LinkState;
use crate::app::server::link::SLOW;
use crate::app::server::sources::Standing;
use crate::request::pending::Purpose;
use crate::sources::SourceState;
use crate::text::width::width;
use crate::text::{number, time};

/// The remark on a lost connection.
const RETRYING: &str = ", retrying";

/// Draws the top line.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect) {
    let Canvas { app, theme, .. } = *canvas;
    let (mark, style, state) = match app.link().state() {
        LinkState::Connecting => ("◌", theme.alert, "connecting".to_owned()),
        LinkState::Connected => ("●", theme.good, "connected".to_owned()),
        LinkState::Waiting { reason, .. } => ("○", theme.bad, reason.clone()),
    };
    let mut pen = canvas.pen(area, 0);
    if let Some(replayed) = app.replayed() {
        return draw_replay(app, theme, &mut pen, replayed);
    }
    let waiting = waiting(app);
    if !app.sources().is_one_server() {
        return draw_sources(app, theme, &mut pen, waiting.as_deref());
    }
    pen.skip(1).write(mark, style).skip(1).write(app.link().address(), theme.title).skip(2);
    let round_trip = app.link().round_trip().filter(|_| !app.polling().is_paused());
    let round_trip = round_trip.filter(|_| waiting.is_none()).map(time::duration);
    // Where the room is short, the mark alone shows the state.
    let beside = match &waiting {
        Some(waiting) => width(waiting),
        None => round_trip.as_ref().map_or(0, |time| width(time)) + width(&pace(app, theme).0) + 1,
    };
    let is_lost = matches!(app.link().state(), LinkState::Waiting { .. });
    if is_lost && waiting.is_none() {
        pen.write(&state, style);
    } else if width(&state) + 2 + beside <= pen.room() {
        pen.write(&state, style).skip(2);
    }
    if is_lost && width(RETRYING) <= pen.room() {
        pen.write(RETRYING, style);
    }
    if let Some(waiting) = waiting {
        pen.write(&waiting, theme.alert);
    } else if let Some(time) = round_trip {
        pen.write(&time, theme.text);
    }
    draw_right(app, theme, &mut pen);
}

/// Draws what is replayed and when it was saved; where the room is short, runs and how far each is shifted
/// come before that.
fn draw_replay(app: &App, theme: &Theme, pen: &mut Pen<'_>, replayed: &Replayed) {
    /// Columns of the mark with its blanks.
    const MARK: usize = 3;
    let address = app.link().address();
    let saved = format!(", saved {}", time::date(replayed.saved_at(), app.zone()));
    let runs = runs(app, theme);
    let of_runs = if runs.is_empty() { 0 } else { length(&runs) + 2 };
    let forms = [("replay of ", address, &*saved), ("replay", "", &*saved), ("replay", "", "")];
    let wide = |(before, address, behind): (&str, &str, &str)| {
        MARK + width(before) + width(address) + width(behind) + of_runs
    };
    let place = place_texts(app).map_or(0, |[_, short]| width(&short) + 1);
    let fits = |&form: &(&str, &str, &str)| runs.is_empty() || wide(form) + place <= pen.room();
    let form = forms.into_iter().find(fits).unwrap_or(("replay", "", ""));
    draw_place(app, theme, pen, wide(form) + 1);
    let (before, address, behind) = form;
    pen.skip(1).write("▷", theme.alert).skip(1).write(before, theme.text);
    pen.write(address, theme.title).write(behind, theme.text);
    if !runs.is_empty() {
        pen.skip(2);
    }
    for (text, style) in &runs {
        pen.write(text, *style);
    }
}

/// Draws how each source stands: in full, without what is less than its being there, or those that
/// are away alone, as there is room.
fn draw_sources(app: &App, theme: &Theme, pen: &mut Pen<'_>, waiting: Option<&str>) {
    let (all, here) = (app.sources().iter(), app.sources().iter().filter(|it| it.state.is_whole()));
    let (all, here) = (all.len(), here.count());
    let is_connecting = app.sources().iter().any(|it| it.state == SourceState::Connecting);
    let (mark, style) = match here {
        _ if is_connecting => ("◌", theme.alert),
        0 => ("○", theme.bad),
        _ if here < all => ("●", theme.alert),
        _ => ("●", theme.good),
    };
    pen.skip(1).write(mark, style).skip(1);
    let beside = match waiting {
        Some(waiting) => width(waiting) + 2,
        None => 0,
    };
    let beside = beside + width(&pace(app, theme).0) + 2;
    let parts = [Detail::All, Detail::Little, Detail::Away].map(|detail| parts(app, theme, detail));
    let fits = |parts: &&Vec<(String, Style)>| length(parts) + beside <= pen.room();
    for (text, style) in parts.iter().find(fits).or(parts.last()).into_iter().flatten() {
        pen.write(text, *style);
    }
    if let Some(waiting) = waiting {
        pen.skip(2).write(waiting, theme.alert);
    }
    draw_right(app, theme, pen);
}

/// The columns of a text in parts.
fn length(parts: &[(String, Style)]) -> usize {
    parts.iter().map(|(text, _)| width(text)).sum()
}

/// The runs of a saved session, and by how much the times of each are shifted.
fn runs(app: &App, theme: &Theme) -> Vec<(String, Style)> {
    let is_any = app.sources().iter().any(|source| !source.label.run.is_empty());
    if is_any { parts(app, theme, Detail::Little) } else { Vec::new() }
}

/// How much is said of each source.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    All,
    Little,
    Away,
}

/// Why a server is away, where all of its sources are.
fn reason(server: &[Standing]) -> Option<&str> {
    let reasons = server.iter().map(|standing| match &standing.state {
        SourceState::Away { reason } => Some(reason.as_str()),
        _ => None,
    });
    reasons.reduce(|first, next| next.and(first)).flatten()
}

/// What is said of the sources.
fn parts(app: &App, theme: &Theme, detail: Detail) -> Vec<(String, Style)> {
    let mut parts: Vec<(String, Style)> = Vec::new();
    if detail == Detail::Away {
        let (here, all) = app.sources().count();
        parts.push((format!("{here} of {all}"), theme.title));
    }
    let is_live = app.is_live();
    let are_of_one = app.sources().iter().all(|source| source.label.name.is_empty());
    let is_all_away = app.sources().servers().all(|server| reason(server).is_some());
    if are_of_one && detail == Detail::All && !is_all_away {
        parts.push((format!("{}  ", app.link().address()), theme.title));
    }
    let mut is_first = parts.is_empty() || are_of_one && detail == Detail::All;
    let runs = app.sources().servers().flat_map(|server| {
        // Runs of a server that is away are not each said to be.
        let shown = if reason(server).is_some() { 1 } else { server.len() };
        server.iter().take(shown).map(move |source| (source, shown < server.len()))
    });
    for (source, is_whole) in runs {
        let name = if is_whole { source.label.server().to_owned() } else { source.label.shown() };
        let is_run = !source.label.run.is_empty();
        let (name_style, said) = match &source.state {
            SourceState::Here { shift: 0, .. } if detail == Detail::Away => continue,
            // How far a run is shifted is part of what it is called.
            SourceState::Here { shift: 1.., .. } if is_run => {
                let shift = time::duration(Duration::from_secs(source.state.shift()));
                (theme.title, Some((format!(" +{shift}"), theme.alert)))
            }
            SourceState::Here { .. } if is_run || detail == Detail::Little => (theme.title, None),
            SourceState::Here { round_trip, .. } => {
                let live = if is_live { " live" } else { "" };
                let time = round_trip.map(|time| format!(" {}", time::duration(time)));
                (theme.title, Some((format!("{live}{}", time.unwrap_or_default()), theme.text)))
            }
            SourceState::NoKeys => (theme.title, Some((": no keys yet".to_owned(), theme.alert))),
            SourceState::Connecting => {
                (theme.title, Some((": connecting".to_owned(), theme.alert)))
            }
            SourceState::Refusing { reason, .. } | SourceState::Away { reason } => {
                (theme.bad, Some((format!(": {reason}"), theme.bad)))
            }
        };
        if !std::mem::take(&mut is_first) {
            parts.push((" · ".to_owned(), theme.quiet));
        }
        parts.push((name, name_style));
        parts.extend(said);
    }
    parts
}

/// How the screen is kept up to date: what is told, or the interval of polling.
fn pace(app: &App, theme: &Theme) -> (String, Style) {
    let every = time::interval(app.polling().interval());
    match app.polling().stretched() {
        _ if app.polling().is_paused() => ("paused ".to_owned(), theme.alert),
        _ if app.is_live() && app.feed().is_behind() => {
            ("too much to follow ".to_owned(), theme.alert)
        }
        _ if app.is_live() => match app.sources().count() {
            (here, all) if here < all => (format!("{here} of {all} live "), theme.alert),
            _ => ("live ".to_owned(), theme.good),
        },
        Some(slowed) => {
            (format!("every {every}, slowed to {} ", time::duration(slowed)), theme.alert)
        }
        None if app.feed().has_selectors() == Some(true) && app.feed().is_recovering() => {
            ("following again ".to_owned(), theme.alert)
        }
        None => (format!("every {every} "), theme.quiet),
    }
}

/// Writes how the screen is kept up to date, and of which time it is also while the server is away.
fn draw_right(app: &App, theme: &Theme, pen: &mut Pen<'_>) {
    if app.link().is_connected() {
        draw_polling(app, theme, pen);
    } else {
        draw_place(app, theme, pen, 0);
    }
}

/// Writes how the screen is kept up to date and the cost, as far as there is room.
fn draw_polling(app: &App, theme: &Theme, pen: &mut Pen<'_>) {
    // What is shown is not of now, which is above all else to be said.
    draw_place(app, theme, pen, 0);
    if app.place().pointed_at().is_none() || !app.is_live() {
        let (text, style) = pace(app, theme);
        pen.write_right(&text, style);
    }
    if let Some(cost) = app.polling().cost(app.now().elapsed)
        && !app.polling().is_paused()
    {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate")]
        let bytes = number::bytes(cost.bytes as u64);
        pen.write_right(&format!("{:.1} req/s · {bytes}/s ·", cost.requests), theme.quiet);
    }
}

/// The place in time in words, and in a short form.
fn place_texts(app: &App) -> Option<[String; 2]> {
    let at = app.place().pointed_at()?;
    let (date, ago) = (time::date(at, app.zone()), time::age(at, app.now().unix()));
    Some([format!("at {date}, {ago} ago "), format!("{ago} ago ")])
}

/// Writes the place in time, in a short form where there is no room for so many columns beside it.
fn draw_place(app: &App, theme: &Theme, pen: &mut Pen<'_>, beside: usize) {
    if let Some([long, short]) = place_texts(app) {
        let text = if width(&long) + beside <= pen.room() { long } else { short };
        pen.write_right(&text, theme.alert);
    }
}

/// The oldest request without a reply, if it has waited for long.
fn waiting(app: &App) -> Option<String> {
    let oldest = app.link().oldest()?;
    let waited = app.now().elapsed.saturating_sub(oldest.since);
    if waited < SLOW {
        return None;
    }
    let seconds = Duration::from_secs(waited.as_secs());
    let what = match &oldest.purpose {
        Purpose::Watch(key) => key,
        Purpose::Typed(_)
        | Purpose::Refresh
        | Purpose::Snapshot(_)
        | Purpose::Renewal(_)
        | Purpose::Keys
        | Purpose::AsOf
        | Purpose::Base(_)
        | Purpose::Query(_) => &oldest.line,
    };
    Some(match oldest.points {
        0 => format!("waiting {} for {what}", time::duration(seconds)),
        points => format!("{} so far of {what}", number::plural(points, "point", "points")),
    })
}
