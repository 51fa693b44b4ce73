//! A terminal client for the metrics server: prompt, wire log, live table, charts; and a plain
//! mode for pipes and scripts.
//!
//! [`app`] decides and does nothing; [`view`] draws it; [`net`], [`files`] and [`runtime`] do what
//! it wishes. [`theme_detect`] finds the theme that suits the terminal.
//! [`plain`] stands beside the screen: it has no [`app::App`], only what there is to know of points,
//! globs, expressions and alerts.

pub mod app;
pub mod cli;
pub mod effect;
pub mod event;
pub mod files;
pub mod import;
pub mod keymap;
pub mod metrics;
pub mod net;
pub mod plain;
pub mod request;
pub mod runtime;
pub mod terminal;
pub mod text;
pub mod theme_detect;
pub mod view;
pub mod wire_log;
