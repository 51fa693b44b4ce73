//! Values as text: numbers, units, times, widths, and bytes from the network made safe to show.

pub mod connection;
pub mod escape;
pub mod number;
pub mod time;
pub mod units;
pub mod width;
