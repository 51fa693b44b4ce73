//! Output, size and keys of the console, the clipboard.

use std::env;
use std::io::{self, Write, stdout};
use std::sync::mpsc;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::Duration;

use crossterm::terminal;
use crossterm_winapi::{Console, ConsoleMode, Handle, HandleType, ScreenBuffer};
use terminal_colorsaurus::{QueryOptions, ThemeMode, theme_mode};

use super::sequences::{Interpreter, show_first_screen};

/// No shell can stop and continue the program.
pub const HAS_JOB_CONTROL: bool = false;

/// Copied text goes to the clipboard of the system, at least when the session is a local one.
pub const HAS_CLIPBOARD: bool = true;

/// The shells of the system are those of Unix, with its commands.
pub const HAS_POSIX_SHELL: bool = false;

/// Pasted text arrives as keys, and not between marks of the terminal.
pub const PASTES_AS_KEYS: bool = true;

/// The right Alt key, which types characters, is reported as Ctrl and Alt.
pub const ALT_GR_IS_CTRL_ALT: bool = true;

/// Nothing: marks would arrive as keys.
pub const MARK_PASTES: &str = "";

/// Nothing: the mode of the console reports the mouse, see [`take_keys`].
pub const REPORT_CLICKS: &str = "";

/// Nothing, because nothing is asked for.
pub const REPORT_NOTHING: &str = "";

/// The last bytes have so long to be written: the console takes nothing while text is selected.
const LAST_WRITE: Duration = Duration::from_millis(100);

// The modes of a console, from its documentation.
const PROCESSED_INPUT: u32 = 0x1;
const LINE_INPUT: u32 = 0x2;
const ECHO_INPUT: u32 = 0x4;
const WINDOW_INPUT: u32 = 0x8;
const MOUSE_INPUT: u32 = 0x10;
const QUICK_EDIT: u32 = 0x40;
const EXTENDED_FLAGS: u32 = 0x80;
const SEQUENCES_INPUT: u32 = 0x200;
const PROCESSED_OUTPUT: u32 = 0x1;
const WRAP_AT_END: u32 = 0x2;
const SEQUENCES_OUTPUT: u32 = 0x4;

/// The console, taken over.
static CONSOLE: Mutex<Option<TakenConsole>> = Mutex::new(None);

/// The modes as they were found.
#[derive(Debug, Clone, Copy)]
struct TakenConsole {
    input: u32,
    output: u32,
}

/// Carries out the escape sequences where the console does not.
static INTERPRETER: Mutex<Option<Interpreter>> = Mutex::new(None);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn mode_of(handle: HandleType) -> io::Result<ConsoleMode> {
    Ok(ConsoleMode::from(Handle::new(handle)?))
}

/// Columns and rows of the window of the console.
///
/// # Errors
/// When there is no console.
pub fn size() -> io::Result<(u16, u16)> {
    terminal::size()
}

/// A write may wait.
pub fn writes_at_once() -> bool {
    false
}

/// Writes all bytes, which are UTF-8.
///
/// # Errors
/// When the console is gone.
pub fn write(bytes: &[u8]) -> io::Result<usize> {
    let mut interpreter = match INTERPRETER.try_lock() {
        Ok(free) => free,
        Err(TryLockError::Poisoned(free)) => free.into_inner(),
        // The panic may have come from its midst, on this thread, which would wait for itself.
        Err(TryLockError::WouldBlock) if thread::panicking() => {
            return show_first_screen().map(|()| bytes.len());
        }
        Err(TryLockError::WouldBlock) => lock(&INTERPRETER),
    };
    if let Some(interpreter) = &mut *interpreter {
        interpreter.write(bytes)?;
        return Ok(bytes.len());
    }
    drop(interpreter);
    let mut out = stdout().lock();
    out.write_all(bytes)?;
    out.flush()?;
    Ok(bytes.len())
}

/// Waits until the console takes output, as [`write`] does by itself.
pub fn wait_until_writable() {}

/// Writes as much as the console takes in a moment.
pub fn write_last(bytes: &[u8]) {
    let bytes = bytes.to_owned();
    let (sender, written) = mpsc::channel();
    // Another thread may be in a write that does not end.
    thread::spawn(move || {
        let _ = write(&bytes);
        let _ = sender.send(());
    });
    let _ = written.recv_timeout(LAST_WRITE);
}

/// Takes all keys from the console, one by one, with its new sizes, and with clicks and the wheel
/// when `mouse`; else the mouse goes on selecting text. Escape sequences are carried out from now
/// on.
///
/// # Errors
/// When there is no console.
pub fn take_keys(mouse: bool) -> io::Result<()> {
    let input = mode_of(HandleType::CurrentInputHandle)?;
    let output = mode_of(HandleType::OutputHandle)?;
    let found = TakenConsole { input: input.mode()?, output: output.mode()? };
    lock(&CONSOLE).get_or_insert(found);
    let raw = found.input & !(PROCESSED_INPUT | LINE_INPUT | ECHO_INPUT | SEQUENCES_INPUT);
    let keys = raw | WINDOW_INPUT | EXTENDED_FLAGS;
    input.set_mode(if mouse { (keys | MOUSE_INPUT) & !QUICK_EDIT } else { keys & !MOUSE_INPUT })?;
    let screen = PROCESSED_OUTPUT | WRAP_AT_END | SEQUENCES_OUTPUT;
    if output.set_mode(screen).is_err() || !carries_out_sequences().unwrap_or(true) {
        *lock(&INTERPRETER) = Some(Interpreter::new()?);
    }
    Ok(())
}

/// Whether the console carries out escape sequences: one that was made before Windows 10, which can
/// still be chosen, does not, and that of Wine takes the mode but prints the sequences.
fn carries_out_sequences() -> io::Result<bool> {
    // Never shown.
    let aside = ScreenBuffer::create()?;
    let handle = aside.handle().clone();
    ConsoleMode::from(handle.clone()).set_mode(PROCESSED_OUTPUT | SEQUENCES_OUTPUT)?;
    Console::from(handle).write_char_buffer(b"\x1b[m")?;
    Ok(aside.info()?.cursor_pos().x == 0)
}

/// Gives the console back as it was found.
///
/// # Errors
/// When there is no console.
pub fn give_keys_back() -> io::Result<()> {
    let Some(found) = lock(&CONSOLE).take() else { return Ok(()) };
    let input = mode_of(HandleType::CurrentInputHandle)?;
    // Quick edit is set only together with the extended flags, which may not have been there.
    let given =
        input.set_mode(found.input | EXTENDED_FLAGS).and_then(|()| input.set_mode(found.input));
    mode_of(HandleType::OutputHandle)?.set_mode(found.output).and(given)
}

/// Waits until the terminal is gone: false, because that is an event of the console, see
/// [`ExitSignals`](super::signals::ExitSignals).
pub fn wait_for_hang_up() -> bool {
    false
}

/// Whether a shell could continue the program: never.
pub fn is_job() -> bool {
    HAS_JOB_CONTROL
}

/// Does nothing, because there is no job: see [`is_job`].
///
/// # Errors
/// Always.
pub fn stop_job() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Puts text on the clipboard of the system: the outcome, or nothing where the text has to go
/// through the terminal, because the session comes over SSH and the clipboard is elsewhere.
pub fn copy(text: &str) -> Option<Result<(), String>> {
    let is_remote = ["SSH_CONNECTION", "SSH_TTY"].iter().any(|name| env::var_os(name).is_some());
    if is_remote {
        return None;
    }
    Some(clipboard_win::set_clipboard_string(text).map_err(|error| error.to_string()))
}

/// The terminal is known to be a newer one than the console of the system, as its environment tells.
/// Windows Terminal sets nothing where it opens by itself as the window of a program.
fn is_modern() -> bool {
    ["WT_SESSION", "TERM_PROGRAM", "TERM"].iter().any(|name| env::var_os(name).is_some())
}

/// The background in the palette of sixteen colours. The console of the system may not answer, and
/// knows the colour; a newer terminal is asked at once, because its answer would arrive as keys later.
pub fn background() -> Option<u8> {
    if is_modern() {
        let (black, white) = (0, 15);
        let mode = theme_mode(QueryOptions::default());
        return Some(if matches!(mode, Ok(ThemeMode::Light)) { white } else { black });
    }
    let attributes = ScreenBuffer::current().and_then(|screen| screen.info()).ok()?.attributes();
    u8::try_from(attributes >> 4 & 0xf).ok()
}

/// The terminal is known to have glyphs for lines, bars and dots, which the fonts of the system's console lack.
pub fn has_all_glyphs() -> bool {
    is_modern()
}

/// What the terminal lacks for the screen: nothing, because TERM means little here.
pub fn lacks_for_screen() -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes when it is dropped, as the hook of a panic does, and says so.
    struct WriteAtEnd(mpsc::Sender<()>);

    impl Drop for WriteAtEnd {
        fn drop(&mut self) {
            // A test may have no console.
            let _ = write(b"");
            let _ = self.0.send(());
        }
    }

    #[test]
    fn a_panic_amid_a_write_does_not_wait_for_itself() {
        let (sender, written) = mpsc::channel();
        let panicked = thread::spawn(|| {
            let _held = lock(&INTERPRETER);
            let _at_end = WriteAtEnd(sender);
            panic!("amid a write");
        });
        assert_eq!(written.recv(), Ok(()));
        assert!(panicked.join().is_err());
    }
}
