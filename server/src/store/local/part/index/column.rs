//! Columns of numbers, as an index has them.

use pco::data_types::Number;

use crate::store::local::series::chunk::{BadChunk, Batches, Effort, pack_column};
use crate::store::local::varint;

/// A number of a column as it is in memory.
pub trait Field: Number + Default {
    /// Appends it in its fixed width.
    fn append(self, out: &mut Vec<u8>);

    /// Takes one off the front of `input`; `None` when it is cut off.
    fn take(input: &mut &[u8]) -> Option<Self>;
}

macro_rules! fields {
    ($($kind:ty)*) => {$(
        impl Field for $kind {
            fn append(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            fn take(input: &mut &[u8]) -> Option<Self> {
                let (bytes, rest) = input.split_first_chunk()?;
                *input = rest;
                Some(Self::from_le_bytes(*bytes))
            }
        }
    )*};
}

fields!(u16 u32 u64 i64 f64);

/// Appends columns: the length in bytes and what `pco` makes of the numbers; or a length of 0 and the
/// numbers as they are, when that is shorter. Without numbers there is nothing.
pub struct ColumnWriter<'o> {
    effort: Effort,
    out: &'o mut Vec<u8>,
}

impl<'o> ColumnWriter<'o> {
    /// A writer that appends to `out`.
    pub fn new(effort: Effort, out: &'o mut Vec<u8>) -> Self {
        Self { effort, out }
    }

    /// Appends a column.
    ///
    /// # Errors
    /// When it can't be packed.
    pub fn add<T: Field>(&mut self, numbers: impl Iterator<Item = T>) -> Result<(), BadChunk> {
        let numbers: Vec<T> = numbers.collect();
        if numbers.is_empty() {
            return Ok(());
        }
        let mut column = Vec::new();
        pack_column(&numbers, self.effort, &mut column)?;
        if column.len() < size_of_val(numbers.as_slice()) {
            varint::encode(column.len() as u64, self.out);
            self.out.extend_from_slice(&column);
        } else {
            varint::encode(0, self.out);
            for number in numbers {
                number.append(self.out);
            }
        }
        Ok(())
    }
}

/// Takes columns off the front of an index.
pub struct ColumnReader<'i> {
    input: &'i [u8],
}

impl<'i> ColumnReader<'i> {
    /// A reader of all of `input`.
    pub fn new(input: &'i [u8]) -> Self {
        Self { input }
    }

    /// What is left.
    pub fn rest(&self) -> &'i [u8] {
        self.input
    }

    /// Takes a column of `count` numbers off the front; `None` when there is none.
    pub fn take<T: Field>(&mut self, count: usize) -> Option<Column<'i, T>> {
        if count == 0 {
            return Some(Column::Plain(&[]));
        }
        let length = usize::try_from(varint::decode(&mut self.input)?).ok()?;
        let is_plain = length == 0;
        let length = if is_plain { count.checked_mul(size_of::<T>())? } else { length };
        let (column, rest) = self.input.split_at_checked(length)?;
        self.input = rest;
        if is_plain {
            return Some(Column::Plain(column));
        }
        Some(Column::Packed(Box::new(Batches::new(column).ok()?)))
    }
}

/// A column that is being read, number by number: all of them at once would take several times the memory of what
/// they become.
pub enum Column<'i, T: Field> {
    /// By `pco`.
    Packed(Box<Batches<'i, T>>),
    /// As they are.
    Plain(&'i [u8]),
}

impl<T: Field> Column<'_, T> {
    /// The next number; `None` when there is none, or it can't be read.
    #[inline]
    pub fn next_number(&mut self) -> Option<T> {
        match self {
            Self::Packed(batches) => batches.next_number().ok()?,
            Self::Plain(bytes) => T::take(bytes),
        }
    }

    /// How many of its first `length` numbers are as asked; `None` when it has fewer, or can't be read.
    pub fn count(mut self, length: usize, is_one: impl Fn(T) -> bool) -> Option<usize> {
        let mut count = 0;
        for _ in 0..length {
            count += usize::from(is_one(self.next_number()?));
        }
        Some(count)
    }

    /// Whether there are no more numbers.
    pub fn end(self) -> bool {
        match self {
            Self::Packed(mut batches) => matches!(batches.next_number(), Ok(None)),
            Self::Plain(bytes) => bytes.is_empty(),
        }
    }
}
