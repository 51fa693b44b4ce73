//! `tui-client`: see the library.

use std::io::{ErrorKind, IsTerminal, Write, stderr, stdin, stdout};
use std::process::ExitCode;

use anyhow::{Context, Result};
use jiff::tz::TimeZone;
use shared::Glob;
use tui_client::app::AppConfig;
use tui_client::cli::{Plan, RunMode};
use tui_client::net::reconnect_seed;
use tui_client::runtime::Setting;
use tui_client::{plain, runtime, theme_detect};

fn main() -> ExitCode {
    let interactive = stdin().is_terminal() && stdout().is_terminal();
    let plan = match Plan::parse(std::env::args_os(), interactive) {
        Ok(plan) => plan,
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            return match error.print() {
                // Whoever reads help through a pipe may have enough of it.
                Err(why) if code == 0 && why.kind() != ErrorKind::BrokenPipe => {
                    let _ = writeln!(stderr(), "tui-client: {why}");
                    ExitCode::FAILURE
                }
                _ => ExitCode::from(code),
            };
        }
    };
    match run(plan) {
        Ok(code) => code,
        Err(error) => {
            // When the terminal is gone, so is standard error.
            let _ = writeln!(stderr(), "tui-client: {error:#}");
            ExitCode::FAILURE
        }
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
            _ => Ok(plain::run(plan).await),
        }
    });
    // A read of standard input that never ends must not keep the program alive.
    tokio.shutdown_background();
    code
}

async fn screen(plan: &Plan, watch: &[Glob]) -> Result<ExitCode> {
    let config = AppConfig {
        address: shared::host::with_port(&plan.server.host, plan.server.port),
        interval: plan.interval,
        watch: watch.to_vec(),
        alerts: plan.alerts.clone(),
        table: plan.arrangement.clone(),
        zone: TimeZone::system(),
        log_memory: plan.log_memory,
        raw_log: plan.raw_log,
        reconnect_seed: reconnect_seed(),
        in_tmux: std::env::var_os("TMUX").is_some_and(|socket| !socket.is_empty()),
    };
    let setting = Setting { server: plan.server.clone(), mouse: plan.look.mouse };
    runtime::run(setting, config, || theme_detect::theme(plan.look)).await?;
    Ok(ExitCode::SUCCESS)
}
