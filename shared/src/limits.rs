//! Every bound of the protocol, each with its reason.

/// Longest line in bytes, its end (`\n` or `\r\n`) not counted.
///
/// A key, a value and a timestamp with generous blanks fit four times over; a peer that never
/// sends a line end costs one such buffer and no more.
pub const MAX_LINE: usize = 4096;

/// Longest key in bytes. A quarter of a line, so that any legal `put` fits with room to spare.
pub const MAX_KEY: usize = 1024;

/// Longest selector in bytes, its clause counted: what a line has room for. One key alone is no
/// longer than [`MAX_KEY`].
pub const MAX_SELECTOR: usize = MAX_LINE;

/// Braces in each other in a glob that a client matches itself. The protocol allows none.
pub const MAX_GLOB_DEPTH: usize = 8;

/// Longest text of a value as this crate prints it: sign, 17 digits, point, `e`, sign, 3 digits.
pub const MAX_VALUE_TEXT: usize = 24;

/// Longest text of a timestamp: `-9223372036854775808`.
pub const MAX_TIMESTAMP_TEXT: usize = 20;

/// Longest data line of a reply that this crate writes, its `\n` counted.
pub const MAX_POINT_LINE: usize = MAX_KEY + 1 + MAX_VALUE_TEXT + 1 + MAX_TIMESTAMP_TEXT + 1;
