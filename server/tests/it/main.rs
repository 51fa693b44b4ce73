//! The server from outside: real sockets, real processes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod concurrent_clients;
mod dialogues;
mod directions;
mod disk_full;
mod handed_on;
mod harness;
mod kill_9;
mod lifecycle;
mod options;
mod refused_directories;
mod released_formats;
