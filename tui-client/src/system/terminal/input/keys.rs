//! Keys that are held down, to tell typed characters from released keys.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// The characters of keys that wait for a letter below the accent: their press may come without a
/// character, and their release with it.
const ACCENTS: &str = "^`~'\",´¨¸˛ˇ˘˙˝¯°";

/// The keys that are held down. Windows reports each release of a key, but also a character that is
/// typed by its number with the left Alt key, or pasted and on no key of the layout, as the release
/// of the Alt key alone, without a press before it.
#[derive(Debug, Default)]
pub struct HeldKeys {
    count: usize,
    /// The last key that was pressed; it repeats while it is held.
    last: Option<KeyCode>,
}

impl HeldKeys {
    /// The event, unless it is the release of a key. A character without a press becomes one, if no
    /// key with Ctrl or Alt has it, because the press of a shortcut of the system is not reported, but
    /// its release is. In ASCII it could still be that of a shortcut with the Windows key and a command
    /// here, so it stays a release, which types in a [paste](super::paste::join) alone.
    pub fn take(&mut self, event: Event) -> Option<Event> {
        let Event::Key(key) = event else {
            if matches!(event, Event::FocusGained | Event::FocusLost) {
                // Releases may have gone to another window.
                *self = Self::default();
            }
            return Some(event);
        };
        if key.kind != KeyEventKind::Release {
            // A character of two code units comes without releases.
            let counts = !matches!(key.code, KeyCode::Char(c) if c > '\u{ffff}');
            if counts && self.last != Some(key.code) {
                self.count += 1;
                self.last = Some(key.code);
            }
            return Some(event);
        }
        if self.count > 0 {
            self.count -= 1;
            self.last = None;
            return None;
        }
        let KeyCode::Char(c) = key.code else { return None };
        let has_shortcut = !(key.modifiers - KeyModifiers::SHIFT).is_empty();
        if c.is_control() || ACCENTS.contains(c) || has_shortcut {
            return None;
        }
        if c.is_ascii() {
            return Some(event);
        }
        Some(Event::Key(KeyEvent::new(key.code, key.modifiers)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is typed by presses (+) and releases (-) of the keys of these characters; a release that
    /// types in a paste alone is in brackets.
    fn typed(keys: &str) -> String {
        let (mut held, mut typed) = (HeldKeys::default(), String::new());
        let keys: Vec<char> = keys.chars().collect();
        for pair in keys.chunks(2) {
            let kind = if pair[0] == '+' { KeyEventKind::Press } else { KeyEventKind::Release };
            let code = if pair[1] == '⏎' { KeyCode::Enter } else { KeyCode::Char(pair[1]) };
            let event = KeyEvent::new_with_kind(code, KeyModifiers::NONE, kind);
            match held.take(Event::Key(event)) {
                Some(Event::Key(KeyEvent { code: KeyCode::Char(c), kind, .. })) => {
                    let in_brackets = kind == KeyEventKind::Release;
                    typed.extend(in_brackets.then_some('['));
                    typed.push(c);
                    typed.extend(in_brackets.then_some(']'));
                }
                Some(_) => typed.push('⏎'),
                None => {}
            }
        }
        typed
    }

    #[test]
    fn a_release_types_only_without_a_press() {
        for (keys, expected) in [
            ("+a-a+b-b", "ab"),
            ("+a+b-a-b", "ab"),
            // Held, so it repeats.
            ("+a+a+a-a+b-b", "aaab"),
            // The shift key is released first, and the key has another character then.
            ("+A-a+É-2", "AÉ"),
            // From the shell, where Enter started the program.
            ("-⏎+a-a", "a"),
            // By its number, or pasted from another layout.
            ("-火+a-a-é", "火aé"),
            ("+😀+😀-火", "😀😀火"),
            // A shortcut with the Windows key, and two keys with the same character.
            ("-q+a-a", "[q]a"),
            ("+1+1-1-1", "11[1]"),
            // An accent that waits for its letter.
            ("-^+ê-e", "ê"),
        ] {
            assert_eq!(typed(keys), expected, "{keys}");
        }
    }

    #[test]
    fn a_shortcut_of_the_system_types_nothing() {
        for modifiers in [KeyModifiers::ALT, KeyModifiers::CONTROL | KeyModifiers::ALT] {
            for c in ['q', '€'] {
                let key =
                    KeyEvent::new_with_kind(KeyCode::Char(c), modifiers, KeyEventKind::Release);
                assert_eq!(HeldKeys::default().take(Event::Key(key)), None, "{modifiers:?} {c}");
            }
        }
    }

    #[test]
    fn another_window_may_get_the_releases() {
        let mut held = HeldKeys::default();
        let press = |code| Event::Key(KeyEvent::new(code, KeyModifiers::ALT));
        held.take(press(KeyCode::Tab));
        held.take(Event::FocusGained);
        let event =
            KeyEvent::new_with_kind(KeyCode::Char('火'), KeyModifiers::NONE, KeyEventKind::Release);
        assert!(held.take(Event::Key(event)).is_some());
    }
}
