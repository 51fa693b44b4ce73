//! Steering of the feed: which keys are followed, and which requests for data are sent when.

use std::time::Duration;

use shared::{Glob, Key, KeyBuf};

use crate::app::App;
use crate::app::line_input::{InputPurpose, LineInput};
use crate::app::watch::Watch;
use crate::metrics::watch_plan::{Extension, covering_pattern, merged};
use crate::request::pending::{Due, Priority, Purpose, Query, QueryTag};

/// The request for the newest point of each key.
const SNAPSHOT: &str = "get *[last]";

/// All keys are followed for so long after the table was in sight.
const TABLE_KEPT: Duration = Duration::from_secs(60);

impl App {
    /// Sends the requests that are due.
    pub(in crate::app) fn poll(&mut self) {
        let now = self.cx.now().elapsed;
        let in_sight = self.shows_table();
        if in_sight {
            self.table_seen = Some(now);
        }
        if self.link.is_connected() {
            self.steer_feed();
        }
        let ways = (&self.link, &self.feed);
        let due = self.polling.take_due(in_sight, &mut self.watch, ways, now);
        // An answer that is still under way may lack the keys of a source that has come back since.
        if !due.is_empty() && !self.link.is_polling() {
            self.sources.renew();
            self.tell_away();
        }
        for due in due {
            self.send(due);
        }
        self.ask_chart();
        self.ask_numbers();
        // Rows, columns and window may have changed since they were asked for.
        let (table, past, watch) = (&self.table, self.place.table(), &self.watch);
        let judged = self.place.judged();
        let unwanted_whole = |tag| match tag {
            QueryTag::Rows(query) => {
                !table.awaits(query) && !past.is_some_and(|past| past.awaits(query))
            }
            QueryTag::Watch(query) => !watch.awaits(query),
            QueryTag::Alerted(query) => !watch.awaits_totals(query),
            QueryTag::Judged(query) => !judged.awaits(query),
            QueryTag::Marks
            | QueryTag::Chart(_)
            | QueryTag::Deletion(_)
            | QueryTag::Session(_)
            | QueryTag::Half(_) => false,
        };
        self.halves.drop_unwanted(unwanted_whole);
        let halves = &self.halves;
        self.feed.drop_queries(|tag| match tag {
            QueryTag::Half(group) => halves.asked(group).is_none(),
            tag => unwanted_whole(tag),
        });
        while self.link.is_connected()
            && let Some(query) = self.feed.take_query(self.link.data_in_flight())
        {
            self.send((format!("get {}", query.selector), Purpose::Query(query.tag)));
        }
        // It takes the longest: what the chart lacks does not wait for it.
        self.ask_as_of();
    }

    /// The chart may ask: what is put since then is told, or is not to be shown.
    pub(in crate::app) fn chart_may_ask(&self) -> bool {
        self.link.is_connected() && (self.feed.is_live() || self.polling.is_paused())
    }

    /// Asks for what the chart needs.
    pub(in crate::app) fn ask_chart(&mut self) {
        // After a lost connection, what is known stays until the server has shown what it can.
        if let Some(has_selectors) = self.feed.has_selectors() {
            self.watch.set_chart_asks(has_selectors);
        }
        self.watch.settle_opening();
        if self.chart_may_ask() {
            if self.layout().watch.is_some() {
                self.ask_marks();
            }
            let (window, now) = (self.table.window(), self.cx.now());
            let aged = self.polling.screen_time(now.elapsed);
            for query in self.watch.ask(&self.layout(), window, (now, aged)) {
                self.feed.ask(query);
            }
            for query in self.watch.ask_totals(&self.alerts, self.cx.now()) {
                self.feed.ask(query);
            }
        }
    }

    /// Asks for what the rows in sight lack.
    pub(in crate::app) fn ask_numbers(&mut self) {
        let Some((rows, room)) = self.live_rows() else { return };
        let aged = self.polling.screen_time(self.cx.now().elapsed);
        let time = self.table_time();
        let listed = self.listed_then();
        let table = self.place.table_or(&mut self.table);
        for query in table.ask_numbers(rows, room, &listed, (aged, time)) {
            self.feed.ask(query);
        }
        if self.link.is_connected() {
            for query in self.place.ask_judged(&self.alerts) {
                self.feed.ask(query);
            }
        }
    }

    /// The watched keys in sight, where their list is of a place in time.
    fn listed_then(&self) -> Vec<KeyBuf> {
        let layout = self.layout();
        if self.place.table().is_none() || layout.watch.is_none() {
            return Vec::new();
        }
        let keys = self.watch.keys();
        let visible = layout.watch_rows(keys.len());
        let shown = keys.iter().skip(self.watch.first_visible(visible)).take(visible);
        shown.filter_map(|watched| Some(Key::new(&watched.key).ok()?.to_owned())).collect()
    }

    /// The rows and the cells of a row of the table, if it is in sight and its numbers can be asked for.
    pub(in crate::app) fn live_rows(&self) -> Option<(usize, usize)> {
        let layout = self.layout();
        // What the rows lack is asked for once while paused, and of how things stood.
        let asks_once = self.polling.is_paused() || self.place.table().is_some();
        let is_live = self.feed.is_live() && self.feed.follows_all();
        let may_ask = asks_once && self.link.is_connected() || is_live;
        if layout.table.is_none() && self.place.table().is_some() && may_ask {
            // The list of watched keys is of the place in time, too.
            return Some((0, 0));
        }
        layout.table.filter(|_| may_ask)?;
        Some((layout.table_rows(), layout.table_room()))
    }

    /// The table, or the log in its place, is visible.
    pub(in crate::app) fn shows_table(&self) -> bool {
        self.panes.shows_table(!self.watch.is_empty())
    }

    /// Follows the keys on the screen, and those of alerts.
    pub(in crate::app) fn steer_feed(&mut self) {
        let wanted = self.wanted_keys();
        self.has_keys |= self.feed.follows_all();
        let completes =
            || matches!(self.input.line().map(LineInput::purpose), Some(InputPurpose::Watch));
        if !self.has_keys && (completes() || !self.input.prompt.text().is_empty()) {
            (self.has_keys, self.wants_keys) = (true, true);
        }
        let link = &mut self.link;
        self.feed.steer(wanted.as_deref(), || link.next_id(), &mut self.cx);
        if let Some(follow) = self.feed.live_follow()
            && self.watch.is_wanted()
            && self.watch.next_due().is_some()
        {
            self.ask_history(Some(follow));
        }
        if let Some(keys) = self.feed.take_taken_back(self.cx.now().elapsed) {
            self.ask_for_taken_back(&keys);
        }
        // Where nothing is followed, the state is asked for once.
        let knows = self.feed.has_selectors() == Some(true);
        if knows && self.wants_keys {
            self.wants_keys = false;
            self.send((SNAPSHOT.to_owned(), Purpose::Keys));
        }
        if knows && self.polling.take_refresh_once() | self.watch.is_wanted() {
            // Where something is followed, it is begun anew.
            if self.polling.is_paused() {
                self.watch.refresh_chart();
                self.ask_state(None);
            }
        }
    }

    /// The pattern of the keys that are to be followed.
    pub(in crate::app) fn wanted_keys(&self) -> Option<String> {
        // What the server can do is found out while paused too: typed requests need it.
        if self.polling.is_paused() && self.feed.extension() != Extension::Unknown {
            return None;
        }
        let now = self.cx.now().elapsed;
        let is_recent = |seen: Duration| now < seen + TABLE_KEPT;
        let shows_all = self.table_seen.is_some_and(is_recent);
        if shows_all || self.watch.is_empty() {
            return Some("*".to_owned());
        }
        let watched = covering_pattern(self.watch.patterns());
        if watched == "*" {
            return Some(watched);
        }
        let marks = self.marks.pattern().parse().ok();
        let patterns: Vec<Glob> = self.watch.patterns().iter().cloned().chain(marks).collect();
        let both = covering_pattern(&patterns);
        Some(if both == "*" { watched } else { both })
    }

    /// When the keys that are followed become fewer.
    pub(in crate::app) fn narrows_at(&self) -> Option<Duration> {
        let is_wide = self.feed.follows_all() && !self.watch.is_empty() && !self.shows_table();
        let at = self.table_seen.filter(|_| is_wide)? + TABLE_KEPT;
        Some(at).filter(|&at| at > self.cx.now().elapsed)
    }

    /// Asks for the state of the keys on the screen; lines of the follow are held until it has come.
    pub(in crate::app) fn ask_state(&mut self, follow: Option<u64>) {
        if self.feed.follows_all() || follow.is_none() {
            self.table.let_go(self.layout().table_rows());
            let id = self.send((SNAPSHOT.to_owned(), Purpose::Snapshot(follow.unwrap_or(0))));
            self.hold_for(id, follow);
        }
        self.ask_history(follow);
        self.marks.renew();
    }

    /// Asks for the marks, if they are not known.
    pub(in crate::app) fn ask_marks(&mut self) {
        if self.feed.has_selectors() == Some(true) && self.marks.are_due() {
            let (selector, priority) = (self.marks.selector(), Priority::Background);
            self.feed.ask(Query { selector, tag: QueryTag::Marks, priority });
        }
    }

    /// Asks for the state of keys of which points were taken back.
    fn ask_for_taken_back(&mut self, keys: &[Glob]) {
        let follow = self.feed.live_follow();
        if self.feed.follows_all() {
            for pattern in merged(keys) {
                let line = format!("get {pattern}[last:2]");
                let id = self.send((line, Purpose::Renewal(pattern)));
                self.hold_for(id, follow);
            }
        }
        let watched = keys.iter().filter(|key| self.watch.has(key.as_str()));
        let watched: Vec<Glob> = watched.cloned().collect();
        if !watched.is_empty() {
            self.ask_history_of(&watched, follow);
        }
    }

    /// Asks for the newest points of the watched keys.
    pub(in crate::app) fn ask_history(&mut self, follow: Option<u64>) {
        self.watch.drop_numbers();
        self.feed.ask_for_all();
        let patterns = self.watch.patterns().clone();
        self.ask_history_of(&patterns, follow);
    }

    fn ask_history_of(&mut self, patterns: &[Glob], follow: Option<u64>) {
        let history = Watch::history(patterns);
        self.watch.asked(history.len(), self.cx.now().elapsed);
        for (pattern, selector) in history {
            let id = self.send((format!("get {selector}"), Purpose::Watch(pattern)));
            self.hold_for(id, follow);
        }
    }

    pub(in crate::app) fn hold_for(&mut self, id: u64, follow: Option<u64>) {
        if follow.is_some() {
            self.feed.hold_for(id);
        }
    }

    /// Sends a request for data.
    pub(in crate::app) fn send(&mut self, due: Due) -> u64 {
        let (route, log, cx) = (self.feed.route(), &mut self.log, &mut self.cx);
        self.link.send_over(route, due, false, self.watch.patterns(), log, cx)
    }
}
