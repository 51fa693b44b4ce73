//! The comparison of the table with how things stood at a mark or a time.

use std::sync::Arc;

use shared::response::Status;

use crate::app::App;
use crate::app::line_input::InputPurpose;
use crate::app::table::compared::Compared;
use crate::app::table::filter_dropped;
use crate::app::table::let_go::MAX_KEYS;
use crate::keymap::Action;
use crate::metrics::filter::Filter;
use crate::metrics::marks::{PREFIX, name};
use crate::metrics::reply::Reply;
use crate::request::pending::{NamedTime, Purpose};
use crate::session::Base;
use crate::text::{moment, number, time};
use crate::wire_log::entry::Tone;

/// What is said of a filter by how rows have moved where they are compared with nothing.
const NOT_COMPARED: &str = "nothing is compared: C compares with a mark or a time";

impl App {
    /// Filters the table, or the one at the place in time.
    pub(in crate::app) fn filter_table(&mut self, filter: Option<Filter>) {
        let (rows, time) = (self.layout().table_rows(), self.table_time());
        let table = self.place.table_or(&mut self.table);
        let compares = |filter: &Filter| filter.compares(false);
        if !table.is_compared() && filter.as_ref().is_some_and(compares) {
            self.cx.say(Tone::Plain, NOT_COMPARED);
        }
        if table.filter() != filter.as_ref() {
            let job = table.set_filter(filter, rows, time);
            self.sort(job);
        }
    }

    /// Compares the table with how things stood at a mark or a time; without a text, no longer.
    pub(in crate::app) fn compare_with(&mut self, text: &str) {
        if text.is_empty() {
            let (now, rows) = (self.cx.now().unix(), self.layout().table_rows());
            self.base = None;
            let filter = self.table().filter().cloned();
            let jobs = [self.table.end_comparison(rows, now), self.place.end_comparison(rows)];
            if let Some(filter) = filter.filter(|_| self.table().filter().is_none()) {
                self.cx.say(Tone::Plain, filter_dropped(&filter));
            }
            return jobs.into_iter().for_each(|job| self.sort(job));
        }
        if self.compare_with_run(text) {
            return;
        }
        if let Some(why) = self.refusal(Action::Compare) {
            return self.cx.say(Tone::Plain, why);
        }
        let base = match self.base_of(text) {
            Ok(base) => base,
            Err(why) => {
                // To be corrected.
                self.input.ask(InputPurpose::Compare, text);
                return self.cx.say(Tone::Bad, why);
            }
        };
        if !self.link.is_connected() {
            self.cx.say(Tone::Bad, "not compared: not connected");
        } else if self.table.is_large() {
            let most = number::count(MAX_KEYS as u64);
            self.cx.say(Tone::Plain, format!("not compared: there are more than {most} keys"));
        } else if self.feed.has_selectors() == Some(true) {
            self.ask_base(base);
        } else {
            self.cx.say(Tone::Plain, "not compared: this server can't say how things stood");
        }
    }

    /// Compares the rows of runs with those of the run that a text names; false if it names none.
    pub(in crate::app) fn compare_with_run(&mut self, text: &str) -> bool {
        let runs = self.sources.runs();
        let Some(run) = runs.named(text) else { return false };
        let (rows, now) = (self.layout().table_rows(), self.cx.now().unix());
        self.base = None;
        let past = self.place.compare_with_run(run, rows);
        let live = self.table.compare_with_run(run, rows, now);
        self.sort(past);
        self.sort(live);
        self.sort_as_saved();
        true
    }

    /// The mark or the time that a text names.
    ///
    /// # Errors
    ///
    /// Why there is none, or that it is still to come, as a sentence.
    pub(in crate::app) fn base_of(&self, text: &str) -> Result<Base, String> {
        let now = self.cx.now().unix();
        let name = name(text.strip_prefix(PREFIX).unwrap_or(text));
        let base = match self.marks.named(&name, self.pointed_at().unwrap_or(now)) {
            Some(mark) => Base { at: mark.at, mark: mark.name.clone() },
            None => match moment::parse(text, self.counted_from(text, &['-', '+']), self.cx.zone())
            {
                Ok(at) => Base { at, mark: String::new() },
                Err(why) => {
                    let there_are = self.marks_there_are();
                    return Err(format!("no mark is called {text} ({there_are}), and {why}"));
                }
            },
        };
        if base.at <= now {
            return Ok(base);
        }
        let date = time::date(base.at, self.cx.zone());
        Err(match &*base.mark {
            "" => format!("{date} is still to come"),
            mark => format!("{mark} is still to come: it is of {date}"),
        })
    }

    /// Asks how things stood, to compare the table with that.
    pub(in crate::app) fn ask_base(&mut self, base: Base) {
        let name = match &*base.mark {
            "" => time::date(base.at, self.cx.zone()),
            mark => mark.to_owned(),
        };
        let at = base.at;
        // Two points of a key say how often they come.
        self.send((format!("get *[last:2@{at}]"), Purpose::Base(NamedTime { at, name })));
        self.base = Some(base);
    }

    /// Compares the table with what was asked for.
    pub(in crate::app) fn show_comparison(&mut self, time: NamedTime, reply: Reply) {
        if reply.status != Status::Ok {
            return self.cx.say(Tone::Bad, format!("not compared: {}", reply.reason()));
        }
        let (now, rows) = (self.cx.now().unix(), self.layout().table_rows());
        let is_again = self
            .table
            .compared()
            .is_some_and(|known| known.name == time.name && !known.unknown.is_empty());
        let unknown = self.unknown_at(time.at);
        let compared = Arc::new(Compared {
            name: time.name,
            at: time.at,
            before: reply.answer,
            unknown,
            marks: self.marks.prefixes().clone(),
        });
        if is_again {
            self.place.compare_again(&compared);
            return self.table.compare_again(compared);
        }
        let past = self.place.compare(&compared, rows);
        let live = self.table.compare(compared, rows, now);
        self.sort(past);
        self.sort(live);
        self.sort_as_saved();
    }

    /// A source may be back: asks again how things stood where that was not known of all.
    pub(in crate::app) fn complete_past(&mut self) {
        self.place.complete();
        let is_partial = |compared: &Compared| !compared.unknown.is_empty();
        if self.feed.has_selectors() == Some(true)
            && self.table.compared().is_none_or(is_partial)
            && let Some(base) = self.base.clone()
        {
            self.ask_base(base);
        }
    }

    /// The table is compared: its order is the one that was saved.
    pub(in crate::app) fn sort_as_saved(&mut self) {
        if let Some(sort) = self.unopened.take_sort() {
            let (rows, time) = (self.layout().table_rows(), self.table_time());
            let job = self.place.table_or(&mut self.table).set_sort(sort, rows, time);
            self.sort(job);
        }
        self.select_row_as_saved();
    }
}
