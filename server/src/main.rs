//! argv → configuration → log → run → exit code.

mod cli;
mod config;
mod telemetry;

use std::io::{self, Write};
use std::path::Path;
use std::process::{self, ExitCode};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use anyhow::Context;
use server::Server;
use server::clock::Clock;
use server::metrics::Metrics;
use server::net::{Connections, Control, HeldByServer, Listener, Permits, Tls};
use server::os::{self, MemoryLimit, Output, SignalRequest, Signals};
use server::protocol::WriteScope;
use server::protocol::text::TextProtocol;
use server::shutdown::Shutdown;
use server::store::any::AnyStore;
use server::store::local::{self, Backup, Local};
use tempfile::TempDir;
use tracing::level_filters::LevelFilter;
use tracing::{info, warn};

use cli::{Cli, Command, manual};
use config::{DataDirectory, ServerConfig};
use telemetry::{Flusher, Log};

/// The exit code when the command line is wrong.
const WRONG_USAGE: u8 = 2;

/// The exit code of a backup that was made of damaged files.
const MADE_OF_DAMAGED: u8 = 3;

/// The exit code of what failed, or found damage.
const FAILED: u8 = 1;

/// The exit code of a server that was told twice to end.
const ENDED_AT_ONCE: i32 = 1;

/// How long such an end waits for the last lines of the log.
const HASTE: Duration = Duration::from_millis(100);

/// How long requests may take when the server ends because its disk has failed.
const HASTE_WITHOUT_DISK: Duration = Duration::from_secs(1);

const DISK_FAILED: &str = "the disk failed, and no put was acknowledged after that (the log says what \
    failed); look at the disk, then start the server again";

fn main() -> ExitCode {
    os::fit_into_address_space();
    let outcome = match Cli::try_read() {
        Err(message) if message.use_stderr() => {
            let text = render(&message, colours(&io::stderr()));
            // A closed standard error leaves no place to report to.
            let _ = Output::Messages.write_all(text.as_bytes());
            return ExitCode::from(WRONG_USAGE);
        }
        Err(help) => print(render(&help, colours(&io::stdout())).as_bytes()).map(success),
        Ok(cli) => match (manual::asked_for(&cli), &cli.command) {
            (Some(text), _) => print(&text).map(success),
            (None, Some(Command::Backup { dir, target })) => {
                back_up(dir, target).map(if_sound(MADE_OF_DAMAGED))
            }
            (None, Some(Command::Check { dir })) => maintain(dir, true).map(if_sound(FAILED)),
            (None, Some(Command::Repair { dir })) => maintain(dir, false).map(if_sound(FAILED)),
            (None, None) => {
                ServerConfig::from_cli(cli, os::memory_limit()).and_then(run).map(success)
            }
        },
    };
    outcome.unwrap_or_else(|error| {
        let _ = writeln!(Output::Messages, "server: {error:#}");
        ExitCode::from(FAILED)
    })
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

fn success(_: ()) -> ExitCode {
    ExitCode::SUCCESS
}

/// The exit code of a command that says whether all is sound, and `otherwise` where it is not.
fn if_sound(otherwise: u8) -> impl Fn(bool) -> ExitCode {
    move |is_sound| if is_sound { ExitCode::SUCCESS } else { ExitCode::from(otherwise) }
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

/// Checks or repairs a data directory. Answers whether all is well then.
fn maintain(dir: &Path, is_check: bool) -> anyhow::Result<bool> {
    let _log = Log::start(LevelFilter::WARN, Arc::default()).context("can't start the log")?;
    let done = if is_check { local::check(dir) } else { local::repair(dir) };
    let found = done.with_context(|| format!("can't open data directory {}", dir.display()))?;
    let mut text = String::new();
    for damage in &found {
        // Writing to memory can't fail.
        let _ = std::fmt::Write::write_fmt(&mut text, format_args!("{damage}\n"));
    }
    text.push_str(match (found.is_empty(), is_check) {
        (true, _) => "nothing is damaged\n",
        (false, true) => "it is damaged; server repair gives up what is gone\n",
        (false, false) => {
            "what is gone is given up; damaged files with points are kept as damaged-...\n"
        }
    });
    print(text.as_bytes())?;
    Ok(found.is_empty() || !is_check)
}

/// Copies a data directory, and says how much of it. Answers whether that is sound, as far as is known.
fn back_up(dir: &Path, target: &Path) -> anyhow::Result<bool> {
    let _log = Log::start(LevelFilter::WARN, Arc::default()).context("can't start the log")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("can't handle signals")?;
    // Signals are taken within a runtime.
    let within = runtime.enter();
    os::refuse_long_files_by_error().context("can't handle signals")?;
    drop(within);
    let start = Instant::now();
    let copy = || -> anyhow::Result<_> {
        let backup = Backup::prepare(dir, target)?;
        let Some(contact) = backup.contact() else {
            return Ok(backup.run(None, &mut || Ok(()))?);
        };
        let (mut held, files) = HeldByServer::ask(contact)?;
        let report = backup.run(Some(&files), &mut || held.keep())?;
        held.finish(&report.to_string());
        Ok(report)
    };
    let report =
        copy().with_context(|| format!("can't back up data directory {}", dir.display()))?;
    let warning = report.warning().map(|warning| format!("{warning}\n")).unwrap_or_default();
    print(format!("{report}; {:.1} s\n{warning}", start.elapsed().as_secs_f64()).as_bytes())
        .context("the backup is made, and its report could not be printed")?;
    Ok(warning.is_empty())
}

fn run(config: ServerConfig) -> anyhow::Result<()> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().max_blocking_threads(config.memory.blocking_threads);
    builder.build().context("can't start threads")?.block_on(start(config))
}

async fn start(config: ServerConfig) -> anyhow::Result<()> {
    let _console = os::keep_log_writable();
    let metrics = Arc::new(Metrics::default());
    let log = Log::start(config.log_level, Arc::clone(&metrics)).context("can't start the log")?;
    let shutdown = Shutdown::default();
    // A temporary directory lives until the server has ended.
    let temporary = Arc::new(OnceLock::new());
    let clock = Clock::default();
    let tls = match config.tls.clone() {
        Some(files) => {
            let clock = clock.clone();
            Some(Tls::load(files, move || clock.now()).context("can't speak TLS")?)
        }
        None => None,
    };
    obey_signals(&shutdown, Arc::downgrade(&temporary), log.flusher(), tls.clone())?;
    os::refuse_long_files_by_error().context("can't handle signals")?;
    let listener = Listener::bind(&config.host, config.port)
        .await
        .map_err(|error| bind_error(&config, &error))?;
    check_reach(&config, &listener)?;
    let listener = match tls {
        Some(tls) => {
            info!("the certificate of the server lasts until {}", tls.lasts_until());
            listener.with_tls(tls)
        }
        None => listener,
    };
    let is_kept = matches!(config.data, DataDirectory::Kept(_));
    let path = match config.data {
        DataDirectory::Kept(path) => path,
        DataDirectory::Temporary => {
            let directory = tempfile::tempdir().with_context(|| {
                let variable = os::TEMP_VARIABLE;
                format!("can't create a temporary directory; set {variable} to a writable place")
            })?;
            std::path::absolute(temporary.get_or_init(|| directory).path())?
        }
    };
    let store = tokio::task::spawn_blocking({
        let (path, store) = (path.clone(), config.store.clone());
        move || Local::open(&path, store)
    });
    let store = store
        .await?
        .with_context(|| format!("can't open data directory {} (--data-dir)", path.display()))?;
    if let Some(MemoryLimit { bytes, source }) = config.memory_limit {
        info!(
            max_series = config.store.max_series,
            log_limit_kib = config.store.log_limit >> 10,
            follow_buffer_kib = config.store.follow_buffer >> 10,
            "memory is limited to {} MiB by {source}",
            bytes >> 20
        );
    }
    let disk_failure = store.failure();
    if config.stop_on_disk_failure {
        let (failure, shutdown) = (disk_failure.clone(), shutdown.clone());
        tokio::spawn(async move {
            failure.cancelled().await;
            shutdown.begin_within(HASTE_WITHOUT_DISK);
        });
    }
    let connections = Connections {
        permits: Permits::for_open_files(config.max_connections),
        limits: config.limits,
        metrics,
    };
    let backups = if is_kept { take_backups(&store).await } else { None };
    let mut server = Server::new(AnyStore::Local(store.clone()), clock, connections, shutdown);
    server.limit_in_flight(config.memory.in_flight);
    let announcement = backups.map(|(control, announcement)| {
        server.listen_for_backups(control, move || {
            let store = store.clone();
            async move {
                let (files, held) = store.hold_files().await.map_err(|why| why.to_string())?;
                Ok((files, move || held.is_kept()))
            }
        });
        announcement
    });
    let allow_delete = config.allow_delete;
    if allow_delete {
        info!("clients may delete points");
    }
    let is_limited = config.limit_by_certificate;
    server.listen(listener, move |ingest, queries, follows, name| {
        let scope = if is_limited { WriteScope::of_certificate(name) } else { WriteScope::All };
        TextProtocol::new(ingest, queries, follows, allow_delete).limited_to(scope)
    });
    server.run().await;
    drop(announcement);
    anyhow::ensure!(!disk_failure.is_cancelled(), DISK_FAILED);
    Ok(())
}

/// Listens for `server backup`, and says so in the data directory; `None` when that is not possible.
async fn take_backups(store: &Local) -> Option<(Control, local::Announcement)> {
    let listen = async || {
        let control = Control::bind().await?;
        let announcement = store.announce(&control.contact())?;
        io::Result::Ok((control, announcement))
    };
    let listening = listen().await;
    listening
        .inspect_err(|error| warn!("server backup is not possible before the next start: {error}"))
        .ok()
}

/// Refuses to listen where other machines come in without a certificate, unless that is wished.
fn check_reach(config: &ServerConfig, listener: &Listener) -> anyhow::Result<()> {
    let has_certificates = config.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
    let address = listener.addresses().into_iter().find(|address| config::is_public(address.ip()));
    let Some(address) = address.filter(|_| !has_certificates) else { return Ok(()) };
    anyhow::ensure!(
        config.insecure_public,
        "other machines reach {address}, and clients show no certificates there: give \
         --tls-cert, --tls-key and --tls-client-ca, or --insecure-public if whoever reaches it may \
         read and write everything"
    );
    warn!(
        "whoever reaches {address} reads and writes everything (--insecure-public){}",
        if config.tls.is_some() { "" } else { ", and what is sent can be read on the way" }
    );
    Ok(())
}

/// Begins the shutdown at the first signal that asks for it, and ends the process at the second, for
/// which nothing is written but the log: what was acknowledged is on the disk. Loads certificates again
/// when asked.
fn obey_signals(
    shutdown: &Shutdown,
    temporary: Weak<OnceLock<TempDir>>,
    log: Flusher,
    tls: Option<Tls>,
) -> anyhow::Result<()> {
    let mut signals = Signals::listen().context("can't handle signals")?;
    let shutdown = shutdown.clone();
    tokio::spawn(async move {
        let mut was_told = false;
        // To the end: an event that is listened for no more ends the process at once on Windows.
        loop {
            let request = match signals.recv().await {
                SignalRequest::End(request) => request,
                SignalRequest::Reload => {
                    reload(tls.clone());
                    continue;
                }
            };
            if request.is_insistent && was_told {
                warn!("told again to end: ending at once");
                log.flush(HASTE);
                let temporary = temporary.upgrade();
                if let Some(directory) = temporary.as_ref().and_then(|place| place.get()) {
                    // It is left behind where that fails.
                    let _ = std::fs::remove_dir_all(directory.path());
                }
                process::exit(ENDED_AT_ONCE);
            }
            was_told |= request.is_insistent;
            match request.limit {
                Some(limit) => shutdown.begin_within(limit),
                None => shutdown.begin(),
            }
        }
    });
    Ok(())
}

/// Loads certificates again, beside what else is done.
fn reload(tls: Option<Tls>) {
    let Some(tls) = tls else {
        info!("SIGHUP: there are no settings that could be loaded again");
        return;
    };
    tokio::task::spawn_blocking(move || match tls.reload() {
        Ok(()) => info!(
            "SIGHUP: certificates are loaded again; that of the server lasts until {}",
            tls.lasts_until()
        ),
        Err(error) => warn!("SIGHUP: certificates stay as they were: {error}"),
    });
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
