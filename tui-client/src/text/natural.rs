//! The natural order of names: numbers in them by their value, so that host2 comes before host10.

use std::cmp::Ordering;

/// Digits from which on their number takes a byte of its own.
const MANY: u8 = 9;

/// Compares names in their natural order. Those that differ only in zeros before a number are
/// ordered by their bytes.
pub fn compare(a: &[u8], b: &[u8]) -> Ordering {
    marks(a).cmp(marks(b)).then_with(|| a.cmp(b))
}

/// Bytes whose order is the natural order of the names: how many digits a number has stands before
/// them, and zeros that lead it are left out. The bytes of names that begin alike begin alike, too,
/// unless they part within a number.
pub fn marks(name: &[u8]) -> impl Iterator<Item = u8> {
    let is_number = |run: &[u8]| run.first().is_some_and(u8::is_ascii_digit);
    name.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()).flat_map(move |run| {
        let zeros = run.iter().take_while(|&&byte| byte == b'0' && is_number(run)).count();
        let run = &run[zeros..];
        let digits = (zeros > 0 || is_number(run)).then_some(run.len());
        #[expect(clippy::cast_possible_truncation, reason = "it is bounded before")]
        let byte = |number: usize, most: u8| number.min(usize::from(most)) as u8;
        let few = digits.map(|digits| b'0' + byte(digits, MANY));
        let many = digits
            .filter(|&digits| digits >= usize::from(MANY))
            .map(|digits| byte(digits, u8::MAX));
        few.into_iter().chain(many).chain(run.iter().copied())
    })
}

/// How much of the front of names that all begin like this is left out without a change of their
/// order: nothing of a number.
pub fn shared(front: &[u8]) -> usize {
    front.len() - front.iter().rev().take_while(|byte| byte.is_ascii_digit()).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_compared_by_their_value() {
        let sorted = [
            "",
            "a",
            "a.0",
            "a.00",
            "a.01",
            "a.1",
            "a.2",
            "a.2.9",
            "a.2.10",
            "a.10",
            "a.99999999",
            "a.123456789",
            "a.1234567890",
            "a.b",
            "a1b2",
            "a1b10",
            "a2b1",
            "host2",
            "host10",
        ];
        for pair in sorted.windows(2) {
            assert_eq!(compare(pair[0].as_bytes(), pair[1].as_bytes()), Ordering::Less, "{pair:?}");
        }
    }

    proptest! {
        #[test]
        fn a_front_that_names_share_decides_nothing(
            front in "[a0-2.]{0,4}", a in "[a0-2.]{0,12}", b in "[a0-2.]{0,12}",
        ) {
            let (a, b) = (front.clone() + &a, front.clone() + &b);
            let rest = shared(front.as_bytes());
            let (a, b) = (a.as_bytes(), b.as_bytes());
            prop_assert_eq!(marks(&a[rest..]).cmp(marks(&b[rest..])), marks(a).cmp(marks(b)));
            prop_assert_eq!(compare(a, b), compare(b, a).reverse());
            prop_assert_eq!(compare(a, b) == Ordering::Equal, a == b);
        }

        #[test]
        fn numbers_of_any_length(a: u64, b: u64) {
            let order = compare(format!("k{a}x").as_bytes(), format!("k{b}x").as_bytes());
            prop_assert_eq!(order, a.cmp(&b));
        }
    }
}
