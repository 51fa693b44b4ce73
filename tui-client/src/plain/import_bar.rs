//! How far an import has come, on standard error, where a person looks on.

use std::fs::File;
use std::io::{IsTerminal, stderr, stdin, stdout};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use indicatif::{BinaryBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::text::number::plural;
use crate::text::time::duration;

/// An import that is over sooner has nothing to show.
const SHORT: Duration = Duration::from_millis(500);

const OF_FILE: &str = "{bar:24} {percent:>3}%  {msg} lines, {binary_bytes_per_sec}, {eta} left";
const OF_PIPE: &str = "{msg} lines, {binary_bytes}, {elapsed}";
const OF_WAIT: &str = "{msg}";

/// The bar, or nothing at all.
#[derive(Debug)]
pub(super) struct ImportBar {
    bar: Option<ProgressBar>,
    form: &'static str,
    /// Data would be written across it.
    same_terminal: bool,
    begun: Instant,
    lines: u64,
}

impl ImportBar {
    /// A bar, if standard error is a terminal and standard input is none.
    pub(super) fn for_input() -> Self {
        let wanted = stderr().is_terminal() && !stdin().is_terminal();
        let size = size_of_input();
        let form = if size.is_some() { OF_FILE } else { OF_PIPE };
        let bar = wanted.then(|| {
            let hidden = ProgressBar::with_draw_target(size, ProgressDrawTarget::hidden());
            hidden.with_style(style(form))
        });
        Self { bar, form, same_terminal: stdout().is_terminal(), begun: Instant::now(), lines: 0 }
    }

    /// A person may look on.
    pub(super) fn is_wanted(&self) -> bool {
        self.bar.is_some()
    }

    /// So much more is answered.
    pub(super) fn add(&mut self, bytes: usize, lines: usize) {
        self.lines += lines as u64;
        let Some(bar) = &self.bar else { return };
        bar.inc(bytes as u64);
        if self.is_seen() || self.begun.elapsed() >= SHORT {
            self.show(HumanCount(self.lines).to_string());
        }
    }

    /// The server is away for so long, and so much is kept for it.
    pub(super) fn waits(&self, lines: u64, bytes: u64, away: Duration) {
        let Some(bar) = &self.bar else { return };
        bar.set_style(style(OF_WAIT));
        let (lines, bytes) = (plural(lines, "line", "lines"), BinaryBytes(bytes));
        self.show(format!(
            "{lines} ({bytes}) kept for the server, away for {}",
            duration(Duration::from_secs(away.as_secs()))
        ));
    }

    /// The server is back.
    pub(super) fn goes_on(&self) {
        let Some(bar) = &self.bar else { return };
        bar.set_message(HumanCount(self.lines).to_string());
        bar.set_style(style(self.form));
    }

    fn show(&self, message: String) {
        let Some(bar) = &self.bar else { return };
        bar.set_message(message);
        if bar.is_hidden() {
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        }
    }

    /// A person has seen the bar.
    pub(super) fn is_seen(&self) -> bool {
        self.bar.as_ref().is_some_and(|bar| !bar.is_hidden())
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
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

impl Drop for ImportBar {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style(form: &str) -> ProgressStyle {
    // The forms are ours, so that there is no wrong one.
    let style = ProgressStyle::with_template(form);
    style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")
}

/// The size of standard input, if it is a file.
fn size_of_input() -> Option<u64> {
    let file = File::from(stdin().as_fd().try_clone_to_owned().ok()?);
    let data = file.metadata().ok()?;
    data.is_file().then_some(data.len())
}
