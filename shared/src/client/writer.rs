//! The writing side of a connection: commands in order, at the pace that the server has shown.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt, WriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use super::command::{Awaiting, Command, lost};
use super::error::ClientError;
use super::pace::{
    PROBE_FIRST, PROBE_REPLIES, Pace, ProbeReplies, Progress, ServerTraits, probe_two,
};

/// Longest wait for a reply to a probe. A server that takes longer gets one request at a time, which
/// is slow but always right.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest wait for the end of a connection by a server that has closed the ones before after one
/// reply each.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// How writing has ended, other than by the end of the connection.
pub(super) enum WriteEnd {
    /// There are no more commands.
    Finished,
    /// The connection is lost.
    Lost(ClientError),
    /// A probe has failed, so that replies may be out of step: this connection is of no more use.
    OutOfStep,
}

/// The command that is being sent line by line.
#[derive(Debug, Default)]
pub(super) struct Unanswered {
    bytes: Vec<u8>,
    /// The beginning of the last line that was sent.
    at: usize,
}

impl Unanswered {
    /// The lines from the last one that was sent on, or, when that `is_answered`, after it.
    fn rest(&self, is_answered: bool) -> &[u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if is_answered { &rest[line_length(rest)..] } else { rest }
    }
}

fn line_length(bytes: &[u8]) -> usize {
    bytes.iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |end| end + 1)
}

/// The writing side.
pub(super) struct Writer<S> {
    stream: WriteHalf<S>,
    due: mpsc::Sender<Awaiting>,
    ended_follows: mpsc::Receiver<u64>,
    progress: watch::Receiver<Progress>,
    /// Commands, probes among them.
    commands: u64,
    /// Requests, each of which has a reply.
    requests: u64,
    unanswered: Unanswered,
    is_probing: bool,
}

impl<S: AsyncWrite> Writer<S> {
    /// Writes to `stream`, and sends on `due` where the replies go.
    pub(super) fn new(
        stream: WriteHalf<S>,
        due: mpsc::Sender<Awaiting>,
        ended_follows: mpsc::Receiver<u64>,
        progress: watch::Receiver<Progress>,
    ) -> Self {
        Self {
            stream,
            due,
            ended_follows,
            progress,
            commands: 0,
            requests: 0,
            unanswered: Unanswered::default(),
            is_probing: false,
        }
    }

    /// Requests so far.
    pub(super) fn requests(&self) -> u64 {
        self.requests
    }

    /// A probe is under way.
    pub(super) fn is_probing(&self) -> bool {
        self.is_probing
    }

    /// What is to be sent again or still to be sent of the current command, when so many requests
    /// are answered.
    pub(super) fn rest(&self, answered: u64) -> &[u8] {
        self.unanswered.rest(answered >= self.requests)
    }

    /// Writes what is in `queue`, and all commands after it.
    pub(super) async fn run(
        &mut self,
        queue: &mut VecDeque<Command>,
        commands: &mut mpsc::Receiver<Command>,
        traits: &mut ServerTraits,
    ) -> WriteEnd {
        match self.write_all(queue, commands, traits).await {
            Ok(end) => end,
            Err(error) => WriteEnd::Lost(lost(&error)),
        }
    }

    async fn write_all(
        &mut self,
        queue: &mut VecDeque<Command>,
        commands: &mut mpsc::Receiver<Command>,
        traits: &mut ServerTraits,
    ) -> io::Result<WriteEnd> {
        loop {
            // Room first: a command that is taken out of its queue is due at once.
            let due = self.due.clone();
            let Ok(room) = due.reserve().await else {
                return Ok(WriteEnd::Lost(ClientError::Closed));
            };
            if queue.is_empty() {
                tokio::select! {
                    command = commands.recv() => queue.extend(command),
                    Some(follow) = self.ended_follows.recv() => {
                        // A later command has ended it already, and may be a follow itself.
                        if follow == self.commands {
                            self.write(b"\n").await?;
                        }
                        continue;
                    }
                }
            }
            let Some(command) = queue.front() else { break };
            if traits.pace != Pace::Pipelined {
                if traits.pace == Pace::Unknown && (command.requests > 1 || !self.is_quiet()) {
                    drop(room);
                    self.wait_until_quiet().await;
                    if !self.is_pipelining().await? {
                        traits.pace = Pace::OneByOne;
                        return Ok(WriteEnd::OutOfStep);
                    }
                    traits.pace = Pace::Pipelined;
                    continue;
                }
                self.wait_for_turn(traits).await;
            }
            let Some(command) = queue.pop_front() else { break };
            self.commands += 1;
            let Command { bytes, requests, awaiting } = command;
            if traits.pace == Pace::Pipelined {
                self.requests += requests;
                room.send(awaiting);
                self.write(&bytes).await?;
            } else {
                self.unanswered = Unanswered { bytes, at: 0 };
                room.send(awaiting);
                self.write_one_by_one(traits).await?;
            }
        }
        // Nothing more can be written: a follow that nothing takes any more ends with the connection.
        self.ended_follows.close();
        if self.ended_follows.try_recv() == Ok(self.commands) {
            return Ok(WriteEnd::Lost(ClientError::Closed));
        }
        // A peer that is gone already has nothing left to be told.
        let _ = self.stream.shutdown().await;
        Ok(WriteEnd::Finished)
    }

    /// Writes the lines of the current command, each after the reply to the one before.
    async fn write_one_by_one(&mut self, traits: &mut ServerTraits) -> io::Result<()> {
        loop {
            let line = self.unanswered.rest(false);
            let length = line_length(line);
            // Before it is written: part of it may have come through.
            self.requests += 1;
            self.stream.write_all(&line[..length]).await?;
            self.stream.flush().await?;
            if length == line.len() {
                return Ok(());
            }
            self.wait_for_turn(traits).await;
            self.unanswered.at += length;
        }
    }

    /// Writes, through what encrypts, too.
    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    fn is_quiet(&self) -> bool {
        self.progress.borrow().is_quiet(self.requests)
    }

    /// Waits until no reply is due, but for that of a follow, which ends with the next request.
    async fn wait_until_quiet(&mut self) {
        let sent = self.requests;
        // Without a reader, the connection has ended.
        let _ = self.progress.wait_for(|progress| progress.is_quiet(sent)).await;
    }

    /// Waits until the next request may be written.
    async fn wait_for_turn(&mut self, traits: &mut ServerTraits) {
        self.wait_until_quiet().await;
        if traits.closes() && self.requests > 0 {
            sleep(CLOSE_TIMEOUT).await;
            // It is still there.
            traits.closed_after_reply = 0;
        }
    }

    /// Finds out whether the server answers a request that is sent ahead of a reply, in two round
    /// trips. When it does not, replies may be out of step.
    async fn is_pipelining(&mut self) -> io::Result<bool> {
        let (replies, mut statuses) = ProbeReplies::new();
        if self.due.send(Awaiting::Probe(replies)).await.is_err() {
            return Ok(false);
        }
        self.commands += 1;
        self.is_probing = true;
        let mut to_send = [probe_two(), PROBE_FIRST.to_vec()].into_iter();
        for expected in PROBE_REPLIES {
            if let Some(requests) = to_send.next() {
                self.write(&requests).await?;
            }
            let status = timeout(PROBE_TIMEOUT, statuses.recv()).await;
            if !matches!(status, Ok(Some(status)) if status == expected) {
                return Ok(false);
            }
        }
        self.requests += PROBE_REPLIES.len() as u64;
        self.is_probing = false;
        Ok(true)
    }
}
