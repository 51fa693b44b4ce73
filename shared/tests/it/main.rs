//! The wire format from outside: dialogues, properties, the table of Python's `repr`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod client;
mod dialogues;
mod directions;
mod properties;
mod repr;
