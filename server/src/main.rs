//! argv → configuration → log → run → exit code, nothing else.

mod cli;
mod telemetry;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use server::net::Listener;
use server::shutdown::Shutdown;
use server::store::any::AnyStore;
use server::store::local::Local;
use tokio::signal::unix::{SignalKind, signal};

use cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    telemetry::start(cli.log_level.into());
    match start(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // To a closed standard error there is nothing to say.
            let _ = writeln!(io::stderr(), "server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn start(cli: &Cli) -> anyhow::Result<()> {
    let shutdown = Shutdown::default();
    stop_on_signal(&shutdown)?;
    let listener =
        Listener::bind(&cli.host, cli.port).await.map_err(|error| refusal(cli, &error))?;
    // Lives until the server has ended, and then takes its data with it.
    let throw_away = if cli.ephemeral { Some(tempfile::tempdir().context(NO_ROOM)?) } else { None };
    let path = throw_away.as_ref().map_or(cli.data_dir.as_path(), tempfile::TempDir::path);
    let path = std::path::absolute(path).context("--data-dir is no path")?;
    let config = cli.store();
    let store = tokio::task::spawn_blocking({
        let path = path.clone();
        move || Local::open(&path, config)
    });
    let store =
        store.await?.with_context(|| format!("can't keep the data in {}", path.display()))?;
    server::run(listener, AnyStore::Local(store), shutdown).await;
    Ok(())
}

const NO_ROOM: &str = "can't make a temporary directory; set TMPDIR to a place where it can";

fn stop_on_signal(shutdown: &Shutdown) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).context("can't wait for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("can't wait for SIGTERM")?;
    let shutdown = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        shutdown.begin();
    });
    Ok(())
}

/// One sentence that says what is wrong and what to do.
fn refusal(cli: &Cli, error: &io::Error) -> anyhow::Error {
    let address = shared::host::with_port(&cli.host, cli.port);
    match error.kind() {
        io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "{address} is in use by another program, perhaps another server; stop it or choose another --port"
        ),
        io::ErrorKind::PermissionDenied => {
            anyhow::anyhow!("no permission to listen on {address}; choose a --port above 1023")
        }
        _ => anyhow::anyhow!("can't listen on {address}: {error}; check --host and --port"),
    }
}
