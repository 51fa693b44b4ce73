//! What each source is asked for a request to the view.

use std::num::NonZeroU64;
use std::time::Duration;

use shared::duration::Duration as DurationOf;
use shared::response::{OK, WRONG_COMMAND, encode_error};
use shared::selector::{Buckets, Clause, Since, Step, Time};
use shared::{Glob, Key, Request, Selector};

use super::rest_of_glob::{RestOfGlob, rest_of_glob};
use super::{Source, SourceLabel};
use crate::metrics::watch_plan::without_braces;
use crate::request::deletion::PROBE_KEY;
use crate::text::time::duration;

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Routed {
    /// No source is asked: the whole reply.
    Answered(Vec<u8>),
    /// Some are.
    Asked {
        /// What kind of request it is.
        kind: Kind,
        /// The sources that are asked; none where a follow is of no source.
        targets: Vec<Target>,
        /// The keys of the view that are meant, where one is asked for more.
        filter: Option<Glob>,
    },
}

/// The kinds of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A `get` that ends.
    Get,
    /// A `get` of what comes from now on.
    Follow,
    /// A `put`.
    Put,
    /// A `del`.
    Deletion,
}

/// A source that is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its place among the sources.
    pub source: usize,
    /// The request, without its `\n`.
    pub line: Vec<u8>,
    /// The pattern of the keys there; empty for a `put`.
    pub keys: String,
    /// Seconds in a bucket of the answer, if it has any.
    pub step: Option<NonZeroU64>,
}

/// Finds out which sources are asked for what. The times of each are shifted by so many seconds, and
/// `now` is the time of this machine's clock, in Unix seconds.
pub fn route(line: &[u8], sources: &[Source], shifts: &[u64], now: i64) -> Routed {
    let Ok(request) = Request::decode(line) else { return refused(WRONG_COMMAND) };
    match request {
        Request::Put(key, _) => {
            let found = (0..).zip(sources).find_map(|(at, source)| {
                let key = key.as_str().strip_prefix(&source.before())?;
                Some((at, source, Key::new(key).ok().filter(|_| key.starts_with(&source.run))?))
            });
            let Some((at, source, key)) = found else { return refused(&unnamed(sources)) };
            if let Some(shift) = shifts.get(at).filter(|&&shift| shift > 0) {
                let (run, by) = (source.prefix(), duration(Duration::from_secs(*shift)));
                return refused(&format!(
                    "the times of {run} are shifted by {by}, not those of puts"
                ));
            }
            // Value and time as they were written.
            let words = line.split(|byte| b" \t".contains(byte)).filter(|word| !word.is_empty());
            let numbers: Vec<&[u8]> = words.skip(2).collect();
            let line = [b"put", key.as_bytes(), &numbers.join(&b' ')].join(&b' ');
            asked(
                Kind::Put,
                vec![Target { source: at, line, keys: String::new(), step: None }],
                None,
            )
        }
        Request::Get(selector) => {
            let is_follow = matches!(selector.clause(), Some(Clause::Follow { .. }));
            let kind = if is_follow { Kind::Follow } else { Kind::Get };
            let (targets, is_exact) = targets("get", selector, sources, shifts, now);
            if targets.is_empty() && kind == Kind::Get {
                return Routed::Answered(OK.to_vec());
            }
            let filter = (!is_exact).then(|| Glob::from(selector.pattern()));
            asked(kind, targets, filter)
        }
        Request::Del(selector) => {
            let (mut targets, is_exact) = targets("del", selector, sources, shifts, now);
            if selector.pattern().as_str().starts_with(PROBE_KEY) {
                // Whether all of them take a `del`.
                let line = format!("del {selector}").into_bytes();
                let keys = selector.pattern().as_str();
                let to = |source| Target {
                    source,
                    line: line.clone(),
                    keys: keys.to_owned(),
                    step: None,
                };
                targets = (0..sources.len()).map(to).collect();
            }
            match (&targets[..], is_exact) {
                ([], _) => refused(&unnamed(sources)),
                (_, false) => refused("this pattern is too involved for several servers"),
                (_, true) => asked(Kind::Deletion, targets, None),
            }
        }
    }
}

fn asked(kind: Kind, targets: Vec<Target>, filter: Option<Glob>) -> Routed {
    Routed::Asked { kind, targets, filter }
}

fn refused(reason: &str) -> Routed {
    let mut reply = Vec::new();
    encode_error(reason, &mut reply);
    Routed::Answered(reply)
}

/// Why a key without the name of a source can't be stored or deleted.
fn unnamed(sources: &[Source]) -> String {
    let is_named = sources.iter().any(|source| !source.name.is_empty());
    let sources = sources.iter().filter(|source| !source.is_marks);
    said_of_unnamed(sources.map(Source::prefix).collect(), is_named)
}

/// Why a pattern of keys selects nothing, whatever keys there are: it names none of the sources. None
/// where it does, or there are none.
pub fn unnamed_pattern(pattern: &str, sources: &[SourceLabel]) -> Option<String> {
    let has_keys = |it: &SourceLabel| rest_of_glob(pattern, &it.before(), &it.run).is_some();
    if sources.is_empty() || sources.iter().any(has_keys) {
        return None;
    }
    let is_named = sources.iter().any(|source| !source.name.is_empty());
    Some(said_of_unnamed(sources.iter().map(SourceLabel::prefix).collect(), is_named))
}

fn said_of_unnamed(mut names: Vec<String>, is_named: bool) -> String {
    let last = names.pop().unwrap_or_default();
    let names = if names.is_empty() { last } else { format!("{} or {last}", names.join(", ")) };
    let of = if is_named { "with the name of its server: " } else { "with " };
    format!("a key here begins {of}{names}")
}

/// What each source is asked, and whether none is asked for more than is meant.
fn targets(
    command: &str,
    selector: Selector<'_>,
    sources: &[Source],
    shifts: &[u64],
    now: i64,
) -> (Vec<Target>, bool) {
    let whole = selector.to_string();
    let pattern = selector.pattern().as_str();
    let written = whole.get(pattern.len()..).unwrap_or_default();
    let step = match selector.clause() {
        Some(Clause::Range { buckets: Some(Buckets { step: Step::Every(step), .. }), .. }) => {
            u64::try_from(step.seconds()).ok().and_then(NonZeroU64::new)
        }
        _ => None,
    };
    let mut is_all_exact = true;
    let sources = (0..).zip(sources);
    let sources = sources.filter(|(_, it)| !it.is_marks || names_marks(pattern, &it.prefix()));
    let targets = sources.filter_map(|(source, it)| {
        let RestOfGlob { pattern, is_exact } = rest_of_glob(pattern, &it.before(), &it.run)?;
        let shift = shifts.get(source).copied().unwrap_or(0);
        let clause = match selector.clause().filter(|_| shift > 0) {
            None => written.to_owned(),
            Some(clause) => format!("[{}]", unshifted(clause, shift, now)?),
        };
        is_all_exact &= is_exact;
        let step = step.filter(|_| shift > 0);
        let line = format!("{command} {pattern}{clause}").into_bytes();
        Some(Target { source, line, keys: pattern, step })
    });
    (targets.collect(), is_all_exact)
}

/// A pattern names keys that begin with this, and does not only match them.
fn names_marks(pattern: &str, prefix: &str) -> bool {
    let globs = without_braces(pattern).unwrap_or_default();
    globs.into_iter().any(|glob| glob.starts_with(prefix))
}

/// The clause for points that are so many seconds earlier; none where it selects none.
fn unshifted(clause: Clause, shift: u64, now: i64) -> Option<Clause> {
    let from = |time: Option<Time>| time.and_then(|time| earlier(time, shift));
    Some(match clause {
        Clause::Last { count, to } => {
            // What is ahead in the view is still to come.
            let to = earlier(to.unwrap_or(Time::At(now)), shift)?;
            Clause::Last { count, to: Some(to) }
        }
        Clause::Range { from: begin, to, buckets } => {
            let to = match to {
                Some(to) => Some(earlier(to, shift)?),
                None => None,
            };
            Clause::Range { from: from(begin), to, buckets }
        }
        Clause::Follow { since: Some(Since::Time(since)) } => {
            let since = earlier(since, shift).map_or(Since::Beginning, Since::Time);
            Clause::Follow { since: Some(since) }
        }
        Clause::Follow { since } => Clause::Follow { since },
    })
}

/// So many seconds before a time; none before the first one.
fn earlier(time: Time, shift: u64) -> Option<Time> {
    match time {
        Time::At(at) => {
            let at = i128::from(at) - i128::from(shift);
            i64::try_from(at).ok().map(Time::At)
        }
        Time::Ago(ago) => {
            let ago = u64::try_from(ago.seconds()).ok()?.checked_add(shift)?;
            DurationOf::from_seconds(i64::try_from(ago).ok()?).map(Time::Ago)
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::client::ConnectOptions;

    use super::*;
    use crate::sources::with_marks;

    fn sources() -> Vec<Source> {
        let source = |name: &str| Source {
            name: name.to_owned(),
            run: String::new(),
            is_marks: false,
            server: ConnectOptions::new("localhost", 1),
        };
        ["web1", "db"].map(source).to_vec()
    }

    /// The targets and their requests, a line each; the reply where there are none.
    fn routed(line: &str) -> String {
        routed_to(line, &sources(), &[0, 0])
    }

    fn routed_to(line: &str, sources: &[Source], shifts: &[u64]) -> String {
        match route(line.as_bytes(), sources, shifts, 1_000_000) {
            Routed::Answered(reply) => String::from_utf8(reply).unwrap(),
            Routed::Asked { kind, targets, filter } => {
                let line = |target: &Target| {
                    let line = str::from_utf8(&target.line).unwrap();
                    let name =
                        if sources[0].run.is_empty() { Source::before } else { Source::prefix };
                    let step = target.step.map(|step| format!(" step {step}")).unwrap_or_default();
                    let name = name(&sources[target.source]);
                    format!("{}: {line}{step}\n", name.trim_end_matches('/'))
                };
                let lines: String = targets.iter().map(line).collect();
                let filter = filter.map(|glob| format!(" of {glob}")).unwrap_or_default();
                format!("{kind:?}{filter}\n{lines}")
            }
        }
    }

    #[test]
    fn a_request_goes_to_the_sources_that_can_have_its_keys() {
        let unnamed = "error\na key here begins with the name of its server: web1/ or db/\n\n";
        let wrong = "error\nwrong command\n\n";
        for (line, asked) in [
            ("get *", "Get\nweb1: get *\ndb: get *\n"),
            (" get\t*[last] ", "Get\nweb1: get *[last]\ndb: get *[last]\n"),
            ("get db/palm.cpu", "Get\ndb: get palm.cpu\n"),
            ("get db/palm.cpu[-15m::5m:max]", "Get\ndb: get palm.cpu[-15m::5m:max]\n"),
            ("get db/a/b", "Get\ndb: get a/b\n"),
            ("get *[last:3@7]", "Get\nweb1: get *[last:3@7]\ndb: get *[last:3@7]\n"),
            ("get {web1,db}/x[1:2]", "Get\nweb1: get x[1:2]\ndb: get x[1:2]\n"),
            ("get *b/x,y", "Get of *b/x,y\nweb1: get *b/x,y\ndb: get {*b/x?y,x?y}\n"),
            ("get *cpu[+]", "Follow\nweb1: get *cpu[+]\ndb: get *cpu[+]\n"),
            ("get db/x[7:+]", "Follow\ndb: get x[7:+]\n"),
            ("get x[+]", "Follow\n"),
            ("get palm.cpu", "ok\n\n"),
            ("get db/", "ok\n\n"),
            ("get d*/", "Get\ndb: get */\n"),
            (" put\tdb/x 1.50  007 ", "Put\ndb: put x 1.50 007\n"),
            ("put x 1 1", unnamed),
            ("put db/ 1 1", unnamed),
            ("put other/x 1 1", unnamed),
            ("del */x[:7]", "Deletion\nweb1: del {*/x,x}[:7]\ndb: del {*/x,x}[:7]\n"),
            ("del web1/x", "Deletion\nweb1: del x\n"),
            ("del x", unnamed),
            (
                "del tui-client.probe-7*[1:0]",
                "Deletion\nweb1: del tui-client.probe-7*[1:0]\ndb: del tui-client.probe-7*[1:0]\n",
            ),
            ("del *b/x,y", "error\nthis pattern is too involved for several servers\n\n"),
            ("got *", wrong),
            ("", wrong),
            ("put db/x 1", wrong),
            ("get db/x[", wrong),
            ("del db/x[last]", wrong),
        ] {
            assert_eq!(routed(line), asked, "{line}");
        }
    }

    #[test]
    fn marks_are_beside_the_runs_where_they_are_named() {
        let run =
            |run: &str| Source { name: String::new(), run: run.to_owned(), ..sources()[0].clone() };
        let runs = with_marks(vec![run("run1."), run("run2.")]);
        for (line, asked) in [
            ("get *", "Get\nrun1.: get run1.*\nrun2.: get run2.*\n"),
            ("get mark.x[1000:]", "Get\nmark.: get mark.x[1000:]\n"),
            (
                "get {mark.*,run1.mark.*}[last:9]",
                "Get\nrun1.: get run1.mark.*[last:9@999900]\nmark.: get mark.*[last:9]\n",
            ),
            (
                "get {*,mark.*}[+]",
                "Follow\nrun1.: get run1.*[+]\nrun2.: get run2.*[+]\nmark.: get mark.*[+]\n",
            ),
            ("put mark.x 1 7", "Put\nmark.: put mark.x 1 7\n"),
            ("put marks 1 7", "error\na key here begins with run1. or run2.\n\n"),
            ("del *x", "Deletion\nrun1.: del run1.*x\nrun2.: del run2.*x\n"),
        ] {
            assert_eq!(routed_to(line, &runs, &[100, 0, 0]), asked, "{line}");
        }
        assert_eq!(with_marks(vec![run("mark.a")]).len(), 1, "they are its keys");
        assert_eq!(with_marks(sources()).len(), 2, "they are among all keys");
    }

    #[test]
    fn times_of_a_run_are_asked_for_as_they_are_on_the_server() {
        let run =
            |run: &str| Source { name: String::new(), run: run.to_owned(), ..sources()[0].clone() };
        let runs = [run("run1."), run("run2.")];
        for (line, shift, asked) in [
            ("get *", 100, "Get\nrun1.: get run1.*\nrun2.: get run2.*\n"),
            ("get *loss", 0, "Get\nrun1.: get run1.*loss\nrun2.: get run2.*loss\n"),
            ("get run1.loss[7:]", 100, "Get\nrun1.: get run1.loss[-93:]\n"),
            ("get run1.*[7:9:10:max]", 100, "Get\nrun1.: get run1.*[-93:-91:10s:max] step 10\n"),
            ("get run2.*[7:9:10:max]", 100, "Get\nrun2.: get run2.*[7:9:10:max]\n"),
            ("get run1.*[-15m::all:max]", 100, "Get\nrun1.: get run1.*[-1000s::all:max]\n"),
            ("get run1.*[last:3]", 100, "Get\nrun1.: get run1.*[last:3@999900]\n"),
            ("get run1.*[last]", 20, "Get\nrun1.: get run1.*[last@999980]\n"),
            ("get run1.*[last@0]", 100, "Get\nrun1.: get run1.*[last@-100]\n"),
            ("get run1.*[+]", 100, "Follow\nrun1.: get run1.*[+]\n"),
            ("get run1.*[7:+]", 100, "Follow\nrun1.: get run1.*[-93:+]\n"),
            ("get other", 100, "ok\n\n"),
            ("get run1", 0, "ok\n\n"),
            ("get run1.", 0, "Get\nrun1.: get run1.\n"),
            ("del run1.*[:7]", 100, "Deletion\nrun1.: del run1.*[:-93]\n"),
            ("put run2.loss 1 1", 100, "Put\nrun2.: put run2.loss 1 1\n"),
            (
                "put run1.loss 1 1",
                100,
                "error\nthe times of run1. are shifted by 1m40s, not those of puts\n\n",
            ),
            ("put loss 1 1", 0, "error\na key here begins with run1. or run2.\n\n"),
            // Before the first time of 64 bits there is nothing.
            ("get run1.*[-9223372036854775808:]", 1, "Get\nrun1.: get run1.*[:]\n"),
            ("get run1.*[:-9223372036854775808]", 1, "ok\n\n"),
            ("get run1.*[last@-9223372036854775808]", 1, "ok\n\n"),
            ("get run1.*[5:]", u64::MAX, "Get\nrun1.: get run1.*[:]\n"),
            ("get run1.*[-9223372036854775808:+]", 1, "Follow\nrun1.: get run1.*[:+]\n"),
        ] {
            assert_eq!(routed_to(line, &runs, &[shift, 0]), asked, "{line} {shift}");
        }
    }
}
