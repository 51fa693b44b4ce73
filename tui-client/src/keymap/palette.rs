//! The list of keys as something to choose from: a line for each row of the table, with where its
//! action can be performed.

use std::borrow::Cow;

use super::abilities::Abilities;
use super::action::Action;
use super::bindings::{Binding, PANES, SERIES};
use super::help::{HelpLine, Section, sections};
use super::mode::Mode;
use crate::event::KeyPress;

/// A line of the list.
#[derive(Debug, Clone)]
pub enum PaletteLine {
    /// The heading of a section; empty between sections.
    Heading(&'static str),
    /// Keys with an action, below this heading.
    Row(PaletteRow, &'static str),
    /// What is said besides: a subject, empty where the line above goes on, and its meaning.
    Note(Cow<'static, str>, &'static str),
}

/// A row of the table of keys.
#[derive(Debug, Clone, Copy)]
pub struct PaletteRow(&'static Binding);

/// Where an action is performed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Where the focus is.
    Here,
    /// In one of these modes, which the focus can move to.
    In(&'static [Mode]),
    /// Nowhere now, for this reason.
    Nowhere(&'static str),
}

/// The lines of the list in a mode.
pub fn palette_lines(mode: Mode, abilities: Abilities) -> Vec<PaletteLine> {
    let mut lines = Vec::new();
    for section in sections(mode, abilities) {
        if !lines.is_empty() {
            lines.push(PaletteLine::Heading(""));
        }
        match section {
            Section::Keys(heading, rows) => {
                lines.push(PaletteLine::Heading(heading));
                let rows = rows.into_iter().map(PaletteRow);
                lines.extend(rows.map(|row| PaletteLine::Row(row, heading)));
            }
            Section::Notes(notes) => lines.extend(notes.into_iter().map(|note| match note {
                HelpLine::Heading(heading) => PaletteLine::Heading(heading),
                HelpLine::Keys(subject, meaning) => PaletteLine::Note(subject, meaning),
            })),
        }
    }
    lines
}

impl PaletteRow {
    /// The names of the keys, separated by blanks.
    pub fn keys(self) -> &'static str {
        self.0.keys
    }

    /// What the action does.
    pub fn text(self) -> &'static str {
        self.0.own.unwrap_or(self.0.help)
    }

    /// Other words for it.
    pub fn also(self) -> &'static str {
        self.0.also
    }

    /// The action.
    pub fn action(self) -> Action {
        self.0.action
    }

    /// The first key.
    pub fn key(self) -> Option<KeyPress> {
        super::pressed(self.0.first_key())
    }

    /// The keys have the action in this mode.
    pub fn is_bound(self, mode: Mode) -> bool {
        self.0.modes.contains(&mode)
    }

    /// Where the action is performed when it is chosen in a mode.
    pub fn place(self, mode: Mode) -> Place {
        let Binding { modes, action, .. } = *self.0;
        let has = |all: &[Mode]| all.iter().all(|mode| modes.contains(mode));
        let is_move =
            matches!(action, Action::Lines(_) | Action::Pages(_) | Action::Top | Action::Bottom);
        match modes {
            // Its keys are about the list itself.
            [Mode::Help] => Place::Nowhere("a key of this list"),
            modes if modes.contains(&mode) => Place::Here,
            _ if !mode.takes_requests() => Place::Nowhere("esc first"),
            [Mode::HistorySearch] => Place::Nowhere("while the history is searched"),
            [Mode::Confirm] => Place::Nowhere("while lines are pasted"),
            [Mode::Columns] => Place::Nowhere("in the list of columns"),
            [Mode::Chart] => Place::Nowhere("needs a full-screen chart"),
            _ if matches!(action, Action::Edit(_)) => Place::Nowhere("while a line is typed"),
            _ if !is_move && (has(PANES) || has(SERIES)) => Place::Here,
            modes if modes.iter().any(|mode| mode.takes_requests()) => Place::In(modes),
            _ => Place::Nowhere("while that is typed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::bindings::{ALL, BINDINGS};
    use super::*;

    #[test]
    fn every_action_of_the_key_map_is_in_the_list_of_each_mode() {
        for &mode in ALL {
            let lines = palette_lines(mode, Abilities::default());
            let rows: Vec<_> = lines
                .iter()
                .filter_map(|line| match line {
                    PaletteLine::Row(row, _) => Some(row),
                    _ => None,
                })
                .collect();
            for row in BINDINGS {
                let listed: Vec<_> =
                    rows.iter().filter(|listed| std::ptr::eq(listed.0, row)).collect();
                let [listed] = listed[..] else { panic!("{row:?} in {mode:?}") };
                // What a key does in a mode is what its line does there.
                if row.modes.contains(&mode) && row.modes != [Mode::Help] {
                    assert_eq!(listed.place(mode), Place::Here, "{row:?} in {mode:?}");
                }
                assert!(listed.key().is_some(), "{row:?}");
            }
        }
    }

    #[test]
    fn no_two_lines_of_a_section_say_the_same_of_two_actions() {
        for row in BINDINGS {
            for other in BINDINGS {
                let differ = row.action != other.action && row.modes == other.modes;
                let is_numbered = row.help == super::super::bindings::SORT_BY;
                assert!(
                    is_numbered
                        || !differ
                        || PaletteRow(row).text() != PaletteRow(other).text()
                        || row.action == Action::BeginRequest,
                    "{row:?} {other:?}"
                );
            }
        }
    }
}
