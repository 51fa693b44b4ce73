//! Pasted text that arrives as keys.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

/// So many characters that are there at once are no typing.
const MIN_PASTED: usize = 4;

/// Joins keys to pastes: of the events that were there at once, each run of typed characters becomes
/// one paste if it has an Enter before another character, or at least four characters that are not
/// those of one key held down. So no pasted text is carried out as keys, and no pasted line is entered
/// by itself. A character that comes as a release, from a key that the layout lacks, is part of a
/// paste; elsewhere it stays a release.
pub fn join(events: Vec<Event>) -> Vec<Event> {
    let mut joined = Vec::with_capacity(events.len());
    let mut run: Vec<Event> = Vec::new();
    let mut text = String::new();
    for event in events {
        if let Some(c) = typed(&event) {
            text.push(c);
            run.push(event);
        } else {
            end_run(&mut run, &mut text, &mut joined);
            joined.push(event);
        }
    }
    end_run(&mut run, &mut text, &mut joined);
    joined
}

fn end_run(run: &mut Vec<Event>, text: &mut String, joined: &mut Vec<Event>) {
    // Enter alone, and blank lines of Enter, are keys.
    let has_lines = text.trim_end().trim_start_matches('\n').contains('\n');
    if has_lines || is_pasted(text.chars()) {
        run.clear();
        joined.push(Event::Paste(std::mem::take(text)));
    } else {
        joined.append(run);
        text.clear();
    }
}

/// Whether the events that were there at once are a paste, of which more may come.
pub fn is_paste(events: &[Event]) -> bool {
    is_pasted(events.iter().filter_map(typed))
}

/// Whether characters that were there at once are no typing. A key that is held down types one again
/// and again.
fn is_pasted(mut chars: impl Iterator<Item = char> + Clone) -> bool {
    let is_long = chars.clone().nth(MIN_PASTED - 1).is_some();
    let first = chars.next();
    is_long && chars.any(|c| Some(c) != first)
}

/// The character that a key types, with `\n` for Enter.
fn typed(event: &Event) -> Option<char> {
    let Event::Key(KeyEvent { code, modifiers, .. }) = event else { return None };
    let (ctrl, alt) = (KeyModifiers::CONTROL, KeyModifiers::ALT);
    match code {
        // The second byte of a line end from Windows is Enter with Ctrl.
        KeyCode::Enter if !modifiers.contains(alt) => Some('\n'),
        KeyCode::Tab if !modifiers.intersects(ctrl | alt) => Some('\t'),
        // Both together are the right Alt key, with which a layout types characters.
        KeyCode::Char(c) if modifiers.contains(ctrl) == modifiers.contains(alt) => Some(*c),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::KeyEventKind;

    /// Presses of the keys that type a text; `^` stands for Esc.
    fn keys(text: &str) -> Vec<Event> {
        let codes = text.chars().map(|c| match c {
            '\n' => KeyCode::Enter,
            '\t' => KeyCode::Tab,
            '^' => KeyCode::Esc,
            c => KeyCode::Char(c),
        });
        codes.map(|code| Event::Key(KeyEvent::new(code, KeyModifiers::NONE))).collect()
    }

    #[test]
    fn lines_become_a_paste() {
        for text in ["put a 1\nput b 2", "put a 1\nput b 2\n", "a\n\n\tb\n", "\nput a 1\nput b 2"] {
            assert_eq!(join(keys(text)), [Event::Paste(text.to_owned())], "{text:?}");
        }
    }

    #[test]
    fn a_single_line_becomes_a_paste_with_its_end_or_without() {
        for text in ["get quick.cpu", "put solo.a 1 5\n", "\nget a\n", "quit", "a\tb "] {
            assert_eq!(join(keys(text)), [Event::Paste(text.to_owned())], "{text:?}");
            assert!(is_paste(&keys(text)), "{text:?}");
        }
    }

    #[test]
    fn typing_stays_typing() {
        // Few keys, keys that type nothing, and a key that is held down.
        for text in ["", "a", "\n", "ab", "ab\n", "\n\n\n\n\n", "^", "\ta\n", "^abc^de\n", "jjjjjj"]
        {
            assert_eq!(join(keys(text)), keys(text), "{text:?}");
        }
        assert!(!is_paste(&keys("jjjjjj")) && !is_paste(&keys("^^^abc^^^")));
    }

    #[test]
    fn other_events_end_a_paste() {
        let events = [keys("a\nb"), vec![Event::Resize(80, 24)], keys("c\n")].concat();
        let expected = [vec![Event::Paste("a\nb".to_owned()), Event::Resize(80, 24)], keys("c\n")];
        assert_eq!(join(events), expected.concat());
        let ctrl = Event::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
        assert_eq!(join(vec![ctrl.clone()]), [ctrl]);
    }

    #[test]
    fn letters_that_the_layout_lacks_are_part_of_a_paste() {
        let released = |text: &str| {
            let key = |c| {
                KeyEvent::new_with_kind(KeyCode::Char(c), KeyModifiers::NONE, KeyEventKind::Release)
            };
            text.chars().map(|c| Event::Key(key(c))).collect::<Vec<_>>()
        };
        assert_eq!(join(released("get q")), [Event::Paste("get q".to_owned())]);
        assert_eq!(join(released("q")), released("q"), "no press");
    }

    #[test]
    fn the_right_alt_key_is_part_of_a_paste() {
        let both = KeyModifiers::CONTROL | KeyModifiers::ALT;
        let mut events = keys("put a 1\n");
        events.push(Event::Key(KeyEvent::new(KeyCode::Char('@'), both)));
        assert_eq!(join(events), [Event::Paste("put a 1\n@".to_owned())]);
    }
}
