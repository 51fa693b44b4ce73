//! The servers of the command line, and what of them is shown.

use std::str::FromStr;

use clap::error::ErrorKind;
use shared::client::{ConnectOptions, Tls};
use shared::host::{Host, HostError, with_port};
use shared::{DEFAULT_HOST, DEFAULT_PORT};

use super::{Args, RunMode, usage_error};
use crate::session::View;
use crate::sources::{Source, check_name, check_run, named_hosts, with_runs};

/// `[NAME=]HOST[:PORT]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedHost {
    pub(super) name: Option<String>,
    pub(super) host: Host,
}

impl FromStr for NamedHost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains(',') {
            return Err("one host; several are a --host each".to_owned());
        }
        let (name, host) = match text.split_once('=') {
            Some((name, host)) => (Some(name.to_owned()), host),
            None => (None, text),
        };
        if let Some(name) = &name {
            check_name(name).map_err(|why| why.to_string())?;
        }
        let host = host.parse().map_err(|why: HostError| why.to_string())?;
        Ok(Self { name, host })
    }
}

/// What a plan says of servers.
pub(super) struct Servers {
    /// The first one.
    pub(super) server: ConnectOptions,
    /// All of them, each with each run; none where all keys of one server are shown.
    pub(super) sources: Vec<Source>,
    /// The options of TLS, as they were typed.
    pub(super) tls: Vec<String>,
    /// Lines are put, with this before their names.
    pub(super) put: Option<String>,
}

impl Servers {
    /// Takes what the arguments of a mode say.
    pub(super) fn of(args: &mut Args, mode: &RunMode) -> Result<Self, clap::Error> {
        let conflict = |why: &str| Err(usage_error(ErrorKind::ArgumentConflict, why));
        let has_keys = matches!(mode, RunMode::Input | RunMode::Delete(_) | RunMode::Replay(_));
        if !args.prefix.is_empty() && !args.put && has_keys {
            return conflict("--prefix goes with --put, --once, --watch, a get, or the screen");
        }
        let put = args.put.then(|| args.prefix.pop().unwrap_or_default());
        let runs = if args.put { Vec::new() } else { std::mem::take(&mut args.prefix) };
        for run in &runs {
            let invalid = |why| usage_error(ErrorKind::ValueValidation, format!("{run:?}: {why}"));
            check_run(run).map_err(invalid)?;
        }
        let (tls, tls_words) = tls(args)?;
        let mut servers = Vec::new();
        let hosts = std::mem::take(&mut args.host);
        let is_one = hosts.len() == 1;
        for NamedHost { name, host } in hosts {
            let port = if is_one { host.port(args.port) } else { Ok(host.port_or(args.port)) };
            let port = port.map_err(|why| usage_error(ErrorKind::ArgumentConflict, why))?;
            let mut server = ConnectOptions::new(host.into_name(), port);
            server.reply_timeout = args.timeout;
            server.tls.clone_from(&tls);
            servers.push((name, server));
        }
        let server = servers.first().map(|(_, server)| server.clone());
        let server = server.unwrap_or_else(|| ConnectOptions::new(DEFAULT_HOST, DEFAULT_PORT));
        let sources = sources(servers, &runs)?;
        if put.is_some() && !sources.is_empty() {
            return conflict("--put goes to one server: one --host, without a NAME=");
        }
        Ok(Self { server, sources, tls: tls_words, put })
    }
}

/// TLS for all servers, and the options that it came from.
fn tls(args: &Args) -> Result<(Option<Tls>, Vec<String>), clap::Error> {
    if !args.tls {
        return Ok((None, Vec::new()));
    }
    let identity = args.cert.as_deref().zip(args.key.as_deref());
    let tls = Tls::load(args.ca.as_deref(), identity);
    let tls = tls.map_err(|why| usage_error(ErrorKind::ValueValidation, why))?;
    let mut words = vec!["--tls".to_owned()];
    for (option, path) in [("--ca", &args.ca), ("--cert", &args.cert), ("--key", &args.key)] {
        let path = path.iter().map(|path| path.to_string_lossy().into_owned());
        words.extend(path.flat_map(|path| [option.to_owned(), path]));
    }
    Ok((Some(tls), words))
}

/// The sources of servers, some with a name, and of runs.
fn sources(
    servers: Vec<(Option<String>, ConnectOptions)>,
    runs: &[String],
) -> Result<Vec<Source>, clap::Error> {
    let invalid = |why: String| usage_error(ErrorKind::ValueValidation, why);
    let servers = match &servers[..] {
        [(None, _)] if runs.is_empty() => Vec::new(),
        [(None, server)] => {
            let (name, run) = (String::new(), String::new());
            vec![Source { name, run, is_marks: false, server: server.clone() }]
        }
        _ => named_hosts(servers).map_err(|why| invalid(why.to_string()))?,
    };
    with_runs(servers, runs).map_err(|[one, other]| {
        invalid(format!("keys of {other:?} would be of {one:?}, too: no --prefix begins another"))
    })
}

/// A view of these servers.
pub(super) fn shown(view: View, server: &ConnectOptions, sources: &[Source]) -> View {
    match sources {
        [] => View { address: with_port(&server.host, server.port), ..view },
        sources => view.with_sources(sources.iter().map(Into::into)),
    }
}
