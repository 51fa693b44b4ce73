//! The watched keys: the state of each, the next poll, the alerts on them.

mod chart_data;
mod chart_pane;
mod list;
mod numbers;
mod opening;
#[cfg(test)]
mod tests;
mod totals;
mod watched;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use shared::{Glob, Key, Point};

use crate::app::chart::viewport::Viewport;
use crate::app::context::Context;
use crate::app::log::Log;
use crate::app::screen::panes::Panes;
use crate::event::Moment;
use crate::keymap::{Mode, WatchAction};
use crate::metrics::alerts::{AlertChange, AlertEvent, Alerts, Evaluated};
use crate::metrics::patterns::Patterns;
use crate::metrics::rollups::Rollups;
use crate::metrics::rollups::plan::PartId;
use crate::metrics::series::summary::{Answer, ByGlob, Cut, watched_share};
use crate::metrics::series::{Bounds, Series};
use crate::metrics::watch_plan::merged;
use crate::metrics::window::ChartWindow;
use crate::sources::{Away, Runs};
use crate::wire_log::entry::Tone;
use numbers::Numbers;
use opening::Opening;
use totals::TotalsAsked;
use watched::{FRESH, NUMBERS, wider};
pub use watched::{Heard, Watched};

/// The answer to the key that removes the cursor where there is none.
const NOTHING_TO_LEAVE: &str =
    "no cursor to remove; i leads to the command line, tab to the next pane";

/// Points that are asked for of a key that is watched by its name.
const MAX_ASKED_OF_KEY: u32 = 1024;

/// Points that are asked for of each key that a glob watches.
const MAX_ASKED_BY_GLOB: u32 = 64;

/// Logs changes of alerts; says when one fires, and rings, unless it has just done so: such a
/// change shares a line of the log with the one before. That one no longer fires is said where
/// it stood that it does, and where nothing else stands.
pub fn tell_alerts(events: &[AlertEvent], alerts: &mut Alerts, log: &mut Log, cx: &mut Context) {
    let now = cx.now();
    for event in events {
        alerts.note_change(&event.condition, now.elapsed);
        let fires = event.change == AlertChange::Firing;
        let is_said = fires && alerts.may_say(&event.condition, now.elapsed);
        let is_apart = alerts.is_said(&event.condition);
        let tone = match event.change {
            AlertChange::Resolved => Tone::Good,
            AlertChange::NoData => Tone::Plain,
            AlertChange::Firing => Tone::Bad,
        };
        let is_like = |text: &str| event.is_like(text, Some(event.change));
        log.note_again(now, tone, event.text(), |text| !is_apart && is_like(text));
        if log.is_replayed() {
            // It was said when it happened.
        } else if is_said {
            cx.say(tone, event.text());
            cx.ring();
        } else if !fires && alerts.may_say_end(&event.condition, now.elapsed) {
            let goes_on = |text: &str| event.is_like(text, Some(AlertChange::Firing));
            cx.say_end(tone, event.text(), goes_on);
        }
        if event.change == AlertChange::NoData {
            alerts.end_quiet(&event.condition);
        }
    }
}

/// All watched keys.
#[derive(Debug, Default)]
pub struct Watch {
    /// The keys of globs that are of alerts alone stand last, those first for which one fires.
    patterns: Patterns,
    keys: Vec<Watched>,
    /// Keys that match a glob but were unwatched.
    unwanted: HashSet<String>,
    selected: usize,
    /// The next poll goes out even while polling is paused.
    wanted: bool,
    /// Requests of the current poll without reply.
    asking: usize,
    next: Duration,
    /// Which globs matched more keys than may be watched.
    cut: Cut,
    /// How many of the keys are there because of globs, if that is counted.
    by_glob: Option<ByGlob>,
    /// Selectors that have been answered since the patterns changed.
    answered: HashSet<String>,
    /// The number of answers taken.
    revision: u64,
    /// The places of the keys.
    places: HashMap<String, usize>,
    /// Its first key is selected as soon as one is known.
    to_select: Option<Glob>,
    viewport: Viewport,
    /// The time that the cursor points to where the points known so far begin later, and the window to
    /// be moved there once they don't.
    unreached: Option<(i64, ChartWindow)>,
    /// What the chart opens on.
    opening: Opening,
    /// The numbers of the keys, as far as they are asked for.
    numbers: Numbers,
    /// The chart asks for what it shows, which only a server with selectors can answer.
    asks: bool,
    /// The number of times that the chart was asked for.
    charts: u64,
    /// The number of queries for the chart and the numbers.
    queries: u64,
    /// Queries for the chart without an answer: the key and the part.
    asked_parts: HashMap<u64, (String, PartId)>,
    /// The queries for numbers of all points of keys with alerts.
    totals: TotalsAsked,
    /// Keys that an answer may lack although they have points.
    away: Away,
    /// Keys that are not asked for, because their server is not there.
    absent: Away,
    /// Keys that are to be in the chart besides once they are known, as those of a server that is away.
    to_mark: BTreeSet<String>,
    /// Keys of these that are called alike are in one chart.
    runs: Runs,
}

impl Watch {
    /// Watches these keys and globs from the start.
    pub fn new(patterns: impl IntoIterator<Item = Glob>) -> Self {
        Self::of_runs(patterns, Runs::default())
    }

    /// Watches these keys and globs of several runs from the start.
    pub fn of_runs(patterns: impl IntoIterator<Item = Glob>, runs: Runs) -> Self {
        let mut watch = Self { runs, ..Self::default() };
        for pattern in patterns {
            watch.add(pattern);
        }
        watch.selected = 0;
        watch
    }

    /// The keys in the order in which they were added.
    pub fn keys(&self) -> &[Watched] {
        &self.keys
    }

    /// The watched keys and globs; shared with the network.
    pub fn patterns(&self) -> &Patterns {
        &self.patterns
    }

    /// Keys and globs that match the watched keys and no unwatched ones.
    pub fn shown_patterns(&self) -> Vec<Glob> {
        let mut shown: Vec<Glob> = Vec::new();
        for pattern in self.patterns.iter() {
            if !self.unwanted.iter().any(|key| pattern.matches(key)) {
                shown.push(pattern.clone());
                continue;
            }
            let keys = self.keys.iter().map(|watched| watched.key.as_str());
            let keys = keys.filter(|key| pattern.matches(key) && !self.patterns.has_key(key));
            shown.extend(keys.filter_map(|key| key.parse().ok()));
        }
        shown
    }

    /// Nothing is watched.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Makes the next poll go out as soon as possible, even while polling is paused.
    pub fn want(&mut self) {
        (self.wanted, self.next) = (true, Duration::ZERO);
    }

    /// The next poll goes out even while polling is paused.
    pub fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// The poll of the table includes the watched keys; the next poll is not before `next`.
    pub fn comes_otherwise(&mut self, next: Duration) {
        (self.wanted, self.next) = (false, self.next.max(next));
    }

    /// More keys matched than may be watched.
    pub fn is_cut(&self) -> bool {
        self.cut != Cut::default()
    }

    /// More keys matched a pattern and those that count with it than may be watched.
    pub fn cuts(&self, pattern: &Glob) -> bool {
        match pattern {
            key if key.is_key() => false,
            of_alert if self.patterns.is_of_alerts(of_alert) => self.cut.of_alerts,
            _ => self.cut.own,
        }
    }

    /// All keys with points that match the pattern are among the watched ones.
    pub fn has_heard_of(&self, pattern: &Glob) -> bool {
        let cut = if pattern.is_key() { self.is_cut() } else { self.cuts(pattern) };
        !cut && [pattern.as_str(), "*"].iter().any(|&asked| self.answered.contains(asked))
    }

    /// The index of the selected key.
    pub fn selected(&self) -> usize {
        self.selected
    }

    /// The selected key.
    pub fn selected_key(&self) -> Option<&Watched> {
        self.keys.get(self.selected)
    }

    /// The index of the first key in a list of this many rows, so that the selected one is visible.
    pub fn first_visible(&self, rows: usize) -> usize {
        (self.selected + 1).saturating_sub(rows.max(1))
    }

    /// The keys whose points are charted: the selected one first, then those of other runs that are
    /// called like it, then the kept ones.
    pub fn charted(&self) -> impl Iterator<Item = &Watched> {
        let selected = self.selected_key();
        let rest = selected.and_then(|selected| self.runs.rest(&selected.key));
        let is_beside = move |key: &Watched| rest.is_some() && self.runs.rest(&key.key) == rest;
        let others = || (0..).zip(&self.keys).filter(|&(at, _)| at != self.selected);
        let beside = others().filter(move |(_, key)| is_beside(key));
        let kept = others().filter(move |(_, key)| key.kept && !is_beside(key));
        selected.into_iter().chain(beside.chain(kept).map(|(_, key)| key))
    }

    /// The times of points are other ones than before: what is known of them is of no use.
    pub fn forget_points(&mut self) {
        for watched in &mut self.keys {
            (watched.rollups, watched.series) = (Rollups::default(), None);
        }
        self.asked_parts.clear();
        self.open_anew();
    }

    /// There are several runs, whose keys are laid over each other.
    pub fn has_runs(&self) -> bool {
        !self.runs.is_empty()
    }

    /// When the next mark of a fresh value ends.
    pub fn fresh_until(&self, now: Duration) -> Option<Duration> {
        let until = self.keys.iter().filter_map(|key| Some(key.changed? + FRESH));
        until.filter(|&until| until > now).min()
    }

    /// When the next poll is due; none while a poll is under way.
    pub fn next_due(&self) -> Option<Duration> {
        (self.asking == 0 && !self.is_empty()).then_some(self.next)
    }

    /// Records a poll of this many requests; the next one is due at `next`.
    pub fn asked(&mut self, requests: usize, next: Duration) {
        (self.asking, self.next, self.wanted) = (requests, next, false);
    }

    /// Records the end of one request of the poll; the next poll is not before `next`.
    pub fn done(&mut self, next: Duration) {
        self.asking = self.asking.saturating_sub(1);
        self.next = self.next.max(next);
    }

    /// Forgets the poll under way; the next one goes out as soon as possible.
    pub fn reset(&mut self) {
        (self.asking, self.next) = (0, Duration::ZERO);
    }

    /// Makes the next poll go out at `next` at the latest.
    pub fn hurry(&mut self, next: Duration) {
        self.next = self.next.min(next);
    }

    /// Sets the keys that an answer may lack although they have points, and those of them of which no
    /// server is there that could be asked.
    pub fn set_away(&mut self, away: Away, absent: Away) {
        (self.away, self.absent) = (away, absent);
    }

    /// Takes the watched series of an answer to `selector`.
    pub fn take(&mut self, selector: &Glob, answer: &Answer, now: Duration) {
        let deep = answer.watched.iter().filter_map(|&at| answer.series.get(at));
        let told: HashMap<&str, &Series> =
            deep.clone().map(|series| (series.key.as_str(), series)).collect();
        self.revision += 1;
        let revision = self.revision;
        // An answer for older patterns does not cover keys added since.
        let is_current = answer.patterns == self.patterns;
        let begun = self.keys.iter().any(|watched| watched.heard > Heard::Nothing);
        for watched in &mut self.keys {
            if !self.asks {
                // Those of the answer are of all points.
                watched.known = Default::default();
            }
            let series = told.get(&*watched.key).copied();
            let is_meant =
                || is_current && selector.matches(&watched.key) && !self.away.has(&watched.key);
            if series.is_some() || is_meant() {
                watched.answer(series, revision, now);
            }
        }
        if is_current && !selector.is_key() {
            self.cut = answer.cut;
        }
        if is_current {
            self.answered.insert(selector.as_str().to_owned());
        }
        let before = self.keys.len();
        let known: HashSet<String> = self.keys.iter().map(|key| key.key.clone()).collect();
        for series in deep {
            let key = series.key.as_str();
            let is_new = !known.contains(key) && !self.unwanted.contains(key);
            if is_new && self.patterns.iter().any(|pattern| pattern.matches(key)) {
                let mut watched = self.new_key(key.to_owned());
                watched.answer(Some(series), revision, now);
                self.keys.push(watched);
            }
        }
        if self.keys.len() > before {
            self.put_in_order();
            self.selected = if begun { self.selected } else { 0 };
            self.select_awaited();
        }
    }

    /// What to ask a server with selectors for, to know the newest points of the keys that match
    /// some patterns: the patterns, and the selectors.
    pub fn history(patterns: &[Glob]) -> Vec<(String, String)> {
        let (keys, globs): (Vec<_>, Vec<_>) = patterns.iter().cloned().partition(Glob::is_key);
        let of = |patterns: &[Glob], points: u32| {
            let selector = move |pattern| format!("{pattern}[last:{points}]");
            merged(patterns).into_iter().map(move |pattern| (pattern.clone(), selector(pattern)))
        };
        of(&keys, MAX_ASKED_OF_KEY).chain(of(&globs, MAX_ASKED_BY_GLOB)).collect()
    }

    /// All keys with points are known, because every request for them is answered.
    pub fn heard_of_all(&mut self) {
        let patterns = self.patterns.iter().map(|pattern| pattern.as_str().to_owned());
        self.answered.extend(patterns);
    }

    /// Takes a point that was put just now, if its key is watched; returns what alerts evaluate. The key may
    /// be one that is not known yet if it `may_be_new`.
    pub fn tell(
        &mut self,
        (key, point): (Key<'_>, Point),
        may_be_new: bool,
        now: Moment,
    ) -> Option<Evaluated<'_>> {
        let limit = watched_share(self.keys.len().max(1));
        let place = match self.places.get(key.as_str()).copied() {
            Some(place) => place,
            None if may_be_new && self.wants(key.as_str()) => {
                let new = self.new_key(key.as_str().to_owned());
                self.keys.push(new);
                self.put_in_order();
                *self.places.get(key.as_str())?
            }
            None => return None,
        };
        let bounds = Bounds::of(self.told_window(), now.unix());
        let watched = self.keys.get_mut(place)?;
        watched.rollups.put(point, bounds.present);
        let changed = match &mut watched.series {
            Some(series) => {
                let is_known = series.recent().has(point.timestamp);
                let changed = series.tell(point, bounds);
                if changed {
                    watched.totals.tell(point, bounds.present, is_known);
                }
                changed
            }
            none => {
                let series = none.insert(Series::new(key.to_owned(), point, limit));
                if point.timestamp < bounds.from {
                    series.forget_counted();
                }
                // There is no other point.
                watched.known = NUMBERS.map(|_| true);
                true
            }
        };
        let series = watched.series.as_ref()?;
        if changed {
            self.revision += 1;
            watched.revision = self.revision;
            (watched.changed, watched.heard) = (Some(now.elapsed), Heard::Points);
            let recent = series.recent();
            let ends = [recent.get(0), recent.get(recent.len().saturating_sub(1))];
            let ends = ends.into_iter().flatten().map(|end| (end.timestamp, end.timestamp));
            watched.bounds = wider(ends);
        }
        watched.evaluated(self.asks)
    }

    /// A key that is not known is to be watched, and there is room for it.
    fn wants(&mut self, key: &str) -> bool {
        // Where all globs are known to match too many keys, none of them is looked at for each point.
        let mut by_glob = self.by_glob();
        let (full, cut, patterns) = (by_glob.full(), self.cut, &self.patterns);
        let takes_own = patterns.has_own_globs() && !(full.own && cut.own);
        let has_alerts = !patterns.of_alerts().is_empty();
        let takes_alerted = has_alerts && !(full.of_alerts && cut.of_alerts);
        if !(takes_own || takes_alerted) || self.unwanted.contains(key) {
            return false;
        }
        let has_room = by_glob.take(key, &self.patterns);
        let cut = by_glob.cut();
        self.cut.own |= cut.own;
        self.cut.of_alerts |= cut.of_alerts;
        has_room
    }

    /// A key that a glob or an alert brings was removed: no alert counts for it.
    pub fn is_unwanted(&self, key: &str) -> bool {
        self.unwanted.contains(key)
    }

    /// Whether a key is watched.
    pub fn has(&self, key: &str) -> bool {
        self.places.contains_key(key)
    }

    /// Records whether an alert fires for a key.
    pub fn set_alarm(&mut self, key: &str, alarm: bool) {
        let place = self.places.get(key).copied();
        if let Some(watched) = place.and_then(|place| self.keys.get_mut(place)) {
            watched.alarm = alarm;
            self.lift_firing();
        }
    }

    /// Performs an action of the watched keys.
    pub fn update(
        &mut self,
        action: WatchAction,
        panes: &mut Panes,
        alerts: &mut Alerts,
        cx: &mut Context,
    ) {
        let full = panes.focus() == Mode::Chart;
        match action {
            WatchAction::Unwatch => {
                if let Some(key) = self.remove_selected() {
                    alerts.forget(&key);
                    cx.say(Tone::Plain, self.left_of(&key, alerts));
                }
                if self.is_empty() {
                    panes.focus_on(Mode::Table);
                }
            }
            WatchAction::Keep => {
                if let Some(key) = self.keys.get_mut(self.selected) {
                    key.kept = !key.kept;
                }
            }
            WatchAction::KeepAll if self.keys.len() < 2 => {
                let text = match self.selected_key() {
                    Some(key) => {
                        format!("{} alone is watched; W watches another key, too", key.key)
                    }
                    None => "no key is watched yet; W watches one".to_owned(),
                };
                cx.say(Tone::Plain, text);
            }
            WatchAction::KeepAll => {
                let all = self.keys.iter().all(|key| key.kept);
                self.keys.iter_mut().for_each(|key| key.kept = !all);
                self.to_mark.clear();
            }
            WatchAction::FullScreen if full => panes.focus_on(panes.before_chart()),
            WatchAction::FullScreen => panes.focus_on(Mode::Chart),
            WatchAction::Leave if self.viewport.drop_cursor() => {}
            WatchAction::Leave if full => panes.focus_on(panes.before_chart()),
            // What is typed next is for the chart.
            WatchAction::Leave => cx.say(Tone::Plain, NOTHING_TO_LEAVE),
        }
    }

    /// What is said of a key that is watched no longer: what goes on without it.
    fn left_of(&self, key: &str, alerts: &Alerts) -> String {
        let glob = self.patterns.iter().find(|pattern| pattern.matches(key));
        let others = glob.map(|glob| format!("; other keys of {glob} are")).unwrap_or_default();
        let on_key: Vec<_> = alerts.alerts().filter(|alert| alert.concerns(key)).collect();
        let of_alerts = match &on_key[..] {
            [] => String::new(),
            [alert] => format!("; {alert} no longer counts for it, W {key} brings both back"),
            all => {
                let count = all.len();
                format!("; nor do {count} alerts count for it any more, W {key} brings all back")
            }
        };
        format!("no longer watching {key}{others}{of_alerts}")
    }

    /// Evaluates the alerts on the watched keys; rings when one fires.
    pub fn evaluate(&mut self, alerts: &mut Alerts, log: &mut Log, cx: &mut Context) {
        let known = self.keys.iter().filter_map(|key| key.evaluated(self.asks));
        let complete = |pattern: &Glob| self.has_heard_of(pattern);
        let events = alerts.evaluate(known, |_| true, complete, cx.now().unix());
        tell_alerts(&events, alerts, log, cx);
        for watched in &mut self.keys {
            watched.alarm = alerts.fires(&watched.key);
        }
        self.lift_firing();
    }

    /// The chart has a cursor.
    pub fn has_cursor(&self) -> bool {
        self.viewport.cursor().is_some()
    }

    fn place(&self, key: &str) -> Option<usize> {
        self.places.get(key).copied()
    }
}
