//! What is left of a glob behind a text: the keys of a source that a glob of the view means.

use shared::limits::{MAX_LINE, MAX_SELECTOR};

use crate::metrics::watch_plan::without_braces;

/// The longest pattern that leaves room for a request and a clause around it.
const MAX_PATTERN: usize = MAX_LINE - 256;

/// A pattern of the protocol for the keys of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestOfGlob {
    /// Matches each key that stands behind the text in a key that the glob matches.
    pub pattern: String,
    /// It matches no other.
    pub is_exact: bool,
}

/// What a glob leaves of the keys behind a text, of those that begin with another one; none when it
/// matches no such key.
pub fn rest_of_glob(glob: &str, before: &str, run: &str) -> Option<RestOfGlob> {
    let exact = |rest: &str| RestOfGlob { pattern: format!("{run}{rest}"), is_exact: true };
    let more = RestOfGlob { pattern: format!("{run}*"), is_exact: false };
    let text = &format!("{before}{run}");
    // Braces may stand for more globs than there is room for.
    let Some(globs) = without_braces(glob) else { return Some(more) };
    let mut rests: Vec<String> = Vec::new();
    for glob in globs {
        for rest in rests_behind(&glob, text) {
            // No key is empty.
            let is_key = !rest.is_empty() || !run.is_empty();
            if is_key && !rests.contains(&rest) {
                rests.push(rest);
            }
        }
    }
    match &rests[..] {
        [] => None,
        _ if rests.iter().any(|rest| rest == "*") => Some(exact("*")),
        [one] if one.len() <= MAX_PATTERN => Some(exact(one)),
        [_] => Some(more),
        _ => {
            let length = rests.iter().map(|rest| rest.len() + 1).sum::<usize>() + 1;
            if length > MAX_PATTERN.min(MAX_SELECTOR) {
                return Some(more);
            }
            // Within braces a comma would end an alternative.
            let is_exact = !rests.iter().any(|rest| rest.contains(','));
            let rests = rests.join("\n").replace(',', "?").replace('\n', ",");
            let pattern = format!("{run}{{{rests}}}");
            Some(RestOfGlob { pattern, is_exact })
        }
    }
}

/// What a glob without braces may leave behind a text.
fn rests_behind(glob: &str, text: &str) -> Vec<String> {
    let parts: Vec<char> = glob.chars().collect();
    // Where in the glob the rest may begin.
    let mut places = vec![false; parts.len() + 1];
    let begin = |places: &mut Vec<bool>| {
        for (at, part) in parts.iter().enumerate() {
            if places.get(at) == Some(&true)
                && *part == '*'
                && let Some(behind) = places.get_mut(at + 1)
            {
                *behind = true;
            }
        }
    };
    if let Some(first) = places.first_mut() {
        *first = true;
    }
    begin(&mut places);
    for c in text.chars() {
        let mut next = vec![false; parts.len() + 1];
        for (at, part) in parts.iter().enumerate().filter(|&(at, _)| places.get(at) == Some(&true))
        {
            let to = match part {
                '*' => at,
                '?' => at + 1,
                part if *part == c => at + 1,
                _ => continue,
            };
            if let Some(place) = next.get_mut(to) {
                *place = true;
            }
        }
        begin(&mut next);
        places = next;
    }
    let is_open = |at: usize| places.get(at) == Some(&true);
    // What stands behind a run is among what the run leaves.
    let covered = |at: usize| {
        at.checked_sub(1).is_some_and(|run| is_open(run) && parts.get(run) == Some(&'*'))
    };
    let starts = (0..=parts.len()).filter(|&at| is_open(at) && !covered(at));
    starts.map(|at| parts.iter().skip(at).collect()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared::Glob;

    use super::*;

    #[test]
    fn a_glob_leaves_what_it_means_behind_a_name() {
        for (glob, rest) in [
            ("*", Some("*")),
            ("web1/palm.cpu", Some("palm.cpu")),
            ("web1/palm.*", Some("palm.*")),
            ("web1/*", Some("*")),
            ("*cpu", Some("*cpu")),
            ("*.{cpu,mem}", Some("{*.cpu,*.mem}")),
            ("{web1,db}/x", Some("x")),
            ("{web1/a,db/b}", Some("a")),
            ("{web1/a,web1/b,db/b}", Some("{a,b}")),
            ("*1/x", Some("{*1/x,x}")),
            ("*/x", Some("{*/x,x}")),
            ("?eb1/x", Some("x")),
            ("w*", Some("*")),
            ("????/?", Some("?")),
            ("web1", None),
            ("web1/", None),
            ("web*", Some("*")),
            ("web2/*", None),
            ("palm.*", None),
            ("db/x", None),
            ("火*", None),
        ] {
            let pattern = rest_of_glob(glob, "web1/", "");
            let exact = rest.map(|rest| RestOfGlob { pattern: rest.to_owned(), is_exact: true });
            assert_eq!(pattern, exact, "{glob}");
        }
        let comma = rest_of_glob("{web1/a,b*}", "web1/", "");
        assert_eq!(comma, Some(RestOfGlob { pattern: "a".to_owned(), is_exact: true }));
        let comma = rest_of_glob("*1/a,b", "web1/", "").unwrap();
        assert_eq!((comma.pattern.as_str(), comma.is_exact), ("{*1/a?b,a?b}", false));
        let long = format!("{{{}x}}/y", "*a,".repeat(1300));
        assert!(rest_of_glob(&long, "web1/", "").is_some_and(|rest| rest.pattern.len() < MAX_LINE));
    }

    fn glob() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            3 => "[ab/,]",
            2 => Just("*".to_owned()),
            1 => Just("?".to_owned()),
            1 => "[ab/*?]{0,3}(,[ab/*?]{0,3}){0,2}".prop_map(|inside| format!("{{{inside}}}")),
        ];
        proptest::collection::vec(part, 1..6).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn it_matches_what_the_glob_matches_behind_the_text(
            glob in glob(), text in "([ab]{1,2}/)?", run in "([ab]{1,2}/?)?", key in "[ab/,]{1,4}",
        ) {
            let key = format!("{run}{key}");
            let whole: Glob = glob.parse().unwrap();
            let matches = whole.matches(&format!("{text}{key}"));
            match rest_of_glob(&glob, &text, &run) {
                None => prop_assert!(!matches),
                Some(RestOfGlob { pattern, is_exact }) => {
                    shared::pattern::Pattern::new(&pattern).unwrap();
                    let rest: Glob = pattern.parse().unwrap();
                    prop_assert!(!matches || rest.matches(&key), "{pattern}");
                    prop_assert!(!is_exact || matches == rest.matches(&key), "{pattern}");
                }
            }
        }
    }
}
