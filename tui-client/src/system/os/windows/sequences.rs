//! Escape sequences, carried out by calls of the console: for one that does not carry them out
//! itself. Knows the sequences that the screen is drawn with, and drops others.
//!
//! Wine is served whole. On a console that refuses the mode for sequences, as before Windows 10,
//! crossterm makes calls by itself for colours and the cursor, unless `TERM` is set, and has none for
//! bold and reversed text; what is left of the sequences comes here. So an ASCII theme marks a selected
//! row by a character.

use std::io;

use crossterm::Command;
use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::terminal::{Clear, ClearType};
use crossterm_winapi::{Console, ConsoleMode, Handle, ScreenBuffer};

/// The mode of a screen on which the last cell does not scroll.
const PROCESSED_OUTPUT: u32 = 0x1;

/// The colours of text, as the console has them: four bits each, from blue to bright.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Style {
    foreground: u16,
    background: u16,
    bold: bool,
    reversed: bool,
}

impl Style {
    fn of(attributes: u16) -> Self {
        let (foreground, background) = (attributes & 0xf, attributes >> 4 & 0xf);
        Self { foreground, background, bold: false, reversed: false }
    }

    fn attributes(self) -> u16 {
        let foreground = if self.bold { self.foreground | 8 } else { self.foreground };
        let (foreground, background) = if self.reversed {
            (self.background, foreground)
        } else {
            (foreground, self.background)
        };
        background << 4 | foreground
    }

    /// Applies the numbers of an `m` sequence; `plain` is the style without any.
    fn apply(&mut self, numbers: &[u16], plain: Self) {
        let mut rest = numbers;
        while let [number, after @ ..] = rest {
            rest = after;
            match *number {
                0 => *self = plain,
                1 => self.bold = true,
                22 => self.bold = false,
                7 => self.reversed = true,
                27 => self.reversed = false,
                39 => self.foreground = plain.foreground,
                49 => self.background = plain.background,
                30..=37 => self.foreground = console_colour(number - 30),
                40..=47 => self.background = console_colour(number - 40),
                90..=97 => self.foreground = console_colour(number - 90 + 8),
                100..=107 => self.background = console_colour(number - 100 + 8),
                38 | 48 => {
                    let colour = match rest {
                        [5, colour, after @ ..] => {
                            rest = after;
                            Some(*colour).filter(|&colour| colour < 16)
                        }
                        [2, _, _, _, after @ ..] => {
                            rest = after;
                            None
                        }
                        _ => None,
                    };
                    let Some(colour) = colour.map(console_colour) else { continue };
                    if *number == 38 { self.foreground = colour } else { self.background = colour }
                }
                _ => {}
            }
        }
    }
}

/// A colour of the palette of sixteen, whose lowest bit is red; that of the console is blue.
fn console_colour(colour: u16) -> u16 {
    (colour & 0b1010) | (colour & 1) << 2 | (colour & 0b100) >> 2
}

/// A part of what is written.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    /// A sequence: what is between `ESC [` and its last character, and that.
    Control(&'a str, char),
}

/// Takes the first piece off a text; nothing if it is not complete.
fn next_piece<'a>(text: &mut &'a str) -> Option<Piece<'a>> {
    let whole = *text;
    let Some(behind) = whole.strip_prefix('\x1b') else {
        let end = whole.find('\x1b').unwrap_or(whole.len());
        *text = &whole[end..];
        return (end > 0).then(|| Piece::Text(&whole[..end]));
    };
    let Some(body) = behind.strip_prefix('[') else {
        // Sequences of two characters, which are not used, and strings, which end with a bell.
        let end = match behind.chars().next()? {
            ']' => behind.find('\x07')? + 1,
            other => other.len_utf8(),
        };
        *text = &behind[end..];
        return Some(Piece::Control("", ' '));
    };
    let end = body.find(|c: char| ('@'..='~').contains(&c))?;
    let last = body[end..].chars().next()?;
    *text = &body[end + last.len_utf8()..];
    Some(Piece::Control(&body[..end], last))
}

/// Shows the screen that the program was started on.
pub(super) fn show_first_screen() -> io::Result<()> {
    ScreenBuffer::from(Handle::output_handle()?).show()
}

/// Carries out what is written.
pub(super) struct Interpreter {
    /// The beginning of a character or a sequence whose end is not written yet.
    pending: Vec<u8>,
    plain: Style,
    style: Style,
    /// The screen beside that of the shell, while it is shown.
    alternate: Option<ScreenBuffer>,
}

impl Interpreter {
    /// For the console as it is now.
    pub(super) fn new() -> io::Result<Self> {
        let plain = Style::of(ScreenBuffer::current()?.info()?.attributes());
        Ok(Self { pending: Vec::new(), plain, style: plain, alternate: None })
    }

    fn console(&self) -> io::Result<Console> {
        Ok(Console::from(match &self.alternate {
            Some(screen) => screen.handle().clone(),
            None => Handle::output_handle()?,
        }))
    }

    /// Carries out all that is complete.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.pending.extend_from_slice(bytes);
        let mut pending = std::mem::take(&mut self.pending);
        let valid = match str::from_utf8(&pending) {
            Ok(text) => text,
            Err(error) => str::from_utf8(&pending[..error.valid_up_to()]).unwrap_or_default(),
        };
        let mut rest = valid;
        while let Some(piece) = next_piece(&mut rest) {
            match piece {
                Piece::Text(text) => {
                    self.console()?.write_char_buffer(text.as_bytes())?;
                }
                Piece::Control(body, last) => self.control(body, last)?,
            }
        }
        let done = valid.len() - rest.len();
        pending.drain(..done);
        self.pending = pending;
        Ok(())
    }

    fn control(&mut self, body: &str, last: char) -> io::Result<()> {
        let numbers: Vec<u16> = body.split(';').map(|part| part.parse().unwrap_or(0)).collect();
        match (body, last) {
            (_, 'H') => {
                let [row, column] = [0, 1].map(|at| numbers.get(at).map_or(0, |n| n.max(&1) - 1));
                MoveTo(column, row).execute_winapi()
            }
            (_, 'm') => {
                self.style.apply(&numbers, self.plain);
                self.console()?.set_text_attribute(self.style.attributes())
            }
            ("2", 'J') => Clear(ClearType::All).execute_winapi(),
            ("?25", 'h') => Show.execute_winapi(),
            ("?25", 'l') => Hide.execute_winapi(),
            ("?1049", 'h') => {
                let screen = ScreenBuffer::create()?;
                ConsoleMode::from(screen.handle().clone()).set_mode(PROCESSED_OUTPUT)?;
                screen.show()?;
                self.alternate = Some(screen);
                Ok(())
            }
            ("?1049", 'l') => {
                // That of Wine goes on showing it.
                let _ = Clear(ClearType::All).execute_winapi();
                let shown = show_first_screen();
                self.alternate = None;
                shown
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_text_and_sequences() {
        let mut text = "ab\x1b[2;5H火\x1b[?25l\x1b]52;c;x\x07\x1b7é\x1b[1";
        let mut pieces = Vec::new();
        while let Some(piece) = next_piece(&mut text) {
            pieces.push(piece);
        }
        let expected = [
            Piece::Text("ab"),
            Piece::Control("2;5", 'H'),
            Piece::Text("火"),
            Piece::Control("?25", 'l'),
            Piece::Control("", ' '),
            Piece::Control("", ' '),
            Piece::Text("é"),
        ];
        assert_eq!(pieces, expected);
        assert_eq!(text, "\x1b[1", "the rest is to come");
    }

    #[test]
    fn colours_are_those_of_the_console() {
        let plain = Style::of(0x07);
        let mut style = plain;
        for (numbers, attributes) in [
            (&[0][..], 0x07),
            (&[38, 5, 1], 0x04),
            (&[38, 5, 12, 48, 5, 7], 0x79),
            (&[7], 0x97),
            (&[27, 39], 0x77),
            (&[49, 1], 0x0f),
            (&[22, 31], 0x04),
            (&[94], 0x09),
            (&[38, 2, 1, 2, 3, 41], 0x49),
            (&[38, 5, 200], 0x49),
            (&[0], 0x07),
        ] {
            style.apply(numbers, plain);
            assert_eq!(style.attributes(), attributes, "{numbers:?}");
        }
    }
}
