//! Requests going out, replies coming in, and when to ask again.

use std::sync::Arc;
use std::time::Duration;

use shared::client::LinkEvent;
use shared::response::Status;
use shared::{Glob, Request};

use crate::app::App;
use crate::app::action::Action;
use crate::app::link::{Pending, Purpose};
use crate::app::log::Tone;
use crate::app::log::recorder::explained;
use crate::app::mode::Mode;
use crate::app::views::ViewAction;
use crate::app::watch::{self, Ask, Extension};
use crate::effect::{Effect, Outgoing};
use crate::event::Moment;
use crate::keymap;
use crate::metrics::reply::Reply;
use crate::metrics::sort::AT_ONCE;
use crate::request::plausible::{self, NO_GLOBS};
use crate::request::selector::{is_extended, selector_of};
use crate::text::format;
use crate::text::link::link_message;

/// The request for all points of all keys.
pub(crate) const ALL: &str = "get *";

/// When an answer takes so long, a person may wonder what is going on.
const LONG: Duration = Duration::from_secs(1);

/// After a `put`, the table is asked for at once if that took no longer than this.
const CHEAP: Duration = Duration::from_millis(50);

impl App {
    /// Makes the effect that sends a line, and notes that a reply is due.
    pub(crate) fn send(
        &mut self,
        line: String,
        purpose: Purpose,
        filled: bool,
        now: Moment,
    ) -> Effect {
        let watched = Arc::clone(self.watch.patterns());
        let detail = self.recorder.detail(&purpose);
        let id = self.link.sent(&line, purpose, now.elapsed);
        if detail.raw || detail.head > 1 {
            self.log_request(id, &line, filled, now);
        }
        Effect::Send(Outgoing { id, line, detail, watched })
    }

    /// Makes the table show the answer to another request.
    pub(crate) fn ask_for(&mut self, request: &str, now: Moment) {
        request.clone_into(&mut self.wanted);
        self.refresh_at = now.elapsed;
        self.refresh_once = true;
    }

    /// Asks for the table now, unless the last answer is still to come.
    pub(crate) fn refresh(&mut self, now: Moment) -> Vec<Effect> {
        if !self.link.is_connected() {
            self.say(Tone::Bad, "not refreshed: no connection");
            return Vec::new();
        }
        self.refresh_once = true;
        self.watch.want();
        self.poll(now)
    }

    /// Asks nothing any more but what a person wants, or goes on at once.
    pub(crate) fn toggle_pause(&mut self, now: Moment) {
        self.paused = !self.paused;
        let text = if self.paused {
            "paused: F6 goes on, F5 asks once".to_owned()
        } else {
            self.refresh_at = now.elapsed;
            self.watch.hurry(now.elapsed);
            format!("asking again every {}", format::interval(self.interval))
        };
        self.say(Tone::Plain, text);
    }

    /// Asks for everything that is due.
    pub(crate) fn poll(&mut self, now: Moment) -> Vec<Effect> {
        let mut effects = Vec::new();
        if !self.link.is_connected() {
            return effects;
        }
        // The table may be large, and replies come in order: the watched keys go first.
        if let Some(at) = self.next_watch()
            && at <= now.elapsed
            && let Ask::For(selectors) = self.watch_plan()
        {
            self.watch.asked(selectors.len(), now.elapsed + self.interval);
            for selector in selectors {
                let line = format!("get {selector}");
                effects.push(self.send(line, Purpose::Watch(selector), false, now));
            }
        }
        effects.extend(self.probe(now));
        if self.refresh_due() && self.refresh_at <= now.elapsed {
            if self.watch_plan() == Ask::WithTable {
                self.watch.comes_otherwise(now.elapsed + self.interval);
            }
            self.refresh_at = now.elapsed + self.interval;
            self.refresh_once = false;
            let request = self.wanted.clone();
            effects.push(self.send(request, Purpose::Refresh, false, now));
        }
        effects
    }

    /// The table is to be asked for: while it is in sight, or a large log in its place, and once for the keys to complete.
    fn table_asks(&self) -> bool {
        let in_sight = self.layout().table.is_some() || self.log.is_enlarged();
        let of_use = in_sight || self.wanted == ALL && self.all_took.is_none();
        self.refresh_once || !self.paused && of_use
    }

    fn refresh_due(&self) -> bool {
        let mut pending = self.link.pending().iter();
        self.table_asks() && !pending.any(|p| p.purpose == Purpose::Refresh)
    }

    /// When something is to be asked for.
    pub(crate) fn next_poll(&self) -> Option<Duration> {
        if !self.link.is_connected() {
            return None;
        }
        let refresh = self.refresh_due().then_some(self.refresh_at);
        refresh.into_iter().chain(self.next_watch()).min()
    }

    /// When the watched keys are to be asked for, unless the table does it.
    fn next_watch(&self) -> Option<Duration> {
        let due = self.watch.next_due().filter(|_| !self.paused || self.watch.is_wanted())?;
        (self.watch_plan() != Ask::WithTable).then_some(due)
    }

    fn watch_plan(&self) -> Ask {
        let all = self.table_asks() && self.wanted == ALL;
        let cheap = self.all_took.is_some_and(|took| took < CHEAP);
        watch::plan(self.watch.patterns(), self.extension, all, cheap)
    }

    /// Asks the server, once, whether it knows the selector extension: by something that it would
    /// have to find. Only where that would save requests, or a typed line needs the extension.
    pub(crate) fn probe(&mut self, now: Moment) -> Option<Effect> {
        if self.extension != Extension::Unknown || !self.link.is_connected() {
            return None;
        }
        let several = self.watch.patterns().len() > 1
            || self.watch.patterns().iter().any(|pattern| !pattern.is_key());
        if !several && !plausible::asks_for_extension(self.prompt.text()) {
            return None;
        }
        let watched = self.watch.keys().iter().find(|key| key.series.is_some());
        let shown = || self.table.answer().series.first().map(|series| series.key.to_string());
        let key = watched.map(|watched| watched.key.clone()).or_else(shown)?;
        self.extension = Extension::Asked;
        let line = format!("get {key}[last]");
        Some(self.send(line, Purpose::Probe(key), false, now))
    }

    pub(crate) fn on_reply(&mut self, reply: Reply, now: Moment) {
        let event = self.link.answered(reply.first);
        self.tell_connected(event, now);
        let Some(pending) = self.link.take(reply.id) else {
            return;
        };
        self.keys.learn(&reply.answer.series);
        // A server that takes long is asked less often.
        let rest = self.rest_after(&pending.purpose, reply.took);
        let not_before = now.elapsed + rest;
        self.poll_cost.count(reply.bytes + pending.line.len() as u64 + 1, now.elapsed);
        if matches!(pending.purpose, Purpose::Refresh | Purpose::Watch(_)) {
            let period = reply.took + rest;
            self.stretched = Some(period).filter(|&period| period > self.interval);
        }
        if pending.line == ALL {
            self.warn_of_long_answers(reply.took, now);
            self.all_took = Some(reply.took);
        }
        self.log_reply(&pending, &reply, now);
        match &pending.purpose {
            Purpose::Typed(entered) => {
                self.prompt.answered(entered, reply.status);
                let refused = (reply.status == Status::Error).then(|| explained(&pending, &reply));
                self.on_typed(&pending, reply, now);
                self.on_few(pending.id, refused);
            }
            Purpose::Refresh => {
                self.refresh_at = self.refresh_at.max(not_before);
                if pending.line == ALL {
                    self.look_at_watched("*", &reply, now);
                }
                if pending.line == self.wanted {
                    self.show_answer(&pending.line, reply);
                } else {
                    self.let_go(reply);
                }
            }
            Purpose::Watch(selector) => {
                self.watch.done(not_before);
                self.look_at_watched(selector, &reply, now);
                self.let_go(reply);
            }
            Purpose::Probe(key) => {
                let found = matches!(&reply.answer.series[..], [one] if one.key.as_str() == key);
                self.extension = if found { Extension::Known } else { Extension::Missing };
            }
        }
    }

    /// A large answer takes long to be freed, so that is done elsewhere.
    fn let_go(&mut self, reply: Reply) {
        let answer = Arc::new(reply.answer);
        let is_large = answer.series.len() > AT_ONCE;
        self.wishes.extend(is_large.then_some(Effect::Discard(answer)));
    }

    /// How long to leave the server alone. Replies come in order, so that while keys are watched a
    /// long answer with all the others is in their way, and is asked for less often.
    fn rest_after(&self, purpose: &Purpose, took: Duration) -> Duration {
        let patterns = self.watch.patterns();
        let keys_only = !patterns.is_empty() && patterns.iter().all(Glob::is_key);
        if *purpose == Purpose::Refresh && keys_only { took * 4 } else { took }
    }

    /// Says once what one can do about them.
    fn warn_of_long_answers(&mut self, took: Duration, now: Moment) {
        if took >= LONG && self.all_took.is_none_or(|before| before < LONG) {
            let text = format!(
                "{ALL} takes {}: p stops asking, get KEY asks for less",
                format::took(took)
            );
            self.note(now, Tone::Quiet, &text);
        }
    }

    /// Takes what a reply says of the watched keys; rings when an alert fires.
    fn look_at_watched(&mut self, selector: &str, reply: &Reply, now: Moment) {
        let (Ok(selector), Status::Ok) = (selector.parse(), reply.status) else {
            return;
        };
        self.watch.take(&selector, &reply.answer, now.elapsed);
        self.judge_watched(now);
    }

    fn on_typed(&mut self, pending: &Pending, reply: Reply, now: Moment) {
        if reply.status == Status::Error {
            return self.say(Tone::Bad, explained(pending, &reply));
        }
        if let Some(selector) = selector_of(pending.line.as_bytes()) {
            if reply.answer.series.is_empty() {
                self.say(Tone::Plain, self.why_nothing(selector));
            }
            self.wanted.clone_from(&pending.line);
            self.show_answer(&pending.line, reply);
        } else if let Ok(Request::Put(key, point)) = Request::decode(pending.line.as_bytes()) {
            self.say(Tone::Good, format!("stored {key} {point}"));
            if reply.took < CHEAP {
                self.refresh_at = now.elapsed;
            }
        }
    }

    /// What it means that there are no points.
    fn why_nothing(&self, selector: &str) -> String {
        let none = format!("no points for {selector}");
        match self.extension {
            _ if !is_extended(selector) => none,
            Extension::Missing => {
                let watch = Action::View(ViewAction::AddWatch);
                let [watch, all] =
                    [watch, Action::AllKeys].map(|action| keymap::key_of(Mode::Table, action));
                format!("{NO_GLOBS}; in the table {watch} watches {selector}, {all} shows all keys")
            }
            Extension::Unknown | Extension::Asked => format!("{none}, or {NO_GLOBS}"),
            Extension::Known => none,
        }
    }

    /// What the table was asked for, unless that is all keys.
    pub fn narrowed(&self) -> Option<&str> {
        selector_of(self.table.request().as_bytes()).filter(|selector| *selector != "*")
    }

    fn show_answer(&mut self, request: &str, reply: Reply) {
        if reply.status == Status::Ok {
            let rows = self.layout().table_rows();
            let job = self.table.show(request, reply.answer, rows, self.now.unix());
            self.wishes.extend(job.map(Effect::Arrange));
        }
    }

    pub(crate) fn on_connected(&mut self, now: Moment) -> Vec<Effect> {
        let event = self.link.connected();
        self.tell_connected(event, now);
        self.refresh_at = now.elapsed;
        self.extension = Extension::Unknown;
        (self.all_took, self.stretched) = (None, None);
        self.watch.reset();
        self.poll(now)
    }

    fn tell_connected(&mut self, event: Option<LinkEvent>, now: Moment) {
        let again = event == Some(LinkEvent::Reconnected);
        if event.is_some() {
            let what = if again { "connected again to" } else { "connected to" };
            self.note(now, Tone::Good, &format!("{what} {}", self.address));
        }
        if again {
            self.say(Tone::Good, "connected again");
        }
    }

    pub(crate) fn on_disconnected(&mut self, reason: &str, now: Moment) {
        let (unanswered, event) = self.link.disconnected(reason.to_owned(), now.elapsed);
        self.recorder.restart();
        self.few = None;
        if let Some(event) = event {
            let text = link_message(event, reason);
            self.note(now, Tone::Bad, &text);
            if event == LinkEvent::Unsteady {
                // Not what was said of the connection a moment ago.
                self.say(Tone::Bad, text);
            }
        }
        for pending in unanswered {
            if let Purpose::Typed(_) = pending.purpose {
                let text = format!("no reply to: {}", pending.line);
                self.note(now, Tone::Bad, &text);
                self.say(Tone::Bad, text);
            }
        }
        self.watch.reset();
    }

    pub(crate) fn on_not_sent(&mut self, id: u64, now: Moment) {
        if let Some(pending) = self.link.take(id) {
            let text = format!("not sent, too much is waiting: {}", pending.line);
            if !matches!(pending.purpose, Purpose::Probe(_)) {
                self.note(now, Tone::Bad, &text);
            }
            match pending.purpose {
                Purpose::Typed(_) => self.say(Tone::Bad, text),
                Purpose::Refresh => {}
                Purpose::Watch(_) => self.watch.done(now.elapsed + self.interval),
                Purpose::Probe(_) => self.extension = Extension::Missing,
            }
        }
    }
}
