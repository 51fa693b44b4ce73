//! The list of keys: each row of the table once, below the places where it counts, those of the
//! active mode first; and notes on the mouse, the marks and copying.

use super::bindings::{ALL, BINDINGS, Binding, CHARTED, PANES, READING, SERIES, TYPING};
use super::mode::Mode::{
    self, Chart, Columns, Confirm, Help, HelpSearch, HistorySearch, Log, LogInput, Prompt,
    SeriesInput, Table, Watch,
};

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HelpLine {
    /// Where the keys below count; empty between sections.
    Heading(&'static str),
    /// Keys, or what else is explained, and the meaning.
    Keys(String, &'static str),
}

/// Headings and the modes below them. A row stands in the first section that covers all of its
/// modes, so the general ones come last.
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
    ("This list", &[Help, HelpSearch]),
    ("Table, watched keys, chart", SERIES),
    ("All panes", PANES),
    ("Wherever nothing is typed", READING),
    ("Wherever a line is typed", TYPING),
    ("Everywhere", ALL),
];

/// Explanations besides the keys: a heading, and lines of what is explained and how.
const NOTES: [(&str, &[(&str, &str)]); 5] = [
    (
        "Mouse",
        &[
            ("click", "to that pane, and selects that line"),
            ("wheel", "scrolls what is below the pointer"),
            ("--no-mouse", "started so, the terminal has the mouse for itself"),
        ],
    ),
    (
        "Marks in the table and in the list of watched keys",
        &[
            ("▸", "selected"),
            ("■", "kept in the chart; its colour is that of its line"),
            ("!", "an alert fires"),
            ("·", "stale: no point for 5 times as long as usual"),
            ("", "(never stale before 30 s; a single point after 5 min)"),
        ],
    ),
    (
        "Search and filter of the log",
        &[
            ("text", "case is ignored unless you type a capital"),
            ("!text", "lines without it"),
            ("> text", "only what was sent; > alone: all of it"),
            ("< text", "only what was received; < alone: all of it"),
            ("12:30", "lines of that minute, besides those with the text"),
            ("12:30:05", "the same of that second"),
            ("> 12:30 put", "what was sent then and has the text"),
        ],
    ),
    (
        "Times",
        &[("on the screen", "local, as TZ says"), ("in a saved log", "UTC, with a Z behind")],
    ),
    (
        "Copying",
        &[
            ("y e Y", "what is copied goes through the terminal (OSC 52)"),
            ("in tmux", "only with set -s set-clipboard on in its settings"),
        ],
    ),
];

/// The list, as it is opened in a mode.
pub fn help_lines(mode: Mode) -> Vec<HelpLine> {
    let sections = SECTIONS.iter().enumerate().map(|(at, (heading, modes))| {
        let mine: Vec<_> = BINDINGS.iter().filter(|row| section_of(row) == at).collect();
        // Keys that differ by a number alone share a line.
        let lines = mine.chunk_by(|a, b| a.help == b.help).map(|same| {
            let keys: Vec<_> = same.iter().map(|row| row.keys).collect();
            HelpLine::Keys(keys.join(" "), same[0].help)
        });
        (modes.contains(&mode), section(heading, lines))
    });
    let (here, elsewhere): (Vec<_>, Vec<_>) = sections.partition(|(here, _)| *here);
    let notes = NOTES.iter().map(|(heading, notes)| {
        section(heading, notes.iter().map(|&(what, how)| HelpLine::Keys(what.to_owned(), how)))
    });
    let keys = |sections: Vec<(bool, Vec<HelpLine>)>| sections.into_iter().map(|(_, lines)| lines);
    let all: Vec<_> = keys(here).chain(notes).chain(keys(elsewhere)).collect();
    all.join(&HelpLine::Heading(""))
}

fn section(heading: &'static str, lines: impl Iterator<Item = HelpLine>) -> Vec<HelpLine> {
    [HelpLine::Heading(heading)].into_iter().chain(lines).collect()
}

/// The section with a row; the last one covers everything.
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
            let lines = help_lines(mode).into_iter();
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
            let shown = help_lines(Prompt).into_iter().any(|line| match line {
                HelpLine::Keys(keys, help) => help == row.help && keys.contains(row.keys),
                HelpLine::Heading(_) => false,
            });
            assert!(shown, "{}", row.help);
        }
    }

    #[test]
    fn no_section_is_empty() {
        let is_key = |line: &HelpLine| matches!(line, HelpLine::Keys(..));
        for pair in help_lines(Prompt).windows(2) {
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
            (Chart, "Full-screen chart", "esc q"),
            (Log, "Log", "f"),
        ] {
            let lines = help_lines(mode);
            assert_eq!(lines[0], HelpLine::Heading(heading));
            assert!(matches!(&lines[1], HelpLine::Keys(first, _) if first == keys), "{lines:?}");
        }
    }
}
