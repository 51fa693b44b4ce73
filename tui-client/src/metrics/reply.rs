//! A reply as the application wants it: folded, timed, with an excerpt of its raw lines.
//!
//! Built piece by piece next to the socket, so that the user interface never sees a large one.

use std::collections::VecDeque;
use std::time::Duration;

use memchr::{memchr, memchr_iter};
use shared::response::{Status, decode_points};
use shared::{Key, KeyBuf, Point};

use crate::metrics::large_list::growth;
use crate::metrics::patterns::Patterns;
use crate::metrics::series::summary::{Answer, Summarizer};
use crate::text::escape::escape_untrusted;

/// What is said of an error reply without a reason, as some servers send them.
pub const NO_REASON: &str = "no reason given";

/// The parts of a reply to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capture {
    /// Every line is passed on as it arrives.
    pub raw: bool,
    /// Raw lines from its beginning, for the log.
    pub head: usize,
    /// Raw lines from its end, for the log.
    pub foot: usize,
    /// Recent points of each series.
    pub recent: usize,
    /// Every point, in place of a summary.
    pub points: bool,
    /// Series of a reply that takes a while that are passed on before its end.
    pub first: usize,
}

/// Points of a reply that is kept whole: 32 MiB. Later ones are left out, and counted.
pub const MAX_POINTS: usize = 1 << 21;

/// The points of one series in a reply, in its order.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesPoints {
    /// The key.
    pub key: KeyBuf,
    /// At least one.
    pub points: Vec<Point>,
}

/// The points of a reply by series, in its order: three lists, however many series there are.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PointLists {
    keys: String,
    points: Vec<Point>,
    /// Where the key and the points of each series end.
    ends: Vec<(u32, u32)>,
}

impl PointLists {
    /// Adds a point of a series, which is the last one or a new one.
    pub fn push(&mut self, key: Key<'_>, point: Point) {
        make_room(&mut self.points);
        self.points.push(point);
        let last = self.len().checked_sub(1).and_then(|last| self.get(last));
        if last.is_some_and(|(last, _)| last == key.as_str()) {
            self.ends.pop();
        } else {
            let is_full = self.keys.capacity() - self.keys.len() < key.as_str().len();
            if let Some(more) = growth::<u8>(self.keys.len()).filter(|_| is_full) {
                self.keys.reserve_exact(more.max(key.as_str().len()));
            }
            self.keys.push_str(key.as_str());
        }
        // More than 4 GiB of keys are no answer to a query: those beyond are not found.
        let end = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        make_room(&mut self.ends);
        self.ends.push((end(self.keys.len()), end(self.points.len())));
    }

    /// The number of series.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// There are no points.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The key and the points of the n-th series, at least one.
    pub fn get(&self, at: usize) -> Option<(&str, &[Point])> {
        let &(key_end, points_end) = self.ends.get(at)?;
        let before = at.checked_sub(1).and_then(|before| self.ends.get(before));
        let &(key, points) = before.unwrap_or(&(0, 0));
        let range =
            |from: u32, to: u32| Some(usize::try_from(from).ok()?..usize::try_from(to).ok()?);
        Some((self.keys.get(range(key, key_end)?)?, self.points.get(range(points, points_end)?)?))
    }

    /// The keys and the points of the series.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[Point])> {
        (0..self.len()).filter_map(|at| self.get(at))
    }

    /// The points by series, each with a list of its own.
    pub fn to_series(&self) -> Vec<SeriesPoints> {
        let series = |(key, points): (&str, &[Point])| {
            Some(SeriesPoints { key: key.parse().ok()?, points: points.to_vec() })
        };
        self.iter().filter_map(series).collect()
    }
}

/// Makes room for more in a full list.
fn make_room<T>(list: &mut Vec<T>) {
    let is_full = list.len() == list.capacity();
    if let Some(more) = growth::<T>(list.len()).filter(|_| is_full) {
        list.reserve_exact(more);
    }
}

/// A whole reply.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The request it answers.
    pub id: u64,
    /// `ok` or `error`.
    pub status: Status,
    /// The first raw data lines, safe to show.
    pub head: Vec<Box<str>>,
    /// Data lines between `head` and `foot`.
    pub left_out: u64,
    /// The last raw data lines.
    pub foot: Vec<Box<str>>,
    /// The points in it; none in an error reply.
    pub answer: Answer,
    /// All points, where the reply is kept whole; the answer is empty then.
    pub points: PointLists,
    /// Points that a reply that is kept whole has besides, at its end: beyond [`MAX_POINTS`].
    pub points_left_out: u64,
    /// Size on the wire.
    pub bytes: u64,
    /// From the request to the first byte of the reply.
    pub first: Duration,
    /// From the request to the end of the reply.
    pub took: Duration,
}

/// A reply that is arriving.
#[derive(Debug)]
pub struct ReplyBuilder {
    detail: Capture,
    status: Status,
    head: Vec<Box<str>>,
    foot: VecDeque<Box<str>>,
    lines: u64,
    bytes: u64,
    summarizer: Summarizer,
    points: PointLists,
    /// Points in all series, those left out too.
    total: usize,
}

impl ReplyBuilder {
    /// Begins with the status line.
    pub fn new(status: Status, detail: Capture) -> Self {
        let status_line = match status {
            Status::Ok => "ok\n",
            Status::Error => "error\n",
        };
        Self {
            detail,
            status,
            head: Vec::new(),
            foot: VecDeque::new(),
            lines: 0,
            bytes: status_line.len() as u64,
            summarizer: Summarizer::new(detail.recent),
            points: PointLists::default(),
            total: 0,
        }
    }

    /// Series that match one of these are watched: more of their points are kept.
    #[must_use]
    pub fn watching(self, watched: Patterns) -> Self {
        Self { summarizer: self.summarizer.watching(watched), ..self }
    }

    /// Points too far ahead of the time `now` do not hide the present of their key.
    #[must_use]
    pub fn at(self, now: i64) -> Self {
        Self { summarizer: self.summarizer.at(now), ..self }
    }

    /// Takes whole data lines.
    pub fn add_lines(&mut self, data: &[u8]) {
        self.bytes += data.len() as u64;
        let mut rest = data;
        while self.head.len() < self.detail.head && !rest.is_empty() {
            let end = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let (line, after) = rest.split_at(end);
            self.lines += 1;
            self.head.push(escape_untrusted(line));
            rest = after;
        }
        // The lines left out cost no more than being counted.
        let unended = !rest.is_empty() && !rest.ends_with(b"\n");
        self.lines += memchr_iter(b'\n', rest).count() as u64 + u64::from(unended);
        let last = rest.split_inclusive(|&byte| byte == b'\n').rev().take(self.detail.foot);
        let last: Vec<_> = last.collect();
        self.foot.extend(last.into_iter().rev().map(escape_untrusted));
        while self.foot.len() > self.detail.foot {
            self.foot.pop_front();
        }
        if self.status == Status::Ok && self.detail.points {
            self.keep_points(data);
        } else if self.status == Status::Ok {
            self.summarizer.add_lines(data);
        }
    }

    fn keep_points(&mut self, data: &[u8]) {
        for (key, point) in decode_points(data).flatten() {
            self.total += 1;
            if self.total <= MAX_POINTS {
                self.points.push(key, point);
            }
        }
    }

    /// The first series, once all that are wanted before the end are there.
    pub fn first(&self) -> Option<Answer> {
        (self.detail.first > 0).then(|| self.summarizer.first(self.detail.first)).flatten()
    }

    /// `ok` or `error`.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Points so far.
    pub fn points(&self) -> u64 {
        self.summarizer.points() + self.total as u64
    }

    /// The reply is complete.
    pub fn finish(self, id: u64, first: Duration, took: Duration) -> Reply {
        Reply {
            id,
            status: self.status,
            left_out: self.lines - (self.head.len() + self.foot.len()) as u64,
            head: self.head,
            foot: self.foot.into(),
            answer: self.summarizer.finish(),
            points: self.points,
            points_left_out: self.total.saturating_sub(MAX_POINTS) as u64,
            bytes: self.bytes + 1,
            first,
            took,
        }
    }
}

impl Reply {
    /// The reason of an error reply.
    pub fn reason(&self) -> &str {
        self.head.first().map_or(NO_REASON, |line| line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The counts are those of a reply of which nearly 4 GiB have come.
    #[test]
    fn a_reply_of_more_than_4_gib_is_counted_whole() {
        let detail = Capture { raw: false, head: 2, foot: 1, recent: 4, points: false, first: 0 };
        let mut builder = ReplyBuilder::new(Status::Ok, detail);
        builder.add_lines(b"a 1 1\na 1 2\na 1 3\n");
        let edge = u64::from(u32::MAX) - 20;
        (builder.lines, builder.bytes) = (edge, edge);
        for timestamp in 10..50 {
            builder.add_lines(format!("a 2 {timestamp}\n").as_bytes());
        }
        let reply = builder.finish(1, Duration::ZERO, Duration::ZERO);
        assert_eq!((reply.bytes, reply.left_out), (edge + 40 * 7 + 1, edge + 40 - 3));
        assert_eq!((&*reply.head[1], &*reply.foot[0]), ("a 1 2", "a 2 49"));
    }

    /// The count is that of a reply of which most points have come.
    #[test]
    fn points_beyond_the_limit_are_counted() {
        let detail = Capture { raw: false, head: 0, foot: 0, recent: 0, points: true, first: 0 };
        for (before, left_out) in [(MAX_POINTS - 3, 0), (MAX_POINTS - 1, 2), (MAX_POINTS, 3)] {
            let mut builder = ReplyBuilder::new(Status::Ok, detail);
            builder.total = before;
            builder.add_lines(b"a 1 1\na 1 2\nb 1 1\n");
            let reply = builder.finish(1, Duration::ZERO, Duration::ZERO);
            let kept: usize = reply.points.iter().map(|(_, points)| points.len()).sum();
            assert_eq!((kept as u64 + left_out, reply.points_left_out), (3, left_out));
        }
    }

    #[test]
    fn the_middle_of_a_large_reply_is_left_out() {
        let detail = Capture { raw: false, head: 2, foot: 1, recent: 4, points: false, first: 0 };
        let text: Vec<_> = (0..10).map(|n| format!("a {n}.0 {n}\n")).collect();
        let text = text.concat();
        let ends: Vec<_> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
        for piece in 1..=ends.len() {
            let mut builder = ReplyBuilder::new(Status::Ok, detail);
            let mut from = 0;
            for &to in ends.chunks(piece).filter_map(|chunk| chunk.last()) {
                builder.add_lines(&text.as_bytes()[from..to]);
                from = to;
            }
            let reply = builder.finish(7, Duration::ZERO, Duration::ZERO);
            assert_eq!(reply.head, ["a 0.0 0".into(), "a 1.0 1".into()]);
            assert_eq!(reply.foot, ["a 9.0 9".into()]);
            assert_eq!((reply.left_out, reply.answer.points), (7, 10));
            assert_eq!(reply.bytes, "ok\n\n".len() as u64 + text.len() as u64);
        }
    }
}
