//! A column of numbers, packed by `pco` in its standalone format, which holds how many they are.

use pco::data_types::Number;
use pco::metadata::DeltaEncoding;
use pco::standalone::{
    DecompressorItem, FileDecompressor, simple_compress_into, simple_decompress_into,
};
use pco::{ChunkConfig, DeltaSpec};

use super::{BadChunk, Effort};

/// Appends at least one number.
///
/// # Errors
/// When `pco` refuses; no input is known that makes it.
pub fn pack<T: Number>(numbers: &[T], effort: Effort, out: &mut Vec<u8>) -> Result<(), BadChunk> {
    let start = out.len();
    let neighbours = ChunkConfig::default().with_delta_spec(DeltaSpec::TryConsecutive(1));
    if effort == Effort::Quick {
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

/// Reads as many numbers as `numbers` has room for.
///
/// # Errors
/// When the bytes are no column of that many.
pub fn unpack<T: Number>(packed: &[u8], numbers: &mut [T]) -> Result<(), BadChunk> {
    let progress = simple_decompress_into(packed, numbers).map_err(|_| BadChunk)?;
    if progress.finished && progress.n_processed == numbers.len() { Ok(()) } else { Err(BadChunk) }
}
