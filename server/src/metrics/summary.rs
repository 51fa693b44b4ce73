//! What the counters show, a line of the log a minute.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tracing::info;

use super::{Metrics, Snapshot};

/// The time between two lines.
const INTERVAL: Duration = Duration::from_secs(60);

/// Tells in the log what came since it told the last time.
#[derive(Debug)]
pub struct Summary {
    metrics: Arc<Metrics>,
    told: Snapshot,
}

impl Summary {
    /// Nothing is told yet.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, told: Snapshot::default() }
    }

    /// A line a minute, as long as there is anything to tell.
    pub async fn log_each_minute(&mut self) {
        let mut next = Instant::now() + INTERVAL;
        loop {
            sleep_until(next).await;
            next += INTERVAL;
            let now = self.metrics.snapshot();
            log(&now.since(&self.told), now.open_connections(), "in the last minute");
            self.told = now;
        }
    }

    /// A line about all since the start, if there was anything.
    pub fn log_total(&self) {
        let total = self.metrics.snapshot();
        log(&total, total.open_connections(), "in all");
    }
}

fn log(counts: &Snapshot, open: u64, span: &str) {
    if *counts == Snapshot::default() {
        return;
    }
    // What is zero is left out.
    let some = |count: u64| (count > 0).then_some(count);
    info!(
        connections = some(counts.accepted),
        open = some(open),
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
        failed = some(counts.failed_requests),
        dropped_log_lines = some(counts.dropped_log_lines),
        "{span}"
    );
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Mutex;

    use super::*;

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
        let metrics = Arc::new(Metrics::default());
        let mut summary = Summary::new(Arc::clone(&metrics));
        let minutes = async {
            metrics.accepted.add(2);
            metrics.puts.add(7);
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
                "INFO in the last minute connections=2 open=2 puts=7",
                "INFO in the last minute open=1 refused_connections=1",
                "INFO in all connections=2 open=1 refused_connections=1 puts=7",
            ]
        );
    }
}
