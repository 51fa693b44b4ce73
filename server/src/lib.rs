//! The metrics server as a library: `main` is argv, this is the rest.
//!
//! `net` (sockets) → `session` (requests and replies) → `store` (points); never backwards.

pub mod clock;
pub mod net;
pub mod session;
pub mod shutdown;
pub mod store;

use net::Listener;
use shutdown::Shutdown;
use store::Store;
use tracing::{info, warn};

/// Serves `listener` from `store` until `shutdown` begins, then finishes what is in hand.
pub async fn run<S: Store + Clone>(listener: Listener, store: S, shutdown: Shutdown) {
    for address in listener.addresses() {
        info!("listening on {address}");
    }
    listener.serve(store.clone(), &shutdown).await;
    info!("shutting down");
    if let Err(names) = shutdown.finish().await {
        warn!(unfinished = ?names, "not waiting any longer");
    }
    store.close().await;
    info!("stopped");
}
