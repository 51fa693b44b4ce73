//! The terminal, taken over at the start and restored at the end, after an error, a panic or a
//! signal, and while the program is stopped.

mod clipboard;
mod input;
mod output;

use std::io::{self, BufWriter, Write};
use std::mem;
use std::panic;
use std::process;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::Show;
use crossterm::style::Print;
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen,
};
use crossterm::{Command, execute, queue};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Size;
use ratatui::{Frame, TerminalOptions, Viewport};

pub use clipboard::multiplexer;
pub use input::{InputEvents, translate};
use output::TtyWriter;

use super::os;

/// Bytes of a frame that are written at once.
const BUFFER_SIZE: usize = 64 * 1024;

/// The terminal is taken over. Restoring it twice would move the cursor over text that was written
/// in between.
static TAKEN_OVER: AtomicBool = AtomicBool::new(false);

/// What was drawn is undone, while the keys are still taken: see [`Terminal::leave_screen`].
static LEFT: AtomicBool = AtomicBool::new(false);

/// The exit code after a panic.
const PANIC_EXIT_CODE: i32 = 101;

type Screen = ratatui::Terminal<CrosstermBackend<BufWriter<TtyWriter>>>;

/// The terminal, taken over; dropping it restores the terminal.
pub struct Terminal {
    inner: Screen,
    /// The size of the last frame.
    size: Size,
    mouse: bool,
    /// The screen may differ from the last frame.
    stale: bool,
    /// The terminal is restored until the program is continued.
    suspended: bool,
}

impl Terminal {
    /// Takes the terminal over, with the mouse or without.
    ///
    /// # Errors
    /// When the output is no terminal, or fails. The terminal is restored then.
    pub fn enter(mouse: bool) -> io::Result<Self> {
        restore_on_panic();
        let (inner, size) = take_over(mouse).inspect_err(|_| drop(restore()))?;
        Ok(Self { inner, size, mouse, stale: false, suspended: false })
    }

    /// Columns and rows.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        os::terminal::size()
    }

    /// The new columns and rows. The next frame is drawn whole even if they did not change: a
    /// terminal that was small in between has lost the rest of its screen.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn resized(&mut self) -> io::Result<(u16, u16)> {
        self.stale = true;
        self.size()
    }

    /// Puts text on the clipboard: that of the system where the program can reach it, else that of
    /// the terminal, which does not say whether it has one. Returns the reason of a failure; an empty
    /// text is one, because it would clear the clipboard.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn copy(&mut self, text: &str) -> io::Result<Option<String>> {
        if text.is_empty() {
            return Ok(Some("there is no text".to_owned()));
        }
        if let Some(outcome) = os::terminal::copy(text) {
            return Ok(outcome.err());
        }
        let sequence = clipboard::copy_sequence(text, multiplexer());
        self.write(Print(sequence)).map(|()| None)
    }

    /// Asks the terminal for its colours, where it answers; the answers are input.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn ask_colours(&mut self) -> io::Result<()> {
        TtyWriter.write_all(os::input::ASK_COLOURS.as_bytes())
    }

    /// Rings the bell.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn bell(&mut self) -> io::Result<()> {
        self.write(Print('\x07'))
    }

    fn write(&mut self, command: impl Command) -> io::Result<()> {
        if self.suspended { Ok(()) } else { execute!(self.inner.backend_mut(), command) }
    }

    /// Draws one frame, which the terminal shows as a whole.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        if self.suspended {
            return Ok(());
        }
        queue!(self.inner.backend_mut(), BeginSynchronizedUpdate)?;
        let size = Size::from(os::terminal::size()?);
        if mem::take(&mut self.stale) || size != self.size {
            self.size = size;
            self.inner.resize(size.into())?;
        }
        self.inner.draw(render)?;
        execute!(self.inner.backend_mut(), EndSynchronizedUpdate)
    }

    /// Shows the screen of the shell again, and goes on to take what is typed, until the terminal
    /// is dropped.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn leave_screen(&mut self) -> io::Result<()> {
        self.inner.backend_mut().flush()?;
        TtyWriter.write_all(restore_commands().as_bytes())?;
        LEFT.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// Restores the terminal and stops the whole job, as the shell's job control expects. The stop
    /// takes effect a little later, from another thread; until [`resume`](Self::resume) nothing is
    /// drawn. Does nothing where no shell could continue the job.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn suspend(&mut self) -> io::Result<()> {
        if self.suspended || !os::terminal::is_job() {
            return Ok(());
        }
        // A terminal that is gone has no shell that would continue the job: an error ends it here.
        restore()?;
        self.suspended = true;
        os::terminal::stop_job()
    }

    /// Takes the terminal over again.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn resume(&mut self) -> io::Result<()> {
        // Its new buffers know that nothing is drawn yet.
        (self.inner, self.size) = take_over(self.mouse)?;
        self.suspended = false;
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Buffered bytes belong before those that restore the terminal.
        let _ = self.inner.backend_mut().flush();
        let _ = restore();
    }
}

/// Takes the terminal over, with new buffers of its size.
///
/// The viewport is fixed because the library fits any other to the size of the controlling
/// terminal of the session, which need not be the terminal that is written to.
fn take_over(mouse: bool) -> io::Result<(Screen, Size)> {
    take_keys(mouse)?;
    let clicks = if mouse { os::terminal::REPORT_CLICKS } else { "" };
    let mut commands = String::new();
    add(&mut commands, EnterAlternateScreen);
    add(&mut commands, Clear(ClearType::All));
    commands.extend([os::terminal::MARK_PASTES, clicks]);
    TtyWriter.write_all(commands.as_bytes())?;
    let size = Size::from(os::terminal::size()?);
    let buffer = BufWriter::with_capacity(BUFFER_SIZE, TtyWriter);
    let options = TerminalOptions { viewport: Viewport::Fixed(size.into()) };
    let screen = ratatui::Terminal::with_options(CrosstermBackend::new(buffer), options)?;
    Ok((screen, size))
}

/// Adds the escape sequence of a command.
fn add(commands: &mut String, command: impl Command) {
    // Writing to memory can't fail.
    let _ = command.write_ansi(commands);
}

fn take_keys(mouse: bool) -> io::Result<()> {
    let _lock = output::lock_output();
    TAKEN_OVER.store(true, Ordering::SeqCst);
    LEFT.store(false, Ordering::SeqCst);
    os::terminal::take_keys(mouse)
}

/// Undoes everything that [`Terminal::enter`] did. At the end of the program errors don't matter: a
/// terminal that is gone needs no restoring.
fn restore() -> io::Result<()> {
    if !TAKEN_OVER.load(Ordering::SeqCst) {
        return Ok(());
    }
    let commands = if LEFT.load(Ordering::SeqCst) { String::new() } else { restore_commands() };
    let written = TtyWriter.write_all(commands.as_bytes());
    // Taken over until here, so that an emergency exit in between restores the terminal.
    let _lock = output::lock_output();
    TAKEN_OVER.store(false, Ordering::SeqCst);
    os::terminal::give_keys_back().and(written)
}

/// The commands that undo those of [`take_over`], and those of a frame that is cut off anywhere.
fn restore_commands() -> String {
    let mut commands = String::new();
    add(&mut commands, EndSynchronizedUpdate);
    commands.push_str(os::terminal::REPORT_NOTHING);
    add(&mut commands, LeaveAlternateScreen);
    add(&mut commands, Show);
    commands
}

/// Ends the program while another thread uses the terminal, perhaps blocked for ever. The terminal
/// is restored as far as it can be without waiting.
pub fn emergency_exit(code: i32) -> ! {
    output::take_over_output();
    os::terminal::write_last(restore_commands().as_bytes());
    let _ = os::terminal::give_keys_back();
    process::exit(code);
}

/// Prints the message of a panic on the restored screen, not on the alternate one that is lost, and
/// exits, whichever thread panicked.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            output::take_over_output();
            let _ = restore();
            before(info);
            process::exit(PANIC_EXIT_CODE);
        }));
    });
}
