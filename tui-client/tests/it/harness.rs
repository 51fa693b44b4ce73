//! What the tests share: servers, clients, terminals, and how long to wait.

pub mod certificates;
pub mod client;
/// That of the server.
#[cfg(target_os = "linux")]
#[path = "../../../server/tests/it/harness/os/full_pipe.rs"]
pub mod full_pipe;
pub mod os;
pub mod scene;
mod servers;
pub mod snapshot;
#[cfg(unix)]
mod terminals;
pub mod wait;

#[cfg(unix)]
pub use servers::server_process;
pub use servers::{peer, quirky_server, series_server, server};
#[cfg(unix)]
pub use terminals::{bare_pty, job_shell, pty, signals, throttle};
