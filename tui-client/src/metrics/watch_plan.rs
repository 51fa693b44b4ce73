//! How to ask for the watched keys with as few requests as possible.

use shared::Glob;
use shared::limits::{MAX_LINE, MAX_SELECTOR};
use shared::pattern::Pattern;

use crate::metrics::alerts::Alert;

/// The longest pattern that leaves room for a clause in a selector.
const MAX_PATTERN: usize = MAX_SELECTOR - 64;

/// Whether the server knows the selector extension of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Extension {
    /// The extension was not tried yet.
    #[default]
    Unknown,
    /// The server knows the extension.
    Known,
    /// The server does not know the extension; globs are matched in the client.
    Missing,
}

/// The patterns to watch: these and those of the alerts, each once.
///
/// A key that a glob among them matches stays: the glob may match too many keys to bring it.
pub fn with_alerted(watch: &[Glob], alerts: &[Alert]) -> Vec<Glob> {
    let mut all: Vec<Glob> = Vec::new();
    for pattern in watch.iter().chain(alerts.iter().map(Alert::pattern)) {
        if !all.contains(pattern) {
            all.push(pattern.clone());
        }
    }
    all
}

/// How to ask for the watched keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// With these selectors, a request each.
    For(Vec<String>),
    /// With the table, which asks for all keys anyway.
    WithTable,
}

/// The fewest requests that bring the watched keys. `all` says that the table asks for all keys,
/// `cheap` that all keys came quickly the last time.
pub fn plan(patterns: &[Glob], extension: Extension, all: bool, cheap: bool) -> Ask {
    let globs = patterns.iter().any(|pattern| !pattern.is_key());
    if extension == Extension::Known {
        return Ask::For(merged(patterns));
    }
    match (globs, all, cheap) {
        (true, true, _) | (false, true, true) => Ask::WithTable,
        (true, false, _) => Ask::For(vec!["*".to_owned()]),
        _ => Ask::For(patterns.iter().map(ToString::to_string).collect()),
    }
}

/// Patterns of the protocol that bring all keys of these: a key each where all are keys, so that
/// their order is kept, else one pattern. It may match more keys. `*` for none.
pub fn patterns_for(patterns: &[Glob]) -> Vec<String> {
    let fits = |pattern: &Glob| pattern.is_key() && pattern.as_str().len() <= MAX_PATTERN;
    if !patterns.is_empty() && patterns.iter().all(fits) {
        return patterns.iter().map(ToString::to_string).collect();
    }
    vec![covering_pattern(patterns)]
}

/// One pattern of the protocol that matches all keys of these, and maybe more: `*` when there are
/// none, or too many for a selector.
pub fn covering_pattern(patterns: &[Glob]) -> String {
    const ALL: &str = "*";
    // A glob among them brings its keys.
    let is_covered = |key: &Glob| {
        key.is_key() && patterns.iter().any(|by| !by.is_key() && by.matches(key.as_str()))
    };
    let patterns: Vec<&Glob> = patterns.iter().filter(|pattern| !is_covered(pattern)).collect();
    if let [one] = patterns[..]
        && Pattern::new(one.as_str()).is_ok()
        && one.as_str().len() <= MAX_PATTERN
    {
        return one.to_string();
    }
    let mut flat: Vec<String> = Vec::new();
    for pattern in patterns {
        // Braces can't stand in braces, nor can a comma that is itself.
        let Some(alternatives) = without_braces(pattern.as_str()) else { return ALL.to_owned() };
        for alternative in alternatives.into_iter().map(|text| text.replace(',', "?")) {
            if !alternative.is_empty() && !flat.contains(&alternative) {
                flat.push(alternative);
            }
        }
    }
    let covering = match &flat[..] {
        [one] => one.clone(),
        _ => format!("{{{}}}", flat.join(",")),
    };
    let fits = !flat.is_empty() && covering.len() <= MAX_PATTERN;
    if fits { covering } else { ALL.to_owned() }
}

/// The globs that a glob with braces stands for; `None` when they are too many for a selector.
pub fn without_braces(glob: &str) -> Option<Vec<String>> {
    let (mut flat, mut open) = (Vec::new(), vec![glob.to_owned()]);
    while let Some(glob) = open.pop() {
        if flat.len() + open.len() > MAX_SELECTOR {
            return None;
        }
        let Some((before, rest)) = glob.split_once('{') else {
            flat.push(glob);
            continue;
        };
        let (mut depth, mut start, mut alternatives, mut end) = (1, 0, Vec::new(), rest.len());
        for (at, c) in rest.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 || (depth == 1 && c == ',') {
                alternatives.push(&rest[start..at]);
                start = at + 1;
            }
            if depth == 0 {
                end = start;
                break;
            }
        }
        let after = &rest[end..];
        let each = alternatives.iter().rev();
        open.extend(each.map(|alternative| format!("{before}{alternative}{after}")));
    }
    Some(flat)
}

/// Patterns of the extension that ask for everything at once, as far as a line with a clause is
/// long.
pub fn merged(patterns: &[Glob]) -> Vec<String> {
    /// What a line holds besides the patterns: `get {`, `}` and a clause.
    const AROUND: usize = 6 + 64;
    // Within braces a comma would end the key, and there are no braces.
    let (apart, together): (Vec<_>, Vec<_>) =
        patterns.iter().partition(|pattern| pattern.as_str().contains([',', '{']));
    let mut selectors: Vec<String> = apart.into_iter().map(ToString::to_string).collect();
    let mut rest = &together[..];
    while !rest.is_empty() {
        let mut length = AROUND;
        let fits = rest.iter().take_while(|pattern| {
            length += pattern.as_str().len() + 1;
            length <= MAX_LINE
        });
        let (now, later) = rest.split_at(fits.count().max(1));
        let texts: Vec<_> = now.iter().map(|pattern| pattern.as_str()).collect();
        selectors.push(match texts[..] {
            [one] => one.to_owned(),
            _ => format!("{{{}}}", texts.join(",")),
        });
        rest = later;
    }
    selectors
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globs(texts: &[&str]) -> Vec<Glob> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn ask(selectors: &[&str]) -> Ask {
        Ask::For(selectors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn as_few_requests_as_possible() {
        use Extension::{Known, Missing, Unknown};
        for (patterns, extension, all, cheap, expected) in [
            (&["a", "b"][..], Unknown, true, false, ask(&["a", "b"])),
            (&["a", "b"], Missing, true, true, Ask::WithTable),
            (&["a", "b"], Missing, false, true, ask(&["a", "b"])),
            (&["a", "b.*"], Missing, false, true, ask(&["*"])),
            (&["a", "b.*"], Missing, true, false, Ask::WithTable),
            (&["a", "b.*", "c,d"], Known, true, true, ask(&["c,d", "{a,b.*}"])),
            (&["a", "b{c,d}", "e"], Known, true, true, ask(&["b{c,d}", "{a,e}"])),
            (&["a"], Known, true, true, ask(&["a"])),
        ] {
            assert_eq!(plan(&globs(patterns), extension, all, cheap), expected, "{patterns:?}");
        }
        let long: Vec<String> = (0..9).map(|n| format!("{n}{}", "x".repeat(1000))).collect();
        let long: Vec<&str> = long.iter().map(String::as_str).collect();
        let Ask::For(selectors) = plan(&globs(&long), Known, true, true) else { panic!("merged") };
        assert_eq!(selectors.len(), 3);
        assert!(selectors.iter().all(|selector| selector.len() + 4 <= MAX_LINE));
    }

    #[test]
    fn one_pattern_covers_all() {
        for (patterns, covering) in [
            (&["a.*"][..], "a.*"),
            (&["a{b,c}"], "a{b,c}"),
            (&["a{b,c{d,}}"], "{ab,acd,ac}"),
            (&["a", "b{c,d}?", "a"], "{a,bc?,bd?}"),
            (&["a.b", "a.*"], "a.*"),
            (&["ab", "x", "a{b,c}", "a"], "{x,ab,ac,a}"),
            (&["a,b", "c"], "{a?b,c}"),
            (&["a,b"], "a,b"),
            (&["x", "{,a}{,b}"], "{x,b,a,ab}"),
            (&[], "*"),
            (&[&"{a,b,c,d,e,f,g,h}".repeat(4), "x"], "*"),
        ] {
            assert_eq!(covering_pattern(&globs(patterns)), covering, "{patterns:?}");
            let covering: Glob = covering.parse().unwrap();
            for key in ["a.b", "ab", "ac", "acd", "bcx", "a,b", "x", "b", "abcd"] {
                let is_wanted = globs(patterns).iter().any(|glob| glob.matches(key));
                assert!(!is_wanted || covering.matches(key), "{patterns:?} {key}");
            }
        }
        assert_eq!(patterns_for(&globs(&["b", "a,"])), ["b", "a,"]);
        assert_eq!(patterns_for(&globs(&["b", "a*"])), ["{b,a*}"]);
        let long: Vec<_> = (0..9).map(|n| format!("{n}{}", "x".repeat(500))).collect();
        let long: Vec<_> = long.iter().map(String::as_str).collect();
        assert_eq!(covering_pattern(&globs(&long)), "*");
    }

    #[test]
    fn nothing_is_watched_twice_and_no_key_is_left_to_a_glob() {
        let alerts: Vec<Alert> = ["a > 1", "palm.cpu > 90", "b.* > 1"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let all = with_alerted(&globs(&["a", "palm.mem", "palm.*", "a"]), &alerts);
        assert_eq!(all, globs(&["a", "palm.mem", "palm.*", "palm.cpu", "b.*"]));
    }
}
