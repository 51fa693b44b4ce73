//! The schedule of polls: of the table and of the watched keys. Where the server has selectors the
//! screen is live: it is told every put.

pub mod poll_cost;

use std::time::Duration;

use shared::Glob;

use crate::app::context::Context;
use crate::app::log::Log;
use crate::app::server::feed::Feed;
use crate::app::server::link::Link;
use crate::app::watch::Watch;
use crate::event::Moment;
use crate::keymap::{self, Action, Mode};
use crate::metrics::reply::Reply;
use crate::metrics::watch_plan::{self, Ask, Extension};
use crate::request::pending::{Due, Pending, Purpose};
use crate::request::plausible::NO_GLOBS;
use crate::request::selector::needs_extension;
use crate::text::escape::named;
use crate::text::time;
use crate::wire_log::entry::Tone;
use poll_cost::{PollCost, Rates};

/// The request for all points of all keys.
pub const ALL: &str = "get *";

/// Duration from which on an answer with all keys is noted in the log.
const LONG: Duration = Duration::from_secs(1);

/// Duration up to which an answer is cheap enough for extra polls, such as after a `put`.
pub const CHEAP: Duration = Duration::from_millis(50);

/// The poll intervals to choose from, in milliseconds.
const INTERVALS: [u64; 13] =
    [100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 300_000, 900_000, 3_600_000];

/// The state of polling.
#[derive(Debug, Default)]
pub struct Polling {
    interval: Duration,
    /// When automatic polling was paused, while it is.
    paused_at: Option<Duration>,
    refresh_once: bool,
    refresh_at: Duration,
    /// The duration of the last answer with all keys.
    all_took: Option<Duration>,
    /// The actual interval, if the server needs a longer one than the chosen one.
    stretched: Option<Duration>,
    cost: PollCost,
}

impl Polling {
    /// Polls the table of all keys at this interval.
    pub fn new(interval: Duration) -> Self {
        Self { interval, ..Self::default() }
    }

    /// The time between two polls.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// Automatic polling is paused; only explicit requests are sent.
    pub fn is_paused(&self) -> bool {
        self.paused_at.is_some()
    }

    /// The time by which numbers on the screen grow too old, which stands still while paused.
    pub fn screen_time(&self, now: Duration) -> Duration {
        self.paused_at.unwrap_or(now)
    }

    /// The actual interval, if the server needs a longer one than the chosen one.
    pub fn stretched(&self) -> Option<Duration> {
        self.stretched
    }

    /// The cost over the last seconds, of all connections.
    pub fn cost(&self, now: Duration) -> Option<Rates> {
        self.cost.rates(now)
    }

    /// Sets the time of the next poll of the table.
    pub fn refresh_at(&mut self, at: Duration) {
        self.refresh_at = at;
    }

    /// Polls the table once at this time, even while paused or hidden.
    pub fn refresh_once(&mut self, at: Duration) {
        (self.refresh_once, self.refresh_at) = (true, at);
    }

    /// Polls the table and the watched keys once, now; what is told is asked for anew.
    pub fn refresh(&mut self, link: &Link, feed: &mut Feed, watch: &mut Watch, cx: &mut Context) {
        if link.is_connected() {
            self.refresh_once(cx.now().elapsed);
            watch.want();
            feed.renew_at(cx.now().elapsed);
        } else {
            cx.say(Tone::Bad, "not refreshed: no connection");
        }
    }

    /// Pauses or resumes automatic polling; says which key resumes, and which refreshes meanwhile.
    pub fn toggle_pause(
        &mut self,
        (resume, refresh): (&str, &str),
        feed: &Feed,
        watch: &mut Watch,
        cx: &mut Context,
    ) {
        self.paused_at = if self.is_paused() { None } else { Some(cx.now().elapsed) };
        let text = if self.is_paused() {
            let is_told = feed.has_selectors() == Some(true);
            let once = if is_told { "asks once" } else { "polls once" };
            format!("paused, {resume} resumes, {refresh} {once}")
        } else {
            self.refresh_at = cx.now().elapsed;
            watch.hurry(self.refresh_at);
            self.pace(feed)
        };
        cx.say(Tone::Plain, text);
    }

    /// How the screen is kept up to date, in words.
    fn pace(&self, feed: &Feed) -> String {
        let every = time::interval(self.interval);
        match feed.has_selectors() {
            Some(true) => "live: every put is shown as it is stored".to_owned(),
            Some(false) | None => format!("polling every {every}"),
        }
    }

    /// Chooses the next longer or shorter interval.
    pub fn change_interval(&mut self, step: i8, feed: &Feed, watch: &mut Watch, cx: &mut Context) {
        if feed.has_selectors() == Some(true) {
            let pace = self.pace(feed);
            return cx.say(Tone::Plain, format!("{pace}; there is no interval"));
        }
        let current = u64::try_from(self.interval.as_millis()).unwrap_or(u64::MAX);
        let mut steps = INTERVALS.into_iter();
        let next = if step > 0 {
            steps.find(|&millis| millis > current)
        } else {
            steps.rev().find(|&millis| millis < current)
        };
        let Some(next) = next else {
            return cx.say(Tone::Plain, "there is no interval beyond");
        };
        self.interval = Duration::from_millis(next);
        let soon = cx.now().elapsed + self.interval;
        self.refresh_at = self.refresh_at.min(soon);
        watch.hurry(soon);
        self.stretched = self.stretched.filter(|&period| period > self.interval);
        let pace = self.pace(feed);
        cx.say(Tone::Plain, pace);
    }

    /// Takes the wish to ask once for the table although polling is paused.
    pub fn take_refresh_once(&mut self) -> bool {
        std::mem::take(&mut self.refresh_once)
    }

    /// Records answered requests and bytes besides those of whole replies: of a part of one, of a
    /// follow, of an import.
    pub fn count_moved(&mut self, requests: u64, bytes: u64, now: Duration) {
        self.cost.count(requests, bytes, now);
    }

    /// Resets the schedule for a new connection: the next poll is due now.
    pub fn restart(&mut self, now: Duration) {
        self.refresh_at = now;
        (self.all_took, self.stretched) = (None, None);
    }

    /// Takes the polls that are due. `in_sight`: the table, or the log in its place, is visible.
    pub fn take_due(
        &mut self,
        in_sight: bool,
        watch: &mut Watch,
        (link, feed): (&Link, &Feed),
        now: Duration,
    ) -> Vec<Due> {
        let mut due = Vec::new();
        if !Self::may_poll(link, feed) {
            return due;
        }
        let next = now + self.interval;
        // Replies come in order and the table may be large, so the watched keys are first.
        if self.next_watch(in_sight, watch, feed).is_some_and(|at| at <= now)
            && let Ask::For(selectors) = self.plan(in_sight, watch)
        {
            watch.asked(selectors.len(), next);
            let request = |selector| (format!("get {selector}"), Purpose::Watch(selector));
            due.extend(selectors.into_iter().map(request));
        }
        if self.refresh_is_due(in_sight, link, feed) && self.refresh_at <= now {
            if feed.has_selectors() == Some(false) && self.plan(in_sight, watch) == Ask::WithTable {
                watch.comes_otherwise(next);
            }
            (self.refresh_at, self.refresh_once) = (next, false);
            due.push((ALL.to_owned(), Purpose::Refresh));
        }
        due
    }

    /// When the next poll is due.
    pub fn next(
        &self,
        in_sight: bool,
        watch: &Watch,
        (link, feed): (&Link, &Feed),
    ) -> Option<Duration> {
        if !Self::may_poll(link, feed) {
            return None;
        }
        let refresh = self.refresh_is_due(in_sight, link, feed).then_some(self.refresh_at);
        refresh.into_iter().chain(self.next_watch(in_sight, watch, feed)).min()
    }

    /// It is known how to ask, and a poll would not end a typed follow.
    fn may_poll(link: &Link, feed: &Feed) -> bool {
        let ends_follow = feed.is_shared() && link.is_following();
        link.is_connected() && feed.has_selectors().is_some() && !ends_follow
    }

    /// The table is polled: while it is visible, and once to learn keys for completion.
    fn polls_table(&self, in_sight: bool) -> bool {
        let of_use = in_sight || self.all_took.is_none();
        self.refresh_once || !self.is_paused() && of_use
    }

    fn refresh_is_due(&self, in_sight: bool, link: &Link, feed: &Feed) -> bool {
        let mut pending = link.pending().iter();
        let is_told = feed.has_selectors() == Some(true);
        !is_told && self.polls_table(in_sight) && !pending.any(|p| p.purpose == Purpose::Refresh)
    }

    /// When the watched keys are polled next, unless the poll of the table includes them.
    fn next_watch(&self, in_sight: bool, watch: &Watch, feed: &Feed) -> Option<Duration> {
        if feed.has_selectors() == Some(true) {
            return None;
        }
        let due = watch.next_due().filter(|_| !self.is_paused() || watch.is_wanted())?;
        (self.plan(in_sight, watch) != Ask::WithTable).then_some(due)
    }

    fn plan(&self, in_sight: bool, watch: &Watch) -> Ask {
        let all = self.polls_table(in_sight);
        let cheap = self.all_took.is_some_and(|took| took < CHEAP);
        watch_plan::plan(watch.patterns(), Extension::Missing, all, cheap)
    }

    /// The explanation of an answer without points.
    pub fn why_nothing(extension: Extension, selector: &str) -> String {
        let none = format!("no points for {}", named(selector));
        match extension {
            _ if !needs_extension(selector) => none,
            Extension::Missing => {
                let watch = keymap::key_of(Mode::Table, Action::AddWatch);
                format!("{NO_GLOBS}; in the table {watch} watches {selector}, / filters")
            }
            Extension::Unknown => format!("{none}, or {NO_GLOBS}"),
            Extension::Known => none,
        }
    }

    /// Records the cost of a reply; returns the earliest time of the next poll, which is later for
    /// a slow server.
    pub fn answered(
        &mut self,
        pending: &Pending,
        reply: &Reply,
        watch: &Watch,
        log: &mut Log,
        now: Moment,
    ) -> Duration {
        // Replies come in order, so a long answer with all keys delays those of the watched ones:
        // the table is polled less often then.
        let patterns = watch.patterns();
        let keys_only = !patterns.is_empty() && patterns.iter().all(Glob::is_key);
        let delays_watch = pending.purpose == Purpose::Refresh && keys_only;
        let rest = if delays_watch { reply.took * 4 } else { reply.took };
        let bytes = reply.bytes.saturating_sub(pending.bytes) + pending.line.len() as u64 + 1;
        self.cost.count(1, bytes, now.elapsed);
        if matches!(pending.purpose, Purpose::Refresh | Purpose::Watch(_)) {
            let period = reply.took + rest;
            self.stretched = Some(period).filter(|&period| period > self.interval);
        }
        if pending.line == ALL {
            if reply.took >= LONG && self.all_took.is_none_or(|before| before < LONG) {
                let took = time::duration(reply.took);
                let pause = keymap::key_of(Mode::Table, Action::TogglePause);
                let text =
                    format!("{ALL} takes {took}: {pause} pauses polling, get KEY asks for less");
                log.note(now, Tone::Quiet, &text);
            }
            self.all_took = Some(reply.took);
        }
        let not_before = now.elapsed + rest;
        if pending.purpose == Purpose::Refresh {
            self.refresh_at = self.refresh_at.max(not_before);
        }
        not_before
    }
}
