//! The keys of the table, the watched keys and their chart.

use super::{Binding, bind, hint, keys, vital};
use crate::app::action::Action;
use crate::app::editor::Edit;
use crate::app::mode::Mode::{self, Chart, Columns, Field, Table, Watch};
use crate::app::msg::{Code, Key};
use crate::app::views::ViewAction;

const CHARTED: &[Mode] = &[Watch, Chart];
const MEASURED: &[Mode] = &[Table, Watch, Chart];

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
    hint(view(&[Table], keys![Key::char('/')], ViewAction::Filter, "filter the rows"), "filter"),
    hint(
        view(
            &[Table],
            keys![Key::char('>'), Key::plain(Code::Right)],
            ViewAction::SortBeside(1),
            "order by the column on the right",
        ),
        "sort",
    ),
    view(
        &[Table],
        keys![Key::char('<'), Key::plain(Code::Left)],
        ViewAction::SortBeside(-1),
        "order by the column on the left",
    ),
    hint(
        view(&[Table], keys![Key::char('o')], ViewAction::Reverse, "the order the other way round"),
        "reverse",
    ),
    hint(
        view(&[Table], keys![Key::char('c')], ViewAction::Columns, "choose the columns"),
        "columns",
    ),
    hint(
        view(
            CHARTED,
            keys![Key::char('f'), Key::plain(Code::Enter)],
            ViewAction::Full,
            "the chart all over the screen, or back",
        ),
        "full",
    ),
    hint(
        view(
            CHARTED,
            keys![Key::plain(Code::Left), Key::char('h')],
            ViewAction::Cursor(-1),
            "read the point before",
        ),
        "cursor",
    ),
    view(
        CHARTED,
        keys![Key::plain(Code::Right), Key::char('l')],
        ViewAction::Cursor(1),
        "read the point after",
    ),
    view(
        CHARTED,
        keys![Key::char('H'), Key::alt(Code::Left)],
        ViewAction::Cursor(-10),
        "ten columns to the left",
    ),
    view(
        CHARTED,
        keys![Key::char('L'), Key::alt(Code::Right)],
        ViewAction::Cursor(10),
        "ten columns to the right",
    ),
    hint(view(CHARTED, keys![Key::char('z')], ViewAction::Zoom(true), "zoom in"), "zoom"),
    view(CHARTED, keys![Key::char('Z')], ViewAction::Zoom(false), "zoom out"),
    view(
        CHARTED,
        keys![Key::char('['), Key::char('<')],
        ViewAction::Pan(-1),
        "move the chart to the past",
    ),
    view(
        CHARTED,
        keys![Key::char(']'), Key::char('>')],
        ViewAction::Pan(1),
        "move the chart to the present",
    ),
    view(CHARTED, keys![Key::char('0')], ViewAction::Whole, "all points, following the newest"),
    hint(
        view(CHARTED, keys![Key::char('y')], ViewAction::Log, "a logarithmic value axis, or not"),
        "log scale",
    ),
    hint(
        view(
            CHARTED,
            keys![Key::char(' '), Key::char('m')],
            ViewAction::Mark,
            "keep this key in the chart beside others, or not",
        ),
        "mark",
    ),
    view(CHARTED, keys![Key::char('M')], ViewAction::MarkAll, "all keys in one chart, or one"),
    hint(
        view(
            MEASURED,
            keys![Key::char('!')],
            ViewAction::AddAlert,
            "an alert, such as palm.cpu > 90",
        ),
        "alert",
    ),
    view(CHARTED, keys![Key::char('d')], ViewAction::DropAlerts, "no alert on this key any more"),
    hint(view(CHARTED, keys![Key::char('p')], ViewAction::Pause, "stop asking, or go on"), "pause"),
    view(
        MEASURED,
        keys![Key::char('+'), Key::char('=')],
        ViewAction::Interval(1),
        "ask less often",
    ),
    view(MEASURED, keys![Key::char('-')], ViewAction::Interval(-1), "ask more often"),
    view(
        MEASURED,
        keys![Key::char('W')],
        ViewAction::AddWatch,
        "watch another key, or a glob such as palm.*",
    ),
    view(
        &[Table],
        keys![Key::char('f')],
        ViewAction::ChartSelected,
        "the chart of the selected key all over the screen",
    ),
    view(&[Table], keys![Key::char('0')], ViewAction::SortBy(0), "the order of the reply"),
    view(&[Table], keys![Key::char('1')], ViewAction::SortBy(1), "order by the first column"),
    view(&[Table], keys![Key::char('2')], ViewAction::SortBy(2), "by the second; again: reverse"),
    view(&[Table], keys![Key::char('3')], ViewAction::SortBy(3), "by the third"),
    view(&[Table], keys![Key::char('4')], ViewAction::SortBy(4), "by the fourth"),
    view(&[Table], keys![Key::char('5')], ViewAction::SortBy(5), "by the fifth"),
    view(&[Table], keys![Key::char('6')], ViewAction::SortBy(6), "by the sixth"),
    view(&[Table], keys![Key::char('7')], ViewAction::SortBy(7), "by the seventh"),
    view(&[Table], keys![Key::char('8')], ViewAction::SortBy(8), "by the eighth"),
    view(&[Table], keys![Key::char('9')], ViewAction::SortBy(9), "by the ninth"),
    hint(
        view(
            &[Columns],
            keys![Key::char(' '), Key::plain(Code::Enter)],
            ViewAction::ToggleColumn,
            "show or hide the column",
        ),
        "show or hide",
    ),
    vital(
        view(
            &[Columns],
            keys![Key::plain(Code::Esc), Key::char('c'), Key::char('q')],
            ViewAction::Leave,
            "back to the table",
        ),
        "back",
    ),
    hint(view(&[Field], keys![Key::plain(Code::Enter)], ViewAction::Accept, "take it"), "take"),
    vital(
        view(&[Field], keys![Key::plain(Code::Esc)], ViewAction::Leave, "leave it as it was"),
        "cancel",
    ),
    view(
        &[Watch],
        keys![Key::plain(Code::Esc)],
        ViewAction::Leave,
        "away with the cursor, or to the command line",
    ),
    vital(
        view(
            &[Chart],
            keys![Key::plain(Code::Esc), Key::char('q')],
            ViewAction::Leave,
            "away with the cursor, or back to all panes",
        ),
        "back",
    ),
    edit(keys![Key::plain(Code::Left), Key::ctrl('b')], Edit::Left, "left"),
    edit(keys![Key::plain(Code::Right), Key::ctrl('f')], Edit::Right, "right"),
    edit(keys![Key::alt(Code::Char('b')), Key::alt(Code::Left)], Edit::WordLeft, "a word left"),
    edit(keys![Key::alt(Code::Char('f')), Key::alt(Code::Right)], Edit::WordRight, "a word right"),
    edit(keys![Key::plain(Code::Home), Key::ctrl('a')], Edit::Start, "to the beginning"),
    edit(keys![Key::plain(Code::End), Key::ctrl('e')], Edit::End, "to the end"),
    edit(
        keys![Key::plain(Code::Backspace), Key::ctrl('h')],
        Edit::DeleteLeft,
        "delete to the left",
    ),
    edit(keys![Key::plain(Code::Delete)], Edit::DeleteRight, "delete to the right"),
    edit(
        keys![Key::ctrl('w'), Key::alt(Code::Backspace)],
        Edit::KillWordLeft,
        "delete the word to the left",
    ),
    edit(keys![Key::alt(Code::Char('d'))], Edit::KillWordRight, "delete the word to the right"),
    edit(keys![Key::ctrl('u')], Edit::KillToStart, "delete to the beginning"),
    edit(keys![Key::ctrl('k')], Edit::KillToEnd, "delete to the end"),
    edit(keys![Key::ctrl('y')], Edit::Yank, "put back what was deleted"),
    edit(keys![Key::ctrl('_')], Edit::Undo, "undo"),
];
