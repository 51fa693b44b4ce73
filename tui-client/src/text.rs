//! Values as text: numbers, units, times, and what makes text of a stranger safe to show.

pub mod escape;
pub mod format;
pub mod link;
pub mod units;
