//! A terminal client for the metrics server: prompt, wire log, live table, charts; and a plain
//! mode for pipes and scripts.
//!
//! [`app`] decides and does nothing; [`view`] draws it; [`net`], [`files`] and [`runtime`] do what
//! it wishes. [`colours`] finds the theme that suits the terminal.
//! [`plain`] stands beside the screen: it has no [`app::App`], only what there is to know of points,
//! globs, expressions and alerts.

pub mod app;
pub mod cli;
pub mod colours;
pub mod files;
pub mod keymap;
pub mod line;
pub mod net;
pub mod plain;
pub mod runtime;
pub mod terminal;
pub mod view;
