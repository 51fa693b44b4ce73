//! Percentiles by nearest rank, exact, in bounded memory.

use shared::selector::Aggregate;

use crate::store::ReadError;
use crate::store::local::series::merge::{Merge, Source};

/// Most values that are gathered, 8 MiB of them. More are read again, once for each
/// [`DIGIT`] bits of a value.
const MAX_GATHERED: usize = 1 << 20;

/// Bits of a value that are told apart in one reading.
const DIGIT: u32 = 16;

/// The values of a bucket for one percentile.
#[derive(Debug)]
pub struct Percentile {
    percent: u64,
    count: u64,
    /// All values, unless they are too many.
    values: Vec<f64>,
}

impl Percentile {
    /// No values yet; `None` when `how` is no percentile.
    pub fn of(how: Aggregate) -> Option<Self> {
        let percent = match how {
            Aggregate::P50 => 50,
            Aggregate::P90 => 90,
            Aggregate::P95 => 95,
            Aggregate::P99 => 99,
            _ => return None,
        };
        Some(Self { percent, count: 0, values: Vec::new() })
    }

    /// Adds values.
    pub fn add(&mut self, values: impl ExactSizeIterator<Item = f64>) {
        let is_gathered = self.is_gathered();
        self.count += values.len() as u64;
        if is_gathered && self.is_small() {
            self.values.extend(values);
        } else {
            self.values = Vec::new();
        }
    }

    /// Adds all values of another one.
    pub fn append(&mut self, other: Self) {
        let is_gathered = self.is_gathered() && other.is_gathered();
        self.count += other.count;
        if is_gathered && self.is_small() {
            self.values.extend(other.values);
        } else {
            self.values = Vec::new();
        }
    }

    fn is_small(&self) -> bool {
        self.count <= MAX_GATHERED as u64
    }

    fn is_gathered(&self) -> bool {
        self.values.len() as u64 == self.count
    }

    /// The value of the nearest rank; `read` reads the same values again.
    ///
    /// # Errors
    /// When they can't be read again.
    pub fn value<S: Source>(mut self, read: impl Fn() -> Merge<S>) -> Result<f64, ReadError> {
        // From 1 on. A count is far below 2^57.
        let rank = (self.count * self.percent).div_ceil(100).max(1);
        if self.is_gathered() && !self.values.is_empty() {
            let place = usize::try_from(rank - 1).unwrap_or(usize::MAX).min(self.values.len() - 1);
            let (_, value, _) = self.values.select_nth_unstable_by(place, f64::total_cmp);
            return Ok(*value);
        }
        select(rank - 1, read)
    }
}

/// The value before which `rank` others come in their order, digit by digit from the highest.
fn select<S: Source>(mut rank: u64, read: impl Fn() -> Merge<S>) -> Result<f64, ReadError> {
    let (mut prefix, mut known) = (0_u64, 0_u32);
    let mut counts = vec![0_u64; 1 << DIGIT];
    while known < u64::BITS {
        counts.fill(0);
        let shift = u64::BITS - known - DIGIT;
        let mut merge = read();
        while let Some(points) = merge.next_block()? {
            for point in points {
                let number = order(point.value);
                if known == 0 || number >> (u64::BITS - known) == prefix {
                    counts[usize::from(digit(number >> shift))] += 1;
                }
            }
        }
        let mut found = 0;
        for (at, &count) in (0_u64..).zip(&counts) {
            found = at;
            if rank < count {
                break;
            }
            rank -= count.min(rank);
        }
        prefix = prefix << DIGIT | found;
        known += DIGIT;
    }
    Ok(from_order(prefix))
}

/// The lowest digit.
fn digit(number: u64) -> u16 {
    let [low, high, ..] = number.to_le_bytes();
    u16::from_le_bytes([low, high])
}

/// A number that is ordered as [`f64::total_cmp`] orders values.
fn order(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

/// The value of a number of [`order`].
fn from_order(number: u64) -> f64 {
    f64::from_bits(if number >> 63 == 0 { !number } else { number & !(1 << 63) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared::Point;

    use super::*;
    use crate::store::local::series::run::Run;
    use crate::store::query::Window;

    proptest! {
        #[test]
        fn both_ways_find_the_nearest_rank(
            values in prop::collection::vec(
                prop_oneof![
                    (-5..5i32).prop_map(f64::from),
                    any::<f64>().prop_filter("finite", |value| value.is_finite()),
                    Just(-0.0),
                ],
                1..60,
            ),
            how in prop::sample::select(vec![Aggregate::P50, Aggregate::P90, Aggregate::P99]),
        ) {
            let points = values.iter().zip(0..);
            let run: Run = points.map(|(&value, timestamp)| Point { timestamp, value }).collect();
            let mut percentile = Percentile::of(how).unwrap();
            percentile.add(values.iter().copied());
            let rank = (values.len() as u64 * percentile.percent).div_ceil(100);
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            let expected = sorted[usize::try_from(rank).unwrap() - 1].to_bits();
            let read = || Merge::within(Window::ALL, [Run::clone(&run)]);
            prop_assert_eq!(percentile.value(read).unwrap().to_bits(), expected);
            prop_assert_eq!(select(rank - 1, read).unwrap().to_bits(), expected);
        }
    }
}
