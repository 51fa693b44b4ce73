//! Counters of the whole server: connections, requests and lines of the log. Listeners share them.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to it.
    pub fn add(&self, count: u64) {
        if count > 0 {
            self.0.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// The number now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

macro_rules! counters {
    ($($(#[$about:meta])* $name:ident,)*) => {
        /// Counters from the start of the server on.
        #[derive(Debug, Default)]
        pub struct Metrics {
            $($(#[$about])* pub $name: Counter,)*
        }

        /// What the counters show at one moment, or what came in between two of them.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Snapshot {
            $($(#[$about])* pub $name: u64,)*
        }

        impl Metrics {
            /// What the counters show now. Each is right by itself; together they may be of
            /// slightly different moments.
            pub fn snapshot(&self) -> Snapshot {
                Snapshot { $($name: self.$name.get(),)* }
            }
        }

        impl Snapshot {
            /// What came since `before`.
            #[must_use]
            pub fn since(&self, before: &Self) -> Self {
                Self { $($name: self.$name.saturating_sub(before.$name),)* }
            }
        }
    };
}

counters! {
    /// Connections that got a place.
    accepted,
    /// Connections that were told that there is no place for them.
    refused,
    /// Connections that their clients closed.
    closed_by_client,
    /// Connections that the shutdown ended.
    closed_by_shutdown,
    /// Connections that failed, or whose reply could not be completed.
    failed,
    /// Connections that ended because a line stood half sent.
    line_timeouts,
    /// Connections that ended because nothing of a reply was taken.
    stall_timeouts,
    /// Connections that ended because nothing was asked.
    idle_timeouts,
    /// Connections on which there was no TLS, or not in time.
    failed_handshakes,
    /// Connections whose client's certificate expired, or was taken no more.
    ended_certificates,
    /// Connections that spoke HTTP or TLS.
    foreign,
    /// Points stored.
    puts,
    /// Queries, follows among them.
    gets,
    /// Requests that took points back.
    deletes,
    /// Points sent in replies.
    points_sent,
    /// Requests that were no request, or not allowed.
    malformed_requests,
    /// Puts that were refused for their key or time, and changes that a certificate does not allow.
    refused_puts,
    /// Right requests that could not be served, as on a full disk.
    failed_requests,
    /// Lines of the log that found no room.
    dropped_log_lines,
}

impl Snapshot {
    /// Connections that are open: those that got a place and have not ended.
    pub fn open_connections(&self) -> u64 {
        let ended = self.closed_by_client
            + self.closed_by_shutdown
            + self.failed
            + self.line_timeouts
            + self.stall_timeouts
            + self.idle_timeouts
            + self.failed_handshakes
            + self.ended_certificates
            + self.foreign;
        self.accepted.saturating_sub(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_connections_are_those_that_have_not_ended() {
        let metrics = Metrics::default();
        metrics.accepted.add(10);
        let before = metrics.snapshot();
        for counter in [
            &metrics.closed_by_client,
            &metrics.closed_by_shutdown,
            &metrics.failed,
            &metrics.line_timeouts,
            &metrics.stall_timeouts,
            &metrics.idle_timeouts,
            &metrics.failed_handshakes,
            &metrics.ended_certificates,
            &metrics.foreign,
        ] {
            counter.add(1);
        }
        metrics.refused.add(5);
        let after = metrics.snapshot();
        assert_eq!((before.open_connections(), after.open_connections()), (10, 1));
        let between = after.since(&before);
        assert_eq!((between.accepted, between.refused, between.foreign), (0, 5, 1));
    }
}
