//! What the tests share: servers, clients, terminals, and how long to wait.

pub mod bare_pty;
pub mod client;
pub mod job_shell;
pub mod peer;
pub mod pty;
pub mod scene;
pub mod server;
pub mod server_process;
pub mod signals;
pub mod snapshot;
pub mod throttle;
pub mod wait;
