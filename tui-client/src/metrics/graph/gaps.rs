//! Where a line is broken because points are missing: one rule for charts and sparklines.

/// Steps on each side of a step that tell what is usual there.
pub const AROUND: usize = 8;

/// The nearest of them alone tell it where the interval changes.
const NEAREST: usize = 4;

/// Fewer steps on a side tell less of the usual one.
const FEW: usize = 3;

/// Steps up to so many usual ones are joined.
const USUAL: u64 = 4;

/// The same where there are few steps on both sides.
const USUAL_OF_FEW: u64 = 16;

/// Steps up to so many seconds are joined in any case.
const SHORT: u64 = 2;

/// The steps between the points of a line, oldest first. A step is joined if it is no longer than
/// four times the usual one before it or the usual one after it, so that a line goes on where its
/// interval changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Seconds, with a step within each bucket that has several points.
    steps: Vec<u64>,
    /// The place in `steps` of the step from each time to the next, where some are within a bucket.
    places: Option<Vec<usize>>,
    /// Seconds of a bucket; none where each time is that of a point.
    bucket: Option<u64>,
}

impl Gaps {
    /// The steps between rising times of points, or of buckets of so many seconds.
    pub fn of(times: impl IntoIterator<Item = i64>, bucket: Option<u64>) -> Self {
        let mut times = times.into_iter();
        let mut before = times.next();
        let step = |time: i64| before.replace(time).map_or(0, |before| time.abs_diff(before));
        Self { steps: times.map(step).collect(), places: None, bucket }
    }

    /// The steps between the rising times of buckets of so many seconds, each with whether it has
    /// several points: those come more often than the buckets, by half of one as far as is known.
    pub fn of_buckets(buckets: impl IntoIterator<Item = (i64, bool)>, bucket: u64) -> Self {
        let (mut steps, mut places) = (Vec::new(), Vec::new());
        let mut before: Option<i64> = None;
        for (time, has_several) in buckets {
            if let Some(before) = before.replace(time) {
                places.push(steps.len());
                steps.push(time.abs_diff(before));
            }
            steps.extend(has_several.then_some(bucket / 2));
        }
        let places = (places.len() < steps.len()).then_some(places);
        Self { steps, places, bucket: Some(bucket) }
    }

    /// The place in `steps` of the step behind a time.
    fn place(&self, at: usize) -> usize {
        match &self.places {
            Some(places) => places.get(at).copied().unwrap_or(self.steps.len()),
            None => at,
        }
    }

    /// Whether the points at a place and behind it are joined; none as long as no step is usual.
    pub fn is_joined(&self, at: usize) -> Option<bool> {
        let at = self.place(at);
        let step = self.steps.get(at).copied()?;
        if step <= SHORT {
            return Some(true);
        }
        let mut sides = self.sides(at, at + 1).peekable();
        if sides.peek().is_some() {
            // As the usual step tells, without sorting: a picture has many steps.
            let is_long = |usual: &&u64| usual.saturating_mul(USUAL) < step;
            return Some(sides.any(|side| side.iter().filter(is_long).count() <= middle(side)));
        }
        self.longest(at, at + 1).map(|longest| step <= longest)
    }

    /// The longest joined step at a point; none as long as no step is usual.
    pub fn longest_at(&self, point: usize) -> Option<u64> {
        let place = self.place(point);
        self.longest(place, place)
    }

    /// The longest joined step behind the first `before` steps and before those from `after` on.
    fn longest(&self, before: usize, after: usize) -> Option<u64> {
        let longest = match self.sides(before, after).filter_map(usual).max() {
            Some(usual) => usual.saturating_mul(USUAL),
            None => self.longest_of_few(&self.around(before, after, AROUND).concat())?,
        };
        Some(longest.max(SHORT))
    }

    /// The steps that tell what is usual between two places, if they are not too few.
    fn sides(&self, before: usize, after: usize) -> impl Iterator<Item = &[u64]> {
        let sides = [NEAREST, AROUND].map(|count| self.around(before, after, count));
        sides.into_iter().flatten().filter(|side| side.len() >= FEW)
    }

    /// At most so many of the first `before` steps, and of those from `after` on.
    fn around(&self, before: usize, after: usize, count: usize) -> [&[u64]; 2] {
        let end = self.steps.len();
        let (before, after) = (before.min(end), after.min(end));
        let (start, end) = (before.saturating_sub(count), end.min(after + count));
        [&self.steps[start..before], &self.steps[after..end]]
    }

    fn longest_of_few(&self, steps: &[u64]) -> Option<u64> {
        match self.bucket {
            // Points of buckets come more often than buckets.
            Some(bucket) if steps.len() < FEW => Some(bucket.saturating_mul(USUAL)),
            _ => {
                let times = if steps.len() < FEW { USUAL_OF_FEW } else { USUAL };
                Some(usual(steps)?.saturating_mul(times))
            }
        }
    }
}

/// The middle one of at most 16 steps, the lower one of two: a single long step is not the usual one.
fn usual(steps: &[u64]) -> Option<u64> {
    let mut sorted = [0; 2 * AROUND];
    let sorted = sorted.get_mut(..steps.len())?;
    sorted.copy_from_slice(steps);
    (!steps.is_empty()).then(|| *sorted.select_nth_unstable(middle(steps)).1)
}

fn middle(steps: &[u64]) -> usize {
    steps.len().saturating_sub(1) / 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_step_is_joined_up_to_the_longest_joined_one(
            steps in proptest::collection::vec(0..40_u64, 0..30),
            bucket in proptest::option::of(1..9_u64),
        ) {
            let gaps = of_steps(std::slice::from_ref(&steps), bucket);
            for (at, &step) in steps.iter().enumerate() {
                let longest = gaps.longest(at, at + 1);
                let joined = longest.map(|longest| step <= longest);
                prop_assert_eq!(gaps.is_joined(at), joined.or((step <= SHORT).then_some(true)));
            }
        }
    }

    /// Seconds of `count` steps of one length.
    fn every(step: u64, count: usize) -> Vec<u64> {
        vec![step; count]
    }

    /// Places of the steps that break the line.
    fn broken(steps: &[Vec<u64>]) -> Vec<usize> {
        let gaps = of_steps(steps, None);
        (0..gaps.steps.len()).filter(|&at| gaps.is_joined(at) == Some(false)).collect()
    }

    fn of_steps(steps: &[Vec<u64>], bucket: Option<u64>) -> Gaps {
        let mut at = 0_i64;
        let times = steps.concat().into_iter().map(|step| {
            at += step.cast_signed();
            at
        });
        Gaps::of(std::iter::once(0).chain(times), bucket)
    }

    #[test]
    fn a_line_is_broken_where_a_step_is_longer_than_four_around_it() {
        assert_eq!(broken(&[every(10, 9), every(40, 1), every(10, 9)]), [0; 0]);
        assert_eq!(broken(&[every(10, 9), every(41, 1), every(10, 9)]), [9]);
        assert_eq!(broken(&[every(10, 9), every(41, 1)]), [9], "the newest step");
        assert_eq!(broken(&[every(41, 1), every(10, 9)]), [0], "the first step");
        assert_eq!(broken(&[every(1, 9), every(2, 1), every(1, 9)]), [0; 0]);
    }

    #[test]
    fn what_is_usual_changes_along_a_line() {
        assert_eq!(broken(&[every(60, 99), every(1, 999)]), [0; 0]);
        assert_eq!(broken(&[every(1, 999), every(60, 99)]), [0; 0]);
        let paused = [every(60, 99), every(1, 99), every(60, 1), every(1, 99)];
        assert_eq!(broken(&paused), [198], "a minute is a gap where seconds are usual");
        assert_eq!(broken(&[every(1, 99), every(60, 6), every(1, 99)]), [0; 0], "six are usual");
        assert_eq!(broken(&[every(1, 99), every(60, 2), every(1, 99)]), [99, 100]);
        assert_eq!(broken(&[every(60, 99), every(600, 1), every(1, 99)]), [99]);
    }

    #[test]
    fn buckets_are_broken_where_their_points_are() {
        /// A minute of points a second, each hour.
        fn bursts() -> impl Iterator<Item = i64> {
            (0..24).flat_map(|hour| (0..60).map(move |second| hour * 3600 + second))
        }
        let points = Gaps::of(bursts(), None);
        let gaps = |gaps: &Gaps, times: usize| {
            (0..times - 1).filter(|&at| gaps.is_joined(at) == Some(false)).count()
        };
        assert_eq!(gaps(&points, 24 * 60), 23);
        let buckets = |bucket: i64, has_several: bool| {
            let mut starts: Vec<_> = bursts().map(|at| at / bucket * bucket).collect();
            starts.dedup();
            let times = starts.len();
            let step = bucket.unsigned_abs();
            let of = Gaps::of_buckets(starts.into_iter().map(|at| (at, has_several)), step);
            gaps(&of, times)
        };
        assert_eq!([256, 512].map(|bucket| buckets(bucket, true)), [23, 23]);
        assert_eq!(buckets(512, false), 0, "a point an hour");
        assert_eq!(buckets(4096, true), 0, "nothing is missing in a bucket");
        // Dense points, and none in two buckets.
        let dense = (0..20).filter(|at| ![9, 10].contains(at)).map(|at| (at * 16, true));
        let dense = Gaps::of_buckets(dense, 16);
        let broken: Vec<_> = (0..17).filter(|&at| dense.is_joined(at) == Some(false)).collect();
        assert_eq!(broken, [8]);
        assert_eq!(dense.longest_at(3), Some(32), "from a bucket to the one behind the next");
        assert_eq!(dense.is_joined(17), None, "there is no step behind the last");
    }

    proptest! {
        #[test]
        fn buckets_with_a_point_each_are_as_points(times in proptest::collection::btree_set(0..999_i64, 0..30)) {
            let buckets = Gaps::of_buckets(times.iter().map(|&at| (at, false)), 1);
            let points = Gaps::of(times.iter().copied(), Some(1));
            prop_assert_eq!(buckets, points);
        }
    }

    #[test]
    fn few_steps_tell_less() {
        assert_eq!(of_steps(&[every(600_000_000, 1)], None).is_joined(0), None);
        assert_eq!(of_steps(&[every(64, 1), every(4, 1)], None).is_joined(0), Some(true));
        assert_eq!(broken(&[every(65, 1), every(4, 1)]), [0]);
        let buckets = of_steps(&[every(64, 1), every(65, 1)], Some(16));
        assert_eq!([0, 1].map(|at| buckets.is_joined(at)), [Some(true), Some(false)]);
        assert_eq!(Gaps::of([], None).is_joined(0), None);
        assert_eq!(Gaps::of([i64::MIN, i64::MAX, i64::MAX], None).longest_at(9), Some(2));
    }
}
