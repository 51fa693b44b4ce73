//! The hints of the bottom line: the most useful keys of a mode, by rank.

use super::action::Action;
use super::bindings::{BINDINGS, HintSpec, PromptState};
use super::mode::Mode;

/// A hint of the bottom line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The names of the keys: one, or two that belong together.
    pub keys: String,
    /// The word of the hint.
    pub word: &'static str,
    /// The hint is shown even on a narrow screen.
    pub vital: bool,
    /// The action of the first key.
    pub action: Action,
}

/// The hints of a mode by rank; `typed`: the command line is not empty.
pub fn hints(mode: Mode, typed: bool) -> Vec<Hint> {
    let mut hints: Vec<Hint> = Vec::new();
    for (_, hint) in ranked(mode, typed) {
        match hints.last_mut() {
            Some(last) if last.word == hint.word => {
                last.keys = format!("{} {}", last.keys, hint.keys);
            }
            _ => hints.push(hint),
        }
    }
    hints
}

/// A hint for each key, with its rank.
fn ranked(mode: Mode, typed: bool) -> Vec<(u8, Hint)> {
    let shown = |hint: &&HintSpec| match hint.line {
        PromptState::Any => true,
        PromptState::Empty => !typed,
        PromptState::Typed => typed,
    };
    let mut ranked = Vec::new();
    for row in BINDINGS {
        for hint in row.hints.iter().flatten().filter(shown) {
            if let Some(&(_, rank)) = hint.ranks.iter().find(|&&(at, _)| at == mode) {
                let (keys, action) = (row.first_key().to_owned(), row.action);
                ranked.push((rank, Hint { keys, word: hint.word, vital: hint.vital, action }));
            }
        }
    }
    ranked.sort_by_key(|&(rank, _)| rank);
    ranked
}

#[cfg(test)]
mod tests {
    use super::super::bindings::ALL;
    use super::*;

    #[test]
    fn every_hint_names_a_key_that_counts_there() {
        for &mode in ALL {
            for typed in [false, true] {
                assert!(!hints(mode, typed).is_empty(), "{mode:?}");
                for (_, hint) in ranked(mode, typed) {
                    let bound = super::super::row(mode, &hint.keys).map(|row| row.action);
                    assert_eq!(bound, Some(hint.action), "{} {} in {mode:?}", hint.keys, hint.word);
                }
            }
        }
    }

    #[test]
    fn no_two_hints_have_the_same_rank() {
        for &mode in ALL {
            for typed in [false, true] {
                let ranked = ranked(mode, typed);
                assert!(ranked.is_sorted_by(|a, b| a.0 < b.0), "{mode:?}: {ranked:?}");
            }
        }
    }

    #[test]
    fn keys_that_belong_together_share_a_hint() {
        let shown = |mode, typed| {
            let shown = hints(mode, typed).into_iter();
            shown.map(|hint| format!("{} {}", hint.keys, hint.word)).collect::<Vec<_>>()
        };
        assert_eq!(
            shown(Mode::Chart, false)[..4],
            ["[ ] move", "0 live", "z Z zoom", "← → cursor"]
        );
        assert_eq!(shown(Mode::Prompt, false)[1], "tab pane");
        assert_eq!(shown(Mode::Prompt, true)[1], "tab complete");
    }
}
