//! What the tests share: servers, clients, terminals, and how long to wait.

#[cfg(unix)]
pub mod bare_pty;
pub mod client;
/// That of the server.
#[cfg(target_os = "linux")]
#[path = "../../../server/tests/it/harness/os/full_pipe.rs"]
pub mod full_pipe;
#[cfg(unix)]
pub mod job_shell;
pub mod os;
pub mod peer;
#[cfg(unix)]
pub mod pty;
pub mod quirky_server;
pub mod scene;
pub mod series_server;
pub mod server;
pub mod server_process;
#[cfg(unix)]
pub mod signals;
pub mod snapshot;
#[cfg(unix)]
pub mod throttle;
pub mod wait;
