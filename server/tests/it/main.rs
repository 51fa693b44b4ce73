//! The server from outside: real sockets, real processes.
//!
//! What an operating system can't do:
//! - `disk_full` mounts small disks, as Linux alone can without more rights.
//! - Windows: files have no modes, a link that leads to itself needs rights, and a process can't ask
//!   for its peak of memory; these parts of tests say so. One of the events that end a server can be
//!   sent to it: Ctrl-Break, and Ctrl-C in wine.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod backup;
mod concurrent_clients;
mod damage;
mod dialogues;
mod directions;
#[cfg(target_os = "linux")]
mod disk_full;
mod following;
mod handed_on;
mod harness;
mod kill_9;
mod lifecycle;
mod limits;
mod options;
mod refused_directories;
mod released_formats;
mod server_log;
// Windows has no such signals.
#[cfg(unix)]
mod signals;
// Windows has no such streams.
#[cfg(unix)]
mod streams;
mod tls;
