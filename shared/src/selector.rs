//! What a `get` selects: a pattern of keys and, in square brackets, a clause that says which of
//! their points.
//!
//! ```text
//! selector = pattern [ "[" clause "]" ]
//! clause   = "last" [ ":" N ] [ "@" to ]
//!          | [from] ":" [to] [ ":" step [ ":" how ] ]
//!          | [ [from] ":" ] "+"
//! ```

use std::fmt;
use std::num::NonZeroU64;
use std::ops::Range;

use crate::duration::{Duration, DurationError};
use crate::key::{Key, KeyError, is_forbidden, is_pattern};
use crate::limits::{MAX_KEY, MAX_SELECTOR};
use crate::pattern::{Pattern, PatternErrorReason};
use crate::point::{NumberError, parse_timestamp};

/// What a `get` selects, checked; displayed as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Selector<'a> {
    pattern: Pattern<'a>,
    /// What stands in the brackets. As text it is smaller than a [`Clause`], which would make
    /// every [`crate::Request`] larger and the decoding of puts slower by a sixth.
    clause: Option<&'a str>,
}

/// Which points of each key. Displayed in its shortest form, which reads back as the same clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Clause {
    /// `last`: the newest points.
    Last {
        /// So many of each key.
        count: NonZeroU64,
        /// None that is later.
        to: Option<Time>,
    },
    /// The points of a range, both ends included; no bound where an end is missing.
    Range {
        /// The first time.
        from: Option<Time>,
        /// The last time.
        to: Option<Time>,
        /// One point for each bucket instead of the points themselves.
        buckets: Option<Buckets>,
    },
    /// `+`: what is put from now on.
    Follow {
        /// Before that, the points since then; none when it is missing.
        since: Option<Since>,
    },
}

/// A time, absolute or by the clock of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Time {
    /// Unix seconds.
    At(i64),
    /// Before the server's now.
    Ago(Duration),
}

/// Where the history of a follow begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Since {
    /// With the first point.
    Beginning,
    /// With the first point that is not earlier.
    Time(Time),
}

/// How points are gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Buckets {
    /// The size of a bucket.
    pub step: Step,
    /// What becomes of its points.
    pub how: Aggregate,
}

/// The size of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Aligned to multiples of this duration, which is not 0.
    Every(Duration),
    /// The whole range.
    All,
}

/// What is computed of the points of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Aggregate {
    /// The mean.
    #[default]
    Avg,
    /// The least value.
    Min,
    /// The greatest value.
    Max,
    /// The sum.
    Sum,
    /// The number of points.
    Count,
    /// The value of the earliest point.
    First,
    /// The value of the latest point.
    Last,
    /// The increase a second of a counter.
    Rate,
    /// The median.
    P50,
    /// The 90th percentile.
    P90,
    /// The 95th percentile.
    P95,
    /// The 99th percentile.
    P99,
}

impl Aggregate {
    const NAMES: [(&'static str, Self); 12] = [
        ("avg", Self::Avg),
        ("min", Self::Min),
        ("max", Self::Max),
        ("sum", Self::Sum),
        ("count", Self::Count),
        ("first", Self::First),
        ("last", Self::Last),
        ("rate", Self::Rate),
        ("p50", Self::P50),
        ("p90", Self::P90),
        ("p95", Self::P95),
        ("p99", Self::P99),
    ];
}

/// Why a word is no selector, and which of its bytes are to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SelectorError {
    /// The rule that is broken.
    pub reason: SelectorErrorReason,
    /// The offending bytes of the word; empty where something is missing.
    pub at: Range<usize>,
}

/// The rules of a selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SelectorErrorReason {
    /// It is not made of a key's characters and `* ? [ ] { }`, or has too many.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// What stands before the clause.
    #[error(transparent)]
    Pattern(#[from] PatternErrorReason),
    /// A `[` whose `]` does not end the selector.
    #[error("a [ without a ] at the end")]
    UnclosedBracket,
    /// Neither `last`, nor a range, nor `+`.
    #[error(
        "in brackets stands last or last:N, both also with @TIME, FROM:TO, FROM:TO:STEP:HOW, + or FROM:+"
    )]
    UnknownClause,
    /// A bound that is neither a timestamp nor a duration before now.
    #[error("a time is a timestamp or, before now, a duration such as -15m")]
    Time(#[source] NumberError),
    /// A duration before now.
    #[error(transparent)]
    Duration(#[from] DurationError),
    /// The `N` of `last:N`.
    #[error("last:N takes a whole number from 1 on")]
    Count,
    /// The size of a bucket.
    #[error("a step is a duration such as 5m, a number of seconds from 1 on, or all")]
    Step,
    /// What becomes of the points of a bucket.
    #[error("a bucket is one of avg, min, max, sum, count, first, last, rate, p50, p90, p95, p99")]
    Aggregate,
}

impl<'a> Selector<'a> {
    /// `*`: all points of every key.
    pub const ALL: Selector<'static> = Selector { pattern: Pattern::ALL, clause: None };

    /// Reads the word after `get`.
    ///
    /// # Errors
    /// [`SelectorError`] names the first offending part.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, SelectorError> {
        let text = check_characters(bytes)
            .map_err(|reason| SelectorError { reason: reason.into(), at: 0..bytes.len() })?;
        let (pattern, clause) = match text.find('[') {
            Some(open) => (&text[..open], Some(open)),
            None => (text, None),
        };
        let pattern = Pattern::new(pattern)
            .map_err(|bad| SelectorError { reason: bad.reason.into(), at: bad.at })?;
        let clause = clause.map(|open| brackets(text, open)).transpose()?;
        if let Some(clause) = clause {
            parse_clause(clause)?;
        }
        Ok(Self { pattern, clause: clause.map(|clause| clause.text) })
    }

    /// The keys.
    pub fn pattern(self) -> Pattern<'a> {
        self.pattern
    }

    /// Which points of each key; all when there is none.
    pub fn clause(self) -> Option<Clause> {
        parse_clause(Fragment { text: self.clause?, at: 0 }).ok()
    }

    /// Whether it selects points by nothing but their key and time.
    pub fn is_range(self) -> bool {
        matches!(self.clause(), None | Some(Clause::Range { buckets: None, .. }))
    }

    /// The key, if all points of one are selected.
    pub fn as_key(self) -> Option<Key<'a>> {
        self.clause.is_none().then(|| self.pattern.as_key()).flatten()
    }

    /// Appends the selector as it was written.
    pub fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.pattern.as_str().as_bytes());
        if let Some(clause) = self.clause {
            out.push(b'[');
            out.extend_from_slice(clause.as_bytes());
            out.push(b']');
        }
    }
}

impl<'a> From<Key<'a>> for Selector<'a> {
    fn from(key: Key<'a>) -> Self {
        Self { pattern: key.into(), clause: None }
    }
}

/// What every selector is made of, whether it parses or not.
fn check_characters(bytes: &[u8]) -> Result<&str, KeyError> {
    if bytes.is_empty() {
        return Err(KeyError::Empty);
    }
    let text = str::from_utf8(bytes).map_err(|_| KeyError::NotUtf8)?;
    if let Some(c) = text.chars().find(|&c| is_forbidden(c)) {
        return Err(KeyError::Forbidden(c));
    }
    // A glob may be longer than the keys that it matches.
    let key = text.split('[').next().unwrap_or(text);
    let is_too_long = key.len() > MAX_KEY && !key.contains(is_pattern) || text.len() > MAX_SELECTOR;
    if is_too_long { Err(KeyError::TooLong) } else { Ok(text) }
}

/// A part of the selector and its place in it.
#[derive(Clone, Copy)]
struct Fragment<'a> {
    text: &'a str,
    at: usize,
}

impl Fragment<'_> {
    fn bad(self, reason: impl Into<SelectorErrorReason>) -> SelectorError {
        SelectorError { reason: reason.into(), at: self.at..self.at + self.text.len() }
    }

    /// What stands before and behind the first `mark`.
    fn split_once(self, mark: char) -> Option<(Self, Self)> {
        let (before, behind) = self.text.split_once(mark)?;
        let at = self.at + before.len() + mark.len_utf8();
        Some((Self { text: before, at: self.at }, Self { text: behind, at }))
    }
}

/// What stands in the brackets of which the first is at `open`.
fn brackets(text: &str, open: usize) -> Result<Fragment<'_>, SelectorError> {
    let whole = Fragment { text: &text[open..], at: open };
    let inside = whole.text[1..].strip_suffix(']').filter(|inside| !inside.contains(['[', ']']));
    match inside {
        Some(text) => Ok(Fragment { text, at: open + 1 }),
        None => Err(whole.bad(SelectorErrorReason::UnclosedBracket)),
    }
}

fn parse_clause(clause: Fragment<'_>) -> Result<Clause, SelectorError> {
    match parse_last(clause).or_else(|| parse_follow(clause)) {
        Some(parsed) => parsed,
        None => parse_range(clause),
    }
}

/// `last [ ":" N ] [ "@" to ]`; `None` for a clause that does not begin so.
fn parse_last(clause: Fragment<'_>) -> Option<Result<Clause, SelectorError>> {
    let (head, to) = match clause.split_once('@') {
        Some((head, to)) => (head, Some(to)),
        None => (clause, None),
    };
    let count = match head.split_once(':') {
        Some((word, count)) if word.text == "last" => Some(count),
        None if head.text == "last" => None,
        _ => return None,
    };
    Some((|| {
        let count = count.map_or(Ok(NonZeroU64::MIN), |count| {
            let number = parse_digits(count.text).and_then(NonZeroU64::new);
            number.ok_or_else(|| count.bad(SelectorErrorReason::Count))
        })?;
        Ok(Clause::Last { count, to: to.map(parse_time).transpose()? })
    })())
}

/// `[ [from] ":" ] "+"`; `None` for a clause that does not end so.
fn parse_follow(clause: Fragment<'_>) -> Option<Result<Clause, SelectorError>> {
    if clause.text == "+" {
        return Some(Ok(Clause::Follow { since: None }));
    }
    let (from, _) = clause.split_once(':').filter(|(_, plus)| plus.text == "+")?;
    let since = match from.text {
        "" => Ok(Since::Beginning),
        _ => parse_time(from).map(Since::Time),
    };
    Some(since.map(|since| Clause::Follow { since: Some(since) }))
}

/// `[from] ":" [to] [ ":" step [ ":" how ] ]`
fn parse_range(clause: Fragment<'_>) -> Result<Clause, SelectorError> {
    let optional =
        |part: Fragment<'_>| (!part.text.is_empty()).then(|| parse_time(part)).transpose();
    let Some((from, rest)) = clause.split_once(':') else {
        return Err(clause.bad(SelectorErrorReason::UnknownClause));
    };
    let from = optional(from)?;
    let Some((to, rest)) = rest.split_once(':') else {
        return Ok(Clause::Range { from, to: optional(rest)?, buckets: None });
    };
    let to = optional(to)?;
    let (step, how) = match rest.split_once(':') {
        Some((step, how)) => (parse_step(step)?, parse_aggregate(how)?),
        None => (parse_step(rest)?, Aggregate::default()),
    };
    Ok(Clause::Range { from, to, buckets: Some(Buckets { step, how }) })
}

/// A timestamp, or a duration behind a `-`.
fn parse_time(part: Fragment<'_>) -> Result<Time, SelectorError> {
    let ago = part.text.strip_prefix('-').filter(|ago| ago.ends_with(char::is_alphabetic));
    match ago {
        Some(ago) => ago.parse().map(Time::Ago).map_err(|why: DurationError| part.bad(why)),
        None => parse_timestamp(part.text.as_bytes())
            .map(Time::At)
            .map_err(|why| part.bad(SelectorErrorReason::Time(why))),
    }
}

/// A duration or plain seconds, not 0; or `all`.
fn parse_step(part: Fragment<'_>) -> Result<Step, SelectorError> {
    if part.text == "all" {
        return Ok(Step::All);
    }
    let seconds = || Duration::from_seconds(i64::try_from(parse_digits(part.text)?).ok()?);
    let duration = part.text.parse().ok().or_else(seconds);
    let step = duration.filter(|duration: &Duration| duration.seconds() > 0).map(Step::Every);
    step.ok_or_else(|| part.bad(SelectorErrorReason::Step))
}

fn parse_aggregate(part: Fragment<'_>) -> Result<Aggregate, SelectorError> {
    let named = Aggregate::NAMES.iter().find(|(name, _)| *name == part.text);
    named.map(|&(_, how)| how).ok_or_else(|| part.bad(SelectorErrorReason::Aggregate))
}

/// Digits only, below 2^63.
fn parse_digits(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| text.parse::<i64>().ok()).flatten()?;
    u64::try_from(number).ok()
}

impl fmt::Display for Selector<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pattern.fmt(f)?;
        match self.clause {
            Some(clause) => write!(f, "[{clause}]"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Last { count, to } => {
                f.write_str("last")?;
                if *count > NonZeroU64::MIN {
                    write!(f, ":{count}")?;
                }
                to.map_or(Ok(()), |to| write!(f, "@{to}"))
            }
            Self::Range { from, to, buckets } => {
                from.map_or(Ok(()), |from| from.fmt(f))?;
                f.write_str(":")?;
                to.map_or(Ok(()), |to| to.fmt(f))?;
                buckets.map_or(Ok(()), |buckets| buckets.fmt(f))
            }
            Self::Follow { since: None } => f.write_str("+"),
            Self::Follow { since: Some(Since::Beginning) } => f.write_str(":+"),
            Self::Follow { since: Some(Since::Time(time)) } => write!(f, "{time}:+"),
        }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(timestamp) => timestamp.fmt(f),
            Self::Ago(duration) => write!(f, "-{duration}"),
        }
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::NAMES.iter().find(|&&(_, how)| how == *self);
        f.write_str(named.map_or("", |(name, _)| name))
    }
}

impl fmt::Display for Buckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Step::Every(duration) => write!(f, ":{duration}")?,
            Step::All => f.write_str(":all")?,
        }
        if self.how == Aggregate::default() { Ok(()) } else { write!(f, ":{}", self.how) }
    }
}
