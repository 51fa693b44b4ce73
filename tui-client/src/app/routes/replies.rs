//! Replies: each goes to the part that has asked.

use shared::request::BadRequestReason;
use shared::response::{LOST_POINTS, Status, WRONG_COMMAND};
use shared::{Glob, Key, Request};

use crate::app::App;
use crate::app::answer::TypedAnswer;
use crate::app::input::prompt::paste::Refusal;
use crate::app::server::halves::{HalvedAnswer, is_of_keys};
use crate::app::server::polling::{ALL, CHEAP, Polling};
use crate::metrics::reply::{PointLists, Reply};
use crate::metrics::series::Series;
use crate::metrics::series::summary::Answer;
use crate::request::civil;
use crate::request::deletion::{Selected, selector_to_delete};
use crate::request::explain;
use crate::request::pending::{Pending, Purpose, QueryTag};
use crate::request::selector::{is_follow, selector_of};
use crate::sources::SourceState;
use crate::text::escape::{escape_untrusted, named};
use crate::text::nearest::nearest;
use crate::text::{number, time};
use crate::wire_log::entry::Tone;

impl App {
    /// Hands the answer to a query to the part that has asked; `None` if it was refused or lost.
    pub(in crate::app) fn on_points(&mut self, tag: QueryTag, points: Option<PointLists>) {
        match tag {
            QueryTag::Chart(number) => {
                let points = points.map(|points| points.to_series());
                self.watch.on_points(number, points, self.cx.now());
            }
            QueryTag::Watch(query) => {
                let numbers = points.map(|points| points.to_series());
                self.watch.on_numbers(query, numbers.as_deref(), self.cx.now().elapsed);
                self.evaluate_alerts();
            }
            QueryTag::Alerted(query) => {
                if self.watch.on_totals(query, points.as_ref(), self.cx.now().elapsed) {
                    self.evaluate_alerts();
                }
            }
            QueryTag::Judged(query) => self.place.take_judged(query, points),
            QueryTag::Deletion(query) => {
                self.input.prompt.on_count(query, points.as_ref(), &mut self.cx);
            }
            QueryTag::Marks => {
                if let Some(points) = points {
                    self.marks.take(&points);
                }
                self.compare_with_words();
            }
            QueryTag::Session(query) => self.on_session_points(query, points.as_ref()),
            QueryTag::Half(group) => match points {
                Some(points) => {
                    let whole = self.halves.take(group, &points);
                    self.on_halved(whole);
                }
                None => {
                    if let Some(tag) = self.halves.fail(group) {
                        self.on_points(tag, None);
                    }
                }
            },
            QueryTag::Rows(query) => {
                let now = self.cx.now();
                let now = (now.elapsed, now.unix());
                let table = match self.place.table_of_query(query) {
                    Some(past) => past,
                    None => &mut self.table,
                };
                for query in table.on_points(query, points, now) {
                    self.feed.ask(query);
                }
            }
        }
    }

    /// Asks again for what was refused because the disk has lost points of some key: in halves, so that
    /// the others are answered. Answers whether nothing else is to be done about it.
    fn ask_in_halves(&mut self, tag: QueryTag, line: &str, reply: &Reply) -> bool {
        let whole = match tag {
            QueryTag::Half(group) => self.halves.asked(group),
            tag => Some(tag),
        };
        let is_of_rows = matches!(whole, Some(QueryTag::Rows(_) | QueryTag::Watch(_)));
        if !is_of_rows || !is_of_keys(line) || !reply.reason().starts_with(LOST_POINTS) {
            return false;
        }
        let queries = self.halves.split(tag, line);
        if queries.is_empty() {
            self.halves.note_reason(line, reply.reason());
            if self.halves.is_news(reply.reason()) {
                let reason = escape_untrusted(reply.reason().as_bytes());
                self.cx.say(Tone::Bad, format!("{reason}: shown without them"));
            }
            let whole = self.halves.lose(tag, line);
            self.on_halved(whole);
        }
        for query in queries {
            self.feed.ask(query);
        }
        true
    }

    /// Why numbers of a row are refused; `None` when they are not.
    pub fn why_refused(&self, series: &Series) -> Option<String> {
        let is_refused = series.has_lost_points();
        let reason = is_refused.then(|| self.halves.reason(series.key.as_str()));
        let reason = reason?.unwrap_or("the server has lost points of it");
        Some(escape_untrusted(reason.as_bytes()).into())
    }

    /// Hands on the answer to a query that was asked in halves, once it is whole but for lost keys.
    fn on_halved(&mut self, whole: Option<(QueryTag, HalvedAnswer)>) {
        let Some((tag, HalvedAnswer { points, lost })) = whole else { return };
        match tag {
            QueryTag::Watch(query) => self.watch.cut_numbers(query),
            QueryTag::Rows(query) => {
                let table = match self.place.table_of_query(query) {
                    Some(past) => past,
                    None => &mut self.table,
                };
                table.lose_points(query, lost);
            }
            _ => {}
        }
        self.on_points(tag, Some(points));
    }

    pub(in crate::app) fn on_reply(&mut self, reply: Reply) {
        let now = self.cx.now();
        let Some(pending) = self.link.on_reply(&reply, &mut self.log, &mut self.cx) else { return };
        self.input.prompt.learn(&reply.answer.series);
        let (watch, log) = (&self.watch, &mut self.log);
        let not_before = self.polling.answered(&pending, &reply, watch, log, now);
        self.log.log_reply(&pending, &reply, now);
        let is_held = self.feed.answered(pending.id);
        self.feed.on_data(pending.channel);
        match &pending.purpose {
            Purpose::Typed(entered) => {
                self.input.prompt.answered(entered, reply.status);
                let is_wrong = reply.status == Status::Error && reply.reason() == WRONG_COMMAND;
                let deleted = match reply.status {
                    Status::Error if !is_wrong => None,
                    _ => self.input.prompt.deletion().answered(&pending.line, is_wrong),
                };
                let refused = (reply.status == Status::Error)
                    .then(|| Refusal::new(entered, &pending.line, reply.reason()));
                match &refused {
                    Some(Refusal { text, brief }) => {
                        let help = self.help_for(&pending.line);
                        let (text, brief) = (format!("{text}{help}"), format!("{brief}{help}"));
                        self.cx.say_brief(Tone::Bad, text, brief);
                    }
                    None => self.on_accepted(&pending, reply, deleted),
                }
                self.input.paste.answered(pending.id, refused, &mut self.cx);
            }
            // The reply to a poll from before the follow: what is told since then is newer.
            Purpose::Refresh if self.feed.is_live() => self.table.discard(reply.answer),
            Purpose::Watch(_) if self.feed.is_live() && !is_held => {
                self.table.discard(reply.answer);
            }
            Purpose::Refresh => {
                self.take_watched("*", &reply);
                self.chart_as_saved();
                self.say_unmatched();
                self.show_answer(&pending.line, reply);
            }
            Purpose::Watch(selector) => {
                self.watch.done(not_before);
                self.take_watched(selector, &reply);
                let is_last = self.watch.next_due().is_some();
                if is_held && is_last {
                    self.watch.heard_of_all();
                    self.evaluate_alerts();
                }
                self.say_unmatched();
                if is_last {
                    self.chart_as_saved();
                }
                if is_last && self.feed.has_selectors() == Some(true) {
                    let patterns = self.feed.renewed().unwrap_or(self.watch.patterns()).to_vec();
                    self.watch.renew_totals(&patterns);
                    for query in self.watch.numbers(&patterns, now) {
                        self.feed.ask(query);
                    }
                }
                self.table.discard(reply.answer);
            }
            Purpose::Snapshot(_) if is_held || self.polling.is_paused() => {
                self.show_live(reply);
            }
            Purpose::Renewal(pattern) => {
                if let (Ok(pattern), Status::Ok, true) = (pattern.parse(), reply.status, is_held) {
                    let keys = self.feed.renewed().unwrap_or_default();
                    let is_asked = |key: &&Glob| Glob::matches(&pattern, key.as_str());
                    let keys: Vec<_> = keys.iter().filter(is_asked).cloned().collect();
                    self.table.renew(keys, reply.answer);
                }
            }
            Purpose::AsOf => self.show_as_of(reply),
            Purpose::Base(time) => self.show_comparison(time.clone(), reply),
            Purpose::Snapshot(_) | Purpose::Keys => self.table.discard(reply.answer),
            Purpose::Query(tag) => {
                if reply.points_left_out > 0 {
                    self.report_left_out(*tag, &pending.line, reply.points_left_out);
                    if let QueryTag::Watch(query) = *tag {
                        self.watch.cut_numbers(query);
                    }
                }
                if reply.status == Status::Error && self.ask_in_halves(*tag, &pending.line, &reply)
                {
                    return;
                }
                let is_whole = reply.points_left_out == 0 || !matches!(tag, QueryTag::Deletion(_));
                let is_answer = reply.status == Status::Ok && is_whole;
                let points = is_answer.then_some(reply.points);
                self.on_points(*tag, points);
            }
        }
    }

    /// What helps with a refused line whose first word is no command, nor one that was mistyped: a key
    /// is read with `get`, and the list of keys finds what the screen does.
    fn help_for(&self, line: &str) -> String {
        let bad = explain::validate(line.as_bytes());
        if bad.is_none_or(|bad| bad.reason != BadRequestReason::UnknownCommand) {
            return String::new();
        }
        let word = line.split_whitespace().next().unwrap_or_default();
        if nearest(word, ["put", "get"]).is_some() {
            return String::new();
        }
        match Key::new(line).ok().filter(|&key| self.table.answer().find(key).is_some()) {
            Some(key) => format!("; get {key} reads it"),
            None => "; ? finds what the screen does".to_owned(),
        }
    }

    /// Says that no key matches the glob that was watched, or the alert that was set last.
    pub(in crate::app) fn say_unmatched(&mut self) {
        let Some(glob) = self.unmatched.take_if(|glob| self.watch.has_heard_of(glob)) else {
            return;
        };
        let mut keys = self.watch.keys().iter();
        if keys.any(|key| key.series.is_some() && glob.matches(&key.key)) {
            return;
        }
        let none = if glob.is_key() { "no key is called" } else { "no key matches" };
        let alert = self.alerts.alerts().filter(|alert| *alert.pattern() == glob).last();
        let text = match alert {
            Some(alert) => format!("alert on {alert}; {none} {glob} yet"),
            None => format!("{none} {glob} yet; one that comes is watched, x ends it"),
        };
        self.cx.say(Tone::Plain, text);
    }

    /// Says that a part of the screen does not know all that it has asked for.
    pub(in crate::app) fn report_left_out(&mut self, tag: QueryTag, line: &str, points: u64) {
        let points = number::plural(points, "point", "points");
        let what = match tag {
            QueryTag::Marks => "some marks are not shown",
            QueryTag::Rows(_) => "order and filter are of some keys only",
            QueryTag::Chart(_) => "the chart is of some points only",
            QueryTag::Watch(_) => "numbers are of some watched keys only",
            QueryTag::Alerted(_) | QueryTag::Judged(_) => "alerts are of some keys only",
            QueryTag::Deletion(_) => "what del deletes is not counted",
            QueryTag::Session(_) => "the saved session is of some points only",
            QueryTag::Half(_) => "numbers are of some keys only",
        };
        self.log.report(format!("{what}: {points} left out of {line}"), &mut self.cx);
    }

    /// Takes the reply to a typed request that was accepted; a `del` has deleted so much, if that is
    /// known.
    fn on_accepted(&mut self, pending: &Pending, reply: Reply, deleted: Option<Selected>) {
        if let Some(selector) = selector_to_delete(&pending.line) {
            let count = deleted.map_or(String::new(), |selected| format!("{selected}, "));
            self.cx.say(Tone::Good, format!("deleted {count}{selector}"));
            self.polling.refresh_at(self.cx.now().elapsed);
        } else if is_follow(&pending.line) && !reply.answer.series.is_empty() {
            self.cx.say(Tone::Plain, "the follow has ended");
            self.table.discard(reply.answer);
        } else if let Some(selector) = selector_of(pending.line.as_bytes()) {
            let unsaved = self.unsaved(&pending.line, &reply.answer);
            if reply.answer.series.is_empty() {
                let extension = self.feed.extension();
                let why = self.sources.why_unnamed(selector);
                let why = match why.or_else(|| civil::explain_range(pending.line.as_bytes())) {
                    Some(why) => format!("no points for {}: {why}", named(selector)),
                    None => Polling::why_nothing(extension, selector),
                };
                let why = match &unsaved {
                    Some(unsaved) => format!("{why}; {unsaved}"),
                    None => why,
                };
                self.cx.say(Tone::Plain, why);
            }
            if is_follow(&pending.line) {
                return;
            }
            let answer = TypedAnswer::new(&pending.line, &reply.answer);
            self.typed_answer = answer.map(|answer| answer.partial(unsaved.is_some()));
            self.table.discard(reply.answer);
            self.after_layout_change();
            match (&self.typed_answer, self.layout().answer, unsaved) {
                (Some(answer), None, _) => {
                    self.cx.say(Tone::Good, format!("{}; the log has it", answer.summary()));
                }
                (Some(_), Some(_), Some(unsaved)) => self.cx.say(Tone::Plain, unsaved),
                _ => {}
            }
        } else if let Ok(Request::Put(key, point)) = Request::decode(pending.line.as_bytes()) {
            self.marks.tell(key.as_str(), point.timestamp);
            let said = match self.marks.name_of(key.as_str()) {
                Some(name) => {
                    let (now, zone) = (self.cx.now().unix(), self.cx.zone());
                    let at = time::short_moment(point.timestamp, now, zone);
                    format!("marked {name} at {at}{}", self.not_marked(name))
                }
                None => format!("stored {key} {point}"),
            };
            self.cx.say(Tone::Good, said);
            if reply.took < CHEAP {
                self.polling.refresh_at(self.cx.now().elapsed);
            }
        }
    }

    /// What was saved, in words, where the answer to a request in a replay may lack more.
    fn unsaved(&self, line: &str, answer: &Answer) -> Option<String> {
        let replayed = self.replayed.as_ref()?;
        let Ok(Request::Get(selector)) = Request::decode(line.as_bytes()) else { return None };
        let keys = self.table.answer().series.iter().map(|series| series.key.as_str());
        let unsaved = replayed.unsaved(selector, answer, keys)?;
        Some(unsaved.said(self.cx.now().unix(), self.cx.zone()))
    }

    /// Takes the watched series of a reply.
    pub(in crate::app) fn take_watched(&mut self, selector: &str, reply: &Reply) {
        if let (Ok(selector), Status::Ok) = (selector.parse(), reply.status) {
            self.watch.take(&selector, &reply.answer, self.cx.now().elapsed);
            self.evaluate_alerts();
        }
    }

    pub(in crate::app) fn show_answer(&mut self, request: &str, mut reply: Reply) {
        if reply.status == Status::Ok {
            self.keep_away(&mut reply.answer);
            let rows = self.layout().table_rows();
            let job = self.table.show(request, reply.answer, rows, self.cx.now().unix());
            self.sort(job);
            self.say_cut();
            self.select_row_as_saved();
        }
    }

    /// Takes how the sources of the view stand.
    pub(in crate::app) fn on_sources(&mut self, states: Vec<SourceState>) {
        if self.sources.take(states, &mut self.log, &mut self.cx) {
            self.watch.forget_points();
            self.place.refresh();
            if let Some(base) = self.base.clone().filter(|_| self.table.compared().is_some()) {
                self.ask_base(base);
            }
        }
        self.tell_away();
    }

    /// Tells the parts which keys an answer may lack although they have points.
    pub(in crate::app) fn tell_away(&mut self) {
        let away = self.sources.kept();
        self.table.set_away(away.clone());
        self.watch.set_away(away, self.sources.absent());
    }

    /// Adds to the state of all keys the last one of those whose source is away.
    fn keep_away(&self, answer: &mut Answer) {
        let away = self.sources.kept();
        if away.is_empty() || self.table.is_partial() {
            return;
        }
        for series in &self.table.answer().series {
            if away.has(series.key.as_str()) && answer.find(series.key.as_key()).is_none() {
                answer.push(series.clone());
            }
        }
    }

    /// Shows the state of all keys.
    pub(in crate::app) fn show_live(&mut self, mut reply: Reply) {
        if reply.status == Status::Ok {
            self.keep_away(&mut reply.answer);
            let (rows, now) = (self.layout().table_rows(), self.cx.now());
            let job = self.table.show_live(ALL, reply.answer, rows, now.unix());
            self.sort(job);
            self.say_cut();
            self.select_row_as_saved();
        } else {
            self.table.drop_first();
            self.table.discard(reply.answer);
        }
    }

    /// Shows the first rows of a table whose state is still arriving.
    pub(in crate::app) fn show_first(&mut self, id: u64, answer: Answer) {
        let mut pending = self.link.pending().iter();
        let is_state = pending.any(|it| it.id == id && matches!(it.purpose, Purpose::Snapshot(_)));
        if is_state && (self.feed.awaits(id) || self.polling.is_paused()) {
            self.input.prompt.learn(&answer.series);
            self.table.show_first(ALL, answer, self.layout().table_rows());
        }
    }

    pub(in crate::app) fn on_not_sent(&mut self, id: u64) {
        if self.feed.answered(id) {
            self.lose_follow("too much is waiting");
        }
        match self.link.on_not_sent(id, &mut self.log, &mut self.cx) {
            Some(Purpose::Watch(_)) => {
                self.watch.done(self.cx.now().elapsed + self.polling.interval());
            }
            Some(Purpose::Query(tag)) => self.on_points(tag, None),
            Some(Purpose::AsOf) => self.place.fail(),
            Some(Purpose::Base(_)) => {
                self.cx.say(Tone::Bad, "not compared: too much is waiting");
            }
            Some(
                Purpose::Typed(_)
                | Purpose::Refresh
                | Purpose::Snapshot(_)
                | Purpose::Keys
                | Purpose::Renewal(_),
            )
            | None => {}
        }
    }
}
