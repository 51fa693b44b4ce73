//! The mode of the keyboard, which decides the actions of keys.

/// The part of the screen that gets the keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The command line.
    #[default]
    Prompt,
    /// The table of the last `get`.
    Table,
    /// The watched keys and their chart.
    Watch,
    /// The chart of the watched keys, on the full screen.
    Chart,
    /// The line input for a filter of the table, an alert or a key to watch.
    SeriesInput,
    /// The list of columns of the table.
    Columns,
    /// The protocol log.
    Log,
    /// The list of keys, over everything else, in which what is typed is looked for.
    Help,
    /// The history search of the command line.
    HistorySearch,
    /// The confirmation of pasted lines.
    Confirm,
    /// The line input for a search, a filter or a file name of the log.
    LogInput,
}

/// The panes above the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "as in Mode")]
pub enum Pane {
    Table,
    Watch,
    Log,
}

impl Mode {
    /// No text is typed, and notices on the bottom line are visible.
    pub fn is_for_reading(self) -> bool {
        use Mode::{Chart, Columns, Confirm, Log, Table, Watch};
        matches!(self, Table | Watch | Chart | Columns | Log | Confirm)
    }

    /// What is typed now, or its first letter, goes to the command line.
    pub fn takes_requests(self) -> bool {
        matches!(self, Self::Prompt | Self::Table | Self::Watch | Self::Chart | Self::Log)
    }

    /// The pane that has the focus in this mode.
    pub fn pane(self) -> Option<Pane> {
        match self {
            Self::Table | Self::Columns => Some(Pane::Table),
            Self::Watch | Self::Chart => Some(Pane::Watch),
            Self::Log => Some(Pane::Log),
            _ => None,
        }
    }
}
