//! Series and what is computed of them: summaries, columns, order, filters, alerts. Knows no screen.

pub mod alerts;
pub mod column;
pub mod expression;
pub mod glob;
pub mod reply;
pub mod sort;
pub mod sparkline;
pub mod summary;
pub mod watch_plan;
