//! The shell command that prints the current view in plain mode.

use std::borrow::Cow;

use shared::{DEFAULT_HOST, DEFAULT_PORT, Glob};

use crate::app::App;
use crate::app::table::Table;
use crate::app::watch::{Watch, Watched};
use crate::keymap::{Mode, Pane, Shell};
use crate::metrics::column::Column;
use crate::metrics::filter::Filter;
use crate::metrics::series::Series;
use crate::metrics::sort::{Sort, TableSpec};
use crate::metrics::watch_plan::merged;
use crate::metrics::window::Window;
use crate::request::selector::selector_of;
use crate::sources::SourceLabel;

/// The reason for which some charts have no command.
const NO_PIPELINE: &str = "cmd and PowerShell print only one key with all its points";

/// The reason for which some lists of keys have no command.
const ONE_SELECTOR: &str = "cmd and PowerShell print one selector";

/// The reason for which some keys of runs have no command: lines of standard input are of no run.
const ONE_SELECTOR_OF_RUNS: &str = "with --prefix one selector is printed";

/// The reason for which some words have no quotes.
const NO_QUOTES: &str = "cmd and PowerShell can't both quote the characters \" $ ` % \\";

/// The shell command that prints the current view.
///
/// # Errors
/// When there is none for the shells of the system: the reason.
pub fn command(app: &App) -> Result<String, &'static str> {
    let shell = app.cx.abilities().shell;
    let mut words = vec![Cow::Borrowed("tui-client")];
    words.extend(server_words(app));
    let mode = app.mode();
    // At a place in time it is that of how things stood.
    if mode == Mode::Chart
        && past(app).is_none()
        && let Some(command) = chart_command(app.watch(), &words, shell)
    {
        return command;
    }
    if is_of_watch(app) {
        if let Some(at) = past(app) {
            let state = |keys| format!("{keys}[last@{at}]").into();
            let charted =
                || app.watch().in_chart().filter_map(|key| key.key.parse().ok()).collect();
            let shown = app.watch().shown_patterns();
            let shown = if mode == Mode::Chart { charted() } else { shown };
            let states: Vec<_> = merged(&shown).iter().map(state).collect();
            return gets(&words, &states, shell);
        }
        words.extend(watch_words(app));
    } else {
        match app.table().as_of() {
            Some(at) => {
                let glob = app.table().filter().and_then(Filter::glob).map_or("*", Glob::as_str);
                words.extend(["get".into(), format!("{glob}[last@{at}]").into()]);
            }
            None => {
                words.extend(table_words(app.table(), app.feed().has_selectors() == Some(true)));
            }
        }
    }
    quoted_line(&words, shell)
}

/// The place in time, where the server can say how things stood.
fn past(app: &App) -> Option<i64> {
    app.place().at().filter(|_| app.feed().has_selectors() == Some(true))
}

/// What the command does not have of the table: plain mode has no comparison and no filter of one, and of
/// another time than now no order and no filter but a glob.
pub fn left_out(app: &App) -> Vec<&'static str> {
    let table = app.table();
    if is_of_watch(app) {
        return Vec::new();
    }
    let is_past = table.as_of().is_some();
    let compares = |filter: &Filter| filter.compares(table.is_compared());
    let parts = [
        (is_past && table.filter().is_some_and(|it| it.glob().is_none()), "filter"),
        (is_past && table.sort() != Sort::default(), "order"),
        (table.is_compared(), "comparison"),
        (!is_past && table.filter().is_some_and(compares), "filter by how rows have moved"),
    ];
    parts.into_iter().filter(|(has, _)| *has).map(|(_, part)| part).collect()
}

/// The command that prints what is selected by some words; `program` is the client with its servers.
fn gets(
    program: &[Cow<'_, str>],
    words: &[Cow<'_, str>],
    shell: Shell,
) -> Result<String, &'static str> {
    let (line, quoted) = (quoted_line(program, shell)?, quoted_line(words, shell)?);
    match words {
        [word] if word.starts_with('-') => Ok(format!("{line} get -- {quoted}")),
        [_] => Ok(format!("{line} get {quoted}")),
        _ if shell == Shell::Windows => Err(ONE_SELECTOR),
        _ if program.iter().any(|word| word == PREFIX) => Err(ONE_SELECTOR_OF_RUNS),
        _ => Ok(format!("printf 'get %s\\n' {quoted} | {line}")),
    }
}

/// The option that names a run.
const PREFIX: &str = "--prefix";

/// The options that name the servers and the runs.
fn server_words(app: &App) -> Vec<Cow<'_, str>> {
    let mut words: Vec<Cow<'_, str>> = Vec::new();
    let mut add = |option: &'static str, value: String| {
        let is_known = words.windows(2).any(|pair| pair[0] == option && pair[1] == value);
        if !is_known {
            words.extend([option.into(), value.into()]);
        }
    };
    let labels = || app.sources().iter().map(|source| &source.label);
    for SourceLabel { name, address, .. } in labels().filter(|label| !label.name.is_empty()) {
        add("--host", format!("{name}={address}"));
    }
    if labels().all(|label| label.name.is_empty()) {
        let address = app.link().address();
        let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
        if host != DEFAULT_HOST {
            add("--host", shared::host::bare(host).to_owned());
        }
        if port != DEFAULT_PORT.to_string() {
            add("--port", port.to_owned());
        }
    }
    for SourceLabel { run, .. } in labels().filter(|label| !label.run.is_empty()) {
        add(PREFIX, run.clone());
    }
    words.extend(app.tls().iter().map(|word| word.as_str().into()));
    words
}

/// The command that opens a view file, with its path as typed, or the absolute one where quotes would
/// keep a shell from reading it.
pub fn opening(typed: &str, absolute: &str, shell: Shell) -> String {
    let is_home = typed.starts_with('~');
    let path = if is_home { absolute } else { typed };
    // What begins with a dash would be an option.
    let path = if path.starts_with('-') { Cow::Owned(format!("./{path}")) } else { path.into() };
    let quoted = quoted(&path, shell).unwrap_or_else(|_| path.to_string());
    format!("tui-client --view {quoted}")
}

/// The command prints the points of the watched keys as they come, and not those of a chart: what is
/// to be said, because a chart may be in sight.
pub fn prints_new_points(app: &App) -> bool {
    let is_chart = app.mode() == Mode::Chart && app.watch().chart_bounds().is_some();
    is_of_watch(app) && !is_chart && past(app).is_none()
}

/// It is a view of the watched keys.
fn is_of_watch(app: &App) -> bool {
    let mode = app.mode();
    let watching = matches!(mode, Mode::Watch | Mode::Chart)
        || mode.pane().is_none() && app.layout().table.is_none() && app.last_pane() == Pane::Watch;
    watching && !app.watch().is_empty()
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

/// The command that prints the points in the chart, if it has keys.
fn chart_command(
    watch: &Watch,
    program: &[Cow<'_, str>],
    shell: Shell,
) -> Option<Result<String, &'static str>> {
    let keys: Vec<&str> = watch.in_chart().map(|key| key.key.as_str()).collect();
    let bounds = watch.chart_bounds().filter(|_| !keys.is_empty())?;
    let (from, to) = watch.viewport().range(bounds);
    let shows_all = watch.viewport().shows_all(bounds);
    // A server with selectors is asked for the range alone, and for all keys at once.
    let selects = watch.in_chart().all(Watched::is_asked_for);
    let range = if selects && !shows_all { format!("[{from}:{to}]") } else { String::new() };
    let globs = keys.iter().filter_map(|key| key.parse().ok()).collect::<Vec<_>>();
    let patterns =
        if selects { merged(&globs) } else { keys.iter().map(ToString::to_string).collect() };
    let words: Vec<Cow<'_, str>> =
        patterns.iter().map(|pattern| format!("{pattern}{range}").into()).collect();
    let all_kept = |series: &Series| Some(series.recent().len() as u64) == series.count();
    let mut known = watch.in_chart().filter_map(|key| key.series.as_ref());
    let is_whole = selects || shows_all && known.all(all_kept);
    if shell == Shell::Windows && !(is_whole && words.len() == 1) {
        return Some(Err(NO_PIPELINE));
    }
    let get = gets(program, &words, shell);
    if is_whole {
        return Some(get);
    }
    Some(get.map(|get| format!("{get} | awk '$3 >= {from} && $3 <= {to}'")))
}

/// The arguments that print the rows of the table: filter, order and columns unless they are those of
/// `--once`, and the window, which a server without selectors has not.
fn table_words(table: &Table, has_selectors: bool) -> Vec<Cow<'_, str>> {
    let mut words: Vec<Cow<'_, str>> = vec!["--once".into()];
    let filter = table.filter().filter(|filter| !filter.compares(table.is_compared()));
    words.extend(filter.map(|filter| option("filter", filter.as_str())));
    // What rows are compared with is of the screen alone, and so is the course of a window: plain mode
    // has that of the last values.
    let is_course = |column| column == Column::Spark && has_selectors;
    let is_printed =
        |column: Column| !is_course(column) && Column::printed().any(|printed| printed == column);
    let sort = table.sort();
    let sort = if sort.column.is_none_or(is_printed) { sort } else { Sort::default() };
    if sort != Sort::default() {
        words.push(option("sort", &sort.to_string()));
    }
    let columns: Vec<_> = table.chosen().shown().filter(|&column| is_printed(column)).collect();
    if columns != DATA_LINE {
        let names: Vec<_> = columns.iter().copied().map(Column::word).collect();
        words.push(option("columns", &names.join(",")));
    }
    let shown = TableSpec { filter: filter.cloned(), sort, columns, window: table.window() };
    if has_selectors && shown.window != Window::All && !shown.needs().is_recent() {
        words.push(option("window", shown.window.name()));
    }
    words
}

/// The shell command that prints the whole answer to a typed `get`; none for a recording, or where a shell
/// has no quotes for it.
pub fn get_command(app: &App, request: &str) -> Option<String> {
    let selector = selector_of(request.as_bytes()).filter(|_| app.replayed().is_none())?;
    let mut words = vec![Cow::Borrowed("tui-client")];
    words.extend(server_words(app));
    gets(&words, &[Cow::Borrowed(selector)], app.cx.abilities().shell).ok()
}

/// The columns that `--once` prints by default.
const DATA_LINE: [Column; 3] = [Column::Key, Column::Last, Column::Time];

/// An option as one word, because the value may begin with a dash.
fn option(name: &str, value: &str) -> Cow<'static, str> {
    format!("--{name}={value}").into()
}

/// Words, each quoted where a shell needs it.
fn quoted_line(words: &[Cow<'_, str>], shell: Shell) -> Result<String, &'static str> {
    let quoted: Result<Vec<_>, _> = words.iter().map(|word| quoted(word, shell)).collect();
    Ok(quoted?.join(" "))
}

/// A word, quoted where a shell needs it; of an option the value.
fn quoted(word: &str, shell: Shell) -> Result<String, &'static str> {
    let harmless = match shell {
        Shell::Posix => &b"-_./:=,+@%"[..],
        Shell::Windows => b"-_./:=+",
    };
    let is_harmless = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_alphanumeric() || harmless.contains(&byte))
    };
    let end_of_name =
        word.find('=').filter(|&end| word.starts_with("--") && is_harmless(&word[..end]));
    let (name, value) = word.split_at(end_of_name.map_or(0, |end| end + 1));
    // PowerShell splits a word such as -v.x.
    let splits = shell == Shell::Windows && name.is_empty() && is_split(value);
    if !value.is_empty() && is_harmless(value) && !splits {
        return Ok(word.to_owned());
    }
    match shell {
        Shell::Posix => Ok(format!("{name}'{}'", value.replace('\'', r"'\''"))),
        // PowerShell takes the quotes of books for its own.
        Shell::Windows if value.contains(['"', '$', '`', '%', '“', '”', '„']) => {
            Err(NO_QUOTES)
        }
        // It would keep the quote from ending the word.
        Shell::Windows if value.ends_with('\\') => Err(NO_QUOTES),
        Shell::Windows => Ok(format!("{name}\"{value}\"")),
    }
}

/// Whether PowerShell takes a part of the word for an option.
fn is_split(word: &str) -> bool {
    word.starts_with('-') && !word.starts_with("--") && word.contains(['.', ':'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_opened_by_its_path_whatever_it_begins_with() {
        let shell = Shell::Posix;
        for (typed, expected) in [
            ("palm.toml", "tui-client --view palm.toml"),
            ("-x.toml", "tui-client --view ./-x.toml"),
            ("~/my palm.toml", "tui-client --view '/home/me/my palm.toml'"),
        ] {
            assert_eq!(opening(typed, "/home/me/my palm.toml", shell), expected);
        }
    }

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        for (word, posix, windows) in [
            ("palm.cpu", "palm.cpu", Some("palm.cpu")),
            ("*", "'*'", Some("\"*\"")),
            ("it's", r"'it'\''s'", Some("\"it's\"")),
            ("a,b", "a,b", Some("\"a,b\"")),
            ("-v.x", "-v.x", Some("\"-v.x\"")),
            ("--watch=-v.x", "--watch=-v.x", Some("--watch=-v.x")),
            ("--filter=last > 1", "--filter='last > 1'", Some("--filter=\"last > 1\"")),
            ("--a b=c", "'--a b=c'", Some("\"--a b=c\"")),
            ("火", "'火'", Some("\"火\"")),
            ("~", "'~'", Some("\"~\"")),
            ("!!", "'!!'", Some("\"!!\"")),
            ("", "''", Some("\"\"")),
            ("$(reboot)", "'$(reboot)'", None),
            ("`reboot`", "'`reboot`'", None),
            ("%PATH%", "%PATH%", None),
            ("say \"a\"", "'say \"a\"'", None),
            ("“a”", "'“a”'", None),
            ("a b\\", "'a b\\'", None),
        ] {
            assert_eq!(quoted(word, Shell::Posix).as_deref(), Ok(posix));
            assert_eq!(
                quoted(word, Shell::Windows).as_deref(),
                windows.ok_or(&NO_QUOTES),
                "{word}"
            );
        }
    }
}
