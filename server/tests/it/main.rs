//! The server from outside: real sockets, real processes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod dialogues;
mod disk_full;
mod files;
mod golden;
mod journal;
mod kill;
mod load;
mod options;
mod process;
mod program;
mod refusals;
mod served;
