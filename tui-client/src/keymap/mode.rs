//! Where the keys go. One value, so that two places can't both have the focus.

/// What the keys act on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The command line.
    #[default]
    Prompt,
    /// The table of the last `get`.
    Table,
    /// The watched keys and their chart.
    Watch,
    /// The chart of the watched keys on the full screen.
    Chart,
    /// The line for a filter of the table, an alert or a key to watch.
    SeriesInput,
    /// The list in which the columns of the table are selected.
    Columns,
    /// The protocol log.
    Log,
    /// The list of keys, over everything else.
    Help,
    /// The line for a search in the list of keys.
    HelpSearch,
    /// The history search of the command line.
    HistorySearch,
    /// Pasted lines wait for a confirmation.
    Confirm,
    /// The line for a search, a filter or a file name of the log.
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
    /// No text is typed, and nothing lies over the bottom line.
    pub fn is_for_reading(self) -> bool {
        use Mode::{Chart, Columns, Confirm, Log, Table, Watch};
        matches!(self, Table | Watch | Chart | Columns | Log | Confirm)
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
