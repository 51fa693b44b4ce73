//! The history of the command line, and the draft while older lines are shown.

use std::collections::{HashSet, VecDeque};

use crate::app::input::prompt::check::{Verdict, check};
use crate::app::line_input::editor::MAX_TEXT;

/// The most lines kept; the oldest are dropped first.
pub const MAX_LINES: usize = 10_000;

/// The most bytes kept.
pub const MAX_BYTES: usize = 1024 * 1024;

/// The lines entered, oldest first.
#[derive(Debug, Default)]
pub struct PromptHistory {
    lines: VecDeque<String>,
    /// Lines that the server refused.
    refused: HashSet<String>,
    bytes: usize,
    /// The history line shown in the command line.
    at: Option<usize>,
    draft: String,
}

impl PromptHistory {
    /// Adds a line and returns true, unless the line repeats the last one. The draft is cleared.
    pub fn push(&mut self, line: &str) -> bool {
        self.at = None;
        self.draft.clear();
        if line.trim().is_empty() || self.lines.back().is_some_and(|last| last == line) {
            return false;
        }
        self.bytes += line.len();
        self.lines.push_back(line.to_owned());
        self.trim();
        true
    }

    /// Records that the server accepted or refused a line.
    pub fn answered(&mut self, line: &str, accepted: bool) {
        if accepted {
            self.refused.remove(line);
        } else if self.lines.iter().rev().any(|known| known == line) {
            self.refused.insert(line.to_owned());
        }
    }

    /// Inserts the lines of earlier sessions before those of this session.
    pub fn load(&mut self, mut earlier: Vec<String>) {
        // The editor accepts no longer lines.
        earlier.retain(|line| line.len() <= MAX_TEXT);
        let added = earlier.len();
        self.bytes += earlier.iter().map(String::len).sum::<usize>();
        let ours = std::mem::replace(&mut self.lines, earlier.into());
        self.lines.extend(ours);
        self.at = self.at.map(|at| at + added);
        self.trim();
    }

    fn trim(&mut self) {
        while self.lines.len() > MAX_LINES || self.bytes > MAX_BYTES {
            let Some(gone) = self.lines.pop_front() else { break };
            self.bytes -= gone.len();
            self.refused.remove(&gone);
            self.at = self.at.and_then(|at| at.checked_sub(1));
        }
    }

    /// The previous line that begins like the draft. `current`, the text of the command line, is
    /// the draft unless it is the history line shown.
    pub fn older(&mut self, current: &str) -> Option<&str> {
        self.begin_unless_unchanged(current);
        let end = self.at.unwrap_or(self.lines.len());
        let found = self.lines.range(..end).rposition(|line| self.fits(line) && line != current)?;
        self.at = Some(found);
        self.lines.get(found).map(String::as_str)
    }

    /// The text typed before the history was shown.
    pub fn draft(&self) -> &str {
        &self.draft
    }

    /// The next line that begins like the draft, after the last one the draft.
    pub fn newer(&mut self, current: &str) -> Option<&str> {
        let at = self.at.filter(|&at| self.lines.get(at).is_some_and(|line| line == current))?;
        let after = self.lines.range(at + 1..);
        let next = after.into_iter().position(|line| self.fits(line) && line != current);
        self.at = next.map(|next| at + 1 + next);
        Some(self.at.and_then(|at| self.lines.get(at)).unwrap_or(&self.draft))
    }

    /// An edited history line becomes the draft.
    fn begin_unless_unchanged(&mut self, current: &str) {
        let unchanged = self.at.and_then(|at| self.lines.get(at)).is_some_and(|l| l == current);
        if !unchanged {
            self.at = None;
            current.clone_into(&mut self.draft);
        }
    }

    fn fits(&self, line: &str) -> bool {
        line.starts_with(&self.draft)
    }

    /// The newest valid line that is longer than `start` and begins with it.
    pub fn suggestion(&self, start: &str) -> Option<&str> {
        let longer = |line: &str| line.len() > start.len() && line.starts_with(start);
        let good = |line: &str| !self.refused.contains(line) && check(line) == Verdict::Accepted;
        let mut newest = self.lines.iter().rev().map(String::as_str);
        newest.find(|line| longer(line) && good(line))
    }

    /// The newest line before number `before` that contains `part` and differs from `shown`, with
    /// its number.
    pub fn find_older(&self, part: &str, before: usize, shown: &str) -> Option<(usize, &str)> {
        let before = before.min(self.lines.len());
        let at = self.lines.range(..before).rposition(|l| l.contains(part) && l != shown)?;
        Some((at, self.lines.get(at)?))
    }

    /// The oldest line after number `after` that contains `part` and differs from `shown`.
    pub fn find_newer(&self, part: &str, after: usize, shown: &str) -> Option<(usize, &str)> {
        let from = (after + 1).min(self.lines.len());
        let at = from + self.lines.range(from..).position(|l| l.contains(part) && l != shown)?;
        Some((at, self.lines.get(at)?))
    }

    /// The number of lines.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(lines: &[&str]) -> PromptHistory {
        let mut history = PromptHistory::default();
        for line in lines {
            history.push(line);
        }
        history
    }

    #[test]
    fn looking_back_keeps_the_draft() {
        let mut history = history(&["one", "two", "two", ""]);
        assert_eq!(history.older("draft"), None, "no line begins so");
        assert_eq!(history.older(""), Some("two"));
        assert_eq!(history.older("two"), Some("one"));
        assert_eq!(history.older("one"), None);
        assert_eq!(history.newer("one"), Some("two"));
        assert_eq!(history.newer("two"), Some(""));
        assert_eq!(history.newer(""), None);
        assert_eq!(PromptHistory::default().older("x"), None);
    }

    #[test]
    fn looking_back_goes_over_lines_that_begin_alike() {
        let mut history = history(&["get a", "put a 1", "get b", "put b 2", "get b"]);
        assert_eq!(history.older("get"), Some("get b"));
        assert_eq!(history.older("get b"), Some("get a"), "the same line is no news");
        assert_eq!(history.older("get a"), None);
        assert_eq!(history.newer("get a"), Some("get b"));
        assert_eq!(history.older("get bc"), None, "a changed line is a new draft");
        assert_eq!(history.older("get"), Some("get b"));
        assert_eq!(history.newer("get b"), Some("get"));
    }

    #[test]
    fn earlier_sessions_come_before_this_one() {
        let mut history = history(&["mine"]);
        assert_eq!(history.older(""), Some("mine"));
        history.load(vec!["old".to_owned(), "older".to_owned()]);
        assert_eq!(history.older("mine"), Some("older"));
        history.load((0..2 * MAX_LINES).map(|n| n.to_string()).collect());
        assert_eq!(history.len(), MAX_LINES);
        for _ in 0..3 {
            history.load(vec!["x".repeat(MAX_TEXT); MAX_BYTES / MAX_TEXT / 2 + 1]);
        }
        assert!(history.bytes <= MAX_BYTES);
        history.load(vec!["x".repeat(MAX_TEXT + 1)]);
        assert!(history.lines.iter().all(|line| line.len() <= MAX_TEXT));
    }

    #[test]
    fn lines_are_found_by_a_part_of_them() {
        let history = history(&["get palm", "put x 1", "put palm 2"]);
        assert_eq!(history.find_older("palm", usize::MAX, ""), Some((2, "put palm 2")));
        assert_eq!(history.find_older("palm", 2, "put palm 2"), Some((0, "get palm")));
        assert_eq!(history.find_newer("palm", 0, "get palm"), Some((2, "put palm 2")));
        assert_eq!(history.find_newer("palm", 2, ""), None);
        assert_eq!(history.suggestion("put"), Some("put palm 2"));
        assert_eq!(history.suggestion("put palm 2"), None);
    }
}
