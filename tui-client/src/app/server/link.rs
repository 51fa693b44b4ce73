//! The connection to the server, and the requests that wait for their replies.

use std::collections::VecDeque;
use std::time::Duration;

use shared::client::{LinkEvent, Reconnect};

use crate::app::context::Context;
use crate::app::log::Log;
use crate::effect::{Effect, NetworkOrder, Outgoing};
use crate::metrics::patterns::Patterns;
use crate::metrics::reply::Reply;
use crate::request::normalize::without_filled;
use crate::request::pending::{Channel, Due, Pending, Purpose};
use crate::request::selector::is_follow;
use crate::text::connection::{NO_ANSWER, NO_HOST, NO_SERVER, connect_message, link_message};
use crate::wire_log::entry::Tone;

/// Waiting time from which on a pending request is shown.
pub const SLOW: Duration = Duration::from_secs(1);

/// The size up to which a reply is small, in bytes: its first byte comes with the last, and its time
/// is that of the way.
const MAX_SMALL: u64 = 64 * 1024;

/// How a request goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The connection.
    pub channel: Channel,
    /// Only when every request before it is answered.
    pub alone: bool,
}

/// The state of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are explained with their variant")]
pub enum LinkState {
    /// A connection is being made.
    Connecting,
    /// The connection is established.
    Connected,
    /// The next try is due at `until`; `reason` is that of the last failure.
    Waiting { until: Duration, reason: String },
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
    /// A connection to `address` that is being made; the seed is for the random waits before
    /// retries.
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

    /// The address to show, `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The state of the connection.
    pub fn state(&self) -> &LinkState {
        &self.state
    }

    /// Requests may be sent.
    pub fn is_connected(&self) -> bool {
        self.state == LinkState::Connected
    }

    /// The time from the last small request to the first byte of its reply.
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// The request that has waited longest; the silence of a follow is no wait.
    pub fn oldest(&self) -> Option<&Pending> {
        self.pending.iter().find(|pending| !is_follow(&pending.line))
    }

    /// A typed follow is on its way or arriving, and nothing has been sent that ends it.
    pub fn is_following(&self) -> bool {
        let mut typed = self.pending.iter().rev().filter(|it| it.channel == Channel::Prompt);
        typed.next().is_some_and(|pending| is_follow(&pending.line))
    }

    /// Requests without replies.
    pub fn pending(&self) -> &VecDeque<Pending> {
        &self.pending
    }

    /// A poll of the table or of watched keys is under way.
    pub fn is_polling(&self) -> bool {
        let is_poll = |purpose: &Purpose| matches!(purpose, Purpose::Refresh | Purpose::Watch(_));
        self.pending.iter().any(|pending| is_poll(&pending.purpose))
    }

    /// When the link wants a tick: for the next try, or to show how long a slow reply has taken.
    pub fn next_wake(&self, now: Duration) -> Option<Duration> {
        if let LinkState::Waiting { until, .. } = self.state {
            return Some(until);
        }
        let since = self.oldest()?.since;
        let waited = now.saturating_sub(since).as_secs();
        Some(since + SLOW.max(Duration::from_secs(waited + 1)))
    }

    /// Begins the next try if it is due.
    pub fn retry(&mut self, cx: &mut Context) {
        if matches!(self.state, LinkState::Waiting { until, .. } if until <= cx.now().elapsed) {
            self.state = LinkState::Connecting;
            cx.push(Effect::Network(NetworkOrder::Connect));
        }
    }

    /// Records an established connection.
    pub fn on_connected(&mut self, log: &mut Log, cx: &mut Context) {
        self.state = LinkState::Connected;
        let event = self.reconnect.connected();
        self.tell_connected(event, log, cx);
    }

    /// Records a failed or lost connection; pending requests get no reply.
    pub fn on_disconnected(&mut self, reason: &str, log: &mut Log, cx: &mut Context) {
        let (wait, event) = self.reconnect.failed();
        let until = cx.now().elapsed + wait;
        self.state = LinkState::Waiting { until, reason: reason.to_owned() };
        self.round_trip = None;
        log.restart();
        if let Some(event) = event {
            let is_known = [NO_SERVER, NO_ANSWER, NO_HOST].contains(&reason);
            let text = if is_known {
                link_message(event, &connect_message(reason, &self.address))
            } else {
                link_message(event, reason)
            };
            match event {
                // This replaces the notice that the connection is established.
                LinkEvent::Unsteady => log.report(text, cx),
                _ => log.note(cx.now(), Tone::Bad, &text),
            }
        }
        for pending in std::mem::take(&mut self.pending) {
            if let Purpose::Typed(typed) = &pending.purpose {
                let request = without_filled(typed, &pending.line);
                let text = if is_follow(&pending.line) {
                    format!("the follow has ended: {request}")
                } else {
                    format!("no reply to: {request}")
                };
                log.report(text, cx);
            }
        }
    }

    /// Records that these requests get no reply, and returns them.
    pub fn on_lost(&mut self, ids: &[u64]) -> Vec<Pending> {
        ids.iter().filter_map(|&id| self.take(id)).collect()
    }

    /// The number of requests for data without a reply.
    pub fn data_in_flight(&self) -> usize {
        self.pending.iter().filter(|pending| !matches!(pending.purpose, Purpose::Typed(_))).count()
    }

    fn tell_connected(&self, event: Option<LinkEvent>, log: &mut Log, cx: &mut Context) {
        let Some(event) = event else { return };
        let again = event == LinkEvent::Reconnected;
        let what = if again { "connected again to" } else { "connected to" };
        log.note(cx.now(), Tone::Good, &format!("{what} {}", self.address));
        if again {
            cx.say(Tone::Good, "connected again");
        }
    }

    /// The next id, for a request that is not pending here.
    pub fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Makes the next ids greater than this one.
    pub fn skip_ids(&mut self, id: u64) {
        self.next_id = self.next_id.max(id.min(u64::MAX / 2));
    }

    /// Sends a typed request and returns its id. `filled`: the client has added the timestamp;
    /// `watched`: the keys and globs whose series are kept in full.
    pub fn send(
        &mut self,
        due: Due,
        filled: bool,
        watched: &Patterns,
        log: &mut Log,
        cx: &mut Context,
    ) -> u64 {
        let route = Route { channel: Channel::Prompt, alone: false };
        self.send_over(route, due, filled, watched, log, cx)
    }

    /// Sends a request over a connection and returns its id.
    pub fn send_over(
        &mut self,
        Route { channel, alone }: Route,
        (line, purpose): Due,
        filled: bool,
        watched: &Patterns,
        log: &mut Log,
        cx: &mut Context,
    ) -> u64 {
        let (id, since) = (self.next_id(), cx.now().elapsed);
        let mut capture = log.capture(&purpose);
        // Its lines are logged as they come.
        capture.raw |= is_follow(&line);
        log.log_request((id, &line), capture, filled, cx.now());
        let is_behind = !alone && self.pending.iter().any(|other| other.channel == channel);
        let line_sent = line.clone();
        let pending = Pending {
            id,
            channel,
            line: line_sent,
            purpose,
            since,
            points: 0,
            bytes: 0,
            is_behind,
        };
        self.pending.push_back(pending);
        let watched = watched.clone();
        let request = Outgoing { id, channel, alone, line, capture, watched };
        cx.push(Effect::Network(NetworkOrder::Send(request)));
        id
    }

    /// Takes a reply; returns the request that it answers.
    pub fn on_reply(&mut self, reply: &Reply, log: &mut Log, cx: &mut Context) -> Option<Pending> {
        let event = self.reconnect.answered();
        self.tell_connected(event, log, cx);
        let pending = self.take(reply.id)?;
        // What waits behind another reply, or is computed for long, says nothing of the way.
        if reply.bytes <= MAX_SMALL && !pending.is_behind {
            self.round_trip = Some(reply.first);
        }
        Some(pending)
    }

    /// Records that a request could not be sent; returns its purpose.
    pub fn on_not_sent(&mut self, id: u64, log: &mut Log, cx: &mut Context) -> Option<Purpose> {
        let pending = self.take(id)?;
        let request = match &pending.purpose {
            Purpose::Typed(typed) => without_filled(typed, &pending.line),
            _ => &pending.line,
        };
        let text = format!("not sent, too much is waiting: {request}");
        match pending.purpose {
            Purpose::Typed(_) => log.report(text, cx),
            Purpose::Refresh
            | Purpose::Watch(_)
            | Purpose::Snapshot(_)
            | Purpose::Renewal(_)
            | Purpose::Keys
            | Purpose::AsOf
            | Purpose::Base(_)
            | Purpose::Query(_) => {
                log.note(cx.now(), Tone::Bad, &text);
            }
        }
        Some(pending.purpose)
    }

    fn take(&mut self, id: u64) -> Option<Pending> {
        let at = self.pending.iter().position(|pending| pending.id == id)?;
        self.pending.remove(at)
    }

    /// The request with this id waits for its reply.
    pub fn is_pending(&self, id: u64) -> bool {
        self.pending.iter().any(|pending| pending.id == id)
    }

    /// Records the progress of a large reply; returns the bytes that are new.
    pub fn progress(&mut self, id: u64, points: u64, bytes: u64) -> u64 {
        let pending = self.pending.iter_mut().find(|pending| pending.id == id);
        pending.map_or(0, |pending| {
            pending.points = points;
            bytes.saturating_sub(std::mem::replace(&mut pending.bytes, bytes))
        })
    }
}
