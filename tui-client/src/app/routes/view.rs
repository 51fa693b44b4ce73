//! The view of the screen: one that was saved is opened as it was, and the present one is saved.

use std::time::Duration;

use crate::app::App;
use crate::app::copy_command;
use crate::app::line_input::InputPurpose;
use crate::app::table::compared::COLUMNS;
use crate::app::unopened::Unopened;
use crate::effect::{Effect, FileJob};
use crate::event::FILE_EXISTS;
use crate::keymap::{Mode, Pane};
use crate::metrics::column::Chosen;
use crate::metrics::sort::{Sort, TableSpec};
use crate::session::{ChartView, Comparison, Focus, Look, View, view_file};
use crate::text::time;
use crate::themes::BUILT_IN;
use crate::wire_log::entry::Tone;

/// The time between two polls of which a view says nothing.
const USUAL_INTERVAL: Duration = Duration::from_secs(1);

impl App {
    /// What is shown, and how.
    pub(in crate::app) fn present_view(&self) -> View {
        let table = &self.table;
        let run = table.base_run();
        let has_moved = self.base.is_some() || run.is_some();
        // Without more, runs are compared in the order of the keys, as at the start.
        let is_plain = |sort: &Sort| !sort.column.is_some_and(|column| COLUMNS.contains(&column));
        let run =
            run.filter(|_| !is_plain(&table.sort())).map(|run| Comparison::Typed(run.to_owned()));
        let compared = self.base.clone().map(Comparison::Base).or(run);
        let columns: Vec<_> =
            table.chosen().shown().filter(|it| !(has_moved && COLUMNS.contains(it))).collect();
        let is_usual = Chosen::default().shown().eq(columns.iter().copied());
        let viewport = self.watch.viewport();
        let view = View {
            address: self.link.address().to_owned(),
            hosts: Vec::new(),
            runs: Vec::new(),
            shifts: self.sources.shifts(),
            saved_at: self.cx.now().unix(),
            watch: self.watch.own_patterns(&self.alerts),
            alerts: self.alerts.alerts().cloned().collect(),
            table: TableSpec {
                filter: self.table().filter().cloned(),
                sort: Some(self.table().sort_apart()).filter(is_plain).unwrap_or_default(),
                columns: if is_usual { Vec::new() } else { columns },
                window: table.window(),
            },
            raw_log: self.log.is_raw(),
            place: self.place.at(),
            compared_sort: compared.as_ref().map(|_| self.table().sort()),
            compared,
            chart: ChartView {
                window: viewport.window(),
                log: viewport.log,
                cursor: viewport.cursor(),
                selected: self.watch.selected_key().map(|key| key.key.clone()),
                marked: self.watch.marked().map(str::to_owned).collect(),
            },
            pane: Some(focus_of(pane_mode(self.last_pane()))),
            focus: Some(focus_of(self.panes.focus())),
            log: self.panes.log_room(),
            selected_row: self.table().held_key().map(ToString::to_string),
            interval: Some(self.polling.interval()).filter(|&it| it != USUAL_INTERVAL),
            look: self.present_look(),
        };
        let sources = self.sources.iter().map(|source| source.label.clone());
        view.with_sources(sources)
    }

    fn present_look(&self) -> Look {
        let chosen = self.chosen_theme.map(str::to_owned);
        Look { theme: chosen.or_else(|| self.look.theme.clone()), ..self.look.clone() }
    }

    /// Draws in the next built-in theme, behind the last one in that of the start.
    pub(in crate::app) fn next_theme(&mut self) {
        if !self.cx.abilities().colours {
            return self.cx.say(Tone::Plain, "no colours: NO_COLOR is set, or --theme is none");
        }
        let start = self.look.theme.as_deref();
        let mut names = BUILT_IN.iter().map(|theme| theme.name).filter(|&name| start != Some(name));
        let next = match self.chosen_theme {
            None => names.next(),
            Some(chosen) => names.skip_while(|&name| name != chosen).nth(1),
        };
        self.chosen_theme = next;
        self.cx.push(Effect::Theme(next));
        let name = next.unwrap_or(start.unwrap_or("auto"));
        self.cx.say(Tone::Plain, format!("theme {name}; --theme {name} begins with it"));
    }

    /// Saves the view at a path as typed.
    pub(in crate::app) fn save_view(&mut self, path: String) {
        let text = view_file::write(&self.present_view(), self.cx.zone());
        let replaces = self.replaced_view.take().is_some_and(|replaced| replaced == path);
        self.cx.push(Effect::File(FileJob::SaveView { path, text, replaces }));
    }

    /// Asks for the file to save the view in: that from which it was opened is offered.
    pub(in crate::app) fn ask_for_view_file(&mut self) {
        self.replaced_view = None;
        let name = self.view_file.clone().unwrap_or_else(|| self.cx.file_name("toml"));
        self.input.ask(InputPurpose::SaveView, &name);
    }

    /// A file is there already: asks whether the view goes in its place, unless something is typed.
    pub(in crate::app) fn on_view_exists(&mut self, path: String) {
        if self.mode().pane().is_none() {
            let text = format!("{path}: not saved, {FILE_EXISTS}");
            return self.log.report(text, &mut self.cx);
        }
        self.input.ask(InputPurpose::SaveView, &path);
        let text = format!("{path} is there already: Enter overwrites it, esc does not");
        self.cx.say_brief(Tone::Bad, text, "it is there: Enter overwrites it");
        self.replaced_view = Some(path);
    }

    /// Says how a view that is saved is opened.
    pub(in crate::app) fn on_view_saved(&mut self, path: &str, typed: &str) {
        let shell = self.cx.abilities().shell;
        let command = copy_command::opening(typed, path, shell);
        let text = format!("the view is in {path}; {command} opens it");
        self.cx.say_brief(Tone::Good, text, format!("{command} opens it"));
    }

    /// Opens a view; server, keys, alerts and table are there already.
    pub(in crate::app) fn open_view(&mut self, view: &View) {
        for focus in [view.pane, view.focus].into_iter().flatten() {
            match focus {
                Focus::Prompt => self.panes.visit_prompt(),
                Focus::Table => self.panes.focus_on(Mode::Table),
                Focus::Watch if !self.watch.is_empty() => self.panes.focus_on(Mode::Watch),
                Focus::Chart if !self.watch.is_empty() => self.panes.focus_on(Mode::Chart),
                Focus::Watch | Focus::Chart => {}
                Focus::Log => self.panes.focus_on(Mode::Log),
            }
        }
        self.panes.set_log_room(view.log);
        self.watch.show_view(&view.chart);
        let now = self.cx.now().unix();
        match view.place {
            Some(at) if at > now => {
                let date = time::date(at, self.cx.zone());
                self.cx.say(Tone::Plain, format!("{date} is still to come"));
            }
            Some(at) => self.move_place(at),
            None => {}
        }
        self.unopened = Unopened::of(view);
    }

    /// The server has begun to answer: asks for what the table is compared with.
    pub(in crate::app) fn compare_as_saved(&mut self) {
        if let Some(base) = self.unopened.take_base() {
            self.ask_base(base);
        } else if self.unopened.awaits_marks() {
            self.ask_marks();
        }
    }

    /// The server can't say how things stood: what of the view needs that is left out, and said.
    pub(in crate::app) fn open_without_past(&mut self) {
        if self.unopened.drop_comparison() {
            self.cx.say(Tone::Plain, "not compared: this server can't say how things stood");
        }
        if let Some(at) = self.place.at() {
            self.end_place();
            self.go_to_time(at);
        }
    }

    /// The marks are known: compares the table with what the view says in words.
    pub(in crate::app) fn compare_with_words(&mut self) {
        let Some(text) = self.unopened.take_words() else { return };
        if self.compare_with_run(&text) {
            return;
        }
        match self.base_of(&text) {
            Ok(_) => self.compare_with(&text),
            Err(why) => self.log.report(format!("not compared: {why}"), &mut self.cx),
        }
    }

    /// Selects the row that was, once the rows are known as they were.
    pub(in crate::app) fn select_row_as_saved(&mut self) {
        let is_there = self.place.at().is_none() || self.place.table().is_some();
        if !is_there || !self.unopened.is_row_due() {
            return;
        }
        let key = self.unopened.take_row().and_then(|key| key.parse().ok());
        let rows = self.layout().table_rows();
        let table = self.place.table_or(&mut self.table);
        match key {
            Some(key) => table.select(&key, rows),
            None => table.move_by(isize::MIN, rows),
        }
    }

    /// The watched keys are known: selects and marks those that were.
    pub(in crate::app) fn chart_as_saved(&mut self) {
        if let Some(chart) = self.unopened.take_chart() {
            self.watch.select_and_mark(&chart);
        }
    }
}

fn pane_mode(pane: Pane) -> Mode {
    match pane {
        Pane::Table => Mode::Table,
        Pane::Watch => Mode::Watch,
        Pane::Log => Mode::Log,
    }
}

fn focus_of(mode: Mode) -> Focus {
    match mode {
        Mode::Table => Focus::Table,
        Mode::Watch => Focus::Watch,
        Mode::Chart => Focus::Chart,
        Mode::Log => Focus::Log,
        _ => Focus::Prompt,
    }
}
