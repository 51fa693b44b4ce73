//! The check of the command line while it is typed: the parser of the protocol, and the additions
//! of the client.

use std::ops::Range;

use shared::point::parse_timestamp;
use shared::request::{Argument, BadRequest, BadRequestReason, Request};

use crate::request::explain;
use crate::request::normalize;

/// The verdict of the protocol on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are explained with their variant")]
pub enum Verdict {
    /// The line is empty.
    Empty,
    /// The line would be accepted.
    Accepted,
    /// The client does something itself, as is said here.
    Own(&'static str),
    /// The line is valid so far, with what is missing.
    Unfinished(String),
    /// The line would be accepted, but the bytes in question are probably a mistake.
    Suspicious { at: Range<usize>, why: String },
    /// The line would be refused because of the bytes in question.
    Wrong { at: Range<usize>, why: String },
}

/// Checks a line.
pub fn check(text: &str) -> Verdict {
    let body = normalize::body(text.as_bytes());
    let request = &text.as_bytes()[body.clone()];
    if request.is_empty() {
        return Verdict::Empty;
    }
    let Some(bad) = explain::validate(request) else { return Verdict::Accepted };
    // More may be typed only where the text itself ends.
    let open = body.end == text.len();
    match bad.reason {
        BadRequestReason::TooLong => wrong(request, &bad, body.start),
        BadRequestReason::Missing(Argument::Timestamp) => match with_value(request) {
            None => Verdict::Accepted,
            Some(bad) if open && may_go_on(request) => {
                Verdict::Unfinished(explain::reason(request, &bad))
            }
            Some(bad) => wrong(request, &bad, body.start),
        },
        BadRequestReason::Missing(_) | BadRequestReason::Empty => {
            Verdict::Unfinished(explain::reason(request, &bad))
        }
        BadRequestReason::Selector(_) if open && may_close(request) => {
            Verdict::Unfinished(explain::reason(request, &bad))
        }
        _ if open && bad.at.end == request.len() && may_go_on(request) => {
            Verdict::Unfinished(explain::reason(request, &bad))
        }
        _ => wrong(request, &bad, body.start),
    }
}

fn wrong(request: &[u8], bad: &BadRequest, start: usize) -> Verdict {
    let why = explain::reason(request, bad);
    Verdict::Wrong { at: start + bad.at.start..start + bad.at.end, why }
}

/// The error of a `put` without its timestamp, which the client fills in.
fn with_value(request: &[u8]) -> Option<BadRequest> {
    Request::decode(&[request, b" 0"].concat()).err()
}

/// The selector may be the beginning of a valid one: `{a`, `a[-15`, `a[la`, `a[::1m:ma`.
fn may_close(request: &[u8]) -> bool {
    const MORE: [&str; 9] = ["]", "}", ":]", "1]", "s]", "1s]", "s:]", "1s:]", "+]"];
    const WORDS: [&str; 13] = [
        "last", "all", "avg", "min", "max", "sum", "count", "first", "rate", "p50", "p90", "p95",
        "p99",
    ];
    let is_good = |more: &str| Request::decode(&[request, more.as_bytes()].concat()).is_ok();
    let rests = WORDS.iter().flat_map(|word| (0..word.len()).map(|at| format!("{}]", &word[at..])));
    MORE.into_iter().any(is_good) || rests.into_iter().any(|rest| is_good(&rest))
}

/// The request may be the beginning of a valid one: `pu`, `put a -`, `put a 1e`.
fn may_go_on(request: &[u8]) -> bool {
    const MORE: [&[u8]; 9] =
        [b"ut a 1 1", b"t a 1 1", b"et a", b"t a", b"el a", b"l a", b"1 1", b"1", b" 1"];
    MORE.iter().any(|more| Request::decode(&[request, more].concat()).is_ok())
}

/// The byte ranges of the words of a line, without what the client adds to the protocol.
pub fn words(text: &str) -> Vec<Range<usize>> {
    let body = normalize::body(text.as_bytes());
    let (start, body) = (body.start, &text[body]);
    let mut words = Vec::new();
    let mut at = 0;
    for word in body.split([' ', '\t']) {
        if !word.is_empty() {
            words.push(start + at..start + at + word.len());
        }
        at += word.len() + 1;
    }
    words
}

/// The timestamp of a `put`, else a number under the cursor that may be a timestamp.
pub fn timestamp(text: &str, cursor: usize) -> Option<i64> {
    let words = words(text);
    if let [command, _, _, timestamp] = &words[..]
        && &text[command.clone()] == "put"
    {
        return parse_timestamp(text[timestamp.clone()].as_bytes()).ok();
    }
    let word = words.into_iter().find(|word| (word.start..=word.end).contains(&cursor))?;
    let word = &text[word];
    // Nine digits begin in 1973, eleven end in 5138.
    let looks_so = (9..=11).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_digit());
    looks_so.then(|| parse_timestamp(word.as_bytes()).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: &str = "a step is a duration such as 5m, a number of seconds from 1 on, or all";

    #[test]
    fn every_stage_of_typing_is_judged() {
        let unfinished = |why: &str| Verdict::Unfinished(why.to_owned());
        let wrong = |at: Range<usize>, why: &str| Verdict::Wrong { at, why: why.to_owned() };
        let commands = "the commands are put, del and get, in lower case";
        let number = "a value is a decimal number such as 23.7, -5 or 1e-3";
        for (line, verdict) in [
            ("", Verdict::Empty),
            ("  ", Verdict::Empty),
            ("> ", Verdict::Empty),
            ("p", unfinished(commands)),
            ("pu", unfinished(commands)),
            ("g", unfinished(commands)),
            ("put", unfinished("a key is missing")),
            ("put a", unfinished("a value is missing")),
            ("put a -", unfinished(number)),
            ("put a 1", Verdict::Accepted),
            ("put a 1e", unfinished(number)),
            ("put a 1e5", Verdict::Accepted),
            ("put a 1 -", unfinished("a timestamp is a whole number of Unix seconds")),
            ("put a 1 1", Verdict::Accepted),
            ("put a 1 1 ", Verdict::Accepted),
            ("> put a 1 1\\n", Verdict::Accepted),
            ("get *", Verdict::Accepted),
            ("got *", wrong(0..3, commands)),
            ("> got *", wrong(2..5, commands)),
            ("PUT", wrong(0..3, commands)),
            ("put a x", wrong(6..7, number)),
            ("put a x\\n", wrong(6..7, number)),
            ("put a 1,5 7", wrong(6..9, number)),
            ("get a b", wrong(6..7, "nothing may follow here")),
            ("de", unfinished(commands)),
            ("del", unfinished("a key or * is missing")),
            ("del a[1:]", Verdict::Accepted),
            ("get a[-15m::1q:max]", wrong(12..14, STEP)),
            ("> get a{b} }", wrong(11..12, "nothing may follow here")),
            ("get a}", wrong(5..6, "a } without its {")),
            ("get a[last:0]", wrong(11..12, "last:N takes a whole number from 1 on")),
            ("put 火 1 1 1", wrong(12..13, "nothing may follow here")),
        ] {
            assert_eq!(check(line), verdict, "{line:?}");
        }
    }

    #[test]
    fn a_selector_is_unfinished_while_it_may_close() {
        for line in
            ["get *[-1d::5m:max]", "get {a,b*}[last:60@-1h]", "get a[-15m:+]", "get a[::all:count]"]
        {
            assert_eq!(check(line), Verdict::Accepted);
            for (end, _) in line.char_indices().skip("get a".len()) {
                let verdict = check(&line[..end]);
                let is_wrong = matches!(verdict, Verdict::Wrong { .. });
                assert!(!is_wrong, "{}: {verdict:?}", &line[..end]);
            }
        }
    }

    #[test]
    fn timestamps_are_found() {
        assert_eq!(timestamp("put a 1 7", 0), Some(7));
        assert_eq!(timestamp("put a 1 x", 0), None);
        assert_eq!(timestamp("> put a 1 1150864247\\n", 0), Some(1_150_864_247));
        assert_eq!(timestamp("get 1150864247", 14), Some(1_150_864_247));
        assert_eq!(timestamp("get 1150864247", 2), None);
        assert_eq!(timestamp("get 12", 6), None);
    }
}
