//! A watched key: its series, and what is known of it.

use std::time::Duration;

use shared::selector::Aggregate;

use super::totals::Totals;
#[cfg(doc)]
use crate::app::chart::MAX_LINES;
use crate::metrics::alerts::Evaluated;
use crate::metrics::rollups::Rollups;
use crate::metrics::series::Series;

/// Time for which a changed value is marked.
pub(super) const FRESH: Duration = Duration::from_secs(2);

/// The numbers that a server with selectors is asked for of each key; the mean needs the count.
pub(super) const NUMBERS: [Aggregate; 4] =
    [Aggregate::Count, Aggregate::Min, Aggregate::Max, Aggregate::Avg];

/// One watched key.
#[derive(Debug, Default)]
pub struct Watched {
    /// The key.
    pub key: String,
    /// The series of the last answer; `None` if the key has no points, or before the first answer.
    pub series: Option<Series>,
    /// What is known from the answers so far.
    pub heard: Heard,
    /// An alert fires.
    pub alarm: bool,
    /// It is watched because of globs of alerts alone.
    pub(super) of_alert: bool,
    /// The key is in the chart even if another one is selected.
    pub kept: bool,
    /// The colour and the letter of its line, as a number below [`MAX_LINES`]: the same as long as it
    /// is drawn.
    pub(super) line: Option<usize>,
    /// A number that changes with the series.
    pub revision: u64,
    /// The times of the first and last point of the series, cached for the chart.
    pub(super) bounds: Option<(i64, i64)>,
    /// What the chart knows of the key from a server with selectors.
    pub(super) rollups: Rollups,
    /// The numbers of all points, where an alert needs them of a server with selectors.
    pub(super) totals: Totals,
    /// When the key was last in the chart, as a number that rises.
    pub(super) charted: u64,
    pub(super) changed: Option<Duration>,
    /// Which numbers of the series are those of the window.
    pub(super) known: [bool; NUMBERS.len()],
}

/// The range that includes all ranges of time; none without any.
pub(super) fn wider(bounds: impl Iterator<Item = (i64, i64)>) -> Option<(i64, i64)> {
    bounds.reduce(|(first, last), (from, to)| (first.min(from), last.max(to)))
}

/// What the answers have said of a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heard {
    /// No answer has come.
    #[default]
    Nothing,
    /// The key has no points.
    NoPoints,
    /// The key has points, or had some.
    Points,
}

impl Watched {
    pub(super) fn new(key: String) -> Self {
        Self { key, ..Self::default() }
    }

    /// The number of the colour and the letter of its line in the chart, below [`MAX_LINES`].
    pub fn line_number(&self) -> usize {
        self.line.unwrap_or(0)
    }

    /// The value has changed a short time ago.
    pub fn is_fresh(&self, now: Duration) -> bool {
        self.changed.is_some_and(|at| now < at + FRESH)
    }

    /// What alerts evaluate. The numbers of the series are of all points, unless the server `asks` for
    /// them apart.
    pub(super) fn evaluated(&self, asks: bool) -> Option<Evaluated<'_>> {
        let series = self.series.as_ref()?;
        let of_all = if asks { self.totals.series() } else { Some(series) };
        Some(Evaluated { series, of_all })
    }

    /// Takes the series of an answer. Numbers that a server with selectors was asked for stay until
    /// newer ones have come.
    pub(super) fn answer(&mut self, series: Option<&Series>, revision: u64, now: Duration) {
        // An older point may have changed or be gone: the whole series is compared.
        if self.series.as_ref() != series {
            if self.heard > Heard::Nothing && self.is_news(series) {
                self.changed = Some(now);
            }
            let before = std::mem::replace(&mut self.series, series.cloned());
            match (&mut self.series, before) {
                (Some(series), Some(before)) => {
                    let known = NUMBERS.into_iter().zip(self.known).filter(|&(_, known)| known);
                    known.for_each(|(of, _)| series.keep_number(of, &before));
                }
                _ => self.known = Default::default(),
            }
            self.revision = revision;
            let times = series.into_iter().flat_map(|series| series.recent().iter());
            self.bounds = wider(times.map(|point| (point.timestamp, point.timestamp)));
        }
        let heard = if series.is_some() { Heard::Points } else { Heard::NoPoints };
        self.heard = self.heard.max(heard);
        if series.is_none() {
            self.totals = Totals::default();
        }
    }

    /// The series has a new or changed newest point.
    fn is_news(&self, series: Option<&Series>) -> bool {
        match (&self.series, series) {
            (Some(before), Some(series)) => {
                before.last != series.last || before.count() < series.count()
            }
            (before, _) => before.is_none(),
        }
    }
}
