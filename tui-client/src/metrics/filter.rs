//! Filters: `last > 20 and age < 1m`, `palm.* or not stale`. A mistake is reported with its place.

mod parse;

use std::fmt;
use std::str::FromStr;

use crate::metrics::column::Column;
use crate::metrics::condition::Condition;
use crate::metrics::needs::Needs;
use crate::metrics::series::Series;
use crate::text::find::find_ignoring_case;
pub(super) use parse::alert as parse_alert;
use shared::Glob;

/// What is wrong with an expression, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadExpr {
    /// Characters before the fault.
    pub at: usize,
    /// A message.
    pub reason: String,
}

impl fmt::Display for BadExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at character {}: {}", self.at + 1, self.reason)
    }
}

impl std::error::Error for BadExpr {}

#[derive(Debug, Clone, PartialEq)]
enum Expr {
    Condition(Condition),
    Matches(Glob),
    /// In lower case.
    Contains(String),
    Stale,
    /// How it has moved, said by a word of [`Moved::WORDS`](crate::metrics::series::Moved::WORDS); a part of
    /// the key, in lower case, where rows are not compared.
    Moved(&'static str),
    Not(Box<Expr>),
    All(Vec<Expr>),
    Any(Vec<Expr>),
}

impl Expr {
    fn holds(&self, series: &Series, now: i64, is_compared: bool) -> bool {
        let holds = |inner: &Self| inner.holds(series, now, is_compared);
        match self {
            Self::Condition(condition) => condition.holds(series, now),
            Self::Matches(glob) => glob.matches(series.key.as_str()),
            Self::Contains(part) => find_ignoring_case(series.key.as_str(), part).is_some(),
            Self::Stale => series.is_stale(now),
            // Of some rows it is not known, as of those of marks: their keys say nothing of it.
            Self::Moved(word) if is_compared => {
                series.moved(now).is_some_and(|moved| moved.word() == Some(word))
            }
            Self::Moved(word) => find_ignoring_case(series.key.as_str(), word).is_some(),
            Self::Not(inner) => !holds(inner),
            Self::All(all) => all.iter().all(holds),
            Self::Any(any) => any.iter().any(holds),
        }
    }

    fn depends_on_time(&self) -> bool {
        match self {
            // What has moved has none of both numbers once it has stopped.
            Self::Condition(Condition { column, .. }) => {
                *column == Column::Age || column.is_of_comparison()
            }
            Self::Stale | Self::Moved(_) => true,
            Self::Matches(_) | Self::Contains(_) => false,
            Self::Not(inner) => inner.depends_on_time(),
            Self::All(all) | Self::Any(all) => all.iter().any(Self::depends_on_time),
        }
    }

    fn compares(&self, is_compared: bool) -> bool {
        let compares = |inner: &Self| inner.compares(is_compared);
        match self {
            Self::Condition(condition) => condition.column.is_of_comparison(),
            Self::Moved(_) => is_compared,
            Self::Matches(_) | Self::Contains(_) | Self::Stale => false,
            Self::Not(inner) => compares(inner),
            Self::All(all) | Self::Any(all) => all.iter().any(compares),
        }
    }

    fn needs(&self) -> Needs {
        match self {
            Self::Condition(condition) => condition.column.needs(),
            Self::Matches(_) | Self::Contains(_) | Self::Moved(_) => Needs::LAST,
            Self::Stale => Needs::RECENT,
            Self::Not(inner) => inner.needs(),
            Self::All(all) | Self::Any(all) => all.iter().map(Self::needs).collect(),
        }
    }
}

/// A filter of series.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    text: String,
    expr: Expr,
}

impl Filter {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The glob for keys that hold what this filter wants them to be: `*cpu*` of `key = cpu` and
    /// `cpu*`; none if it is no single glob, or has a `*` at both ends.
    pub fn wider(&self) -> Option<Glob> {
        let Expr::Matches(glob) = &self.expr else { return None };
        let wider = format!("*{}*", glob.as_str().trim_matches('*'));
        if wider == glob.as_str() { None } else { wider.parse().ok() }
    }

    /// The keys that pass, where the filter is about nothing else.
    pub fn glob(&self) -> Option<&Glob> {
        match &self.expr {
            Expr::Matches(glob) => Some(glob),
            _ => None,
        }
    }

    /// The points from which it is decided.
    pub fn needs(&self) -> Needs {
        self.expr.needs()
    }

    /// Whether a series may pass or fail because time goes by.
    pub fn depends_on_time(&self) -> bool {
        self.expr.depends_on_time()
    }

    /// It is about how rows have moved: by a column of a comparison, or by a word where they are compared.
    pub fn compares(&self, is_compared: bool) -> bool {
        self.expr.compares(is_compared)
    }

    /// Whether a series passes, among rows that are compared with others or not.
    pub fn passes(&self, series: &Series, now: i64, is_compared: bool) -> bool {
        self.expr.holds(series, now, is_compared)
    }
}

impl FromStr for Filter {
    type Err = BadExpr;

    fn from_str(text: &str) -> Result<Self, BadExpr> {
        Ok(Self { text: text.trim().to_owned(), expr: parse::filter(text)? })
    }
}

// Its numbers are finite, so they equal themselves.
impl Eq for Filter {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::series::summary::Summarizer;

    fn series(data: &str) -> Series {
        let mut summarizer = Summarizer::new(16);
        summarizer.add_lines(data.as_bytes());
        summarizer.finish().series.remove(0)
    }

    #[test]
    fn filters_pick_series() {
        // Last 25 after 20 two seconds before; 10 s old at 1010.
        let palm = series("palm.cpu 30.0 990\npalm.cpu 20.0 998\npalm.cpu 25.0 1000\n");
        for (filter, passes) in [
            ("last > 20 and age < 1m", true),
            ("last>20 and age<5s", false),
            ("last > 20 or age < 5s", true),
            ("palm.*", true),
            ("CPU", true),
            ("*.mem", false),
            ("palm.* and last >= 25", true),
            ("LAST > 20 AND Age < 1m And Key = palm.cpu", true),
            ("not palm.*", false),
            ("!(last = 25)", false),
            ("change = 5 && rate = 2.5", true),
            ("min=20 and max=30&avg=25 & count=3", true),
            ("last < 0.025k", false),
            ("last <= 0.025k", true),
            ("age >= 10 and age <= 10s", true),
            ("key ~ palm.* and key != *.mem", true),
            ("key = palm.cpu", true),
            ("\"palm.cpu\"", true),
            ("stale", false),
            ("not stale", true),
            ("stopped or new", false),
            ("not stopped", true),
            ("a or b and c or cpu", true),
            ("last > -1e3", true),
            ("rate/s = 2.5", true),
            ("moved > 0 or moved % > 50% or moved% < -1 or percent = 0", false),
            ("percent or moved or moved%", false),
            ("not percent and last > 20", true),
        ] {
            let parsed: Filter = filter.parse().unwrap_or_else(|bad| panic!("{filter}: {bad}"));
            assert_eq!(parsed.passes(&palm, 1010, false), passes, "{filter}");
        }
        let once = series("a 1.0 5\n");
        let changed: Filter = "change < 1 or change >= 1".parse().unwrap();
        assert!(!changed.passes(&once, 5, false));
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        for (filter, message) in [
            ("", "at character 1: a glob or a comparison is missing"),
            ("last", "at character 5: one of < <= > >= = != is missing"),
            ("last >", "at character 7: a number is missing"),
            ("last > x", "at character 8: expected a number such as 20, 1.5k or 2M"),
            ("last > 20m", "at character 8: expected a number such as 20, 1.5k or 2M"),
            ("age < 1q", "at character 7: expected a duration such as 90s, 5m or 2h"),
            ("(last > 1", "at character 10: a ) is missing"),
            ("last > 1)", "at character 9: a ( is missing before this"),
            ("a and", "at character 6: a glob or a comparison is missing"),
            ("or a", "at character 1: a glob or a comparison is missing"),
            ("火 and > 1", "at character 7: a name is missing before this"),
            ("{a", "at character 1: a { without its }"),
            ("last > 20 und age < 1m", "at character 11: expected and, or"),
            ("last > 20 xor age < 1m", "at character 11: expected and, or"),
            ("last > 20, age < 1m", "at character 10: expected and, or"),
            ("last > 20 age < 1m", "at character 11: expected and, or"),
            ("moved % > x", "at character 11: expected a number such as 20, 1.5k or 2M"),
            ("palm.* last > 20", "at character 8: expected and, or"),
            ("last > 20 (age < 1m)", "at character 11: expected and, or"),
            ("a.* l.*", "at character 5: expected and, or; no key has a blank in it"),
            ("palm \"cpu\"", "at character 6: expected and, or; no key has a blank in it"),
            ("palm !stale", "at character 6: expected and, or"),
            ("last > 20 a", "at character 12: expected and, or"),
            ("TIME > 5", "at character 1: times are not compared; age is, as in age < 1h"),
            ("b \"a", "at character 3: a \" without its end"),
            (
                "cpu > 1",
                "at character 1: no column is called cpu; there are last, moved, percent, change, rate, min, max, avg, count and age",
            ),
            (
                "palm.cpu > 3",
                "at character 1: no column is called palm.cpu; write key = palm.cpu and last > 3",
            ),
            ("last ~ 1", "at character 6: ~ compares keys only"),
            ("key > 1", "at character 5: keys are compared with =, != and ~"),
        ] {
            let bad = filter.parse::<Filter>().expect_err(filter);
            assert_eq!(bad.to_string(), message, "{filter}");
        }
    }

    fn expression() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            "(last|change|rate|min|max|avg|count) ?(<|<=|>|>=|=|!=) ?-?[0-9]{1,3}(k|M|G|)",
            "age ?(<|>) ?[0-9]{1,3}(s|m|h|d|)",
            "[a-c]{1,3}\\.\\*",
            "stale",
        ];
        leaf.prop_recursive(4, 16, 3, |inner| {
            prop_oneof![
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} and {b}")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} or {b})")),
                inner.prop_map(|a| format!("not ({a})")),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_text_parses_or_has_a_fault_within(
            text in prop_oneof![".{0,40}", "[lastge<>=!()&|~\" 0-9kms*{},.火-]{0,30}",
                "((last|age|key|stale|not|and|or|\\(|\\)|<|>=|!|~|1k|5m|a\\*|\\{|\") ?){0,12}"]
        ) {
            let length = text.chars().count();
            match text.parse::<Filter>() {
                Ok(filter) => { filter.passes(&series("a 1.0 1\n"), 5, false); }
                Err(bad) => prop_assert!(bad.at <= length && !bad.reason.is_empty()),
            }
        }

        #[test]
        fn deep_nesting_is_refused_not_survived(depth in 0..5000_usize) {
            let text = format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
            prop_assert_eq!(text.parse::<Filter>().is_ok(), depth <= 32);
        }

        #[test]
        fn what_is_written_well_is_read(text in expression(), value in -100.0..100.0_f64) {
            let filter: Filter = text.parse().map_err(|bad: BadExpr| {
                TestCaseError::fail(format!("{text}: {bad}"))
            })?;
            let series = series(&format!("ab.x {value:?} 10\n"));
            let not: Filter = format!("not ({text})").parse().unwrap();
            let passes = |filter: &Filter| filter.passes(&series, 20, false);
            prop_assert_ne!(passes(&filter), passes(&not));
        }
    }
}
