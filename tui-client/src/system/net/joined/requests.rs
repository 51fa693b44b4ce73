//! The requests of one connection of the screen, sent on to the sources as they come.

use std::sync::Arc;

use shared::frame::{Line, RequestFramer};
use shared::response::WRONG_COMMAND;
use shared::{Client, Glob};
use tokio::io::{AsyncReadExt, DuplexStream, ReadHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::abilities::needs_selectors;
use super::clients::SourceClients;
use super::course::Course;
use super::parts::Part;
use super::puts::Puts;
use super::replies::{Mode, PendingReply};
use super::shifts_of;
use super::supervisor::ENQUIRY;
use crate::clock::unix_now;
use crate::sources::{DataLines, Kind, Routed, Target, route};

/// Bytes of requests that are read at a time.
const READ_SIZE: usize = 64 * 1024;

/// A follow that has been sent on.
pub(super) struct Following {
    pub(super) clients: Vec<Client>,
    pub(super) ended: watch::Sender<bool>,
}

impl Following {
    /// Ends it, as anything that is sent does.
    async fn end(self) {
        self.ended.send_replace(true);
        for client in self.clients {
            // Of a connection that has ended the follow has, too.
            drop(client.send(ENQUIRY).await);
        }
    }
}

/// The side that reads requests.
pub(super) struct RequestReader {
    pub(super) clients: SourceClients,
    pub(super) replies: mpsc::Sender<PendingReply>,
    pub(super) following: Option<Following>,
    /// Held by each part that is under way.
    pub(super) on_the_way: Arc<()>,
}

impl RequestReader {
    /// Takes requests until there are no more; says whether a follow is open then.
    pub(super) async fn run(mut self, mut input: ReadHalf<DuplexStream>) -> bool {
        let mut framer = RequestFramer::default();
        let mut buffer = Vec::with_capacity(READ_SIZE);
        while let Ok(1..) = input.read_buf(&mut buffer).await {
            if let Some(following) = self.following.take() {
                following.end().await;
                self.clients.set_following(false);
                framer.reopen();
            }
            let (mut rest, mut puts) = (&buffer[..], Puts::default());
            while let Some(line) = framer.next_request(&mut rest) {
                if let Some(following) = self.following.take() {
                    following.end().await;
                    self.clients.set_following(false);
                }
                let due = match line {
                    Line::Text(line) => self.send_on(line, &mut puts).await,
                    Line::TooLong => {
                        let due = self.send_puts(&mut puts).await;
                        due.into_iter().chain([PendingReply::refusal(WRONG_COMMAND)]).collect()
                    }
                };
                for due in due {
                    if self.replies.send(due).await.is_err() {
                        return false;
                    }
                }
            }
            if let Some(due) = self.send_puts(&mut puts).await
                && self.replies.send(due).await.is_err()
            {
                return false;
            }
            buffer.drain(..buffer.len() - rest.len());
            buffer.reserve(READ_SIZE);
        }
        self.following.is_some()
    }

    /// Sends a request on to the sources that it is for, and the `puts` before it; a put becomes one of
    /// these.
    async fn send_on(&mut self, line: &[u8], puts: &mut Puts) -> Vec<PendingReply> {
        let joined = Arc::clone(&self.clients.joined);
        let shifts = shifts_of(&joined.sources, &joined.standings.borrow());
        let routed = route(line, &joined.sources, &shifts, unix_now());
        let mut due = Vec::new();
        if let Routed::Asked { kind: Kind::Put, targets, .. } = &routed
            && let [Target { source, line, .. }] = &targets[..]
        {
            if puts.push(*source, line) {
                return due;
            }
            let changes = joined.changes(*source);
            if let Some(Ok(client)) = self.clients.to(targets).await.pop() {
                puts.begin(*source, changes, client);
                puts.push(*source, line);
                return due;
            }
        }
        due.extend(self.send_puts(puts).await);
        due.push(match routed {
            Routed::Answered(reply) => PendingReply::Ready(reply),
            Routed::Asked { kind, targets, filter } => {
                self.ask(kind, &targets, filter.as_ref(), &shifts).await
            }
        });
        due
    }

    /// Sends puts on, if there are some.
    async fn send_puts(&self, puts: &mut Puts) -> Option<PendingReply> {
        let puts = std::mem::take(puts);
        if puts.is_empty() {
            None
        } else {
            Some(PendingReply::Put(puts.send(&self.on_the_way).await))
        }
    }

    /// Sends a request on to its targets.
    async fn ask(
        &mut self,
        kind: Kind,
        targets: &[Target],
        filter: Option<&Glob>,
        shifts: &[u64],
    ) -> PendingReply {
        let joined = Arc::clone(&self.clients.joined);
        let standing: Vec<(usize, u64, u64)> = {
            let standings = joined.standings.borrow();
            let changes =
                |at: usize| standings.get(at).map_or((0, 0), |it| (it.changes, it.news()));
            let of = |target: &Target| (target.source, changes(target.source));
            targets.iter().map(of).map(|(at, (changes, news))| (at, changes, news)).collect()
        };
        let clients = self.clients.to(targets).await;
        let missing = targets.iter().zip(&clients).find_map(|(target, client)| {
            let reason = client.as_ref().err()?;
            Some(format!("{}: {reason}", joined.name(target.source)))
        });
        let is_change = matches!(kind, Kind::Put | Kind::Deletion);
        let is_any_here = targets.is_empty() || clients.iter().any(Result::is_ok);
        match missing {
            Some(_) if self.clients.needs_all => return PendingReply::Broken,
            // What is to be changed in some is changed in none.
            Some(reason) if is_change || !is_any_here => return PendingReply::refusal(&reason),
            _ => {}
        }
        let is_lenient = !self.clients.needs_all && !is_change && targets.len() > 1;
        let (mut here, mut lacking) = (Vec::new(), Vec::new());
        for (target, client) in targets.iter().zip(clients) {
            match client {
                Ok(client) => here.push((target, client)),
                Err(_) => lacking.push(target.source),
            }
        }
        if is_lenient {
            let is_asked =
                |&(target, _): &(&Target, _)| !joined.is_refused(target.source, &target.line);
            // Where all refuse, one of them says why.
            if here.iter().any(is_asked) {
                let left_out = here.extract_if(.., |part| !is_asked(part));
                lacking.extend(left_out.map(|(target, _)| target.source));
            }
        }
        if kind == Kind::Deletion
            && here.len() > 1
            && let Some(reason) = joined.deletion_refusal(&here).await
        {
            return PendingReply::refusal(&reason);
        }
        // One without selectors would be left out without a word where it takes them for keys.
        if kind == Kind::Get && (self.clients.needs_all || self.clients.are_kept()) {
            let selected = here.iter().filter(|(target, _)| needs_selectors(&target.line));
            let selected: Vec<_> =
                selected.map(|(target, client)| (target.source, client.clone())).collect();
            if let Some(reason) = joined.selector_refusal(&selected, &mut self.clients.able).await {
                return PendingReply::refusal(&reason);
            }
        }
        let is_alone = Arc::strong_count(&self.on_the_way) == 1;
        let (mut parts, mut asked) = (Vec::new(), Vec::new());
        for (target, client) in here {
            let stream = client.send(&target.line).await;
            asked.push(client);
            let shift = shifts.get(target.source).copied().unwrap_or(0);
            let source = joined.sources.get(target.source);
            let source = source.filter(|_| kind == Kind::Follow && shift > 0);
            let course = source.map(|source| Course {
                server: source.server.clone(),
                keys: target.keys.clone(),
                shift,
            });
            parts.push(Part {
                source: target.source,
                line: target.line.clone(),
                lines: DataLines::new(joined.before(target.source), filter.cloned())
                    .shifted(shift, target.step),
                stream,
                sent: Instant::now(),
                is_alone,
                on_the_way: Arc::clone(&self.on_the_way),
                changes: standing.iter().find(|it| it.0 == target.source).map_or(0, |it| it.1),
                course,
            });
        }
        let mode = if is_lenient { Mode::Lenient { lacking } } else { Mode::Strict };
        if kind != Kind::Follow {
            return PendingReply::Asked { kind, parts, mode };
        }
        let (ended, is_ended) = watch::channel(false);
        self.clients.set_following(true);
        self.following = Some(Following { clients: asked, ended });
        let standing = standing.into_iter().map(|(at, _, news)| (at, news)).collect();
        PendingReply::Followed { parts, mode, standing, ended: is_ended }
    }
}
