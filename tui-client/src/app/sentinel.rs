//! Alerts held against answers, for whoever has no screen: what is new is told once.

use std::collections::HashSet;

use shared::KeyBuf;

use super::expr::Alert;
use super::fold::Answer;
use super::format;

/// Alerts and what is known of them.
#[derive(Debug, Default)]
pub struct Sentinel {
    alerts: Vec<Alert>,
    /// Which alert fires for which key.
    firing: HashSet<(usize, KeyBuf)>,
    fired: bool,
}

impl Sentinel {
    /// Watches for these.
    pub fn new(alerts: &[Alert]) -> Self {
        Self { alerts: alerts.to_vec(), ..Self::default() }
    }

    /// There is nothing to watch for.
    pub fn is_empty(&self) -> bool {
        self.alerts.is_empty()
    }

    /// An alert has fired at least once.
    pub fn fired(&self) -> bool {
        self.fired
    }

    /// Holds an answer against the alerts; says what is new.
    pub fn judge(&mut self, answer: &Answer, now: i64) -> Vec<String> {
        let mut news = Vec::new();
        for series in &answer.series {
            for (at, alert) in self.alerts.iter().enumerate() {
                let key = series.key.as_str();
                if alert.fires(series, now) {
                    self.fired = true;
                    if self.firing.insert((at, series.key.clone())) {
                        let value = format::value(series.last.value, 24);
                        news.push(format!("alert: {alert}: {key} is {value}"));
                    }
                } else if self.firing.remove(&(at, series.key.clone())) {
                    news.push(format!("well again: {alert}: {key}"));
                }
            }
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::super::fold::Fold;
    use super::*;

    #[test]
    fn an_alert_is_told_once_until_it_is_well_again() {
        let alerts: Vec<Alert> = vec!["*.cpu > 90".parse().unwrap()];
        let mut sentinel = Sentinel::new(&alerts);
        let mut judge = |data: &str| {
            let mut fold = Fold::new(4);
            fold.add_lines(data.as_bytes());
            sentinel.judge(&fold.finish(), 10)
        };
        assert_eq!(judge("palm.cpu 90 1\n"), [""; 0]);
        assert_eq!(judge("palm.cpu 95 2\nx.mem 99 2\n"), ["alert: *.cpu > 90: palm.cpu is 95"]);
        assert_eq!(judge("palm.cpu 96 3\n"), [""; 0]);
        assert_eq!(judge("palm.cpu 1 4\n"), ["well again: *.cpu > 90: palm.cpu"]);
        assert!(sentinel.fired());
    }
}
