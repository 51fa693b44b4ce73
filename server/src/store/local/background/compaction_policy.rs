//! Which parts to merge next. Decides only: no I/O, no locks, no clock.

use std::ops::{Range, RangeInclusive};

use crate::store::local::file_name::SegmentId;

/// Most parts merged at once; bounds the memory of a merge.
const MAX_MERGED_PARTS: usize = 16;

/// A merge must make this many times its largest input. It bounds, with `levels` = 1 + logarithm
/// to this base of all data over the smallest checkpoint:
/// - how often a point is written, checkpoint included: `levels` times;
/// - how many parts there are: 2 `levels`, and 3 for each [`MAX_PART_SIZE`] bytes of data.
///
/// The test `parts_and_rewrites_stay_few` holds it to that.
pub const GROWTH: u64 = 3;

/// Bytes beyond which no merge makes a part grow, so that retention can drop parts one by one.
pub const MAX_PART_SIZE: u64 = 1 << 30;

/// Share of expired and deleted points from which a part is rewritten without them.
const MAX_DROPPED_SHARE: f64 = 0.5;

/// What the choice depends on, for each part.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The segments whose points it holds.
    pub segments: RangeInclusive<SegmentId>,
    /// Bytes on the disk.
    pub size: u64,
    /// The share of its points that may be deleted, from 0 to 1.
    pub expired: f64,
    /// The share of its chunks that was taken back, from 0 to 1.
    pub deleted: f64,
    /// A merge of it failed; it is left alone for a while.
    pub resting: bool,
}

/// Which neighbours to merge next; a single one is rewritten. `parts` are all parts, oldest first.
pub fn choose(parts: &[Candidate]) -> Option<Range<usize>> {
    neighbours(parts).into_iter().find_map(|run| {
        let chosen = choose_of(&parts[run.clone()])?;
        Some(run.start + chosen.start..run.start + chosen.end)
    })
}

/// Parts that may be merged with each other: none that rests, and nothing missing between them,
/// because what is missing may be found again.
fn neighbours(parts: &[Candidate]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, part) in parts.iter().enumerate().filter(|(_, part)| !part.resting) {
        let follows = |before: &Candidate| {
            before.segments.end().checked_add(1) == Some(*part.segments.start())
        };
        match runs.last_mut() {
            Some(run) if run.end == at && follows(&parts[at - 1]) => run.end = at + 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}

fn choose_of(parts: &[Candidate]) -> Option<Range<usize>> {
    if let Some(at) = parts.iter().position(|part| part.expired >= MAX_DROPPED_SHARE) {
        return Some(at..at + 1);
    }
    let mut best: Option<(Range<usize>, f64)> = None;
    for start in 0..parts.len() {
        let (mut total, mut largest) = (0, 0);
        for end in start + 1..=parts.len().min(start + MAX_MERGED_PARTS) {
            total += parts[end - 1].size;
            largest = largest.max(parts[end - 1].size);
            if total > MAX_PART_SIZE {
                break;
            }
            #[expect(clippy::cast_precision_loss, reason = "only compared")]
            let growth = total as f64 / largest as f64;
            if total >= largest * GROWTH && best.as_ref().is_none_or(|(_, most)| growth > *most) {
                best = Some((start..end, growth));
            }
        }
    }
    // A merge drops what is deleted, too; where deletions come all the time, it has to come first.
    best.map(|(range, _)| range).or_else(|| {
        let drops = |part: &Candidate| part.expired + part.deleted >= MAX_DROPPED_SHARE;
        parts.iter().position(drops).map(|at| at..at + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(segments: RangeInclusive<SegmentId>, size: u64) -> Candidate {
        Candidate { segments, size, expired: 0.0, deleted: 0.0, resting: false }
    }

    fn expired(part: Candidate, expired: f64) -> Candidate {
        Candidate { expired, ..part }
    }

    fn resting(part: Candidate) -> Candidate {
        Candidate { resting: true, ..part }
    }

    #[test]
    fn neighbours_that_grow_enough_are_merged() {
        let cases = [
            ("none", vec![], None),
            ("too few", vec![part(1..=1, 10), part(2..=2, 10)], None),
            ("three alike", vec![part(1..=1, 10), part(2..=2, 10), part(3..=5, 10)], Some(0..3)),
            (
                "small ones behind a large one",
                vec![part(1..=9, 100), part(10..=10, 9), part(11..=11, 9), part(12..=12, 9)],
                Some(1..4),
            ),
            (
                "small ones behind one of more than 4 GiB",
                vec![
                    part(1..=9, (4 << 30) + 9),
                    part(10..=10, 9),
                    part(11..=11, 9),
                    part(12..=12, 9),
                ],
                Some(1..4),
            ),
            ("a gap", vec![part(1..=1, 10), part(2..=2, 10), part(4..=4, 10)], None),
            (
                "a part that rests",
                vec![part(1..=1, 10), resting(part(2..=2, 10)), part(3..=3, 10), part(4..=4, 10)],
                None,
            ),
            (
                "larger than a part may be",
                (1..=3).map(|id| part(id..=id, MAX_PART_SIZE / 2)).collect(),
                None,
            ),
            ("half expired", vec![part(1..=1, 10), expired(part(2..=2, 10), 0.5)], Some(1..2)),
            (
                "half expired or deleted",
                vec![part(1..=1, 10), Candidate { deleted: 0.2, ..expired(part(2..=2, 10), 0.3) }],
                Some(1..2),
            ),
            ("less than half", vec![part(1..=1, 10), expired(part(2..=2, 10), 0.49)], None),
            ("expired and resting", vec![resting(expired(part(1..=1, 10), 1.0))], None),
        ];
        for (what, parts, expected) in cases {
            assert_eq!(choose(&parts), expected, "{what}");
        }
    }
}
