//! The list of keys: each row of the table once, in sections by mode, those of the active mode
//! first; and notes on the mouse, the marks and copying.

use std::borrow::Cow;

use super::abilities::Abilities;
use super::action::Action;
use super::bindings::{ALL, BINDINGS, Binding, CHARTED, PANES, READING, SERIES, TYPING};
use super::mode::Mode::{
    self, Chart, Columns, Confirm, Help, HistorySearch, Log, LogInput, Prompt, SeriesInput, Table,
    Watch,
};
use HelpLine::Heading;

/// A line of the list of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HelpLine {
    /// The heading of a section; empty between sections.
    Heading(&'static str),
    /// Keys, or another subject, and the meaning.
    Keys(Cow<'static, str>, &'static str),
}

/// The headings and modes of the sections. A row is in the first section that covers all modes of
/// the row, so general sections come last.
const SECTIONS: [(&str, &[Mode]); 18] = [
    ("Command line", &[Prompt]),
    ("Search for a line entered before", &[HistorySearch]),
    ("Pasted lines", &[Confirm]),
    ("Table", &[Table]),
    ("Watched keys", &[Watch]),
    ("Full-screen chart", &[Chart]),
    ("Chart, full-screen or not", CHARTED),
    ("Choice of columns", &[Columns]),
    ("Typing a filter, an alert, a key to watch", &[SeriesInput]),
    ("Log", &[Log]),
    ("Typing a search, a filter, a file for the log", &[LogInput]),
    ("Typing a filter, an alert, a search, a file", &[SeriesInput, LogInput]),
    ("This list", &[Help]),
    ("Table, watched keys, chart", SERIES),
    ("All panes", PANES),
    ("Wherever nothing is typed", READING),
    ("Wherever a line is typed", TYPING),
    ("Everywhere", ALL),
];

/// The sections that are not about keys.
const NOTES: &[HelpLine] = &[
    Heading("Mouse"),
    note("click", "to that pane, and selects that line; on a heading: sorts by it"),
    note("in a chart", "a click puts the cursor there, with table and log"),
    note("wheel", "scrolls what is below the pointer"),
    note("--no-mouse", "started so, the terminal has the mouse for itself"),
    Heading(""),
    Heading("Marks in the table and in the list of watched keys"),
    note("▸", "selected"),
    note("■", "kept in the chart, in the colour of its line"),
    note("A", "the same without colours; the letter is on its line"),
    note("□", "kept, but not drawn: a chart has six lines"),
    note("!", "an alert fires"),
    note("·", "stale: no point for 5 times as long as usual"),
    note("", "(never stale before 30s; a single point after 5m)"),
    Heading(""),
    Heading("Chart"),
    note("a break", "of a line: no point for more than 4 usual steps"),
    note("", "(16 where it has only 2 or 3 steps)"),
    note("→", "behind a value of the legend: its axis is on the right"),
    Heading(""),
    Heading("Search and filter of the log"),
    note("text", "case is ignored unless you type a capital"),
    note("!text", "lines without it"),
    note("> text", "only what was sent; > alone: all of it"),
    note("< text", "only what was received; < alone: all of it"),
    note("12:30", "lines of that minute, besides those with the text"),
    note("12:30:05", "the same of that second"),
    note("> 12:30 put", "what was sent then and has the text"),
    Heading(""),
    Heading("Times"),
    note("-2h", "so long ago; all of these behind @ and C"),
    note("14:30", "the last such time of day, also 3:12am or 9 pm"),
    note("yesterday 9:00", "of that day, also last night or last monday 14:30"),
    note("+5m", "so much later than the place in time"),
    note("2026-11-28 03:12", "a date; a Unix time, too"),
    note("on the screen", "local, as TZ says"),
    note("in a saved log", "UTC, with a Z behind"),
    Heading(""),
    Heading("Copying"),
];

/// What is said about copying where text goes through the terminal.
const COPYING_THROUGH_TERMINAL: &[HelpLine] = &[
    note("y E Y", "what is copied goes through the terminal (OSC 52)"),
    note("in tmux", "only with set -s set-clipboard on in its settings"),
    note("in screen", "only if the terminal around it takes OSC 52"),
];

/// What is said about copying where text goes to the clipboard of the system.
const COPYING_TO_CLIPBOARD: &[HelpLine] =
    &[note("y E Y", "to the clipboard; over SSH through the terminal (OSC 52)")];

const fn note(subject: &'static str, meaning: &'static str) -> HelpLine {
    HelpLine::Keys(Cow::Borrowed(subject), meaning)
}

/// A part of the list of keys.
pub(super) enum Section {
    /// Keys of one place, below its name.
    Keys(&'static str, Vec<&'static Binding>),
    /// What is said besides.
    Notes(Vec<HelpLine>),
}

/// The list of keys in a mode: the sections of the mode, the notes, the other sections. What the
/// system can't do is left out.
pub(super) fn sections(mode: Mode, abilities: Abilities) -> Vec<Section> {
    let is_possible = |row: &Binding| row.action != Action::Suspend || abilities.suspend;
    let sections = SECTIONS.iter().enumerate().map(|(at, &(heading, modes))| {
        let mine = BINDINGS.iter().filter(|row| section_of(row) == at && is_possible(row));
        (modes, Section::Keys(heading, mine.collect()))
    });
    let (mut here, elsewhere): (Vec<_>, Vec<_>) =
        sections.partition(|(modes, _)| modes.contains(&mode));
    let copying = if abilities.clipboard { COPYING_TO_CLIPBOARD } else { COPYING_THROUGH_TERMINAL };
    here.push((ALL, Section::Notes([NOTES, copying].concat())));
    here.into_iter().chain(elsewhere).map(|(_, section)| section).collect()
}

/// The list of keys in a mode, a line for each meaning.
pub fn help_lines(mode: Mode, abilities: Abilities) -> Vec<HelpLine> {
    let lines = sections(mode, abilities).into_iter().map(|section| match section {
        Section::Notes(lines) => lines,
        Section::Keys(heading, rows) => {
            // Keys that differ by a number alone share a line.
            let lines = rows.chunk_by(|a, b| a.help == b.help).map(|same| {
                let keys: Vec<_> = same.iter().map(|row| row.keys).collect();
                HelpLine::Keys(keys.join(" ").into(), same[0].help)
            });
            [Heading(heading)].into_iter().chain(lines).collect()
        }
    });
    lines.collect::<Vec<Vec<_>>>().join(&Heading(""))
}

/// The index of the section of a row; the last section covers all modes.
fn section_of(row: &Binding) -> usize {
    let covers = |modes: &[Mode]| row.modes.iter().all(|mode| modes.contains(mode));
    SECTIONS.iter().position(|(_, modes)| covers(modes)).unwrap_or(SECTIONS.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_listed_once_whatever_the_mode() {
        let listed = |mode| {
            let lines = help_lines(mode, Abilities::default()).into_iter();
            lines.filter(|line| matches!(line, HelpLine::Keys(..))).map(|line| format!("{line:?}"))
        };
        let sorted = |mode| {
            let mut lines: Vec<_> = listed(mode).collect();
            lines.sort_unstable();
            lines
        };
        let all = sorted(Prompt);
        for &mode in ALL {
            assert_eq!(sorted(mode), all, "{mode:?}");
        }
        for row in BINDINGS {
            let shown =
                help_lines(Prompt, Abilities::default()).into_iter().any(|line| match line {
                    HelpLine::Keys(keys, help) => help == row.help && keys.contains(row.keys),
                    HelpLine::Heading(_) => false,
                });
            assert!(shown, "{}", row.help);
        }
    }

    #[test]
    fn no_section_is_empty() {
        let is_key = |line: &HelpLine| matches!(line, HelpLine::Keys(..));
        for pair in help_lines(Prompt, Abilities::default()).windows(2) {
            let begins = matches!(pair[0], HelpLine::Heading(text) if !text.is_empty());
            assert!(!begins || is_key(&pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn the_list_begins_with_the_keys_of_the_active_mode() {
        for (mode, heading, keys) in [
            (Prompt, "Command line", "enter"),
            (Table, "Table", "enter w"),
            (Watch, "Watched keys", "f enter"),
            (Chart, "Full-screen chart", "esc"),
            (Log, "Log", "F"),
        ] {
            let lines = help_lines(mode, Abilities::default());
            assert_eq!(lines[0], HelpLine::Heading(heading));
            assert!(matches!(&lines[1], HelpLine::Keys(first, _) if first == keys), "{lines:?}");
        }
    }
}
