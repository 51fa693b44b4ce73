//! Words of other programs that are typed for what the client does itself: no server gets them.

/// What a word asks the client to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// End the program.
    Quit,
    /// Open the list of keys.
    Help,
    /// Go to the time behind the `@`.
    GoToTime,
    /// Go back to what is live.
    Live,
}

const WORDS: &[(Command, &[&str])] = &[
    (
        Command::Quit,
        &["quit", "exit", "q", "bye", "logout", ":q", ":q!", ":qa", ":wq", ":x", ":quit", "\\q"],
    ),
    (Command::Help, &["help", "h", "?", "man", ":help", ":h", "\\?", "\\h"]),
];

impl Command {
    /// The meaning of a line, if it is one of these words, in any case and with `;` or `()` behind it,, begins
    /// with `@` or is the `0` of the panes.
    pub fn parse(line: &str) -> Option<Self> {
        let word = line.trim().to_ascii_lowercase();
        if matches!(&*word, "0" | "@0" | "@now" | "@live") {
            return Some(Self::Live);
        }
        if word.starts_with('@') {
            return Some(Self::GoToTime);
        }
        let word = word.trim_end_matches(';').trim_end_matches("()");
        WORDS.iter().find(|(_, words)| words.contains(&word)).map(|(command, _)| *command)
    }

    /// The line may become one of these words.
    pub fn may_begin(line: &str) -> bool {
        let begun = line.trim_start().to_ascii_lowercase();
        WORDS.iter().flat_map(|(_, words)| *words).any(|word| word.starts_with(&begun))
    }

    /// What happens when the line is entered.
    pub fn promise(self) -> &'static str {
        match self {
            Self::Quit => "Enter leaves the program",
            Self::Help => "Enter opens the list of keys",
            Self::Live => "Enter goes back to what is live",
            Self::GoToTime => "Enter goes to that time with table, chart and log",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_other_programs_are_known() {
        for (line, expected) in [
            ("quit", Some(Command::Quit)),
            (" EXIT ", Some(Command::Quit)),
            ("exit()", Some(Command::Quit)),
            ("quit;", Some(Command::Quit)),
            (":q!", Some(Command::Quit)),
            ("\\q", Some(Command::Quit)),
            ("help", Some(Command::Help)),
            ("\\?", Some(Command::Help)),
            (" @-2h", Some(Command::GoToTime)),
            ("0", Some(Command::Live)),
            ("@now", Some(Command::Live)),
            ("00", None),
            ("quit now", None),
            ("get quit", None),
            ("put", None),
            ("", None),
            (";", None),
        ] {
            assert_eq!(Command::parse(line), expected, "{line:?}");
        }
    }

    #[test]
    fn none_of_them_is_a_request() {
        for word in WORDS.iter().flat_map(|(_, words)| *words) {
            assert!(shared::Request::decode(word.as_bytes()).is_err(), "{word}");
        }
    }
}
