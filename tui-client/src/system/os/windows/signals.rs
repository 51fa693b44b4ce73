//! Events of the console that end the program, and a closed standard output.

use std::future::{self, poll_fn};
use std::io;
use std::task::Poll;

use tokio::signal::windows::{CtrlBreak, CtrlC, CtrlClose, ctrl_break, ctrl_c, ctrl_close};
use tokio::sync::mpsc;

/// The key that ends input that is typed in plain mode.
pub const END_OF_INPUT: &str = "Ctrl-Z and Enter end";

/// An event that the program does not listen for ends it with a code of the system.
pub const UNCAUGHT_ENDS_WITH_CODE: bool = false;

/// The exit code after Ctrl-C or Ctrl-Break, as a shell of Unix gives it.
const INTERRUPTED: u8 = 130;

/// The exit code after the window was closed.
const HUNG_UP: u8 = 129;

/// The meaning of an event for the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScreenSignal {
    /// The program is to end.
    Exit,
    /// Not on this system, which reports a new size among the keys.
    Resized,
    /// Not on this system, which can't stop a program.
    Stop,
    /// Not on this system, which can't stop a program.
    Continued,
}

/// The events that end the program. After the last one the system waits some seconds for its end. A
/// log-off and a shutdown are none: the system reports them to services, and ends other programs.
#[derive(Debug)]
pub struct ExitSignals {
    interrupt: CtrlC,
    interrupt_too: CtrlBreak,
    close: CtrlClose,
}

impl ExitSignals {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn new() -> io::Result<Self> {
        Ok(Self { interrupt: ctrl_c()?, interrupt_too: ctrl_break()?, close: ctrl_close()? })
    }

    /// Waits for the next event.
    pub async fn recv(&mut self) {
        self.exit_code().await;
    }

    /// Waits for the next event, as an exit code.
    async fn exit_code(&mut self) -> u8 {
        poll_fn(|cx| {
            let interrupted = self.interrupt.poll_recv(cx).is_ready()
                || self.interrupt_too.poll_recv(cx).is_ready();
            if interrupted {
                Poll::Ready(INTERRUPTED)
            } else if self.close.poll_recv(cx).is_ready() {
                Poll::Ready(HUNG_UP)
            } else {
                Poll::Pending
            }
        })
        .await
    }
}

/// All events that the screen handles.
#[derive(Debug)]
pub struct ScreenSignals {
    exit: ExitSignals,
}

impl ScreenSignals {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn new() -> io::Result<Self> {
        Ok(Self { exit: ExitSignals::new()? })
    }

    /// Waits for the next event.
    pub async fn recv(&mut self) -> ScreenSignal {
        self.exit.recv().await;
        ScreenSignal::Exit
    }

    /// Whether a continuation follows a stop at once; there are no stops here.
    pub async fn is_stop_cancelled(&mut self) -> bool {
        future::ready(false).await
    }
}

/// The events that end the program from now on, as exit codes.
///
/// # Errors
/// When the system refuses.
pub fn exit_codes() -> io::Result<mpsc::UnboundedReceiver<u8>> {
    let (sender, codes) = mpsc::unbounded_channel();
    let mut events = ExitSignals::new()?;
    tokio::spawn(async move { while sender.send(events.exit_code().await).is_ok() {} });
    Ok(codes)
}

/// Comes when standard output is closed: never, because the system does not tell before the next
/// write, which fails.
pub async fn output_closed() {
    future::pending::<()>().await;
}
