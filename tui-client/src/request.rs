//! A request line before it goes out: normalized, checked, and whether it is plausible.

pub mod explain;
pub mod normalize;
pub mod plausible;
pub mod selector;
