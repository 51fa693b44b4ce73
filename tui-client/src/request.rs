//! A request line before it goes out: what is sent of it, why it would be refused, whether it is meant.

pub mod explain;
pub mod normalize;
pub mod plausible;
pub mod selector;
