//! The shell command that prints the current view in plain mode.

use std::borrow::Cow;

use shared::{DEFAULT_HOST, DEFAULT_PORT, Glob, Key};

use crate::app::App;
use crate::app::table::Table;
use crate::app::watch::Watch;
use crate::keymap::{Mode, Pane};
use crate::metrics::column::Column;
use crate::metrics::sort::Sort;
use crate::request::selector::selector_of;

/// The shell command that prints the current view.
pub fn command(app: &App) -> String {
    let mut words = vec![Cow::Borrowed("tui-client")];
    let address = app.link().address();
    let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
    if host != DEFAULT_HOST {
        words.extend(["--host".into(), quoted(shared::host::bare(host))]);
    }
    if port != DEFAULT_PORT.to_string() {
        words.extend(["--port".into(), quoted(port)]);
    }
    let mode = app.mode();
    if mode == Mode::Chart
        && let Some(command) = chart_command(app.watch(), &words.join(" "))
    {
        return command;
    }
    let watching = matches!(mode, Mode::Watch | Mode::Chart)
        || mode.pane().is_none() && app.layout().table.is_none() && app.last_pane() == Pane::Watch;
    if watching && !app.watch().is_empty() {
        words.extend(watch_words(app));
    } else {
        words.extend(table_words(app.table()));
    }
    words.join(" ")
}

fn watch_words(app: &App) -> Vec<Cow<'_, str>> {
    let mut words: Vec<Cow<'_, str>> = Vec::new();
    let seconds = app.polling().interval().as_secs_f64().to_string();
    if seconds != "1" {
        words.extend(["--interval".into(), seconds.into()]);
    }
    let patterns = app.watch().shown_patterns();
    words.extend(patterns.iter().map(|pattern| option("watch", pattern.as_str())));
    words.extend(app.alerts().alerts().map(|alert| option("alert", alert.as_str())));
    // Without the option, the command would open the screen on a terminal.
    words.extend(["--format".into(), "text".into()]);
    words
}

/// The command that prints the points in the chart.
fn chart_command(watch: &Watch, program: &str) -> Option<String> {
    let shown: Vec<_> = watch.in_chart().filter_map(|key| key.series.as_ref()).collect();
    let keys: Vec<_> = shown.iter().map(|series| quoted(series.key.as_str())).collect();
    let get = match &keys[..] {
        [] => return None,
        [key] if key.starts_with('-') => format!("{program} get -- {key}"),
        [key] => format!("{program} get {key}"),
        keys => format!("printf 'get %s\\n' {} | {program}", keys.join(" ")),
    };
    let all_kept = shown.iter().all(|series| series.recent.len() as u64 == series.count);
    if watch.viewport().shows_all() && all_kept {
        return Some(get);
    }
    let (from, to) = watch.viewport().range(watch.chart_bounds()?);
    Some(format!("{get} | awk '$3 >= {from} && $3 <= {to}'"))
}

/// The arguments that print the rows of the table: its selector, and filter, order and columns
/// unless they are those of `--once`.
fn table_words(table: &Table) -> Vec<Cow<'_, str>> {
    let mut words: Vec<Cow<'_, str>> = vec!["--once".into()];
    match selector_of(table.request().as_bytes()) {
        Some("*") => {}
        Some(key) if Key::new(key).is_ok() => {
            // After --once such a word would be an error or an option.
            let special = matches!(key, "get" | "put") || key.starts_with('-');
            words.push(if special { option("watch", key) } else { quoted(key) });
        }
        Some(glob) if glob.parse::<Glob>().is_ok() && !table.answer().series.is_empty() => {
            words.push(quoted(glob));
        }
        // Only the server knows other selectors, so the request is passed on.
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

/// The columns that `--once` prints by default.
const DATA_LINE: [Column; 3] = [Column::Key, Column::Last, Column::Time];

/// An option as one word, because the value may begin with a dash.
fn option(name: &str, value: &str) -> Cow<'static, str> {
    format!("--{name}={}", quoted(value)).into()
}

/// A word, quoted for any shell.
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
