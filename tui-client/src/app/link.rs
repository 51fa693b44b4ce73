//! The connection as the application sees it, and the requests that wait for their replies.

use std::collections::VecDeque;
use std::time::Duration;

use shared::client::{LinkEvent, Reconnect};

/// The state of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkState {
    /// A try is under way.
    Connecting,
    /// It stands.
    Connected,
    /// The next try comes at `until`.
    Waiting {
        /// When.
        until: Duration,
        /// Why the last one failed.
        reason: String,
    },
}

/// Why a request was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// A person asked, with this line.
    Typed(String),
    /// To refresh the table.
    Refresh,
    /// For the watched keys, with this selector.
    Watch(String),
    /// To find out whether the server knows the selector extension; it has this key.
    Probe(String),
}

/// A request without its reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Comes back with the reply.
    pub id: u64,
    /// The request.
    pub line: String,
    /// Why it was made.
    pub purpose: Purpose,
    /// When it was made.
    pub since: Duration,
    /// Points of the reply so far.
    pub points: u64,
}

/// The connection.
#[derive(Debug)]
pub struct Link {
    address: String,
    state: LinkState,
    reconnect: Reconnect,
    pending: VecDeque<Pending>,
    next_id: u64,
    round_trip: Option<Duration>,
}

impl Link {
    /// A connection to `address` that is being made; the seed makes the waits before later ones.
    pub fn new(address: String, seed: u64) -> Self {
        Self {
            address,
            state: LinkState::Connecting,
            reconnect: Reconnect::new(seed),
            pending: VecDeque::new(),
            next_id: 0,
            round_trip: None,
        }
    }

    /// `host:port`, as it is shown.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The state.
    pub fn state(&self) -> &LinkState {
        &self.state
    }

    /// Requests may be sent.
    pub fn is_connected(&self) -> bool {
        self.state == LinkState::Connected
    }

    /// The time from the last request to the first byte of its reply.
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// The request that has waited longest.
    pub fn oldest(&self) -> Option<&Pending> {
        self.pending.front()
    }

    /// Requests without replies.
    pub fn pending(&self) -> &VecDeque<Pending> {
        &self.pending
    }

    /// When the next try is due.
    pub fn retry_at(&self) -> Option<Duration> {
        match &self.state {
            LinkState::Waiting { until, .. } => Some(*until),
            _ => None,
        }
    }

    /// Begins the next try if it is due, and says so.
    pub fn try_now(&mut self, now: Duration) -> bool {
        let due = matches!(&self.state, LinkState::Waiting { until, .. } if *until <= now);
        if due {
            self.state = LinkState::Connecting;
        }
        due
    }

    /// The connection stands; says whether that is an event.
    pub fn connected(&mut self) -> Option<LinkEvent> {
        self.state = LinkState::Connected;
        self.reconnect.connected()
    }

    /// The connection failed; gives the requests that get no reply, and whether that is an event.
    pub fn disconnected(
        &mut self,
        reason: String,
        now: Duration,
    ) -> (VecDeque<Pending>, Option<LinkEvent>) {
        let (wait, event) = self.reconnect.failed();
        self.state = LinkState::Waiting { until: now + wait, reason };
        self.round_trip = None;
        (std::mem::take(&mut self.pending), event)
    }

    /// A number for a request that is not noted here.
    pub fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Notes a request that goes out now, and gives its number.
    pub fn sent(&mut self, line: &str, purpose: Purpose, now: Duration) -> u64 {
        self.next_id += 1;
        self.pending.push_back(Pending {
            id: self.next_id,
            line: line.to_owned(),
            purpose,
            since: now,
            points: 0,
        });
        self.next_id
    }

    /// A reply has come, the first byte of it after so long: says whether that is an event.
    pub fn answered(&mut self, first: Duration) -> Option<LinkEvent> {
        self.round_trip = Some(first);
        self.reconnect.answered()
    }

    /// Takes a request that has its reply, or gets none.
    pub fn take(&mut self, id: u64) -> Option<Pending> {
        let at = self.pending.iter().position(|pending| pending.id == id)?;
        self.pending.remove(at)
    }

    /// A request still waits for its reply.
    pub fn is_pending(&self, id: u64) -> bool {
        self.pending.iter().any(|pending| pending.id == id)
    }

    /// Notes how far a large reply has come.
    pub fn progress(&mut self, id: u64, points: u64) {
        if let Some(pending) = self.pending.iter_mut().find(|pending| pending.id == id) {
            pending.points = points;
        }
    }
}
