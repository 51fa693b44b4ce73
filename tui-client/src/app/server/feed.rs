//! The feed of the screen: whether the server has selectors, the follow that keeps the screen up to
//! date where it has, and the queries that parts of the screen wait to send.
//!
//! On a new connection a follow is begun. A server that takes it has selectors: what stands on the
//! screen is asked for once the follow has begun, so that nothing is lost between the two, and lines
//! told meanwhile are held until it has come. A server that does not know the request, or ends its
//! reply, is polled. One that gives no answer for another reason is polled too, and the follow is
//! tried again every so often.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use shared::Glob;
use shared::response::WRONG_COMMAND;

use crate::app::context::Context;
use crate::app::server::link::Route;
use crate::effect::{Effect, NetworkOrder};
use crate::event::FollowNews;
use crate::metrics::watch_plan::Extension;
use crate::request::pending::{Channel, Priority, Query, QueryTag};

/// Time for the first answer on a connection of its own. A server that takes one client at a time
/// never gives it, and is polled over the connection that it has taken. Two round trips of the
/// slowest lines fit in.
const FIRST_ANSWER: Duration = Duration::from_secs(3);

/// Lines that are held while the state before them is under way, in bytes: a second of what a
/// million keys are told. Beyond, they are dropped, and the state is asked for again later.
const MAX_HELD: usize = 32 << 20;

/// Wait before the state is asked for again because lines were dropped, doubled each time: a server
/// that gives it slowly, or a client that takes it slowly, would never get to its end otherwise.
const MIN_RELOAD: Duration = Duration::from_secs(10);

/// The longest of these waits.
const MAX_RELOAD: Duration = Duration::from_secs(5 * 60);

/// Wait before a follow that was lost is begun anew, doubled each time.
const MIN_RETRY: Duration = Duration::from_millis(100);

/// The longest of these waits.
const MAX_RETRY: Duration = Duration::from_secs(5);

/// A follow that lasted for so long was worth its beginning: the waits start over.
const STEADY: Duration = Duration::from_secs(10);

/// Failures to begin a follow until the server is polled instead.
const MAX_FAILURES: u32 = 3;

/// Wait before a follow is tried again while the server is polled for want of it, doubled each time.
const MIN_PROBE: Duration = Duration::from_secs(30);

/// The longest of these waits.
const MAX_PROBE: Duration = Duration::from_secs(15 * 60);

/// Queries under way to a server with selectors.
const MAX_IN_FLIGHT: usize = 4;

/// Keys of which points were taken back and that are asked for anew by themselves. When there are
/// more, the follow is begun anew.
const MAX_TAKEN_BACK: usize = 256;

/// Keys are asked for so long after a point on the screen was taken back: with all that is taken back
/// by the same request.
const TAKE_BACK_WAIT: Duration = Duration::from_millis(100);

/// The follow that is wanted or under way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Stage {
    /// Nothing is followed.
    #[default]
    Idle,
    /// A follow is ordered; the server is polled from `until` on if it is the first one.
    Asked { id: u64, pattern: String, until: Duration },
    /// The server tells every put.
    Live { id: u64, pattern: String, since: Duration },
    /// The follow was lost; the next one is due at this time.
    Waiting(Duration),
}

/// What the news of a follow mean for the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedEvent {
    /// Nothing changes.
    Nothing,
    /// The follow of this id has begun: the state of its keys is to be asked for.
    Begun(u64),
    /// Lines are told.
    Lines(Bytes),
    /// The follow was cut off, with the reason to show.
    Lost(String),
    /// The server is polled from now on.
    Polled,
}

/// The state of the feed.
#[derive(Debug, Default)]
pub struct Feed {
    extension: Extension,
    /// It is not proven that the extension is missing: the follow is tried again.
    is_assumed: bool,
    stage: Stage,
    /// Patterns of keys that are followed besides all.
    beside: Vec<String>,
    /// Requests go over the connection of the prompt, because the server takes no other.
    is_shared: bool,
    failures: u32,
    /// The last wait before the follow was tried again while the server is polled.
    probe: Duration,
    /// Losses of the connection for data since its last reply.
    data_lost: u32,
    retry: Duration,
    queries: Vec<Query>,
    /// The follow is begun anew at this time.
    renew: Option<Duration>,
    /// Keys of which shown points were taken back, and when they are asked for.
    taken_back: BTreeSet<String>,
    taken_back_at: Duration,
    /// Those whose state is under way; none when it is that of all keys.
    renewed: Option<Vec<Glob>>,
    /// Requests under way whose replies the held lines wait for.
    loading: HashSet<u64>,
    held: VecDeque<Bytes>,
    held_bytes: usize,
    /// The last wait before the state was asked for again because lines were dropped.
    reload: Duration,
    /// When it was to be asked for.
    reloaded_at: Duration,
}

impl Feed {
    /// Whether the server is used as one with selectors; `None` before that is decided.
    pub fn has_selectors(&self) -> Option<bool> {
        match self.extension {
            Extension::Unknown => None,
            Extension::Known => Some(true),
            Extension::Missing => Some(false),
        }
    }

    /// Whether the server knows the selector extension, as far as it has shown.
    pub fn extension(&self) -> Extension {
        if self.is_assumed { Extension::Unknown } else { self.extension }
    }

    /// The server tells every put of what is on the screen.
    pub fn is_live(&self) -> bool {
        matches!(self.stage, Stage::Live { .. })
    }

    /// Lines were dropped, and what is on the screen is asked for anew only after a wait.
    pub fn is_behind(&self) -> bool {
        self.is_live() && self.renew.is_some_and(|at| at == self.reloaded_at)
    }

    /// The id of the follow, if it has begun.
    pub fn live_follow(&self) -> Option<u64> {
        match self.stage {
            Stage::Live { id, .. } => Some(id),
            _ => None,
        }
    }

    /// The pattern of the keys that are followed, or are about to be.
    pub fn pattern(&self) -> Option<&str> {
        match &self.stage {
            Stage::Asked { pattern, .. } | Stage::Live { pattern, .. } => Some(pattern),
            Stage::Idle | Stage::Waiting(_) => None,
        }
    }

    /// Every key is followed, or is about to be.
    pub fn follows_all(&self) -> bool {
        self.pattern() == Some("*")
    }

    /// How requests for data go out.
    pub fn route(&self) -> Route {
        let channel = if self.is_shared { Channel::Prompt } else { Channel::Data };
        Route { channel, alone: self.extension != Extension::Known }
    }

    /// Data goes over the connection of the prompt.
    pub fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// Follows keys of these patterns, too, where all are followed.
    pub fn follow_beside(&mut self, patterns: Vec<String>) {
        self.beside = patterns;
    }

    /// Begins with a new connection, of which nothing is known.
    pub fn reset(&mut self) {
        let beside = std::mem::take(&mut self.beside);
        *self = Self { beside, ..Self::default() };
    }

    /// The connection is lost; returns the tags of the queries that get no answer.
    pub fn on_disconnected(&mut self, cx: &mut Context) -> Vec<QueryTag> {
        let queries = std::mem::take(&mut self.queries);
        self.reset();
        cx.push(Effect::Network(NetworkOrder::EndFeed));
        queries.into_iter().map(|query| query.tag).collect()
    }

    /// Follows these keys, or none; `next_id` makes the id of a follow.
    pub fn steer(&mut self, wanted: Option<&str>, next_id: impl FnOnce() -> u64, cx: &mut Context) {
        if self.extension() == Extension::Missing {
            return;
        }
        let Some(wanted) = wanted else {
            if self.stage != Stage::Idle {
                self.drop_follow();
                cx.push(Effect::Network(NetworkOrder::Unfollow));
            }
            return;
        };
        let now = cx.now().elapsed;
        let is_due = match &self.stage {
            Stage::Idle => true,
            Stage::Asked { pattern, .. } => pattern != wanted,
            Stage::Live { pattern, .. } => {
                pattern != wanted || self.renewal().is_some_and(|at| at <= now)
            }
            Stage::Waiting(until) => *until <= now,
        };
        if is_due {
            let id = next_id();
            self.drop_follow();
            let until = now + FIRST_ANSWER;
            self.stage = Stage::Asked { id, pattern: wanted.to_owned(), until };
            let selector = match &self.beside[..] {
                beside @ [_, ..] if wanted == "*" => format!("{{*,{}}}[+]", beside.join(",")),
                _ => format!("{wanted}[+]"),
            };
            cx.push(Effect::Network(NetworkOrder::Follow { id, selector }));
        }
    }

    fn drop_follow(&mut self) {
        self.stage = Stage::Idle;
        (self.renew, self.loading, self.renewed) = (None, HashSet::new(), None);
        self.taken_back.clear();
        self.held.clear();
        self.held_bytes = 0;
    }

    /// When the feed wants a tick.
    pub fn next_wake(&self) -> Option<Duration> {
        match self.stage {
            Stage::Asked { until, .. } if self.extension == Extension::Unknown => Some(until),
            Stage::Waiting(until) => Some(until),
            _ => {
                let is_due = !self.taken_back.is_empty() && self.loading.is_empty();
                let keys = is_due.then_some(self.taken_back_at);
                self.renewal().into_iter().chain(keys).min()
            }
        }
    }

    /// When the follow is begun anew; not while the state that it began with is under way, so that
    /// at most one is.
    fn renewal(&self) -> Option<Duration> {
        self.renew.filter(|_| self.loading.is_empty())
    }

    /// Polls a server that has not answered in time; says whether it is polled from now on. An
    /// answer that comes later counts.
    pub fn on_tick(&mut self, cx: &mut Context) -> bool {
        let Stage::Asked { until, .. } = self.stage else { return false };
        let is_late = self.extension == Extension::Unknown && until <= cx.now().elapsed;
        if is_late {
            self.assume_missing();
        }
        is_late
    }

    /// The server has no selectors: it is polled from now on.
    fn poll(&mut self, cx: &mut Context) {
        self.drop_follow();
        (self.extension, self.is_assumed) = (Extension::Missing, false);
        cx.push(Effect::Network(NetworkOrder::Unfollow));
    }

    /// The server is polled over the connection that it has taken; it may have selectors.
    fn assume_missing(&mut self) {
        (self.extension, self.is_assumed, self.is_shared) = (Extension::Missing, true, true);
    }

    /// The follow is tried again after a wait, while the server is polled.
    fn probe_later(&mut self, now: Duration) {
        self.drop_follow();
        self.probe = (self.probe * 2).clamp(MIN_PROBE, MAX_PROBE);
        self.stage = Stage::Waiting(now + self.probe);
    }

    /// Takes the news of a follow.
    pub fn on_follow(&mut self, from: u64, news: FollowNews, cx: &mut Context) -> FeedEvent {
        let now = cx.now().elapsed;
        match (&self.stage, news) {
            (Stage::Asked { id, pattern, .. }, FollowNews::Begun) if *id == from => {
                if std::mem::take(&mut self.is_assumed) {
                    self.is_shared = false;
                }
                self.extension = Extension::Known;
                self.stage = Stage::Live { id: from, pattern: pattern.clone(), since: now };
                FeedEvent::Begun(from)
            }
            (Stage::Live { id, .. }, FollowNews::Lines(lines)) if *id == from => {
                FeedEvent::Lines(lines)
            }
            (Stage::Live { id, .. } | Stage::Asked { id, .. }, news) if *id == from => match news {
                FollowNews::Ended => {
                    self.poll(cx);
                    FeedEvent::Polled
                }
                FollowNews::Refused(reason) if reason == WRONG_COMMAND => {
                    if std::mem::take(&mut self.is_assumed) {
                        self.is_shared = false;
                    }
                    self.poll(cx);
                    FeedEvent::Polled
                }
                // The server may have no place for one more connection.
                FollowNews::Refused(reason) => self.on_refused(reason, now),
                FollowNews::Lost(reason) => self.on_lost(reason, now),
                FollowNews::Begun | FollowNews::Lines(_) => FeedEvent::Nothing,
            },
            _ => FeedEvent::Nothing,
        }
    }

    /// The follow was refused for a reason that may pass.
    fn on_refused(&mut self, reason: String, now: Duration) -> FeedEvent {
        let is_first = self.extension == Extension::Unknown;
        if self.is_assumed || !is_first && self.failures + 1 < MAX_FAILURES {
            return self.on_lost(reason, now);
        }
        self.assume_missing();
        self.probe_later(now);
        FeedEvent::Polled
    }

    /// The follow was cut off, or what stands before it can't be had: it is begun anew.
    pub fn on_lost(&mut self, reason: String, now: Duration) -> FeedEvent {
        if self.is_assumed {
            self.probe_later(now);
            return FeedEvent::Nothing;
        }
        if matches!(self.stage, Stage::Live { since, .. } if since + STEADY <= now) {
            (self.retry, self.failures, self.probe) = (Duration::ZERO, 0, Duration::ZERO);
        }
        self.drop_follow();
        self.failures += 1;
        if self.extension == Extension::Unknown && self.failures >= MAX_FAILURES {
            self.assume_missing();
            self.probe_later(now);
            return FeedEvent::Polled;
        }
        self.retry = (self.retry * 2).clamp(MIN_RETRY, MAX_RETRY);
        self.stage = Stage::Waiting(now + self.retry);
        FeedEvent::Lost(reason)
    }

    /// Requests for data got no reply.
    pub fn on_data_lost(&mut self) {
        self.data_lost += 1;
        self.is_shared |= self.data_lost >= MAX_FAILURES;
    }

    /// A reply has come over a connection.
    pub fn on_data(&mut self, channel: Channel) {
        if channel == Channel::Data {
            self.data_lost = 0;
        }
    }

    /// The follow was lost, and is to be begun anew.
    pub fn is_recovering(&self) -> bool {
        matches!(self.stage, Stage::Waiting(_) | Stage::Asked { .. })
    }

    /// Begins the follow anew at this time, or before, once its state has come. One that has not
    /// begun yet brings that anyway.
    pub fn renew_at(&mut self, at: Duration) {
        if self.is_live() {
            self.renew = Some(self.renew.map_or(at, |before| before.min(at)));
        }
    }

    /// A shown point of a key was taken back: the key is to be asked for.
    pub fn take_back(&mut self, key: &str, now: Duration) {
        if !self.is_live() || self.renew.is_some() {
            return;
        }
        if self.taken_back.is_empty() {
            self.taken_back_at = now + TAKE_BACK_WAIT;
        }
        self.taken_back.insert(key.to_owned());
        if self.taken_back.len() > MAX_TAKEN_BACK {
            self.taken_back.clear();
            self.renew_at(now);
        }
    }

    /// The keys that are due to be asked for anew, unless other state is under way; their state is
    /// from now on.
    pub fn take_taken_back(&mut self, now: Duration) -> Option<Vec<Glob>> {
        let is_due = self.is_live() && self.loading.is_empty() && self.taken_back_at <= now;
        if !is_due || self.taken_back.is_empty() {
            return None;
        }
        let keys = std::mem::take(&mut self.taken_back);
        let keys: Vec<Glob> = keys.iter().filter_map(|key| key.parse().ok()).collect();
        self.renewed = Some(keys.clone());
        Some(keys)
    }

    /// The keys whose state is under way; none when it is that of all keys.
    pub fn renewed(&self) -> Option<&[Glob]> {
        self.renewed.as_deref()
    }

    /// The state of all keys is asked for.
    pub fn ask_for_all(&mut self) {
        self.renewed = None;
    }

    /// Lines are held until the request with this id is answered.
    pub fn hold_for(&mut self, id: u64) {
        self.loading.insert(id);
    }

    /// A request is answered; says whether lines were held for it.
    pub fn answered(&mut self, id: u64) -> bool {
        self.loading.remove(&id)
    }

    /// Holds lines. Without room for them, all that are held are dropped, and the follow is begun anew
    /// after a wait.
    pub fn hold(&mut self, lines: Bytes, now: Duration) {
        self.held_bytes += lines.len();
        self.held.push_back(lines);
        if self.held_bytes > MAX_HELD {
            self.held.clear();
            self.held_bytes = 0;
            if self.renew.is_none() {
                // After a time without a loss the next one is as good as the first.
                if now > self.reloaded_at + 2 * MAX_RELOAD {
                    self.reload = Duration::ZERO;
                }
                self.reload = (self.reload * 2).clamp(MIN_RELOAD, MAX_RELOAD);
                self.reloaded_at = now + self.reload;
                self.renew_at(self.reloaded_at);
            }
        }
    }

    /// Lines are held.
    pub fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// Lines are held until the request with this id is answered.
    pub fn awaits(&self, id: u64) -> bool {
        self.loading.contains(&id)
    }

    /// The state before the lines is under way.
    pub fn is_loading(&self) -> bool {
        !self.loading.is_empty()
    }

    /// Takes the oldest of the held lines.
    pub fn take_held(&mut self) -> Option<Bytes> {
        let lines = self.held.pop_front()?;
        self.held_bytes -= lines.len();
        Some(lines)
    }

    /// Queues a query, before those of a lower priority.
    pub fn ask(&mut self, query: Query) {
        let place = self.queries.partition_point(|other| other.priority <= query.priority);
        self.queries.insert(place, query);
    }

    /// Drops the waiting queries that are wanted no longer.
    pub fn drop_queries(&mut self, unwanted: impl Fn(QueryTag) -> bool) {
        self.queries.retain(|query| !unwanted(query.tag));
    }

    /// Takes the next query that may be sent while so many requests for data are under way.
    pub fn take_query(&mut self, in_flight: usize) -> Option<Query> {
        let next = self.queries.first()?;
        let room = match (next.priority, self.extension) {
            (_, Extension::Unknown) => return None,
            (_, Extension::Missing) | (Priority::Background, Extension::Known) => 1,
            (Priority::Now | Priority::Soon, Extension::Known) => MAX_IN_FLIGHT,
        };
        (in_flight < room).then(|| self.queries.remove(0))
    }
}
