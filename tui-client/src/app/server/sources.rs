//! The sources of the view, where it is of several servers: how they stand, and whose keys are kept.

use crate::app::context::Context;
use crate::app::log::Log;
use crate::metrics::marks;
use crate::sources::{Away, Runs, SourceLabel, SourceState};
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
    /// It was away since all was asked for last: no answer says that a key of it is gone.
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
        for (standing, state) in self.0.iter_mut().zip(states) {
            let name = standing.label.shown();
            match (&standing.state, &state) {
                (SourceState::Away { .. }, SourceState::Here { .. }) => {
                    let what =
                        if standing.was_here { "connected again to" } else { "connected to" };
                    log.note(cx.now(), Tone::Good, &format!("{what} {name}"));
                    cx.say(Tone::Good, format!("{what} {name}"));
                }
                (
                    SourceState::Here { .. } | SourceState::Connecting,
                    SourceState::Away { reason },
                ) => {
                    let text = format!("{name}: {reason}; trying again until it works");
                    log.note(cx.now(), Tone::Bad, &text);
                }
                _ => {}
            }
            let both_here = standing.state.is_here() && state.is_here();
            is_shifted |= both_here && standing.state.shift() != state.shift();
            standing.was_here |= state.is_here();
            standing.is_kept |= !state.is_here();
            standing.state = state;
        }
        is_shifted
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
            standing.is_kept = !standing.state.is_here();
        }
    }

    /// The keys that an answer may lack although they have points.
    pub fn kept(&self) -> Away {
        let kept = self.0.iter().filter(|standing| standing.is_kept);
        Away::of(kept.map(|standing| standing.label.prefix()))
    }

    /// How the source of a key stands.
    pub fn of_key(&self, key: &str) -> Option<&Standing> {
        self.0.iter().find(|standing| key.starts_with(&standing.label.prefix()))
    }

    /// The runs of the view.
    pub fn runs(&self) -> Runs {
        Runs::of(self.0.iter().map(|standing| &standing.label))
    }

    /// What stands before the keys of marks.
    pub fn mark_prefixes(&self) -> Vec<String> {
        match &self.0[..] {
            [] => vec![marks::PREFIX.to_owned()],
            all => {
                let keys = |it: &Standing| format!("{}{}", it.label.prefix(), marks::PREFIX);
                all.iter().map(keys).collect()
            }
        }
    }
}
