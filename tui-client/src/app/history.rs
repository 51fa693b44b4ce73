//! The lines entered before, and the draft that is left while looking at them.

use std::collections::VecDeque;

/// Lines kept; the oldest go first.
const LIMIT: usize = 10_000;

/// What was entered, oldest first.
#[derive(Debug, Default)]
pub struct History {
    lines: VecDeque<String>,
    /// The line shown, while looking back.
    at: Option<usize>,
    draft: String,
}

impl History {
    /// Remembers a line, unless it repeats the one before; looking back ends.
    pub fn push(&mut self, line: &str) {
        self.at = None;
        self.draft.clear();
        if line.is_empty() || self.lines.back().is_some_and(|last| last == line) {
            return;
        }
        if self.lines.len() == LIMIT {
            self.lines.pop_front();
        }
        self.lines.push_back(line.to_owned());
    }

    /// The line before the one shown; `current` is kept as the draft when looking back begins.
    pub fn older(&mut self, current: &str) -> Option<&str> {
        let at = match self.at {
            None => {
                current.clone_into(&mut self.draft);
                self.lines.len().checked_sub(1)?
            }
            Some(at) => at.checked_sub(1)?,
        };
        self.at = Some(at);
        self.lines.get(at).map(String::as_str)
    }

    /// The line after the one shown, in the end the draft.
    pub fn newer(&mut self) -> Option<&str> {
        let at = self.at? + 1;
        if at < self.lines.len() {
            self.at = Some(at);
            return self.lines.get(at).map(String::as_str);
        }
        self.at = None;
        Some(&self.draft)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_back_keeps_the_draft() {
        let mut history = History::default();
        assert_eq!(history.older("x"), None);
        for line in ["one", "two", "two", ""] {
            history.push(line);
        }
        assert_eq!(history.older("draft"), Some("two"));
        assert_eq!(history.older("two"), Some("one"));
        assert_eq!(history.older("one"), None);
        assert_eq!(history.newer(), Some("two"));
        assert_eq!(history.newer(), Some("draft"));
        assert_eq!(history.newer(), None);
    }
}
