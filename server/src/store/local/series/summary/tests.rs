#![expect(clippy::float_cmp, reason = "these sums are exact")]

use proptest::prelude::*;

use super::*;

/// An exact sum of numbers: 32 bits a digit, from 2^-1088 on, with carries that are still to be made.
#[derive(Clone)]
struct Exact(Vec<i64>);

impl Exact {
    fn new() -> Self {
        Self(vec![0; 72])
    }

    /// Adds `sign * value * 2^shift`.
    fn add(&mut self, value: f64, sign: i64, shift: usize) {
        let bits = value.abs().to_bits();
        let exponent = usize::try_from(bits >> 52).unwrap();
        let fraction = bits & ((1 << 52) - 1);
        let (mantissa, exponent) = match exponent {
            0 => (fraction, 1),
            _ => (fraction | 1 << 52, exponent),
        };
        let place = exponent - 1 + 1088 - 1074 + shift;
        let wide = u128::from(mantissa) << (place % 32);
        let sign = if value.is_sign_negative() { -sign } else { sign };
        for (digit, at) in (place / 32..).take(3).enumerate() {
            let part = u32::try_from(wide >> (32 * digit) & 0xffff_ffff).unwrap();
            self.0[at] += sign * i64::from(part);
        }
    }

    fn add_all(&mut self, other: &Self, sign: i64) {
        for (digit, other) in self.0.iter_mut().zip(&other.0) {
            *digit += sign * other;
        }
    }

    fn is_negative(&self) -> bool {
        let carry = self.0.iter().fold(0, |carry, digit| (digit + carry) >> 32);
        carry < 0
    }
}

/// Whether a sum is within the bound that the protocol gives.
fn is_close(values: &[f64], sum: f64) -> bool {
    let mut exact = Exact::new();
    if sum.is_infinite() {
        // The exact one is beyond all numbers.
        for &value in values {
            exact.add(value, if sum > 0.0 { 1 } else { -1 }, 0);
        }
        exact.add(f64::MAX, -1, 0);
        return !exact.is_negative();
    }
    let mut absolute = Exact::new();
    for &value in values {
        exact.add(value, 1, 52);
        absolute.add(value.abs(), 1, 0);
    }
    exact.add(sum, -1, 52);
    [1, -1].into_iter().all(|sign| {
        let mut rest = absolute.clone();
        rest.add_all(&exact, sign);
        !rest.is_negative()
    })
}

fn value() -> impl Strategy<Value = f64> {
    let finite = any::<f64>().prop_filter("finite", |value| value.is_finite());
    prop_oneof![
        (-100_000i32..100_000).prop_map(|cents| f64::from(cents) / 100.0),
        finite,
        (0.5..1.0f64, any::<bool>()).prop_map(|(part, negative)| if negative {
            -part
        } else {
            part
        } * f64::MAX),
        (0..100u64).prop_map(f64::from_bits),
        (-1.0..1.0f64),
        (-1e17..1e17f64),
        Just(-0.0),
        Just(0.0),
        Just(f64::MAX),
        Just(f64::MIN),
    ]
}

fn points(values: &[f64]) -> Vec<Point> {
    let points = values.iter().zip(0..);
    points.map(|(&value, timestamp)| Point { timestamp, value }).collect()
}

/// Two summaries of the same points, whose sums may have been put together otherwise.
fn same(a: &Summary, b: &Summary, values: &[f64]) -> bool {
    let bits = |summary: &Summary| {
        [summary.first, summary.last, summary.min, summary.max].map(f64::to_bits)
    };
    let increase = (a.increase - b.increase).abs() <= 1e-9 * a.increase
        || a.increase.is_infinite() && b.increase > 1e308
        || b.increase.is_infinite() && a.increase > 1e308;
    a.count == b.count
        && bits(a) == bits(b)
        && increase
        && is_close(values, a.sum.value())
        && is_close(values, b.sum.value())
}

fn one_by_one(values: &[f64]) -> Summary {
    let mut summary = Summary::of_value(values[0]);
    for &value in &values[1..] {
        summary.append(&Summary::of_value(value));
    }
    summary
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn stretches_are_put_together_in_any_way(
        values in prop::collection::vec(value(), 1..80),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        from_the_end in any::<bool>(),
    ) {
        let whole = Summary::of(&points(&values)).unwrap();
        let expected = one_by_one(&values);
        prop_assert!(same(&whole, &expected, &values), "{whole:?} {expected:?}");

        let mut ends: Vec<_> = cuts.iter().map(|cut| cut.index(values.len())).collect();
        ends.extend([0, values.len()]);
        ends.sort_unstable();
        ends.dedup();
        let stretches = ends.windows(2).map(|ends| &values[ends[0]..ends[1]]);
        let mut stretches: Vec<_> =
            stretches.map(|values| Summary::of(&points(values)).unwrap()).collect();
        // As the disk has them.
        for stretch in &mut stretches {
            stretch.sum = stretch.sum.rounded();
        }
        let combine = |mut a: Summary, b: Summary| {
            a.append(&b);
            a
        };
        let combined = if from_the_end {
            stretches.into_iter().rev().reduce(|later, earlier| combine(earlier, later))
        } else {
            stretches.into_iter().reduce(combine)
        };
        prop_assert!(same(&combined.unwrap(), &expected, &values), "{combined:?} {expected:?}");
        let mean = combined.unwrap().sum.mean(values.len() as u64);
        prop_assert!(mean.is_finite());
    }

    #[test]
    fn min_and_max_are_those_of_the_total_order(values in prop::collection::vec(value(), 1..40)) {
        let summary = Summary::of(&points(&values)).unwrap();
        let mut sorted = values;
        sorted.sort_by(f64::total_cmp);
        prop_assert_eq!(summary.min.to_bits(), sorted[0].to_bits());
        prop_assert_eq!(summary.max.to_bits(), sorted[sorted.len() - 1].to_bits());
    }

    #[test]
    fn a_sum_is_taken_apart_and_put_together(values in prop::collection::vec(value(), 1..40)) {
        let sum = Summary::of(&points(&values)).unwrap().sum;
        for sum in [sum, sum.rounded()] {
            if let Some((high, low)) = sum.parts() {
                prop_assert_eq!(Sum::from_parts(high, low), Some(sum));
            }
        }
    }
}

#[test]
fn a_sum_is_infinite_only_when_the_exact_one_is_too_large() {
    let sum = |values: &[f64]| Summary::of(&points(values)).unwrap().sum;
    let (max, min) = (f64::MAX, f64::MIN);
    assert_eq!(sum(&[max, max, min, min]).value().to_bits(), 0.0_f64.to_bits());
    assert_eq!(sum(&[max, max, min]).value(), max);
    assert_eq!(sum(&[max, max]).value(), f64::INFINITY);
    assert_eq!(sum(&[min, min, min, min, min]).value(), f64::NEG_INFINITY);
    assert_eq!(sum(&[max, max]).mean(2), max);
    assert_eq!(sum(&[min, min, min, min]).mean(4), min);
    assert_eq!(sum(&[max, max, max]).parts(), None);
    assert_eq!(sum(&[-0.0, -0.0]).value().to_bits(), 0.0_f64.to_bits());
    for part in [(f64::INFINITY, 0.0), (1.0, f64::NAN), (f64::NAN, 0.0), (1.0, 1.0)] {
        assert_eq!(Sum::from_parts(part.0, part.1), None);
    }
}

#[test]
fn a_counter_that_restarts_counts_from_zero() {
    let increase_of = |values: &[f64]| Summary::of(&points(values)).unwrap().increase;
    for (values, expected) in [
        (&[5.0][..], 0.0),
        (&[1.0, 3.0, 3.0, 10.0], 9.0),
        (&[10.0, 4.0, 6.0], 6.0),
        (&[10.0, -3.0, -1.0], 2.0),
        (&[f64::MIN, f64::MAX], f64::INFINITY),
        (&[-0.0, 0.0, -0.0], 0.0),
    ] {
        assert_eq!(increase_of(values), expected, "{values:?}");
    }
    let mut first = Summary::of(&points(&[1.0, 3.0])).unwrap();
    first.append(&Summary::of(&points(&[2.0, 7.0])).unwrap());
    assert_eq!(first.increase, 2.0 + 2.0 + 5.0);
}
