//! A terminal client for the metrics server: prompt, wire log, live table, charts; and a plain
//! mode for pipes and scripts.
//!
//! [`app`] takes events and decides; [`view`] draws the application; [`net`], [`files`] and
//! [`runtime`] carry out its effects. [`theme_detect`] chooses the theme for the terminal.
//! [`plain`] stands beside the screen and knows only the domain: [`metrics`], [`request`],
//! [`import`] and [`text`].

pub mod app;
pub mod cli;
pub mod clock;
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
