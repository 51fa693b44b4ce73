//! The plain mode: the real binary in pipes.

mod alerts;
mod copy_command;
mod plain_import;
mod requests;
