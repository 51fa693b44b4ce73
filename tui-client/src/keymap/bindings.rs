//! The table of keys: one row for each set of keys with one meaning.

use super::action::{Action, ChartAction, Edit, LogAction, PromptAction, TableAction, WatchAction};
use super::mode::Mode::{
    self, Chart, Columns, Confirm, Help, HistorySearch, Log, LogInput, Prompt, SeriesInput, Table,
    Watch,
};
use PromptState::{Any, Empty, Typed};

pub(super) const ALL: &[Mode] = &[
    Prompt,
    Table,
    Watch,
    Chart,
    Log,
    Help,
    HistorySearch,
    Confirm,
    LogInput,
    Columns,
    SeriesInput,
];
/// All but the search of the history, where the key has another meaning in all shells.
const SAVING: &[Mode] =
    &[Prompt, Table, Watch, Chart, Log, Help, Confirm, LogInput, Columns, SeriesInput];
pub(super) const PANES: &[Mode] = &[Table, Watch, Chart, Log];
pub(super) const SERIES: &[Mode] = &[Table, Watch, Chart];
pub(super) const CHARTED: &[Mode] = &[Watch, Chart];
pub(super) const READING: &[Mode] = &[Table, Watch, Chart, Log, Columns];
const LISTS: &[Mode] = &[Table, Watch, Log, Columns];
pub(super) const TYPING: &[Mode] = &[Prompt, HistorySearch, SeriesInput, LogInput, Help];

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Binding {
    /// The names of the keys, separated by blanks; the first one is shown in hints.
    pub keys: &'static str,
    /// The modes of the row.
    pub modes: &'static [Mode],
    /// The action of the keys.
    pub action: Action,
    /// The text in the list of keys. Neighbours with equal texts share a line.
    pub help: &'static str,
    /// The text of this row alone, if others have the same.
    pub own: Option<&'static str>,
    /// Other words that the action is looked for by.
    pub also: &'static str,
    /// The hints on the bottom line.
    pub hints: [Option<HintSpec>; 2],
}

/// A hint for the bottom line.
#[derive(Debug, Clone, Copy)]
pub(super) struct HintSpec {
    /// The word of the hint. Neighbours with equal words are shown as one hint.
    pub word: &'static str,
    /// The hint is shown even on a narrow screen.
    pub vital: bool,
    /// The modes with the hint, and its rank there, the lowest first. Ranks are multiples of ten,
    /// so that another hint fits between two.
    pub ranks: &'static [(Mode, u8)],
    /// The states of the command line with the hint.
    pub line: PromptState,
}

/// A state of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PromptState {
    Any,
    Empty,
    Typed,
}

impl Binding {
    pub fn key_names(&self) -> impl Iterator<Item = &'static str> {
        self.keys.split(' ')
    }

    pub fn first_key(&self) -> &'static str {
        self.key_names().next().unwrap_or_default()
    }

    const fn hint(self, word: &'static str, ranks: &'static [(Mode, u8)]) -> Self {
        self.show(HintSpec { word, vital: false, ranks, line: Any })
    }

    const fn vital(self, word: &'static str, ranks: &'static [(Mode, u8)]) -> Self {
        self.show(HintSpec { word, vital: true, ranks, line: Any })
    }

    const fn own(self, text: &'static str) -> Self {
        Self { own: Some(text), ..self }
    }

    const fn also(self, words: &'static str) -> Self {
        Self { also: words, ..self }
    }

    /// Restricts the last hint to a state of the command line.
    const fn on(mut self, line: PromptState) -> Self {
        let last = if self.hints[1].is_some() { 1 } else { 0 };
        if let Some(hint) = &mut self.hints[last] {
            hint.line = line;
        }
        self
    }

    const fn show(mut self, hint: HintSpec) -> Self {
        assert!(self.hints[1].is_none(), "a row has two hints at most");
        let free = if self.hints[0].is_some() { 1 } else { 0 };
        self.hints[free] = Some(hint);
        self
    }
}

const fn bind(
    keys: &'static str,
    modes: &'static [Mode],
    action: Action,
    help: &'static str,
) -> Binding {
    Binding { keys, modes, action, help, own: None, also: "", hints: [None; 2] }
}

const WINDOW: &str = "the last minute, hour, day, week, or all; at a time around it";
pub(super) const SORT_BY: &str = "sort by that column; again: reverse";
const REQUEST: &str = "type a request: put, get, del, or exit; esc leads back";

/// All keys. The first row with a mode and a key applies, so general rows for typed lines come
/// after those for one kind of line.
#[rustfmt::skip]
pub(super) static BINDINGS: &[Binding] = &[
    bind("enter w", &[Table], Action::Table(TableAction::Watch), "watch the selected key, with its chart")
        .hint("watch", &[(Table, 20)]),
    bind("f", &[Table], Action::Table(TableAction::Chart), "watch it, with the chart on the full screen")
        .also("plot graph")
        .hint("chart", &[(Table, 30)]),
    bind("/", &[Table], Action::Table(TableAction::Filter), "filter: only some rows: palm.*, rate > 1k, not stale")
        .also("search find key name host stopped silent dead missing")
        .hint("filter", &[(Table, 40)]),
    bind("> →", &[Table], Action::Table(TableAction::SortBeside(1)), "sort by the next column on the right")
        .hint("sort", &[(Table, 51)]),
    bind("< ←", &[Table], Action::Table(TableAction::SortBeside(-1)), "sort by the next column on the left")
        .hint("sort", &[(Table, 50)]),
    bind("o", &[Table], Action::Table(TableAction::Reverse), "reverse the sort order")
        .hint("reverse", &[(Table, 110)]),
    bind("t", &[Table], Action::Table(TableAction::Window(1)), "numbers and trends of a longer time: 1m, 15m, 1h, 1d, all"),
    bind("T", &[Table], Action::Table(TableAction::Window(-1)), "numbers and trends of a shorter time"),
    bind("c", &[Table], Action::Columns, "select columns")
        .also("choose show hide")
        .hint("columns", &[(Table, 60)]),
    bind("esc", &[Table], Action::Table(TableAction::Leave), "drop the filter (/ ↑: back); without one, to the command line"),
    bind("1", &[Table], Action::Table(TableAction::SortBy(1)), SORT_BY),
    bind("2", &[Table], Action::Table(TableAction::SortBy(2)), SORT_BY),
    bind("3", &[Table], Action::Table(TableAction::SortBy(3)), SORT_BY),
    bind("4", &[Table], Action::Table(TableAction::SortBy(4)), SORT_BY),
    bind("5", &[Table], Action::Table(TableAction::SortBy(5)), SORT_BY),
    bind("6", &[Table], Action::Table(TableAction::SortBy(6)), SORT_BY),
    bind("7", &[Table], Action::Table(TableAction::SortBy(7)), SORT_BY),
    bind("8", &[Table], Action::Table(TableAction::SortBy(8)), SORT_BY),
    bind("9", &[Table], Action::Table(TableAction::SortBy(9)), SORT_BY),

    bind("f enter", &[Watch], Action::Watch(WatchAction::FullScreen), "the chart on the full screen")
        .also("fullscreen")
        .hint("full screen", &[(Watch, 10)]),
    bind("x delete", &[Watch], Action::Watch(WatchAction::Unwatch), "stop watching the selected key")
        .also("unwatch remove")
        .hint("unwatch", &[(Watch, 50)]),
    bind("esc", &[Watch], Action::Watch(WatchAction::Leave), "remove the cursor: live again")
        .hint("live", &[(Watch, 25)]),
    bind("esc", &[Chart], Action::Watch(WatchAction::Leave), "remove the cursor: live again; without one, to the pane before")
        .vital("back", &[(Chart, 110)]),
    bind("f enter", &[Chart], Action::Watch(WatchAction::FullScreen), "back to the table or the watched keys"),
    bind("← h", CHARTED, Action::Chart(ChartAction::Cursor(-1)), "cursor: read a point a column to the left")
        .hint("cursor", &[(Watch, 70), (Chart, 40)]),
    bind("→ l", CHARTED, Action::Chart(ChartAction::Cursor(1)), "cursor: read a point a column to the right")
        .hint("cursor", &[(Watch, 71), (Chart, 41)]),
    bind("H alt-←", CHARTED, Action::Chart(ChartAction::Cursor(-10)), "cursor: ten columns to the left"),
    bind("L alt-→", CHARTED, Action::Chart(ChartAction::Cursor(10)), "cursor: ten columns to the right"),
    bind("z", CHARTED, Action::Chart(ChartAction::Zoom { closer: true }), "zoom in, around the cursor, else at the newest")
        .also("closer")
        .hint("zoom", &[(Watch, 34), (Chart, 30)]),
    bind("Z", CHARTED, Action::Chart(ChartAction::Zoom { closer: false }), "zoom out: a longer time, in the end everything there is")
        .hint("zoom", &[(Watch, 35), (Chart, 31)]),
    bind("[", CHARTED, Action::Chart(ChartAction::Pan(-1)), "move to earlier points")
        .hint("move", &[(Watch, 90), (Chart, 10)]),
    bind("]", CHARTED, Action::Chart(ChartAction::Pan(1)), "move to later points")
        .hint("move", &[(Watch, 91), (Chart, 11)]),
    bind("{", CHARTED, Action::Chart(ChartAction::End { first: true }), "cursor: to the first point")
        .hint("first, last", &[(Watch, 112), (Chart, 52)]),
    bind("}", CHARTED, Action::Chart(ChartAction::End { first: false }), "cursor: to the last point")
        .hint("first, last", &[(Watch, 113), (Chart, 53)]),
    bind("home", &[Chart], Action::Chart(ChartAction::End { first: true }), "cursor: to the first point"),
    bind("end", &[Chart], Action::Chart(ChartAction::End { first: false }), "cursor: to the last point"),
    bind("@", PANES, Action::GoToTime, "go to a time with table, chart, log: -2h, 14:30").also("jump past history place in time travel yesterday last night today ago morning happened"),
    bind("m", PANES, Action::AddMark, "mark this moment: a line in every chart (mark.NAME)").also("annotate deploy event bookmark"),
    bind("C", PANES, Action::Compare, "compare the table with a mark or a time; empty: no longer").also("diff difference moved change unusual unexpected odd strange surprise stopped new gone anomaly since"),
    bind("0", PANES, Action::Live, "live again: the newest points, the table of now")
        .also("back to now newest")
        .hint("live", &[(Watch, 8), (Chart, 20)]),
    bind("1", CHARTED, Action::Chart(ChartAction::Window(Some(60))), WINDOW)
        .own("chart: the last minute").also("zoom window span 1m"),
    bind("2", CHARTED, Action::Chart(ChartAction::Window(Some(3600))), WINDOW)
        .own("chart: the last hour").also("zoom window span 1h"),
    bind("3", CHARTED, Action::Chart(ChartAction::Window(Some(86_400))), WINDOW)
        .own("chart: the last day").also("zoom window span 1d 24h"),
    bind("4", CHARTED, Action::Chart(ChartAction::Window(Some(604_800))), WINDOW)
        .own("chart: the last week").also("zoom window span 7d"),
    bind("5", CHARTED, Action::Chart(ChartAction::Window(None)), WINDOW)
        .own("chart: everything up to now").also("zoom")
        .hint("all", &[(Watch, 86), (Chart, 46)]),
    bind("a", CHARTED, Action::Chart(ChartAction::LogAxis), "log axis: logarithmic values; again: linear")
        .also("scale y axis y-axis linear")
        .hint("log axis", &[(Watch, 110), (Chart, 50)]),
    bind("space", CHARTED, Action::Watch(WatchAction::Keep), "keep this key in the chart; again: drop it")
        .hint("keep", &[(Watch, 120), (Chart, 80)]),
    bind("M", CHARTED, Action::Watch(WatchAction::KeepAll), "all keys in one chart; again: only the selected one")
        .also("overlay two several compare runs lay over together"),
    bind("D", CHARTED, Action::DropAlerts, "drop the alerts on this key; again: back"),

    bind("!", SERIES, Action::AddAlert, "alert: set a threshold, such as palm.cpu > 90")
        .also("alarm")
        .hint("alert", &[(Table, 100), (Watch, 40), (Chart, 60)]),
    bind("A", PANES, Action::NextAlarm, "to the next watched key whose alert fires").also("alarm firing"),
    bind("B", PANES, Action::SilenceAlerts, "no bell: silence what fires till it is calm for a minute")
        .also("mute alarm")
        .vital("silence", &[(Table, 15), (Watch, 5), (Chart, 45), (Log, 5)]),
    bind("r", SERIES, Action::Refresh, "refresh now, even while paused")
        .hint("refresh", &[(Table, 120)]),
    bind("+ =", SERIES, Action::Interval(1), "slower: a longer interval, if the server is polled")
        .also("poll rate")
        .hint("slower", &[(Table, 130), (Watch, 130), (Chart, 90)]),
    bind("-", SERIES, Action::Interval(-1), "faster: a shorter interval, if the server is polled")
        .also("poll rate")
        .hint("faster", &[(Table, 140), (Watch, 140), (Chart, 100)]),
    bind("W", SERIES, Action::AddWatch, "watch another key, or a glob such as palm.*").also("add"),

    bind("space", &[Columns], Action::ToggleColumn, "show or hide the column")
        .hint("show or hide", &[(Columns, 10)]),
    bind("esc enter c q", &[Columns], Action::Cancel, "back to the table")
        .vital("back", &[(Columns, 20)]),

    bind("F", &[Log], Action::Log(LogAction::ToggleFollow), "follow new lines; again: stay where it is")
        .hint("follow", &[(Log, 40)]),
    bind("/", &[Log], Action::Log(LogAction::Search), "search upwards from the selected line")
        .hint("search", &[(Log, 50)]),
    bind("n", &[Log], Action::Log(LogAction::Match { older: true }), "to the match above (older)")
        .hint("older", &[(Log, 20)]),
    bind("N", &[Log], Action::Log(LogAction::Match { older: false }), "to the match below (newer)")
        .hint("newer", &[(Log, 30)]),
    bind("&", &[Log], Action::Log(LogAction::Filter), "filter: show only lines with a text (!text: without it)")
        .hint("filter", &[(Log, 60)]),
    bind("esc", &[Log], Action::Log(LogAction::Leave), "drop the search; drop the filter (& ↑: back); to the command line")
        .hint("clear", &[(Log, 10)]),
    bind("f", &[Log], Action::Log(LogAction::Zoom), "the log in the room of all panes; again: back")
        .hint("full screen", &[(Log, 110)]),
    bind("R", &[Log], Action::Log(LogAction::ToggleRaw), "keep every line of replies; again: only excerpts")
        .hint("raw", &[(Log, 100)]),
    bind("→ l", &[Log], Action::Log(LogAction::Shift { right: true }), "see more of the right of long lines"),
    bind("← h", &[Log], Action::Log(LogAction::Shift { right: false }), "back to the left"),
    bind("y", &[Log], Action::Log(LogAction::CopyLine), "copy the selected line")
        .hint("copy", &[(Log, 80)]),
    bind("E", &[Log], Action::Log(LogAction::CopyExchange), "copy the exchange: request and reply")
        .hint("copy exchange", &[(Log, 70)]),
    bind("s", &[Log], Action::Log(LogAction::Save), "save the log, as it is filtered, in a file")
        .also("write export")
        .hint("save", &[(Log, 90)]),

    bind("enter", &[SeriesInput, LogInput], Action::Accept, "done")
        .hint("done", &[(SeriesInput, 10), (LogInput, 10)]),
    bind("tab", &[SeriesInput], Action::CompleteLine { forward: true }, "complete a key or a mark; again: the next one")
        .hint("complete", &[(SeriesInput, 12)]),
    bind("shift-tab", &[SeriesInput], Action::CompleteLine { forward: false }, "complete it by the one before"),
    bind("↑ ctrl-p", &[SeriesInput], Action::RecallFilter, "the filter that was dropped last")
        .hint("dropped", &[(SeriesInput, 15)]),
    bind("esc ctrl-c", &[SeriesInput], Action::Cancel, "cancel")
        .vital("cancel", &[(SeriesInput, 20)]),
    bind("esc ctrl-g ctrl-c", &[LogInput], Action::Cancel, "cancel: back to how it was")
        .vital("cancel", &[(LogInput, 40)]),
    bind("↑ ctrl-p", &[LogInput], Action::Log(LogAction::Match { older: true }), "to the match above (older); filter: the one dropped last")
        .hint("older", &[(LogInput, 20)]),
    bind("↓ ctrl-n", &[LogInput], Action::Log(LogAction::Match { older: false }), "to the match below (newer)")
        .hint("newer", &[(LogInput, 30)]),

    bind("enter", &[Prompt], Action::Submit, "send the line")
        .hint("send", &[(Prompt, 10)]),
    bind("?", &[Prompt], Action::HelpOrType, "open this list (on an empty line)")
        .vital("help", &[(Prompt, 60)]).on(Empty),
    bind("tab", &[Prompt], Action::Prompt(PromptAction::Complete { forward: true }), "completion: complete the word; empty line: next pane")
        .hint("pane", &[(Prompt, 20)]).on(Empty)
        .hint("complete", &[(Prompt, 20)]).on(Typed),
    bind("shift-tab", &[Prompt], Action::Prompt(PromptAction::Complete { forward: false }), "to the pane before; in a completion: the one before"),
    bind("ctrl-r", &[Prompt], Action::Prompt(PromptAction::Search { older: true }), "search the history: the lines entered before")
        .hint("search", &[(Prompt, 30)]),
    bind("↑ ctrl-p", &[Prompt], Action::Prompt(PromptAction::Older), "history: an older line that begins like this one"),
    bind("↓ ctrl-n", &[Prompt], Action::Prompt(PromptAction::Newer), "history: a newer one, in the end what was typed here"),
    bind("esc", &[Prompt], Action::Prompt(PromptAction::Clear), "close completions; clear line; end paste, follow; back")
        .vital("clear", &[(Prompt, 40)]).on(Typed)
        .vital("back", &[(Prompt, 45)]).on(Empty),
    bind("pgup", &[Prompt], Action::Pages(-1), "scroll the answer up; without one, the log"),
    bind("pgdn", &[Prompt], Action::Pages(1), "scroll the answer down; without one, the log"),
    bind("ctrl-d", &[Prompt], Action::Prompt(PromptAction::DeleteOrQuit), "delete the character; on an empty line: quit"),
    bind("ctrl-c", &[Prompt], Action::Prompt(PromptAction::QuitOrClear), "clear the line; on an empty line: quit")
        .vital("quit", &[(Prompt, 50)]).on(Empty),

    bind("enter", &[HistorySearch], Action::Accept, "send the line found")
        .hint("send", &[(HistorySearch, 10)]),
    bind("tab → ctrl-e end", &[HistorySearch], Action::Prompt(PromptAction::TakeFound), "take the line found, to edit it")
        .hint("edit", &[(HistorySearch, 20)]),
    bind("ctrl-r ↑", &[HistorySearch], Action::Prompt(PromptAction::Search { older: true }), "an older line")
        .hint("older", &[(HistorySearch, 30)]),
    bind("ctrl-s ↓", &[HistorySearch], Action::Prompt(PromptAction::Search { older: false }), "a newer line")
        .hint("newer", &[(HistorySearch, 40)]),
    bind("esc ctrl-g ctrl-c", &[HistorySearch], Action::Cancel, "cancel: back to the line as it was")
        .vital("back", &[(HistorySearch, 50)]),
    bind("ctrl-u", &[HistorySearch], Action::Edit(Edit::KillAll), "search for something else"),

    bind("enter y", &[Confirm], Action::Prompt(PromptAction::SendPaste), "send the pasted lines")
        .hint("send", &[(Confirm, 10)]),
    bind("esc n q ctrl-c", &[Confirm], Action::Prompt(PromptAction::DiscardPaste), "don't send them")
        .vital("discard", &[(Confirm, 20)]),

    bind("enter", &[Help], Action::Accept, "run the chosen line; without one, close the list")
        .hint("run", &[(Help, 10)]),
    bind("↑ ctrl-p", &[Help], Action::Lines(-1), "choose the line above")
        .hint("choose", &[(Help, 20)]),
    bind("↓ ctrl-n", &[Help], Action::Lines(1), "choose the line below")
        .hint("choose", &[(Help, 21)]),
    bind("pgup", &[Help], Action::Pages(-1), "a page up in this list"),
    bind("pgdn", &[Help], Action::Pages(1), "a page down in this list"),
    bind("home", &[Help], Action::Top, "to the first line of this list"),
    bind("end", &[Help], Action::Bottom, "to the last line of this list"),
    bind("esc ctrl-c ctrl-g", &[Help], Action::Cancel, "clear what is typed; without that, close the list")
        .vital("back", &[(Help, 30)]),
    bind("?", &[Help], Action::HelpOrType, "close this list, as long as nothing is typed"),

    bind("→ ctrl-f", &[Prompt], Action::Edit(Edit::Right), "a character right; at the end: take the suggestion"),
    bind("alt-f alt-→ ctrl-→", &[Prompt], Action::Edit(Edit::WordRight), "a word right; at the end: take a word of it"),
    bind("end ctrl-e", &[Prompt], Action::Edit(Edit::End), "to the end of the line; there: take the suggestion"),
    bind("← ctrl-b", TYPING, Action::Edit(Edit::Left), "a character left"),
    bind("→ ctrl-f", TYPING, Action::Edit(Edit::Right), "a character right"),
    bind("alt-b alt-← ctrl-←", TYPING, Action::Edit(Edit::WordLeft), "a word left"),
    bind("alt-f alt-→ ctrl-→", TYPING, Action::Edit(Edit::WordRight), "a word right"),
    bind("home ctrl-a", TYPING, Action::Edit(Edit::Start), "to the beginning of the line"),
    bind("end ctrl-e", TYPING, Action::Edit(Edit::End), "to the end of the line"),
    bind("backspace ctrl-h", TYPING, Action::Edit(Edit::DeleteLeft), "delete the character before the cursor"),
    bind("delete ctrl-d", TYPING, Action::Edit(Edit::DeleteRight), "delete the character at the cursor"),
    bind("ctrl-w", TYPING, Action::Edit(Edit::KillBlankWordLeft), "delete back to the blank before"),
    bind("alt-backspace", TYPING, Action::Edit(Edit::KillWordLeft), "delete the word before the cursor"),
    bind("alt-d", TYPING, Action::Edit(Edit::KillWordRight), "delete the word behind the cursor"),
    bind("ctrl-u", TYPING, Action::Edit(Edit::KillToStart), "delete to the beginning of the line"),
    bind("ctrl-k", TYPING, Action::Edit(Edit::KillToEnd), "delete to the end of the line"),
    bind("ctrl-y", TYPING, Action::Edit(Edit::Yank), "bring back what was deleted"),
    bind("ctrl-_", TYPING, Action::Edit(Edit::Undo), "undo"),

    bind("tab", PANES, Action::CyclePane(1), "to the next pane")
        .hint("pane", &[(Table, 70), (Watch, 60), (Log, 120)]),
    bind("shift-tab", PANES, Action::CyclePane(-1), "to the pane before")
        .hint("table", &[(Watch, 30)]),
    bind("p", PANES, Action::BeginRequest, REQUEST).own("put: type a point").also("write store send request command"),
    bind("g", PANES, Action::BeginRequest, REQUEST).own("get: type what to read").also("query read request command"),
    bind("d", PANES, Action::BeginRequest, REQUEST).own("del: type what to delete").also("remove request command"),
    bind("e", PANES, Action::BeginRequest, REQUEST).own("exit: type the word; Enter leaves").also("request command"),
    bind("i :", PANES, Action::FocusPrompt, "to the command line; esc there leads back here")
        .hint("prompt", &[(Table, 80), (Watch, 20), (Log, 130)]),
    bind("P", PANES, Action::TogglePause, "pause: the screen stands still; again: resume")
        .also("freeze stop")
        .hint("pause", &[(Table, 90), (Watch, 65), (Chart, 70), (Log, 140)]),
    bind("S", READING, Action::SavePicture, "save a picture of the screen: an SVG file here").also("screenshot image export write share"),
    bind("V", PANES, Action::SaveView, "save the view in a file: --view FILE opens it, any editor, too").also("write share open toml"),
    bind("v", PANES, Action::NextTheme, "change the theme: midnight, ember, paper, as at the start").also("colour color look dark light next"),
    bind("Y", PANES, Action::CopyCommand, "copy the shell command that prints this view").also("clipboard"),
    bind("q", PANES, Action::Quit, "quit the program")
        .also("exit leave close")
        .vital("quit", &[(Table, 150), (Watch, 150), (Chart, 115), (Log, 150)]),

    bind("↑ k", READING, Action::Lines(-1), "up a line, or a key"),
    bind("↓ j", READING, Action::Lines(1), "down a line, or a key"),
    bind("pgup ctrl-b", READING, Action::Pages(-1), "a page up"),
    bind("pgdn ctrl-f", READING, Action::Pages(1), "a page down"),
    bind("space", &[Table, Log], Action::Pages(1), "a page down in the table, the log"),
    bind("home", LISTS, Action::Top, "to the first line"),
    bind("end", LISTS, Action::Bottom, "to the last line"),
    bind("G", READING, Action::Bottom, "to the last line, or key"),
    bind("?", READING, Action::Help, "open this list: type what you want, Enter runs it")
        .vital("help", &[(Table, 160), (Watch, 160), (Chart, 120), (Log, 160), (Columns, 30)]),
    bind("ctrl-c", READING, Action::Quit, "quit the program"),

    bind("F1", ALL, Action::Help, "open or close this list, wherever you are")
        .vital("help", &[(Prompt, 50)]).on(Typed),
    bind("F5", ALL, Action::Refresh, "refresh now, even while paused"),
    bind("F6", ALL, Action::TogglePause, "pause: the screen stands still; again: resume")
        .hint("pause", &[(Prompt, 40)]).on(Empty),
    bind("F8", ALL, Action::SilenceAlerts, "silence alerts that fire till calm; again: no longer")
        .vital("silence", &[(Prompt, 25)]).on(Empty),
    bind("ctrl-s", SAVING, Action::SaveSession, "save view, points and log in a file: --replay FILE shows it").also("share send colleague mail write export record session"),
    bind("ctrl-z", ALL, Action::Suspend, "suspend to the shell; fg resumes"),
];
