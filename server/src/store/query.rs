//! What a `get` asks of a store, with times that no clock changes.

use std::num::{NonZeroI64, NonZeroU64};

use shared::selector::Aggregate;
use shared::{Glob, Key, KeyBuf};

/// Seconds that clocks may differ: a point that is further ahead of now is no present one.
pub const MAX_CLOCK_SKEW: i64 = 60;

/// Which points of which series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The series.
    pub keys: KeySelection,
    /// What is answered of each.
    pub select: Select,
}

impl Query {
    /// All points of the selected series.
    pub fn points(keys: KeySelection) -> Self {
        Self { keys, select: Select::Points(Window::ALL) }
    }

    /// All points of every series.
    pub fn all() -> Self {
        Self::points(KeySelection::All)
    }
}

impl From<Key<'_>> for Query {
    fn from(key: Key<'_>) -> Self {
        Self::points(KeySelection::One(key.to_owned()))
    }
}

/// Which series, by their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySelection {
    /// Every series.
    All,
    /// The series of one key.
    One(KeyBuf),
    /// The series whose keys match.
    Glob(Glob),
}

impl KeySelection {
    /// Whether a key is selected.
    pub fn matches(&self, key: Key<'_>) -> bool {
        match self {
            Self::All => true,
            Self::One(one) => one.as_key() == key,
            Self::Glob(glob) => glob.matches(key.as_str()),
        }
    }
}

/// What is answered of each series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Select {
    /// The points in a window.
    Points(Window),
    /// The newest points.
    Newest {
        /// At most so many.
        count: NonZeroU64,
        /// None that is later.
        to: i64,
        /// When all are later, the newest of all instead of none.
        or_later: bool,
    },
    /// A point for each bucket of a window that holds any.
    Buckets {
        /// The points that count.
        window: Window,
        /// The size of a bucket.
        step: Step,
        /// What is computed of its points.
        how: Aggregate,
    },
}

impl Select {
    /// Whether it is one point of each series, as a screen shows them first: the work is bounded by the
    /// number of series, so that it may have the priority of puts.
    pub fn is_brief(&self) -> bool {
        matches!(self, Self::Newest { count: NonZeroU64::MIN, .. })
    }
}

/// Timestamps from `from` to `to`, both included; none when `from` is the later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first timestamp.
    pub from: i64,
    /// The last timestamp.
    pub to: i64,
}

impl Window {
    /// Every timestamp.
    pub const ALL: Self = Self { from: i64::MIN, to: i64::MAX };

    /// No timestamp.
    pub const EMPTY: Self = Self { from: i64::MAX, to: i64::MIN };

    /// Whether there is no timestamp in it.
    pub fn is_empty(self) -> bool {
        self.from > self.to
    }

    /// Whether a timestamp is in it.
    pub fn contains(self, timestamp: i64) -> bool {
        (self.from..=self.to).contains(&timestamp)
    }

    /// Whether any timestamp from `first` to `last` is in it.
    pub fn intersects(self, (first, last): (i64, i64)) -> bool {
        !self.is_empty() && first <= self.to && self.from <= last
    }

    /// Whether all timestamps from `first` to `last` are in it.
    pub fn covers(self, (first, last): (i64, i64)) -> bool {
        self.from <= first && last <= self.to
    }

    /// The timestamps of it that are not before `oldest`.
    #[must_use]
    pub fn since(self, oldest: i64) -> Self {
        Self { from: self.from.max(oldest), ..self }
    }

    /// The timestamps of it that are not after `newest`.
    #[must_use]
    pub fn until(self, newest: i64) -> Self {
        Self { to: self.to.min(newest), ..self }
    }
}

/// The size of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many seconds, aligned to multiples of that; a bucket is stamped with its begin.
    Every(NonZeroI64),
    /// The whole window, stamped with `stamp`, or with its first point when that is `None`.
    All {
        /// The timestamp of the answer.
        stamp: Option<i64>,
    },
}

/// What a `del` takes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// The series.
    pub keys: KeySelection,
    /// The points of each.
    pub window: Window,
}
