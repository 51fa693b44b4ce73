//! What the tests share: servers to test against, and limits for every wait.

pub mod environment;
pub mod files;
pub mod os;
pub mod process;
pub mod random;
pub mod server;
pub mod tls;

use std::future::Future;
use std::time::Duration;

/// How long a test waits for anything before it fails. Generous, because other tests and other
/// work may keep the machine busy.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Waits for `future`.
///
/// # Panics
/// After [`PATIENCE`].
pub async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("nothing happens any more")
}
