//! Against a model of the server.

use proptest::prelude::*;

use super::plan::{Part, PartId};
use super::*;

fn as_value(count: usize) -> f64 {
    u32::try_from(count).unwrap().into()
}

/// A series of a server.
#[derive(Debug, Default)]
struct Server(BTreeMap<i64, f64>);

impl Server {
    fn buckets(&self, (from, to): Span, level: u32) -> BTreeMap<i64, (f64, f64)> {
        let mut buckets = BTreeMap::new();
        for (&time, &value) in self.0.range(from..=to) {
            merge(&mut buckets, start_of(time, level), (value, value));
        }
        buckets
    }

    /// The points of the reply.
    fn answer(&self, part: Part) -> Vec<Point> {
        let point = |(timestamp, value)| Point { timestamp, value };
        let of = |(&timestamp, &value): (&i64, &f64)| Point { timestamp, value };
        let count = |(from, to): Span| as_value(self.0.range(from..=to).count());
        match part {
            Part::Total => {
                let first = self.0.first_key_value();
                first
                    .map(|(&first, _)| point((first, as_value(self.0.len()))))
                    .into_iter()
                    .collect()
            }
            Part::Until(time) => self.0.range(..=time).next_back().map(of).into_iter().collect(),
            Part::Count(span) if count(span) == 0.0 => Vec::new(),
            Part::Count(span) => vec![point((span.0, count(span)))],
            Part::Points((from, to)) => self.0.range(from..=to).map(of).collect(),
            Part::Min(span, level) => {
                let buckets = self.buckets(span, level).into_iter();
                buckets.map(|(start, (min, _))| point((start, min))).collect()
            }
            Part::Max(span, level) => {
                let buckets = self.buckets(span, level).into_iter();
                buckets.map(|(start, (_, max))| point((start, max))).collect()
            }
        }
    }
}

/// A series on a server, and what a client knows of it.
#[derive(Debug)]
struct Both {
    server: Server,
    rollups: Rollups,
    /// Requests on their way, some with the points of their reply.
    pending: VecDeque<(PartId, Part, Option<Vec<Point>>)>,
    now: Duration,
    present: i64,
    plans: u64,
}

impl Both {
    fn new(limits: Limits, present: i64) -> Self {
        let rollups = Rollups { limits, ..Rollups::default() };
        let (server, pending) = (Server::default(), VecDeque::new());
        Self { server, rollups, pending, now: Duration::ZERO, present, plans: 0 }
    }

    fn put(&mut self, timestamp: i64, value: f64) {
        self.server.0.insert(timestamp, value);
        self.rollups.put(Point { timestamp, value }, self.present);
    }

    fn remove(&mut self, timestamp: i64) {
        self.server.0.remove(&timestamp);
        self.rollups.remove(timestamp);
    }

    fn plan(&mut self, view: &View) -> Vec<Part> {
        self.plans += 1;
        let due =
            self.rollups.plan(view, self.now, self.plans).map_or(Vec::new(), |plan| plan.parts);
        self.pending.extend(due.iter().map(|&(id, part)| (id, part, None)));
        due.into_iter().map(|(_, part)| part).collect()
    }

    /// The server computes the next reply, which is still on its way.
    fn compute(&mut self) {
        if let Some((_, part, reply)) = self.pending.iter_mut().find(|(.., reply)| reply.is_none())
        {
            *reply = Some(self.server.answer(*part));
        }
    }

    fn receive(&mut self) {
        if self.pending.front().is_some_and(|(.., reply)| reply.is_none()) {
            self.compute();
        }
        if let Some((id, _, Some(points))) = self.pending.pop_front() {
            self.rollups.take(id, &points, self.present, self.now);
        }
    }

    fn kept(&self) -> usize {
        self.rollups.levels.values().map(|level| level.buckets.len()).sum()
    }

    /// All requests for a view.
    fn settle(&mut self, view: &View) -> Vec<Part> {
        let mut asked = Vec::new();
        for _ in 0..100 {
            asked.extend(self.plan(view));
            while !self.pending.is_empty() {
                self.receive();
            }
            self.now += Duration::from_secs(2);
            if self.rollups.next_due(view).is_none() {
                return asked;
            }
        }
        panic!("it never ends: {asked:?}");
    }

    /// The line of the view shows what the server has.
    fn check(&self, view: &View) {
        let line = self.rollups.line(view);
        let level = line.step.map_or(0, |step| step.ilog2());
        let (from, to) = aligned(view.span(), level);
        let shown: BTreeMap<i64, (f64, f64)> = line
            .samples
            .iter()
            .map(|sample| (sample.timestamp, (sample.min, sample.max)))
            .filter(|(time, _)| (from..=to).contains(time))
            .collect();
        let all = self.server.buckets((from, to), level);
        // Of the buckets at the ends, only the part within the view need be known.
        let ends = [start_of(from, level), start_of(to, level)];
        for (time, values) in &all {
            let shown = shown.get(time).copied();
            if ends.contains(time) && level > 0 {
                let within = self.server.buckets(view.span(), level);
                if let Some(&(min, max)) = within.get(time) {
                    let (low, high) = shown.unwrap();
                    assert!(low <= min && max <= high, "{view:?} at {time}");
                }
                continue;
            }
            assert_eq!(shown, Some(*values), "{view:?} at {time}, level {level}");
        }
        let is_there = |time: &&i64| all.contains_key(time);
        assert_eq!(shown.keys().find(|time| !is_there(time)), None, "{view:?}");
        assert!(level <= view.level(), "as fine as the dots");
    }
}

const SMALL: Limits = Limits { kept: 400, exact: 60, few: 20, overview: 3000 };

fn view(from: i64, to: i64, dots: u32) -> View {
    View { from, to, dots }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn a_picture_shows_the_extremes_of_whatever_happened(
        start in prop_oneof![Just(0_i64), Just(-700), Just(i64::MIN + 5), Just(i64::MAX - 2000)],
        history in proptest::collection::vec((0..2000_i64, -50..50_i32), 0..200),
        steady in 0..600_i64,
        steps in proptest::collection::vec(
            (0..7_u8, 0..2000_i64, -50..50_i32, 1..60_u32), 0..60,
        ),
    ) {
        let at = |offset: i64| start.saturating_add(offset);
        let mut both = Both::new(SMALL, at(1500));
        for (offset, value) in history {
            both.server.0.insert(at(offset), f64::from(value));
        }
        for offset in 0..steady {
            both.server.0.insert(at(800 + offset), as_value(usize::try_from(offset % 17).unwrap()));
        }
        let mut shown = view(at(1000), at(1100), 40);
        for (what, offset, value, dots) in steps {
            match what {
                0 => both.put(at(offset), f64::from(value)),
                1 => {
                    let next = both.server.0.keys().next_back().copied().unwrap_or(at(0));
                    both.put(next.saturating_add(1), f64::from(value));
                }
                2 => both.remove(at(offset)),
                3 => {
                    let span = 1_i64 << (dots % 12);
                    shown = view(at(offset), at(offset).saturating_add(span), dots);
                }
                4 => { both.plan(&shown); }
                5 => both.compute(),
                _ => both.receive(),
            }
            let kept = both.kept();
            prop_assert!(both.rollups.batch.is_some() || kept <= 2 * SMALL.kept, "{kept} are kept");
        }
        both.settle(&shown);
        both.check(&shown);
        let kept = both.kept();
        prop_assert!(kept <= 2 * SMALL.kept, "{kept} are kept");
        let ends = both.server.0.keys().next().zip(both.server.0.keys().next_back());
        prop_assert_eq!(both.rollups.bounds(), ends.map(|(&first, &last)| (first, last)));
        let everything = view(start, at(2000), 50);
        both.settle(&everything);
        both.check(&everything);
        both.rollups.invalidate();
        both.settle(&everything);
        both.check(&everything);
    }
}

#[test]
fn replies_to_other_requests_are_not_taken() {
    let mut both = Both::new(SMALL, 1000);
    for time in 0..500 {
        both.put(time, 1.0);
    }
    let shown = view(0, 400, 20);
    both.plan(&shown);
    let (late, ..) = *both.pending.front().unwrap();
    both.rollups.invalidate();
    both.pending.clear();
    both.plan(&shown);
    let stray = [Point { timestamp: 3, value: -9.0 }];
    assert!(!both.rollups.take(late, &stray, 1000, Duration::ZERO));
    both.settle(&shown);
    both.check(&shown);
}

#[test]
fn a_picture_costs_as_many_numbers_as_it_has_dots() {
    let mut both = Both::new(Limits::default(), i64::MAX);
    for time in 0..200_000 {
        both.put(time, as_value(usize::try_from(time % 97).unwrap()));
    }
    for (from, to) in [(199_100, 199_999), (100_000, 199_999), (0, 199_999), (5000, 5300)] {
        let shown = view(from, to, 380);
        let asked = both.settle(&shown);
        let lines: usize = asked.iter().map(|&part| both.server.answer(part).len()).sum();
        assert!(lines <= 8 * 380 + 4, "{lines} lines for {asked:?}");
        both.check(&shown);
        assert_eq!(both.settle(&shown), [], "all is known");
    }
    let exact = both.rollups.line(&view(5000, 5300, 380));
    assert_eq!(exact.step, None, "fewer than two points a column");
}

#[test]
fn a_range_with_more_points_than_once_counted_is_asked_for_in_steps() {
    let mut both = Both::new(Limits::default(), i64::MAX);
    for time in 0..10_000 {
        both.server.0.insert(time, 1.0);
    }
    let base = 10_000_000;
    for time in 0..300 {
        both.server.0.insert(base + time, 1.0);
    }
    let day = |newest: i64| view(newest - 86_400, newest, 380);
    both.settle(&day(base + 299));
    let mut answered = 0;
    for time in 300..20_000 {
        both.put(base + time, as_value(usize::try_from(time % 100).unwrap()));
        if time % 50 < 49 {
            continue;
        }
        both.now += Duration::from_secs(50);
        let asked = both.plan(&day(base + time));
        answered += asked.iter().map(|&part| both.server.answer(part).len()).sum::<usize>();
        while !both.pending.is_empty() {
            both.receive();
        }
    }
    assert!(answered <= 4 * 380, "{answered} lines for live points");
    let shown = day(base + 19_999);
    for _ in 0..3 {
        both.settle(&view(10, 2000, 380));
        let asked = both.settle(&shown);
        let lines: usize = asked.iter().map(|&part| both.server.answer(part).len()).sum();
        assert!(lines <= 8 * 380, "{lines} lines for {asked:?}");
        both.check(&shown);
    }
}

fn count_of(server: &Server, (from, to): Span) -> u64 {
    server.0.range(from..=to).map(|_| 1).sum()
}

#[test]
fn points_put_after_their_count_was_computed_are_counted() {
    let mut both = Both::new(Limits::default(), i64::MAX);
    for time in 0..10_000 {
        both.server.0.insert(time * 1000, 1.0);
    }
    let shown = view(9_900_000, 10_400_000, 380);
    both.plan(&shown);
    while both.pending.iter().all(|(_, part, _)| !matches!(part, Part::Count(_))) {
        both.receive();
        both.plan(&shown);
    }
    while both.pending.iter().any(|(.., reply)| reply.is_none()) {
        both.compute();
    }
    for time in 1..1000 {
        both.put(9_950_000 + time, 1.0);
    }
    both.settle(&shown);
    let &((from, to), counted) = both.rollups.counts.back().unwrap();
    assert_eq!(counted, count_of(&both.server, (from, to)));
}

#[test]
fn live_points_alone_keep_the_bound_and_ask_for_nothing() {
    let mut both = Both::new(Limits::default(), i64::MAX);
    for time in 0..5000 {
        both.server.0.insert(time, 1.0);
    }
    for seconds in [900, 86_400] {
        let last = *both.server.0.keys().next_back().unwrap();
        let mut shown = view(last - seconds, last, 380);
        both.settle(&shown);
        let mut asked = Vec::new();
        for time in last + 1..last + 30_000 {
            both.put(time, as_value(usize::try_from(time % 97).unwrap()));
            let kept = both.kept();
            assert!(kept <= Limits::default().kept, "{kept} are kept at {time}");
            if time % 50 > 0 {
                continue;
            }
            both.now += Duration::from_secs(50);
            shown = view(time - seconds, time, 380);
            asked.extend(both.plan(&shown));
            while !both.pending.is_empty() {
                both.receive();
            }
        }
        assert!(asked.len() <= 20, "{} requests: {asked:?}", asked.len());
        both.check(&shown);
    }
}

#[test]
fn very_wide_pictures_are_known_at_some_time() {
    let mut both = Both::new(Limits::default(), i64::MAX);
    for time in 0..200_000 {
        both.server.0.insert(time, as_value(usize::try_from(time % 97).unwrap()));
    }
    for shown in [view(50_000, 64_000, 8000), view(0, 199_999, 8000), view(50_000, 64_000, 8000)] {
        both.settle(&shown);
        both.check(&shown);
    }
}

#[test]
fn strays_of_the_future_are_remembered_or_asked_for_again() {
    let mut both = Both::new(SMALL, 2000);
    for time in [0, 1, 2, 9000] {
        both.server.0.insert(time, 7.0);
    }
    both.settle(&view(0, 20, 60));
    for time in 3..1500 {
        both.put(time, 1.0);
        both.plan(&view(time - 20, time, 60));
        both.receive();
    }
    let stray = view(8950, 9050, 60);
    both.settle(&stray);
    both.check(&stray);
}

#[test]
fn what_retention_took_away_before_a_view_is_asked_for_once() {
    let mut both = Both::new(SMALL, 10_000);
    for time in 0..5000 {
        both.server.0.insert(time, 1.0);
    }
    both.settle(&view(4000, 4100, 20));
    both.server.0.retain(|&time, _| time >= 3000);
    let shown = view(3000, 3100, 20);
    both.settle(&shown);
    both.check(&shown);
}

#[test]
fn the_same_question_has_a_pause_before_it() {
    let mut both = Both::new(SMALL, 100_000);
    for time in 0..5000 {
        both.server.0.insert(time, as_value(usize::try_from(time % 7).unwrap()));
    }
    let shown = view(0, 4999, 2000);
    both.settle(&shown);
    // As a backfill does, in so many places that what is known falls into pieces.
    let mut asked = 0;
    for time in 0..5000 {
        both.put(time * 37 % 5000, 3.0);
        asked += usize::from(!both.plan(&shown).is_empty());
        while !both.pending.is_empty() {
            both.receive();
        }
    }
    assert!(asked <= 2, "{asked} batches within a moment");
    both.now += Duration::from_secs(2);
    both.settle(&shown);
    both.check(&shown);
    // Each removal of the first point makes the extent unknown.
    asked = 0;
    for time in 0..100 {
        both.remove(time);
        asked += usize::from(!both.plan(&shown).is_empty());
        while !both.pending.is_empty() {
            both.receive();
        }
    }
    assert!(asked <= 2, "{asked} batches within a moment");
}
