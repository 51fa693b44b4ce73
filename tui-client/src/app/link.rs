//! The connection as the application sees it, and the requests that wait for their replies.

use std::collections::VecDeque;
use std::time::Duration;

use shared::client::Backoff;

/// The state of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
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
    state: State,
    backoff: Backoff,
    pending: VecDeque<Pending>,
    next_id: u64,
    round_trip: Option<Duration>,
    /// It stood at least once.
    known: bool,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            state: State::Connecting,
            backoff: Backoff::default(),
            pending: VecDeque::new(),
            next_id: 0,
            round_trip: None,
            known: false,
        }
    }
}

impl Link {
    /// The state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Requests may be sent.
    pub fn is_connected(&self) -> bool {
        self.state == State::Connected
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

    /// Takes the wish to connect now, if it is time.
    pub fn try_now(&mut self, now: Duration) -> bool {
        let due = matches!(&self.state, State::Waiting { until, .. } if *until <= now);
        if due {
            self.state = State::Connecting;
        }
        due
    }

    /// The connection stands; says whether it came back.
    pub fn connected(&mut self) -> bool {
        self.state = State::Connected;
        self.backoff.succeeded();
        std::mem::replace(&mut self.known, true)
    }

    /// The connection failed; gives the requests that get no reply, and says whether this is
    /// news rather than one more failed try.
    pub fn disconnected(&mut self, reason: String, now: Duration) -> (VecDeque<Pending>, bool) {
        let news = self.is_connected() || self.backoff.failures() == 0;
        let until = now + self.backoff.failed();
        self.state = State::Waiting { until, reason };
        self.round_trip = None;
        (std::mem::take(&mut self.pending), news)
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

    /// Takes the request that a reply belongs to.
    pub fn answered(&mut self, id: u64, first: Duration) -> Option<Pending> {
        self.round_trip = Some(first);
        self.forget(id)
    }

    /// Takes a request that gets no reply.
    pub fn forget(&mut self, id: u64) -> Option<Pending> {
        let at = self.pending.iter().position(|pending| pending.id == id)?;
        self.pending.remove(at)
    }

    /// Notes how far a large reply has come.
    pub fn progress(&mut self, id: u64, points: u64) {
        if let Some(pending) = self.pending.iter_mut().find(|pending| pending.id == id) {
            pending.points = points;
        }
    }
}
