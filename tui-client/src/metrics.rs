//! Series and what is computed of them: summaries, columns, order, filters, alerts. Knows no screen.

pub mod alerts;
pub mod column;
mod condition;
pub mod filter;
pub mod needs;
pub mod reply;
pub mod rollups;
pub mod series;
pub mod sort;
pub mod sparkline;
pub mod stale;
pub mod trend;
pub mod watch_plan;
pub mod window;
