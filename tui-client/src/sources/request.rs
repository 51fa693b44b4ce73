//! What each source is asked for a request to the view.

use shared::response::{OK, WRONG_COMMAND, encode_error};
use shared::selector::Clause;
use shared::{Glob, Key, Request, Selector};

use super::Source;
use super::rest_of_glob::{RestOfGlob, rest_of_glob};
use crate::request::deletion::PROBE_KEY;

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Routed {
    /// No source is asked: the whole reply.
    Answered(Vec<u8>),
    /// Some are.
    Asked {
        /// What kind of request it is.
        kind: Kind,
        /// Who is asked; none where a follow is of no source.
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
    /// A `put` or a `del`.
    Change,
}

/// A source that is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its place among the sources.
    pub source: usize,
    /// The request, without its `\n`.
    pub line: Vec<u8>,
}

/// Finds out which sources are asked for what.
pub fn route(line: &[u8], sources: &[Source]) -> Routed {
    let Ok(request) = Request::decode(line) else { return refused(WRONG_COMMAND) };
    match request {
        Request::Put(key, _) => {
            let found = (0..).zip(sources).find_map(|(at, source)| {
                let rest = key.as_str().strip_prefix(&source.prefix())?;
                Some((at, Key::new(rest).ok()?))
            });
            let Some((source, key)) = found else { return refused(&unnamed(sources)) };
            // Value and time as they were written.
            let words = line.split(|byte| b" \t".contains(byte)).filter(|word| !word.is_empty());
            let numbers: Vec<&[u8]> = words.skip(2).collect();
            let line = [b"put", key.as_bytes(), &numbers.join(&b' ')].join(&b' ');
            asked(Kind::Change, vec![Target { source, line }], None)
        }
        Request::Get(selector) => {
            let is_follow = matches!(selector.clause(), Some(Clause::Follow { .. }));
            let kind = if is_follow { Kind::Follow } else { Kind::Get };
            let (targets, is_exact) = targets("get", selector, sources);
            if targets.is_empty() && kind == Kind::Get {
                return Routed::Answered(OK.to_vec());
            }
            let filter = (!is_exact).then(|| Glob::from(selector.pattern()));
            asked(kind, targets, filter)
        }
        Request::Del(selector) => {
            let (mut targets, is_exact) = targets("del", selector, sources);
            if selector.pattern().as_str().starts_with(PROBE_KEY) {
                // Whether all of them take a `del`.
                let line = format!("del {selector}").into_bytes();
                let to = |source| Target { source, line: line.clone() };
                targets = (0..sources.len()).map(to).collect();
            }
            match (&targets[..], is_exact) {
                ([], _) => refused(&unnamed(sources)),
                (_, false) => refused("this pattern is too involved for several servers"),
                (_, true) => asked(Kind::Change, targets, None),
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
    let mut names: Vec<String> = sources.iter().map(Source::prefix).collect();
    let last = names.pop().unwrap_or_default();
    let names = if names.is_empty() { last } else { format!("{} or {last}", names.join(", ")) };
    format!("a key here begins with the name of its server: {names}")
}

/// What each source is asked, and whether none is asked for more than is meant.
fn targets(command: &str, selector: Selector<'_>, sources: &[Source]) -> (Vec<Target>, bool) {
    let whole = selector.to_string();
    let pattern = selector.pattern().as_str();
    let clause = whole.get(pattern.len()..).unwrap_or_default();
    let mut is_all_exact = true;
    let targets = (0..).zip(sources).filter_map(|(at, source)| {
        let RestOfGlob { pattern, is_exact } = rest_of_glob(pattern, &source.prefix())?;
        is_all_exact &= is_exact;
        Some(Target { source: at, line: format!("{command} {pattern}{clause}").into_bytes() })
    });
    (targets.collect(), is_all_exact)
}

#[cfg(test)]
mod tests {
    use shared::client::ConnectOptions;

    use super::*;

    fn sources() -> Vec<Source> {
        let source = |name: &str| Source {
            name: name.to_owned(),
            server: ConnectOptions::new("localhost", 1),
        };
        ["web1", "db"].map(source).to_vec()
    }

    /// What is asked of whom, a line each; the reply where nobody is asked.
    fn routed(line: &str) -> String {
        match route(line.as_bytes(), &sources()) {
            Routed::Answered(reply) => String::from_utf8(reply).unwrap(),
            Routed::Asked { kind, targets, filter } => {
                let line = |target: &Target| {
                    let line = str::from_utf8(&target.line).unwrap();
                    format!("{}: {line}\n", sources()[target.source].name)
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
            (" put\tdb/x 1.50  007 ", "Change\ndb: put x 1.50 007\n"),
            ("put x 1 1", unnamed),
            ("put db/ 1 1", unnamed),
            ("put other/x 1 1", unnamed),
            ("del */x[:7]", "Change\nweb1: del {*/x,x}[:7]\ndb: del {*/x,x}[:7]\n"),
            ("del web1/x", "Change\nweb1: del x\n"),
            ("del x", unnamed),
            (
                "del tui-client.probe-7*[1:0]",
                "Change\nweb1: del tui-client.probe-7*[1:0]\ndb: del tui-client.probe-7*[1:0]\n",
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
}
