//! A request line before it is sent (completed, checked, explained), and while it waits for its
//! reply.

pub mod civil;
pub mod command;
pub mod deletion;
pub mod explain;
pub mod normalize;
pub mod pending;
pub mod plausible;
pub mod selector;
