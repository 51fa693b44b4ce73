//! The requests that wait for their replies.

use std::time::Duration;

use shared::selector::Aggregate;

use crate::metrics::window::Window;

/// The connection that a request goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Channel {
    /// That of the requests that are typed.
    #[default]
    Prompt,
    /// That of the data of the screen, so that what is typed never waits behind a large reply.
    Data,
}

/// What a part of the screen asks for with a query, so that its answer finds the way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryTag {
    /// The marks.
    Marks,
    /// The chart, with a number of its own.
    Chart(u64),
    /// Numbers of rows of the table.
    Rows(RowQuery),
    /// A number of the points of the watched keys.
    Watch(WatchQuery),
    /// A number of all points of keys with alerts.
    Alerted(AlertedQuery),
    /// What alerts compare at a place in time.
    Judged(JudgedQuery),
    /// How much a `del` deletes, with a number of its own.
    Deletion(u64),
    /// Points of a session that is being saved.
    Session(SessionQuery),
    /// Some keys of a query that was refused, with the number of that.
    Half(u64),
}

/// A query for a session that is being saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionQuery {
    /// The number of the queries of one session.
    pub number: u64,
    /// What is asked for.
    pub part: SessionPart,
}

/// What is asked for a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are explained with their variant")]
pub enum SessionPart {
    /// Points as they are.
    Points,
    /// How many points keys have.
    Count,
    /// How many points all keys have together up to a Unix second at the place in time or after it.
    PlaceCount { until: i64 },
    /// How many points all keys have together from an earlier time on.
    EarlierCount,
    /// How many points keys of the chart have before those.
    ChartCount,
    /// Least or greatest values of buckets, which stand `later` seconds behind their beginning.
    Extremes { later: i64 },
}

/// A time that is called something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedTime {
    /// Unix seconds.
    pub at: i64,
    /// A mark, or a date.
    pub name: String,
}

/// A query for a number of all points of keys with alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertedQuery {
    /// The number of the queries that are made together.
    pub batch: u64,
    /// The number of the points.
    pub of: Aggregate,
}

/// A query for what alerts compare at a place in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JudgedQuery {
    /// The number of the queries that are made together.
    pub batch: u64,
    /// The number of the points; the newest ones without it.
    pub of: Option<Aggregate>,
}

/// A query for a number of the watched keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchQuery {
    /// The number of the query.
    pub number: u64,
    /// The window of the points.
    pub window: Window,
}

/// A query for rows of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowQuery {
    /// The number of the rows that are asked for together.
    pub batch: u64,
    /// What is asked for.
    pub part: RowPart,
}

/// A part of what is known of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowPart {
    /// The newest points.
    Recent,
    /// A number of the window.
    Number(Aggregate),
    /// The course over the window, in steps of so many seconds.
    Trend(i64),
}

/// The order of queries that wait: the lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// For a request that was typed or a key that was pressed.
    Now,
    /// The answer completes what is on the screen.
    Soon,
    /// The answer may be large; it is asked for when nothing else is under way.
    Background,
}

/// A `get` for a part of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// What is asked for.
    pub selector: String,
    /// Who asks for it.
    pub tag: QueryTag,
    /// When it is sent.
    pub priority: Priority,
}

/// The purpose of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// Typed as this line.
    Typed(String),
    /// A poll of the table.
    Refresh,
    /// A poll of the watched keys with this selector.
    Watch(String),
    /// The state of all followed keys, with the id of the follow.
    Snapshot(u64),
    /// The names of all keys, to complete what is typed.
    Keys,
    /// The newest points of keys of this pattern, some of which were taken back.
    Renewal(String),
    /// How things stood at the place in time.
    AsOf,
    /// How things stood at the time that the table is compared with.
    Base(NamedTime),
    /// A query of a part of the screen, whose answer is points.
    Query(QueryTag),
}

/// A request without its reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The id that comes back with the reply.
    pub id: u64,
    /// The connection that it went over.
    pub channel: Channel,
    /// The request line.
    pub line: String,
    /// The purpose.
    pub purpose: Purpose,
    /// The time of the request, since the start of the program.
    pub since: Duration,
    /// Points of the reply so far.
    pub points: u64,
    /// Bytes of the reply so far.
    pub bytes: u64,
    /// It was sent ahead of the reply to another one.
    pub is_behind: bool,
}

/// A request to be sent: its line and its purpose.
pub type Due = (String, Purpose);
