//! Events of the terminal as events of the application.

use crossterm::event::{
    self, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind as Kind,
};

use crate::event::{Event, KeyCode, KeyPress, MouseEvent, MouseKind};

/// The event of the application, if it has one for this event.
pub fn translate(event: event::Event) -> Option<Event> {
    match event {
        event::Event::Key(key) => translate_key(key).map(Event::Key),
        event::Event::Paste(text) => Some(Event::Paste(text)),
        event::Event::Mouse(mouse) => translate_mouse(mouse).map(Event::Mouse),
        // The library loses a new size that comes together with a key; the signal is reliable.
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

fn translate_key(event: KeyEvent) -> Option<KeyPress> {
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
    Some(KeyPress {
        code,
        ctrl: event.modifiers.contains(KeyModifiers::CONTROL),
        alt: event.modifiers.contains(KeyModifiers::ALT),
    })
}
