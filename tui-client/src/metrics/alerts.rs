//! Alerts held against series, for the screen and for whoever has none: what is new is told once.

use std::collections::{BTreeMap, HashMap};

use shared::{KeyBuf, Point};

use crate::metrics::expression::Alert;
use crate::metrics::glob::Glob;
use crate::metrics::summary::Series;

/// Alerts and what is known of them.
#[derive(Debug, Default)]
pub struct Alerts {
    states: Vec<AlertState>,
    fired: bool,
    /// Counts the judgements, so that keys without points are found.
    turn: u64,
    /// There is one answer, so that nothing can come between two.
    once: bool,
}

#[derive(Debug)]
struct AlertState {
    alert: Alert,
    /// There was a series for it to evaluate.
    judged: bool,
    /// The keys for which it fires, and when it last did.
    firing: BTreeMap<KeyBuf, u64>,
    /// The last point judged, so that those between two answers are judged too.
    seen: HashMap<KeyBuf, Point>,
    /// All its series have been judged, so that all points of another one are new.
    answered: bool,
}

impl AlertState {
    fn new(alert: Alert) -> Self {
        let (firing, seen) = (BTreeMap::new(), HashMap::new());
        Self { alert, judged: false, firing, seen, answered: false }
    }

    /// Holds a series that it is about against the alert.
    fn evaluate(&mut self, series: &Series, turn: u64, now: i64, news: &mut Vec<AlertEvent>) {
        let Self { alert, judged, firing, seen, answered } = self;
        let key = &series.key;
        *judged |= alert.judges(series, now);
        let (before, fires) = (firing.contains_key(key.as_str()), alert.fires(series, now));
        if fires {
            firing.insert(key.clone(), turn);
        } else {
            firing.remove(key.as_str());
        }
        let found = match (before, fires) {
            (true, _) => None,
            (false, true) => Some(alert.found(series, now)),
            (false, false) => match seen.get(key.as_str()) {
                // What had been before anybody looked is over.
                None if !*answered => None,
                seen => alert.missed(series, seen.copied(), now),
            },
        };
        let is_over = !fires && (before || found.is_some());
        let told = found.map(|found| (Change::Firing, format!("alert: {alert}: {found}")));
        let over = || format!("well again: {alert}: {}", alert.found(series, now));
        let over = is_over.then(|| (Change::Resolved, over()));
        news.extend(told.into_iter().chain(over).map(|(change, text)| AlertEvent { change, text }));
    }

    fn has_seen(&mut self, series: &Series) {
        match self.seen.get_mut(series.key.as_str()) {
            Some(seen) => *seen = series.last,
            None => drop(self.seen.insert(series.key.clone(), series.last)),
        }
    }
}

/// Something has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertEvent {
    /// What became of the alarm.
    pub change: Change,
    /// For a person.
    pub text: String,
}

/// What becomes of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It fires now.
    Firing,
    /// All is well again.
    Resolved,
    /// There is nothing left to evaluate.
    NoData,
}

impl Alerts {
    /// Watches for these.
    pub fn new(alerts: &[Alert]) -> Self {
        let mut watched = Self::default();
        for alert in alerts {
            watched.add(alert.clone());
        }
        watched
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

    /// Watches no longer for what is about this key; says how many alerts that were.
    pub fn drop_alerts_on(&mut self, key: &str) -> usize {
        let before = self.states.len();
        self.states.retain(|state| !state.alert.concerns(key));
        before - self.states.len()
    }

    /// Nobody looks at this key any longer: when it fires again, that is news.
    pub fn forget(&mut self, key: &str) {
        for state in &mut self.states {
            state.firing.remove(key);
            state.seen.remove(key);
        }
    }

    /// What it watches for.
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

    /// There is nothing to watch for.
    pub fn is_empty(&self) -> bool {
        self.states.is_empty()
    }

    /// The alerts that have had nothing to evaluate so far, which is not to be taken for well.
    pub fn unjudged(&self) -> impl Iterator<Item = &Alert> {
        self.states.iter().filter(|state| !state.judged).map(|state| &state.alert)
    }

    /// An alert has fired at least once.
    pub fn fired(&self) -> bool {
        self.fired
    }

    /// An alert fires for this key.
    pub fn fires(&self, key: &str) -> bool {
        self.states.iter().any(|state| state.firing.contains_key(key))
    }

    /// Holds series against the alerts; says what is new. `asked` tells the keys that would be
    /// among the series if they had points, and `complete` the patterns of which by now all keys
    /// would.
    pub fn evaluate<'a>(
        &mut self,
        series: impl IntoIterator<Item = &'a Series>,
        asked: impl Fn(&str) -> bool,
        complete: impl Fn(&Glob) -> bool,
        now: i64,
    ) -> Vec<AlertEvent> {
        let mut news = Vec::new();
        self.turn += 1;
        for series in series {
            let key = series.key.as_str();
            for state in self.states.iter_mut().filter(|state| state.alert.concerns(key)) {
                state.evaluate(series, self.turn, now, &mut news);
                if !self.once {
                    state.has_seen(series);
                }
            }
        }
        self.fired |= news.iter().any(|news| news.change == Change::Firing);
        for AlertState { alert, firing, answered, .. } in &mut self.states {
            *answered = complete(alert.pattern());
            firing.retain(|key, turn| {
                let gone = *turn != self.turn && asked(key.as_str());
                if gone {
                    let text = format!("alert over: {alert}: {key} has no points any more");
                    news.push(AlertEvent { change: Change::NoData, text });
                }
                !gone
            });
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::summary::Summarizer;

    fn alerts(alerts: &[&str]) -> Alerts {
        let alerts: Vec<Alert> = alerts.iter().map(|alert| alert.parse().unwrap()).collect();
        Alerts::new(&alerts)
    }

    fn evaluate(alerts: &mut Alerts, selector: &str, data: &str) -> Vec<String> {
        let mut fold = Summarizer::new(4);
        fold.add_lines(data.as_bytes());
        let asked = |key: &str| selector == "*" || selector == key;
        let complete = |pattern: &Glob| asked(pattern.as_str());
        let news = alerts.evaluate(&fold.finish().series, asked, complete, 10);
        news.into_iter().map(|news| news.text).collect()
    }

    #[test]
    fn an_alert_is_told_once_until_it_is_well_again() {
        let mut alerts = alerts(&["*.cpu > 90"]);
        let mut evaluate = |data: &str| evaluate(&mut alerts, "*", data);
        assert_eq!(evaluate("palm.cpu 90 1\n"), [""; 0]);
        assert_eq!(evaluate("palm.cpu 95 2\nx.mem 99 2\n"), ["alert: *.cpu > 90: palm.cpu is 95"]);
        assert_eq!(evaluate("palm.cpu 96 3\n"), [""; 0]);
        assert_eq!(evaluate("palm.cpu 1 4\n"), ["well again: *.cpu > 90: palm.cpu is 1"]);
        assert!(alerts.fired() && !alerts.fires("palm.cpu"));
    }

    #[test]
    fn a_point_between_two_answers_is_judged_too() {
        let mut alerts = alerts(&["a > 90", "a max > 98"]);
        let mut evaluate = |data: &str| evaluate(&mut alerts, "a", data);
        assert_eq!(evaluate("a 95 1\na 1 2\n"), [""; 0], "what was before is over");
        let between = ["alert: a > 90: a was 95.5 (age 7s)", "well again: a > 90: a is 1"];
        assert_eq!(evaluate("a 95 1\na 1 2\na 95.5 3\na 1 4\n"), between);
        assert_eq!(evaluate("a 95 1\na 1 2\na 95.5 3\na 1 4\n"), [""; 0], "only once");
        assert_eq!(evaluate("a 1 4\na 97 5\n"), ["alert: a > 90: a is 97"]);
        assert_eq!(evaluate("a 97 5\na 1 6\na 98 7\na 98 8\n"), [""; 0], "it fired, and fires");
        assert_eq!(evaluate("a 98 8\na 1 9\na 97 10\na 1 11\n"), ["well again: a > 90: a is 1"]);
        assert!(alerts.fired() && !alerts.fires("a"));
    }

    #[test]
    fn all_points_of_a_new_key_are_judged() {
        for first in ["", "a 1 1\n"] {
            let mut alerts = alerts(&["* > 90"]);
            let mut evaluate = |data: &str| evaluate(&mut alerts, "*", data);
            assert_eq!(evaluate(first), [""; 0]);
            let between = ["alert: * > 90: b was 95 (age 9s)", "well again: * > 90: b is 1"];
            assert_eq!(evaluate(&format!("{first}b 95 1\nb 1 2\n")), between);
        }
        let mut alerts = alerts(&["* > 90"]);
        assert_eq!(evaluate(&mut alerts, "a", "a 1 1\n"), [""; 0]);
        assert_eq!(evaluate(&mut alerts, "*", "a 1 1\nb 95 1\nb 1 2\n"), [""; 0], "not so new");
    }

    #[test]
    fn changes_between_two_answers_are_judged_too() {
        let mut alerts = alerts(&["a change > 5", "a rate > 5", "a max > 50"]);
        let mut evaluate = |data: &str| evaluate(&mut alerts, "*", data);
        assert_eq!(evaluate("a 1 1\na 9 2\na 9 3\n"), [""; 0]);
        let told = [
            "alert: a change > 5: the change of a was 10 (age 5s)",
            "well again: a change > 5: the change of a is 0",
        ];
        assert_eq!(evaluate("a 1 1\na 9 2\na 9 3\na 19 5\na 19 6\n"), told);
    }

    #[test]
    fn what_had_nothing_to_judge_is_known() {
        let mut alerts = alerts(&["a > 5", "no*such > 5"]);
        let unjudged = |alerts: &Alerts| alerts.unjudged().count();
        assert_eq!((unjudged(&alerts), evaluate(&mut alerts, "*", "b 9 1\n").len()), (2, 0));
        evaluate(&mut alerts, "*", "a 1 1\n");
        let mut of_one_point = super::Alerts::new(&["a rate > 5".parse().unwrap()]);
        evaluate(&mut of_one_point, "*", "a 1 1\n");
        assert_eq!(unjudged(&of_one_point), 1, "it has no rate");
        evaluate(&mut of_one_point, "*", "a 1 1\na 2 2\n");
        assert_eq!(unjudged(&of_one_point), 0);
        let left: Vec<_> = alerts.unjudged().map(ToString::to_string).collect();
        assert_eq!(left, ["no*such > 5"]);
    }

    #[test]
    fn every_alert_on_a_key_is_told() {
        let mut alerts = alerts(&["a > 5", "a > 8"]);
        assert_eq!(evaluate(&mut alerts, "a", "a 6 1\n"), ["alert: a > 5: a is 6"]);
        assert_eq!(evaluate(&mut alerts, "a", "a 9 2\n"), ["alert: a > 8: a is 9"]);
        assert_eq!(evaluate(&mut alerts, "a", "a 7 3\n"), ["well again: a > 8: a is 7"]);
        assert!(alerts.fires("a"));
        alerts.add("a > 6".parse().unwrap());
        assert_eq!(evaluate(&mut alerts, "a", "a 7 3\n"), ["alert: a > 6: a is 7"]);
        alerts.forget("a");
        assert!(!alerts.fires("a"));
        assert_eq!(evaluate(&mut alerts, "a", "a 7 3\n").len(), 2, "it is looked at again");
        assert_eq!((alerts.drop_alerts_on("a"), alerts.is_empty()), (3, true));
    }

    #[test]
    fn an_alarm_ends_with_the_last_point_of_its_key() {
        let mut alerts = alerts(&["* > 5"]);
        assert_eq!(evaluate(&mut alerts, "*", "a 6 1\nb 7 1\n").len(), 2);
        assert_eq!(evaluate(&mut alerts, "b", "b 7 1\n"), [""; 0], "a was not asked for");
        let over = "alert over: * > 5: a has no points any more";
        assert_eq!(evaluate(&mut alerts, "*", "b 7 1\n"), [over]);
        assert_eq!(evaluate(&mut alerts, "*", "b 7 1\n"), [""; 0]);
        assert!(alerts.fires("b") && !alerts.fires("a"));
    }
}
