//! The state of the whole server, and a line of the log about it a minute.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tracing::info;

use crate::metrics::Snapshot;
use crate::store::StoreStatus;

/// The time between two lines.
const INTERVAL: Duration = Duration::from_secs(60);

/// What a server shows of itself at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ServerStatus {
    /// What came since the start.
    pub counts: Snapshot,
    /// The store.
    pub store: StoreStatus,
}

/// Tells in the log what came since it told the last time.
#[derive(Debug)]
pub struct Summary<F> {
    status: F,
    told: ServerStatus,
}

impl<F: Fn() -> ServerStatus> Summary<F> {
    /// Nothing is told yet.
    pub fn new(status: F) -> Self {
        Self { status, told: ServerStatus::default() }
    }

    /// A line a minute, as long as there is anything to tell.
    pub async fn log_each_minute(&mut self) {
        let mut next = Instant::now() + INTERVAL;
        loop {
            sleep_until(next).await;
            next += INTERVAL;
            let now = (self.status)();
            log(&now, &self.told, "in the last minute");
            self.told = now;
        }
    }

    /// A line about all since the start, if there was anything.
    pub fn log_total(&self) {
        log(&(self.status)(), &ServerStatus::default(), "in all");
    }
}

/// What came between two moments, and what is there at the second.
fn log(now: &ServerStatus, before: &ServerStatus, span: &str) {
    let counts = now.counts.since(&before.counts);
    if counts == Snapshot::default() {
        return;
    }
    // What is zero is left out.
    let some = |count: u64| (count > 0).then_some(count);
    info!(
        connections = some(counts.accepted),
        open = some(now.counts.open_connections()),
        refused_connections = some(counts.refused),
        line_timeouts = some(counts.line_timeouts),
        stall_timeouts = some(counts.stall_timeouts),
        idle_timeouts = some(counts.idle_timeouts),
        failed_handshakes = some(counts.failed_handshakes),
        ended_certificates = some(counts.ended_certificates),
        foreign = some(counts.foreign),
        puts = some(counts.puts),
        gets = some(counts.gets),
        deletes = some(counts.deletes),
        points_sent = some(counts.points_sent),
        malformed = some(counts.malformed_requests),
        refused_puts = some(counts.refused_puts),
        refused_new_series =
            some(now.store.refused_new_series.saturating_sub(before.store.refused_new_series)),
        failed = some(counts.failed_requests),
        dropped_log_lines = some(counts.dropped_log_lines),
        series = some(now.store.series as u64),
        damages = some(now.store.damages),
        "{span}"
    );
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::metrics::Metrics;

    /// A log in memory.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(line);
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_minute_is_told_when_there_is_anything_to_tell() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .without_time()
            .with_target(false)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        let _here = tracing::subscriber::set_default(subscriber);
        let (metrics, series) = (Metrics::default(), AtomicUsize::new(0));
        let status = || {
            let series = series.load(Ordering::Relaxed);
            let refused_new_series = series as u64 / 2;
            let store = StoreStatus { series, refused_new_series, ..StoreStatus::default() };
            ServerStatus { counts: metrics.snapshot(), store }
        };
        let mut summary = Summary::new(status);
        let minutes = async {
            metrics.accepted.add(2);
            metrics.puts.add(7);
            series.store(4, Ordering::Relaxed);
            tokio::time::sleep(INTERVAL * 3 + INTERVAL / 2).await;
            metrics.closed_by_client.add(1);
            metrics.refused.add(1);
            tokio::time::sleep(INTERVAL).await;
        };
        tokio::select! {
            () = summary.log_each_minute() => {}
            () = minutes => {}
        }
        summary.log_total();
        let said = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert_eq!(
            said.lines().map(str::trim).collect::<Vec<_>>(),
            [
                "INFO in the last minute connections=2 open=2 puts=7 refused_new_series=2 series=4",
                "INFO in the last minute open=1 refused_connections=1 series=4",
                "INFO in all connections=2 open=1 refused_connections=1 puts=7 refused_new_series=2 series=4",
            ]
        );
    }
}
