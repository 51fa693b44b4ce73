//! The terminal, taken over and given back: at the end, after an error, a panic or a signal, and
//! while the program is stopped.

mod output;

use std::fmt;
use std::io::{self, BufWriter, Write, stdin};
use std::mem;
use std::panic;
use std::process;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::Show;
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{Command, execute, queue};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Position, Rect, Size};
use ratatui::{Frame, TerminalOptions, Viewport};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Signal, getpgrp, getppid, getsid, kill_current_process_group};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use output::Output;

/// A frame goes out in few writes.
const BUFFER: usize = 64 * 1024;

/// The terminal is ours, so that giving it back twice, which would move the cursor over what was
/// said in between, can't happen.
static OURS: AtomicBool = AtomicBool::new(false);

/// What a program ends with after a panic.
const PANICKED: i32 = 101;

type Inner = ratatui::Terminal<CrosstermBackend<BufWriter<Output>>>;

/// The terminal while it is ours; dropping it gives it back.
pub struct Terminal {
    inner: Inner,
    /// The size that the next frame is drawn for, unless the terminal has another one by then.
    size: Size,
    mouse: bool,
    /// What it shows may not be what was drawn.
    stale: bool,
    /// It is given back until the program goes on.
    away: bool,
}

impl Terminal {
    /// Takes the terminal over, with the mouse or without.
    ///
    /// # Errors
    /// When it is none, or does not answer. It is given back then.
    pub fn enter(mouse: bool) -> io::Result<Self> {
        restore_on_panic();
        // From here on, an error drops the guard.
        let guard = Guard;
        take(mouse)?;
        let size = output::size()?;
        let inner = on_standard_output(size)?;
        mem::forget(guard);
        Ok(Self { inner, size, mouse, stale: false, away: false })
    }

    /// Columns and rows.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        let size = output::size()?;
        Ok((size.width, size.height))
    }

    /// Learns the new columns and rows. The next frame is drawn as a whole, even if they are those
    /// of the last one: a terminal that was small in between has lost what did not fit.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn resized(&mut self) -> io::Result<(u16, u16)> {
        self.stale = true;
        self.size()
    }

    /// Puts text on the clipboard, in the terminals that let programs do so.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        if self.away {
            return Ok(());
        }
        execute!(self.inner.backend_mut(), CopyToClipboard::to_clipboard_from(text))
    }

    /// Rings.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn bell(&mut self) -> io::Result<()> {
        if self.away {
            return Ok(());
        }
        let backend = self.inner.backend_mut();
        backend.write_all(b"\x07")?;
        io::Write::flush(backend)
    }

    /// Draws one frame, which the terminal shows as a whole.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        if self.away {
            return Ok(());
        }
        queue!(self.inner.backend_mut(), BeginSynchronizedUpdate)?;
        let size = output::size()?;
        if mem::take(&mut self.stale) || size != self.size {
            self.size = size;
            self.inner.resize(area(size))?;
        }
        self.inner.draw(render)?;
        execute!(self.inner.backend_mut(), EndSynchronizedUpdate)
    }

    /// Gives the terminal back and stops, with all of the job, as the shell's job control expects
    /// it. The program stops a little later, when another of its threads has heard of it; until it
    /// is to [resume](Self::resume), nothing is shown. Where no shell would say so nothing happens.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn suspend(&mut self) -> io::Result<()> {
        // Before it has gone on, a second wish is the first one.
        if self.away || !is_job() {
            return Ok(());
        }
        // Of a terminal that is gone, nobody would wake it.
        restore()?;
        self.away = true;
        // Not the signal for this, which the program takes itself.
        Ok(kill_current_process_group(Signal::STOP)?)
    }

    /// Takes the terminal over again, whoever had it in the meantime.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn resume(&mut self) -> io::Result<()> {
        take(self.mouse)?;
        // A new one knows that nothing is drawn yet.
        self.size = output::size()?;
        self.inner = on_standard_output(self.size)?;
        self.away = false;
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // What is still buffered belongs before the farewell.
        let _ = self.inner.backend_mut().flush();
        let _ = restore();
    }
}

/// Some shell of the session started this as a job, and could wake it again. The system asks for
/// this only when a stop is left to its default action, which is lost once a signal is heard.
fn is_job() -> bool {
    let session = getsid(None).ok();
    let of_session = getppid().is_some_and(|parent| getsid(Some(parent)).ok() == session);
    // The one who began the session has nobody above who would look after its group.
    of_session && session != Some(getpgrp())
}

/// Waits until the terminal is gone, which not every program in it is told by a signal; false
/// where that can't be waited for.
pub fn until_gone() -> bool {
    let input = stdin();
    // No events are asked for: an error or the end is told in any case.
    let mut input = [PollFd::new(&input, PollFlags::empty())];
    while poll(&mut input, None) == Err(Errno::INTR) {}
    input[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
}

struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = restore();
    }
}

/// The viewport is fixed because the library fits any other to the size of the controlling
/// terminal of the session, which need not be the terminal that is written to.
fn on_standard_output(size: Size) -> io::Result<Inner> {
    let buffer = BufWriter::with_capacity(BUFFER, Output);
    let options = TerminalOptions { viewport: Viewport::Fixed(area(size)) };
    ratatui::Terminal::with_options(CrosstermBackend::new(buffer), options)
}

fn area(size: Size) -> Rect {
    Rect::from((Position::ORIGIN, size))
}

fn take(mouse: bool) -> io::Result<()> {
    take_keys()?;
    let mut welcome = Vec::new();
    queue!(welcome, EnterAlternateScreen, Clear(ClearType::All), EnableBracketedPaste)?;
    if mouse {
        queue!(welcome, EnableClicks)?;
    }
    Output.write_all(&welcome)?;
    Ok(())
}

fn take_keys() -> io::Result<()> {
    let _turn = output::lock_output();
    OURS.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    // A shell may have changed the mode behind the back of the library, which remembers it and
    // would do nothing. Never in between as a shell wants it: a key would be another one then.
    let mut mode = tcgetattr(stdin())?;
    mode.make_raw();
    Ok(tcsetattr(stdin(), OptionalActions::Now, &mode)?)
}

/// Undoes everything that [`Terminal::enter`] did. On a terminal that is gone there is nothing
/// left to do, so errors don't matter to who ends.
fn restore() -> io::Result<()> {
    if !OURS.load(Ordering::SeqCst) {
        return Ok(());
    }
    let said = Output.write_all(&farewell());
    // It is ours until here, so that whoever has the last word in between gives it back.
    let _turn = output::lock_output();
    OURS.store(false, Ordering::SeqCst);
    disable_raw_mode().and(said)
}

/// Undoes what was written by [`take`] and by a frame that is cut off anywhere.
fn farewell() -> Vec<u8> {
    let mut farewell = Vec::new();
    // Memory takes everything.
    let _ = queue!(
        farewell,
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        Show
    );
    farewell
}

/// Ends the program from beside the one who uses the terminal and may wait for it for ever. The
/// terminal is given back as far as it can be without waiting.
pub fn emergency_exit(code: i32) -> ! {
    output::take_over_output();
    output::write_last(&farewell());
    let _ = disable_raw_mode();
    process::exit(code);
}

/// The message of a panic is printed on the restored screen, not lost with the other one. Then
/// there is nothing that could go on, whoever it was that panicked.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            output::take_over_output();
            let _ = restore();
            before(info);
            process::exit(PANICKED);
        }));
    });
}

/// Clicks and the wheel, but not each movement of the mouse: that would wake the program for
/// nothing.
struct EnableClicks;

impl Command for EnableClicks {
    fn write_ansi(&self, f: &mut impl fmt::Write) -> fmt::Result {
        f.write_str("\x1b[?1000h\x1b[?1006h")
    }
}
