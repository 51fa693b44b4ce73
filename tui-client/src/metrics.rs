//! Series and what is computed of them: summaries, columns, order, filters, alerts. Knows no screen.

pub mod alerts;
pub mod column;
mod condition;
pub mod filter;
mod graph;
mod large_list;
pub mod marks;
pub mod needs;
pub mod patterns;
pub mod reply;
pub mod series;
pub mod sort;
pub mod sparkline;
pub mod stale;
pub mod watch_plan;

pub use graph::{gaps, rollups, trend, window};
