//! The sequence that has a terminal copy text, also through a terminal multiplexer.

use std::env;

use crossterm::Command;
use crossterm::clipboard::CopyToClipboard;

use crate::keymap::Multiplexer;

/// Bytes of a string that GNU screen passes on at once: 768 since version 4.2.1, 256 before 4.1. What
/// is longer it prints.
const MAX_PIECE: usize = 250;

/// The multiplexer between the program and the terminal, as the environment tells.
pub fn multiplexer() -> Multiplexer {
    let variable = |name: &str| env::var(name).unwrap_or_default();
    known_by(&variable("TMUX"), &variable("STY"), &variable("TERM"))
}

fn known_by(tmux: &str, sty: &str, term: &str) -> Multiplexer {
    // Of two, one within the other, the name of the terminal is that of the inner one, but tmux may
    // have the name of screen.
    let is_screen = term == "screen" || term.starts_with("screen.");
    match (tmux.is_empty(), sty.is_empty()) {
        (true, false) => Multiplexer::Screen,
        (false, false) if term.starts_with("screen.") => Multiplexer::Screen,
        (false, _) => Multiplexer::Tmux,
        // Over SSH the variables are lost. One piece is understood by both.
        (true, true) if is_screen => Multiplexer::Screen,
        (true, true) if term.starts_with("tmux") => Multiplexer::Tmux,
        (true, true) => Multiplexer::None,
    }
}

/// The sequence that copies a text, which is not empty: an empty one would clear the clipboard.
pub fn copy_sequence(text: &str, multiplexer: Multiplexer) -> String {
    let mut copy = String::new();
    // Writing to memory can't fail.
    let _ = CopyToClipboard::to_clipboard_from(text).write_ansi(&mut copy);
    if multiplexer != Multiplexer::Screen {
        return copy;
    }
    // Screen passes on what is in a device control string, which must not have its end in it.
    let mut rest = copy.trim_end_matches("\x1b\\").to_owned();
    rest.push('\x07');
    let mut wrapped = String::new();
    while !rest.is_empty() {
        // It is ASCII.
        let after = rest.split_off(rest.len().min(MAX_PIECE));
        wrapped.extend(["\x1bP", &rest, "\x1b\\"]);
        rest = after;
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_multiplexer_is_known_by_the_environment() {
        use Multiplexer::{None, Screen, Tmux};
        for (tmux, sty, term, expected) in [
            ("", "", "xterm-256color", None),
            ("/tmp/tmux-0/default,1,0", "", "screen-256color", Tmux),
            ("/tmp/tmux-0/default,1,0", "", "tmux-256color", Tmux),
            ("", "123.pts-1", "screen", Screen),
            ("", "123.pts-1", "xterm", Screen),
            // One in the other.
            ("/tmp/tmux-0/default,1,0", "123.pts-1", "tmux-256color", Tmux),
            ("/tmp/tmux-0/default,1,0", "123.pts-1", "screen.xterm-256color", Screen),
            // Over SSH.
            ("", "", "screen", Screen),
            ("", "", "screen.xterm-256color", Screen),
            ("", "", "tmux-256color", Tmux),
            ("", "", "", None),
        ] {
            assert_eq!(known_by(tmux, sty, term), expected, "{tmux:?} {sty:?} {term:?}");
        }
    }

    #[test]
    fn screen_gets_pieces_that_make_the_whole() {
        for text in ["a", &"put palm.cpu 23.7 火\n".repeat(500)] {
            let plain = copy_sequence(text, Multiplexer::None);
            assert!(plain.starts_with("\x1b]52;c;") && plain.ends_with("\x1b\\"), "{plain:?}");
            let wrapped = copy_sequence(text, Multiplexer::Screen);
            let pieces = wrapped.strip_suffix("\x1b\\").unwrap().split("\x1b\\");
            let pieces: Vec<_> = pieces.map(|piece| piece.strip_prefix("\x1bP").unwrap()).collect();
            assert!(pieces.iter().all(|piece| (1..=MAX_PIECE).contains(&piece.len())));
            assert_eq!(pieces.concat(), plain.replace("\x1b\\", "\x07"));
        }
    }
}
