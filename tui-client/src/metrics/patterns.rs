//! The keys and globs that are watched: by hand, or for alerts alone.

use std::ops::Deref;
use std::sync::Arc;

use shared::Glob;

/// The keys and globs that are watched, in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patterns {
    all: Arc<[Glob]>,
    /// Those that are watched by hand, and the keys of alerts.
    own: Arc<[Glob]>,
    has_own_globs: bool,
    /// Those globs that are of alerts alone. The keys that they bring are counted apart, so that they take
    /// no place of what is watched by hand.
    of_alerts: Arc<[Glob]>,
}

impl Patterns {
    /// These, of which those globs are of alerts alone.
    pub fn new(
        all: impl IntoIterator<Item = Glob>,
        of_alerts: impl IntoIterator<Item = Glob>,
    ) -> Self {
        let all: Arc<[Glob]> = all.into_iter().collect();
        let of_alerts: Arc<[Glob]> = of_alerts.into_iter().collect();
        let is_own = |pattern: &&Glob| !of_alerts.contains(pattern);
        let own: Arc<[Glob]> = all.iter().filter(is_own).cloned().collect();
        let has_own_globs = own.iter().any(|pattern| !pattern.is_key());
        Self { all, own, has_own_globs, of_alerts }
    }

    /// The globs that are of alerts alone.
    pub fn of_alerts(&self) -> &[Glob] {
        &self.of_alerts
    }

    /// A pattern is a glob of alerts alone.
    pub fn is_of_alerts(&self, pattern: &Glob) -> bool {
        self.of_alerts.contains(pattern)
    }

    /// Those that are watched by hand, and the keys of alerts.
    pub fn own(&self) -> &[Glob] {
        &self.own
    }

    /// Globs are watched by hand.
    pub fn has_own_globs(&self) -> bool {
        self.has_own_globs
    }

    /// A key is watched by its name.
    pub fn has_key(&self, key: &str) -> bool {
        self.own.iter().any(|pattern| pattern.is_key() && pattern.matches(key))
    }

    /// A key is watched by hand, or by its name for an alert.
    pub fn is_own(&self, key: &str) -> bool {
        self.own.iter().any(|pattern| pattern.matches(key))
    }

    /// A glob of alerts alone matches a key.
    pub fn is_alerted(&self, key: &str) -> bool {
        self.of_alerts.iter().any(|glob| glob.matches(key))
    }
}

impl Deref for Patterns {
    type Target = [Glob];

    fn deref(&self) -> &[Glob] {
        &self.all
    }
}
