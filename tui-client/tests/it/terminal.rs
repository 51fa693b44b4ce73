//! The real binary on a pseudo-terminal.

mod bare;
mod colours;
mod copy;
pub mod ending;
mod history_file;
mod input;
mod output_size;
mod paste;
mod peers;
mod replay;
mod resize_storm;
mod session;
mod several_servers;
mod tls;
mod view;
