//! What the benchmarks in a pseudo-terminal share: the client, servers, a proxy, puts, and how a
//! figure is printed next to its bound. Terminal, server and waits are those of the tests.

#![allow(dead_code, reason = "each benchmark uses a part of it")]

#[path = "client.rs"]
pub mod client;
#[path = "picture.rs"]
pub mod picture;
#[path = "process.rs"]
pub mod process;
#[path = "proxy.rs"]
pub mod proxy;
#[path = "../../tests/it/harness/terminals/pty.rs"]
pub mod pty;
#[path = "puts.rs"]
pub mod puts;
#[path = "report.rs"]
pub mod report;
#[path = "../../tests/it/harness/servers/server.rs"]
pub mod server;
#[path = "server_process.rs"]
pub mod server_process;
#[path = "../../tests/it/harness/terminals/signals.rs"]
pub mod signals;
#[path = "../../tests/it/harness/wait.rs"]
pub mod wait;

use std::process::ExitCode;

/// Runs a benchmark with the arguments after `--`. It says whether all bounds are held.
pub fn run(measure: impl FnOnce(&[String]) -> bool) -> ExitCode {
    if server_process::serve_if_asked() {
        return ExitCode::SUCCESS;
    }
    let (flags, args): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|arg| arg.starts_with("--"));
    // As a test of all targets there is nothing to do.
    if !flags.iter().any(|flag| flag == "--bench") || measure(&args) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
