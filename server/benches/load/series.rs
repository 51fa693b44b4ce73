//! What is stored: 8,000 series of a fleet, a point a second each, and its text in the form that
//! each system takes. Deterministic, and as cheap as it can be: it shares the processor with the
//! server that it measures.

use std::collections::HashMap;
use std::ops::Range;

use anyhow::{Context, Result, ensure};

use crate::units::{per, ratio};

/// Series in all.
pub const SERIES: usize = 8000;

/// The second of the first point of every series.
pub const FIRST_SECOND: u64 = 1_700_000_000;

const METRICS: [&str; 10] = [
    "cpu.user",
    "cpu.system",
    "cpu.iowait",
    "mem.used",
    "mem.cached",
    "disk.read",
    "disk.write",
    "net.in",
    "net.out",
    "load.one",
];

/// Values are whole hundredths below this, so `0.00` to `999.99`.
const HUNDREDTHS: i32 = 100_000;

/// The name of a series, such as `host0123.cpu.user`.
pub fn name(series: usize) -> String {
    format!("host{:04}.{}", series / METRICS.len(), METRICS[series % METRICS.len()])
}

/// The series that a connection writes.
pub fn slice(connection: usize, connections: usize) -> Range<usize> {
    SERIES * connection / connections..SERIES * (connection + 1) / connections
}

/// Random walks of a slice of the series, a second of all of them after the other.
struct Walks {
    state: u64,
    hundredths: Vec<i32>,
    at: usize,
}

impl Walks {
    fn new(slice: &Range<usize>) -> Self {
        let mut walks = Self { state: slice.start as u64, hundredths: Vec::new(), at: 0 };
        for _ in slice.clone() {
            let start = walks.random() % HUNDREDTHS.unsigned_abs();
            walks.hundredths.push(start.cast_signed());
        }
        walks
    }

    /// splitmix64, its upper half.
    fn random(&mut self) -> u32 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 32) as u32
    }

    /// The place in the slice and the value of the next point.
    fn next(&mut self) -> (usize, i32) {
        // The sum of four bytes is close to a normal distribution; a sixth of it deviates by 25.
        let bytes = self.random().to_le_bytes();
        let step = (bytes.iter().map(|&byte| i32::from(byte)).sum::<i32>() - 510) / 6;
        let at = self.at;
        self.at = if at + 1 == self.hundredths.len() { 0 } else { at + 1 };
        let value = &mut self.hundredths[at];
        *value = (*value + step).abs();
        if *value >= HUNDREDTHS {
            *value = 2 * HUNDREDTHS - 2 - *value;
        }
        (at, *value)
    }
}

/// How a system writes a point: `before(key)`, the value, a blank, the second, `after`.
#[derive(Clone, Copy)]
pub struct Form {
    /// What stands before the value.
    pub before: fn(&str) -> String,
    /// Value and second are one RESP string, so its length comes first.
    pub counted: bool,
    /// What stands after the second.
    pub after: &'static str,
}

/// Everything that is copied has a fixed size: a move or two instead of a call.
const BEFORE: usize = 64;
const TAIL: usize = 16;
const MAX_POINT: usize = BEFORE + 8 + 8 + TAIL;

/// The text of a slice of the series, a batch at a time.
pub struct Feed {
    walks: Walks,
    before: Vec<([u8; BEFORE], u8)>,
    counted: bool,
    after: &'static str,
    second: u64,
    tail: [u8; TAIL],
    tail_length: usize,
    whole: Vec<([u8; 4], u8)>,
    buffer: Vec<u8>,
}

impl Feed {
    /// The points of `slice` from the first second on.
    pub fn new(slice: &Range<usize>, form: Form) -> Result<Self> {
        let mut before = Vec::new();
        for series in slice.clone() {
            let text = (form.before)(&name(series));
            ensure!(text.len() <= BEFORE, "{text:?} is longer than the generator is made for");
            before.push((padded(text.as_bytes()), u8::try_from(text.len())?));
        }
        let mut whole = Vec::new();
        for number in 0..HUNDREDTHS / 100 {
            let text = format!("{number}.");
            whole.push((padded(text.as_bytes()), u8::try_from(text.len())?));
        }
        let mut feed = Self {
            walks: Walks::new(slice),
            before,
            counted: form.counted,
            after: form.after,
            second: FIRST_SECOND,
            tail: [0; TAIL],
            tail_length: 0,
            whole,
            buffer: Vec::new(),
        };
        feed.write_tail();
        Ok(feed)
    }

    fn write_tail(&mut self) {
        let text = format!(" {}{}", self.second, self.after);
        self.tail = padded(text.as_bytes());
        self.tail_length = text.len();
    }

    /// The text of the next `points` points.
    pub fn batch(&mut self, points: usize) -> &[u8] {
        self.buffer.resize(points * MAX_POINT, 0);
        let mut to = 0;
        for _ in 0..points {
            let (series, value) = self.walks.next();
            let (before, length) = &self.before[series];
            self.buffer[to..to + BEFORE].copy_from_slice(before);
            to += usize::from(*length);
            let value = value.unsigned_abs();
            let (whole, length) = self.whole[(value / 100) as usize];
            let length = usize::from(length);
            if self.counted {
                // The fraction has two digits, and a RESP string ends before its last CRLF.
                let bytes = length + 2 + self.tail_length - 2;
                let [tens, ones] = two_digits(bytes);
                self.buffer[to..to + 5].copy_from_slice(&[b'$', tens, ones, b'\r', b'\n']);
                to += 5;
            }
            self.buffer[to..to + 4].copy_from_slice(&whole);
            to += length;
            self.buffer[to..to + 2].copy_from_slice(&two_digits((value % 100) as usize));
            to += 2;
            self.buffer[to..to + TAIL].copy_from_slice(&self.tail);
            to += self.tail_length;
            if self.walks.at == 0 {
                self.second += 1;
                self.write_tail();
            }
        }
        &self.buffer[..to]
    }
}

fn two_digits(number: usize) -> [u8; 2] {
    const DIGITS: &[u8; 10] = b"0123456789";
    [DIGITS[number / 10 % 10], DIGITS[number % 10]]
}

fn padded<const N: usize>(text: &[u8]) -> [u8; N] {
    let mut padded = [0; N];
    padded[..text.len()].copy_from_slice(text);
    padded
}

/// A line of an answer, to be held against what was put.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sample {
    second: u64,
    series: usize,
    hundredths: i64,
}

/// Holds `lines` (`<key> <value> <second>`) against the points that `connections` have put, and
/// answers how many it has checked.
pub fn verify(lines: &[Vec<u8>], connections: usize) -> Result<usize> {
    let places: HashMap<String, usize> = (0..SERIES).map(|series| (name(series), series)).collect();
    let mut samples = Vec::new();
    for line in lines {
        let line = str::from_utf8(line).context("the answer is not UTF-8")?;
        let sample = sample(line, &places).with_context(|| format!("in the answer: {line:?}"))?;
        samples.push(sample);
    }
    samples.sort_unstable();
    for connection in 0..connections {
        let slice = slice(connection, connections);
        let mut own = samples.iter().filter(|sample| slice.contains(&sample.series)).peekable();
        let mut walks = Walks::new(&slice);
        let mut second = FIRST_SECOND;
        while let Some(next) = own.peek() {
            let (at, value) = walks.next();
            if (next.second, next.series) == (second, slice.start + at) {
                ensure!(
                    next.hundredths == i64::from(value),
                    "{} at {second} is {} hundredths, not {value} as was put",
                    name(next.series),
                    next.hundredths
                );
                own.next();
            }
            second += u64::from(walks.at == 0);
        }
    }
    Ok(samples.len())
}

fn sample(line: &str, places: &HashMap<String, usize>) -> Result<Sample> {
    let [key, value, second] =
        line.split(' ').collect::<Vec<_>>().try_into().ok().context("not three words")?;
    let (whole, fraction) = value.split_once('.').context("no point in the value")?;
    let fraction: i64 = format!("{fraction:0<2}").parse()?;
    let second: u64 = second.parse()?;
    ensure!(second >= FIRST_SECOND, "before the first second");
    let series = *places.get(key).context("a series that was never put")?;
    Ok(Sample { second, series, hundredths: whole.parse::<i64>()? * 100 + fraction })
}

/// Bytes that a value of these walks takes at the least: the entropy of its step.
pub fn entropy() -> f64 {
    let mut walks = Walks::new(&(0..1));
    let mut counts: HashMap<i32, u64> = HashMap::new();
    let (mut last, rounds) = (walks.next().1, 200_000);
    for _ in 0..rounds {
        let next = walks.next().1;
        *counts.entry(next - last).or_default() += 1;
        last = next;
    }
    let bits: f64 = counts
        .values()
        .map(|&count| {
            let share = ratio(count, rounds);
            -share * share.log2()
        })
        .sum();
    bits / 8.0
}

/// Nanoseconds that the generator spends on a point.
pub fn cost(form: Form) -> Result<f64> {
    let mut feed = Feed::new(&slice(0, 8), form)?;
    let (batches, points) = (2000, 1000);
    let start = std::time::Instant::now();
    for _ in 0..batches {
        std::hint::black_box(feed.batch(points));
    }
    Ok(per(start.elapsed(), batches * points as u64).as_secs_f64() * 1e9)
}
