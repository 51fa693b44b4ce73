//! The replies of one connection of the screen, written in the order of the requests, piece by piece.

use std::sync::Arc;

use shared::client::{ClientError, ReplyPiece};
use shared::response::{WRONG_COMMAND, encode_end, encode_error, encode_status_ok};
use tokio::io::{AsyncWriteExt, DuplexStream, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::abilities::needs_selectors;
use super::course::Told;
use super::parts::{Begun, Failure, Outcome, Part};
use super::puts::SentPuts;
use super::{Joined, SourceLink};
use crate::clock::unix_now;
use crate::sources::Kind;
use crate::system::net::end_reason;

/// Bytes of a reply that are gathered before they are written.
const MAX_GATHERED: usize = 32 * 1024;

/// Pieces of a follow that wait to be written.
const MAX_TOLD: usize = 8;

/// The size up to which an answer is small, so that its time is that of the way.
const MAX_SMALL: usize = 64 * 1024;

/// A reply that is due.
pub(super) enum PendingReply {
    /// This one.
    Ready(Vec<u8>),
    /// Those of puts.
    Put(SentPuts),
    /// That of some sources.
    Asked { kind: Kind, parts: Vec<Part>, mode: Mode },
    /// That of a follow.
    Followed {
        parts: Vec<Part>,
        mode: Mode,
        standing: Vec<(usize, u64)>,
        ended: watch::Receiver<bool>,
    },
    /// None: the connection ends.
    Broken,
}

impl PendingReply {
    /// An error with this reason.
    pub(super) fn refusal(reason: &str) -> Self {
        let mut reply = Vec::new();
        encode_error(reason, &mut reply);
        Self::Ready(reply)
    }
}

/// What becomes of a part that is refused or lost.
pub(super) enum Mode {
    /// So is the whole.
    Strict,
    /// Its source is left out of a `get` of several, as these are already.
    Lenient { lacking: Vec<usize> },
}

/// The connection is to end: a reply has broken off, or can't be written.
struct Broken;

impl From<std::io::Error> for Broken {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

impl From<ClientError> for Broken {
    fn from(_: ClientError) -> Self {
        Self
    }
}

/// The side that writes replies.
pub(super) struct ReplyWriter {
    pub(super) output: WriteHalf<DuplexStream>,
    pub(super) joined: Arc<Joined>,
    pub(super) out: Vec<u8>,
}

impl ReplyWriter {
    /// Writes replies in the order in which they are due; ends when one breaks off.
    pub(super) async fn run(mut self, mut dues: mpsc::Receiver<PendingReply>) {
        while let Some(due) = dues.recv().await {
            let written = match due {
                PendingReply::Ready(reply) => {
                    self.output.write_all(&reply).await.map_err(Broken::from)
                }
                PendingReply::Put(puts) => self.puts(puts).await,
                PendingReply::Asked { kind: Kind::Deletion, parts, .. } => {
                    self.deletion(parts).await
                }
                PendingReply::Asked { kind, parts, mode } => self.reply(kind, parts, mode).await,
                PendingReply::Followed { parts, mode, standing, ended } => {
                    self.follow(parts, mode, &standing, ended).await
                }
                PendingReply::Broken => Err(Broken),
            };
            if written.is_err() {
                return;
            }
        }
    }

    /// Writes what has been gathered.
    async fn flush(&mut self) -> Result<(), Broken> {
        let written = self.output.write_all(&self.out).await;
        self.out.clear();
        Ok(written?)
    }

    /// Writes the replies to puts.
    async fn puts(&mut self, puts: SentPuts) -> Result<(), Broken> {
        let SentPuts { order, mut replies } = puts;
        for at in order {
            let Some(of) = replies.get_mut(at) else { continue };
            if !of.is_here() {
                self.flush().await?;
                of.wait(&self.joined).await?;
            }
            if let Some(reason) = of.take(&self.joined) {
                encode_error(&reason, &mut self.out);
            } else {
                encode_status_ok(&mut self.out);
                encode_end(&mut self.out);
            }
            if self.out.len() >= MAX_GATHERED {
                self.flush().await?;
            }
        }
        self.flush().await
    }

    /// Writes the data of all parts, one after the other, as one reply.
    async fn reply(&mut self, kind: Kind, parts: Vec<Part>, mode: Mode) -> Result<(), Broken> {
        let is_repeatable = kind == Kind::Get;
        let parts = match self.begun(parts, mode, is_repeatable).await? {
            Ok(parts) => parts,
            Err(reason) => return self.refuse(&reason).await,
        };
        encode_status_ok(&mut self.out);
        for (source, changes, mut part) in parts {
            let mut bytes = 0;
            while let Some(piece) = self.joined.piece(&mut part.stream, source, changes).await? {
                if let ReplyPiece::Data(data) = piece {
                    bytes += data.len();
                    part.lines.add(&data, &mut self.out);
                    if self.out.len() >= MAX_GATHERED {
                        self.flush().await?;
                    }
                }
            }
            if let Some(first) = part.first.filter(|_| bytes <= MAX_SMALL) {
                self.joined.measured(source, first);
            }
            drop(part.on_the_way);
        }
        encode_end(&mut self.out);
        self.flush().await
    }

    /// Writes the reply to a `del`: where it is done in some sources alone, in which.
    async fn deletion(&mut self, parts: Vec<Part>) -> Result<(), Broken> {
        let (mut done, mut refused, mut lost) = (Vec::new(), None, None);
        for Outcome { source, changes, begun, .. } in self.begin(parts).await {
            let begun = match begun {
                Ok(mut part) => loop {
                    match self.joined.piece(&mut part.stream, source, changes).await {
                        Ok(Some(_)) => {}
                        Ok(None) => break Ok(()),
                        Err(error) => break Err(Failure::Lost(error)),
                    }
                },
                Err(fault) => Err(fault),
            };
            match begun {
                Ok(()) => done.push(self.joined.name(source)),
                Err(Failure::Refused(reason)) => {
                    refused.get_or_insert_with(|| self.joined.denied(source, reason));
                }
                Err(Failure::Lost(error)) => {
                    let (name, reason) = (self.joined.name(source), end_reason(&error));
                    lost.get_or_insert_with(|| format!("{name}: perhaps not done: {reason}"));
                }
            }
        }
        let Some(reason) = lost.or(refused) else {
            encode_status_ok(&mut self.out);
            encode_end(&mut self.out);
            return self.flush().await;
        };
        if done.is_empty() {
            return self.refuse(&reason).await;
        }
        let reason = reason.strip_suffix(": nothing is deleted").unwrap_or(&reason);
        self.refuse(&format!("{reason}; done on {}", done.join(", "))).await
    }

    /// Waits until all parts have begun: nothing is written before it is known that none is refused.
    /// Gives those that have, with their sources and how often those had changed, or why there is no
    /// reply. A part that is lost is an error for what `is_repeatable`, and breaks the reply off where
    /// it may have had an effect.
    async fn begun(
        &mut self,
        parts: Vec<Part>,
        mode: Mode,
        is_repeatable: bool,
    ) -> Result<Result<Vec<(usize, u64, Begun)>, String>, Broken> {
        let outcomes = self.begin(parts).await;
        let is_any_begun = outcomes.iter().any(|it| it.begun.is_ok());
        let (mut taken, mut lacking) = match mode {
            Mode::Lenient { lacking } if is_any_begun => (Vec::new(), Some(lacking)),
            Mode::Lenient { .. } | Mode::Strict => (Vec::new(), None),
        };
        for Outcome { source, line, changes, begun } in outcomes {
            let reason = match begun {
                Ok(part) => {
                    if lacking.is_some() {
                        self.joined.clear_fault(source, &line);
                    }
                    taken.push((source, changes, part));
                    continue;
                }
                // Said of the whole: it has no selectors.
                Err(Failure::Refused(reason))
                    if reason == WRONG_COMMAND && (lacking.is_none() || needs_selectors(&line)) =>
                {
                    return Ok(Err(reason));
                }
                Err(Failure::Refused(reason)) => reason,
                Err(Failure::Lost(error)) if is_repeatable => end_reason(&error),
                Err(Failure::Lost(error)) => return Err(error.into()),
            };
            match &mut lacking {
                Some(lacking) => {
                    self.joined.record_fault(source, changes, &line, &reason);
                    lacking.push(source);
                }
                None => return Ok(Err(format!("{}: {reason}", self.joined.name(source)))),
            }
        }
        self.joined.told_of(&lacking.unwrap_or_default()).await;
        Ok(Ok(taken))
    }

    /// Waits for the status of each part, and for the reasons of those that are refused.
    async fn begin(&self, parts: Vec<Part>) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        let mut beginning = JoinSet::new();
        let is_alone = parts.len() == 1;
        for (order, part) in parts.into_iter().enumerate() {
            if is_alone {
                // No task, of which there would be one for each line of a pipe.
                outcomes.push((order, part.begin(&self.joined).await));
                break;
            }
            let joined = Arc::clone(&self.joined);
            beginning.spawn(async move { (order, part.begin(&joined).await) });
        }
        while let Some(Ok(outcome)) = beginning.join_next().await {
            outcomes.push(outcome);
        }
        outcomes.sort_by_key(|(order, _)| *order);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }

    async fn refuse(&mut self, reason: &str) -> Result<(), Broken> {
        encode_error(reason, &mut self.out);
        self.flush().await
    }

    /// Writes what the parts tell as it comes, until one of them ends or the follow is `ended`, and then
    /// what is still to come. Breaks off when a source of it comes or goes.
    async fn follow(
        &mut self,
        parts: Vec<Part>,
        mode: Mode,
        standing: &[(usize, u64)],
        mut ended: watch::Receiver<bool>,
    ) -> Result<(), Broken> {
        let begun = match self.begun(parts, mode, true).await? {
            Ok(begun) => begun,
            Err(reason) => return self.refuse(&reason).await,
        };
        encode_status_ok(&mut self.out);
        self.flush().await?;
        let (told_sender, mut told) = mpsc::channel(MAX_TOLD);
        let mut open = begun.len();
        // They end with this.
        let mut telling = JoinSet::new();
        for (.., mut part) in begun {
            let course = part.course.take().map(|course| {
                let (ahead, newest) = watch::channel(i64::MIN);
                let shift = course.shift;
                telling.spawn(course.tell(part.lines.clone(), newest, told_sender.clone()));
                (ahead, shift)
            });
            telling.spawn(tell(part, course, told_sender.clone()));
        }
        let mut standings = self.joined.standings.subscribe();
        let has_changed = |now: &Vec<SourceLink>| {
            let is_other = |&(at, news): &(usize, u64)| {
                now.get(at).is_none_or(|standing| standing.news() != news)
            };
            standing.iter().any(is_other)
        };
        loop {
            let is_ended = *ended.borrow();
            if open == 0 && (is_ended || !standing.is_empty()) {
                break;
            }
            tokio::select! {
                news = told.recv() => match news {
                    Some(Told::Lines(lines)) => self.output.write_all(&lines).await?,
                    Some(Told::Ended) if *ended.borrow() => open -= 1,
                    // It does not follow, so that all of them together do not.
                    Some(Told::Ended) => break,
                    Some(Told::Lost) | None => return Err(Broken),
                },
                changed = ended.changed(), if !is_ended => if changed.is_err() { return Err(Broken) },
                () = async { drop(standings.wait_for(has_changed).await) } => return Err(Broken),
            }
        }
        encode_end(&mut self.out);
        self.flush().await
    }
}

/// Hands on what a part tells, to its end. Points of a source whose times are shifted that are ahead are
/// those of its course, which learns the last time of them on the server.
async fn tell(
    mut part: Begun,
    course: Option<(watch::Sender<i64>, u64)>,
    told: mpsc::Sender<Told>,
) {
    loop {
        let news = match part.stream.next().await {
            Ok(Some(ReplyPiece::Data(data))) => {
                let mut lines = Vec::new();
                let until = course.as_ref().map_or(i64::MAX, |_| unix_now());
                let later = part.lines.add_until(until, &data, &mut lines);
                if let Some((ahead, shift)) = &course
                    && let Some(later) = later
                {
                    let later = later.saturating_sub_unsigned(*shift);
                    ahead.send_if_modified(|known| {
                        std::mem::replace(known, later.max(*known)) < later
                    });
                }
                if lines.is_empty() {
                    continue;
                }
                Told::Lines(lines)
            }
            Ok(Some(ReplyPiece::Status(_))) => continue,
            Ok(None) => Told::Ended,
            Err(_) => Told::Lost,
        };
        let is_last = !matches!(news, Told::Lines(_));
        if told.send(news).await.is_err() || is_last {
            return;
        }
    }
}
