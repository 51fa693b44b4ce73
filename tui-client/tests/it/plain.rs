//! The plain mode: the real binary in pipes.

mod alerts;
mod data_lines;
mod delete;
mod follow;
mod import;
mod import_retry;
mod lost_points;
mod once;
mod other_servers;
mod output;
mod requests;
mod selectors;
mod several_servers;
mod text;
mod tls;
mod watch;
