//! A connection that is lost and made again: how long to wait before the next try, and which
//! changes are worth a message. A peer that takes connections but never answers does not count as
//! a server that is back.

use std::time::Duration;

use super::backoff::Backoff;

/// Where the connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Before the first loss.
    New,
    /// The peer has answered since the connection was made.
    Answering,
    /// There is no connection.
    Lost,
    /// There is a connection again, without an answer so far.
    Reconnected,
    /// Connections are made and lost without an answer.
    Unsteady,
}

/// A change of the connection that is worth a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkEvent {
    /// The connection was lost, or the first one could not be made.
    Lost,
    /// The first connection was made.
    Connected,
    /// The connection was made again.
    Reconnected,
    /// The connection was made again and lost without an answer. No other event comes before an
    /// answer.
    Unsteady,
}

/// The state of a connection over its failures. Pure: it neither connects nor waits.
#[derive(Debug, Clone)]
pub struct Reconnect {
    backoff: Backoff,
    stage: Stage,
    /// There was a connection before.
    had_connection: bool,
}

impl Reconnect {
    /// Before the first connection. Each client of a fleet has a seed of its own.
    pub fn new(seed: u64) -> Self {
        Self { backoff: Backoff::new(seed), stage: Stage::New, had_connection: false }
    }

    /// The connection is lost, or could not be made: how long to wait before the next try.
    pub fn failed(&mut self) -> (Duration, Option<LinkEvent>) {
        let (stage, event) = match self.stage {
            Stage::New | Stage::Answering => (Stage::Lost, Some(LinkEvent::Lost)),
            Stage::Lost => (Stage::Lost, None),
            Stage::Reconnected => (Stage::Unsteady, Some(LinkEvent::Unsteady)),
            Stage::Unsteady => (Stage::Unsteady, None),
        };
        self.stage = stage;
        (self.backoff.failed(), event)
    }

    /// There is a connection.
    pub fn connected(&mut self) -> Option<LinkEvent> {
        let again = std::mem::replace(&mut self.had_connection, true);
        match self.stage {
            Stage::Unsteady => return None,
            Stage::Lost => self.stage = Stage::Reconnected,
            Stage::New | Stage::Answering | Stage::Reconnected => {}
        }
        Some(if again { LinkEvent::Reconnected } else { LinkEvent::Connected })
    }

    /// The peer has answered.
    pub fn answered(&mut self) -> Option<LinkEvent> {
        self.backoff.succeeded();
        let before = std::mem::replace(&mut self.stage, Stage::Answering);
        (before == Stage::Unsteady).then_some(LinkEvent::Reconnected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_loss_and_each_return_is_an_event() {
        let mut reconnect = Reconnect::new(1);
        let mut event = LinkEvent::Connected;
        for _ in 0..3 {
            let (first, lost) = reconnect.failed();
            let (second, again) = reconnect.failed();
            assert_eq!((lost, again), (Some(LinkEvent::Lost), None));
            assert!(first <= Backoff::MIN_WAIT && second > Backoff::MIN_WAIT, "it starts over");
            assert_eq!((reconnect.connected(), reconnect.answered()), (Some(event), None));
            event = LinkEvent::Reconnected;
        }
    }

    #[test]
    fn a_peer_that_never_answers_is_tried_ever_more_slowly_and_is_one_event() {
        let mut reconnect = Reconnect::new(1);
        let (mut events, mut waits) = (Vec::new(), Vec::new());
        for _ in 0..20 {
            events.extend(reconnect.connected());
            let (wait, event) = reconnect.failed();
            events.extend(event);
            waits.push(wait);
        }
        assert!(waits[..5].is_sorted());
        assert!(waits[5..].iter().all(|&wait| wait > Backoff::MAX_WAIT / 2));
        let expected =
            [LinkEvent::Connected, LinkEvent::Lost, LinkEvent::Reconnected, LinkEvent::Unsteady];
        assert_eq!(events, expected);
        assert_eq!(reconnect.connected(), None);
        assert_eq!(reconnect.answered(), Some(LinkEvent::Reconnected));
        assert_eq!(reconnect.failed().1, Some(LinkEvent::Lost));
    }
}
