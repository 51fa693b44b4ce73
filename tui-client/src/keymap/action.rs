//! What a key can mean, as data; the application carries it out.

/// What a key can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// End the program.
    Quit,
    /// End the program if the command line is empty, else clear the line.
    QuitOrClear,
    /// Open or close the list of keys.
    Help,
    /// Open the list of keys if the command line is empty, else type the character.
    HelpOrType,
    /// Stop, as the shell's job control does.
    Suspend,
    /// Copy the shell command that prints the view.
    CopyCommand,
    /// Focus the next pane.
    NextPane,
    /// Focus the pane before.
    PreviousPane,
    /// Focus the command line.
    FocusPrompt,
    /// Edit the line that is being typed.
    Edit(Edit),
    /// Take what was typed: a filter, an alert, a search, a file name, the history line found.
    Accept,
    /// Leave what was opened last, without effect.
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
    /// Pause or resume polling.
    TogglePause,
    /// Choose the next longer poll interval if positive, else the next shorter one.
    Interval(i8),
    /// Show the table of all keys.
    AllKeys,
    /// Type what to find in the list of keys.
    SearchHelp,
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
    /// Remove the alerts on the selected key.
    DropAlerts,
}

/// What a key does to the line that is being typed.
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
pub enum PromptAction {
    /// The previous history line that begins like the one typed.
    Older,
    /// The next history line.
    Newer,
    /// Complete the word; with nothing typed, change the pane.
    Complete {
        /// The next completion or pane, else the one before.
        forward: bool,
    },
    /// Close the completions, else clear the line, else stop an import.
    Clear,
    /// Delete the character at the cursor; with nothing typed, end the program.
    DeleteOrQuit,
    /// Open the history search, or go to its next match.
    Search {
        /// Back in time.
        older: bool,
    },
    /// Edit the history line found.
    TakeFound,
    /// Send the pasted lines.
    SendPaste,
    /// Discard the pasted lines.
    DiscardPaste,
}

/// Actions of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogAction {
    /// Type what to search for.
    Search,
    /// Type a filter.
    Filter,
    /// Type the name of a file to save the log in.
    Save,
    /// Move to the next match.
    Match {
        /// Upwards, back in time.
        older: bool,
    },
    /// Move long lines by half the width of the pane.
    Shift {
        /// Show more of their right.
        right: bool,
    },
    /// Give the log the room of all panes, or take it back.
    Zoom,
    /// Log every line of replies, or excerpts.
    ToggleRaw,
    /// Follow new lines, or stay.
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
    /// Sort by this column, counted from 1; 0 is the order of the reply.
    SortBy(u8),
    /// Reverse the sort order.
    Reverse,
    /// Type a filter.
    Filter,
    /// Open the list of columns.
    Columns,
    /// Show or hide the selected column.
    ToggleColumn,
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
    /// Keep the selected key in the chart, or not.
    Mark,
    /// Chart all keys, or the selected one.
    MarkAll,
    /// Give the chart the full screen, or take it back.
    FullScreen,
    /// Remove the cursor, else leave the full screen, else focus the command line.
    Leave,
}

/// Actions of the chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChartAction {
    /// Show half of the time span, or twice as much.
    Zoom {
        /// Half of it.
        closer: bool,
    },
    /// Move by quarters of the width, to later points if positive.
    Pan(i8),
    /// Move the cursor by columns, to the right if positive.
    Cursor(i8),
    /// Show all points and follow the newest.
    Live,
    /// Switch between a logarithmic and a linear value axis.
    LogAxis,
}
