//! Where a line is broken because points are missing: one rule for charts and sparklines.

/// Steps on each side of a step that tell what is usual there.
pub const AROUND: usize = 8;

/// Fewer steps on a side tell less of the usual one.
const FEW: usize = 4;

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
    /// Seconds.
    steps: Vec<u64>,
    /// Seconds of a bucket; none where each time is that of a point.
    bucket: Option<u64>,
    /// The shortest step.
    shortest: u64,
}

impl Gaps {
    /// The steps between rising times of points, or of buckets of so many seconds.
    pub fn of(times: impl IntoIterator<Item = i64>, bucket: Option<u64>) -> Self {
        let mut times = times.into_iter();
        let mut before = times.next();
        let step = |time: i64| before.replace(time).map_or(0, |before| time.abs_diff(before));
        let steps: Vec<u64> = times.map(step).collect();
        let shortest = steps.iter().copied().min().unwrap_or(0);
        Self { steps, bucket, shortest }
    }

    /// Whether the points at a place and behind it are joined; none as long as no step is usual.
    pub fn is_joined(&self, at: usize) -> Option<bool> {
        let step = self.steps.get(at).copied()?;
        // The usual step is not shorter than the shortest.
        let is_short = step <= SHORT.max(self.shortest.saturating_mul(USUAL));
        if is_short && self.steps.len() > FEW {
            return Some(true);
        }
        self.longest(at, at + 1).map(|longest| step <= longest)
    }

    /// The longest joined step at a point; none as long as no step is usual.
    pub fn longest_at(&self, point: usize) -> Option<u64> {
        self.longest(point, point)
    }

    /// The longest joined step behind so many steps and before those from `after` on.
    fn longest(&self, before: usize, after: usize) -> Option<u64> {
        let end = self.steps.len();
        let (before, after) = (before.min(end), after.min(end));
        let before = &self.steps[before.saturating_sub(AROUND)..before];
        let after = &self.steps[after..end.min(after + AROUND)];
        let sides = [before, after].into_iter().filter(|side| side.len() >= FEW);
        let longest = match sides.filter_map(usual).max() {
            Some(usual) => usual.saturating_mul(USUAL),
            None => self.longest_of_few(&[before, after].concat())?,
        };
        Some(longest.max(SHORT))
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
    let middle = steps.len().checked_sub(1)? / 2;
    Some(*sorted.select_nth_unstable(middle).1)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(broken(&[every(60, 99), every(600, 1), every(1, 99)]), [99]);
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
