//! The metrics server as a library; `main` adds the command line.
//!
//! `net` (sockets) → `protocol` (requests and replies) → `ingest`, `query` → `store` (points).

pub mod clock;
pub mod ingest;
pub mod net;
pub mod protocol;
pub mod query;
pub mod shutdown;
pub mod store;

use net::{Listener, Permits};
use protocol::text::TextProtocol;
use shutdown::Shutdown;
use store::Store;
use tracing::{info, warn};

/// Serves the text protocol on `listener` from `store` until `shutdown` begins, then answers the
/// requests in flight and closes the store.
pub async fn run<S: Store + Clone>(listener: Listener, store: S, shutdown: Shutdown) {
    for address in listener.addresses() {
        info!("listening on {address}");
    }
    let permits = Permits::for_open_files();
    let text = {
        let store = store.clone();
        move || TextProtocol::new(store.clone())
    };
    listener.serve(text, &permits, &shutdown).await;
    info!("shutting down");
    if let Err(names) = shutdown.finish().await {
        warn!(unfinished = ?names, "shutdown timed out");
    }
    store.close().await;
    info!("stopped");
}
