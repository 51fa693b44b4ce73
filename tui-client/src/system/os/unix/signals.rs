//! Signals that end or interrupt the program, and a closed standard output.

use std::fs;
use std::future::{self, poll_fn};
use std::io::{self, stdout};
use std::ops::Range;
use std::process::{self, Command};
use std::task::Poll;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// The key that ends input that is typed in plain mode.
pub const END_OF_INPUT: &str = "Ctrl-D ends";

/// A signal that the program does not listen for ends it with the exit code that shells give it.
pub const UNCAUGHT_ENDS_WITH_CODE: bool = true;

/// A stop is cancelled by a continuation within this time: that arrives before the program could
/// stop, so no later signal would wake it.
const STOP_CANCEL_TIMEOUT: Duration = Duration::from_millis(50);

/// The meaning of a signal for the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScreenSignal {
    /// The program is to end.
    Exit,
    /// The terminal has another size.
    Resized,
    /// The program is to stop until it is continued.
    Stop,
    /// The program was stopped and is continued.
    Continued,
}

/// The signals that are sent to end a program.
const ENDS: [Number; 4] = [Number::TERM, Number::HUP, Number::INT, Number::QUIT];

/// The other signals that would end the program and leave the terminal as it is, unless they were
/// ignored when it started. Not those of a fault, which come again as soon as a handler returns, and not
/// SIGPIPE, which no program in this language gets.
const UNEXPECTED: &[Number] = &[
    Number::USR1,
    Number::USR2,
    Number::ALARM,
    Number::VTALARM,
    Number::PROF,
    Number::XCPU,
    Number::XFSZ,
    Number::ABORT,
    Number::TRAP,
    Number::SYS,
    #[cfg(target_os = "linux")]
    Number::IO,
    #[cfg(target_os = "linux")]
    Number::POWER,
    #[cfg(target_os = "linux")]
    Number::STKFLT,
];

/// The real-time signals, which end a program as well. The library of the system keeps some.
const REAL_TIME: Range<i32> = if cfg!(target_os = "linux") { 34..65 } else { 0..0 };

/// The signals that end the program.
#[derive(Debug)]
pub struct ExitSignals(Vec<Signal>);

impl ExitSignals {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the system has no more room for signal handlers.
    pub fn new() -> io::Result<Self> {
        let listen = |number: i32| signal(SignalKind::from_raw(number));
        let mut signals = Vec::new();
        for number in ENDS {
            signals.push(listen(number.as_raw())?);
        }
        let ignored = ignored();
        let others = UNEXPECTED.iter().map(|number| number.as_raw()).chain(REAL_TIME);
        let others = others.filter(|number| ignored >> (number - 1) & 1 == 0);
        signals.extend(others.filter_map(|number| listen(number).ok()));
        Ok(Self(signals))
    }

    /// Waits for the next signal.
    pub async fn recv(&mut self) {
        poll_fn(|cx| {
            let received = self.0.iter_mut().any(|signal| signal.poll_recv(cx).is_ready());
            if received { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// All signals that the screen handles.
#[derive(Debug)]
pub struct ScreenSignals {
    exit: ExitSignals,
    resize: Signal,
    stop: Signal,
    continued: Signal,
}

impl ScreenSignals {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the system has no more room for signal handlers.
    pub fn new() -> io::Result<Self> {
        let job_control = |number: Number| signal(SignalKind::from_raw(number.as_raw()));
        Ok(Self {
            exit: ExitSignals::new()?,
            resize: signal(SignalKind::window_change())?,
            stop: job_control(Number::TSTP)?,
            continued: job_control(Number::CONT)?,
        })
    }

    /// Waits for the next signal.
    pub async fn recv(&mut self) -> ScreenSignal {
        tokio::select! {
            () = self.exit.recv() => ScreenSignal::Exit,
            _ = self.resize.recv() => ScreenSignal::Resized,
            _ = self.stop.recv() => ScreenSignal::Stop,
            _ = self.continued.recv() => ScreenSignal::Continued,
        }
    }

    /// Whether a continuation follows a stop at once.
    pub async fn is_stop_cancelled(&mut self) -> bool {
        timeout(STOP_CANCEL_TIMEOUT, self.continued.recv()).await.is_ok()
    }
}

/// The interrupts, terminations and hang-ups from now on, as the exit codes that shells give them.
/// Signals that were ignored when the program started stay so.
///
/// # Errors
/// When the system has no more room for signal handlers.
pub fn exit_codes() -> io::Result<mpsc::UnboundedReceiver<u8>> {
    let (sender, signals) = mpsc::unbounded_channel();
    let ignored = ignored();
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        if ignored >> (kind.as_raw_value() - 1) & 1 == 1 {
            continue;
        }
        let (mut signal, sender) = (signal(kind)?, sender.clone());
        let code = 128 + u8::try_from(kind.as_raw_value()).unwrap_or(0);
        tokio::spawn(
            async move { while signal.recv().await.is_some() && sender.send(code).is_ok() {} },
        );
    }
    Ok(signals)
}

/// A bit for each signal that is ignored; none where the system does not tell.
fn ignored() -> u64 {
    // macOS has no /proc, but a `ps` that tells the same.
    fs::read_to_string("/proc/self/status").map_or_else(
        |_| {
            let id = process::id().to_string();
            let ps = Command::new("ps").args(["-o", "ignored=", "-p", &id]).output();
            ps.map_or(0, |ps| mask(&String::from_utf8_lossy(&ps.stdout)))
        },
        |status| status.lines().find_map(|line| line.strip_prefix("SigIgn:")).map_or(0, mask),
    )
}

/// A hexadecimal mask of signals; none if it is something else.
fn mask(text: &str) -> u64 {
    u64::from_str_radix(text.trim(), 16).unwrap_or(0)
}

/// Comes when standard output is closed, which matters where there is nothing to write for a long
/// time.
pub async fn output_closed() {
    let closed = tokio::task::spawn_blocking(|| {
        let output = stdout();
        // Without events, an error or the end is reported in any case.
        let mut output = [PollFd::new(&output, PollFlags::empty())];
        poll(&mut output, None).map(|_| output[0].revents())
    });
    // Not every system can wait for every kind of output.
    let closed = closed.await.is_ok_and(|of| of.is_ok_and(|of| !of.contains(PollFlags::NVAL)));
    if !closed {
        future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The way of macOS, tried where `ps` knows the same word.
    #[test]
    fn ps_tells_the_ignored_signals() {
        let script = "trap '' INT HUP; ps -o ignored= -p $$; exit $?";
        let Ok(ps) = Command::new("sh").args(["-c", script]).output() else { return };
        let text = String::from_utf8_lossy(&ps.stdout);
        if ps.status.code() == Some(127) {
            eprintln!("skipped: there is no ps");
            return;
        }
        let is_ignored = |signal: Number| mask(&text) >> (signal.as_raw() - 1) & 1 == 1;
        assert!(is_ignored(Number::INT) && is_ignored(Number::HUP), "{text:?}");
        assert_eq!(mask("SigIgn"), 0);
    }
}
