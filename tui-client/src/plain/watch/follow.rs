//! A follow: the server tells each point as it is stored.

use std::io::Write;
use std::time::Duration;

use shared::client::ReplyPiece;
use shared::response::{News, Status, decode_news, decode_points};
use shared::{Client, Key, KeyBuf, Point, Selector};
use tokio::time::interval;

use super::Watcher;
use super::history::History;
use crate::cli::Plan;
use crate::clock::unix_now;
use crate::metrics::series::present_until;
use crate::metrics::watch_plan::covering_pattern;
use crate::plain::connection::{Reconnector, connect, refusal, take_reply};
use crate::plain::{Failure, malformed_lines, warn};
use crate::text::escape::named;
use crate::text::time::age;

/// What is said of a server that knows other selectors than a follow.
const NO_FOLLOW: &str = "this server can't follow";

/// Points with their keys, in the order of the reply.
type Points = Vec<(KeyBuf, Point)>;

impl<W: Write> Watcher<'_, W> {
    /// Follows until the connection ends. Returns when the server does not follow, with the reason
    /// unless it is that it knows no selectors.
    pub(super) async fn follow(
        &mut self,
        plan: &Plan,
        connection: &Client,
        reconnector: &mut Reconnector,
    ) -> Result<Option<String>, Failure> {
        for feed in std::mem::take(&mut self.feeds) {
            let now = unix_now();
            feed.last().for_each(|(key, last)| {
                self.known.begin_with(key.as_key(), last, now);
            });
        }
        let pattern = covering_pattern(self.patterns);
        let last = format!("{pattern}{}", self.needs.last());
        let resumes = !self.known.is_empty();
        self.resumes = resumes;
        self.history = (resumes || self.from.is_some()).then(History::default);
        // Points that come back are those of a server with selectors.
        let found = if resumes { Points::new() } else { self.points(connection, &last).await? };
        let from = match (self.known.resume_from().filter(|_| resumes), self.from) {
            (Some(from), _) | (None, Some(from)) => format!("{from}:"),
            (None, None) if found.is_empty() => ":".to_owned(),
            (None, None) => String::new(),
        };
        let selector = format!("{pattern}[{from}+]");
        let Ok(follow) = Selector::from_bytes(selector.as_bytes()) else { return Ok(None) };
        let without_follow = (!found.is_empty()).then(|| NO_FOLLOW.to_owned());
        let mut reply = connection.get(follow).await?;
        if reply.next().await? != Some(ReplyPiece::Status(Status::Ok)) {
            let reason = refusal(reply).await?.map(|reason| format!("{selector}: {reason}"));
            return Ok(reason.or(without_follow));
        }
        reconnector.answered(warn);
        let mut is_begun = resumes;
        if !found.is_empty() {
            // Asked for after the follow has begun, so that there is no gap between the two.
            let other = async { self.points(&connect(plan).await?, &last).await };
            let found = other.await.unwrap_or(found);
            self.begin(found)?;
            is_begun = true;
        }
        let (mut seconds, mut malformed) = (interval(Duration::from_secs(1)), 0);
        seconds.tick().await;
        loop {
            tokio::select! {
                piece = reply.next() => match piece? {
                    // A follow does not end by itself.
                    None => return Ok(without_follow),
                    Some(ReplyPiece::Status(_)) => {}
                    Some(ReplyPiece::Data(data)) => {
                        let wrong = self.take_news(&data, plan).await?;
                        if malformed == 0 && wrong > 0 {
                            warn(&format!("{selector}: {}", malformed_lines(wrong)));
                        }
                        malformed += wrong;
                        self.out.flush()?;
                    }
                },
                _ = seconds.tick() => {
                    if !std::mem::replace(&mut is_begun, true) {
                        self.tell_missing();
                        self.evaluate(&[], |_| false, |_| true);
                    }
                    self.evaluate_ages();
                }
            }
        }
    }

    /// The watched points of a reply; none when the request is refused.
    async fn points(&self, connection: &Client, selector: &str) -> Result<Points, Failure> {
        let mut points = Points::new();
        if let Ok(selector) = Selector::from_bytes(selector.as_bytes()) {
            let reply = connection.get(selector).await?;
            take_reply(reply, |data| {
                let found = decode_points(data).flatten();
                let watched = found.filter(|(key, _)| self.is_watched(key.as_str()));
                points.extend(watched.map(|(key, point)| (key.to_owned(), point)));
                Ok(())
            })
            .await?;
        }
        Ok(points)
    }

    /// Takes the newest points of each key: the last ones are printed, unless older ones are still
    /// to come.
    fn begin(&mut self, points: Points) -> Result<(), Failure> {
        let now = unix_now();
        self.tell_old(&points, now);
        let mut points = points.into_iter().peekable();
        while let Some((key, point)) = points.next() {
            let is_last = points.peek().is_none_or(|(next, _)| *next != key);
            let prints_last = self.from.is_none();
            if is_last && prints_last {
                self.known.begin_with(key.as_key(), point, now);
                self.out.point(key.as_key(), point)?;
            } else {
                self.known.add(key.as_key(), point, prints_last, now);
            }
            let is_in = |from| (from..=present_until(now)).contains(&point.timestamp);
            if self.from.is_some_and(is_in) {
                self.known.expect_history(key.as_key(), point.timestamp);
            }
        }
        self.out.flush()?;
        self.tell_missing();
        let series = self.known.all_series(|key| self.alerts.concerns(key), now);
        self.evaluate(&series, |_| true, |_| true);
        Ok(())
    }

    /// Says which keys have no points in the time that is asked for.
    fn tell_old(&self, points: &[(KeyBuf, Point)], now: i64) {
        let Some(from) = self.from else { return };
        for pattern in self.patterns {
            let of_pattern = points.iter().filter(|(key, _)| pattern.matches(key.as_str()));
            let newest = of_pattern.map(|(_, point)| point.timestamp).max();
            if let Some(newest) = newest.filter(|&newest| newest < from) {
                let (pattern, age) = (named(pattern.as_str()), age(newest, now));
                warn(&format!("no points for {pattern} in that time; the newest is {age} old"));
            }
        }
    }

    fn tell_missing(&self) {
        for pattern in self.patterns {
            if !self.known.any(|key| pattern.matches(key)) {
                warn(&format!("no points for {} yet", named(pattern.as_str())));
            }
        }
    }

    /// Takes data lines of the follow; returns the number of malformed ones.
    async fn take_news(&mut self, data: &[u8], plan: &Plan) -> Result<u64, Failure> {
        let (mut malformed, now) = (0, unix_now());
        for news in decode_news(data) {
            match news {
                Ok(News::Point(key, point)) if self.is_followed(key) => {
                    self.take_point(key, point, now)?;
                }
                Ok(News::TakenBack(key, timestamp)) if self.is_followed(key) => {
                    self.out.taken_back(key, timestamp)?;
                    let is_gone = self.known.remove(key, timestamp);
                    if self.alerts.concerns(key.as_str()) {
                        self.evaluate_rest(key, is_gone, plan).await;
                    }
                }
                Ok(_) => {}
                Err(_) => malformed += 1,
            }
        }
        Ok(malformed)
    }

    fn is_followed(&self, key: Key<'_>) -> bool {
        self.known.has(key.as_str()) || self.is_watched(key.as_str())
    }

    fn take_point(&mut self, key: Key<'_>, point: Point, now: i64) -> Result<(), Failure> {
        if self.resumes && self.known.is_history(key.as_str(), point.timestamp) {
            return Ok(());
        }
        let is_repeated =
            self.history.as_mut().is_some_and(|past| past.takes(key, point.timestamp));
        if is_repeated && point.timestamp > present_until(now) {
            // An open range brings them, however old they are.
            return Ok(());
        }
        let is_news = self.known.is_news(key.as_str(), point.timestamp);
        let (is_known, is_printed) = self.known.add(key, point, true, now);
        if !is_printed {
            self.out.point(key, point)?;
        }
        if is_news
            && !is_known
            && self.alerts.concerns(key.as_str())
            && let Some(series) = self.known.series(key.as_str(), now)
        {
            let events = self.alerts.evaluate_point(&series, point, now);
            self.report(&events);
        }
        Ok(())
    }

    /// Evaluates what is left of a key of which a point is taken back. Of those that `is_gone` says
    /// no point is known of, the server is asked for older ones.
    async fn evaluate_rest(&mut self, key: Key<'_>, is_gone: bool, plan: &Plan) {
        let now = unix_now();
        if is_gone {
            let selector = format!("{key}{}", self.needs.last());
            let older = async { self.points(&connect(plan).await?, &selector).await };
            for (key, point) in older.await.unwrap_or_default() {
                self.known.add(key.as_key(), point, true, now);
            }
        }
        let series: Vec<_> = self.known.series(key.as_str(), now).into_iter().collect();
        self.evaluate(&series, |asked| asked == key.as_str(), |_| true);
    }
}
