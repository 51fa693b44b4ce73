//! What a `del` deletes.

use std::fmt;

use jiff::tz::TimeZone;
use shared::selector::{Aggregate, Buckets, Clause, Step, Time};
use shared::{Glob, Selector};

use crate::metrics::reply::PointLists;
use crate::text::number::plural;
use crate::text::time;

/// The server knows no `del`, or is started without it.
pub const NOT_ALLOWED: &str = "the server does not allow deletes; start it with --allow-delete";

/// What the name begins with of a key that no store holds: a `del` of it finds out whether a server
/// takes one.
pub const PROBE_KEY: &str = "tui-client.probe-";

/// The pattern and the range of a selector that a `del` may have: all points or those of a range, no
/// steps, not the last ones, no follow.
pub fn range_of(selector: &str) -> Option<(&str, Option<Time>, Option<Time>)> {
    let selector = Selector::from_bytes(selector.as_bytes()).ok()?;
    let pattern = selector.pattern().as_str();
    match selector.clause() {
        None => Some((pattern, None, None)),
        Some(Clause::Range { from, to, buckets: None }) => Some((pattern, from, to)),
        Some(_) => None,
    }
}

/// What a server has to know to take a `del`: globs, ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    glob: bool,
    range: bool,
}

impl Form {
    /// Of a selector that a `del` may have.
    pub fn of(selector: &str) -> Option<Self> {
        let (pattern, ..) = range_of(selector)?;
        let glob = !pattern.parse().is_ok_and(|pattern| Glob::is_key(&pattern));
        Some(Self { glob, range: selector.ends_with(']') })
    }

    /// What it has besides a key; none for a key alone.
    pub fn name(self) -> Option<&'static str> {
        match (self.glob, self.range) {
            (false, false) => None,
            (true, false) => Some("a glob"),
            (false, true) => Some("a range"),
            (true, true) => Some("a glob and a range"),
        }
    }

    /// A server that refuses the other form refuses this one, too.
    pub fn includes(self, other: Self) -> bool {
        self.glob >= other.glob && self.range >= other.range
    }

    /// A `del` of this form that deletes nothing: of a key that is not there, and of a range that ends
    /// before it begins, if it has one.
    pub fn probe(self, absent_key: &str) -> String {
        let glob = if self.glob { "*" } else { "" };
        let range = if self.range { "[1:0]" } else { "" };
        format!("del {absent_key}{glob}{range}")
    }
}

/// How much a selector selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Selected {
    /// The points.
    pub points: u64,
    /// The keys that have some of them.
    pub keys: u64,
}

impl Selected {
    /// Counts the points of another key, as the server has counted them.
    pub fn add(&mut self, count: f64) {
        // A count is an exact number of a float far beyond what a store holds.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let count = count as u64;
        (self.points, self.keys) = (self.points + count, self.keys + 1);
    }

    /// What an answer to the selector of [`counting_selector`] says.
    pub fn counted(answer: &PointLists) -> Self {
        let mut selected = Self::default();
        let counts = answer.iter().flat_map(|(_, points)| points);
        counts.for_each(|count| selected.add(count.value));
        selected
    }
}

impl fmt::Display for Selected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let points = plural(self.points, "point", "points");
        write!(f, "{points} of {}", plural(self.keys, "key", "keys"))
    }
}

/// The selector of a `get` that counts the points of each key that a `del` would delete.
pub fn counting_selector(selector: &str) -> Option<String> {
    let (pattern, from, to) = range_of(selector)?;
    let buckets = Some(Buckets { step: Step::All, how: Aggregate::Count });
    Some(format!("{pattern}[{}]", Clause::Range { from, to, buckets }))
}

/// The times that a selector selects, in words: what a forgotten unit means is seen. None for all.
pub fn times(selector: &str, now: i64) -> Option<String> {
    let (_, from, to) = range_of(selector)?;
    let date = |time| {
        let at = match time {
            Time::At(at) => at,
            Time::Ago(ago) => now.saturating_sub(ago.seconds()),
        };
        time::date(at, &TimeZone::UTC)
    };
    match (from.map(date), to.map(date)) {
        (None, None) => None,
        (Some(from), None) => Some(format!("from {from} UTC on")),
        (None, Some(to)) => Some(format!("up to {to} UTC")),
        (Some(from), Some(to)) => Some(format!("from {from} to {to} UTC")),
    }
}

/// What a `del` deletes, by its request; the rest of the line if it is none.
pub fn selector_to_delete(line: &str) -> Option<&str> {
    let rest = line.trim().strip_prefix("del")?;
    (rest.is_empty() || rest.starts_with([' ', '\t'])).then(|| rest.trim())
}

/// The first word of a request as it goes over the wire is `del`.
pub fn is_deletion(line: &[u8]) -> bool {
    let rest = line.trim_ascii_start().strip_prefix(b"del");
    rest.is_some_and(|rest| rest.first().is_none_or(|next| !next.is_ascii_graphic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_told_in_dates() {
        for (selector, told) in [
            ("a", None),
            ("a[-15:]", Some("from 1969-12-31 23:59:45 UTC on")),
            ("a*[-15m:]", Some("from 2001-09-09 01:31:40 UTC on")),
            ("a[:0]", Some("up to 1970-01-01 00:00:00 UTC")),
            ("a[0:1]", Some("from 1970-01-01 00:00:00 to 1970-01-01 00:00:01 UTC")),
        ] {
            assert_eq!(times(selector, 1_000_000_000).as_deref(), told, "{selector}");
        }
    }

    #[test]
    fn a_form_asks_more_of_the_server_than_another() {
        let form = |selector| Form::of(selector).unwrap();
        let [key, glob, range, both] = ["a", "a*", "a[1:]", "{a,b}[:]"].map(form);
        for form in [key, glob, range, both] {
            assert!(form.includes(form) && form.includes(key) && both.includes(form));
        }
        assert!(!glob.includes(range) && !range.includes(glob) && !key.includes(glob));
        assert_eq!(Form::of("a[last]"), None);
        let probes = [key, glob, range, both].map(|form| form.probe("x"));
        assert_eq!(probes, ["del x", "del x*", "del x[1:0]", "del x*[1:0]"]);
        for (probe, of) in probes.iter().zip([key, glob, range, both]) {
            assert_eq!(selector_to_delete(probe).and_then(Form::of), Some(of));
        }
    }

    #[test]
    fn keys_globs_and_ranges_can_be_deleted() {
        for selector in ["a", "palm.*", "a[-15m:]", "a[:7]", "{a,b}[1:7]", "*"] {
            assert!(range_of(selector).is_some(), "{selector}");
        }
        for selector in ["a[last]", "a[+]", "a[::1m]", "a[::all:count]", "a[", "", "a b"] {
            assert_eq!(range_of(selector), None, "{selector}");
        }
        assert_eq!(selector_to_delete(" del\ta "), Some("a"));
        assert_eq!(selector_to_delete("del"), Some(""));
        for (line, is) in [("del a", true), (" del\ta", true), ("del", true), ("delete a", false)] {
            assert_eq!((is_deletion(line.as_bytes()), is_deletion(b"get del")), (is, false));
        }
        assert_eq!((selector_to_delete("delete a"), selector_to_delete("get del")), (None, None));
    }
}
