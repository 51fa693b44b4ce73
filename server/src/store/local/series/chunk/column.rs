//! A column of numbers, packed by `pco` in its standalone format, which holds how many they are.

use pco::data_types::Number;
use pco::metadata::DeltaEncoding;
use pco::standalone::{
    ChunkDecompressor, DecompressorItem, FileDecompressor, simple_compress_into,
};
use pco::{ChunkConfig, DeltaSpec, FULL_BATCH_N};

use super::{BadChunk, Effort};

/// What `pco` calls the differences to numbers further back.
const LOOKBACK: u8 = 2;

/// Logarithm of the longest window for them that `pco` writes.
const MAX_WINDOW_LOG: u8 = 15;

/// Of fewer numbers those of neighbours' differences are taken unseen: to look for a smaller column
/// takes as long as with many, and a later merge makes one of several.
const MIN_THOROUGH: usize = 64;

/// The least bytes of a column: one number of 16 bits.
pub const MIN_COLUMN: usize = 20;

/// Bytes of differences for which [`Effort::Quick`] tries no column.
const FEW_BYTES: usize = 40;

/// Bytes of differences from which on a column may be smaller, or worth trying for.
pub fn enough(effort: Effort) -> usize {
    if effort == Effort::Quick { FEW_BYTES } else { MIN_COLUMN }
}

/// Appends at least one number.
///
/// # Errors
/// When `pco` refuses; no input is known that makes it.
pub fn pack<T: Number>(numbers: &[T], effort: Effort, out: &mut Vec<u8>) -> Result<(), BadChunk> {
    let start = out.len();
    let neighbours = ChunkConfig::default().with_delta_spec(DeltaSpec::TryConsecutive(1));
    if effort == Effort::Quick || numbers.len() < MIN_THOROUGH {
        return compress(numbers, &neighbours, out);
    }
    compress(numbers, &ChunkConfig::default(), out)?;
    if !takes_differences::<T>(&out[start..]) {
        // It judged by samples, and is wrong about one column in ten.
        let automatic = out.split_off(start);
        compress(numbers, &neighbours, out)?;
        if automatic.len() <= out.len() - start {
            out.truncate(start);
            out.extend_from_slice(&automatic);
        }
    }
    Ok(())
}

fn compress<T: Number>(
    numbers: &[T],
    config: &ChunkConfig,
    out: &mut Vec<u8>,
) -> Result<(), BadChunk> {
    simple_compress_into(numbers, config, out).map_err(|_| BadChunk)?;
    Ok(())
}

/// Whether a column is made of the differences of neighbours.
fn takes_differences<T: Number>(column: &[u8]) -> bool {
    let Ok((file, rest)) = FileDecompressor::new(column) else { return false };
    match file.chunk_decompressor::<T, _>(rest) {
        Ok(DecompressorItem::Chunk(chunk)) => {
            matches!(chunk.meta().delta_encoding, DeltaEncoding::Consecutive { order: 1, .. })
        }
        _ => false,
    }
}

/// Reads as many numbers as `numbers` has room for. Takes no more memory than they need, and half a
/// mebibyte, whatever the bytes are.
///
/// # Errors
/// When the bytes are no column of that many.
pub fn unpack<T: Number>(packed: &[u8], mut numbers: &mut [T]) -> Result<(), BadChunk> {
    let (file, mut rest) = FileDecompressor::new(packed).map_err(|_| BadChunk)?;
    loop {
        if !is_bounded::<T>(rest) {
            return Err(BadChunk);
        }
        let mut chunk = match file.chunk_decompressor::<T, _>(rest).map_err(|_| BadChunk)? {
            DecompressorItem::Chunk(chunk) => chunk,
            DecompressorItem::EndOfData(_) if numbers.is_empty() => return Ok(()),
            DecompressorItem::EndOfData(_) => return Err(BadChunk),
        };
        let (these, others) = numbers.split_at_mut_checked(chunk.n()).ok_or(BadChunk)?;
        let progress = chunk.read(these).map_err(|_| BadChunk)?;
        if !progress.finished || progress.n_processed != these.len() {
            return Err(BadChunk);
        }
        numbers = others;
        rest = chunk.into_src();
    }
}

/// The numbers of a column from its first one on, unpacked a few at a time. Those behind are neither unpacked
/// nor checked.
pub struct Batches<'p, T: Number> {
    file: FileDecompressor,
    rest: &'p [u8],
    chunk: Option<ChunkDecompressor<T, &'p [u8]>>,
    batch: [T; FULL_BATCH_N],
    /// Of the batch, how many numbers were passed on one by one, and how many there are.
    at: usize,
    end: usize,
}

impl<'p, T: Number + Default> Batches<'p, T> {
    /// # Errors
    /// When the bytes do not begin as a column does.
    pub fn new(packed: &'p [u8]) -> Result<Self, BadChunk> {
        let (file, rest) = FileDecompressor::new(packed).map_err(|_| BadChunk)?;
        Ok(Self { file, rest, chunk: None, batch: [T::default(); FULL_BATCH_N], at: 0, end: 0 })
    }

    /// The next one; `None` at the end.
    ///
    /// # Errors
    /// When the bytes so far are no column.
    #[inline]
    pub fn next_number(&mut self) -> Result<Option<T>, BadChunk> {
        if self.at == self.end {
            self.end = self.next_batch()?.len();
            self.at = 0;
        }
        let number = if self.at < self.end { self.batch.get(self.at).copied() } else { None };
        self.at += usize::from(number.is_some());
        Ok(number)
    }

    /// The next ones, behind the batch of which one was passed on last; none at the end.
    ///
    /// # Errors
    /// When the bytes so far are no column.
    pub fn next_batch(&mut self) -> Result<&[T], BadChunk> {
        loop {
            let mut chunk = match self.chunk.take() {
                Some(chunk) => chunk,
                None if !is_bounded::<T>(self.rest) => return Err(BadChunk),
                None => match self.file.chunk_decompressor(self.rest).map_err(|_| BadChunk)? {
                    DecompressorItem::Chunk(chunk) => chunk,
                    DecompressorItem::EndOfData(_) => return Ok(&[]),
                },
            };
            let progress = chunk.read(&mut self.batch).map_err(|_| BadChunk)?;
            if progress.finished {
                self.rest = chunk.into_src();
            } else {
                self.chunk = Some(chunk);
            }
            if progress.n_processed > 0 {
                return self.batch.get(..progress.n_processed).ok_or(BadChunk);
            }
        }
    }
}

/// Passes on the numbers of a column from its first one on, a few at a time, until something is found
/// in them; `None` at the end. Those behind are neither unpacked nor checked.
///
/// # Errors
/// When the bytes so far are no column.
pub fn find<T: Number + Default, R>(
    packed: &[u8],
    mut look: impl FnMut(&[T]) -> Option<R>,
) -> Result<Option<R>, BadChunk> {
    let mut batches = Batches::new(packed)?;
    loop {
        let numbers = batches.next_batch()?;
        if numbers.is_empty() {
            return Ok(None);
        }
        if let Some(found) = look(numbers) {
            return Ok(Some(found));
        }
    }
}

/// The number at a place in a column. Those far behind it are neither unpacked nor checked.
///
/// # Errors
/// When the bytes so far are no column, or there is none at that place.
pub fn get<T: Number + Default>(packed: &[u8], mut at: usize) -> Result<T, BadChunk> {
    let found = find(packed, |numbers: &[T]| {
        let number = numbers.get(at).copied();
        at = at.wrapping_sub(numbers.len());
        number
    });
    found?.ok_or(BadChunk)
}

/// Whether what a chunk of `pco` says of itself makes it allocate no more than what `pco` writes. It
/// would take some 256 MiB for the largest dictionary or window otherwise, before it reads either.
fn is_bounded<T>(chunk: &[u8]) -> bool {
    // The kind of number, or 0 at the end; 3 bytes with how many they are; 4 bits with the mode.
    let Some(mode) = chunk.get(4) else { return true };
    let parameter = match mode & 0x0f {
        // As it is.
        0 => 0,
        // Multiples of an integer or a float.
        1 | 2 => size_of::<T>(),
        // Without so many of the last bits.
        3 => 1,
        // A dictionary, which `pco` writes only when told to, or what it will refuse.
        _ => return false,
    };
    let delta = chunk.get(4 + parameter).map(|byte| byte >> 4);
    let window = chunk.get(5 + parameter).map(|byte| 1 + (byte & 0x1f));
    delta != Some(LOOKBACK) || window.is_some_and(|window| window <= MAX_WINDOW_LOG)
}

#[cfg(test)]
mod tests {
    use super::super::numbers::MAX_PLAIN;
    use super::*;

    /// Numbers that come again after a while, for which `pco` keeps a window.
    fn periodic() -> Vec<i64> {
        let mut seed = 1_i64;
        let period: Vec<i64> = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            seed
        })
        .take(700)
        .collect();
        period.into_iter().cycle().take(8192).collect()
    }

    #[test]
    fn no_column_is_smaller_than_the_least_one() {
        let mut least = Vec::new();
        pack(&[0_i16], Effort::Quick, &mut least).unwrap();
        assert_eq!(least.len(), MIN_COLUMN);
        for count in [1, 2, 60, 64, 300, 8192] {
            for effort in [Effort::Quick, Effort::Thorough] {
                let (mut of_values, mut of_wholes) = (Vec::new(), Vec::new());
                pack(&vec![0.5; count], effort, &mut of_values).unwrap();
                pack(&vec![7_i16; count], effort, &mut of_wholes).unwrap();
                assert!(of_wholes.len() >= MIN_COLUMN, "{count}");
                assert!(of_values.len() > size_of::<[f64; MAX_PLAIN]>(), "{count}");
            }
        }
    }

    #[test]
    fn a_window_is_read_up_to_the_longest_that_is_written() {
        let numbers = periodic();
        let mut packed = Vec::new();
        let config = ChunkConfig::default().with_delta_spec(DeltaSpec::TryLookback);
        compress(&numbers, &config, &mut packed).unwrap();
        let (_, rest) = FileDecompressor::new(packed.as_slice()).unwrap();
        let head = packed.len() - rest.len();
        assert_eq!(packed[head + 4], LOOKBACK << 4, "as it is, with a window");
        let mut read = vec![0; numbers.len()];
        for log in 0..32 {
            packed[head + 5] = packed[head + 5] & 0xe0 | log;
            assert_eq!(is_bounded::<i64>(&packed[head..]), log < MAX_WINDOW_LOG, "2^{log}");
            let is_read = unpack(&packed, &mut read).is_ok() && read == numbers;
            assert_eq!(is_read, (9..MAX_WINDOW_LOG).contains(&log), "2^{log}");
        }
    }

    #[test]
    fn a_dictionary_of_pco_is_refused() {
        let numbers: Vec<i64> = (0..500).map(|at| at % 7).collect();
        let config = ChunkConfig::default().with_mode_spec(pco::ModeSpec::TryDict);
        let mut packed = Vec::new();
        compress(&numbers, &config, &mut packed).unwrap();
        assert_eq!(unpack(&packed, &mut vec![0; numbers.len()]), Err(BadChunk));
    }

    #[test]
    fn more_numbers_than_pco_has_in_one_chunk_are_read() {
        let numbers: Vec<u32> = (0..600_000).map(|at| at / 3).collect();
        let mut packed = Vec::new();
        pack(&numbers, Effort::Quick, &mut packed).unwrap();
        let mut read = vec![0; numbers.len()];
        assert_eq!(unpack(&packed, &mut read), Ok(()));
        assert!(read == numbers);
        assert_eq!(unpack(&packed, &mut read[1..]), Err(BadChunk));
        assert_eq!(unpack(&packed, &mut vec![0; numbers.len() + 1]), Err(BadChunk));
    }
}
