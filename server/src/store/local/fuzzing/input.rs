//! Choices that are made by bytes.

use crate::store::local::sim_disk::random::Random;

/// Takes choices off the front of bytes. At their end every choice is the first one.
#[derive(Debug)]
pub struct Input<'i>(&'i [u8]);

impl<'i> Input<'i> {
    pub fn new(bytes: &'i [u8]) -> Self {
        Self(bytes)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        let Some((&byte, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        byte
    }

    /// Eight choices.
    pub fn bits(&mut self) -> [bool; 8] {
        let byte = self.byte();
        std::array::from_fn(|bit| byte & 1 << bit != 0)
    }

    /// A number below `end`, or 0.
    pub fn below(&mut self, end: usize) -> usize {
        let mut number = usize::from(self.byte());
        if end > 256 {
            number |= usize::from(self.byte()) << 8;
        }
        number % end.max(1)
    }

    /// At most so many bytes.
    pub fn bytes(&mut self, count: usize) -> &'i [u8] {
        let (bytes, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        bytes
    }

    /// Numbers that the input chooses without knowing them: no checksum can be spelled with them.
    pub fn random(&mut self) -> Random {
        Random(u64::from(self.byte()) << 8 | u64::from(self.byte()))
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'i [u8] {
        std::mem::take(&mut self.0)
    }
}
