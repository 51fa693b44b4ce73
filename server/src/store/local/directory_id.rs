//! The random number by which a data directory is known.

use std::fmt;
use std::io;
use std::str::FromStr;

use super::disk::Disk;

/// The random number of a data directory: it tells the directory from every other one, also from another one
/// at its path, and from a copy that a server is started on. 128 bits, written as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirectoryId(u128);

impl DirectoryId {
    /// Length of the text in bytes.
    pub const LENGTH: usize = 32;

    /// A new number.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn draw(disk: &dyn Disk) -> io::Result<Self> {
        let (high, low) = (disk.random()?, disk.random()?);
        Ok(Self(u128::from(high) << 64 | u128::from(low)))
    }
}

impl fmt::Display for DirectoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The text is none.
#[derive(Debug)]
pub struct InvalidId;

impl FromStr for DirectoryId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let id = u128::from_str_radix(text, 16).map(Self).map_err(|_| InvalidId)?;
        // No other spelling.
        if id.to_string() == text { Ok(id) } else { Err(InvalidId) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_and_have_one_spelling() {
        for id in [0, 1, u128::MAX, 0xab << 100].map(DirectoryId) {
            let text = id.to_string();
            assert_eq!(text.len(), DirectoryId::LENGTH);
            assert_eq!(text.parse::<DirectoryId>().unwrap(), id);
        }
        let upper = "0".repeat(31) + "A";
        let signed = format!("+{}", "0".repeat(31));
        for wrong in ["", "0", &upper, &signed, &"0".repeat(33), &"g".repeat(32)] {
            assert!(wrong.parse::<DirectoryId>().is_err(), "{wrong}");
        }
    }
}
