//! What sources are able to do, found out before a request is sent on: a source that would refuse its
//! part of a `del` leaves the others as they are, and one without selectors is not taken for one
//! without keys.

use std::hash::{BuildHasher, RandomState};

use shared::Client;
use shared::client::{ClientError, ReplyPiece, ReplyStream};
use shared::request::SELECTOR_PROBE;
use shared::response::{Status, WRONG_COMMAND};

use super::Joined;
use crate::request::deletion::{Form, PROBE_KEY, selector_to_delete};
use crate::request::selector::{needs_extension, selector_of};
use crate::sources::Target;
use crate::system::net::end_reason;

/// A selector that every server with selectors takes, and one that none takes. Another server answers
/// both alike: to it both are keys, or none.
const SELECTORS: [&[u8]; 2] = [b"get tui-client.probe[last]", SELECTOR_PROBE];

/// The longest reason of an error that is passed on, in bytes.
const MAX_REASON: usize = 1024;

/// What is said of a server without selectors.
const NO_SELECTORS: &str = "this server knows no selectors";

/// A request that changes nothing, under way to a source.
struct Probe {
    source: usize,
    /// How often the source had changed when it was asked.
    changes: u64,
    stream: Result<ReplyStream, ClientError>,
}

/// The request is a `get` that only a server with selectors understands.
pub(super) fn needs_selectors(line: &[u8]) -> bool {
    selector_of(line).is_some_and(needs_extension)
}

impl Joined {
    /// Sends a request to a source that changes nothing.
    async fn probe(&self, source: usize, client: &Client, line: &[u8]) -> Probe {
        Probe { source, changes: self.changes(source), stream: client.send(line).await }
    }

    /// Why a source refuses a request; none where it takes it.
    async fn refusal(&self, probe: Probe) -> Result<Option<String>, ClientError> {
        let Probe { source, changes, stream } = probe;
        let mut stream = stream?;
        let status = self.piece(&mut stream, source, changes).await?;
        if status == Some(ReplyPiece::Status(Status::Error)) {
            return self.reason(&mut stream, source, changes).await.map(Some);
        }
        while self.piece(&mut stream, source, changes).await?.is_some() {}
        Ok(None)
    }

    /// The one line of an error reply whose status has come, as far as it is passed on.
    pub(super) async fn reason(
        &self,
        stream: &mut ReplyStream,
        source: usize,
        changes: u64,
    ) -> Result<String, ClientError> {
        let mut text = Vec::new();
        while let Some(piece) = self.piece(stream, source, changes).await? {
            if let ReplyPiece::Data(data) = piece {
                text.extend(data.into_iter().take(MAX_REASON - text.len().min(MAX_REASON)));
            }
        }
        Ok(String::from_utf8_lossy(&text).trim_end().to_owned())
    }

    /// Why the parts of a `del` can't be sent on: the first source that refuses one of its form.
    pub(super) async fn deletion_refusal(&self, parts: &[(&Target, Client)]) -> Option<String> {
        let mut probes = Vec::new();
        for (target, client) in parts {
            let line = str::from_utf8(&target.line).unwrap_or_default();
            let Some(form) = selector_to_delete(line).and_then(Form::of) else { continue };
            // A name that no store holds.
            let random = RandomState::new().hash_one(target.source);
            let probe = form.probe(&format!("{PROBE_KEY}{random:016x}"));
            probes.push(self.probe(target.source, client, probe.as_bytes()).await);
        }
        for probe in probes {
            let source = probe.source;
            match self.refusal(probe).await {
                Ok(None) => {}
                Ok(Some(reason)) => return Some(self.denied(source, reason)),
                Err(error) => {
                    return Some(format!("{}: {}", self.name(source), end_reason(&error)));
                }
            }
        }
        None
    }

    /// What is said of a `del` that a source has refused for this reason, before or after a probe.
    pub(super) fn denied(&self, source: usize, reason: String) -> String {
        let name = self.sources.get(source).map_or("", |source| &source.name);
        match reason {
            // A refusal of one server names it.
            reason if reason == WRONG_COMMAND && name.is_empty() => reason,
            reason if reason == WRONG_COMMAND => {
                format!("{name} does not allow deletes: nothing is deleted")
            }
            reason => format!("{}: {reason}", self.name(source)),
        }
    }

    /// Why sources can't answer a `get` that only servers with selectors understand: the first one
    /// without them. Those that are found to be `able` are not asked again.
    pub(super) async fn selector_refusal(
        &self,
        parts: &[(usize, Client)],
        able: &mut [bool],
    ) -> Option<String> {
        let mut probes = Vec::new();
        for (source, client) in parts {
            if able.get(*source) == Some(&false) {
                let [known, unknown] = SELECTORS;
                let known = self.probe(*source, client, known).await;
                probes.push((known, self.probe(*source, client, unknown).await));
            }
        }
        for (known, unknown) in probes {
            let source = known.source;
            let name = self.name(source);
            match (self.refusal(known).await, self.refusal(unknown).await) {
                (Ok(None), Ok(Some(_))) => {
                    if let Some(able) = able.get_mut(source) {
                        *able = true;
                    }
                }
                (Ok(_), Ok(_)) => return Some(format!("{name}: {NO_SELECTORS}")),
                (Err(error), _) | (_, Err(error)) => {
                    return Some(format!("{name}: {}", end_reason(&error)));
                }
            }
        }
        None
    }
}
