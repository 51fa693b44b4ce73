//! A condition on a number of a series, as filters and alerts have it, and its operators.

use crate::metrics::column::Column;
use crate::metrics::series::Series;

/// A comparison of two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

/// How the operators are written, the longer ones first.
pub(super) const OPERATORS: [(&str, Compare); 9] = [
    ("<=", Compare::LessOrEqual),
    ("<>", Compare::NotEqual),
    ("!=", Compare::NotEqual),
    ("!~", Compare::NotEqual),
    (">=", Compare::GreaterOrEqual),
    ("==", Compare::Equal),
    ("<", Compare::Less),
    (">", Compare::Greater),
    ("=", Compare::Equal),
];

impl Compare {
    #[expect(clippy::float_cmp, reason = "that is what `=` asks for")]
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Equal => left == right,
            Self::NotEqual => left != right,
        }
    }
}

/// A number of a series compared with a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Condition {
    pub column: Column,
    pub compare: Compare,
    pub limit: f64,
}

impl Condition {
    pub fn holds(self, series: &Series, now: i64) -> bool {
        self.column
            .compared_number(series, now)
            .is_some_and(|value| self.compare.holds(value, self.limit))
    }
}
