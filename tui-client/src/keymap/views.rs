//! The keys of the table, the watched keys and their chart.

use super::{Binding, bind, keys};
use crate::app::action::Action;
use crate::app::editor::Edit;
use crate::app::mode::Mode::{self, Chart, Columns, Field, Table, Watch};
use crate::app::views::ViewAction;
use crate::event::{KeyCode, KeyPress};

const CHARTED: &[Mode] = &[Watch, Chart];
const MEASURED: &[Mode] = &[Table, Watch, Chart];

const SORT_BY: &str = "sort by that column; again: reverse";

const fn edit(keys: &'static [KeyPress], edit: Edit, help: &'static str) -> Binding {
    view(&[Field], keys, ViewAction::Edit(edit), help)
}

const fn view(
    modes: &'static [Mode],
    keys: &'static [KeyPress],
    action: ViewAction,
    help: &'static str,
) -> Binding {
    bind(modes, keys, Action::View(action), help)
}

/// These keys; they count before the others.
pub(super) static BINDINGS: &[Binding] = &[
    bind(
        &[Table],
        keys![KeyPress::plain(KeyCode::Enter), KeyPress::char('w')],
        Action::WatchSelected,
        "watch the selected key, with its chart",
    ),
    view(
        &[Table],
        keys![KeyPress::char('f')],
        ViewAction::ChartSelected,
        "watch it, with the chart on the full screen",
    ),
    view(
        &[Table],
        keys![KeyPress::char('/')],
        ViewAction::Filter,
        "filter: only some rows: palm.*, rate > 1k, not stale",
    ),
    view(
        &[Table],
        keys![KeyPress::char('>'), KeyPress::plain(KeyCode::Right)],
        ViewAction::SortBeside(1),
        "sort by the next column on the right",
    ),
    view(
        &[Table],
        keys![KeyPress::char('<'), KeyPress::plain(KeyCode::Left)],
        ViewAction::SortBeside(-1),
        "sort by the next column on the left",
    ),
    view(&[Table], keys![KeyPress::char('o')], ViewAction::Reverse, "reverse the sort order"),
    view(&[Table], keys![KeyPress::char('c')], ViewAction::Columns, "choose the columns"),
    bind(&[Table], keys![KeyPress::char('*')], Action::AllKeys, "show all keys again (get *)"),
    view(
        &[Table],
        keys![KeyPress::plain(KeyCode::Esc)],
        ViewAction::Leave,
        "drop the filter; without one, to the command line",
    ),
    view(
        &[Watch],
        keys![KeyPress::char('f'), KeyPress::plain(KeyCode::Enter)],
        ViewAction::Full,
        "the chart on the full screen",
    ),
    bind(
        &[Watch],
        keys![KeyPress::char('x'), KeyPress::plain(KeyCode::Delete)],
        Action::Unwatch,
        "stop watching the selected key",
    ),
    view(
        &[Watch],
        keys![KeyPress::plain(KeyCode::Esc)],
        ViewAction::Leave,
        "remove the cursor; without one, to the command line",
    ),
    view(
        &[Chart],
        keys![KeyPress::plain(KeyCode::Esc), KeyPress::char('q')],
        ViewAction::Leave,
        "remove the cursor; without one, back to the panes",
    ),
    view(
        &[Chart],
        keys![KeyPress::char('f'), KeyPress::plain(KeyCode::Enter)],
        ViewAction::Full,
        "back to the panes",
    ),
    view(
        CHARTED,
        keys![KeyPress::plain(KeyCode::Left), KeyPress::char('h')],
        ViewAction::Cursor(-1),
        "cursor: read a point a column to the left",
    ),
    view(
        CHARTED,
        keys![KeyPress::plain(KeyCode::Right), KeyPress::char('l')],
        ViewAction::Cursor(1),
        "cursor: read a point a column to the right",
    ),
    view(
        CHARTED,
        keys![KeyPress::char('H'), KeyPress::alt(KeyCode::Left)],
        ViewAction::Cursor(-10),
        "cursor: ten columns to the left",
    ),
    view(
        CHARTED,
        keys![KeyPress::char('L'), KeyPress::alt(KeyCode::Right)],
        ViewAction::Cursor(10),
        "cursor: ten columns to the right",
    ),
    view(
        CHARTED,
        keys![KeyPress::char('z')],
        ViewAction::Zoom(true),
        "zoom in, around the cursor, else at the newest",
    ),
    view(CHARTED, keys![KeyPress::char('Z')], ViewAction::Zoom(false), "zoom out: twice the time"),
    view(
        CHARTED,
        keys![KeyPress::char('['), KeyPress::char('<')],
        ViewAction::Pan(-1),
        "move to earlier points",
    ),
    view(
        CHARTED,
        keys![KeyPress::char(']'), KeyPress::char('>')],
        ViewAction::Pan(1),
        "move to later points",
    ),
    view(
        CHARTED,
        keys![KeyPress::char('0')],
        ViewAction::Whole,
        "live again: all points, following the newest",
    ),
    view(
        CHARTED,
        keys![KeyPress::char('y')],
        ViewAction::Log,
        "log axis: logarithmic values; again: linear",
    ),
    view(
        CHARTED,
        keys![KeyPress::char(' '), KeyPress::char('m')],
        ViewAction::Mark,
        "keep this key in the chart; again: drop it",
    ),
    view(
        CHARTED,
        keys![KeyPress::char('M')],
        ViewAction::MarkAll,
        "all keys in one chart; again: only the selected one",
    ),
    view(
        MEASURED,
        keys![KeyPress::char('!')],
        ViewAction::AddAlert,
        "alert: set a threshold, such as palm.cpu > 90",
    ),
    view(
        CHARTED,
        keys![KeyPress::char('d')],
        ViewAction::DropAlerts,
        "drop the alerts on this key",
    ),
    bind(
        MEASURED,
        keys![KeyPress::char('r')],
        Action::Refresh,
        "ask the server now, once, even while paused",
    ),
    view(
        MEASURED,
        keys![KeyPress::char('+'), KeyPress::char('=')],
        ViewAction::Interval(1),
        "slower: poll less often, at a longer interval",
    ),
    view(
        MEASURED,
        keys![KeyPress::char('-')],
        ViewAction::Interval(-1),
        "faster: poll more often, at a shorter interval",
    ),
    view(
        MEASURED,
        keys![KeyPress::char('W')],
        ViewAction::AddWatch,
        "watch another key, or a glob such as palm.*",
    ),
    view(&[Table], keys![KeyPress::char('0')], ViewAction::SortBy(0), "sort as in the reply"),
    view(&[Table], keys![KeyPress::char('1')], ViewAction::SortBy(1), SORT_BY),
    view(&[Table], keys![KeyPress::char('2')], ViewAction::SortBy(2), SORT_BY),
    view(&[Table], keys![KeyPress::char('3')], ViewAction::SortBy(3), SORT_BY),
    view(&[Table], keys![KeyPress::char('4')], ViewAction::SortBy(4), SORT_BY),
    view(&[Table], keys![KeyPress::char('5')], ViewAction::SortBy(5), SORT_BY),
    view(&[Table], keys![KeyPress::char('6')], ViewAction::SortBy(6), SORT_BY),
    view(&[Table], keys![KeyPress::char('7')], ViewAction::SortBy(7), SORT_BY),
    view(&[Table], keys![KeyPress::char('8')], ViewAction::SortBy(8), SORT_BY),
    view(&[Table], keys![KeyPress::char('9')], ViewAction::SortBy(9), SORT_BY),
    view(
        &[Columns],
        keys![KeyPress::char(' ')],
        ViewAction::ToggleColumn,
        "show or hide the column",
    ),
    view(
        &[Columns],
        keys![
            KeyPress::plain(KeyCode::Esc),
            KeyPress::plain(KeyCode::Enter),
            KeyPress::char('c'),
            KeyPress::char('q')
        ],
        ViewAction::Leave,
        "back to the table",
    ),
    view(&[Field], keys![KeyPress::plain(KeyCode::Enter)], ViewAction::Accept, "done"),
    view(
        &[Field],
        keys![KeyPress::plain(KeyCode::Esc), KeyPress::ctrl('c')],
        ViewAction::Leave,
        "cancel",
    ),
    edit(
        keys![KeyPress::plain(KeyCode::Left), KeyPress::ctrl('b')],
        Edit::Left,
        "a character left",
    ),
    edit(
        keys![KeyPress::plain(KeyCode::Right), KeyPress::ctrl('f')],
        Edit::Right,
        "a character right",
    ),
    edit(
        keys![
            KeyPress::alt(KeyCode::Char('b')),
            KeyPress::alt(KeyCode::Left),
            KeyPress::with_ctrl(KeyCode::Left)
        ],
        Edit::WordLeft,
        "a word left",
    ),
    edit(
        keys![
            KeyPress::alt(KeyCode::Char('f')),
            KeyPress::alt(KeyCode::Right),
            KeyPress::with_ctrl(KeyCode::Right)
        ],
        Edit::WordRight,
        "a word right",
    ),
    edit(
        keys![KeyPress::plain(KeyCode::Home), KeyPress::ctrl('a')],
        Edit::Start,
        "to the beginning of the line",
    ),
    edit(
        keys![KeyPress::plain(KeyCode::End), KeyPress::ctrl('e')],
        Edit::End,
        "to the end of the line",
    ),
    edit(
        keys![KeyPress::plain(KeyCode::Backspace), KeyPress::ctrl('h')],
        Edit::DeleteLeft,
        "delete the character before the cursor",
    ),
    edit(
        keys![KeyPress::plain(KeyCode::Delete)],
        Edit::DeleteRight,
        "delete the character at the cursor",
    ),
    edit(
        keys![KeyPress::ctrl('w'), KeyPress::alt(KeyCode::Backspace)],
        Edit::KillWordLeft,
        "delete the word before the cursor",
    ),
    edit(
        keys![KeyPress::alt(KeyCode::Char('d'))],
        Edit::KillWordRight,
        "delete the word behind the cursor",
    ),
    edit(keys![KeyPress::ctrl('u')], Edit::KillToStart, "delete to the beginning of the line"),
    edit(keys![KeyPress::ctrl('k')], Edit::KillToEnd, "delete to the end of the line"),
    edit(keys![KeyPress::ctrl('y')], Edit::Yank, "put back what was deleted"),
    edit(keys![KeyPress::ctrl('_')], Edit::Undo, "undo"),
];
