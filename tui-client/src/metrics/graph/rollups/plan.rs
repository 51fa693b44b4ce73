//! What to ask for next, so that a view can be drawn: as few requests as possible, none of which
//! brings more than about two numbers a dot.

use std::time::Duration;

use shared::Point;

use super::coverage::Span;
use super::{MAX_COUNTS, Rollups, View};

/// The most ranges that are asked for at once; more become one.
const MAX_RANGES: usize = 3;

/// The most changes that are kept while requests are on their way.
const MAX_CHANGES: usize = 4096;

/// The time after a refusal until the next request.
const RETRY: Duration = Duration::from_secs(5);

/// The most answered requests that are kept.
const MAX_ANSWERED: usize = 32;

/// The least time between two requests for what has changed, or for anything once more.
const REPAIR: Duration = Duration::from_secs(1);

/// A part of what is not known yet, as one request. Ends of ranges are included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The time of the first point, and the number of all.
    Total,
    /// The newest point that is not later than this time.
    Until(i64),
    /// The number of points in a range.
    Count(Span),
    /// The points of a range.
    Points(Span),
    /// The least value of each bucket of a range; the step as a power of two.
    Min(Span, u32),
    /// The greatest value of each bucket of a range.
    Max(Span, u32),
}

impl Part {
    /// The clause of the selector, in its brackets.
    pub fn clause(&self) -> String {
        match *self {
            Self::Total => "[::all:count]".to_owned(),
            Self::Until(time) => format!("[last@{time}]"),
            Self::Count((from, to)) => format!("[{from}:{to}:all:count]"),
            Self::Points((i64::MIN, i64::MAX)) => "[:]".to_owned(),
            Self::Points((from, to)) => format!("[{from}:{to}]"),
            Self::Min((from, to), step) => format!("[{from}:{to}:{}:min]", 1_u64 << step),
            Self::Max((from, to), step) => format!("[{from}:{to}:{}:max]", 1_u64 << step),
        }
    }
}

impl Part {
    /// A reply to the part holds all that one to another part does.
    fn contains(&self, other: &Self) -> bool {
        let within = |outer: Span, inner: Span| outer.0 <= inner.0 && inner.1 <= outer.1;
        match (*self, *other) {
            (Self::Points(outer), Self::Points(inner)) => within(outer, inner),
            (Self::Min(outer, step), Self::Min(inner, other))
            | (Self::Max(outer, step), Self::Max(inner, other)) => {
                step == other && within(outer, inner)
            }
            _ => self == other,
        }
    }
}

/// What requests are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// The view itself.
    View,
    /// What is beside it.
    Beside,
    /// The overview of everything.
    Overview,
}

/// Requests that are made at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What they are for.
    pub urgency: Urgency,
    /// The requests.
    pub parts: Vec<(PartId, Part)>,
}

/// The request for a part: the batch that it belongs to, and its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PartId {
    batch: u64,
    place: usize,
}

/// What happened while requests were on their way, and may be missing in their replies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Change {
    Put(Point),
    Remove(i64),
}

/// Requests on their way.
#[derive(Debug)]
pub(super) struct Batch {
    id: u64,
    parts: Vec<Part>,
    answered: Vec<bool>,
    /// The least values that wait for the greatest ones.
    minima: Vec<(Part, Vec<Point>)>,
    changes: Vec<Change>,
}

impl Batch {
    /// The points that were put into a range since it was asked for.
    fn puts(&self, (from, to): Span) -> u64 {
        let times = self.changes.iter().filter_map(|change| match change {
            Change::Put(point) => Some(point.timestamp),
            Change::Remove(_) => None,
        });
        times.map(|time| u64::from((from..=to).contains(&time))).sum()
    }

    /// Keeps a change; false when they are too many.
    pub(super) fn record(&mut self, change: Change) -> bool {
        self.changes.push(change);
        self.changes.len() <= MAX_CHANGES
    }
}

impl Rollups {
    /// The requests that are due for a view, the most urgent ones; none while others are on their
    /// way, or when all is known. `id` is another one each time.
    pub fn plan(&mut self, view: &View, now: Duration, id: u64) -> Option<Plan> {
        self.view = Some(*view);
        let is_complete = self.complete == Some((*view, self.revision));
        if is_complete || self.batch.is_some() || now < self.not_before {
            return None;
        }
        self.touch(view);
        let (urgency, parts) = self.due(view, Some(now));
        if parts.is_empty() {
            if self.due(view, None).1.is_empty() {
                self.complete = Some((*view, self.revision));
            }
            return None;
        }
        self.is_used = true;
        let (answered, minima, changes) = (vec![false; parts.len()], Vec::new(), Vec::new());
        let ids = (0..).map(|place| PartId { batch: id, place }).zip(parts.iter().copied());
        let due = ids.collect();
        self.batch = Some(Batch { id, parts, answered, minima, changes });
        Some(Plan { urgency, parts: due })
    }

    /// When requests are due that are not due yet.
    pub fn next_due(&self, view: &View) -> Option<Duration> {
        let is_complete = self.complete == Some((*view, self.revision));
        let waits = !is_complete && self.batch.is_none() && !self.due(view, None).1.is_empty();
        waits.then(|| self.not_before.max(self.asked + REPAIR))
    }

    /// A request is refused, or its reply lost: everything is asked for again some time later.
    pub fn refuse(&mut self, id: PartId, now: Duration) {
        if self.batch.take_if(|batch| batch.id == id.batch).is_some() {
            self.not_before = now + RETRY;
        }
    }

    /// Takes the points of a reply; returns whether it was expected.
    pub fn take(&mut self, id: PartId, points: &[Point], present: i64, now: Duration) -> bool {
        let Some(mut batch) = self.batch.take_if(|batch| batch.id == id.batch) else {
            return false;
        };
        let Some(&part) = batch.parts.get(id.place) else { return false };
        self.apply(part, points, present, &mut batch);
        for &change in &batch.changes {
            match change {
                Change::Put(point) => {
                    self.apply_put(point);
                }
                Change::Remove(timestamp) => self.apply_remove(timestamp),
            }
        }
        self.revision += 1;
        if let Some(answered) = batch.answered.get_mut(id.place) {
            *answered = true;
        }
        if batch.answered.iter().all(|&is| is) {
            self.asked = now;
            self.answered.extend(batch.parts.iter().map(|&part| (part, now)));
            let excess = self.answered.len().saturating_sub(MAX_ANSWERED);
            self.answered.drain(..excess);
            self.trim();
        } else {
            self.batch = Some(batch);
        }
        true
    }

    fn apply(&mut self, part: Part, points: &[Point], present: i64, batch: &mut Batch) {
        let one = points.last().copied();
        match part {
            Part::Total => {
                self.extent.first = one.map(|point| point.timestamp);
                let put = batch.puts((i64::MIN, i64::MAX));
                self.extent.total = one.map_or(0, count_of).saturating_add(put);
                (self.surveyed, self.was_surveyed) = (true, true);
            }
            Part::Until(time) => {
                let level = self.levels.entry(0).or_default();
                let from = one.map_or(i64::MIN, |point| point.timestamp);
                level.clear((from, time));
                level.covered.add((from, time));
                if let Some(Point { timestamp, value }) = one {
                    level.buckets.insert(timestamp, (value, value));
                }
                if time == i64::MAX {
                    self.extent.last = one.map(|point| point.timestamp);
                } else {
                    self.strays_until = self.strays_until.max(Some(time));
                }
                let newest = one.filter(|point| point.timestamp <= present);
                self.newest = self.newest.max(newest.map(|point| point.timestamp));
            }
            Part::Count((from, to)) => {
                if self.counts.len() == MAX_COUNTS {
                    self.counts.pop_front();
                }
                // What comes behind the last point is counted as it is put.
                let is_last = self.extent.last <= Some(to);
                let to = if is_last { i64::MAX } else { to };
                let count = one.map_or(0, count_of).saturating_add(batch.puts((from, to)));
                self.counts.push_back(((from, to), count));
            }
            Part::Points(span) => self.insert(span, 0, points, &[]),
            Part::Min(span, step) => batch.minima.push((Part::Max(span, step), points.to_vec())),
            Part::Max(span, step) => {
                let place = batch.minima.iter().position(|(other, _)| *other == part);
                let minima = place.map(|place| batch.minima.swap_remove(place).1);
                self.insert(span, step, &minima.unwrap_or_default(), points);
            }
        }
    }

    /// Marks the levels of a view as used.
    fn touch(&mut self, view: &View) {
        self.uses += 1;
        for step in [0, view.level()] {
            if let Some(level) = self.levels.get_mut(&step) {
                level.used = self.uses;
            }
        }
    }

    /// What is missing for a view: itself, then what is beside it, then the overview of everything.
    /// What has only changed since it was asked for is not due before its time, if that is given.
    fn due(&self, view: &View, now: Option<Duration>) -> (Urgency, Vec<Part>) {
        let of_view = |parts| (Urgency::View, parts);
        if !self.surveyed {
            if self.was_just_answered(&Part::Total, now) {
                return of_view(Vec::new());
            }
            let survey = [Part::Until(i64::MAX), Part::Total].into_iter();
            let view = self.newest.map(|_| self.view_parts(view, now));
            return of_view(survey.chain(view.into_iter().flatten()).collect());
        }
        let extent = self.extent;
        let (Some(first), Some(last)) = (extent.first, extent.last) else {
            return of_view(Vec::new());
        };
        if extent.total <= self.limits.few {
            let all = (i64::MIN, i64::MAX);
            let is_known = self.coverage(0).covers(all);
            let part = Some(Part::Points(all)).filter(|_| !is_known);
            let due = part.filter(|part| !self.was_just_answered(part, now));
            return of_view(due.into_iter().collect());
        }
        let mut parts = self.view_parts(view, now);
        parts.extend(self.strays(view, last));
        if !parts.is_empty() {
            return of_view(parts);
        }
        parts = self.steps(view.widened(2), view.level(), now);
        if parts.is_empty() && first < view.from && self.before(view.from, view).is_none() {
            // The point before tells how the line enters, and where earlier points are. There may
            // be none any more.
            let end = view.from.saturating_sub(1);
            let is_known = self.coverage(view.level()).covers((first, end));
            parts.extend((!is_known).then_some(Part::Until(end)));
        }
        if !parts.is_empty() || extent.total > self.limits.overview {
            return (Urgency::Beside, parts);
        }
        let all = View { from: first, to: last, dots: view.dots };
        (Urgency::Overview, self.steps(all.span(), all.level(), now))
    }

    /// What is missing for the picture of a view: points where they are few, else the extremes of
    /// steps.
    fn view_parts(&self, view: &View, now: Option<Duration>) -> Vec<Part> {
        let (level, span) = (view.level(), self.within_extent(view.span()));
        if span.0 > span.1 {
            return Vec::new();
        }
        if self.is_drawn_in_points(view) || self.is_exact(span) {
            return self.steps(span, 0, now);
        }
        let mut parts = self.steps(span, level, now);
        if !parts.is_empty() {
            let is_counted = self.counts.iter().any(|&(known, _)| known == span);
            parts.extend((!is_counted).then_some(Part::Count(span)));
        }
        parts
    }

    /// The points of a view are needed one by one: they are no more than its dots, as far as they
    /// were counted.
    pub(super) fn is_drawn_in_points(&self, view: &View) -> bool {
        let (from, to) = self.within_extent(view.span());
        let mut counts = self.counts.iter().rev();
        let counted = counts.find(|(known, _)| known.0 <= from && to <= known.1);
        view.level() == 0 || counted.is_some_and(|&(_, count)| count <= view.dots.into())
    }

    /// The requests for what is missing of the steps of a range, or of its points.
    fn steps(&self, span: Span, level: u32, now: Option<Duration>) -> Vec<Part> {
        let span = self.within_extent(span);
        if span.0 > span.1 {
            return Vec::new();
        }
        let mut ranges = self.missing(span, level);
        let is_stale = ranges.iter().all(|&range| self.stale.covers(range));
        if is_stale && now.is_some_and(|now| now < self.asked + REPAIR) {
            return Vec::new();
        }
        if let (true, Some(first), Some(last)) =
            (ranges.len() > MAX_RANGES, ranges.first(), ranges.last())
        {
            ranges = vec![(first.0, last.1)];
        }
        let parts = ranges.into_iter().flat_map(|range| match level {
            0 => [Some(Part::Points(range)), None],
            _ => [Some(Part::Min(range, level)), Some(Part::Max(range, level))],
        });
        parts.flatten().filter(|part| !self.was_just_answered(part, now)).collect()
    }

    /// The request was answered too short a time before `now`, if that is given.
    fn was_just_answered(&self, part: &Part, now: Option<Duration>) -> bool {
        let Some(now) = now else { return false };
        let mut recent = self.answered.iter().filter(|(_, at)| now < *at + REPAIR);
        recent.any(|(answered, _)| answered.contains(part))
    }

    /// The request that tells that nothing stands between the newest point and strays of the
    /// future, while a view follows the newest point.
    fn strays(&self, view: &View, last: i64) -> Option<Part> {
        let newest = self.newest.filter(|&newest| newest < last && newest <= view.to)?;
        let ahead = i64::try_from(view.to.abs_diff(view.from)).unwrap_or(i64::MAX).max(60);
        let until = |ahead: i64| newest.saturating_add(ahead).min(last.saturating_sub(1));
        let is_due = self.strays_until.is_none_or(|known| known < until(ahead / 2));
        is_due.then(|| Part::Until(until(ahead)))
    }

    /// The part of a range in which the series has points; empty where it has none.
    pub(super) fn within_extent(&self, (from, to): Span) -> Span {
        match (self.surveyed, self.extent.first, self.extent.last) {
            (true, Some(first), Some(last)) => (from.max(first), to.min(last)),
            _ => (from, to),
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
fn count_of(point: Point) -> u64 {
    point.value as u64
}
