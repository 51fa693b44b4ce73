//! A terminal client for the metrics server: prompt, wire log, live table, charts; and a plain
//! mode for pipes and scripts.
//!
//! [`app`] takes events and decides; [`view`] draws the application; [`runtime`] has its
//! effects carried out by [`system`], the only room with sockets, files and a terminal.
//! [`plain`] stands beside the screen and knows only the domain: [`metrics`], [`request`],
//! [`import`] and [`text`].

pub mod app;
pub mod cli;
pub mod clock;
pub mod effect;
pub mod event;
pub mod import;
pub mod keymap;
pub mod metrics;
pub mod plain;
pub mod request;
pub mod runtime;
pub mod session;
pub mod settings;
pub mod sources;
pub mod system;
pub mod text;
pub mod themes;
pub mod view;
pub mod wire_log;
