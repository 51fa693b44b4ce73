//! What charts and trends are drawn from.

pub mod gaps;
pub mod rollups;
pub mod trend;
pub mod window;
