//! One connection of the screen to the joined sources. Requests are sent on to the sources as they come,
//! and the replies are written in the order of the requests, piece by piece.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use shared::client::{ClientError, ReplyPiece, ReplyStream};
use shared::frame::{Line, RequestFramer};
use shared::response::{Status, WRONG_COMMAND, encode_end, encode_error, encode_status_ok};
use shared::{Client, Glob};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, split};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant};

use super::abilities::needs_selectors;
use super::course::{Course, Told};
use super::puts::{Puts, SentPuts};
use super::supervisor::ENQUIRY;
use super::{Joined, shifts_of};
use crate::clock::unix_now;
use crate::sources::{DataLines, Kind, Routed, Source, SourceLabel, SourceState, Target, route};
use crate::system::net::end_reason;

/// Requests that are sent on before the reply to the first of them is written.
const MAX_AHEAD: usize = 64;

/// Bytes of a reply that are gathered before they are written.
const MAX_GATHERED: usize = 32 * 1024;

/// Pieces of a follow that wait to be written.
const MAX_TOLD: usize = 8;

/// Bytes of requests that are read at a time.
const READ_SIZE: usize = 64 * 1024;

/// The size up to which an answer is small, so that its time is that of the way.
const MAX_SMALL: usize = 64 * 1024;

/// The connections to the sources.
pub(super) struct Ways {
    joined: Arc<Joined>,
    /// Those of this connection alone; none where those that are kept are used.
    own: Option<Vec<Option<Client>>>,
    /// How often each source had changed when its connection was made.
    made_at: Vec<u64>,
    /// All sources have to be there.
    needs_all: bool,
    /// The sources that are known to have selectors.
    able: Vec<bool>,
}

impl Ways {
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
    fn is_following(&self, is_open: bool) {
        if self.own.is_none() {
            self.joined.is_following.store(is_open, Ordering::Relaxed);
        }
    }

    /// The connections to some sources, or why there is none.
    async fn to(&mut self, targets: &[Target]) -> Vec<Result<Client, String>> {
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
            let standing = |it: &super::Standing| (it.state.is_here(), it.changes);
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

impl Drop for Ways {
    /// A source may tell without end.
    fn drop(&mut self) {
        self.is_following(false);
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

/// A reply that is due.
enum Due {
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

/// What becomes of a part that is refused or lost.
enum Mode {
    /// So is the whole.
    Strict,
    /// Its source is left out of a `get` of several, as these are already.
    Lenient { lacking: Vec<usize> },
}

/// What one source answers.
struct Part {
    source: usize,
    /// The request, as it was sent to the source.
    line: Vec<u8>,
    lines: DataLines,
    stream: Result<ReplyStream, ClientError>,
    sent: Instant,
    /// Nothing else was under way, so that the time to its first byte is that of the way.
    is_alone: bool,
    /// It is under way as long as this lives.
    on_the_way: Arc<()>,
    /// How often the source had changed when it was asked.
    changes: u64,
    /// What a follow tells besides, where the times of the source are shifted.
    course: Option<Course>,
}

/// A follow that has been sent on.
struct Following {
    clients: Vec<Client>,
    ended: watch::Sender<bool>,
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

/// Serves a connection of the screen until it ends.
pub(super) async fn serve(stream: DuplexStream, ways: Ways) {
    let (input, output) = split(stream);
    let (due_sender, dues) = mpsc::channel(MAX_AHEAD);
    let joined = Arc::clone(&ways.joined);
    let (is_kept, mut standings) = (ways.own.is_none(), joined.standings.subscribe());
    let reader = Reader { ways, dues: due_sender, following: None, on_the_way: Arc::new(()) };
    let writer = Writer { output, joined: Arc::clone(&joined), out: Vec::new() };
    let (reading, writing) = (reader.run(input), writer.run(dues));
    let deserted = async {
        // The sender lives as long as this.
        let nobody = |all: &Vec<super::Standing>| !joined.is_any_here(all);
        let _ = standings.wait_for(nobody).await;
    };
    tokio::pin!(reading, writing);
    tokio::select! {
        () = &mut writing => {}
        () = deserted, if is_kept => {}
        // What is due is still written, unless it never ends.
        is_following = &mut reading => if !is_following { writing.await },
    }
}

/// The side that reads requests.
struct Reader {
    ways: Ways,
    dues: mpsc::Sender<Due>,
    following: Option<Following>,
    /// Held by each part that is under way.
    on_the_way: Arc<()>,
}

impl Reader {
    /// Takes requests until there are no more; says whether a follow is open then.
    async fn run(mut self, mut input: ReadHalf<DuplexStream>) -> bool {
        let mut framer = RequestFramer::default();
        let mut buffer = Vec::with_capacity(READ_SIZE);
        while let Ok(1..) = input.read_buf(&mut buffer).await {
            if let Some(following) = self.following.take() {
                following.end().await;
                self.ways.is_following(false);
                framer.reopen();
            }
            let (mut rest, mut puts) = (&buffer[..], Puts::default());
            while let Some(line) = framer.next_request(&mut rest) {
                if let Some(following) = self.following.take() {
                    following.end().await;
                    self.ways.is_following(false);
                }
                let due = match line {
                    Line::Text(line) => self.send_on(line, &mut puts).await,
                    Line::TooLong => {
                        let due = self.send_puts(&mut puts).await;
                        due.into_iter().chain([refusal(WRONG_COMMAND)]).collect()
                    }
                };
                for due in due {
                    if self.dues.send(due).await.is_err() {
                        return false;
                    }
                }
            }
            if let Some(due) = self.send_puts(&mut puts).await
                && self.dues.send(due).await.is_err()
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
    async fn send_on(&mut self, line: &[u8], puts: &mut Puts) -> Vec<Due> {
        let joined = Arc::clone(&self.ways.joined);
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
            if let Some(Ok(client)) = self.ways.to(targets).await.pop() {
                puts.begin(*source, changes, client);
                puts.push(*source, line);
                return due;
            }
        }
        due.extend(self.send_puts(puts).await);
        due.push(match routed {
            Routed::Answered(reply) => Due::Ready(reply),
            Routed::Asked { kind, targets, filter } => {
                self.ask(kind, &targets, filter.as_ref(), &shifts).await
            }
        });
        due
    }

    /// Sends puts on, if there are some.
    async fn send_puts(&self, puts: &mut Puts) -> Option<Due> {
        let puts = std::mem::take(puts);
        if puts.is_empty() { None } else { Some(Due::Put(puts.send(&self.on_the_way).await)) }
    }

    /// Sends a request on to its targets.
    async fn ask(
        &mut self,
        kind: Kind,
        targets: &[Target],
        filter: Option<&Glob>,
        shifts: &[u64],
    ) -> Due {
        let joined = Arc::clone(&self.ways.joined);
        let standing: Vec<(usize, u64, u64)> = {
            let standings = joined.standings.borrow();
            let changes =
                |at: usize| standings.get(at).map_or((0, 0), |it| (it.changes, it.news()));
            let of = |target: &Target| (target.source, changes(target.source));
            targets.iter().map(of).map(|(at, (changes, news))| (at, changes, news)).collect()
        };
        let clients = self.ways.to(targets).await;
        let missing = targets.iter().zip(&clients).find_map(|(target, client)| {
            let reason = client.as_ref().err()?;
            Some(format!("{}: {reason}", joined.name(target.source)))
        });
        let is_change = matches!(kind, Kind::Put | Kind::Deletion);
        let is_any_here = targets.is_empty() || clients.iter().any(Result::is_ok);
        match missing {
            Some(_) if self.ways.needs_all => return Due::Broken,
            // What is to be changed in some is changed in none.
            Some(reason) if is_change || !is_any_here => return refusal(&reason),
            _ => {}
        }
        let is_lenient = !self.ways.needs_all && !is_change && targets.len() > 1;
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
            return refusal(&reason);
        }
        if kind == Kind::Get && self.ways.needs_all {
            let selected = here.iter().filter(|(target, _)| needs_selectors(&target.line));
            let selected: Vec<_> =
                selected.map(|(target, client)| (target.source, client.clone())).collect();
            if let Some(reason) = joined.selector_refusal(&selected, &mut self.ways.able).await {
                return refusal(&reason);
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
            return Due::Asked { kind, parts, mode };
        }
        let (ended, is_ended) = watch::channel(false);
        self.ways.is_following(true);
        self.following = Some(Following { clients: asked, ended });
        let standing = standing.into_iter().map(|(at, _, news)| (at, news)).collect();
        Due::Followed { parts, mode, standing, ended: is_ended }
    }
}

fn refusal(reason: &str) -> Due {
    let mut reply = Vec::new();
    encode_error(reason, &mut reply);
    Due::Ready(reply)
}

impl Joined {
    /// The next piece of what a source answers, unless it goes before.
    pub(super) async fn piece(
        &self,
        stream: &mut ReplyStream,
        at: usize,
        changes: u64,
    ) -> Result<Option<ReplyPiece>, ClientError> {
        tokio::select! {
            biased;
            piece = stream.next() => piece,
            () = self.is_gone(at, changes) => Err(ClientError::Closed),
        }
    }

    pub(super) fn name(&self, at: usize) -> String {
        self.sources.get(at).map(|source| SourceLabel::from(source).shown()).unwrap_or_default()
    }

    fn before(&self, at: usize) -> String {
        self.sources.get(at).map(Source::before).unwrap_or_default()
    }
}

/// The connection is to end: a reply has broken off, or nobody reads.
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
struct Writer {
    output: WriteHalf<DuplexStream>,
    joined: Arc<Joined>,
    out: Vec<u8>,
}

/// A part that does not answer.
enum Fault {
    /// It is refused for this reason.
    Refused(String),
    /// It is not known whether it has had an effect.
    Lost(ClientError),
}

impl From<ClientError> for Fault {
    fn from(error: ClientError) -> Self {
        Self::Lost(error)
    }
}

/// A part whose reply has begun, and is none of an error.
struct Begun {
    lines: DataLines,
    stream: ReplyStream,
    first: Option<Duration>,
    on_the_way: Arc<()>,
    course: Option<Course>,
}

/// What is known of a part once it has begun.
struct Outcome {
    source: usize,
    line: Vec<u8>,
    changes: u64,
    begun: Result<Begun, Fault>,
}

impl Writer {
    async fn run(mut self, mut dues: mpsc::Receiver<Due>) {
        while let Some(due) = dues.recv().await {
            let written = match due {
                Due::Ready(reply) => self.output.write_all(&reply).await.map_err(Broken::from),
                Due::Put(puts) => self.puts(puts).await,
                Due::Asked { kind: Kind::Deletion, parts, .. } => self.deletion(parts).await,
                Due::Asked { kind, parts, mode } => self.reply(kind, parts, mode).await,
                Due::Followed { parts, mode, standing, ended } => {
                    self.follow(parts, mode, &standing, ended).await
                }
                Due::Broken => Err(Broken),
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
                        Err(error) => break Err(Fault::Lost(error)),
                    }
                },
                Err(fault) => Err(fault),
            };
            match begun {
                Ok(()) => done.push(self.joined.name(source)),
                Err(Fault::Refused(reason)) => {
                    refused.get_or_insert_with(|| self.joined.denied(source, reason));
                }
                Err(Fault::Lost(error)) => {
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
                Err(Fault::Refused(reason))
                    if reason == WRONG_COMMAND && (lacking.is_none() || needs_selectors(&line)) =>
                {
                    return Ok(Err(reason));
                }
                Err(Fault::Refused(reason)) => reason,
                Err(Fault::Lost(error)) if is_repeatable => end_reason(&error),
                Err(Fault::Lost(error)) => return Err(error.into()),
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
        let has_changed = |now: &Vec<super::Standing>| {
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

impl Part {
    /// Waits for the status, and for the reason where it is an error.
    async fn begin(self, joined: &Joined) -> Outcome {
        let Self { source, line, lines, stream, sent, is_alone, on_the_way, changes, course } =
            self;
        let begun = async {
            let mut stream = stream?;
            match joined.piece(&mut stream, source, changes).await? {
                Some(ReplyPiece::Status(Status::Ok)) => {
                    let first = is_alone.then(|| sent.elapsed());
                    Ok(Begun { lines, stream, first, on_the_way, course })
                }
                Some(ReplyPiece::Status(Status::Error)) => {
                    Err(Fault::Refused(joined.reason(&mut stream, source, changes).await?))
                }
                Some(ReplyPiece::Data(_)) | None => Err(Fault::Lost(ClientError::Closed)),
            }
        };
        Outcome { source, line, changes, begun: begun.await }
    }
}
