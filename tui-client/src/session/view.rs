//! What a screen shows, and how: the view of a saved session, and that of a view file.

use std::time::Duration;

use shared::Glob;

use crate::metrics::alerts::Alert;
use crate::metrics::sort::{Sort, TableSpec};
use crate::metrics::window::ChartWindow;
use crate::sources::SourceLabel;

/// What is shown, and how. The names and values of its parts in files are those of `fields`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct View {
    /// The address of the server, `host:port`; the names of several.
    pub address: String,
    /// The servers in one view, without their runs; none for one without a name.
    pub hosts: Vec<SourceLabel>,
    /// What the keys in the view begin with; all are in it without any.
    pub runs: Vec<String>,
    /// By how many seconds the times of a source are shifted that is called like this, where they are.
    pub shifts: Vec<(String, u64)>,
    /// Unix seconds at which the session was saved: the time of its clock.
    pub saved_at: i64,
    /// The watched keys and globs.
    pub watch: Vec<Glob>,
    /// The alerts.
    pub alerts: Vec<Alert>,
    /// Filter, order, columns and window of the table.
    pub table: TableSpec,
    /// Every line of requests and replies is logged.
    pub raw_log: bool,
    /// The place in time, in Unix seconds; none while the screen is live.
    pub place: Option<i64>,
    /// What the table is compared with.
    pub compared: Option<Comparison>,
    /// Its order meanwhile, where that is not the one of `table`.
    pub compared_sort: Option<Sort>,
    /// The chart.
    pub chart: ChartView,
    /// The pane that had the keys last; as at the start without one.
    pub pane: Option<Focus>,
    /// The pane or the command line that has them.
    pub focus: Option<Focus>,
    /// The room of the log.
    pub log: LogRoom,
    /// The selected key of the table, where the selection follows its key.
    pub selected_row: Option<String>,
    /// The time between two polls; the usual one without it.
    pub interval: Option<Duration>,
    /// How the screen is drawn, where that was asked for.
    pub look: Look,
}

impl View {
    /// The sources of the view; none where it is of all keys of one server.
    pub fn sources(&self) -> Vec<SourceLabel> {
        let one = [SourceLabel { address: self.address.clone(), ..SourceLabel::default() }];
        let hosts = match &self.hosts[..] {
            [] if self.runs.is_empty() => return Vec::new(),
            [] => &one[..],
            hosts => hosts,
        };
        if self.runs.is_empty() {
            return hosts.to_vec();
        }
        let of_host = |host: &SourceLabel| {
            let host = host.clone();
            self.runs.iter().map(move |run| SourceLabel { run: run.clone(), ..host.clone() })
        };
        hosts.iter().flat_map(of_host).collect()
    }

    /// A view of these sources: each run on each server.
    #[must_use]
    pub fn with_sources(mut self, sources: impl IntoIterator<Item = SourceLabel>) -> Self {
        for SourceLabel { name, run, address } in sources {
            if !run.is_empty() && !self.runs.contains(&run) {
                self.runs.push(run);
            }
            if name.is_empty() {
                self.address = address;
            } else if !self.hosts.iter().any(|host| host.name == name) {
                self.add_host(name, address);
            }
        }
        self
    }

    /// Adds a server with a name.
    pub(super) fn add_host(&mut self, name: String, address: String) {
        self.hosts.push(SourceLabel { name, address, run: String::new() });
        let names: Vec<_> = self.hosts.iter().map(|host| host.name.as_str()).collect();
        self.address = names.join(", ");
    }
}

/// What a table is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// How things stood at a known time.
    Base(Base),
    /// As typed behind `C`: a mark or a time.
    Typed(String),
}

/// How things stood at an earlier time, and what that is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Unix seconds.
    pub at: i64,
    /// A mark, or the empty string for a date.
    pub mark: String,
}

/// What is seen of the watched keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChartView {
    /// The window of time.
    pub window: ChartWindow,
    /// The value axis is logarithmic.
    pub log: bool,
    /// The cursor, in Unix seconds.
    pub cursor: Option<i64>,
    /// The selected key.
    pub selected: Option<String>,
    /// The keys that are in the chart besides.
    pub marked: Vec<String>,
}

/// What has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Focus {
    Prompt,
    Table,
    Watch,
    /// The chart on the full screen.
    Chart,
    Log,
}

/// The room that the log has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogRoom {
    /// Below the panes; a few lines while nothing new comes.
    #[default]
    On,
    /// None, unless it has the focus.
    Off,
    /// That of all panes.
    Full,
}

/// How the screen is drawn: the values of the options with these names, none where they are those
/// that the terminal decides about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names of options")]
pub struct Look {
    pub theme: Option<String>,
    pub glyphs: Option<String>,
    pub ascii: Option<String>,
}

/// A value with a name in files.
pub(super) trait Named: Copy + PartialEq + 'static {
    /// All, with their names.
    const NAMES: &'static [(&'static str, Self)];

    /// Its name.
    fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, value)| *value == self).map_or("", |(name, _)| name)
    }

    /// The value of a name.
    ///
    /// # Errors
    /// The names that there are.
    fn named(name: &str) -> Result<Self, String> {
        let found = Self::NAMES.iter().find(|(known, _)| *known == name);
        found.map(|&(_, value)| value).ok_or_else(|| {
            let names: Vec<_> = Self::NAMES.iter().map(|(name, _)| *name).collect();
            format!("one of {}", names.join(", "))
        })
    }
}

impl Named for Focus {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("prompt", Self::Prompt),
        ("table", Self::Table),
        ("watch", Self::Watch),
        ("chart", Self::Chart),
        ("log", Self::Log),
    ];
}

impl Named for LogRoom {
    const NAMES: &'static [(&'static str, Self)] =
        &[("on", Self::On), ("off", Self::Off), ("full", Self::Full)];
}
