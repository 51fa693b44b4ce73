//! The plain command that prints what is on the screen, for the shell.

use std::borrow::Cow;

use shared::{DEFAULT_HOST, DEFAULT_PORT};

use super::App;
use super::effect::Effect;
use super::format;
use super::log::Tone;
use super::mode::{Mode, Pane};
use super::watch::with_alerted;

impl App {
    pub(super) fn copy_command(&mut self) -> Vec<Effect> {
        let command = self.command();
        self.say(Tone::Good, format!("{}: {command}", self.copied()));
        vec![Effect::Copy(command)]
    }

    /// Whether something is copied; nothing tells, so in tmux that depends.
    pub(super) fn copied(&self) -> &'static str {
        if self.in_tmux { "copied, if tmux has set-clipboard on" } else { "copied" }
    }

    /// The command that prints the current view without a screen.
    pub fn command(&self) -> String {
        let mut words = vec![Cow::Borrowed("tui-client")];
        let (host, port) = self.address().rsplit_once(':').unwrap_or((self.address(), ""));
        if host != DEFAULT_HOST {
            words.extend(["--host".into(), quoted(shared::host::bare(host))]);
        }
        if port != DEFAULT_PORT.to_string() {
            words.extend(["--port".into(), quoted(port)]);
        }
        let watching = matches!(self.mode, Mode::Watch | Mode::Chart)
            || self.mode.pane().is_none()
                && self.layout().table.is_none()
                && self.pane == Pane::Watch;
        if watching && !self.watch.is_empty() {
            let interval = format::interval(self.interval());
            if interval != "1s" {
                words.extend([
                    "--interval".into(),
                    interval.trim_end_matches('s').to_owned().into(),
                ]);
            }
            for pattern in with_alerted(self.watch.patterns(), &[]) {
                // A key may begin with a dash.
                words.push(quoted(&format!("--watch={pattern}")).into_owned().into());
            }
            for alert in self.alerts() {
                words.push(quoted(&format!("--alert={alert}")).into_owned().into());
            }
            // Without it, the command would open the screen on a terminal.
            words.extend(["--format".into(), "text".into()]);
        } else {
            let request = self.table().request();
            if request.split(' ').any(|word| word.starts_with('-')) {
                words.push("--".into());
            }
            words.extend(request.split_whitespace().map(quoted));
        }
        words.join(" ")
    }
}

/// A word as any shell takes it for one.
fn quoted(word: &str) -> Cow<'_, str> {
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,+@%".contains(&byte);
    if !word.is_empty() && word.bytes().all(harmless) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', r"'\''")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        for (word, plain) in [
            ("palm.cpu", "palm.cpu"),
            ("*", "'*'"),
            ("it's", r"'it'\''s'"),
            ("$(reboot)", "'$(reboot)'"),
            ("火", "'火'"),
            ("~", "'~'"),
            ("!!", "'!!'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), plain);
        }
    }
}
