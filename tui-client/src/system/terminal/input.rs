//! Events of the terminal as events of the application.

mod keys;
mod paste;

use std::io;
use std::time::Duration;

use crossterm::event::{
    self, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind as Kind,
};
use tokio::time::timeout;

use crate::event::{Event, KeyCode, KeyPress, MouseEvent, MouseKind};
use crate::system::os;
use crate::system::os::input::InputStream;
use crate::system::os::terminal_input::TerminalInput;
use keys::HeldKeys;

/// Within so long the next piece of a paste follows that arrives as keys.
const PASTE_GAP: Duration = Duration::from_millis(30);

/// Keys that are taken at once, for a paste that goes on for ever.
const MAX_PASTED: usize = 4 * 1024 * 1024;

/// The input of the terminal.
pub struct InputEvents {
    stream: InputStream,
    held: HeldKeys,
}

impl InputEvents {
    /// The input of the terminal, from now on.
    pub fn start() -> Self {
        Self { stream: InputStream::start(), held: HeldKeys::default() }
    }

    /// The next input: a single one, but where pasted text arrives as keys all that is there, with a
    /// paste as one event, and none of it when keys were only released. None at the end.
    pub async fn next(&mut self) -> Option<Vec<io::Result<TerminalInput>>> {
        let first = self.stream.next().await?;
        if !os::terminal::PASTES_AS_KEYS {
            return Some(vec![first]);
        }
        let mut batch = Vec::new();
        let mut next = Some(first);
        while let Some(event) = next {
            match event {
                Ok(TerminalInput::Event(event)) => batch.extend(self.held.take(event)),
                other => {
                    let events = joined(batch);
                    return Some(events.into_iter().chain([other]).collect());
                }
            }
            next = match self.stream.now().await {
                None if batch.len() < MAX_PASTED && paste::is_paste(&batch) => {
                    timeout(PASTE_GAP, self.stream.next()).await.ok().flatten()
                }
                now => now.filter(|_| batch.len() < MAX_PASTED),
            };
        }
        Some(joined(batch))
    }
}

fn joined(batch: Vec<event::Event>) -> Vec<io::Result<TerminalInput>> {
    paste::join(batch).into_iter().map(|event| Ok(TerminalInput::Event(event))).collect()
}

/// The event of the application, if it has one for this input.
pub fn translate(input: TerminalInput) -> Option<Event> {
    let event = match input {
        TerminalInput::Event(event) => event,
        TerminalInput::PasteGoesOn(text) => return Some(Event::PasteGoesOn(text)),
        TerminalInput::PasteDropped => return Some(Event::PasteDropped),
        TerminalInput::Reply(_) => return None,
    };
    match event {
        event::Event::Key(key) => translate_key(key, os::terminal::ALT_GR_IS_CTRL_ALT),
        event::Event::Paste(text) => Some(Event::Paste(text)),
        event::Event::Mouse(mouse) => translate_mouse(mouse).map(Event::Mouse),
        event::Event::Resize(..) | event::Event::FocusGained | event::Event::FocusLost => None,
    }
}

fn translate_mouse(event: event::MouseEvent) -> Option<MouseEvent> {
    let kind = match event.kind {
        Kind::Down(MouseButton::Left) => MouseKind::Click,
        Kind::ScrollUp => MouseKind::WheelUp,
        Kind::ScrollDown => MouseKind::WheelDown,
        _ => return None,
    };
    Some(MouseEvent { kind, column: event.column, row: event.row })
}

/// The key press, if it is one that the application knows. `alt_gr`: Ctrl with Alt may be the right
/// Alt key, with which a layout types a character such as @ or €; letters and digits are on keys of
/// their own in every layout.
fn translate_key(event: KeyEvent, alt_gr: bool) -> Option<Event> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let code = match event.code {
        // Terminals send Ctrl-_ as the byte that this library takes for Ctrl-7.
        event::KeyCode::Char('7') if event.modifiers == KeyModifiers::CONTROL => KeyCode::Char('_'),
        event::KeyCode::Char(c) => KeyCode::Char(c),
        event::KeyCode::Enter => KeyCode::Enter,
        event::KeyCode::Tab => KeyCode::Tab,
        event::KeyCode::BackTab => KeyCode::BackTab,
        event::KeyCode::Esc => KeyCode::Esc,
        event::KeyCode::Backspace => KeyCode::Backspace,
        event::KeyCode::Delete => KeyCode::Delete,
        event::KeyCode::Up => KeyCode::Up,
        event::KeyCode::Down => KeyCode::Down,
        event::KeyCode::Left => KeyCode::Left,
        event::KeyCode::Right => KeyCode::Right,
        event::KeyCode::Home => KeyCode::Home,
        event::KeyCode::End => KeyCode::End,
        event::KeyCode::PageUp => KeyCode::PageUp,
        event::KeyCode::PageDown => KeyCode::PageDown,
        event::KeyCode::F(n) => KeyCode::F(n),
        _ => return None,
    };
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    let alt = event.modifiers.contains(KeyModifiers::ALT);
    let types = matches!(code, KeyCode::Char(c) if !c.is_ascii_alphanumeric() && c != ' ');
    if alt_gr && ctrl && alt && types {
        return Some(Event::Key(KeyPress::plain(code)));
    }
    Some(Event::Key(KeyPress { code, ctrl, alt }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(c: char, modifiers: KeyModifiers, alt_gr: bool) -> Option<KeyPress> {
        match translate_key(KeyEvent::new(event::KeyCode::Char(c), modifiers), alt_gr)? {
            Event::Key(key) => Some(key),
            _ => None,
        }
    }

    #[test]
    fn the_right_alt_key_types_characters() {
        let both = KeyModifiers::CONTROL | KeyModifiers::ALT;
        for c in "@{[]}\\|~€µ²ą".chars() {
            assert_eq!(key(c, both, true), Some(KeyPress::char(c)), "{c}");
            assert_eq!(key(c, both | KeyModifiers::SHIFT, true), Some(KeyPress::char(c)), "{c}");
            let pressed = Some(KeyPress { code: KeyCode::Char(c), ctrl: true, alt: true });
            assert_eq!(key(c, both, false), pressed, "{c}");
        }
        for c in "bf7 ".chars() {
            let pressed = Some(KeyPress { code: KeyCode::Char(c), ctrl: true, alt: true });
            assert_eq!(key(c, both, true), pressed, "{c}");
        }
        let alt = Some(KeyPress::alt(KeyCode::Char('b')));
        assert_eq!(key('b', KeyModifiers::ALT, true), alt);
        assert_eq!(key('7', KeyModifiers::CONTROL, true), Some(KeyPress::ctrl('_')));
    }

    #[test]
    fn a_released_key_is_no_key_press() {
        let released = KeyEvent::new_with_kind(
            event::KeyCode::Enter,
            KeyModifiers::NONE,
            KeyEventKind::Release,
        );
        assert_eq!(translate_key(released, true), None);
    }
}
