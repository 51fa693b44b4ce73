//! The watched keys: what is known of each and when to ask again.

use std::time::Duration;

use super::fold::Series;

/// How long a changed value stays marked.
const FRESH: Duration = Duration::from_secs(2);

/// One watched key.
#[derive(Debug)]
pub struct Watched {
    /// The key as given.
    pub key: String,
    /// The last answer; `None` when the key has no points, or before the first answer.
    pub series: Option<Series>,
    /// An answer has come.
    pub answered: bool,
    /// A request is under way.
    pub asking: bool,
    /// When to ask next.
    pub next: Duration,
    changed: Option<Duration>,
}

impl Watched {
    fn new(key: String) -> Self {
        Self {
            key,
            series: None,
            answered: false,
            asking: false,
            next: Duration::ZERO,
            changed: None,
        }
    }

    /// The value came within the last moments.
    pub fn is_fresh(&self, now: Duration) -> bool {
        self.changed.is_some_and(|at| now < at + FRESH)
    }

    /// When the mark of a fresh value goes.
    pub fn fresh_until(&self) -> Option<Duration> {
        self.changed.map(|at| at + FRESH)
    }

    fn answer(&mut self, series: Option<Series>, now: Duration) {
        let news = |series: &Series| (series.count, series.last);
        if self.answered && self.series.as_ref().map(news) != series.as_ref().map(news) {
            self.changed = Some(now);
        }
        self.series = series;
        self.answered = true;
    }
}

/// All watched keys.
#[derive(Debug, Default)]
pub struct Watch {
    keys: Vec<Watched>,
    selected: usize,
}

impl Watch {
    /// Watches these keys from the start.
    pub fn new(keys: impl IntoIterator<Item = String>) -> Self {
        let mut watch = Self::default();
        for key in keys {
            watch.add(&key);
        }
        watch.selected = 0;
        watch
    }

    /// The keys in the order in which they were added.
    pub fn keys(&self) -> &[Watched] {
        &self.keys
    }

    /// Nothing is watched.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The place of the key whose chart is shown.
    pub fn selected(&self) -> usize {
        self.selected
    }

    /// The key whose chart is shown.
    pub fn selected_key(&self) -> Option<&Watched> {
        self.keys.get(self.selected)
    }

    /// The first key in a list of this many rows; the selected one is always in sight.
    pub fn first_visible(&self, rows: usize) -> usize {
        (self.selected + 1).saturating_sub(rows)
    }

    /// Watches a key, or selects it if it is watched already.
    pub fn add(&mut self, key: &str) {
        self.selected = self.place(key).unwrap_or_else(|| {
            self.keys.push(Watched::new(key.to_owned()));
            self.keys.len() - 1
        });
    }

    /// Watches the selected key no longer.
    pub fn remove_selected(&mut self) -> Option<String> {
        let at = self.selected;
        let gone = (at < self.keys.len()).then(|| self.keys.remove(at));
        self.move_by(0);
        gone.map(|watched| watched.key)
    }

    /// Moves the selection, up when negative.
    pub fn move_by(&mut self, lines: isize) {
        let last = self.keys.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(lines).min(last);
    }

    /// Takes the keys that are to be asked for now.
    pub fn due(&mut self, now: Duration, interval: Duration) -> Vec<String> {
        let due = self.keys.iter_mut().filter(|key| !key.asking && key.next <= now);
        due.map(|key| {
            key.asking = true;
            key.next = now + interval;
            key.key.clone()
        })
        .collect()
    }

    /// When the next key is due.
    pub fn next_due(&self) -> Option<Duration> {
        let waiting = self.keys.iter().filter(|key| !key.asking);
        waiting.map(|key| key.next).min()
    }

    /// The answer for a key came; the next question is not before `next`.
    pub fn answer(&mut self, key: &str, series: Option<Series>, now: Duration, next: Duration) {
        if let Some(place) = self.place(key) {
            self.keys[place].answer(series, now);
            self.keys[place].asking = false;
            self.keys[place].next = self.keys[place].next.max(next);
        }
    }

    /// The question for a key did not go out.
    pub fn not_asked(&mut self, key: &str, next: Duration) {
        if let Some(place) = self.place(key) {
            self.keys[place].asking = false;
            self.keys[place].next = next;
        }
    }

    /// No answer will come: asks again as soon as possible.
    pub fn reset(&mut self) {
        for key in &mut self.keys {
            key.asking = false;
            key.next = Duration::ZERO;
        }
    }

    fn place(&self, key: &str) -> Option<usize> {
        self.keys.iter().position(|watched| watched.key == key)
    }
}
