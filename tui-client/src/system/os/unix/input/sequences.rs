//! Escape sequences of keys and the mouse, as events.

use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

use crate::system::os::terminal_input::{TerminalInput, TerminalReply};

/// The input of a control sequence `ESC [ parameters final`, if it has a meaning here; answers
/// that are not asked for have none.
pub fn control_sequence(parameters: &[u8], last: u8) -> Option<TerminalInput> {
    match (parameters.first(), last) {
        (Some(b'<'), b'M' | b'm') => sgr_mouse(&parameters[1..], last),
        (Some(b'?'), b'c') => Some(TerminalInput::Reply(TerminalReply::Attributes)),
        (Some(b'<'..=b'?'), _) => None,
        (Some(_), b'M') => rxvt_mouse(parameters),
        _ => control_key(parameters, last).map(key),
    }
}

/// The input of `ESC O modifier final`, the keys of an application keypad among them.
pub fn single_shift(parameters: &[u8], last: u8) -> Option<TerminalInput> {
    let modifiers = modifiers(number(parameters, 0));
    let code = match last {
        b'A'..=b'H' | b'P'..=b'S' => letter_key(last)?,
        b'a'..=b'd' => {
            let code = letter_key(last.to_ascii_uppercase())?;
            return Some(key(KeyEvent::new(code, KeyModifiers::CONTROL)));
        }
        b'M' => KeyCode::Enter,
        b'I' => KeyCode::Tab,
        b'X' => KeyCode::Char('='),
        // The keypad sends each of its characters 64 places later.
        b'j'..=b'y' => KeyCode::Char((last - 64).into()),
        _ => return None,
    };
    Some(key(KeyEvent::new(code, modifiers)))
}

/// The input of a mouse report with three raw bytes.
pub fn raw_mouse(bytes: [u8; 3]) -> Option<TerminalInput> {
    let [button, column, row] = bytes.map(|byte| byte.saturating_sub(32));
    mouse(button.into(), column.into(), row.into(), false)
}

fn sgr_mouse(parameters: &[u8], last: u8) -> Option<TerminalInput> {
    let [button, column, row] = [0, 1, 2].map(|at| number(parameters, at));
    mouse(button?, column?, row?, last == b'm')
}

fn rxvt_mouse(parameters: &[u8]) -> Option<TerminalInput> {
    let [button, column, row] = [0, 1, 2].map(|at| number(parameters, at));
    mouse(button?.checked_sub(32)?, column?, row?, false)
}

/// A mouse report with its cell, counted from 1.
fn mouse(button: u32, column: u32, row: u32, released: bool) -> Option<TerminalInput> {
    const MOTION: u32 = 32;
    let kind = match button & !0b1_1100 {
        0 if released => MouseEventKind::Up(MouseButton::Left),
        0 => MouseEventKind::Down(MouseButton::Left),
        64 => MouseEventKind::ScrollUp,
        65 => MouseEventKind::ScrollDown,
        other if other & MOTION != 0 => MouseEventKind::Moved,
        _ => return None,
    };
    let cell = |at: u32| u16::try_from(at.checked_sub(1)?).ok();
    let (column, row) = (cell(column)?, cell(row)?);
    let event = MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
    Some(TerminalInput::Event(Event::Mouse(event)))
}

fn control_key(parameters: &[u8], last: u8) -> Option<KeyEvent> {
    let first = number(parameters, 0);
    let held = modifiers(number(parameters, 1));
    let (code, modifiers) = match last {
        b'~' if first == Some(27) => (character(number(parameters, 2)?, held)?, held),
        b'~' => (numbered_key(first?)?, held),
        // The ends of rxvt, which tell of the keys that are held with it.
        b'$' => (numbered_key(first?)?, KeyModifiers::SHIFT),
        b'^' => (numbered_key(first?)?, KeyModifiers::CONTROL),
        b'@' => (numbered_key(first?)?, KeyModifiers::CONTROL | KeyModifiers::SHIFT),
        b'u' => (character(first?, held)?, held),
        b'Z' => (KeyCode::BackTab, KeyModifiers::SHIFT),
        // With numbers it is where the cursor stands, which a program before this one has asked for.
        b'R' if !parameters.is_empty() => return None,
        b'A'..=b'H' | b'P'..=b'S' => (letter_key(last)?, held),
        b'a'..=b'd' => (letter_key(last.to_ascii_uppercase())?, KeyModifiers::SHIFT),
        _ => return None,
    };
    Some(KeyEvent::new(code, modifiers))
}

fn letter_key(letter: u8) -> Option<KeyCode> {
    Some(match letter {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P'..=b'S' => KeyCode::F(letter - b'P' + 1),
        _ => return None,
    })
}

fn numbered_key(number: u32) -> Option<KeyCode> {
    // The numbers of function keys have gaps.
    let function = |first: u32, key: u8| Some(KeyCode::F(key + u8::try_from(number - first).ok()?));
    match number {
        1 | 7 => Some(KeyCode::Home),
        2 => Some(KeyCode::Insert),
        3 => Some(KeyCode::Delete),
        4 | 8 => Some(KeyCode::End),
        5 => Some(KeyCode::PageUp),
        6 => Some(KeyCode::PageDown),
        11..=15 => function(11, 1),
        17..=21 => function(17, 6),
        23..=26 => function(23, 11),
        28..=29 => function(28, 15),
        31..=34 => function(31, 17),
        _ => None,
    }
}

/// The key of a character that is reported by its number.
fn character(number: u32, held: KeyModifiers) -> Option<KeyCode> {
    Some(match char::from_u32(number)? {
        '\x1b' => KeyCode::Esc,
        '\r' => KeyCode::Enter,
        '\t' if held.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
        '\t' => KeyCode::Tab,
        '\x7f' => KeyCode::Backspace,
        // The private characters of a keypad and of keys that type nothing.
        '\u{e000}'..='\u{f8ff}' => return None,
        c if c.is_control() => return None,
        c => KeyCode::Char(c),
    })
}

/// Function keys of the Linux console: `ESC [ [ A` to `E`.
pub fn console_key(letter: u8) -> Option<TerminalInput> {
    let at = letter.checked_sub(b'A').filter(|at| *at < 5)?;
    Some(key(KeyEvent::new(KeyCode::F(at + 1), KeyModifiers::NONE)))
}

/// The number at a place of the parameters; what follows a colon belongs to the protocol of kitty.
fn number(parameters: &[u8], at: usize) -> Option<u32> {
    let number = parameters.split(|&byte| byte == b';').nth(at)?;
    let number = number.split(|&byte| byte == b':').next()?;
    std::str::from_utf8(number).ok()?.parse().ok()
}

/// The keys that are held, one more than their bits.
fn modifiers(number: Option<u32>) -> KeyModifiers {
    let bits = number.unwrap_or(1).saturating_sub(1);
    let all = [
        (1, KeyModifiers::SHIFT),
        (2, KeyModifiers::ALT),
        (4, KeyModifiers::CONTROL),
        (8, KeyModifiers::SUPER),
        (32, KeyModifiers::ALT),
    ];
    all.into_iter().filter(|(bit, _)| bits & bit != 0).map(|(_, held)| held).collect()
}

fn key(event: KeyEvent) -> TerminalInput {
    TerminalInput::Event(Event::Key(event))
}

/// The reply in an operating system command, if it is the colour of text or background.
pub fn colour_reply(command: &[u8]) -> Option<TerminalInput> {
    let (is_background, colour) = match command {
        [b'1', b'0', b';', colour @ ..] => (false, colour),
        [b'1', b'1', b';', colour @ ..] => (true, colour),
        _ => return None,
    };
    let lightness = lightness(std::str::from_utf8(colour).ok()?)?;
    Some(TerminalInput::Reply(if is_background {
        TerminalReply::Background(lightness)
    } else {
        TerminalReply::Foreground(lightness)
    }))
}

/// The reply in a device control string, if it is the name and version of the terminal.
pub fn version_reply(text: &[u8]) -> Option<TerminalInput> {
    let name = text.strip_prefix(b">|")?;
    let name = String::from_utf8_lossy(name).into_owned();
    Some(TerminalInput::Reply(TerminalReply::Version(name)))
}

/// The lightness in thousandths of a colour as X names it: `rgb:ffff/ffff/ffff`, `rgba:ff/ff/ff/ff`
/// or `#ffffff`.
fn lightness(colour: &str) -> Option<u32> {
    let named = colour.strip_prefix("rgb:").or_else(|| colour.strip_prefix("rgba:"));
    let parts: Vec<&str> = match (named, colour.strip_prefix('#')) {
        (Some(parts), _) => parts.split('/').collect(),
        (None, Some(digits)) if digits.is_ascii() && digits.len() >= 3 && digits.len() % 3 == 0 => {
            let each = digits.len() / 3;
            (0..3).map(|at| &digits[at * each..(at + 1) * each]).collect()
        }
        _ => return None,
    };
    let share = |part: &str| {
        let most = 16_u64.checked_pow(u32::try_from(part.len()).ok().filter(|len| *len <= 4)?)? - 1;
        let value = u64::from_str_radix(part, 16).ok()?;
        Some(value * 1000 / most.max(1))
    };
    let [red, green, blue] =
        parts.get(..3)?.try_into().ok().map(|rgb: [&str; 3]| rgb.map(share))?;
    // As the eye weighs them.
    u32::try_from((299 * red? + 587 * green? + 114 * blue?) / 1000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_have_a_lightness() {
        for (colour, expected) in [
            ("rgb:0000/0000/0000", Some(0)),
            ("rgb:ffff/ffff/ffff", Some(1000)),
            ("rgb:f/f/f", Some(1000)),
            ("rgba:0000/ffff/0000/ffff", Some(587)),
            ("#ffffff", Some(1000)),
            ("#000", Some(0)),
            ("rgb:0000/0000", None),
            ("rgb://", None),
            ("rgb:00000/0/0", None),
            ("white", None),
            ("#12é", None),
            ("", None),
        ] {
            assert_eq!(lightness(colour), expected, "{colour}");
        }
    }
}
