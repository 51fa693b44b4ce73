//! The real binary on a pseudo-terminal.

mod bare;
mod blocked_tty;
mod colours;
mod copy;
mod hang_up;
mod history_file;
mod input;
pub mod job_control;
mod other_servers;
mod output_size;
mod paste;
mod resize_storm;
mod server_restart;
mod session;
mod terminal_restore;
mod untrusted_server;
