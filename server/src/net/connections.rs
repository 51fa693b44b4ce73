//! What the listeners of a server share.

use std::sync::Arc;

use super::{ConnectionLimits, Permits};
use crate::metrics::Metrics;

/// Places for connections, their limits and their counters. Clones share them.
#[derive(Debug, Clone)]
pub struct Connections {
    /// The places.
    pub permits: Permits,
    /// How long a peer may keep one waiting.
    pub limits: ConnectionLimits,
    /// The counters.
    pub metrics: Arc<Metrics>,
}

impl Default for Connections {
    /// As many as there are open files for, with the usual limits.
    fn default() -> Self {
        Self {
            permits: Permits::for_open_files(None),
            limits: ConnectionLimits::default(),
            metrics: Arc::default(),
        }
    }
}
