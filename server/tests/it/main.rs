//! The server from outside: real sockets, real processes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod dialogues;
mod load;
mod process;
mod served;
