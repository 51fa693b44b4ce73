//! What values cost on the disk: `cargo bench -p server --bench values -- DIRECTORY`. Each file there
//! is a data set, one value a line; what is no finite number is left out.

#![expect(clippy::expect_used, reason = "a benchmark that cannot go on has nothing to say")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pco::ChunkConfig;
use pco::standalone::simple_compress;
use server::store::local::chunk::{self, Effort, MAX_CHUNK_POINTS};
use shared::Point;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.find(|argument| !argument.starts_with('-')).map(PathBuf::from);
    match directory {
        Some(directory) if std::env::args().any(|argument| argument == "--bench") => {
            compare(&directory);
        }
        _ => println!("nothing measured: cargo bench -p server --bench values -- DIRECTORY"),
    }
}

/// Bits and nanoseconds of a value.
#[derive(Debug, Default, Clone, Copy)]
struct Cost {
    bits: f64,
    encode: f64,
    decode: f64,
}

fn compare(directory: &Path) {
    println!("{:<18} {:>8} {:>17} {:>28} {:>28}", "", "", "format 1", "quick", "thorough");
    println!(
        "{:<18} {:>8} {:>8} {:>8} {:>8} {:>6} {:>6} {:>5} {:>8} {:>6} {:>6} {:>5}",
        "", "values", "bits", "encode", "bits", "", "encode", "dec.", "bits", "", "encode", "dec."
    );
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    let mut sums = [0.0; 3];
    for file in &files {
        let values = read(file);
        let old = format_1(&values);
        let [(quick, before), (thorough, after)] =
            [Effort::Quick, Effort::Thorough].map(|effort| now(&values, effort));
        let is_bigger = |(after, before): (&usize, &usize)| after > before;
        assert!(!after.iter().zip(&before).any(is_bigger), "a merge makes a chunk bigger");
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        print_row(&name, &values.len().to_string(), old, quick, thorough);
        for (sum, cost) in sums.iter_mut().zip([old, quick, thorough]) {
            *sum += cost.bits;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a few files")]
    let [old, quick, thorough] =
        sums.map(|sum| Cost { bits: sum / files.len() as f64, ..Cost::default() });
    print_row("mean", "", old, quick, thorough);
}

fn print_row(name: &str, values: &str, old: Cost, quick: Cost, thorough: Cost) {
    let change = |cost: Cost| format!("{:+.1}%", (cost.bits / old.bits - 1.0) * 100.0);
    println!(
        "{name:<18} {values:>8} {:>8.2} {:>8.1} {:>8.2} {:>6} {:>6.1} {:>5.1} {:>8.2} {:>6} {:>6.1} {:>5.1}",
        old.bits,
        old.encode,
        quick.bits,
        change(quick),
        quick.encode,
        quick.decode,
        thorough.bits,
        change(thorough),
        thorough.encode,
        thorough.decode
    );
}

/// The values of a file, in chunks.
fn read(path: &Path) -> Vec<f64> {
    let text = std::fs::read_to_string(path).expect("a file of text");
    let values = text.lines().filter_map(|line| line.trim().parse::<f64>().ok());
    values.filter(|value| value.is_finite()).collect()
}

/// As format 1 has them after a merge; the time is that of a checkpoint of format 1.
fn format_1(values: &[f64]) -> Cost {
    let quick = ChunkConfig::default().with_delta_spec(pco::DeltaSpec::TryConsecutive(1));
    let mut encode = Duration::ZERO;
    let mut bytes = 0;
    for values in values.chunks(MAX_CHUNK_POINTS) {
        let start = Instant::now();
        simple_compress(values, &quick).expect("a column");
        encode += start.elapsed();
        bytes += simple_compress(values, &ChunkConfig::default()).expect("a column").len();
        // The mark, first timestamp and step of regular timestamps.
        bytes += 7;
    }
    cost(bytes, values.len(), encode, Duration::ZERO)
}

/// What it costs, and the bytes of each chunk.
fn now(values: &[f64], effort: Effort) -> (Cost, Vec<usize>) {
    let (mut encode, mut decode) = (Duration::ZERO, Duration::ZERO);
    let mut bytes = Vec::new();
    for values in values.chunks(MAX_CHUNK_POINTS) {
        let points: Vec<_> = (1_700_000_000..)
            .zip(values)
            .map(|(timestamp, &value)| Point { timestamp, value })
            .collect();
        let mut chunk = Vec::new();
        let start = Instant::now();
        chunk::encode(&points, effort, &mut chunk).expect("a chunk");
        encode += start.elapsed();
        let start = Instant::now();
        let read = chunk::decode(&chunk, points.len()).expect("a chunk");
        decode += start.elapsed();
        let same = |(a, b): (&Point, &Point)| a.value.to_bits() == b.value.to_bits();
        assert!(points.iter().zip(read.iter()).all(same), "another value is read than was written");
        bytes.push(chunk.len());
    }
    (cost(bytes.iter().sum(), values.len(), encode, decode), bytes)
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn cost(bytes: usize, values: usize, encode: Duration, decode: Duration) -> Cost {
    let values = values as f64;
    let each = |time: Duration| time.as_secs_f64() * 1e9 / values;
    Cost { bits: bytes as f64 * 8.0 / values, encode: each(encode), decode: each(decode) }
}
