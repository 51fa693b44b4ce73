//! The program `tui-client`: the screen, or plain mode.

use std::io::{ErrorKind, IsTerminal, Write, stderr, stdin, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use anyhow::{Context, Result};
use jiff::tz::TimeZone;
use tui_client::app::AppConfig;
use tui_client::cli::{Plan, RunMode};
use tui_client::clock::unix_now;
use tui_client::keymap::{Abilities, Multiplexer, Shell};
use tui_client::runtime::RunOptions;
use tui_client::session::View;
use tui_client::system::files::{read_session, read_view};
use tui_client::system::net::{Joined, Peer, reconnect_seed};
use tui_client::system::os::streams::Output;
use tui_client::system::terminal::multiplexer;
use tui_client::system::{os, theme_detect};
use tui_client::text::escape::escape_invisible;
use tui_client::view::theme::Theme;
use tui_client::{plain, runtime};

fn main() -> ExitCode {
    let interactive = stdin().is_terminal() && stdout().is_terminal();
    let code = match parse(interactive) {
        Ok((plan, theme)) => run(plan, theme),
        Err(message) => print(&message),
    };
    code.unwrap_or_else(|error| {
        // When the terminal is gone, so is standard error.
        let _ = writeln!(Output::Messages, "tui-client: {error:#}");
        ExitCode::FAILURE
    })
}

/// The command line, and the theme that it names.
fn parse(interactive: bool) -> Result<(Plan, Option<Theme>), clap::Error> {
    let plan = parse_plan(interactive)?;
    let wrong = |why| clap::Error::raw(clap::error::ErrorKind::ValueValidation, why + "\n");
    let theme = theme_detect::named(&plan.screen.theme).map_err(wrong)?;
    Ok((plan, theme))
}

/// The command line. A terminal that can't show the screen gets plain mode, and a sentence about it.
fn parse_plan(interactive: bool) -> Result<Plan, clap::Error> {
    let open = |path: &Path| {
        let file = read_view(path, unix_now(), &TimeZone::system())?;
        theme_detect::check(&file)?;
        Ok(file)
    };
    let parse = |interactive| Plan::parse_with(std::env::args_os(), interactive, open);
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

fn run(plan: Plan, theme: Option<Theme>) -> Result<ExitCode> {
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start")?;
    let code = tokio.block_on(async {
        match plan.mode {
            RunMode::Screen(_) => screen(&plan, theme).await,
            RunMode::Replay(ref path) => replay(&plan, theme, path).await,
            _ => Ok(plain::run(plan).await),
        }
    });
    // A read of standard input that never ends must not keep the program alive.
    tokio.shutdown_background();
    code
}

async fn screen(plan: &Plan, theme: Option<Theme>) -> Result<ExitCode> {
    let config = config(plan, plan.view.clone());
    let peer = match &plan.sources[..] {
        [] => Peer::Server(plan.server.clone()),
        sources => Peer::Joined(Arc::new(Joined::new(sources.to_vec()))),
    };
    show(peer, plan, theme, config).await
}

/// Shows a saved session, which comes with its own view.
async fn replay(plan: &Plan, theme: Option<Theme>, path: &Path) -> Result<ExitCode> {
    let session = Arc::new(read_session(path).map_err(anyhow::Error::msg)?);
    let replayed = Some(Arc::clone(&session));
    let config = AppConfig { replayed, ..config(plan, session.view.clone()) };
    show(Peer::Recorded(session), plan, theme, config).await
}

fn config(plan: &Plan, view: View) -> AppConfig {
    AppConfig {
        interval: plan.interval,
        zone: TimeZone::system(),
        log_memory: plan.log_memory,
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
            colours: theme_detect::has_colours(&plan.screen.theme),
        },
        tls: plan.tls.clone(),
        view_file: plan.view_file.as_ref().map(|path| path.to_string_lossy().into_owned()),
        ..AppConfig::of(view)
    }
}

async fn show(
    peer: Peer,
    plan: &Plan,
    theme: Option<Theme>,
    config: AppConfig,
) -> Result<ExitCode> {
    let options = RunOptions { peer, mouse: plan.screen.mouse };
    runtime::run(options, config, || theme_detect::theme(&plan.screen, theme)).await?;
    Ok(ExitCode::SUCCESS)
}
