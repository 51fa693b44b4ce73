//! Alerts: they are on the keys of the table and of the watched ones, and evaluated there.

use crate::app::App;
use crate::keymap::Mode;
use crate::metrics::alerts::{Alert, CALM};
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
            [alert] => format!("alert dropped: {alert}; again: back"),
            alerts => {
                format!("{} alerts dropped: {}; again: back", alerts.len(), alerts.join(", "))
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
        self.cx.say(Tone::Good, format!("alert on {}", texts.join(", ")));
        for alert in back {
            self.alerts.add(alert);
        }
        self.evaluate_alerts();
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
            texts => format!("silenced till calm for {calm}: {}; again: said", texts.join(", ")),
        };
        self.cx.say(Tone::Plain, text);
    }

    /// Selects the next watched key for which an alert fires: keys with alerts are watched.
    pub(in crate::app) fn select_next_alarm(&mut self) {
        if !self.watch.select_next_alarm() {
            return self.cx.say(Tone::Plain, "no alert fires");
        }
        if self.mode() != Mode::Chart {
            self.panes.focus_on(Mode::Watch);
        }
    }

    pub(in crate::app) fn evaluate_alerts(&mut self) {
        self.watch.evaluate(&mut self.alerts, &mut self.log, &mut self.cx);
    }
}
