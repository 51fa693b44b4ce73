//! Several servers as one peer: in this process something speaks the protocol to the screen as one
//! server does, and to each source behind it.
//!
//! A source that is away takes no other away: requests go to those that are there. When one comes or
//! goes, a follow that it has a part in breaks off, so that the screen asks for everything anew.

mod abilities;
mod clients;
mod connection;
mod course;
mod faults;
mod parts;
mod puts;
mod replies;
mod requests;
mod supervisor;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use shared::Client;
use shared::client::ConnectOptions;
use tokio::io::duplex;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::{connect_reason, end_reason};
use crate::event::Event;
use crate::sources::{Source, SourceLabel, SourceState, shifts, with_marks};
use clients::SourceClients;
use connection::serve;
use faults::Fault;

/// Bytes on their way to the screen, or from it.
const PIPE_SIZE: usize = 64 * 1024;

/// The first connection waits so long for the other sources once one is there: the screen begins with
/// all that are started.
const FIRST_GRACE: Duration = Duration::from_millis(500);

/// What a source may take beyond its own times before the screen gives up on its answer.
const MARGIN: Duration = Duration::from_secs(5);

/// A source that owes an answer for so long is asked for another one, which it has to give in as much
/// time; one that refuses a request is sent it again after so long at first.
const PATIENCE: Duration = Duration::from_secs(5);

/// The sources, and how they stand.
#[derive(Debug)]
pub struct Joined {
    sources: Arc<[Source]>,
    standings: watch::Sender<Vec<SourceLink>>,
    /// The states that were told last; none where nothing is told.
    told: watch::Sender<Vec<SourceState>>,
    /// Notified when a source owes an answer for long.
    suspected: Vec<Notify>,
    patience: Duration,
    /// A follow is open over the connections that are kept, which anything that is sent there ends.
    is_following: AtomicBool,
}

/// How a source stands, and its connection for what is typed.
#[derive(Debug, Clone)]
struct SourceLink {
    state: SourceState,
    client: Option<Client>,
    /// How often it has come or gone, or its times were shifted otherwise.
    changes: u64,
    /// The first time of its run, if it is one that has begun.
    start: Option<i64>,
    /// What it refuses.
    fault: Option<Fault>,
    /// How often it was to be asked again for what it refuses.
    retries: u64,
}

/// How the times of all are shifted.
fn shifts_of(sources: &[Source], standings: &[SourceLink]) -> Vec<u64> {
    let starts: Vec<_> = standings.iter().map(|standing| standing.start).collect();
    shifts(sources, &starts)
}

impl Joined {
    /// Sources of which nothing is known.
    pub fn new(sources: Vec<Source>) -> Self {
        let sources = with_marks(sources);
        let unknown = SourceLink {
            state: SourceState::Connecting,
            client: None,
            changes: 0,
            start: None,
            fault: None,
            retries: 0,
        };
        let standings = watch::Sender::new(vec![unknown; sources.len()]);
        let suspected = sources.iter().map(|_| Notify::new()).collect();
        let (sources, is_following) = (sources.into(), AtomicBool::new(false));
        let told = watch::Sender::default();
        Self { sources, standings, told, suspected, patience: PATIENCE, is_following }
    }

    /// Waits so long for an answer that is owed, and for that to the question whether one comes.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Keeps a connection to each source, and finds out when one comes or goes; tells how they stand
    /// whenever that changes. Ends when the receiver of events is gone.
    pub(super) async fn supervise(self: Arc<Self>, events: mpsc::Sender<Event>) {
        let mut tasks = JoinSet::new();
        for at in 0..self.sources.len() {
            tasks.spawn(supervisor::run(Arc::clone(&self), at));
        }
        supervisor::tell_changes(&self, &events).await;
    }

    /// The connection for what is typed, which uses those that are kept. Waits until it is known of
    /// each source whether it is there, or for a short time after the first one is.
    ///
    /// # Errors
    /// When none is there: why.
    pub(super) async fn connect_prompt(self: &Arc<Self>) -> Result<Client, String> {
        let mut standings = self.standings.subscribe();
        let mut end = None;
        loop {
            let (is_known, is_any_here) = {
                let now = standings.borrow_and_update();
                let is_known = |one: &SourceLink| one.state != SourceState::Connecting;
                (now.iter().all(is_known), self.is_any_here(&now))
            };
            if is_known {
                break;
            }
            if is_any_here {
                end.get_or_insert_with(|| Instant::now() + FIRST_GRACE);
            }
            let until = end.unwrap_or_else(Instant::now);
            tokio::select! {
                changed = standings.changed() => if changed.is_err() { break },
                () = sleep_until(until), if end.is_some() => break,
            }
        }
        if let Some(reason) = self.why_none_is_here() {
            return Err(reason);
        }
        Ok(self.client(SourceClients::kept(Arc::clone(self))))
    }

    /// A connection with connections of its own to the sources, which are made when they are needed.
    pub(super) fn connect(self: &Arc<Self>) -> Result<Client, String> {
        match self.why_none_is_here() {
            Some(reason) => Err(reason),
            None => Ok(self.client(SourceClients::own(Arc::clone(self)))),
        }
    }

    /// A connection to all sources, which ends when one of them goes.
    ///
    /// # Errors
    /// When one is not there: which, and why.
    pub async fn connect_to_all(self: &Arc<Self>) -> Result<Client, String> {
        let mut connecting = JoinSet::new();
        for (at, source) in self.sources.iter().cloned().enumerate() {
            let connect = async move {
                let client = Client::connect(&source.server).await;
                let client = client.map_err(|error| connect_reason(&error))?;
                let start = supervisor::first_time(&client, &source).await;
                Ok((client, start.map_err(|error| end_reason(&error))?))
            };
            connecting.spawn(async move { (at, connect.await) });
        }
        let mut clients = vec![None; self.sources.len()];
        let mut failed = None;
        // A panic has reported itself.
        while let Some(Ok((at, connected))) = connecting.join_next().await {
            let connected: Result<(Client, Option<i64>), String> = connected;
            match connected {
                Ok((client, start)) => {
                    if let Some(slot) = clients.get_mut(at) {
                        *slot = Some(client);
                    }
                    self.begins(at, start);
                }
                Err(reason) => {
                    let Some(source) = self.sources.get(at) else { continue };
                    let SourceLabel { name, address, .. } = source.into();
                    let name = if name.is_empty() { name } else { format!("{name}: ") };
                    failed = Some(format!("{name}{address}: {reason}"));
                }
            }
        }
        match failed {
            Some(reason) => Err(reason),
            None => Ok(self.client(SourceClients::all(Arc::clone(self), clients))),
        }
    }

    /// The runs of which no key has been found, by what their keys begin with in the view.
    pub fn without_keys(&self) -> Vec<String> {
        let standings = self.standings.borrow();
        let runs = self.sources.iter().zip(&*standings).filter(|(source, standing)| {
            !source.run.is_empty() && !source.is_marks && standing.start.is_none()
        });
        runs.map(|(source, _)| source.prefix()).collect()
    }

    fn client(&self, clients: SourceClients) -> Client {
        let (ours, theirs) = duplex(PIPE_SIZE);
        tokio::spawn(serve(theirs, clients));
        let times = |server: &ConnectOptions| server.connect_timeout + server.reply_timeout;
        let longest = self.sources.iter().map(|source| times(&source.server)).max();
        Client::over(ours, longest.unwrap_or_default() + MARGIN)
    }

    /// A source is there that brings more than marks.
    fn is_any_here(&self, standings: &[SourceLink]) -> bool {
        let mut all = self.sources.iter().zip(standings);
        all.any(|(source, standing)| !source.is_marks && standing.state.is_here())
    }

    /// Why there is nothing to speak to, if no source is there; of each that is said by itself.
    fn why_none_is_here(&self) -> Option<String> {
        let standings = self.standings.borrow();
        if self.is_any_here(&standings) {
            return None;
        }
        Some("no server is there".to_owned())
    }

    /// How often a source has changed.
    fn changes(&self, at: usize) -> u64 {
        self.standings.borrow().get(at).map_or(0, |standing| standing.changes)
    }

    /// Waits until a source that owes an answer has gone, or was asked for it over a connection of before:
    /// it had changed so often then. When that takes long, it is found out whether it answers at all.
    async fn has_gone(&self, at: usize, changes: u64) {
        let mut standings = self.standings.subscribe();
        let has_changed = |standings: &Vec<SourceLink>| {
            standings.get(at).is_none_or(|standing| standing.changes != changes)
        };
        loop {
            tokio::select! {
                _ = standings.wait_for(has_changed) => return,
                () = sleep(self.patience) => {}
            }
            if let Some(suspected) = self.suspected.get(at) {
                suspected.notify_one();
            }
        }
    }

    /// Takes the time of a small answer.
    fn measured(&self, at: usize, first: Duration) {
        self.standings.send_if_modified(|standings| {
            let Some(SourceLink { state: SourceState::Here { round_trip, .. }, .. }) =
                standings.get_mut(at)
            else {
                return false;
            };
            round_trip.replace(first) != Some(first)
        });
    }
}
