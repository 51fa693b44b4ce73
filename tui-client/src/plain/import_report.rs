//! What has become of the lines of an import, in messages and in a sum at its end.

mod refusals;

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, IsTerminal, stderr};
use std::sync::atomic::Ordering;

use super::import_bar::ImportBar;
use super::input::Counts;
use super::{Failure, explain, quoted, warn};
use crate::text::number::{count, plural};
use crate::text::time::duration;
use refusals::Refusals;

/// Line numbers that are named in a note.
const MAX_NAMED: usize = 5;

/// Puts with a note: how many, and the numbers of the first lines.
#[derive(Default)]
pub(super) struct NamedLines {
    lines: Vec<u64>,
    all: u64,
}

impl NamedLines {
    pub(super) fn add(&mut self, number: u64) {
        self.all += 1;
        if self.lines.len() < MAX_NAMED {
            self.lines.push(number);
        }
    }
}

impl fmt::Display for NamedLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lines, all } = self;
        let more = if *all > lines.len() as u64 { ", …" } else { "" };
        let named = lines.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let (what, line) = if *all == 1 { ("put", "line") } else { ("puts", "lines") };
        write!(f, "{} {what} ({line} {named}{more})", count(*all))
    }
}

/// The replies so far, counted and reported.
pub(super) struct ImportReport {
    pub bar: ImportBar,
    pub answered: u64,
    /// Refused without being sent.
    pub unsent: u64,
    refusals: Refusals,
    /// Puts among what is answered and not refused.
    pub stored: u64,
    /// The number of the last line up to which all is answered.
    pub last: u64,
    pub filled: NamedLines,
    /// The lines are the data of puts.
    pub data: Option<DataLines>,
    pub suspicious: NamedLines,
    /// Standard output is closed.
    pub closed: bool,
    /// A word has ended the input before the end of it.
    pub has_quit: bool,
}

/// How requests were made of data lines `NAME VALUE [TIME]`.
#[derive(Default)]
pub(super) struct DataLines {
    /// Before each name.
    prefix: String,
    /// The numbers of the lines that were given a time, of which some have no answer yet.
    filled: VecDeque<u64>,
}

impl DataLines {
    /// With a prefix before each name.
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), filled: VecDeque::new() }
    }

    /// Records that a line was given a time.
    pub(super) fn fill(&mut self, number: u64) {
        self.filled.push_back(number);
    }

    /// Forgets the lines up to this one.
    pub(super) fn forget(&mut self, last: u64) {
        while self.filled.front().is_some_and(|&number| number <= last) {
            self.filled.pop_front();
        }
    }

    /// The line that a request was made of.
    fn typed<'a>(&mut self, number: u64, line: &'a [u8]) -> &'a [u8] {
        self.forget(number - 1);
        let typed = line.strip_prefix(b"put ").unwrap_or(line);
        let typed = typed.strip_prefix(self.prefix.as_bytes()).unwrap_or(typed);
        let end = typed.iter().rposition(u8::is_ascii_whitespace);
        let end = end.filter(|_| self.filled.front() == Some(&number));
        end.map_or(typed, |end| &typed[..end])
    }
}

impl ImportReport {
    pub(super) fn new(bar: ImportBar) -> Self {
        let (answered, unsent, stored, last) = (0, 0, 0, 0);
        let (filled, suspicious) = (NamedLines::default(), NamedLines::default());
        let (refusals, data) = (Refusals::default(), None);
        let (closed, has_quit) = (false, false);
        Self {
            bar,
            answered,
            unsent,
            refusals,
            stored,
            last,
            filled,
            data,
            suspicious,
            closed,
            has_quit,
        }
    }

    /// Some lines are refused, or not read.
    pub(super) fn is_any_refused(&self) -> bool {
        self.refusals.all() > 0 || self.has_quit
    }

    /// Says that a line has ended the input before the end of it.
    pub(super) fn quit(&mut self, number: u64) {
        self.has_quit = true;
        let said = format!("line {number}: ends the input, what is behind it is not sent");
        self.bar.aside(|| warn(&said));
    }

    /// Counts a line that the server has refused for a reason. The first ones are named, as they stand
    /// in the input.
    pub(super) fn refuse(&mut self, number: u64, line: &[u8], reason: &str) {
        let typed = self.data.as_mut().map_or(line, |data| data.typed(number, line));
        if self.refusals.add(number, Some(line), reason) {
            let (reason, line) = (explain(reason, line), quoted(typed));
            self.bar.aside(|| warn(&format!("line {number}, {line}: {reason}")));
        } else {
            self.announce_count();
        }
    }

    /// Counts a line that is not sent for a reason. The first ones are named.
    pub(super) fn leave_out(&mut self, number: u64, reason: &str) {
        self.unsent += 1;
        if self.refusals.add(number, None, reason) {
            self.bar.aside(|| warn(&format!("line {number}: {reason}")));
        } else {
            self.announce_count();
        }
    }

    /// A feed may go on for days after the last line that is named.
    fn announce_count(&self) {
        if self.refusals.is_full() {
            self.bar.aside(|| warn("more refused lines are counted, and summed up at the end"));
        }
    }

    /// The import goes on when the reader of standard output has enough of it.
    pub(super) fn note_closed(&mut self, outcome: Result<(), Failure>) -> Result<(), Failure> {
        match outcome {
            Err(Failure::Local(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// Reports how it went: to a terminal whenever something was stored, elsewhere unless it was short
    /// and nothing was refused. Cron mails each line, so times that are filled in are told to a
    /// terminal alone. Interrupted, some of what
    /// was read may be left without an answer.
    pub(super) fn sum_up(self, interrupted: Option<&Counts>) {
        let Self { bar, answered, unsent, refusals, stored, last, filled, suspicious, .. } = self;
        let refused = refusals.all();
        let (seen, time) = (bar.is_seen(), bar.elapsed());
        drop(bar);
        refusals.summary().for_each(|line| warn(&line));
        if filled.all > 0 && stderr().is_terminal() {
            warn(&format!("filled in the current time in {filled}"));
        }
        if suspicious.all > 0 {
            warn(&format!("a time more than a year ahead in {suspicious}: milliseconds?"));
        }
        // Those up to the last one that was answered.
        let blank = last.saturating_sub(answered + unsent);
        let lines = plural(answered + unsent + blank, "line", "lines");
        let blank = match blank {
            0 => String::new(),
            blank => format!(", {} blank", count(blank)),
        };
        let others = match answered.saturating_sub(stored + refused.saturating_sub(unsent)) {
            0 => String::new(),
            others => format!(", {}", plural(others, "other request", "other requests")),
        };
        let (stored_lines, refused_lines) = (count(stored), count(refused));
        let outcome =
            format!("{lines}: {stored_lines} stored, {refused_lines} refused{others}{blank}");
        if let Some(read) = interrupted {
            let left = read.lines.load(Ordering::Relaxed).saturating_sub(answered);
            let again = match read.filled.load(Ordering::Relaxed) {
                0 => "to send them again does no harm",
                _ => "sent again, puts without a time get another one",
            };
            let left = match left {
                0 => String::new(),
                left => format!(
                    "; {} read and without an answer, from line {} on: {again}",
                    count(left),
                    last + 1
                ),
            };
            warn(&format!("interrupted: {outcome}{left}"));
        } else if seen || refused > 0 || stored > 0 && stderr().is_terminal() {
            warn(&format!("{outcome}, in {}", duration(time)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_lines_than_32_bits_count_are_summed_up() {
        let mut filled = NamedLines::default();
        for number in [1, 5_000_000_000] {
            filled.add(number);
        }
        assert_eq!(filled.to_string(), "2 puts (lines 1, 5000000000)");
        filled.all += 5_000_000_000;
        assert_eq!(filled.to_string(), "5,000,000,002 puts (lines 1, 5000000000, …)");
    }
}
