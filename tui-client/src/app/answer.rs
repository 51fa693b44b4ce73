//! The answer to the last typed `get`, which is shown beside the table until it is closed.

use shared::{KeyBuf, Point};

use crate::metrics::series::Series;
use crate::metrics::series::summary::Answer;
use crate::request::selector::selector_of;
use crate::text::number;

/// Lines of an answer that are kept to be shown; the log has all that it logs.
const MAX_LINES: usize = 1000;

/// A line of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerLine {
    /// The key, where the answer has several.
    pub key: Option<KeyBuf>,
    /// A point of the only key, or the last one of this key.
    pub point: Point,
    /// Points of the key in the answer, where the answer has several keys.
    pub count: Option<u64>,
}

/// The answer to a typed `get`: of one key its newest points, of several the last point of each.
#[derive(Debug, Clone, PartialEq)]
pub struct TypedAnswer {
    request: String,
    lines: Vec<AnswerLine>,
    keys: u64,
    /// The only key, where the request does not name it.
    found: Option<KeyBuf>,
    points: u64,
    /// It has only what was saved, which may not be all.
    is_partial: bool,
    /// The first line on the screen.
    top: usize,
}

impl TypedAnswer {
    /// The answer to a request; none if it is empty.
    pub fn new(request: &str, answer: &Answer) -> Option<Self> {
        let lines = match &answer.series[..] {
            [] => return None,
            [only] => points_of(only),
            several => several.iter().take(MAX_LINES).map(last_of).collect(),
        };
        let keys = answer.series.len() as u64;
        let found = match &answer.series[..] {
            [only] if !names(request, only.key.as_str()) => Some(only.key.clone()),
            _ => None,
        };
        let (request, points) = (request.to_owned(), answer.points);
        Some(Self { request, lines, keys, found, points, is_partial: false, top: 0 })
    }

    /// The answer, of which it is said whether it has only what was saved.
    #[must_use]
    pub fn partial(self, is_partial: bool) -> Self {
        Self { is_partial, ..self }
    }

    /// The request with the numbers of keys and points, and that of several keys not all of these are
    /// shown. The only key is named. In a replay it may be of what was saved alone.
    pub fn title(&self) -> String {
        let keys = number::plural(self.keys, "key", "keys");
        let keys = match &self.found {
            Some(key) => key.to_string(),
            None if self.keys > 1 && self.points > self.keys => format!("newest of each of {keys}"),
            None => keys,
        };
        let points = number::plural(self.points, "point", "points");
        let saved = if self.is_partial { " · only what was saved" } else { "" };
        format!("{} · {keys} · {points}{saved}", self.request)
    }

    /// The request, as it was typed.
    pub fn request(&self) -> &str {
        &self.request
    }

    /// The lines, of one key the newest point first.
    pub fn lines(&self) -> &[AnswerLine] {
        &self.lines
    }

    /// The index of the first line on a screen of this many rows.
    pub fn first(&self, rows: usize) -> usize {
        self.top.min(self.lines.len().saturating_sub(rows))
    }

    /// Scrolls by lines, up if negative, on a screen of this many rows.
    pub fn scroll(&mut self, lines: isize, rows: usize) {
        let last = self.lines.len().saturating_sub(rows);
        self.top = self.first(rows).saturating_add_signed(lines).min(last);
    }

    /// Lines of the whole answer.
    pub fn all_lines(&self) -> u64 {
        if self.keys == 1 { self.points } else { self.keys }
    }

    /// The answer in one line, for a screen without room for more; the end may be cut off.
    pub fn summary(&self) -> String {
        match &self.lines[..] {
            [line, ..] if line.key.is_none() => format!("{} · {}", line.point, self.title()),
            _ => self.title(),
        }
    }
}

/// The selector of a request is this key, with a clause or without.
fn names(request: &str, key: &str) -> bool {
    let pattern = selector_of(request.as_bytes()).and_then(|selector| selector.split('[').next());
    pattern == Some(key)
}

fn points_of(series: &Series) -> Vec<AnswerLine> {
    let newest = series.recent().iter().rev().take(MAX_LINES);
    newest.map(|&point| AnswerLine { key: None, point, count: None }).collect()
}

fn last_of(series: &Series) -> AnswerLine {
    let (key, count) = (Some(series.key.clone()), series.count());
    AnswerLine { key, point: series.last, count }
}
