//! The bound of what is kept of a series.

use std::collections::BTreeMap;

use super::coverage::Span;
use super::level::{Level, aligned, end_of, merge, start_of};
use super::{Rollups, View};

impl Rollups {
    /// Drops what is farthest from a view until the rest is within the bound.
    pub(super) fn trim(&mut self, view: &View) {
        let kept = |levels: &BTreeMap<u32, Level>| -> usize {
            levels.values().map(|level| level.buckets.len()).sum()
        };
        if kept(&self.levels) <= self.limits.kept {
            return;
        }
        let current = view.level();
        self.roll_up(view, current);
        // The overview of everything is asked for at the greatest cost.
        let overview = self.bounds().map(|(from, to)| View { from, to, dots: view.dots }.level());
        let stays = |step: u32| step == 0 || step == current || Some(step) == overview;
        let mut oldest: Vec<(u64, u32)> =
            self.levels.iter().map(|(&step, level)| (level.used, step)).collect();
        oldest.sort_unstable();
        for (_, step) in oldest.into_iter().filter(|&(_, step)| !stays(step)) {
            if kept(&self.levels) <= self.limits.kept / 2 {
                return;
            }
            self.levels.remove(&step);
        }
        let near = view.widened(1);
        let newest = self.newest();
        for (&step, level) in &mut self.levels {
            if step > 0 {
                if Some(step) != overview {
                    level.keep(aligned(near, step));
                }
                continue;
            }
            // What comes is known to come behind the newest point.
            let future = newest.and_then(|newest| level.covered.around(newest));
            let future = future.zip(newest).map(|((_, end), newest)| (newest, end));
            let last = newest.and_then(|newest| level.buckets.get_key_value(&newest));
            let last = last.map(|(&time, &values)| (time, values));
            level.keep(near);
            if let Some(future) = future {
                level.covered.add(future);
            }
            level.buckets.extend(last.filter(|_| future.is_some()));
        }
        if kept(&self.levels) > self.limits.kept
            && let Some(points) = self.levels.get_mut(&0)
        {
            // They have been rolled up.
            let future =
                newest.and_then(|newest| points.covered.around(newest)).map(|(_, end)| end);
            points.covered.clear();
            points.buckets.clear();
            if let (Some(newest), Some(end)) = (newest, future) {
                points.covered.add((newest.saturating_add(1), end));
            }
        }
    }

    /// Writes what finer levels know of the surroundings of a view into a level.
    fn roll_up(&mut self, view: &View, step: u32) {
        if step == 0 {
            return;
        }
        let wide = aligned(view.widened(1), step);
        let mut rolled = BTreeMap::new();
        for level in self.levels.range(..=step).map(|(_, level)| level) {
            for (start, values) in level.known(wide) {
                merge(&mut rolled, start_of(start, step), values);
            }
        }
        let whole: Vec<Span> = self
            .coverage(step)
            .ranges()
            .map(|(from, to)| (from.max(wide.0), to.min(wide.1)))
            .filter_map(|(from, to)| {
                // Buckets that are known in part are left out.
                let from = if start_of(from, step) == from {
                    from
                } else {
                    end_of(from, step).checked_add(1)?
                };
                let to =
                    if end_of(to, step) == to { to } else { start_of(to, step).checked_sub(1)? };
                (from <= to).then_some((from, to))
            })
            .collect();
        let level = self.levels.entry(step).or_default();
        for &span in &whole {
            level.clear(span);
            level.covered.add(span);
            level
                .buckets
                .extend(rolled.range(span.0..=span.1).map(|(&start, &values)| (start, values)));
        }
    }
}
