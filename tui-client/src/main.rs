//! The program `tui-client`: the screen, or plain mode.

use std::io::{ErrorKind, IsTerminal, Write, stderr, stdin, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use anyhow::{Context, Result};
use jiff::tz::TimeZone;
use shared::Glob;
use tui_client::app::AppConfig;
use tui_client::cli::{Plan, RunMode};
use tui_client::keymap::{Abilities, Multiplexer, Shell};
use tui_client::runtime::RunOptions;
use tui_client::system::files::read_session;
use tui_client::system::net::{Joined, Peer, reconnect_seed};
use tui_client::system::os::streams::Output;
use tui_client::system::terminal::multiplexer;
use tui_client::system::{os, theme_detect};
use tui_client::text::escape::escape_invisible;
use tui_client::{plain, runtime};

fn main() -> ExitCode {
    let interactive = stdin().is_terminal() && stdout().is_terminal();
    let code = match parse(interactive) {
        Ok(plan) => run(plan),
        Err(message) => print(&message),
    };
    code.unwrap_or_else(|error| {
        // When the terminal is gone, so is standard error.
        let _ = writeln!(Output::Messages, "tui-client: {error:#}");
        ExitCode::FAILURE
    })
}

/// The command line. A terminal that can't show the screen gets plain mode, and a sentence about it.
fn parse(interactive: bool) -> Result<Plan, clap::Error> {
    let parse = |interactive| Plan::parse(std::env::args_os(), interactive);
    let plan = parse(interactive)?;
    let Some(lacks) = os::terminal::lacks_for_screen() else { return Ok(plan) };
    if !matches!(plan.mode, RunMode::Screen(_) | RunMode::Replay(_)) {
        return Ok(plan);
    }
    let why = format!("{lacks}, so there is no screen here but plain mode");
    let _ = writeln!(Output::Messages, "tui-client: {why}");
    parse(false)
}

/// Prints the help, the version or the mistake in the command line, in colour where the library that
/// reads the command line would.
fn print(message: &clap::Error) -> Result<ExitCode> {
    let (mut output, colours, code) = if message.use_stderr() {
        (Output::Messages, colours(&stderr()), 2)
    } else {
        (Output::Data, colours(&stdout()), 0)
    };
    let text = message.render();
    let text = match colours {
        ColorChoice::Never => text.to_string(),
        _ => text.ansi().to_string(),
    };
    match output.write_all(escape_invisible(&text).as_bytes()) {
        // A pager may be closed before the end of the help.
        Err(error) if code == 0 && error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::from(code)),
    }
}

/// As the library that reads the command line would choose, which takes a terminal without abilities
/// for one that has them where `CI` is set.
fn colours(stream: &impl RawStream) -> ColorChoice {
    if stream.is_terminal() && os::terminal::lacks_for_screen().is_some() {
        ColorChoice::Never
    } else {
        AutoStream::choice(stream)
    }
}

fn run(plan: Plan) -> Result<ExitCode> {
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start")?;
    let code = tokio.block_on(async {
        match plan.mode {
            RunMode::Screen(ref watch) => screen(&plan, watch).await,
            RunMode::Replay(ref path) => replay(&plan, path).await,
            _ => Ok(plain::run(plan).await),
        }
    });
    // A read of standard input that never ends must not keep the program alive.
    tokio.shutdown_background();
    code
}

async fn screen(plan: &Plan, watch: &[Glob]) -> Result<ExitCode> {
    let config = config(plan, watch);
    let peer = match &plan.sources[..] {
        [] => Peer::Server(plan.server.clone()),
        sources => Peer::Joined(Arc::new(Joined::new(sources.to_vec()))),
    };
    show(peer, plan, config).await
}

/// Shows a saved session, which comes with its own keys, alerts and table.
async fn replay(plan: &Plan, path: &Path) -> Result<ExitCode> {
    let session = read_session(path).map_err(anyhow::Error::msg)?;
    let (session, view) = (Arc::new(session.clone()), session.view);
    let config = AppConfig {
        address: view.address,
        sources: view.sources,
        alerts: view.alerts,
        table: view.table,
        raw_log: view.raw_log,
        replayed: Some(Arc::clone(&session)),
        ..config(plan, &view.watch)
    };
    show(Peer::Recorded(session), plan, config).await
}

fn config(plan: &Plan, watch: &[Glob]) -> AppConfig {
    AppConfig {
        address: match &plan.sources[..] {
            sources if sources.iter().all(|source| source.name.is_empty()) => {
                shared::host::with_port(&plan.server.host, plan.server.port)
            }
            sources => {
                let mut names: Vec<_> = sources.iter().map(|source| source.name.as_str()).collect();
                names.dedup();
                names.join(", ")
            }
        },
        sources: plan.sources.iter().map(Into::into).collect(),
        interval: plan.interval,
        watch: watch.to_vec(),
        alerts: plan.alerts.clone(),
        table: plan.table.clone(),
        zone: TimeZone::system(),
        log_memory: plan.log_memory,
        raw_log: plan.raw_log,
        reconnect_seed: reconnect_seed(),
        abilities: Abilities {
            suspend: os::terminal::HAS_JOB_CONTROL,
            clipboard: os::terminal::HAS_CLIPBOARD,
            multiplexer: if os::terminal::HAS_CLIPBOARD {
                Multiplexer::None
            } else {
                multiplexer()
            },
            shell: if os::terminal::HAS_POSIX_SHELL { Shell::Posix } else { Shell::Windows },
        },
        replayed: None,
    }
}

async fn show(peer: Peer, plan: &Plan, config: AppConfig) -> Result<ExitCode> {
    let options = RunOptions { peer, mouse: plan.screen.mouse };
    runtime::run(options, config, || theme_detect::theme(plan.screen)).await?;
    Ok(ExitCode::SUCCESS)
}
