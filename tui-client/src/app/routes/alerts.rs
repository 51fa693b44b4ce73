//! Alerts: they are on the keys of the table and of the watched ones, and evaluated there.

use crate::app::App;
use crate::app::table::Table;
use crate::app::watch::Watched;
use crate::keymap::Mode;
use crate::metrics::alerts::{Alert, CALM};
use crate::metrics::series::Series;
use crate::text::{number, time};
use crate::wire_log::entry::Tone;

impl App {
    /// Drops the alerts on the selected key; where there are none, brings back those that were
    /// dropped last, if one was on it.
    pub(in crate::app) fn drop_alerts(&mut self) {
        let Some(key) = self.selected_key() else { return };
        let gone = self.alerts.drop_alerts_on(&key);
        if gone.is_empty() {
            return self.bring_alerts_back(&key);
        }
        let texts: Vec<_> = gone.iter().map(|alert| self.named(alert)).collect();
        let text = match &texts[..] {
            [alert] => format!("alert dropped: {alert}; D again brings it back"),
            alerts => {
                let (count, alerts) = (alerts.len(), alerts.join(", "));
                format!("{count} alerts dropped: {alerts}; D again brings them back")
            }
        };
        self.dropped_alerts = gone;
        self.cx.say(Tone::Plain, text);
        self.evaluate_alerts();
    }

    /// An alert, with what else it is on than one key: `*.cpu > 90 (on *.cpu, 12 keys)`.
    fn named(&self, alert: &Alert) -> String {
        let pattern = alert.pattern();
        if pattern.is_key() {
            return alert.to_string();
        }
        let keys = self.watch.keys().iter().filter(|watched| pattern.matches(&watched.key));
        format!("{alert} (on {pattern}, {})", number::plural(keys.count() as u64, "key", "keys"))
    }

    fn bring_alerts_back(&mut self, key: &str) {
        if !self.dropped_alerts.iter().any(|alert| alert.concerns(key)) {
            return self.cx.say(Tone::Plain, format!("no alert on {key}"));
        }
        let back = std::mem::take(&mut self.dropped_alerts);
        let texts: Vec<_> = back.iter().map(ToString::to_string).collect();
        for alert in back {
            self.alerts.add(alert);
        }
        self.evaluate_alerts();
        // Said last: an alert that fires at once is in the log, and rings.
        let (count, texts) = (texts.len() as u64, texts.join(", "));
        let back = number::plural(count, "alert is", "alerts are");
        self.cx.say(Tone::Good, format!("{back} back: {texts}"));
    }

    /// Silences the alerts that fire or have just changed, until they have been calm for a while; again:
    /// they are said as before.
    pub(in crate::app) fn silence_alerts(&mut self) {
        let now = self.cx.now().elapsed;
        if !self.alerts.is_restless(now) {
            return self.cx.say(Tone::Plain, "no alert fires");
        }
        let texts: Vec<_> =
            self.alerts.toggle_silence(now).iter().map(ToString::to_string).collect();
        let calm = time::duration(CALM);
        let text = match &texts[..] {
            [] => "alerts are said as they fire".to_owned(),
            texts => {
                let texts = texts.join(", ");
                format!("silenced until calm for {calm}: {texts}; B again ends the silence")
            }
        };
        self.cx.say(Tone::Plain, text);
    }

    /// An alert fires for a row of the table, whose numbers may be of a window only: at the place in
    /// time, if it is of one. None counts for a key that was removed from the watched ones.
    pub fn is_firing(&self, series: &Series) -> bool {
        let has_all = self.feed.has_selectors() != Some(true);
        let counts = |alert: &&Alert| has_all || !alert.is_of_all();
        let (key, time) = (series.key.as_str(), self.table_time());
        if self.watch.is_unwanted(key) {
            return false;
        }
        if self.table().as_of().is_some() {
            // What fires now says nothing of another time.
            let mut alerts = self.alerts.alerts().filter(|alert| alert.concerns(key));
            return alerts.any(|alert| {
                let judged = self.place.judged().series_of(alert, series, time);
                judged.is_some_and(|series| alert.fires(series, time))
            });
        }
        let fires = |alert: &Alert| alert.fires(series, time);
        self.alerts.fires(key) || self.alerts.alerts().filter(counts).any(fires)
    }

    /// The number of watched keys of which it is not known whether an alert fires at the place in time.
    pub fn unjudged(&self) -> usize {
        let Some(table) = self.place.table() else { return 0 };
        let (time, judged) = (self.table_time(), self.place.judged());
        let is_unjudged = |watched: &&Watched| {
            let mut alerts = self.alerts.alerts().filter(|alert| alert.concerns(&watched.key));
            match self.watched_series(watched) {
                Some(row) => alerts.any(|alert| judged.series_of(alert, row, time).is_none()),
                None => alerts.next().is_some() && table.unknown().has(&watched.key),
            }
        };
        self.watch.keys().iter().filter(is_unjudged).count()
    }

    /// What alerts compare at the place in time is under way.
    pub fn is_judging(&self) -> bool {
        self.place.judged().is_under_way()
    }

    /// An alert fires for a watched key: at the place in time, if the screen is at one.
    pub fn is_alarmed(&self, watched: &Watched) -> bool {
        match self.place.table() {
            None => watched.alarm,
            Some(_) => self.watched_series(watched).is_some_and(|series| self.is_firing(series)),
        }
    }

    /// The number of watched keys for which an alert fires.
    pub fn alarms(&self) -> usize {
        self.watch.keys().iter().filter(|key| self.is_alarmed(key)).count()
    }

    /// Selects the next watched key for which an alert fires: keys with alerts are watched.
    pub(in crate::app) fn select_next_alarm(&mut self) {
        let firing: Vec<_> = self.watch.keys().iter().map(|key| self.is_alarmed(key)).collect();
        let is_selected = firing.get(self.watch.selected()) == Some(&true);
        let is_alone = is_selected && firing.iter().filter(|&&fires| fires).count() == 1;
        if !self.watch.select_next(&firing) {
            let none = match self.place.table().and_then(Table::as_of) {
                Some(at) => {
                    let (now, zone) = (self.cx.now().unix(), self.cx.zone());
                    format!("no alert fires at {}", time::short_moment(at, now, zone))
                }
                None => "no alert fires".to_owned(),
            };
            return self.cx.say(Tone::Plain, none);
        }
        if is_alone && let Some(key) = self.watch.selected_key() {
            let text = format!("no alert fires but for {}, which is selected", key.key);
            self.cx.say(Tone::Plain, text);
        }
        if self.mode() != Mode::Chart {
            self.panes.focus_on(Mode::Watch);
        }
    }

    pub(in crate::app) fn evaluate_alerts(&mut self) {
        self.watch.evaluate(&mut self.alerts, &mut self.log, &mut self.cx);
        self.say_cut();
    }

    /// Says once that globs of alerts match more keys than are judged, when it is known how many.
    pub(in crate::app) fn say_cut(&mut self) {
        let awaits_table = self.layout().table.is_some() && !self.table.loaded();
        if self.is_cut_said || !self.watch.is_cut() || awaits_table {
            return;
        }
        let globs = self.alerts.alerts().map(Alert::pattern);
        let globs: Vec<_> = globs.filter(|pattern| self.watch.cuts(pattern)).collect();
        if globs.is_empty() {
            return;
        }
        let matches = |key: &str| globs.iter().any(|glob| glob.matches(key));
        let judged = self.watch.keys().iter().filter(|watched| matches(&watched.key)).count();
        let rows = self.table.answer().series.iter();
        let all = rows.filter(|series| matches(series.key.as_str())).count();
        let of_all =
            if all > judged { format!(" of {}", number::count(all as u64)) } else { String::new() };
        let judged = number::count(judged as u64);
        let text = format!(
            "only the first {judged}{of_all} keys are judged: set alerts on narrower globs"
        );
        self.is_cut_said = true;
        self.log.report(text, &mut self.cx);
    }
}
