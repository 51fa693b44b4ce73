//! Which points of a series have to be asked for, so that its columns can be computed.

use std::ops::{BitAnd, BitOr};

use shared::selector::Aggregate;

/// What a server with selectors computes of all points of a series.
const AGGREGATES: [Aggregate; 4] =
    [Aggregate::Min, Aggregate::Max, Aggregate::Avg, Aggregate::Count];

/// The newest points, and numbers of all points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// So many of the newest points, at least 1.
    recent: u64,
    /// Of [`AGGREGATES`], those that are needed.
    aggregates: [bool; AGGREGATES.len()],
}

impl Needs {
    /// The newest point.
    pub const LAST: Self = Self::recent(1);

    /// The newest point and the one before.
    pub const TWO: Self = Self::recent(2);

    /// As many as a trend shows, and as tell whether a series is stale.
    pub const RECENT: Self = Self::recent(16);

    const fn recent(recent: u64) -> Self {
        Self { recent, aggregates: [false; AGGREGATES.len()] }
    }

    /// A number of all points besides the newest point.
    pub fn of_all(aggregate: Aggregate) -> Self {
        Self { aggregates: AGGREGATES.map(|known| known == aggregate), ..Self::LAST }
    }

    /// The numbers of all points.
    pub fn aggregates(self) -> impl Iterator<Item = Aggregate> {
        AGGREGATES.into_iter().zip(self.aggregates).filter_map(|(of, is)| is.then_some(of))
    }

    /// No more than the newest point and the one before.
    pub fn is_of_two(self) -> bool {
        self.recent <= Self::TWO.recent
    }

    /// The newest points are enough.
    pub fn is_recent(self) -> bool {
        self.aggregates().next().is_none()
    }

    /// The clause of a selector for the newest points at a Unix time, in its brackets.
    pub fn last_at(self, at: i64) -> String {
        format!("[last:{}@{at}]", self.recent)
    }

    /// The clause of a selector for the newest points, in its brackets.
    pub fn last(self) -> String {
        match self.recent {
            1 => "[last]".to_owned(),
            count => format!("[last:{count}]"),
        }
    }
}

/// The parts of what is known of a series in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts(u8);

impl Parts {
    /// The newest points.
    pub const RECENT: Self = Self(1);

    /// The course.
    pub const TREND: Self = Self(2);

    /// A number; nothing for those that no column has.
    pub fn number(of: Aggregate) -> Self {
        let place = (2..).zip(AGGREGATES).find(|&(_, known)| known == of);
        Self(place.map_or(0, |(place, _)| 1 << place))
    }

    /// What the list of watched keys shows.
    pub fn of_watched() -> Self {
        let numbers = [Aggregate::Count, Aggregate::Min, Aggregate::Max, Aggregate::Avg];
        numbers.into_iter().fold(Self::RECENT | Self::TREND, |all, of| all | Self::number(of))
    }

    /// All parts of the other are among these.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These without those.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The numbers among them.
    pub fn numbers(self) -> impl Iterator<Item = Aggregate> {
        AGGREGATES.into_iter().filter(move |&of| self.contains(Self::number(of)))
    }

    /// There are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl BitAnd for Parts {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for Parts {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Needs {
    /// The parts of a window that are needed besides the newest point. A mean needs the number of
    /// points, so that told points can be counted in.
    pub fn parts(self) -> Parts {
        let numbers = self.aggregates().fold(Parts::default(), |all, of| all | Parts::number(of));
        let count = numbers.contains(Parts::number(Aggregate::Avg));
        let count = if count { Parts::number(Aggregate::Count) } else { Parts::default() };
        let recent = if self.recent > 1 { Parts::RECENT } else { Parts::default() };
        numbers | count | recent
    }
}

impl BitOr for Needs {
    type Output = Self;

    /// What both need.
    fn bitor(self, other: Self) -> Self {
        let mut aggregates = self.aggregates;
        aggregates.iter_mut().zip(other.aggregates).for_each(|(is, other)| *is |= other);
        Self { recent: self.recent.max(other.recent), aggregates }
    }
}

/// Of several columns; the newest point in any case.
impl FromIterator<Needs> for Needs {
    fn from_iter<I: IntoIterator<Item = Needs>>(all: I) -> Self {
        all.into_iter().fold(Self::LAST, BitOr::bitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_add_up() {
        let needs: Needs = [Needs::TWO, Needs::of_all(Aggregate::Max)].into_iter().collect();
        assert_eq!(needs.last(), "[last:2]");
        assert_eq!(needs.aggregates().collect::<Vec<_>>(), [Aggregate::Max]);
        assert!(!needs.is_recent() && Needs::RECENT.is_recent());
        assert_eq!(std::iter::empty::<Needs>().collect::<Needs>().last(), "[last]");
    }
}
