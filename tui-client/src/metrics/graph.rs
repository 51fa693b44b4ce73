//! What charts and sparklines are drawn from.

pub mod rollups;
pub mod sparkline;
pub mod trend;
pub mod window;
