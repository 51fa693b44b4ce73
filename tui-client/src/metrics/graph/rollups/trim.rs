//! The bound of what is kept of a series.

use std::collections::BTreeMap;

use super::coverage::Span;
use super::level::{aligned, end_of, merge, start_of};
use super::{Rollups, View};

/// Of a view and its surroundings, as many steps or points a dot can be needed at once, and as
/// many again.
const KEPT_A_DOT: usize = 12;

/// No time at all.
const NEVER: Span = (i64::MAX, i64::MIN);

impl Rollups {
    /// Drops what is farthest from the view once more is kept than the bound. Afterwards at most
    /// three quarters of it are kept, so that the next points are put at little cost.
    pub(super) fn trim(&mut self) {
        let Some(view) = self.view else { return };
        let bound = self.limits.kept.max(KEPT_A_DOT.saturating_mul(view.dots as usize));
        if self.kept() <= bound {
            return;
        }
        let current = view.level();
        self.roll_up(&view, current);
        // The overview of everything is asked for at the greatest cost.
        let all = self.bounds();
        let overview = all.map(|(from, to)| View { from, to, dots: view.dots }.level());
        let stays = |step: u32| step == 0 || step == current || Some(step) == overview;
        let mut oldest: Vec<(u64, u32)> =
            self.levels.iter().map(|(&step, level)| (level.used, step)).collect();
        oldest.sort_unstable();
        for (_, step) in oldest.into_iter().filter(|&(_, step)| !stays(step)) {
            self.levels.remove(&step);
            if self.kept() <= bound / 2 {
                return;
            }
        }
        let near = view.widened(1);
        for (&step, level) in self.levels.range_mut(1..) {
            let kept = all.filter(|_| Some(step) == overview).unwrap_or(near);
            level.keep(aligned(kept, step));
        }
        self.keep_points(near);
        let most = bound / 4 * 3;
        if self.kept() > most {
            self.keep_points(view.span());
        }
        // Where they are too many to be drawn one by one they have been rolled up.
        if self.kept() > most && !self.is_drawn_in_points(&view) {
            self.keep_points(NEVER);
        }
    }

    fn kept(&self) -> usize {
        self.levels.values().map(|level| level.buckets.len()).sum()
    }

    /// Keeps the points of a range alone, and the newest one, behind which the next ones come.
    fn keep_points(&mut self, range: Span) {
        let newest = self.newest();
        let Some(points) = self.levels.get_mut(&0) else { return };
        let newest = newest.and_then(|time| {
            let (values, (_, end)) = (*points.buckets.get(&time)?, points.covered.around(time)?);
            let later = points.buckets.range(time..).nth(1);
            let empty_until = later.map_or(end, |(&later, _)| end.min(later.saturating_sub(1)));
            Some((time, values, empty_until))
        });
        points.keep(range);
        if let Some((time, values, empty_until)) = newest {
            points.covered.add((time, empty_until));
            points.buckets.insert(time, values);
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
