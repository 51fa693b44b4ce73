//! What is known of a stretch of points without reading them.

use shared::Point;

/// Points that are added side by side, so that no addition waits for the one before it.
const LANES: usize = 4;

/// 2^-128 and its inverse: room for 2^128 of the largest numbers.
const SCALE: f64 = f64::from_bits((1023 - 128) << 52);
const UNSCALE: f64 = f64::from_bits((1023 + 128) << 52);

/// A sum of finite numbers, in twice the precision of one: at most 2^-52 of the sum of the absolute
/// values off the exact one, however it was put together from sums of stretches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sum {
    /// The sum, rounded.
    high: f64,
    /// What the rounding took off.
    low: f64,
    /// Both are 2^-128 of what they stand for: the sum, or one on the way to it, is too large.
    scaled: bool,
}

impl Sum {
    /// The sum of nothing.
    pub const ZERO: Self = Self { high: 0.0, low: 0.0, scaled: false };

    /// Adds a finite number.
    pub fn add(&mut self, value: f64) {
        self.append(Self { high: value, low: 0.0, scaled: false });
    }

    /// Adds another sum.
    pub fn append(&mut self, other: Self) {
        if self.scaled == other.scaled {
            let sum = add_double(*self, other);
            if sum.high.is_finite() && sum.low.is_finite() {
                *self = sum;
                return;
            }
        }
        *self = add_double(self.to_scaled(), other.to_scaled());
    }

    /// The sum as a number; infinite when it is too large for one.
    pub fn value(self) -> f64 {
        let value = if self.scaled { self.high * UNSCALE } else { self.high };
        // No zero has a sign: which one it had would depend on what was added first.
        value + 0.0
    }

    /// The mean of `count` numbers, at least one; always finite.
    pub fn mean(self, count: u64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 points")]
        let mean = self.high / count as f64;
        let mean = if self.scaled { (mean * UNSCALE).clamp(f64::MIN, f64::MAX) } else { mean };
        mean + 0.0
    }

    /// The sum and its compensation as two numbers; `None` when it is too large for them.
    pub fn parts(self) -> Option<(f64, f64)> {
        (!self.scaled).then_some((self.high, self.low))
    }

    /// The sum that [`Sum::parts`] took apart; `None` when there can't be such a sum.
    pub fn from_parts(high: f64, low: f64) -> Option<Self> {
        let is_sum = high.is_finite() && low.is_finite() && (high + low) - high == 0.0;
        is_sum.then_some(Self { high, low, scaled: false })
    }

    /// With the compensation in the 16 bits that the disk has for it, which keeps the bound.
    #[must_use]
    pub fn rounded(self) -> Self {
        let low = f64::from_bits(self.low.to_bits() & !((1 << 48) - 1));
        Self { low, ..self }
    }

    fn to_scaled(self) -> Self {
        if self.scaled {
            return self;
        }
        // What this rounds off the low part of small numbers is nothing to those that were too large.
        Self { high: self.high * SCALE, low: self.low * SCALE, scaled: true }
    }

    /// The sum of the values of points.
    fn of(points: &[Point]) -> Self {
        let (mut high, mut low) = ([0.0; LANES], [0.0; LANES]);
        let (blocks, rest) = points.as_chunks::<LANES>();
        for block in blocks {
            for lane in 0..LANES {
                let (sum, error) = two_sum(high[lane], block[lane].value);
                high[lane] = sum;
                low[lane] += error;
            }
        }
        let mut sum = Self::ZERO;
        for (high, low) in high.into_iter().zip(low) {
            let (high, low) = two_sum(high, low);
            sum.append(Self { high, low, scaled: false });
        }
        for point in rest {
            sum.add(point.value);
        }
        if sum.high.is_finite() && sum.low.is_finite() {
            return sum;
        }
        let mut sum = Self::ZERO;
        for point in points {
            sum.add(point.value);
        }
        sum
    }
}

/// The rounded sum and the error of the rounding: together they are exact.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let of_b = sum - a;
    let of_a = sum - of_b;
    (sum, (a - of_a) + (b - of_b))
}

/// Like [`two_sum`], when `a` is not the smaller one.
fn fast_two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    (sum, b - (sum - a))
}

/// The sum of two numbers of twice the precision, of one scale; its error is below 2^-103 of it.
fn add_double(a: Sum, b: Sum) -> Sum {
    let (high, high_error) = two_sum(a.high, b.high);
    let (low, low_error) = two_sum(a.low, b.low);
    let (high, rest) = fast_two_sum(high, high_error + low);
    let (high, low) = fast_two_sum(high, low_error + rest);
    Sum { high, low, scaled: a.scaled }
}

/// What of a [`Summary`] is wanted; count, first and last value always are.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// The smallest and the largest value.
    pub range: bool,
    /// The sum.
    pub sum: bool,
    /// The increase.
    pub increase: bool,
}

/// Aggregates of the values of a stretch of one series, at least one point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Number of points.
    pub count: u64,
    /// The value of the first point.
    pub first: f64,
    /// The value of the last point.
    pub last: f64,
    /// The smallest value; -0.0 is less than 0.0.
    pub min: f64,
    /// The largest value; -0.0 is less than 0.0.
    pub max: f64,
    /// The sum of the values.
    pub sum: Sum,
    /// The increase of a counter within the stretch; infinite when it is too large for a number.
    pub increase: f64,
}

impl Summary {
    /// The summary of one value.
    pub fn of_value(value: f64) -> Self {
        Self {
            count: 1,
            first: value,
            last: value,
            min: value,
            max: value,
            sum: Sum { high: value, low: 0.0, scaled: false },
            increase: 0.0,
        }
    }

    /// The summary of points by rising timestamp; `None` when there are none.
    pub fn of(points: &[Point]) -> Option<Self> {
        Self::with(points, Wanted { range: true, sum: true, increase: true })
    }

    /// Like [`Summary::of`], with no more than what is wanted; the rest means nothing.
    pub fn with(points: &[Point], wanted: Wanted) -> Option<Self> {
        let (first, last) = (points.first()?.value, points.last()?.value);
        let (mut min, mut max) = (order(first), order(first));
        if wanted.range {
            for point in points {
                let value = order(point.value);
                min = min.min(value);
                max = max.max(value);
            }
        }
        Some(Self {
            count: points.len() as u64,
            first,
            last,
            min: from_order(min),
            max: from_order(max),
            sum: if wanted.sum { Sum::of(points) } else { Sum::ZERO },
            increase: if wanted.increase { increase_of(points) } else { 0.0 },
        })
    }

    /// The summary as the index of a part can hold it; `None` when it can't, because the sum or the
    /// increase is too large.
    pub fn for_index(self) -> Option<Self> {
        let fits = self.sum.parts().is_some() && self.increase.is_finite();
        fits.then_some(Self { sum: self.sum.rounded(), ..self })
    }

    /// Adds the summary of a stretch that follows this one.
    pub fn append(&mut self, next: &Self) {
        self.count = self.count.saturating_add(next.count);
        self.increase += increase(self.last, next.first) + next.increase;
        self.last = next.last;
        self.min = from_order(order(self.min).min(order(next.min)));
        self.max = from_order(order(self.max).max(order(next.max)));
        self.sum.append(next.sum);
    }
}

/// The increase of a counter from one point to the next: a decrease is a restart, after which the
/// new value counts from 0, and a negative one as 0.
pub fn increase(old: f64, new: f64) -> f64 {
    if new >= old { new - old } else { new.max(0.0) }
}

fn increase_of(points: &[Point]) -> f64 {
    let mut sums = [0.0; LANES];
    for (at, pair) in points.windows(2).enumerate() {
        sums[at % LANES] += increase(pair[0].value, pair[1].value);
    }
    sums.iter().sum()
}

/// A number that is ordered as [`f64::total_cmp`] orders values.
pub fn order(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

/// The value of a number of [`order`].
pub fn from_order(number: i64) -> f64 {
    let bits = number ^ ((number >> 63).cast_unsigned() >> 1).cast_signed();
    f64::from_bits(bits.cast_unsigned())
}

#[cfg(test)]
mod tests;
