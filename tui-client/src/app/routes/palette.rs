//! The list of keys as a palette: what a line of it would do, and doing it.

use crate::app::App;
use crate::app::input::overlay::help::options::StartOption;
use crate::app::input::overlay::help::{Choice, Entry, Help};
use crate::effect::{Effect, Ending};
use crate::event::{KeyCode, MouseEvent};
use crate::keymap::{Action, LogAction, Mode, Pane, Place, PromptAction, TableAction, WatchAction};
use crate::metrics::column::Column;
use crate::wire_log::entry::Tone;

/// The server can't say how things stood: in few words, because the list of keys has little room.
const NO_PAST: &str = "this server can't";

impl App {
    /// Opens the list of keys, or closes it.
    pub(in crate::app) fn toggle_help(&mut self) {
        if self.input.help().is_some() {
            self.input.close_help();
        } else {
            self.open_help();
        }
    }

    /// Chooses the next line of the list of keys, below or above.
    pub(in crate::app) fn choose_next(&mut self, below: bool) {
        let size = self.panes.size();
        if let Some(help) = self.input.help_mut() {
            help.choose_next(below, size);
        }
    }

    /// The columns in sight that the table can be sorted by.
    fn sortable(&self) -> Vec<Column> {
        let layout = self.layout();
        let room = match layout.table {
            Some(_) => layout.table_room(),
            // As wide as it is about to be.
            None => usize::from(self.panes.size().0),
        };
        self.table().sortable(layout.table_rows(), room)
    }

    /// Opens the list of keys.
    pub(in crate::app) fn open_help(&mut self) {
        if self.input.help().is_none() {
            let chosen = self.table().chosen();
            let mut help = Help::new(self.mode(), self.cx.abilities(), chosen, &self.sortable());
            help.judge(|entry| self.outcome(entry).is_ok());
            self.input.open_help(help);
        }
    }

    /// Performs the chosen line of the list of keys and closes the list, or says why that is not
    /// possible. The list is closed without a chosen line, too.
    pub(in crate::app) fn perform_chosen(&mut self) {
        let Some(entry) = self.input.help().and_then(|help| help.chosen()) else {
            return self.input.close_help();
        };
        let choice = entry.choice;
        let focus = match self.outcome(entry) {
            Ok(focus) => focus,
            Err(why) => {
                let (text, brief) = match choice {
                    Choice::Option(StartOption { option, text, .. }) => {
                        let command = format!("tui-client {option}");
                        (format!("at the start, {command}: {text}"), command)
                    }
                    _ => (format!("{}: {why}", entry.text), why.to_owned()),
                };
                return self.cx.say_brief(Tone::Plain, text, brief);
            }
        };
        self.input.close_help();
        match focus {
            Some(Mode::Prompt) => self.panes.visit_prompt(),
            Some(mode) => self.panes.focus_on(mode),
            None => {}
        }
        match choice {
            Choice::Column(column) => self.place.table_or(&mut self.table).toggle_column(column),
            // It is only said.
            Choice::Option(_) => {}
            Choice::Key(row) => match (row.action(), row.key()) {
                // It is closed.
                (Action::Help | Action::HelpOrType, _) => {}
                // Nothing more of a word is to come.
                (Action::Quit, _) => self.cx.push(Effect::Quit(Ending::Complete)),
                (Action::BeginRequest, Some(key)) => self.begin_request(match key.code {
                    KeyCode::Char('p') => "put ",
                    KeyCode::Char('g') => "get ",
                    KeyCode::Char('d') => "del ",
                    _ => "exit",
                }),
                (action, Some(key)) => self.perform(action, key),
                (_, None) => {}
            },
        }
    }

    /// Performs the line of the list of keys under the pointer; beside the list, closes it.
    pub(in crate::app) fn on_click_in_help(&mut self, mouse: MouseEvent) {
        let size = self.panes.size();
        let Some(help) = self.input.help_mut() else { return };
        if help.choose_under(mouse, size).is_some() {
            self.perform_chosen();
        } else if !help.area(size).contains(mouse.column, mouse.row) {
            self.input.close_help();
        }
    }

    /// Where the focus moves for an action of the list of keys, if it moves.
    ///
    /// # Errors
    ///
    /// Why the action is not possible now.
    pub fn outcome(&self, entry: &Entry) -> Result<Option<Mode>, &'static str> {
        let action = match entry.choice {
            Choice::Key(row) => Some(row.action()),
            Choice::Column(_) | Choice::Option(_) => None,
        };
        let focus = match (entry.place, action) {
            (Place::Nowhere(why), _) => return Err(why),
            (Place::Here, _) => None,
            (Place::In(modes), action) => Some(self.nearest(modes).ok_or(match action {
                Some(Action::Chart(_)) => "needs a chart",
                _ => "needs a watched key",
            })?),
        };
        match action.and_then(|action| self.lacks(action)) {
            Some(why) => Err(why),
            None => Ok(focus),
        }
    }

    /// The one of these modes that the focus moves to: that of the last pane, if it is one of them.
    fn nearest(&self, modes: &[Mode]) -> Option<Mode> {
        let last = match self.panes.pane() {
            Pane::Table => Mode::Table,
            Pane::Watch => Mode::Watch,
            Pane::Log => Mode::Log,
        };
        [last, Mode::Table, Mode::Watch, Mode::Log, Mode::Prompt]
            .into_iter()
            .find(|mode| modes.contains(mode) && (*mode != Mode::Watch || !self.watch.is_empty()))
    }

    /// Why an action is not possible now that would else do nothing without a word, or ask for a line in
    /// vain.
    pub(in crate::app) fn refusal(&self, action: Action) -> Option<String> {
        let without = match action {
            Action::AddMark => "not marked",
            Action::Compare => "not compared",
            Action::Table(TableAction::SortBy(_)) => "not sorted",
            _ => return None,
        };
        let why = match self.lacks(action)? {
            NO_PAST => "this server can't say how things stood",
            why => why,
        };
        Some(format!("{without}: {why}"))
    }

    /// What an action would need that is not there.
    fn lacks(&self, action: Action) -> Option<&'static str> {
        let now = self.now().elapsed;
        let lacks = |is_there: bool, what| if is_there { None } else { Some(what) };
        let is_connected = self.link.is_connected();
        let has_text = !self.input.prompt.text().is_empty();
        match action {
            Action::Interval(_) if !is_connected => Some("not connected"),
            Action::Interval(_) => {
                lacks(self.feed.has_selectors() != Some(true), "nothing is polled")
            }
            Action::SilenceAlerts => lacks(self.alerts.is_restless(now), "no alert fires"),
            Action::NextAlarm => {
                lacks(self.watch.keys().iter().any(|key| self.is_alarmed(key)), "no alert fires")
            }
            Action::DropAlerts => {
                let key = self.watch.selected_key().map(|key| key.key.as_str());
                let is_on = |key: &str| {
                    self.alerts.concerns(key)
                        || self.dropped_alerts.iter().any(|alert| alert.concerns(key))
                };
                lacks(key.is_some_and(is_on), "no alert on this key")
            }
            Action::RecallFilter => {
                lacks(self.table().dropped_filter().is_some(), "no filter was dropped")
            }
            Action::AddMark if self.replayed.is_some() => Some("this is a replay"),
            Action::CopyCommand => lacks(self.replayed.is_none(), "this is a replay"),
            Action::AddMark | Action::Refresh => lacks(is_connected, "not connected"),
            Action::Compare if self.base.is_none() => match self.feed.has_selectors() {
                _ if !is_connected => Some("not connected"),
                Some(false) => Some(NO_PAST),
                _ if self.table.is_large() => Some("too many keys"),
                _ => None,
            },
            Action::Table(TableAction::Watch | TableAction::Chart) => {
                lacks(self.table().selected_key().is_some(), "needs a row")
            }
            Action::Table(TableAction::SortBy(number)) => {
                let at = usize::from(number).saturating_sub(1);
                lacks(self.sortable().get(at).is_some(), "no such column")
            }
            Action::Watch(WatchAction::Keep | WatchAction::KeepAll) | Action::Chart(_) => {
                lacks(self.watch.selected_key().is_some(), "needs a chart")
            }
            Action::Log(LogAction::Match { .. }) => {
                lacks(self.log.search().is_some(), "needs a search")
            }
            Action::Submit | Action::Prompt(PromptAction::Complete { .. }) => {
                lacks(has_text, "needs a typed line")
            }
            _ => None,
        }
    }
}
