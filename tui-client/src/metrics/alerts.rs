//! Alerts on series, for the screen and for plain mode: each change of state is reported once.

mod alert;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use shared::{Glob, KeyBuf, Point};

use crate::metrics::needs::Parts;
use crate::metrics::series::Series;

pub use alert::{Alert, Evaluated};

/// Time between the first two changes of an alert that are said; it doubles with each, up to
/// [`MAX_QUIET`], until the alert is calm.
const QUIET: Duration = Duration::from_secs(3);

/// The longest time between two changes of an alert that are said.
const MAX_QUIET: Duration = Duration::from_secs(15);

/// Time without a change of an alert after which it is said again although it was silenced.
pub const CALM: Duration = Duration::from_secs(60);

/// Alerts and their states.
#[derive(Debug, Default)]
pub struct Alerts {
    states: Vec<AlertState>,
    fired: bool,
    /// Counts the evaluations, so that keys without points are found.
    turn: u64,
    /// There is only one answer, so nothing can come between two.
    once: bool,
}

/// An alert and what is known of its keys.
#[derive(Debug)]
struct AlertState {
    alert: Alert,
    /// There was a series to evaluate.
    has_data: bool,
    /// The keys for which it fires, and the turn in which it last did.
    firing: BTreeMap<KeyBuf, u64>,
    /// The last point of each key, so that points between two answers are evaluated too.
    seen: HashMap<KeyBuf, Point>,
    /// All its series have been evaluated, so that all points of another series are new.
    answered: bool,
    /// When a change of it was last said, since the program started.
    said: Option<Duration>,
    /// The time after that in which no other change is said.
    quiet: Duration,
    silence: Option<Silence>,
    /// The last time that it fired was said.
    is_said: bool,
    /// When it last changed.
    changed: Option<Duration>,
}

/// The silence of an alert, which lasts as long as the alert fires, and [`CALM`] longer.
#[derive(Debug, Clone, Copy)]
struct Silence {
    /// When the alert was silenced or, since then, last changed.
    since: Duration,
    /// The alert has fired since then.
    fires: bool,
}

impl Silence {
    /// When it ends, unless the alert changes before; none as long as the alert fires.
    fn end(self) -> Option<Duration> {
        (!self.fires).then_some(self.since + CALM)
    }
}

/// The new state of an alert on a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertChange {
    /// The alert fires.
    Firing,
    /// The alert fires no longer.
    Resolved,
    /// The key for which it fired has no points any more.
    NoData,
}

/// A change of state.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertEvent {
    /// The new state.
    pub change: AlertChange,
    /// The alert, as it was written.
    pub condition: String,
    /// The key.
    pub key: KeyBuf,
    /// The number that was compared.
    pub value: Option<f64>,
    /// The time of the point, in Unix seconds.
    pub timestamp: Option<i64>,
    text: String,
    /// The alert and what it compares, which all changes on this key have in their text.
    about: String,
}

impl AlertEvent {
    /// The text for the user.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A text is about a change of the same alert on the same key, and about this change if one is
    /// given: only the number may differ.
    pub fn is_like(&self, text: &str, change: Option<AlertChange>) -> bool {
        let changes = [AlertChange::Firing, AlertChange::Resolved, AlertChange::NoData];
        let mut changes = changes.into_iter().filter(|&known| change.is_none_or(|it| it == known));
        changes.any(|change| {
            let rest = text.strip_prefix(change.word()).and_then(|text| text.strip_prefix(": "));
            rest.is_some_and(|rest| rest.starts_with(&self.about))
        })
    }
}

impl AlertChange {
    /// The word with which texts about it begin.
    fn word(self) -> &'static str {
        match self {
            Self::Firing => "alert",
            Self::Resolved => "resolved",
            Self::NoData => "no data",
        }
    }
}

impl AlertState {
    fn new(alert: Alert) -> Self {
        let (firing, seen) = (BTreeMap::new(), HashMap::new());
        Self {
            alert,
            has_data: false,
            firing,
            seen,
            answered: false,
            said: None,
            quiet: QUIET,
            silence: None,
            is_said: true,
            changed: None,
        }
    }

    /// Evaluates a series that the alert concerns, and the point of it that came `late`, if any.
    /// While the number to compare is not known, the state stays.
    fn evaluate(
        &mut self,
        evaluated: Evaluated<'_>,
        late: Option<Point>,
        turn: u64,
        now: i64,
        events: &mut Vec<AlertEvent>,
    ) {
        let Self { alert, has_data, firing, seen, answered, .. } = self;
        let key = evaluated.series.key.as_str();
        let Some(series) = alert.series_of(evaluated, now) else {
            if let Some(last) = firing.get_mut(key) {
                *last = turn;
            }
            return;
        };
        *has_data |= alert.has_data(series, now);
        let (before, fires) = (firing.contains_key(key), alert.fires(series, now));
        let found = match (before, fires) {
            (true, _) => None,
            (false, true) => Some(alert.found(series, now)),
            (false, false) => match seen.get(key) {
                // Points before the first answer are history.
                None if !*answered => None,
                seen => alert.missed(series, seen.copied(), now),
            }
            .or_else(|| alert.missed_late(series, late?, now)),
        };
        if fires {
            firing.insert(series.key.clone(), turn);
        } else {
            firing.remove(key);
        }
        let resolved = !fires && (before || found.is_some());
        let event = |change, (found, value, timestamp)| AlertEvent {
            change,
            condition: alert.as_str().to_owned(),
            key: series.key.clone(),
            value,
            timestamp: Some(timestamp),
            text: format!("{}: {alert}: {found}", change.word()),
            about: format!("{alert}: {} ", alert.subject(&series.key)),
        };
        events.extend(found.map(|found| event(AlertChange::Firing, found)));
        if resolved {
            events.push(event(AlertChange::Resolved, alert.found(series, now)));
        }
    }

    fn is_silenced(&self, now: Duration) -> bool {
        self.silence.is_some_and(|silence| silence.end().is_none_or(|end| now < end))
    }

    /// Silences the alert as it is now, or ends the silence.
    fn silence(&mut self, is_silenced: bool, now: Duration) {
        let fires = !self.firing.is_empty();
        self.silence = is_silenced.then_some(Silence { since: now, fires });
    }

    /// When [`AlertState::is_silenced`] or [`AlertState::is_restless`] changes by the passing of
    /// time alone.
    fn next_calm(&self, now: Duration) -> Option<Duration> {
        let silenced = self.silence.and_then(Silence::end);
        let changed = self.changed.map(|at| at + CALM);
        [silenced, changed].into_iter().flatten().filter(|&end| end > now).min()
    }

    fn is_restless(&self, now: Duration) -> bool {
        !self.firing.is_empty()
            || self.is_silenced(now)
            || self.changed.is_some_and(|at| now < at + CALM)
    }

    fn remember(&mut self, series: &Series) {
        match self.seen.get_mut(series.key.as_str()) {
            Some(seen) => *seen = series.last,
            None => drop(self.seen.insert(series.key.clone(), series.last)),
        }
    }
}

impl Alerts {
    /// Watches for these, each once.
    pub fn new(alerts: &[Alert]) -> Self {
        let mut all = Self::default();
        for alert in alerts {
            all.add(alert.clone());
        }
        all
    }

    /// Watches for these in one answer, which may come in parts.
    pub fn once(alerts: &[Alert]) -> Self {
        Self { once: true, ..Self::new(alerts) }
    }

    /// Watches for this too.
    pub fn add(&mut self, alert: Alert) {
        if !self.alerts().any(|known| *known == alert) {
            self.states.push(AlertState::new(alert));
        }
    }

    /// Removes and returns the alerts that concern this key, also those that concern others.
    pub fn drop_alerts_on(&mut self, key: &str) -> Vec<Alert> {
        self.states
            .extract_if(.., |state| state.alert.concerns(key))
            .map(|state| state.alert)
            .collect()
    }

    /// Forgets the state of a key that is watched no longer: the next firing is reported again.
    pub fn forget(&mut self, key: &str) {
        for state in &mut self.states {
            state.firing.remove(key);
            state.seen.remove(key);
            let fires = !state.firing.is_empty();
            if let Some(silence) = &mut state.silence {
                silence.fires &= fires;
            }
        }
    }

    /// The alerts, in the order in which they were added.
    pub fn alerts(&self) -> impl ExactSizeIterator<Item = &Alert> {
        self.states.iter().map(|state| &state.alert)
    }

    /// Some alert is about this key.
    pub fn concerns(&self, key: &str) -> bool {
        self.alerts().any(|alert| alert.concerns(key))
    }

    /// Some alert may fire by the passing of time alone.
    pub fn counts_time(&self) -> bool {
        self.alerts().any(Alert::is_about_age)
    }

    /// The alerts that have had nothing to evaluate so far, which must not pass for good.
    pub fn without_data(&self) -> impl Iterator<Item = &Alert> {
        self.states.iter().filter(|state| !state.has_data).map(|state| &state.alert)
    }

    /// An alert has fired at least once.
    pub fn fired(&self) -> bool {
        self.fired
    }

    /// What the alerts on this key need to know of all its points.
    pub fn needs_of(&self, key: &str) -> Parts {
        let alerts = self.alerts().filter(|alert| alert.is_of_all() && alert.concerns(key));
        alerts.fold(Parts::default(), |all, alert| all | alert.needs().parts())
    }

    /// An alert fires for this key.
    pub fn fires(&self, key: &str) -> bool {
        self.states.iter().any(|state| state.firing.contains_key(key))
    }

    /// Silences the alerts that fire or have changed within [`CALM`], until they are calm for so long;
    /// returns them. Where all of these are silenced, they are said again, and none is returned.
    pub fn toggle_silence(&mut self, now: Duration) -> Vec<&Alert> {
        let mut restless: Vec<_> =
            self.states.iter_mut().filter(|state| state.is_restless(now)).collect();
        let is_any_heard = restless.iter().any(|state| !state.is_silenced(now));
        for state in &mut restless {
            state.silence(is_any_heard, now);
        }
        let alerts = restless.into_iter().map(|state| &state.alert);
        alerts.filter(|_| is_any_heard).collect()
    }

    /// Some alert fires or has just changed, so that it may be silenced.
    pub fn is_restless(&self, now: Duration) -> bool {
        self.states.iter().any(|state| state.is_restless(now))
    }

    /// The number of alerts that are silenced.
    pub fn silenced(&self, now: Duration) -> usize {
        self.states.iter().filter(|state| state.is_silenced(now)).count()
    }

    /// When [`Alerts::silenced`] or [`Alerts::is_restless`] changes by the passing of time alone.
    pub fn next_calm(&self, now: Duration) -> Option<Duration> {
        self.states.iter().filter_map(|state| state.next_calm(now)).min()
    }

    /// Records a change of this alert, which postpones the end of its silence.
    pub fn note_change(&mut self, condition: &str, now: Duration) {
        for state in self.states.iter_mut().filter(|state| state.alert.as_str() == condition) {
            state.silence(state.is_silenced(now), now);
            state.changed = Some(now);
        }
    }

    /// A change of this alert may be said now: it is not silenced, and no other was within the last
    /// seconds, more of them the longer it comes and goes, so that it does not hide everything else
    /// that is said.
    pub fn may_say(&mut self, condition: &str, now: Duration) -> bool {
        let state = self.states.iter_mut().find(|state| state.alert.as_str() == condition);
        let Some(state) = state else { return false };
        let due = state.said.map(|at| at + state.quiet);
        state.is_said = !state.is_silenced(now) && due.is_none_or(|due| now >= due);
        if !state.is_said {
            return false;
        }
        let is_restless = due.is_some_and(|due| now < due + CALM);
        state.quiet = if is_restless { (state.quiet * 2).min(MAX_QUIET) } else { QUIET };
        state.said = Some(now);
        true
    }

    /// That this alert no longer fires may be said: it was said that it does, and it is not silenced.
    pub fn may_say_end(&self, condition: &str, now: Duration) -> bool {
        let is_meant = |state: &&AlertState| state.alert.as_str() == condition;
        self.states.iter().filter(is_meant).any(|state| state.is_said && !state.is_silenced(now))
    }

    /// The last time that this alert fired was said.
    pub fn is_said(&self, condition: &str) -> bool {
        self.states.iter().any(|state| state.alert.as_str() == condition && state.is_said)
    }

    /// The next change of this alert may be said, whenever the last one was.
    pub fn end_quiet(&mut self, condition: &str) {
        for state in self.states.iter_mut().filter(|state| state.alert.as_str() == condition) {
            state.said = None;
        }
    }

    /// Evaluates one series after this point has come; returns the changes. The value of a point
    /// that is not the newest one counts too: when only it fires, the alert is resolved at once.
    pub fn evaluate_point<'a>(
        &mut self,
        series: impl Into<Evaluated<'a>>,
        point: Point,
        now: i64,
    ) -> Vec<AlertEvent> {
        self.evaluate_one(series.into(), Some(point), now)
    }

    fn evaluate_one(
        &mut self,
        evaluated: Evaluated<'_>,
        late: Option<Point>,
        now: i64,
    ) -> Vec<AlertEvent> {
        let (key, mut events) = (evaluated.series.key.as_str(), Vec::new());
        for state in self.states.iter_mut().filter(|state| state.alert.concerns(key)) {
            state.evaluate(evaluated, late, self.turn, now, &mut events);
            if !self.once {
                state.remember(evaluated.series);
            }
        }
        self.fired |= events.iter().any(|event| event.change == AlertChange::Firing);
        events
    }

    /// Evaluates series; returns the changes. `asked` tells the keys that would be among the series
    /// if they had points, and `complete` the patterns of which by now all keys would.
    pub fn evaluate<'a, S: Into<Evaluated<'a>>>(
        &mut self,
        series: impl IntoIterator<Item = S>,
        asked: impl Fn(&str) -> bool,
        complete: impl Fn(&Glob) -> bool,
        now: i64,
    ) -> Vec<AlertEvent> {
        let mut events = Vec::new();
        self.turn += 1;
        for series in series {
            events.append(&mut self.evaluate_one(series.into(), None, now));
        }
        for AlertState { alert, firing, answered, .. } in &mut self.states {
            *answered = complete(alert.pattern());
            firing.retain(|key, turn| {
                let gone = *turn != self.turn && asked(key.as_str());
                if gone {
                    events.push(AlertEvent {
                        change: AlertChange::NoData,
                        condition: alert.as_str().to_owned(),
                        key: key.clone(),
                        value: None,
                        timestamp: None,
                        text: format!("no data: {alert}: {key} has no points any more"),
                        about: format!("{alert}: {} ", alert.subject(key)),
                    });
                }
                !gone
            });
        }
        events
    }
}

#[cfg(test)]
mod tests;
