//! The keys of the table, the watched keys and their chart.

use super::{Binding, bind, keys};
use crate::app::action::Action;
use crate::app::editor::Edit;
use crate::app::mode::Mode::{self, Chart, Columns, Field, Table, Watch};
use crate::app::views::ViewAction;
use crate::event::{Code, Key};

const CHARTED: &[Mode] = &[Watch, Chart];
const MEASURED: &[Mode] = &[Table, Watch, Chart];

const SORT_BY: &str = "sort by that column; again: reverse";

const fn edit(keys: &'static [Key], edit: Edit, help: &'static str) -> Binding {
    view(&[Field], keys, ViewAction::Edit(edit), help)
}

const fn view(
    modes: &'static [Mode],
    keys: &'static [Key],
    action: ViewAction,
    help: &'static str,
) -> Binding {
    bind(modes, keys, Action::View(action), help)
}

/// These keys; they count before the others.
pub(super) static BINDINGS: &[Binding] = &[
    bind(
        &[Table],
        keys![Key::plain(Code::Enter), Key::char('w')],
        Action::WatchSelected,
        "watch the selected key, with its chart",
    ),
    view(
        &[Table],
        keys![Key::char('f')],
        ViewAction::ChartSelected,
        "watch it, with the chart on the full screen",
    ),
    view(
        &[Table],
        keys![Key::char('/')],
        ViewAction::Filter,
        "filter: only some rows: palm.*, rate > 1k, not stale",
    ),
    view(
        &[Table],
        keys![Key::char('>'), Key::plain(Code::Right)],
        ViewAction::SortBeside(1),
        "sort by the next column on the right",
    ),
    view(
        &[Table],
        keys![Key::char('<'), Key::plain(Code::Left)],
        ViewAction::SortBeside(-1),
        "sort by the next column on the left",
    ),
    view(&[Table], keys![Key::char('o')], ViewAction::Reverse, "reverse the sort order"),
    view(&[Table], keys![Key::char('c')], ViewAction::Columns, "choose the columns"),
    bind(&[Table], keys![Key::char('*')], Action::AllKeys, "show all keys again (get *)"),
    view(
        &[Table],
        keys![Key::plain(Code::Esc)],
        ViewAction::Leave,
        "drop the filter; without one, to the command line",
    ),
    view(
        &[Watch],
        keys![Key::char('f'), Key::plain(Code::Enter)],
        ViewAction::Full,
        "the chart on the full screen",
    ),
    bind(
        &[Watch],
        keys![Key::char('x'), Key::plain(Code::Delete)],
        Action::Unwatch,
        "stop watching the selected key",
    ),
    view(
        &[Watch],
        keys![Key::plain(Code::Esc)],
        ViewAction::Leave,
        "remove the cursor; without one, to the command line",
    ),
    view(
        &[Chart],
        keys![Key::plain(Code::Esc), Key::char('q')],
        ViewAction::Leave,
        "remove the cursor; without one, back to the panes",
    ),
    view(
        &[Chart],
        keys![Key::char('f'), Key::plain(Code::Enter)],
        ViewAction::Full,
        "back to the panes",
    ),
    view(
        CHARTED,
        keys![Key::plain(Code::Left), Key::char('h')],
        ViewAction::Cursor(-1),
        "cursor: read a point a column to the left",
    ),
    view(
        CHARTED,
        keys![Key::plain(Code::Right), Key::char('l')],
        ViewAction::Cursor(1),
        "cursor: read a point a column to the right",
    ),
    view(
        CHARTED,
        keys![Key::char('H'), Key::alt(Code::Left)],
        ViewAction::Cursor(-10),
        "cursor: ten columns to the left",
    ),
    view(
        CHARTED,
        keys![Key::char('L'), Key::alt(Code::Right)],
        ViewAction::Cursor(10),
        "cursor: ten columns to the right",
    ),
    view(
        CHARTED,
        keys![Key::char('z')],
        ViewAction::Zoom(true),
        "zoom in, around the cursor, else at the newest",
    ),
    view(CHARTED, keys![Key::char('Z')], ViewAction::Zoom(false), "zoom out: twice the time"),
    view(
        CHARTED,
        keys![Key::char('['), Key::char('<')],
        ViewAction::Pan(-1),
        "move to earlier points",
    ),
    view(
        CHARTED,
        keys![Key::char(']'), Key::char('>')],
        ViewAction::Pan(1),
        "move to later points",
    ),
    view(
        CHARTED,
        keys![Key::char('0')],
        ViewAction::Whole,
        "live again: all points, following the newest",
    ),
    view(
        CHARTED,
        keys![Key::char('y')],
        ViewAction::Log,
        "log axis: logarithmic values; again: linear",
    ),
    view(
        CHARTED,
        keys![Key::char(' '), Key::char('m')],
        ViewAction::Mark,
        "keep this key in the chart; again: drop it",
    ),
    view(
        CHARTED,
        keys![Key::char('M')],
        ViewAction::MarkAll,
        "all keys in one chart; again: only the selected one",
    ),
    view(
        MEASURED,
        keys![Key::char('!')],
        ViewAction::AddAlert,
        "alert: set a threshold, such as palm.cpu > 90",
    ),
    view(CHARTED, keys![Key::char('d')], ViewAction::DropAlerts, "drop the alerts on this key"),
    bind(
        MEASURED,
        keys![Key::char('r')],
        Action::Refresh,
        "ask the server now, once, even while paused",
    ),
    view(
        MEASURED,
        keys![Key::char('+'), Key::char('=')],
        ViewAction::Interval(1),
        "slower: poll less often, at a longer interval",
    ),
    view(
        MEASURED,
        keys![Key::char('-')],
        ViewAction::Interval(-1),
        "faster: poll more often, at a shorter interval",
    ),
    view(
        MEASURED,
        keys![Key::char('W')],
        ViewAction::AddWatch,
        "watch another key, or a glob such as palm.*",
    ),
    view(&[Table], keys![Key::char('0')], ViewAction::SortBy(0), "sort as in the reply"),
    view(&[Table], keys![Key::char('1')], ViewAction::SortBy(1), SORT_BY),
    view(&[Table], keys![Key::char('2')], ViewAction::SortBy(2), SORT_BY),
    view(&[Table], keys![Key::char('3')], ViewAction::SortBy(3), SORT_BY),
    view(&[Table], keys![Key::char('4')], ViewAction::SortBy(4), SORT_BY),
    view(&[Table], keys![Key::char('5')], ViewAction::SortBy(5), SORT_BY),
    view(&[Table], keys![Key::char('6')], ViewAction::SortBy(6), SORT_BY),
    view(&[Table], keys![Key::char('7')], ViewAction::SortBy(7), SORT_BY),
    view(&[Table], keys![Key::char('8')], ViewAction::SortBy(8), SORT_BY),
    view(&[Table], keys![Key::char('9')], ViewAction::SortBy(9), SORT_BY),
    view(&[Columns], keys![Key::char(' ')], ViewAction::ToggleColumn, "show or hide the column"),
    view(
        &[Columns],
        keys![Key::plain(Code::Esc), Key::plain(Code::Enter), Key::char('c'), Key::char('q')],
        ViewAction::Leave,
        "back to the table",
    ),
    view(&[Field], keys![Key::plain(Code::Enter)], ViewAction::Accept, "done"),
    view(&[Field], keys![Key::plain(Code::Esc), Key::ctrl('c')], ViewAction::Leave, "cancel"),
    edit(keys![Key::plain(Code::Left), Key::ctrl('b')], Edit::Left, "a character left"),
    edit(keys![Key::plain(Code::Right), Key::ctrl('f')], Edit::Right, "a character right"),
    edit(
        keys![Key::alt(Code::Char('b')), Key::alt(Code::Left), Key::with_ctrl(Code::Left)],
        Edit::WordLeft,
        "a word left",
    ),
    edit(
        keys![Key::alt(Code::Char('f')), Key::alt(Code::Right), Key::with_ctrl(Code::Right)],
        Edit::WordRight,
        "a word right",
    ),
    edit(
        keys![Key::plain(Code::Home), Key::ctrl('a')],
        Edit::Start,
        "to the beginning of the line",
    ),
    edit(keys![Key::plain(Code::End), Key::ctrl('e')], Edit::End, "to the end of the line"),
    edit(
        keys![Key::plain(Code::Backspace), Key::ctrl('h')],
        Edit::DeleteLeft,
        "delete the character before the cursor",
    ),
    edit(keys![Key::plain(Code::Delete)], Edit::DeleteRight, "delete the character at the cursor"),
    edit(
        keys![Key::ctrl('w'), Key::alt(Code::Backspace)],
        Edit::KillWordLeft,
        "delete the word before the cursor",
    ),
    edit(
        keys![Key::alt(Code::Char('d'))],
        Edit::KillWordRight,
        "delete the word behind the cursor",
    ),
    edit(keys![Key::ctrl('u')], Edit::KillToStart, "delete to the beginning of the line"),
    edit(keys![Key::ctrl('k')], Edit::KillToEnd, "delete to the end of the line"),
    edit(keys![Key::ctrl('y')], Edit::Yank, "put back what was deleted"),
    edit(keys![Key::ctrl('_')], Edit::Undo, "undo"),
];
