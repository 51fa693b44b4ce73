//! `--view FILE`: what the file says, as arguments before those of the command line.

#[cfg(test)]
mod tests;

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser};
use shared::host::Host;

use super::{Args, Plan};
use crate::session::View;
use crate::session::view_file::{OptionValue, ViewFile};
use crate::settings::Mistake;

/// The arguments with those of a view file before them, so that of an option of which the last counts
/// the command line has the last word. Its columns and prefixes are in place of those of the file, and its
/// hosts are in place of hosts and port.
pub(super) fn with_view(
    args: Vec<OsString>,
    given: &ArgMatches,
    file: &ViewFile,
) -> Result<Args, clap::Error> {
    let several_hosts = options_of(file, "host") > 1;
    let is_given = |name: &str| given.value_source(name) == Some(ValueSource::CommandLine);
    let options = file.options();
    for option in options {
        check([option]).map_err(|why| failed(&file.mistake(Some(option.at), &why)))?;
    }
    if check(options).is_err() {
        // The first one that does not go with those before it.
        for (count, last) in (1..).zip(options) {
            let so_far = options.iter().take(count);
            check(so_far).map_err(|why| failed(&file.mistake(Some(last.at), &why)))?;
        }
    }
    let mut all: Vec<OsString> = args.iter().take(1).cloned().collect();
    for option in options {
        let value = option.value.clone();
        let value = match option.name {
            "columns" | "host" | "prefix" if is_given(option.name) => continue,
            "port" if is_given("host") => continue,
            // Of several, it is the port of those without one.
            "host" if is_given("port") && !several_hosts => value.map(without_port),
            _ => value,
        };
        all.push(argument(option.name, value.as_deref()));
    }
    all.extend(args.into_iter().skip(1));
    Args::from_arg_matches(&Args::command().try_get_matches_from(all)?)
}

/// How many values of an option a file has.
fn options_of(file: &ViewFile, name: &str) -> usize {
    file.options().iter().filter(|option| option.name == name).count()
}

fn without_port(host: String) -> String {
    host.parse().map_or(host, Host::into_name)
}

fn argument(name: &str, value: Option<&str>) -> OsString {
    value.map_or_else(|| format!("--{name}"), |value| format!("--{name}={value}")).into()
}

/// Checks options of a file as if they were all that is on the command line.
fn check<'a>(options: impl IntoIterator<Item = &'a OptionValue>) -> Result<(), String> {
    let options: Vec<&OptionValue> = options.into_iter().collect();
    let args = options.iter().map(|option| argument(option.name, option.value.as_deref()));
    let args = [OsString::from("tui-client")].into_iter().chain(args);
    let checked = Args::try_parse_from(args).and_then(|args| Plan::of(args, View::default(), true));
    let name = options.last().map_or("", |option| option.name);
    checked.map(drop).map_err(|error| {
        let sentence = sentence(&super::plausible(error), name);
        // As they are called in the file.
        let names = options.iter().map(|option| option.name);
        names.fold(sentence, |text, name| text.replace(&format!("--{name} "), &format!("{name} ")))
    })
}

/// What is wrong, on one line, of an option as it is called in a file.
fn sentence(error: &clap::Error, name: &str) -> String {
    /// What is said of an alert that a shell may have cut.
    const OF_SHELL: &str = "; in a shell ";
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => texts.first().cloned(),
        _ => None,
    };
    let rendered = error.render().to_string();
    let whole = rendered.split("\n\n").next().unwrap_or_default();
    let whole = whole.strip_prefix("error: ").unwrap_or(whole);
    let mut sentence = whole.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some(option) = text(ContextKind::InvalidArg) {
        sentence = sentence.replace(&format!("'{option}'"), name);
    }
    sentence.truncate(sentence.find(OF_SHELL).unwrap_or(sentence.len()));
    match text(ContextKind::SuggestedValue) {
        Some(similar) => format!("{sentence}; a similar value exists: '{similar}'"),
        None => sentence,
    }
}

/// A mistake in a file, to be printed as those of the command line are.
fn failed(mistake: &Mistake) -> clap::Error {
    unreadable(&mistake.to_string())
}

/// A file that can't be used.
pub(super) fn unreadable(why: &str) -> clap::Error {
    clap::Error::raw(ErrorKind::ValueValidation, format!("{why}\n"))
}
