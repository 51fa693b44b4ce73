//! The keys and globs that are watched: by hand, or for alerts alone.

use std::ops::Deref;
use std::sync::Arc;

use shared::Glob;

/// The keys and globs that are watched, in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patterns {
    all: Arc<[Glob]>,
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
        Self { all: all.into_iter().collect(), of_alerts: of_alerts.into_iter().collect() }
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
    pub fn own(&self) -> impl Iterator<Item = &Glob> {
        self.all.iter().filter(|pattern| !self.is_of_alerts(pattern))
    }
}

impl Deref for Patterns {
    type Target = [Glob];

    fn deref(&self) -> &[Glob] {
        &self.all
    }
}
