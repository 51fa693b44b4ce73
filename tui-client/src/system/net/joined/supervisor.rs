//! Whether a source is there: a connection to each that is made again whenever it is lost.

use std::sync::Arc;
use std::time::Duration;

use shared::Client;
use shared::client::{ClientError, Reconnect};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use super::{Joined, Standing};
use crate::event::Event;
use crate::sources::{Source, SourceState};
use crate::system::net::{connect_reason, end_reason, reconnect_seed};

/// What shows that a source answers, whatever it answers. It changes nothing.
pub(super) const ENQUIRY: &[u8] = b"get tui-client.probe";

/// The least time between two reports of nothing but round trips.
const ROUND_TRIPS: Duration = Duration::from_secs(1);

/// Keeps a connection to a source.
pub(super) async fn run(joined: Arc<Joined>, at: usize) {
    let Some(Source { server, .. }) = joined.sources.get(at) else { return };
    let mut reconnect = Reconnect::new(reconnect_seed());
    loop {
        let reason = match Client::connect(server).await {
            Ok(client) => match enquire(&client).await {
                Ok(first) => {
                    let _ = (reconnect.connected(), reconnect.answered());
                    let state = SourceState::Here { round_trip: Some(first) };
                    joined.stands(at, state, Some(client.clone()));
                    end_reason(&client.closed().await)
                }
                Err(error) => end_reason(&error),
            },
            Err(error) => connect_reason(&error),
        };
        let (wait, _) = reconnect.failed();
        joined.stands(at, SourceState::Away { reason }, None);
        sleep(wait).await;
    }
}

/// The time to the first byte of an answer. Asks twice: the end of a connection that has brought one
/// answer may be that of a server which closes after each, and is not told.
async fn enquire(client: &Client) -> Result<Duration, ClientError> {
    let mut first = Duration::ZERO;
    for _ in 0..2 {
        let sent = Instant::now();
        let mut reply = client.send(ENQUIRY).await?;
        reply.next().await?;
        first = sent.elapsed();
        while reply.next().await?.is_some() {}
    }
    Ok(first)
}

/// Tells how the sources stand, now and whenever that changes; of round trips alone seldom.
pub(super) async fn tell_changes(joined: &Joined, events: &mpsc::Sender<Event>) {
    let mut standings = joined.standings.subscribe();
    let mut told: Vec<SourceState> = Vec::new();
    let mut next = Instant::now();
    loop {
        let now: Vec<_> =
            standings.borrow_and_update().iter().map(|one| one.state.clone()).collect();
        let is_like = |(now, told): (&SourceState, &SourceState)| {
            now.is_here() && told.is_here() || now == told
        };
        let is_news = now.len() != told.len() || !now.iter().zip(&told).all(is_like);
        if is_news || now != told && next <= Instant::now() {
            if events.send(Event::Sources(now.clone())).await.is_err() {
                return;
            }
            (told, next) = (now.clone(), Instant::now() + ROUND_TRIPS);
        }
        tokio::select! {
            changed = standings.changed() => if changed.is_err() { return },
            () = sleep_until(next), if now != told => {}
        }
    }
}

impl Joined {
    /// Records how a source stands.
    fn stands(&self, at: usize, state: SourceState, client: Option<Client>) {
        self.standings.send_if_modified(|standings| {
            let Some(standing) = standings.get_mut(at) else { return false };
            if standing.state == state {
                return false;
            }
            let has_changed = standing.state.is_here() != state.is_here();
            let changes = standing.changes + u64::from(has_changed);
            *standing = Standing { state, client, changes };
            true
        });
    }
}
