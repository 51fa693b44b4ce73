//! How far an import has come, on standard error when that is a terminal.

use std::io::{IsTerminal, stderr, stdin, stdout};
use std::time::{Duration, Instant};

use indicatif::{BinaryBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::system::os;
use crate::text::number::plural;
use crate::text::time::duration;

/// The bar is shown when an import takes longer.
const BAR_DELAY: Duration = Duration::from_millis(500);

const OF_FILE: &str = "{bar:24} {percent:>3}%  {msg} lines, {binary_bytes_per_sec}, {eta} left";
const OF_PIPE: &str = "{msg} lines, {binary_bytes}, {elapsed}";
const OF_WAIT: &str = "{msg}";

/// A bar on standard error, hidden until an import takes long.
#[derive(Debug)]
pub(super) struct ImportBar {
    bar: ProgressBar,
    /// Standard error is a terminal and standard input is none.
    wanted: bool,
    form: &'static str,
    /// Data would be written across it.
    same_terminal: bool,
    begun: Instant,
    lines: u64,
}

impl ImportBar {
    pub(super) fn for_input() -> Self {
        let size = os::files::input_size();
        let form = if size.is_some() { OF_FILE } else { OF_PIPE };
        let bar = ProgressBar::with_draw_target(size, ProgressDrawTarget::hidden());
        Self {
            bar: bar.with_style(style(form)),
            wanted: stderr().is_terminal()
                && !stdin().is_terminal()
                && os::terminal::lacks_for_screen().is_none(),
            form,
            same_terminal: stdout().is_terminal(),
            begun: Instant::now(),
            lines: 0,
        }
    }

    /// Whether the bar may be shown.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// So much more is answered.
    pub(super) fn add(&mut self, bytes: usize, lines: usize) {
        self.lines += lines as u64;
        self.bar.inc(bytes as u64);
        if self.is_seen() || self.begun.elapsed() >= BAR_DELAY {
            self.show(HumanCount(self.lines).to_string());
        }
    }

    /// The server is away for so long, and so much is buffered for it.
    pub(super) fn waits(&self, lines: u64, bytes: u64, away: Duration) {
        self.bar.set_style(style(OF_WAIT));
        let (lines, bytes) = (plural(lines, "line", "lines"), BinaryBytes(bytes));
        let away = duration(Duration::from_secs(away.as_secs()));
        self.show(format!("{lines} ({bytes}) kept for the server, away for {away}"));
    }

    /// The server is back.
    pub(super) fn goes_on(&self) {
        self.bar.set_message(HumanCount(self.lines).to_string());
        self.bar.set_style(style(self.form));
    }

    fn show(&self, message: String) {
        self.bar.set_message(message);
        if self.wanted && self.bar.is_hidden() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
    }

    /// Whether the bar was shown.
    pub(super) fn is_seen(&self) -> bool {
        !self.bar.is_hidden()
    }

    /// Since the beginning.
    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Writes data, with the bar out of the way where that is necessary.
    pub(super) fn aside_for_data<T>(&self, write: impl FnOnce() -> T) -> T {
        if self.same_terminal { self.aside(write) } else { write() }
    }

    /// Does something that writes to standard error, with the bar out of the way.
    pub(super) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }
}

impl Drop for ImportBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style(form: &str) -> ProgressStyle {
    // The forms are ours, so that there is no wrong one.
    let style = ProgressStyle::with_template(form);
    style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")
}
