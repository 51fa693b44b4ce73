//! The plain command that prints what is on the screen, for the shell.

use std::borrow::Cow;

use shared::{DEFAULT_HOST, DEFAULT_PORT, Glob, Key};

use crate::app::App;
use crate::app::log::Tone;
use crate::app::mode::{Mode, Pane};
use crate::effect::Effect;
use crate::metrics::column::Column;
use crate::metrics::sort::Sort;
use crate::request::selector::selector_of;
use crate::text::format;

impl App {
    pub(crate) fn copy_command(&mut self) -> Vec<Effect> {
        let command = self.command();
        self.say(Tone::Good, format!("{}: {command}", self.copied()));
        vec![Effect::Copy(command)]
    }

    /// Whether something is copied; nothing tells, so in tmux that depends.
    pub(crate) fn copied(&self) -> &'static str {
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
        if self.mode == Mode::Chart
            && let Some(command) = self.chart_command(&words.join(" "))
        {
            return command;
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
            for pattern in self.watch.shown_patterns() {
                words.push(option("watch", pattern.as_str()));
            }
            for alert in self.alerts() {
                words.push(option("alert", alert.as_str()));
            }
            // Without it, the command would open the screen on a terminal.
            words.extend(["--format".into(), "text".into()]);
        } else {
            words.extend(self.table_words());
        }
        words.join(" ")
    }

    /// What prints the points in the chart.
    fn chart_command(&self, program: &str) -> Option<String> {
        let shown: Vec<_> = self.in_chart().filter_map(|key| key.series.as_ref()).collect();
        let keys: Vec<_> = shown.iter().map(|series| quoted(series.key.as_str())).collect();
        let get = match &keys[..] {
            [] => return None,
            [key] if key.starts_with('-') => format!("{program} get -- {key}"),
            [key] => format!("{program} get {key}"),
            keys => format!("printf 'get %s\\n' {} | {program}", keys.join(" ")),
        };
        let all_kept = shown.iter().all(|series| series.recent.len() as u64 == series.count);
        if self.look.shows_all() && all_kept {
            return Some(get);
        }
        let (from, to) = self.look.range(self.chart_bounds()?);
        Some(format!("{get} | awk '$3 >= {from} && $3 <= {to}'"))
    }

    /// What prints the rows of the table: the keys that it was asked for, and how it is arranged as
    /// far as `--once` would not do it so by itself.
    fn table_words(&self) -> Vec<Cow<'_, str>> {
        let table = self.table();
        let mut words: Vec<Cow<'_, str>> = vec!["--once".into()];
        match selector_of(table.request().as_bytes()) {
            Some("*") => {}
            Some(key) if Key::new(key).is_ok() => {
                // Behind --once that would be a mistake, or an option.
                let special = matches!(key, "get" | "put") || key.starts_with('-');
                words.push(if special { option("watch", key) } else { quoted(key) });
            }
            Some(glob) if glob.parse::<Glob>().is_ok() && !table.answer().series.is_empty() => {
                words.push(quoted(glob));
            }
            // Only the server knows what it means, and whether it means anything.
            _ => {
                let dash = table.request().split(' ').any(|word| word.starts_with('-'));
                let separator = dash.then_some("--".into());
                let request = table.request().split_whitespace().map(quoted);
                return separator.into_iter().chain(request).collect();
            }
        }
        words.extend(table.filter().map(|filter| option("filter", filter.as_str())));
        if table.sort() != Sort::default() {
            words.push(option("sort", &table.sort().to_string()));
        }
        let columns: Vec<_> = table.chosen().shown().collect();
        if columns != DATA_LINE {
            let names: Vec<_> = columns.into_iter().map(Column::word).collect();
            words.push(option("columns", &names.join(",")));
        }
        words
    }
}

/// The columns that `--once` prints by itself.
const DATA_LINE: [Column; 3] = [Column::Key, Column::Last, Column::Time];

/// An option as one word, because what it takes may begin with a dash.
fn option(name: &str, value: &str) -> Cow<'static, str> {
    format!("--{name}={}", quoted(value)).into()
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
