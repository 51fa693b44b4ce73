//! Values as text: numbers and their order, units, times, widths, and bytes from the network made
//! safe to show; and parts of text found in it.

pub mod connection;
pub mod escape;
pub mod find;
pub mod moment;
pub mod natural;
pub mod nearest;
pub mod number;
pub mod time;
pub mod units;
pub mod width;
