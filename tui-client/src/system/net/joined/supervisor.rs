//! Whether a source is there: a connection to each that is made again whenever it is lost.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use shared::Client;
use shared::client::{ClientError, Reconnect, ReplyPiece};
use shared::response::{Status, decode_points};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::{Joined, SourceLink, shifts_of};
use crate::event::Event;
use crate::sources::{Source, SourceState};
use crate::system::net::{connect_reason, end_reason, reconnect_seed};
use crate::text::connection::NO_ANSWER;

/// What shows that a source answers, whatever it answers. It changes nothing.
pub(super) const ENQUIRY: &[u8] = b"get tui-client.probe";

/// The least time between two reports of nothing but round trips.
const ROUND_TRIPS: Duration = Duration::from_secs(1);

/// Keeps a connection to a source.
pub(super) async fn run(joined: Arc<Joined>, at: usize) {
    let Some(source) = joined.sources.get(at) else { return };
    let mut reconnect = Reconnect::new(reconnect_seed());
    loop {
        let reason = match Client::connect(&source.server).await {
            Ok(client) => match enquire_in_time(&joined, &client, source).await {
                Ok((first, start)) => {
                    let _ = (reconnect.connected(), reconnect.answered());
                    joined.begins(at, start);
                    let state = SourceState::Here { round_trip: Some(first), shift: 0 };
                    joined.stands(at, state, Some(client.clone()));
                    let (begins, faults) = (wait_for_start(&joined, at), joined.retry_faults(at));
                    tokio::pin!(begins, faults);
                    loop {
                        tokio::select! {
                            error = client.closed() => break end_reason(&error),
                            reason = &mut begins, if start.is_none() => break reason,
                            () = &mut faults => return,
                            () = joined.is_suspected(at) => {
                                if !answers(&joined, source, &client).await {
                                    client.abort();
                                    break NO_ANSWER.to_owned();
                                }
                            }
                        }
                    }
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

/// As [`enquire`], of a source that answers in time; besides, the first time of a run that has begun.
async fn enquire_in_time(
    joined: &Joined,
    client: &Client,
    source: &Source,
) -> Result<(Duration, Option<i64>), ClientError> {
    let first = timeout(joined.patience, enquire(client)).await;
    let first = first.map_err(|_| ClientError::Stalled(joined.patience))??;
    Ok((first, first_time(client, source).await?))
}

/// A source that owes an answer gives another one in time: over its connection, unless a follow is open
/// there, or over a new one, where the answer over the first one takes long.
async fn answers(joined: &Joined, source: &Source, client: &Client) -> bool {
    let kept = async {
        if joined.is_following.load(Ordering::Relaxed) || enquire(client).await.is_err() {
            pending::<()>().await;
        }
    };
    let other = async {
        let is_answered = match Client::connect(&source.server).await {
            Ok(client) => enquire(&client).await.is_ok(),
            Err(_) => false,
        };
        if !is_answered {
            pending::<()>().await;
        }
    };
    let either = async {
        tokio::select! {
            () = kept => {}
            () = other => {}
        }
    };
    timeout(joined.patience, either).await.is_ok()
}

/// The first time of any key of a run; none if it has no points, or the source is no run.
pub(super) async fn first_time(
    client: &Client,
    source: &Source,
) -> Result<Option<i64>, ClientError> {
    if source.run.is_empty() || source.is_marks {
        return Ok(None);
    }
    let mut reply = client.send(format!("get {}*[::all:first]", source.run).as_bytes()).await?;
    let mut first: Option<i64> = None;
    while let Some(piece) = reply.next().await? {
        if let ReplyPiece::Data(data) = piece {
            let times = decode_points(&data).flatten().map(|(_, point)| point.timestamp);
            first = first.into_iter().chain(times).min();
        }
    }
    Ok(first)
}

/// Waits for the first point of a run that has none, and then for ever. Gives the reason why that can't be
/// known.
async fn wait_for_start(joined: &Joined, at: usize) -> String {
    /// Nothing is told by a server without selectors.
    const NO_SELECTORS: &str = "the server knows no selectors, which --prefix needs";
    let Some(source) =
        joined.sources.get(at).filter(|source| !source.run.is_empty() && !source.is_marks)
    else {
        return pending().await;
    };
    let client = match Client::connect(&source.server).await {
        Ok(client) => client,
        Err(error) => return connect_reason(&error),
    };
    let told = async {
        let mut follow = client.send(format!("get {}*[:+]", source.run).as_bytes()).await?;
        loop {
            match follow.next().await? {
                Some(ReplyPiece::Status(Status::Ok)) => {}
                Some(ReplyPiece::Data(_)) => {
                    // The follow ends with this.
                    if let Some(start) = first_time(&client, source).await? {
                        return Ok(Some(start));
                    }
                }
                Some(ReplyPiece::Status(Status::Error)) | None => return Ok(None),
            }
        }
    };
    let told: Result<_, ClientError> = told.await;
    match told {
        Ok(Some(start)) => {
            joined.begins(at, Some(start));
            pending().await
        }
        Ok(None) => NO_SELECTORS.to_owned(),
        Err(error) => end_reason(&error),
    }
}

/// Tells how the sources stand, now and whenever that changes; of round trips alone seldom.
pub(super) async fn tell_changes(joined: &Joined, events: &mpsc::Sender<Event>) {
    let mut standings = joined.standings.subscribe();
    let mut told: Vec<SourceState> = Vec::new();
    let mut next = Instant::now();
    loop {
        let now = {
            let standings = standings.borrow_and_update();
            let all = joined.sources.iter().zip(&*standings);
            let all = all.filter(|(source, _)| !source.is_marks);
            all.map(|(source, standing)| standing.told(source)).collect::<Vec<_>>()
        };
        let is_round_trip = |state: &SourceState| matches!(state, SourceState::Here { .. });
        let is_like = |(now, told): (&SourceState, &SourceState)| {
            let both = is_round_trip(now) && is_round_trip(told);
            both && now.shift() == told.shift() || now == told
        };
        let is_news = now.len() != told.len() || !now.iter().zip(&told).all(is_like);
        if is_news || now != told && next <= Instant::now() {
            if events.send(Event::Sources(now.clone())).await.is_err() {
                return;
            }
            joined.told.send_replace(now.clone());
            (told, next) = (now.clone(), Instant::now() + ROUND_TRIPS);
        }
        tokio::select! {
            changed = standings.changed() => if changed.is_err() { return },
            () = sleep_until(next), if now != told => {}
        }
    }
}

impl Joined {
    /// Waits until a source owes an answer for long.
    async fn is_suspected(&self, at: usize) {
        match self.suspected.get(at) {
            Some(suspected) => suspected.notified().await,
            None => pending().await,
        }
    }

    /// Records how a source stands.
    fn stands(&self, at: usize, state: SourceState, client: Option<Client>) {
        self.standings.send_if_modified(|standings| {
            let Some(standing) = standings.get_mut(at) else { return false };
            if standing.state == state {
                return false;
            }
            let has_changed = standing.state.is_here() != state.is_here();
            let changes = standing.changes + u64::from(has_changed);
            let (start, retries) = (standing.start, standing.retries);
            *standing = SourceLink { state, client, changes, start, fault: None, retries };
            self.shift(standings, false);
            true
        });
    }

    /// Records the first time of a run.
    pub(super) fn begins(&self, at: usize, start: Option<i64>) {
        self.standings.send_if_modified(|standings| {
            let Some(standing) = standings.get_mut(at).filter(|it| it.start != start) else {
                return false;
            };
            standing.start = start;
            self.shift(standings, true);
            true
        });
    }

    /// Writes by how much the times of each source are shifted into its state; where that `is_news`, a
    /// source whose times move has changed.
    fn shift(&self, standings: &mut [SourceLink], is_news: bool) {
        let shifts = shifts_of(&self.sources, standings);
        for (standing, new) in standings.iter_mut().zip(shifts) {
            if let SourceState::Here { shift, .. } = &mut standing.state {
                standing.changes += u64::from(is_news && *shift != new);
                *shift = new;
            }
        }
    }
}
