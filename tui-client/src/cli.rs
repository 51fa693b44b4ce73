//! The command line, parsed and checked into a [`Plan`].

mod look;
mod manual;
mod servers;
#[cfg(test)]
mod tests;
mod view;

use std::ffi::OsString;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, CommandFactory, FromArgMatches, Parser, ValueEnum};
use clap_complete::Shell;
use jiff::tz::TimeZone;
use shared::client::ConnectOptions;
use shared::host::Host;
use shared::{DEFAULT_HOST, Glob, Key};

use crate::clock::unix_now;
use crate::metrics::alerts::Alert;
use crate::metrics::column::Column;
use crate::metrics::filter::Filter;
use crate::metrics::sort::{Sort, TableSpec};
use crate::metrics::watch_plan::with_alerted;
use crate::metrics::window::Window;
use crate::request::command::Command as Word;
use crate::request::deletion::selector_to_delete;
use crate::session::View;
use crate::session::view_file::ViewFile;
use crate::sources::Source;
use crate::text::moment;
use crate::text::nearest::nearest;
pub use look::{GlyphSet, ScreenOptions, ThemeName, When};
use servers::{NamedHost, Servers};

/// A terminal client for the metrics server.
#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "a field for each option")]
#[command(name = "tui-client", args_override_self = true, version, long_version = shared::BUILD, about = "A terminal client for the metrics server: prompt, wire log, live table, charts", after_help = "--help says more, with examples", after_long_help = manual::after_options())]
struct Args {
    /// Where the server is; its port may stand behind it, as in 127.0.0.1:10001. Repeated, the servers
    /// are in one view, their keys behind NAME/: the host up to its first dot, unless NAME= says another
    #[arg(long, value_name = "[NAME=]HOST", default_value = DEFAULT_HOST)]
    host: Vec<NamedHost>,

    /// Its port; of several hosts, that of those without one behind them [default: 10001]
    #[arg(long, value_name = "PORT", value_parser = port)]
    port: Option<u16>,

    /// Speak TLS; the certificate of each server has to be for the name in its --host
    #[arg(long)]
    tls: bool,

    /// With --tls: believe the CAs in FILE (PEM) and no others [default: those that Mozilla believes]
    #[arg(long, value_name = "FILE", requires = "tls")]
    ca: Option<PathBuf>,

    /// With --tls: show the certificate in FILE (PEM) to a server that wants one
    #[arg(long, value_name = "FILE", requires_all = ["tls", "key"])]
    cert: Option<PathBuf>,

    /// The key of that certificate (PEM, without a password)
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,

    /// Seconds between two polls, such as 0.5; a server that knows selectors is not polled by --watch
    /// in a pipe
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    interval: Duration,

    /// Watch a key, or all keys that match a glob such as 'palm.*': value, change and a chart
    /// over time; may be repeated
    #[arg(long, value_name = "KEY")]
    watch: Vec<Glob>,

    /// Alert on a condition such as 'palm.cpu > 90', '*.temp rate > 2', 'palm.cpu age > 1m', also
    /// when it held only between two polls: on the screen, the bell, a marked row and a line in the
    /// chart; in a pipe, a message on standard error and exit code 4; may be repeated
    #[arg(long, value_name = "KEY [COLUMN] OP NUMBER", value_parser = alert)]
    alert: Vec<Alert>,

    /// With --alert in plain mode: run a command in the shell when an alert fires, when it is resolved
    /// and when its key has no points any more; Environment says how it is told of them
    #[arg(long, value_name = "COMMAND", requires = "alert")]
    exec: Option<String>,

    /// With --watch in plain mode: print the points of this time first, such as 15m, 6h or 7d, or those
    /// since 3:05, 3:12am, today, 'last night' or 'yesterday 9:00', instead of the last point of each key
    #[arg(long, value_name = "AGE", requires = "watch", value_parser = since)]
    since: Option<shared::duration::Duration>,

    /// Print the last point of each key, or of these keys and globs, and exit; a key without points
    /// is named on standard error, and it is a failure when none has any
    #[arg(long)]
    once: bool,

    /// With --once or on the screen: only the keys that match, as after / in the table: a part of
    /// the key, a glob or an expression such as 'last > 20 and age < 1m'; a key is stale after 5
    /// times its usual step without a point, but at least 30s, or 5m after its only point
    #[arg(long, value_name = "EXPR")]
    filter: Option<Filter>,

    /// With --once or on the screen: sort by a column, ascending; with a dash, as in --sort -rate,
    /// descending; reply is the order of the server
    #[arg(long, value_name = "[-]COLUMN", allow_hyphen_values = true, value_parser = sort())]
    sort: Option<Sort>,

    /// With --once or on the screen: these columns, such as key,last,rate; times in seconds
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', value_parser = one_of(Column::printed().map(Column::word), Column::named))]
    columns: Vec<Column>,

    /// Numbers and trends of the table are of this time [default: 15m; with --once: all]; a server
    /// without selectors is asked for all points
    #[arg(long, value_name = "WINDOW", value_parser = one_of(Window::ALL.map(Window::name), Window::named))]
    window: Option<Window>,

    /// How plain mode prints points [default: text]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,

    /// Requests from a pipe or a file: reconnect when the server is away, buffer up to 64 MiB of
    /// input meanwhile, and resend what was not answered; a `get` whose reply broke off in the
    /// middle is not sent again and ends it
    #[arg(long, conflicts_with_all = ["request", "watch", "alert", "once"])]
    retry: bool,

    /// Read lines `NAME VALUE [TIME]` from a pipe or a file instead of requests, and put each; one
    /// without a time gets that at which it came, in whole seconds
    #[arg(long, conflicts_with_all = ["request", "watch", "alert", "once"])]
    put: bool,

    /// With --put: goes before each name; its last dot is part of it, as in `run1.`. Otherwise only the
    /// keys that begin with it; repeated, runs that are laid over each other: times of earlier ones are
    /// shifted, so that all begin with the last one
    #[arg(long, value_name = "PREFIX", value_parser = prefix)]
    prefix: Vec<String>,

    /// With del: do not ask; with requests from a pipe or a file: send a del, which is refused else
    #[arg(long)]
    yes: bool,

    /// Seconds without any byte of a reply that is due, after which the connection is closed
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    timeout: Duration,

    #[command(flatten)]
    screen: ScreenOptions,

    /// Show a session that ctrl-s has saved on a screen: its view, points and log, without a server and
    /// with the same keys; times are of this machine's zone
    #[arg(long, value_name = "FILE", conflicts_with_all = ["host", "port", "tls", "interval", "watch", "alert", "exec", "since", "once", "filter", "sort", "columns", "window", "format", "retry", "put", "prefix", "yes", "timeout", "raw_log", "request"])]
    replay: Option<PathBuf>,

    /// The screen as a file says, which V on a screen writes and any editor: what is watched, alerts,
    /// filter, order, columns, panes, server, look. An option beside it goes before what the file says;
    /// --watch and --alert add to it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["exec", "since", "once", "format", "retry", "put", "yes", "replay", "request"])]
    view: Option<PathBuf>,

    /// Print the completions for a shell and exit
    #[arg(long, value_name = "SHELL")]
    completions: Option<Shell>,

    /// Print the manual page and exit
    #[arg(long)]
    man: bool,

    /// Memory for the log of the screen, in MiB; the oldest lines are dropped. Up to 65535, on
    /// 32-bit machines 1024
    #[arg(long, value_name = "MIB", default_value = "64", value_parser = log_memory)]
    log_memory: usize,

    /// Log every line that goes over the wire, polls too, instead of excerpts
    #[arg(long)]
    raw_log: bool,

    /// A request, such as: get palm.cpu; Modes and Examples say which points a get may ask for
    #[arg(value_name = "REQUEST")]
    request: Vec<String>,
}

/// One of some names, listed in the help and in completions.
fn one_of<T: Clone + Send + Sync + 'static>(
    names: impl IntoIterator<Item = impl Into<PossibleValue>>,
    find: fn(&str) -> Option<T>,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(names).try_map(move |name| find(&name).ok_or("no such name"))
}

/// A column, or one behind a dash for the descending order; the help lists those without.
fn sort() -> impl TypedValueParser<Value = Sort> {
    let ascending = Sort::words().map(PossibleValue::new);
    let descending = Sort::words().map(|word| PossibleValue::new(format!("-{word}")).hide(true));
    one_of(ascending.chain(descending), Sort::named)
}

/// The beginning of a key, or nothing.
fn prefix(text: &str) -> Result<String, String> {
    let is_empty = text.is_empty();
    Key::new(text).map(drop).or_else(|why| if is_empty { Ok(()) } else { Err(why.to_string()) })?;
    Ok(text.to_owned())
}

/// An alert. Without quotes a shell takes its `>` and what follows.
fn alert(text: &str) -> Result<Alert, String> {
    let is_cut = !text.contains(['<', '>', '=']);
    let hint = if is_cut { "; in a shell all of it goes in quotes: 'palm.cpu > 90'" } else { "" };
    text.parse().map_err(|why| format!("{why}{hint}"))
}

/// A port that a server can have.
fn port(text: &str) -> Result<u16, String> {
    let port = text.parse().ok().filter(|&port| port > 0);
    port.ok_or_else(|| "a port is a number from 1 to 65535".to_owned())
}

/// How long ago: a span, or the time until now from a moment.
fn since(text: &str) -> Result<shared::duration::Duration, String> {
    if let Ok(age) = text.parse() {
        return Ok(age);
    }
    // Not the seconds since 1970 that it would be in a selector.
    if text.len() < 9 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("a span has a unit, such as 15m, 6h or 7d".to_owned());
    }
    let now = unix_now();
    let at = moment::parse(text, now, &TimeZone::system()).map_err(|why| {
        let why = why.strip_prefix("no time: ").unwrap_or(&why);
        format!("a span such as 15m, or a time {why}")
    })?;
    let age = now.checked_sub(at).and_then(shared::duration::Duration::from_seconds);
    age.ok_or_else(|| format!("{text} is still to come"))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds, such as 0.5".to_owned())?;
    if (0.01..=86_400.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("from 0.01 seconds to 86400".to_owned())
    }
}

/// Most memory for the log, in MiB: a 32-bit machine has an address space of 3 or 4 GiB.
const MAX_LOG_MEMORY: usize = if cfg!(target_pointer_width = "64") { 65_535 } else { 1024 };

/// Reads a number of MiB; answers bytes.
fn log_memory(text: &str) -> Result<usize, String> {
    let mib = text.parse().ok().filter(|mib| (1..=MAX_LOG_MEMORY).contains(mib));
    let mib = mib.ok_or_else(|| format!("a number of MiB from 1 to {MAX_LOG_MEMORY}"))?;
    Ok(mib << 20)
}

/// The time between two polls unless another one is asked for.
const USUAL_INTERVAL: Duration = Duration::from_secs(1);

/// The command line, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The server, and the timeouts of its connection; the first of several.
    pub server: ConnectOptions,
    /// The servers in one view; none for one without a name.
    pub sources: Vec<Source>,
    /// The options of TLS, as they were typed.
    pub tls: Vec<String>,
    /// The time between two polls.
    pub interval: Duration,
    /// Requests are sent again after a lost connection.
    pub retry: bool,
    /// Lines of standard input are the data of puts, with this before their names, not requests.
    pub put: Option<String>,
    /// Points are deleted without a question.
    pub yes: bool,
    /// The command for alerts.
    pub exec: Option<String>,
    /// A watch prints points of this age first.
    pub since: Option<shared::duration::Duration>,
    /// How plain mode prints points.
    pub format: Format,
    /// How the screen looks.
    pub screen: ScreenOptions,
    /// Memory for the log, in bytes.
    pub log_memory: usize,
    /// The log gets every line that goes over the wire.
    pub raw_log: bool,
    /// The alerts from the start.
    pub alerts: Vec<Alert>,
    /// Filter, order and columns of the table.
    pub table: TableSpec,
    /// The view of the screen: that of a file where there is one, with what the options say.
    pub view: View,
    /// The file that the view is from.
    pub view_file: Option<PathBuf>,
    /// The mode with its arguments.
    pub mode: RunMode,
}

/// How points are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The lines of the protocol.
    #[default]
    Text,
    /// An object a line.
    Json,
    /// Comma-separated values with a header.
    Csv,
}

/// The mode: the screen, plain mode in one of its forms, or text about the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunMode {
    /// The screen, with these keys watched.
    Screen(Vec<Glob>),
    /// The screen, with the saved session of this file.
    Replay(PathBuf),
    /// Plain: one request.
    Request(String),
    /// Plain: the points of this selector are deleted.
    Delete(String),
    /// Plain: requests from standard input.
    Input,
    /// Plain: new points of these keys.
    Watch(Vec<Glob>),
    /// Plain: the last point of these keys, or of all when there are none.
    Once(Vec<Glob>),
    /// Plain: this text, such as the manual page.
    Print(Vec<u8>),
}

impl Plan {
    /// As [`Plan::parse_with`], where no view file can be opened.
    ///
    /// # Errors
    /// The same, and for a command line that names a view file.
    pub fn parse<T: Into<OsString>>(
        args: impl IntoIterator<Item = T>,
        interactive: bool,
    ) -> Result<Self, clap::Error> {
        Self::parse_with(args, interactive, |_| Err("no file can be opened here".to_owned()))
    }

    /// Reads the command line. `interactive` says that both input and output are a terminal; `open`
    /// reads a view file.
    ///
    /// # Errors
    /// For `--help`, `--version` and mistakes, ready to be printed.
    pub fn parse_with<T: Into<OsString>>(
        args: impl IntoIterator<Item = T>,
        interactive: bool,
        open: impl FnOnce(&Path) -> Result<ViewFile, String>,
    ) -> Result<Self, clap::Error> {
        let words: Vec<_> = mark_numbers(args.into_iter().map(Into::into)).collect();
        let given = Args::command().try_get_matches_from(&words).map_err(plausible)?;
        let args = Args::from_arg_matches(&given)?;
        let Some(path) = &args.view else { return Self::of(args, View::default(), interactive) };
        // What is wrong with the file comes first: a terminal would not help.
        let file = open(path).map_err(|why| view::unreadable(&why))?;
        if !interactive {
            let why = "--view needs a terminal for its screen";
            return Err(usage_error(ErrorKind::ArgumentConflict, why));
        }
        let panes = file.panes().clone();
        Self::of(view::with_view(words, &given, &file)?, panes, interactive)
    }

    /// The plan of arguments, with the panes of a view.
    fn of(mut args: Args, panes: View, interactive: bool) -> Result<Self, clap::Error> {
        for word in &mut args.request {
            if let Some(typed) = word.strip_prefix(MARK) {
                *word = typed.to_owned();
            }
        }
        if args.once {
            let keys = std::mem::take(&mut args.request);
            args.watch.extend(parse_keys(&keys)?);
        }
        if !(args.request.is_empty() || args.watch.is_empty() && args.alert.is_empty()) {
            let why = "--watch and --alert go with --once, or without a REQUEST";
            return Err(usage_error(ErrorKind::ArgumentConflict, why));
        }
        let table = table_spec(&mut args)?;
        let watch = with_alerted(&args.watch, &args.alert);
        let is_plain = args.format.is_some() || args.retry || args.put;
        let is_plain = is_plain || args.exec.is_some() || args.since.is_some();
        if let [word] = &args.request[..] {
            check_only_word(word)?;
        }
        let request = args.request.join(" ");
        let deleted = selector_to_delete(&request).map(str::to_owned);
        let mode = if let Some(shell) = args.completions {
            RunMode::Print(manual::completions(shell))
        } else if args.man {
            RunMode::Print(manual::manual())
        } else if let Some(path) = args.replay.take() {
            if !interactive && !path.exists() {
                let why = format!("{}: there is no such file", path.display());
                return Err(view::unreadable(&why));
            }
            if !interactive {
                let why = "--replay needs a terminal for its screen";
                return Err(usage_error(ErrorKind::ArgumentConflict, why));
            }
            RunMode::Replay(path)
        } else if let Some(selector) = deleted {
            RunMode::Delete(selector)
        } else if !args.request.is_empty() {
            RunMode::Request(request)
        } else if args.once {
            RunMode::Once(watch)
        } else if interactive && !is_plain {
            RunMode::Screen(std::mem::take(&mut args.watch))
        } else if watch.is_empty() {
            RunMode::Input
        } else {
            RunMode::Watch(watch)
        };
        let can_delete = matches!(mode, RunMode::Delete(_) | RunMode::Input) && !args.put;
        if args.yes && !can_delete {
            let why = "--yes goes with del, or with requests from a pipe";
            return Err(usage_error(ErrorKind::ArgumentConflict, why));
        }
        let has_table = matches!(mode, RunMode::Once(_) | RunMode::Screen(_) | RunMode::Print(_));
        if args.window.is_some() && !has_table {
            let why = "--window goes with --once, or with the screen";
            return Err(usage_error(ErrorKind::ArgumentConflict, why));
        }
        let of_all = |alert: &Alert| !alert.needs().is_recent();
        if args.window.is_some() && args.once && args.alert.iter().any(of_all) {
            let why = "an alert on min, max, avg or count is about all points, not about --window";
            return Err(usage_error(ErrorKind::ArgumentConflict, why));
        }
        if table != TableSpec::default() && !has_table {
            let why = "--filter, --sort and --columns go with --once, or with the screen";
            return Err(usage_error(ErrorKind::ArgumentConflict, why));
        }
        let Servers { server, sources, put, tls } = Servers::of(&mut args, &mode)?;
        let view = View {
            watch: if let RunMode::Screen(watch) = &mode { watch.clone() } else { Vec::new() },
            alerts: args.alert.clone(),
            table: table.clone(),
            raw_log: args.raw_log,
            interval: Some(args.interval).filter(|&interval| interval != USUAL_INTERVAL),
            look: args.screen.look(),
            ..panes
        };
        let view = servers::shown(view, &server, &sources);
        Ok(Self {
            server,
            sources,
            tls,
            interval: args.interval,
            retry: args.retry,
            put,
            yes: args.yes,
            exec: args.exec,
            since: args.since,
            format: args.format.unwrap_or_default(),
            screen: args.screen,
            log_memory: args.log_memory,
            raw_log: args.raw_log,
            alerts: args.alert,
            table,
            view,
            view_file: args.view,
            mode,
        })
    }
}

/// A mistake without a guess that is too far from what was typed to have been meant.
fn plausible(mut error: clap::Error) -> clap::Error {
    /// The columns of what rows are compared with.
    const COMPARED: [&str; 2] = ["moved", "percent"];
    if let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue)
        && COMPARED.contains(&value.trim_start_matches('-'))
        && error.kind() == ErrorKind::InvalidValue
    {
        return usage_error(ErrorKind::ValueValidation, of_comparison(value));
    }
    let pairs = [
        (ContextKind::InvalidArg, ContextKind::SuggestedArg),
        (ContextKind::InvalidValue, ContextKind::SuggestedValue),
    ];
    for (typed, suggested) in pairs {
        let text = |kind| match error.get(kind) {
            Some(ContextValue::String(text)) => Some(text.trim_start_matches('-').to_owned()),
            Some(ContextValue::Strings(texts)) => texts.first().cloned(),
            _ => None,
        };
        let (Some(typed), Some(guess)) = (text(typed), text(suggested)) else { continue };
        if nearest(&typed, [guess.as_str()]).is_none() {
            error.remove(suggested);
        }
    }
    error
}

/// Why a value is refused where rows are compared with nothing.
fn of_comparison(value: &str) -> String {
    format!(
        "{value} is of a comparison, which the screen alone has: C there compares with a mark or a time"
    )
}

fn usage_error(kind: ErrorKind, why: impl Display) -> clap::Error {
    Args::command().error(kind, why)
}

fn table_spec(args: &mut Args) -> Result<TableSpec, clap::Error> {
    let columns = std::mem::take(&mut args.columns);
    let twice = (0..).zip(&columns).find(|&(at, column)| columns[..at].contains(column));
    if let Some((_, column)) = twice {
        // The columns are the names in a JSON object, too.
        let why = format!("--columns has {} twice", column.word());
        return Err(usage_error(ErrorKind::ValueValidation, why));
    }
    let (filter, sort) = (args.filter.take(), args.sort.unwrap_or_default());
    if let Some(filter) = filter.as_ref().filter(|filter| args.once && filter.compares(false)) {
        return Err(usage_error(ErrorKind::ValueValidation, of_comparison(filter.as_str())));
    }
    let usual = if args.once { Window::All } else { Window::default() };
    Ok(TableSpec { filter, sort, columns, window: args.window.unwrap_or(usual) })
}

/// A word that is no request, but was meant for something else.
fn check_only_word(word: &str) -> Result<(), clap::Error> {
    if Word::parse(word) == Some(Word::Help) {
        return Args::try_parse_from(["tui-client", "--help"]).map(drop);
    }
    let has_port = word.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if has_port && word.parse::<Host>().is_ok() {
        let why = format!("{word} is no request; the server is given as --host {word}");
        return Err(usage_error(ErrorKind::UnknownArgument, why));
    }
    Ok(())
}

/// The keys and globs behind `--once`.
fn parse_keys(keys: &[String]) -> Result<Vec<Glob>, clap::Error> {
    let invalid = |why: String| usage_error(ErrorKind::ValueValidation, why);
    if let Some(command @ ("put" | "get")) = keys.first().map(String::as_str) {
        return Err(invalid(format!("--once takes keys and globs, without {command}")));
    }
    // What is in brackets may be a time that `get` explains.
    if let Some(selector) = keys.iter().find(|key| key.contains('[')) {
        let why = "--once takes keys and globs; a range or [last] goes with get:";
        return Err(invalid(format!("{why} tui-client get '{selector}'")));
    }
    keys.iter().map(|key| key.parse().map_err(|why| invalid(format!("{key}: {why}")))).collect()
}

/// The prefix of a word that clap would take for an option; no argument can contain this character.
const MARK: char = '\0';

/// Marks numbers such as `-7`, `-.5` and `-1e-3`, which no option looks like, as words of the
/// request. The value of an option is not marked.
fn mark_numbers(args: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    let command = Args::command();
    let takes_next = move |word: &str| {
        let takes_next =
            |arg: &&Arg| arg.get_action().takes_values() && !arg.is_require_equals_set();
        let mut options = command.get_arguments().filter(takes_next);
        let name = word.strip_prefix("--");
        name.is_some_and(|name| options.any(|option| option.get_long() == Some(name)))
    };
    let (mut taken, mut all_words) = (false, false);
    args.map(move |arg| {
        let text = arg.to_str().unwrap_or_default();
        let number = text.strip_prefix('-').is_some_and(|number| {
            number.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        });
        let mark = number && !taken && !all_words;
        all_words = all_words || (text == "--" && !taken);
        taken = !taken && takes_next(text);
        if mark { format!("{MARK}{text}").into() } else { arg }
    })
}
