//! What fuzzing puts to the files of a data directory; see `server/fuzz`.
//!
//! Each function takes any bytes and panics when something does not hold. Checksums are made right where
//! the input asks for it: what stands behind them would hardly ever be reached otherwise.

mod directory;
mod input;
mod part;
mod segment;
mod small_files;
mod sound;
mod start;
#[cfg(test)]
mod tests;

pub use directory::open_directory;
pub use part::read_part;
pub use segment::read_segment;
pub use small_files::read_small_files;
