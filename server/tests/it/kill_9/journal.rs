//! The puts and deletes of a client and their replies, compared with what the server has stored.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::Sender;

use crate::harness::os;
use crate::harness::process::connect;
use crate::harness::random::Random;

/// Keys that each client has to itself, and keys that all share.
const KEYS: u64 = 12;

/// Puts sent together, at most.
const MAX_BURST: u64 = 300;

/// Bursts sent before the replies to the first are awaited.
const AHEAD: usize = 4;

/// Timestamps to put again are this near to the newest one.
const NEAR: u64 = 300;

const OK: &[u8] = b"ok\n\n";

#[derive(Debug, Clone)]
struct Put {
    key: String,
    timestamp: u64,
    /// Each value is sent only once, so it tells which put it comes from.
    value: u64,
}

/// A request of a client.
#[derive(Debug, Clone)]
enum Sent {
    Put(Put),
    /// The points of a key from the first to the last timestamp are taken back; all without them.
    Delete {
        key: String,
        range: Option<(u64, u64)>,
    },
}

/// The points of a client, by key in the order of first puts.
#[derive(Debug, Clone, Default, PartialEq)]
struct Points(Vec<(String, BTreeMap<u64, u64>)>);

impl Points {
    fn put(&mut self, put: &Put) {
        let Self(series) = self;
        let place = series.iter().position(|(key, _)| *key == put.key).unwrap_or_else(|| {
            series.push((put.key.clone(), BTreeMap::new()));
            series.len() - 1
        });
        series[place].1.insert(put.timestamp, put.value);
    }

    fn apply(&mut self, sent: &Sent) {
        match sent {
            Sent::Put(put) => self.put(put),
            Sent::Delete { key, range } => {
                let is_kept = |at: &u64| range.is_some_and(|(from, to)| !(from..=to).contains(at));
                if let Some((_, points)) = self.0.iter_mut().find(|(known, _)| known == key) {
                    points.retain(|at, _| is_kept(at));
                }
                self.0.retain(|(_, points)| !points.is_empty());
            }
        }
    }

    /// The order of keys that several clients put is not known.
    fn sort_shared(&mut self) {
        self.0.sort_by(|(a, _), (b, _)| {
            let shared = |key: &str| key.starts_with("shared.").then(|| key.to_owned());
            shared(a).cmp(&shared(b))
        });
    }
}

/// One client over all rounds.
pub struct Journal {
    client: u64,
    clients: u64,
    random: Random,
    /// What is known to be stored.
    stored: Points,
    /// What was sent since that was known, in order.
    sent: Vec<Sent>,
    /// How many of those were acknowledged; the replies come in order.
    acknowledged: usize,
    newest: u64,
    last_value: u64,
}

impl Journal {
    pub fn new(client: u64, clients: u64, seed: u64) -> Self {
        Self {
            client,
            clients,
            random: Random(seed),
            stored: Points::default(),
            sent: Vec::new(),
            acknowledged: 0,
            newest: 0,
            last_value: 0,
        }
    }

    /// Requests sent and acknowledged since the last check.
    pub fn counts(&self) -> (usize, usize) {
        (self.sent.len(), self.acknowledged)
    }

    /// A put of the next value: at the newest time or late, often again, so that the points don't
    /// become too many to be checked in each round. New keys come now and then. No other client
    /// puts to the same key and timestamp.
    fn next(&mut self) -> Put {
        self.last_value += 1;
        let client = self.client;
        let known = 1 + (self.last_value / 5_000).min(KEYS - 1);
        let key = match self.random.below(4) {
            0 => format!("shared.k{}", self.random.below(known)),
            _ => format!("c{client}.k{:02}", self.random.below(known)),
        };
        let time = match self.random.below(128) {
            0 => {
                self.newest += 1;
                self.newest
            }
            1..=40 => self.newest.saturating_sub(self.random.below(NEAR)),
            _ => self.newest,
        };
        Put { key, timestamp: time * self.clients + client, value: self.last_value }
    }

    /// A request to take back points of a key that no other client puts to: a few, or now and then
    /// all.
    fn next_delete(&mut self) -> Sent {
        let key = format!("c{}.k{:02}", self.client, self.random.below(KEYS));
        let from = self.newest.saturating_sub(self.random.below(NEAR)) * self.clients;
        let to = from + self.random.below(20) * self.clients + self.client;
        Sent::Delete { key, range: (self.random.below(4) > 0).then_some((from, to)) }
    }

    /// Sends bursts until the server is gone, and sends the number of new replies to `progress`.
    pub fn put_until_it_ends(&mut self, port: u16, progress: &Sender<u64>) {
        // The server may be killed before all clients have connected.
        let Ok(mut stream) = connect(port) else { return };
        os::limit_waits_for_a_killed_peer(&stream);
        let mut reply = Vec::new();
        loop {
            let ahead = self.sent.len() - self.acknowledged;
            let count = 1 + self.random.below(MAX_BURST);
            let mut lines = String::new();
            for _ in 0..count {
                let sent = match self.random.below(500) {
                    0 => self.next_delete(),
                    _ => Sent::Put(self.next()),
                };
                match &sent {
                    Sent::Put(put) => {
                        writeln!(lines, "put {} {} {}", put.key, put.value, put.timestamp).unwrap();
                    }
                    Sent::Delete { key, range: None } => writeln!(lines, "del {key}").unwrap(),
                    Sent::Delete { key, range: Some((from, to)) } => {
                        writeln!(lines, "del {key}[{from}:{to}]").unwrap();
                    }
                }
                // Noted before it is sent, because a part of the batch may be written.
                self.sent.push(sent);
            }
            let mut gone = stream.write_all(lines.as_bytes()).is_err();
            let most = usize::try_from(MAX_BURST).unwrap() * AHEAD;
            if gone || ahead > most {
                let wanted = if gone { usize::MAX } else { self.sent.len() - most };
                let before = self.acknowledged;
                gone |= self.read_replies(&mut stream, &mut reply, wanted);
                // The receiver is gone when the round ends.
                let _ = progress.send(u64::try_from(self.acknowledged - before).unwrap());
            }
            if gone {
                return;
            }
        }
    }

    /// Reads until `wanted` puts are acknowledged; returns whether the server is gone.
    fn read_replies(&mut self, stream: &mut TcpStream, reply: &mut Vec<u8>, wanted: usize) -> bool {
        let mut buffer = [0; 4096];
        while self.acknowledged < wanted {
            match stream.read(&mut buffer) {
                Ok(0) => return true,
                Ok(read) => reply.extend_from_slice(&buffer[..read]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    panic!("the server does not reply any more")
                }
                Err(_) => return true,
            }
            // The last one may be cut off and is none then.
            let whole = reply.len() / OK.len();
            for one in reply.drain(..whole * OK.len()).collect::<Vec<_>>().chunks(OK.len()) {
                assert_eq!(String::from_utf8_lossy(one), "ok\n\n");
            }
            self.acknowledged += whole;
        }
        false
    }

    /// Notes the newest put that a follower was told: it is as good as acknowledged, and so are all
    /// before it.
    pub fn note_told(&mut self, newest: Option<u64>) {
        let is_newest = |sent: &Sent| matches!(sent, Sent::Put(put) if Some(put.value) == newest);
        if let Some(place) = self.sent.iter().position(is_newest) {
            self.acknowledged = self.acknowledged.max(place + 1);
        }
    }

    /// Compares the journal with what the server has of this client, which becomes what is known to
    /// be stored.
    fn reconcile(&mut self, mut found: Points) {
        let places = self.sent.iter().enumerate().filter_map(|(place, sent)| match sent {
            Sent::Put(put) => Some((put.value, place)),
            Sent::Delete { .. } => None,
        });
        let places: HashMap<u64, usize> = places.collect();
        let values = found.0.iter().flat_map(|(_, points)| points.values());
        // The last put that left a trace; all before it must have left theirs, and all that were
        // acknowledged. Of the others, what a later delete took back left none.
        let last = values.filter_map(|value| places.get(value)).max().map_or(0, |&place| place + 1);
        let stored = last.max(self.acknowledged);
        found.sort_shared();
        let (certain, open) = self.sent.split_at(stored);
        for sent in certain {
            self.stored.apply(sent);
        }
        self.stored.sort_shared();
        let mut further = self.stored.clone();
        for sent in open {
            if self.stored == found {
                break;
            }
            further.apply(sent);
            if matches!(sent, Sent::Delete { .. }) {
                further.sort_shared();
                self.stored = further.clone();
            }
        }
        if self.stored != found {
            self.report_differences(&found);
        }
        self.sent.clear();
        self.acknowledged = 0;
    }

    fn report_differences(&self, found: &Points) -> ! {
        let mut differences = Vec::new();
        let keys = |points: &Points| -> Vec<String> {
            points.0.iter().map(|(key, _)| key.clone()).collect()
        };
        if keys(&self.stored) != keys(found) {
            differences.push(format!("keys {:?}, not {:?}", keys(found), keys(&self.stored)));
        }
        let flat = |points: &Points| -> BTreeMap<(String, u64), u64> {
            let all = points.0.iter().flat_map(|(key, points)| {
                points.iter().map(|(&timestamp, &value)| ((key.clone(), timestamp), value))
            });
            all.collect()
        };
        let (wanted, found) = (flat(&self.stored), flat(found));
        for (place, value) in &wanted {
            if found.get(place) != Some(value) {
                differences.push(format!("{place:?} is {:?}, not {value}", found.get(place)));
            }
        }
        for (place, value) in found.iter().filter(|(place, _)| !wanted.contains_key(place)) {
            differences.push(format!("{place:?} is {value}, and was never put"));
        }
        panic!(
            "client {}, with {} of {} acknowledged: {} differences\n{}",
            self.client,
            self.acknowledged,
            self.sent.len(),
            differences.len(),
            differences[..differences.len().min(20)].join("\n")
        );
    }
}

/// Compares the reply to `get *` with the journals of all clients.
pub fn check(reply: &str, journals: &mut [Journal]) {
    let data = reply.strip_prefix("ok\n").and_then(|data| data.strip_suffix('\n'));
    let mut found: Vec<Points> = journals.iter().map(|_| Points::default()).collect();
    let mut before: Option<(&str, u64)> = None;
    let mut keys = Vec::new();
    for line in data.expect("a whole reply").lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let &[key, value, timestamp] = words.as_slice() else { panic!("three words: {line:?}") };
        let value = value.strip_suffix(".0").expect("whole numbers were put");
        let (value, timestamp) = (value.parse().unwrap(), timestamp.parse().unwrap());
        match before {
            Some((last, time)) if last == key => assert!(time < timestamp, "the order at {line}"),
            _ => keys.push(key),
        }
        before = Some((key, timestamp));
        let owner = usize::try_from(timestamp).unwrap() % journals.len();
        found[owner].put(&Put { key: key.to_owned(), timestamp, value });
    }
    let all = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), all, "a key comes twice");
    for (journal, found) in journals.iter_mut().zip(found) {
        journal.reconcile(found);
    }
}
