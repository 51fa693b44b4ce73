//! Which keys are watched, in which order they stand, and which one is selected.

use std::cmp::Ordering;

use shared::Glob;

use super::Watch;
use super::watched::Watched;
use crate::metrics::alerts::Alerts;
use crate::metrics::patterns::Patterns;
use crate::metrics::series::summary::ByGlob;
use crate::text::natural;

impl Watch {
    /// Watches a key or the keys that match a glob; a key that is watched already is selected.
    pub fn add(&mut self, pattern: Glob) {
        let text = pattern.as_str().to_owned();
        self.unwanted.retain(|key| !pattern.matches(key));
        self.answered.clear();
        let beside = if pattern.is_key() { self.runs.beside(&text) } else { Vec::new() };
        if pattern.is_key() {
            self.selected = self.place(&text).unwrap_or_else(|| {
                let key = self.new_key(text);
                self.keys.push(key);
                self.find_places();
                self.keys.len() - 1
            });
        }
        if !self.patterns.contains(&pattern) {
            self.add_pattern(pattern);
        } else if self.patterns.is_of_alerts(&pattern) {
            self.set_covered(|known, patterns| *known != pattern && patterns.is_of_alerts(known));
            self.put_in_order();
        }
        for beside in beside {
            self.add_beside(&beside);
        }
        self.want();
    }

    /// A key of which nothing is known yet.
    pub(super) fn new_key(&mut self, key: String) -> Watched {
        let kept = self.to_mark.remove(&key);
        Watched { kept, ..Watched::new(key) }
    }

    /// The keys that are in the chart besides the selected one, now or once they are known.
    pub fn marked(&self) -> impl Iterator<Item = &str> {
        let kept = self.keys.iter().filter(|key| key.kept).map(|key| key.key.as_str());
        kept.chain(self.to_mark.iter().map(String::as_str))
    }

    /// Watches the key of another run that is called like one that is watched.
    fn add_beside(&mut self, key: &str) {
        let Ok(pattern) = key.parse::<Glob>() else { return };
        if self.place(key).is_none() {
            let key = self.new_key(key.to_owned());
            self.keys.push(key);
            self.find_places();
        }
        self.unwanted.remove(key);
        if !self.patterns.iter().any(|known| known.matches(key)) {
            self.add_pattern(pattern);
        }
    }

    fn add_pattern(&mut self, pattern: Glob) {
        let all = self.patterns.iter().cloned().chain([pattern]);
        self.set_patterns(Patterns::new(all, self.patterns.of_alerts().iter().cloned()));
    }

    /// Selects the first key that a glob matches, as soon as one is known.
    pub fn select_first_of(&mut self, glob: Glob) {
        self.to_select = Some(glob);
        self.select_awaited();
    }

    pub(super) fn select_awaited(&mut self) {
        let Some(glob) = &self.to_select else { return };
        if let Some(place) = self.keys.iter().position(|key| glob.matches(&key.key)) {
            (self.selected, self.to_select) = (place, None);
        }
    }

    /// Watches the keys of an alert, unless they are watched already.
    pub fn cover(&mut self, pattern: &Glob) {
        let is_watched = pattern.is_key() && self.place(pattern.as_str()).is_some();
        if !is_watched && !self.patterns.contains(pattern) {
            self.add(pattern.clone());
            self.set_covered(|known, patterns| known == pattern || patterns.is_of_alerts(known));
        }
    }

    /// Which of the globs are of alerts alone, where it is known which ones are so far.
    pub fn set_covered(&mut self, is_covered: impl Fn(&Glob, &Patterns) -> bool) {
        let known = &self.patterns;
        let globs = known.iter().filter(|it| !it.is_key() && is_covered(it, known)).cloned();
        self.set_patterns(Patterns::new(known.iter().cloned(), globs));
    }

    fn set_patterns(&mut self, patterns: Patterns) {
        (self.patterns, self.by_glob) = (patterns, None);
    }

    /// How many of the keys are there because of globs.
    pub(super) fn by_glob(&mut self) -> ByGlob {
        let (keys, patterns) = (&self.keys, &self.patterns);
        let count = || ByGlob::of(keys.iter().map(|watched| watched.key.as_str()), patterns);
        *self.by_glob.get_or_insert_with(count)
    }

    /// The keys and globs that are watched by hand: those of [`Watch::shown_patterns`] but for the globs of
    /// these alerts alone, whose keys are watched wherever the alerts are set.
    pub fn own_patterns(&self, alerts: &Alerts) -> Vec<Glob> {
        let is_of_alert = |pattern: &Glob| {
            self.patterns.is_of_alerts(pattern)
                && alerts.alerts().any(|alert| alert.pattern() == pattern)
        };
        let shown = self.shown_patterns().into_iter();
        shown.filter(|pattern| !is_of_alert(pattern)).collect()
    }

    /// Brings the keys into order for whose alerts it has changed whether they fire.
    pub(super) fn lift_firing(&mut self) {
        let covered = self.keys.iter().filter(|key| key.of_alert);
        if !covered.is_sorted_by(|a, b| by_alarm(a, b).is_le()) {
            self.put_in_order();
        }
    }

    /// Stops watching the selected key; without any key, the last glob.
    pub fn remove_selected(&mut self) -> Option<String> {
        let gone = if self.selected < self.keys.len() {
            let gone = self.keys.remove(self.selected).key;
            self.find_places();
            gone
        } else {
            self.patterns.last()?.as_str().to_owned()
        };
        self.unwanted.insert(gone.clone());
        self.answered.clear();
        let keys = &self.keys;
        // A glob is removed with the last of its keys.
        let stays = |pattern: &&Glob| {
            let mine = pattern.as_str() != gone && keys.iter().any(|key| pattern.matches(&key.key));
            mine || !(pattern.as_str() == gone || pattern.matches(&gone))
        };
        let of_alerts = self.patterns.of_alerts().iter().filter(stays).cloned();
        let patterns = Patterns::new(self.patterns.iter().filter(stays).cloned(), of_alerts);
        self.set_patterns(patterns);
        self.move_by(0);
        Some(gone)
    }

    /// Selects the next key that is wanted, by the places of the keys; says whether there is one.
    pub fn select_next(&mut self, is_wanted: &[bool]) -> bool {
        let (before, after) = self.keys.split_at((self.selected + 1).min(self.keys.len()));
        let places = (before.len()..).zip(after).chain((0..).zip(before));
        let next =
            places.map(|(place, _)| place).find(|&place| is_wanted.get(place) == Some(&true));
        self.selected = next.unwrap_or(self.selected);
        next.is_some()
    }

    /// Moves the selection, up when negative.
    pub fn move_by(&mut self, lines: isize) {
        let last = self.keys.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(lines).min(last);
        if lines != 0 {
            self.to_select = None;
        }
    }

    /// Sorts the keys by the patterns that they match, those of alerts alone last.
    pub(super) fn put_in_order(&mut self) {
        let selected = self.selected_key().map(|key| key.key.clone());
        let patterns = self.patterns.clone();
        for key in &mut self.keys {
            key.of_alert = !patterns.is_own(&key.key);
        }
        self.keys.sort_by_cached_key(|key| {
            let place = patterns.own().iter().position(|pattern| pattern.matches(&key.key));
            (key.of_alert, place)
        });
        let own = self.keys.partition_point(|key| !key.of_alert);
        self.keys[own..].sort_by(by_alarm);
        self.find_places();
        self.selected = selected.and_then(|key| self.place(&key)).unwrap_or(self.selected);
    }

    /// Records the places of the keys after a change.
    fn find_places(&mut self) {
        let keys = self.keys.iter().enumerate();
        self.places = keys.map(|(place, watched)| (watched.key.clone(), place)).collect();
        self.by_glob = None;
    }
}

/// Those that fire come first, in the order of names that the table has.
fn by_alarm(a: &Watched, b: &Watched) -> Ordering {
    let names = || natural::compare(a.key.as_bytes(), b.key.as_bytes());
    b.alarm.cmp(&a.alarm).then_with(names)
}
