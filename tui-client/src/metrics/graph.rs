//! What charts and trends are drawn from.

pub mod rollups;
pub mod trend;
pub mod window;
