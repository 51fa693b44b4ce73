//! The connections to the sources over which the requests of one connection of the screen go.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use shared::Client;
use tokio::task::JoinSet;

use super::{Joined, SourceLink};
use crate::sources::{SourceState, Target};

/// The connections to the sources.
pub(super) struct SourceClients {
    pub(super) joined: Arc<Joined>,
    /// Those of this connection alone; none where those that are kept are used.
    own: Option<Vec<Option<Client>>>,
    /// How often each source had changed when its connection was made.
    made_at: Vec<u64>,
    /// All sources have to be there.
    pub(super) needs_all: bool,
    /// The sources that are known to have selectors.
    pub(super) able: Vec<bool>,
}

impl SourceClients {
    /// Those that are kept.
    pub(super) fn kept(joined: Arc<Joined>) -> Self {
        Self::new(joined, None, Vec::new(), false)
    }

    /// New ones, which are made when they are needed.
    pub(super) fn own(joined: Arc<Joined>) -> Self {
        let (none, made_at) = (vec![None; joined.sources.len()], vec![0; joined.sources.len()]);
        Self::new(joined, Some(none), made_at, false)
    }

    /// These, none of which is made again.
    pub(super) fn all(joined: Arc<Joined>, clients: Vec<Option<Client>>) -> Self {
        Self::new(joined, Some(clients), Vec::new(), true)
    }

    fn new(
        joined: Arc<Joined>,
        own: Option<Vec<Option<Client>>>,
        made_at: Vec<u64>,
        needs_all: bool,
    ) -> Self {
        let able = vec![false; joined.sources.len()];
        Self { joined, own, made_at, needs_all, able }
    }

    /// Says whether a follow is open over the connections that are kept.
    pub(super) fn set_following(&self, is_open: bool) {
        if self.own.is_none() {
            self.joined.is_following.store(is_open, Ordering::Relaxed);
        }
    }

    /// They are those that are kept.
    pub(super) fn are_kept(&self) -> bool {
        self.own.is_none()
    }

    /// The connections to some sources, or why there is none.
    pub(super) async fn to(&mut self, targets: &[Target]) -> Vec<Result<Client, String>> {
        if !self.needs_all {
            self.connect(targets).await;
        }
        let standings = self.joined.standings.borrow();
        let of = |target: &Target| {
            let standing = standings.get(target.source);
            let client = match &self.own {
                Some(own) => own.get(target.source).cloned().flatten(),
                None => standing.and_then(|standing| standing.client.clone()),
            };
            client.ok_or_else(|| match standing.map(|standing| &standing.state) {
                Some(SourceState::Away { reason }) => reason.clone(),
                _ => "no answer yet".to_owned(),
            })
        };
        targets.iter().map(of).collect()
    }

    /// Makes those that are missing, of sources that are there.
    async fn connect(&mut self, targets: &[Target]) {
        let Some(own) = &mut self.own else { return };
        let mut connecting = JoinSet::new();
        for target in targets {
            let at = target.source;
            let Some((slot, made_at)) = own.get_mut(at).zip(self.made_at.get_mut(at)) else {
                continue;
            };
            let standing = |it: &SourceLink| (it.state.is_here(), it.changes);
            let standing = self.joined.standings.borrow().get(at).map(standing);
            let (is_here, changes) = standing.unwrap_or_default();
            // One of before may be to a source that has stopped to answer.
            let is_old = !is_here || std::mem::replace(made_at, changes) != changes;
            if let Some(client) = slot
                && (is_old || is_closed(client).await)
            {
                client.abort();
                *slot = None;
            }
            if slot.is_none()
                && is_here
                && let Some(source) = self.joined.sources.get(at)
            {
                let server = source.server.clone();
                connecting.spawn(async move { (at, Client::connect(&server).await) });
            }
        }
        while let Some(Ok((at, connected))) = connecting.join_next().await {
            if let Some(slot) = own.get_mut(at) {
                *slot = connected.ok();
            }
        }
    }
}

impl Drop for SourceClients {
    /// A source may tell without end.
    fn drop(&mut self) {
        self.set_following(false);
        self.own.iter().flatten().flatten().for_each(Client::abort);
    }
}

async fn is_closed(client: &Client) -> bool {
    tokio::select! {
        biased;
        _ = client.closed() => true,
        () = std::future::ready(()) => false,
    }
}
