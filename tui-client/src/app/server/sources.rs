//! The sources of the view, where it is of several servers: how they stand, and whose keys are kept.

use crate::app::context::Context;
use crate::app::log::Log;
use crate::metrics::marks::{Marks, PREFIX};
use crate::sources::{Away, Runs, SourceLabel, SourceState, has_own_marks, unnamed_pattern};
use crate::wire_log::entry::Tone;

/// The sources of the view; none where it is of one server.
#[derive(Debug, Default)]
pub struct Sources(Vec<Standing>);

/// A source.
#[derive(Debug)]
pub struct Standing {
    /// What it is called, and where it is.
    pub label: SourceLabel,
    /// How it stands.
    pub state: SourceState,
    /// It has been there before.
    was_here: bool,
    /// It was away, or refused, since all was asked for last: no answer says that a key of it is gone.
    is_kept: bool,
}

impl Sources {
    /// Sources of which nothing is known.
    pub fn new(labels: impl IntoIterator<Item = SourceLabel>) -> Self {
        let unknown = |label| Standing {
            label,
            state: SourceState::Connecting,
            was_here: false,
            is_kept: true,
        };
        Self(labels.into_iter().map(unknown).collect())
    }

    /// The view is of one server.
    pub fn is_one_server(&self) -> bool {
        self.0.is_empty()
    }

    /// The sources in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Standing> {
        self.0.iter()
    }

    /// Takes how they stand, and says which came and went; says whether the times of any were shifted
    /// otherwise before.
    pub fn take(&mut self, states: Vec<SourceState>, log: &mut Log, cx: &mut Context) -> bool {
        let mut is_shifted = false;
        let mut states = states.into_iter();
        for server in self.0.chunk_by_mut(|one, other| one.label.is_beside(&other.label)) {
            let before = State::of(server);
            let was_here = server.iter().any(|standing| standing.was_here);
            for (standing, state) in server.iter_mut().zip(states.by_ref()) {
                let both_here = standing.state.is_here() && state.is_here();
                is_shifted |= both_here && standing.state.shift() != state.shift();
                standing.was_here |= state.is_here();
                standing.is_kept |= !state.is_whole();
                // It has answered what it refused before.
                standing.is_kept &= !(standing.state.is_refusing() && state.is_whole());
                standing.state = state;
            }
            let Some(name) = server.first().map(|standing| standing.label.server()) else {
                continue;
            };
            match (before, State::of(server)) {
                (State::Away(_), State::Here) => {
                    let what = if was_here { "connected again to" } else { "connected to" };
                    log.note(cx.now(), Tone::Good, &format!("{what} {name}"));
                    cx.say(Tone::Good, format!("{what} {name}"));
                }
                (State::Here | State::Unknown | State::Refusing(_), State::Away(reason))
                | (State::Here | State::Unknown | State::Away(_), State::Refusing(reason)) => {
                    let text = format!("{name}: {reason}; trying again until it works");
                    log.note(cx.now(), Tone::Bad, &text);
                }
                _ => {}
            }
        }
        is_shifted
    }

    /// The sources of each server.
    pub fn servers(&self) -> impl Iterator<Item = &[Standing]> {
        self.0.chunk_by(|one, other| one.label.is_beside(&other.label))
    }

    /// How many servers are there, with all their sources, and how many there are.
    pub fn count(&self) -> (usize, usize) {
        let is_here = |server: &&[Standing]| server.iter().all(|it| it.state.is_whole());
        (self.servers().filter(is_here).count(), self.servers().count())
    }

    /// By how many seconds the times of each source are shifted, where they are.
    pub fn shifts(&self) -> Vec<(String, u64)> {
        let shifted = self.0.iter().filter(|standing| standing.state.shift() > 0);
        shifted.map(|standing| (standing.label.prefix(), standing.state.shift())).collect()
    }

    /// A saved session has all that is seen of each source, whose times were shifted like this.
    pub fn replay(&mut self, shifts: &[(String, u64)]) {
        for standing in &mut self.0 {
            let prefix = standing.label.prefix();
            let shift = shifts.iter().find(|(source, _)| *source == prefix);
            let shift = shift.map_or(0, |&(_, by)| by);
            standing.state = SourceState::Here { round_trip: None, shift };
            (standing.was_here, standing.is_kept) = (true, false);
        }
    }

    /// All is asked for anew, of those that are there.
    pub fn renew(&mut self) {
        for standing in &mut self.0 {
            standing.is_kept = !standing.state.is_whole();
        }
    }

    /// The keys that an answer may lack although they have points.
    pub fn kept(&self) -> Away {
        let kept = self.0.iter().filter(|standing| standing.is_kept);
        Away::of(kept.map(|standing| standing.label.prefix()))
    }

    /// The keys of sources that are not there.
    pub fn absent(&self) -> Away {
        let absent = self.0.iter().filter(|it| matches!(it.state, SourceState::Away { .. }));
        Away::of(absent.map(|standing| standing.label.prefix()))
    }

    /// How the source of a key stands.
    pub fn of_key(&self, key: &str) -> Option<&Standing> {
        self.0.iter().find(|standing| key.starts_with(&standing.label.prefix()))
    }

    /// Why a selector selects nothing, whatever keys there are; none where it names a source.
    pub fn why_unnamed(&self, selector: &str) -> Option<String> {
        let pattern = selector.split('[').next().unwrap_or_default();
        let labels: Vec<_> = self.0.iter().map(|standing| standing.label.clone()).collect();
        unnamed_pattern(pattern, &labels)
    }

    /// The source that a key is of, or the first one of its server.
    pub fn of_server(&self, key: &str) -> Option<&Standing> {
        let is_of = |standing: &&Standing| key.starts_with(&standing.label.before());
        self.of_key(key).or_else(|| self.0.iter().find(is_of))
    }

    /// The runs of the view.
    pub fn runs(&self) -> Runs {
        Runs::of(self.0.iter().map(|standing| &standing.label))
    }

    /// Marks: of each server, and those that are keys of runs.
    pub fn marks(&self) -> Marks {
        let keys = |of: String| format!("{of}{PREFIX}");
        let of_sources = || self.0.iter().map(|it| keys(it.label.prefix())).collect::<Vec<_>>();
        if self.0.is_empty() {
            return Marks::default();
        }
        if !self.are_marks_apart() {
            return Marks::of_keys(of_sources());
        }
        let servers = self.servers().filter_map(<[Standing]>::first);
        let own = servers.map(|server| keys(server.label.before()));
        Marks::of_keys(own.collect()).with_others(of_sources())
    }

    /// Marks of the servers are keys of none of the sources, which are runs.
    pub fn are_marks_apart(&self) -> bool {
        let runs = self.0.iter().map(|standing| standing.label.run.as_str());
        !self.0.is_empty() && !has_own_marks(runs)
    }
}

/// How a server stands.
enum State {
    /// It is not known of each of its sources whether it is there.
    Unknown,
    /// All of its sources are there.
    Here,
    /// One does not answer all that it is asked for: why.
    Refusing(String),
    /// One is not: why.
    Away(String),
}

impl State {
    fn of(server: &[Standing]) -> Self {
        let away = server.iter().find_map(|standing| match &standing.state {
            SourceState::Away { reason } => Some(reason.clone()),
            _ => None,
        });
        let refusing = server.iter().find_map(|standing| match &standing.state {
            SourceState::Refusing { reason, .. } => Some(reason.clone()),
            _ => None,
        });
        match (away, refusing) {
            (Some(reason), _) => Self::Away(reason),
            (None, Some(reason)) => Self::Refusing(reason),
            _ if server.iter().all(|standing| standing.state.is_here()) => Self::Here,
            _ => Self::Unknown,
        }
    }
}
