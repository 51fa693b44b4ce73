//! The client from outside: messages in and state out, screens, the real binary against the real
//! server.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::format_collect,
    clippy::format_push_string,
    reason = "tests: a panic is the report, and nobody waits for the strings"
)]

mod alert;
mod client;
mod copied;
mod feed;
mod hang_up;
mod hostile;
mod import;
mod jobs;
mod killed;
mod left;
mod look;
mod manners;
mod pasted;
mod patience;
mod peer;
mod plain;
mod process;
mod prompt;
mod property;
mod pty;
mod raw_log;
mod recalled;
mod scene;
mod scenes;
mod served;
mod signals;
mod storm;
mod stuck;
mod tended;
mod terminal;
mod update;
mod valve;
mod views;
