//! Alerts: they are on the keys of the table and of the watched ones, and evaluated there.

use crate::app::App;
use crate::keymap::Mode;
use crate::metrics::alerts::{Alert, CALM};
use crate::text::time;
use crate::wire_log::entry::Tone;

impl App {
    /// Drops the alerts on the selected key.
    pub(in crate::app) fn drop_alerts(&mut self) {
        let Some(key) = self.selected_key() else { return };
        let gone = self.alerts.drop_alerts_on(&key);
        let named = |alert: &Alert| match alert.pattern() {
            pattern if pattern.is_key() => alert.to_string(),
            pattern => format!("{alert} (on all of {pattern})"),
        };
        let texts: Vec<_> = gone.iter().map(named).collect();
        let text = match &texts[..] {
            [] => format!("no alert on {key}"),
            [alert] => format!("alert gone: {alert}"),
            alerts => format!("{} alerts gone: {}", alerts.len(), alerts.join(", ")),
        };
        self.cx.say(Tone::Plain, text);
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
