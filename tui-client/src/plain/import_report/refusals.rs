//! Refused lines: the first ones are named, the others are counted by their reasons.

use shared::request::BadRequestReason;

use crate::import::MAX_REFUSALS;
use crate::plain::explain;
use crate::request::explain::validate;
use crate::text::number::count;

/// Reasons that are told apart.
const MAX_REASONS: usize = 8;

/// A reason, and the lines that have it.
struct Reason {
    /// What the server has said, or why the line is not sent.
    said: String,
    /// The rule that the lines break, where it is known.
    rule: Option<BadRequestReason>,
    /// Both in words.
    text: String,
    lines: u64,
    /// The number of the first line.
    first: u64,
}

/// The refused lines so far.
#[derive(Default)]
pub(super) struct Refusals {
    all: u64,
    reasons: Vec<Reason>,
    /// Lines with other reasons.
    others: u64,
}

impl Refusals {
    /// Counts a line that was refused for what is `said`, none when it is not sent; says whether it is
    /// to be named.
    pub(super) fn add(&mut self, number: u64, line: Option<&[u8]>, said: &str) -> bool {
        self.all += 1;
        if self.all <= MAX_REFUSALS {
            return true;
        }
        let rule = line.and_then(validate).map(|bad| bad.reason);
        let mut known = self.reasons.iter_mut();
        if let Some(reason) = known.find(|reason| reason.said == said && reason.rule == rule) {
            reason.lines += 1;
        } else if self.reasons.len() < MAX_REASONS {
            let text = line.map_or_else(|| said.to_owned(), |line| explain(said, line));
            let said = said.to_owned();
            self.reasons.push(Reason { said, rule, text, lines: 1, first: number });
        } else {
            self.others += 1;
        }
        false
    }

    /// The number of lines.
    pub(super) fn all(&self) -> u64 {
        self.all
    }

    /// The last line was the first one that is not named.
    pub(super) fn is_full(&self) -> bool {
        self.all == MAX_REFUSALS + 1
    }

    /// The lines that are not named, a sentence for each reason.
    pub(super) fn summary(&self) -> impl Iterator<Item = String> {
        let reasons = self.reasons.iter().map(|Reason { text, lines, first, .. }| match lines {
            1 => format!("1 more, line {first}: {text}"),
            lines => format!("{} more, from line {first} on: {text}", count(*lines)),
        });
        let others =
            (self.others > 0).then(|| format!("{} more for other reasons", count(self.others)));
        reasons.chain(others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_not_named_are_counted_by_their_reasons() {
        let mut refusals = Refusals::default();
        for number in 1..=MAX_REFUSALS {
            assert!(refusals.add(number, Some(b"got"), "wrong command"));
        }
        assert_eq!(refusals.summary().count(), 0);
        let lines = ["got", "put a x 1", "gut", "put a 1 1", "put b x 1", "got"];
        for (number, line) in (21..).zip(lines) {
            let said = if line == "put a 1 1" { "disk full" } else { "wrong command" };
            assert!(!refusals.add(number, Some(line.as_bytes()), said));
        }
        let expected = [
            "3 more, from line 21 on: the commands are put, del and get, in lower case",
            "2 more, from line 22 on: a value is a decimal number such as 23.7, -5 or 1e-3",
            "1 more, line 24: disk full",
        ];
        assert_eq!(refusals.summary().collect::<Vec<_>>(), expected);
        for number in 0..2000 {
            refusals.add(number, None, &format!("reason {number}"));
        }
        assert_eq!(refusals.summary().count(), MAX_REASONS + 1);
        assert_eq!(refusals.summary().last().unwrap(), "1,995 more for other reasons");
        assert_eq!(refusals.all(), MAX_REFUSALS + 2006);
    }
}
