//! Sources that stand in one view as one server would: several servers, each with a name before its
//! keys, and runs, which are the keys of a server that begin with a prefix, their times shifted so that
//! all runs begin together. Knows no sockets: what a source is asked for a request to all, and what its
//! lines become.

mod data_lines;
mod names;
mod request;
mod rest_of_glob;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use shared::client::ConnectOptions;
use shared::host::with_port;

use crate::metrics::marks::PREFIX;

pub use data_lines::DataLines;
pub use names::{MAX_NAME, NameError, check_name, check_run, named_hosts};
pub use request::{Kind, Routed, Target, route, unnamed_pattern};

/// What ends the name of a source before a key: a key may hold it, a name does not, so that the first
/// one in a key ends the name.
pub const SEPARATOR: char = '/';

/// A server or a run, and what its keys are called in the view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What stands before its keys, without the [`SEPARATOR`]; empty where the view is of one server.
    pub name: String,
    /// What all its keys begin with there; empty for all keys of the server.
    pub run: String,
    /// It brings the marks of its server, which are keys of no run: their times are not shifted, and they
    /// are among the keys only where a pattern names marks.
    pub is_marks: bool,
    /// Where it is.
    pub server: ConnectOptions,
}

impl Source {
    /// What stands before each of its keys.
    pub fn before(&self) -> String {
        before(&self.name)
    }

    /// What each of its keys begins with in the view.
    pub fn prefix(&self) -> String {
        format!("{}{}", self.before(), self.run)
    }
}

/// What stands before the keys of a source of this name.
fn before(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!("{name}{SEPARATOR}") }
}

/// Sources of runs: each prefix on each server. None for no prefix.
///
/// # Errors
/// When keys would be of two runs: the two prefixes.
pub fn with_runs(servers: Vec<Source>, runs: &[String]) -> Result<Vec<Source>, [String; 2]> {
    for (at, one) in runs.iter().enumerate() {
        for (_, other) in runs.iter().enumerate().filter(|&(place, _)| place != at) {
            if other.starts_with(one.as_str()) {
                return Err([one.clone(), other.clone()]);
            }
        }
    }
    if runs.is_empty() {
        return Ok(servers);
    }
    let of_run = |source: &Source| {
        let source = source.clone();
        runs.iter().map(move |run| Source { run: run.clone(), ..source.clone() })
    };
    Ok(servers.iter().flat_map(of_run).collect())
}

/// These sources and, where they are runs, the marks of each server; not where a run has marks itself.
#[must_use]
pub fn with_marks(sources: Vec<Source>) -> Vec<Source> {
    let mut all = sources;
    if has_own_marks(all.iter().map(|source| source.run.as_str())) {
        return all;
    }
    let servers = all.chunk_by(|one, other| one.name == other.name);
    let first = servers.filter_map(<[Source]>::first).cloned();
    let marks = first.map(|source| Source { run: PREFIX.to_owned(), is_marks: true, ..source });
    let marks: Vec<_> = marks.collect();
    all.extend(marks);
    all
}

/// Marks are keys of the sources, because all keys are, or those of a run.
pub fn has_own_marks<'a>(mut runs: impl Iterator<Item = &'a str>) -> bool {
    runs.any(|run| run.starts_with(PREFIX) || PREFIX.starts_with(run))
}

/// By how many seconds the times of each source are shifted, from the first time of each: the run that
/// began last keeps its times, and the others begin with it. Nothing is shifted where there are no
/// several runs, nor where it is not known when a run began.
pub fn shifts(sources: &[Source], starts: &[Option<i64>]) -> Vec<u64> {
    let start = |run: &str| {
        let of_run = sources.iter().zip(starts);
        let of_run = of_run.filter(|(source, _)| source.run == run && !source.is_marks);
        of_run.filter_map(|(_, start)| *start).min()
    };
    let newest = sources.iter().filter_map(|source| start(&source.run)).max();
    let shift = |source: &Source| match (newest, start(&source.run)) {
        (Some(newest), Some(start)) if !source.run.is_empty() && !source.is_marks => {
            newest.abs_diff(start)
        }
        _ => 0,
    };
    sources.iter().map(shift).collect()
}

/// What a source is called, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceLabel {
    /// What stands before its keys, without the [`SEPARATOR`]; may be empty.
    pub name: String,
    /// What its keys begin with on the server; may be empty.
    pub run: String,
    /// `host:port`.
    pub address: String,
}

impl SourceLabel {
    /// What stands before each of its keys.
    pub fn before(&self) -> String {
        before(&self.name)
    }

    /// What each of its keys begins with in the view.
    pub fn prefix(&self) -> String {
        format!("{}{}", self.before(), self.run)
    }

    /// What its server is called.
    pub fn server(&self) -> &str {
        if self.name.is_empty() { &self.address } else { &self.name }
    }

    /// It is another run of the same server, or the same.
    pub fn is_beside(&self, other: &Self) -> bool {
        (&self.name, &self.address) == (&other.name, &other.address)
    }

    /// What it is called.
    pub fn shown(&self) -> String {
        if self.run.is_empty() { self.name.clone() } else { self.prefix() }
    }
}

impl From<&Source> for SourceLabel {
    fn from(Source { name, run, server, .. }: &Source) -> Self {
        let address = with_port(&server.host, server.port);
        Self { name: name.clone(), run: run.clone(), address }
    }
}

/// What the runs of a view begin with, where there are several: keys that differ in nothing else belong
/// together. Clones share the prefixes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Runs(Arc<[String]>);

impl Runs {
    /// The runs of these sources.
    pub fn of<'a>(sources: impl IntoIterator<Item = &'a SourceLabel>) -> Self {
        let runs = sources.into_iter().filter(|source| !source.run.is_empty());
        let runs: Vec<_> = runs.map(SourceLabel::prefix).collect();
        Self(if runs.len() > 1 { runs.into() } else { Arc::default() })
    }

    /// There are no several runs.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What each of them begins with, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The run that a text names: what its keys begin with, also without the dot at the end.
    pub fn named(&self, text: &str) -> Option<&str> {
        let bare = |text: &str| text.trim_end_matches(['.', '_', '-', '/', ':']).to_owned();
        let is_named = |run: &&str| *run == text || !text.is_empty() && bare(run) == bare(text);
        self.iter().find(is_named)
    }

    /// What is left of a key behind the prefix of its run.
    pub fn rest<'a>(&self, key: &'a str) -> Option<&'a str> {
        self.0.iter().find_map(|run| key.strip_prefix(run.as_str()))
    }

    /// The keys of the other runs that are called like this one.
    pub fn beside(&self, key: &str) -> Vec<String> {
        let Some(rest) = self.rest(key) else { return Vec::new() };
        let all = self.0.iter().map(|run| format!("{run}{rest}"));
        all.filter(|other| other != key).collect()
    }
}

/// The keys that an answer may lack although they have points: those of sources that are away, and those
/// of which a saved session says nothing. Clones share what is in here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Away {
    /// What keys begin with.
    prefixes: Arc<[String]>,
    /// Whole keys.
    keys: Arc<HashSet<String>>,
}

impl Away {
    /// The keys that begin with one of these.
    pub fn of(prefixes: impl IntoIterator<Item = String>) -> Self {
        Self { prefixes: prefixes.into_iter().collect(), keys: Arc::default() }
    }

    /// These keys, too.
    #[must_use]
    pub fn with_keys(self, keys: impl IntoIterator<Item = String>) -> Self {
        Self { keys: Arc::new(keys.into_iter().collect()), ..self }
    }

    /// There are no such keys.
    pub fn is_empty(&self) -> bool {
        self.prefixes.is_empty() && self.keys.is_empty()
    }

    /// It is such a key.
    pub fn has(&self, key: &str) -> bool {
        let begins = |prefix: &String| key.starts_with(prefix.as_str());
        self.prefixes.iter().any(begins) || self.keys.contains(key)
    }
}

/// How a source stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are explained with their variant")]
pub enum SourceState {
    /// It is not known yet whether it is there.
    Connecting,
    /// It answers; `round_trip` is the time to the first byte of its last small answer, `shift` by how
    /// many seconds its times are.
    Here { round_trip: Option<Duration>, shift: u64 },
    /// It answers, but has refused what all sources were asked for, and is asked again after a wait.
    Refusing { reason: String, shift: u64 },
    /// It answers, and there is no key of the run.
    NoKeys,
    /// It does not; the next try is made by itself.
    Away { reason: String },
}

impl SourceState {
    /// By how many seconds its times are shifted.
    pub fn shift(&self) -> u64 {
        match self {
            Self::Here { shift, .. } | Self::Refusing { shift, .. } => *shift,
            Self::Connecting | Self::NoKeys | Self::Away { .. } => 0,
        }
    }

    /// It answers.
    pub fn is_here(&self) -> bool {
        matches!(self, Self::Here { .. } | Self::NoKeys | Self::Refusing { .. })
    }

    /// It answers, but not all that it is asked for.
    pub fn is_refusing(&self) -> bool {
        matches!(self, Self::Refusing { .. })
    }

    /// It answers all that it is asked for.
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Here { .. } | Self::NoKeys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(names: &[&str], runs: &[&str]) -> Vec<Source> {
        let servers = names.iter().map(|name| Source {
            name: (*name).to_owned(),
            run: String::new(),
            is_marks: false,
            server: ConnectOptions::new("localhost", 1),
        });
        let runs: Vec<_> = runs.iter().map(|run| (*run).to_owned()).collect();
        with_runs(servers.collect(), &runs).unwrap()
    }

    #[test]
    fn the_run_that_began_last_keeps_its_times() {
        let runs = sources(&[""], &["a.", "b.", "c."]);
        assert_eq!(shifts(&runs, &[Some(10), Some(25), Some(-5)]), [15, 0, 30]);
        assert_eq!(shifts(&runs, &[Some(10), None, Some(20)]), [10, 0, 0]);
        assert_eq!(shifts(&runs, &[None, None, None]), [0, 0, 0]);
        assert_eq!(shifts(&runs, &[Some(i64::MIN), Some(i64::MAX), None]), [u64::MAX, 0, 0]);
        // A run of two servers begins with the first of both.
        let both = sources(&["x", "y"], &["a.", "b."]);
        assert_eq!(shifts(&both, &[Some(10), Some(50), Some(20), Some(40)]), [30, 0, 30, 0]);
        let servers = sources(&["x", "y"], &[]);
        assert_eq!(shifts(&servers, &[Some(10), Some(50)]), [0, 0]);
    }

    #[test]
    fn no_key_is_of_two_runs() {
        let refused = |runs: [&str; 2]| with_runs(Vec::new(), &runs.map(str::to_owned)).is_err();
        assert!(refused(["run1", "run10"]) && refused(["a.b.", "a."]) && refused(["a.", "a."]));
        assert!(!refused(["run1.", "run10."]));
    }

    #[test]
    fn keys_of_runs_that_are_called_alike_belong_together() {
        let labels = |names, runs| sources(names, runs).iter().map(SourceLabel::from).collect();
        let labels: Vec<SourceLabel> = labels(&[""], &["run1.", "run2."]);
        let runs = Runs::of(&labels);
        assert_eq!(runs.beside("run2.loss"), ["run1.loss"]);
        assert_eq!(runs.beside("other.loss"), [""; 0]);
        assert_eq!(
            ["run2", "run2.", "run", ""].map(|it| runs.named(it)),
            [Some("run2."), Some("run2."), None, None]
        );
        assert!(Runs::of(&labels[..1]).is_empty(), "one is none");
    }
}
