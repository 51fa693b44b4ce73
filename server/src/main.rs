//! argv → configuration → log → run → exit code.

mod cli;
mod config;
mod telemetry;

use std::io::{self, Write};
use std::process::ExitCode;

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use anyhow::Context;
use server::Server;
use server::clock::Clock;
use server::net::Listener;
use server::os::{self, EndSignals, MemoryLimit, Output};
use server::protocol::text::TextProtocol;
use server::shutdown::Shutdown;
use server::store::any::AnyStore;
use server::store::local::Local;
use tracing::info;

use cli::{Cli, manual};
use config::{DataDirectory, ServerConfig};

/// The exit code when the command line is wrong.
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    os::fit_into_address_space();
    let outcome = match Cli::try_read() {
        Err(message) if message.use_stderr() => {
            let text = render(&message, colours(&io::stderr()));
            // A closed standard error leaves no place to report to.
            let _ = Output::Messages.write_all(text.as_bytes());
            return ExitCode::from(WRONG_USAGE);
        }
        Err(help) => print(render(&help, colours(&io::stdout())).as_bytes()),
        Ok(cli) => match manual::asked_for(&cli) {
            Some(text) => print(&text),
            None => ServerConfig::from_cli(cli, os::memory_limit()).and_then(run),
        },
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(Output::Messages, "server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// As the library that reads the command line would choose, which takes a terminal without abilities
/// for one that has them where `CI` is set.
fn colours(stream: &impl RawStream) -> ColorChoice {
    if stream.is_terminal() && !os::has_colours() {
        ColorChoice::Never
    } else {
        AutoStream::choice(stream)
    }
}

/// The help, the version or the mistake in the command line.
fn render(message: &clap::Error, colours: ColorChoice) -> String {
    let text = message.render();
    match colours {
        ColorChoice::Never => text.to_string(),
        _ => text.ansi().to_string(),
    }
}

fn print(text: &[u8]) -> anyhow::Result<()> {
    match Output::Data.write_all(text) {
        // A pager may be closed before the end.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("can't write to standard output")
        }
        _ => Ok(()),
    }
}

fn run(config: ServerConfig) -> anyhow::Result<()> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().max_blocking_threads(config.memory.blocking_threads);
    builder.build().context("can't start threads")?.block_on(start(config))
}

async fn start(config: ServerConfig) -> anyhow::Result<()> {
    let _console = os::keep_log_writable();
    telemetry::start(config.log_level);
    let shutdown = Shutdown::default();
    stop_on_signal(&shutdown)?;
    os::refuse_long_files_by_error().context("can't handle signals")?;
    let listener = Listener::bind(&config.host, config.port)
        .await
        .map_err(|error| bind_error(&config, &error))?;
    // A temporary directory lives until the server has ended.
    let (path, _temporary) = match config.data {
        DataDirectory::Kept(path) => (path, None),
        DataDirectory::Temporary => {
            let directory = tempfile::tempdir().with_context(|| {
                let variable = os::TEMP_VARIABLE;
                format!("can't create a temporary directory; set {variable} to a writable place")
            })?;
            (std::path::absolute(directory.path())?, Some(directory))
        }
    };
    let store = tokio::task::spawn_blocking({
        let (path, store) = (path.clone(), config.store.clone());
        move || Local::open(&path, store)
    });
    let store =
        store.await?.with_context(|| format!("can't open data directory {}", path.display()))?;
    if let Some(MemoryLimit { bytes, source }) = config.memory_limit {
        info!(
            max_series = config.store.max_series,
            log_limit_kib = config.store.log_limit >> 10,
            follow_buffer_kib = config.store.follow_buffer >> 10,
            "memory is limited to {} MiB by {source}",
            bytes >> 20
        );
    }
    let mut server = Server::new(AnyStore::Local(store), Clock::default(), shutdown);
    server.limit_in_flight(config.memory.in_flight);
    let allow_delete = config.allow_delete;
    if allow_delete {
        info!("clients may delete points");
    }
    server.listen(listener, move |ingest, queries, follows| {
        TextProtocol::new(ingest, queries, follows, allow_delete)
    });
    server.run().await;
    Ok(())
}

fn stop_on_signal(shutdown: &Shutdown) -> anyhow::Result<()> {
    let mut signals = EndSignals::listen().context("can't handle signals")?;
    let shutdown = shutdown.clone();
    tokio::spawn(async move {
        // To the end: an event that is listened for no more ends the process at once on Windows.
        loop {
            match signals.recv().await.limit {
                Some(limit) => shutdown.begin_within(limit),
                None => shutdown.begin(),
            }
        }
    });
    Ok(())
}

/// One line that says what is wrong and what to do.
fn bind_error(config: &ServerConfig, error: &io::Error) -> anyhow::Error {
    let address = shared::host::with_port(&config.host, config.port);
    let reason = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "address already in use; stop the other server or choose another --port".to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            format!("permission denied; {}", os::PORT_HINT)
        }
        _ => format!("{error}; check --host and --port"),
    };
    anyhow::anyhow!("can't listen on {address}: {reason}")
}
