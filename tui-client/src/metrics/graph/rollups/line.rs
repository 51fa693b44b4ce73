//! The line of a view, from the points or the levels that are known of it.

use std::collections::BTreeMap;

use super::coverage::Span;
use super::level::{aligned, merge, start_of};
use super::{Rollups, Sample, Samples, View};

/// How many levels coarser a picture may be until what is missing has come; beyond, it would have
/// too few columns to be read.
const MAX_COARSER: u32 = 5;

/// Points beyond each end of a view that are part of its line.
const BEYOND: usize = 3;

impl Rollups {
    /// The points are drawn one by one: all are known, and few.
    pub(super) fn is_exact(&self, span: Span) -> bool {
        span.0 <= span.1
            && self.levels.get(&0).is_some_and(|points| {
                let within = || points.buckets.range(span.0..=span.1).take(self.limits.exact + 1);
                self.coverage(0).covers(span) && within().count() <= self.limits.exact
            })
    }

    /// Something of a view is not known yet.
    pub fn lacks(&self, view: &View) -> bool {
        let (from, to) = self.within_extent(view.span());
        from <= to && !self.missing((from, to), view.level()).is_empty()
    }

    /// The line of a view.
    pub fn line(&self, view: &View) -> Samples {
        let wide = view.widened(1);
        if let Some(points) = self.levels.get(&0).filter(|_| self.is_exact(view.span())) {
            let (from, to) = self.coverage(0).around(view.from).unwrap_or(view.span());
            let times = |from, to| points.buckets.range(from..=to);
            // The nearest points beyond the ends, however far: as many as tell what step is usual.
            let before = wide.0.checked_sub(1).filter(|&end| from <= end);
            let before = before.into_iter().flat_map(|end| times(from, end).rev().take(BEYOND));
            let mut before: Vec<_> = before.collect();
            before.reverse();
            let after = wide.1.checked_add(1).filter(|&start| start <= to);
            let after = after.into_iter().flat_map(|start| times(start, to).take(BEYOND));
            let near = times(from.max(wide.0), to.min(wide.1));
            let all = before.into_iter().chain(near).chain(after);
            let sample = |(&timestamp, &(min, max))| Sample { timestamp, min, max };
            return Samples { samples: all.map(sample).collect(), step: None };
        }
        let level = self.drawn_level(view);
        let whole = aligned(wide, level);
        let mut drawn = BTreeMap::new();
        for finer in self.levels.range(..=level).map(|(_, level)| level) {
            for (start, values) in finer.known(whole) {
                merge(&mut drawn, start_of(start, level), values);
            }
        }
        for gap in self.coverage(level).gaps(whole) {
            self.draw_gap(gap, level, &mut drawn);
        }
        let sample = |(timestamp, (min, max))| Sample { timestamp, min, max };
        Samples { samples: drawn.into_iter().map(sample).collect(), step: Some(1 << level) }
    }

    /// The level of a view; a coarser one while most of the view is known there alone.
    fn drawn_level(&self, view: &View) -> u32 {
        let level = view.level();
        let whole = u128::from(view.to.abs_diff(view.from)) + 1;
        let length = |(from, to): Span| u128::from(to.abs_diff(from)) + 1;
        let missing = |level| -> u128 {
            self.coverage(level).gaps(view.span()).into_iter().map(length).sum()
        };
        if missing(level) * 2 <= whole {
            return level;
        }
        let mut coarser = self.levels.range(level..=level + MAX_COARSER).map(|(&level, _)| level);
        coarser.find(|&level| missing(level) == 0).unwrap_or(level)
    }

    /// Draws what is best known of a range that the level does not cover: what was true once, else
    /// a coarser level.
    fn draw_gap(&self, gap: Span, level: u32, drawn: &mut BTreeMap<i64, (f64, f64)>) {
        let mut found = false;
        for finer in self.levels.range(..=level).map(|(_, level)| level) {
            for (&start, &values) in finer.buckets.range(gap.0..=gap.1) {
                merge(drawn, start_of(start, level), values);
                found = true;
            }
        }
        if found {
            return;
        }
        for (&step, coarser) in self.levels.range(level + 1..) {
            let mut over = coarser.buckets.range(start_of(gap.0, step)..=gap.1).peekable();
            if over.peek().is_some() {
                for (&start, &values) in over {
                    merge(drawn, start_of(start.max(gap.0), level), values);
                }
                return;
            }
        }
    }
}
