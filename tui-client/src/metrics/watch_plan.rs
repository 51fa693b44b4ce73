//! How to ask for the watched keys with as few requests as possible.

use shared::limits::MAX_LINE;

use crate::metrics::alerts::Alert;
use shared::Glob;

/// Whether the server knows the selector extension of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Extension {
    /// The extension was not tried yet.
    #[default]
    Unknown,
    /// A request that tries it is on its way.
    Asked,
    /// The server knows the extension.
    Known,
    /// The server does not know the extension; globs are matched in the client.
    Missing,
}

/// The patterns to watch: these and those of the alerts, each once.
pub fn with_alerted(watch: &[Glob], alerts: &[Alert]) -> Vec<Glob> {
    let both = || watch.iter().chain(alerts.iter().map(Alert::pattern));
    let mut all: Vec<Glob> = Vec::new();
    for pattern in both() {
        let covers = |by: &Glob| !by.is_key() && pattern.is_key() && by.matches(pattern.as_str());
        if !all.contains(pattern) && !both().any(covers) {
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

/// Selectors of the extension that ask for everything at once, as far as a line is long.
fn merged(patterns: &[Glob]) -> Vec<String> {
    /// What a line holds besides the patterns: `get {` and `}`.
    const AROUND: usize = 6;
    // Within braces a comma would end the key.
    let (apart, together): (Vec<_>, Vec<_>) =
        patterns.iter().partition(|pattern| pattern.is_key() && pattern.as_str().contains(','));
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
    fn nothing_is_watched_twice() {
        let alerts: Vec<Alert> = ["a > 1", "palm.cpu > 90", "b.* > 1"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let all = with_alerted(&globs(&["a", "palm.mem", "palm.*", "a"]), &alerts);
        assert_eq!(all, globs(&["a", "palm.*", "b.*"]));
    }
}
