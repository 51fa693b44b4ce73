//! The actions that keys are bound to, as data.

/// An action of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// End the program.
    Quit,
    /// Open or close the list of keys.
    Help,
    /// Open the list of keys if the command line is empty, or close it if nothing is typed there;
    /// else type the character.
    HelpOrType,
    /// Suspend the program to the shell.
    Suspend,
    /// Copy the shell command that prints the view.
    CopyCommand,
    /// Save the screen as a picture.
    SavePicture,
    /// Save view, points and log, to be opened anywhere.
    SaveSession,
    /// Type the name of a file to save the view in.
    SaveView,
    /// Draw in the next built-in theme, in the end in that of the start.
    NextTheme,
    /// Focus the pane so many further on, or back if negative.
    CyclePane(i8),
    /// Focus the command line.
    FocusPrompt,
    /// Begin a request in the command line with the letter of the key.
    BeginRequest,
    /// Edit the line that is being typed.
    Edit(Edit),
    /// Accept the typed filter, alert, search or file name, the found history line, or the chosen line
    /// of the list of keys.
    Accept,
    /// Put the filter that was dropped last into the line.
    RecallFilter,
    /// Complete a key or a mark in the line, forward or backward.
    CompleteLine {
        /// By the next one.
        forward: bool,
    },
    /// Close the overlay opened last, without effect.
    Cancel,
    /// Send the request in the command line.
    Submit,
    /// Move by lines, down if positive.
    Lines(i8),
    /// Move by pages, down if positive.
    Pages(i8),
    /// Move to the first line.
    Top,
    /// Move to the last line.
    Bottom,
    /// Poll once, now.
    Refresh,
    /// Let the screen stand still, or go on.
    TogglePause,
    /// Choose the next longer poll interval if positive, else the next shorter one.
    Interval(i8),
    /// An action of the command line.
    Prompt(PromptAction),
    /// An action of the log.
    Log(LogAction),
    /// An action of the table.
    Table(TableAction),
    /// An action of the watched keys.
    Watch(WatchAction),
    /// An action of the chart.
    Chart(ChartAction),
    /// Type a key or a glob to watch.
    AddWatch,
    /// Type an alert.
    AddAlert,
    /// Remove the alerts on the selected key, or bring back those that were removed last.
    DropAlerts,
    /// Silence the alerts that fire or come and go.
    SilenceAlerts,
    /// Select the next watched key for which an alert fires.
    NextAlarm,
    /// Type a time to go to with table, chart and log.
    GoToTime,
    /// Type the name of a mark to put.
    AddMark,
    /// Type a mark or a time to compare the table with.
    Compare,
    /// Go back to what is live.
    Live,
    /// Open the list of columns.
    Columns,
    /// Show or hide the selected column.
    ToggleColumn,
}

/// An edit of the line that is being typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Edit {
    Left,
    Right,
    WordLeft,
    WordRight,
    Start,
    End,
    DeleteLeft,
    DeleteRight,
    /// The letters and digits to the left.
    KillWordLeft,
    /// Everything up to a blank to the left.
    KillBlankWordLeft,
    KillWordRight,
    KillToStart,
    KillToEnd,
    KillAll,
    /// Insert what was killed last.
    Yank,
    Undo,
}

/// Actions of the command line, its history search and pasted lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are explained with their variant")]
pub enum PromptAction {
    /// The previous history line that begins like the one typed.
    Older,
    /// The next history line.
    Newer,
    /// Complete the word, forward or backward; with nothing typed, change the pane.
    Complete { forward: bool },
    /// Close the completions, else clear the line, else stop an import.
    Clear,
    /// Delete the character at the cursor; with nothing typed, end the program.
    DeleteOrQuit,
    /// Clear the line; with nothing typed, end the program.
    QuitOrClear,
    /// Open the history search, or go to its next older or newer match.
    Search { older: bool },
    /// Put the found history line into the command line.
    TakeFound,
    /// Send the pasted lines.
    SendPaste,
    /// Discard the pasted lines.
    DiscardPaste,
}

/// Actions of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are explained with their variant")]
pub enum LogAction {
    /// Type a search.
    Search,
    /// Type a filter.
    Filter,
    /// Type the name of a file to save the log in.
    Save,
    /// Move to the next match, up (older) or down.
    Match { older: bool },
    /// Scroll long lines by half the width of the pane, to the right or the left.
    Shift { right: bool },
    /// Show the log in place of all panes, or the panes again.
    Zoom,
    /// Log every line of replies, or excerpts.
    ToggleRaw,
    /// Follow new lines, or stop following.
    ToggleFollow,
    /// Copy the selected line.
    CopyLine,
    /// Copy the selected request and its reply.
    CopyExchange,
    /// Drop search and filter, else end the zoom, else focus the command line.
    Leave,
}

/// Actions of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableAction {
    /// Sort by the column so many to the right of the current one.
    SortBeside(i8),
    /// Sort by this column, counted from 1.
    SortBy(u8),
    /// Reverse the sort order.
    Reverse,
    /// Compute the numbers of the next longer window if positive, else of the next shorter one.
    Window(i8),
    /// Type a filter.
    Filter,
    /// Watch the selected key.
    Watch,
    /// Watch the selected key with the chart on the full screen.
    Chart,
    /// Drop the filter, else focus the command line.
    Leave,
}

/// Actions of the watched keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchAction {
    /// Stop watching the selected key.
    Unwatch,
    /// Keep the selected key in the chart, or drop it.
    Keep,
    /// Chart all keys, or the selected one.
    KeepAll,
    /// Show the chart on the full screen, or the panes again, with the focus where it was.
    FullScreen,
    /// Remove the cursor, else leave the full screen, else focus the command line.
    Leave,
}

/// Actions of the chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are explained with their variant")]
pub enum ChartAction {
    /// Show the next shorter window (closer), or the next longer one: round lengths.
    Zoom { closer: bool },
    /// Move by quarters of the width, to later points if positive.
    Pan(i8),
    /// Move the cursor by columns, to the right if positive.
    Cursor(i8),
    /// Move the cursor to the first point, or to the last one.
    End { first: bool },
    /// Show the newest seconds, or everything, and follow the newest points.
    Window(Option<u32>),
    /// Switch between a logarithmic and a linear value axis.
    LogAxis,
}
