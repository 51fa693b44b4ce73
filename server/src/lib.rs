//! The metrics server as a library; `main` adds the command line.
//!
//! `net` (sockets) → `protocol` (requests and replies) → `ingest`, `query`, `follow` → `store`
//! (points).

// Modules of the program, which is no library that could be fuzzed.
#[cfg(fuzzing)]
extern crate self as server;
#[cfg(fuzzing)]
pub mod cli;
#[cfg(fuzzing)]
pub mod config;

pub mod clock;
pub mod event_limit;
pub mod follow;
pub mod ingest;
pub mod low_priority;
pub mod memory;
pub mod metrics;
pub mod net;
pub mod os;
pub mod protocol;
pub mod query;
pub mod shutdown;
pub mod status;
pub mod store;

use std::sync::Arc;

use clock::Clock;
use follow::Follows;
use ingest::{InFlightLimit, Ingest};
use memory::MemoryShares;
use net::{Connections, Control, Listener};
use protocol::Protocol;
use query::Queries;
use shutdown::Shutdown;
use status::{ServerStatus, Summary};
use store::Store;
use tokio::task::JoinSet;
use tracing::{info, warn};

/// Tasks that are named when the shutdown has to leave them.
const UNFINISHED_SHOWN: usize = 5;

/// Listeners that share a store, the places for connections and the shutdown.
#[derive(Debug)]
pub struct Server<S> {
    store: S,
    connections: Connections,
    in_flight: InFlightLimit,
    clock: Clock,
    shutdown: Shutdown,
    listening: JoinSet<()>,
}

impl<S: Store + Clone> Server<S> {
    /// A server that listens nowhere yet.
    pub fn new(store: S, clock: Clock, connections: Connections, shutdown: Shutdown) -> Self {
        let in_flight = InFlightLimit::new(MemoryShares::UNLIMITED.in_flight);
        Self { store, connections, in_flight, clock, shutdown, listening: JoinSet::new() }
    }

    /// Has the clients of all listeners to come together at most `bytes` of puts in flight; beyond,
    /// each waits for its own after every few.
    pub fn limit_in_flight(&mut self, bytes: u64) {
        self.in_flight = InFlightLimit::new(bytes);
    }

    /// Serves the clients of `listener` from now on, each with a `protocol` of its own, which is told
    /// for whom the client's certificate is, if it has shown one.
    pub fn listen<P: Protocol + 'static>(
        &mut self,
        listener: Listener,
        protocol: impl Fn(Ingest<S>, Queries<S>, Follows<S>, Option<&str>) -> P + Clone + Send + 'static,
    ) {
        for address in listener.addresses() {
            info!("listening on {address}");
        }
        let ingest = Ingest::new(self.store.clone(), self.in_flight.clone());
        let queries = Queries::new(self.store.clone(), self.clock.clone());
        let follows = Follows::new(self.store.clone(), self.clock.clone());
        let protocol = move |name: Option<&str>| {
            protocol(ingest.clone(), queries.clone(), follows.clone(), name)
        };
        let (connections, shutdown) = (self.connections.clone(), self.shutdown.clone());
        self.listening
            .spawn(async move { listener.serve(protocol, &connections, &shutdown).await });
    }

    /// Serves commands on this machine that copy the files of the store. `hold` keeps these as they are until
    /// the second of what it answers is dropped, and says in the first which they are. The second says whether
    /// they are still kept.
    pub fn listen_for_backups<H, F>(
        &mut self,
        control: Control,
        hold: impl Fn() -> F + Clone + Send + 'static,
    ) where
        H: Fn() -> bool + Send + Sync + 'static,
        F: Future<Output = Result<(String, H), String>> + Send + 'static,
    {
        let shutdown = self.shutdown.clone();
        self.listening.spawn(async move {
            tokio::select! {
                () = shutdown.begun() => {}
                () = control.serve(hold) => {}
            }
        });
    }

    /// Waits until the shutdown begins, then answers the requests in flight and closes the store.
    pub async fn run(mut self) {
        let (metrics, store) = (Arc::clone(&self.connections.metrics), self.store.clone());
        let status = move || ServerStatus { counts: metrics.snapshot(), store: store.status() };
        let mut summary = Summary::new(status);
        let listening = async {
            while let Some(ended) = self.listening.join_next().await {
                if let Err(error) = ended {
                    warn!(%error, "listener failed");
                }
            }
        };
        tokio::select! {
            () = listening => {}
            () = summary.log_each_minute() => {}
        }
        info!("shutting down");
        if let Err(names) = self.shutdown.finish().await {
            let first = &names[..names.len().min(UNFINISHED_SHOWN)];
            warn!(unfinished = names.len(), ?first, "shutdown timed out");
        }
        summary.log_total();
        self.store.close().await;
        info!("stopped");
    }
}
