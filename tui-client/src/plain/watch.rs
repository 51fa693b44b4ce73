//! New points of the watched keys, a data line each, across restarts of the server.

use std::io::Write;

use shared::client::{Backoff, ClientError};
use shared::response::{decode_points, encode_point};
use shared::{Client, KeyBuf, Point, Selector};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::{Failure, connect, tell};
use crate::cli::Plan;

/// Runs until standard output is closed. The first connection must succeed, so that a wrong
/// `--port` shows at once; later ones are tried again until they do.
pub(super) async fn run(plan: &Plan, keys: &[KeyBuf], out: &mut impl Write) -> Result<(), Failure> {
    let mut watched: Vec<_> = keys.iter().map(Watched::new).collect();
    let mut client = connect(plan).await?;
    loop {
        let Failure::Connection(reason) = poll(plan, &client, &mut watched, out).await? else {
            return Ok(());
        };
        tell(&format!("{reason}; trying again until it works"));
        client = reconnect(plan).await;
        tell("connected again");
    }
}

async fn reconnect(plan: &Plan) -> Client {
    let mut backoff = Backoff::default();
    loop {
        sleep(backoff.failed()).await;
        if let Ok(client) = connect(plan).await {
            return client;
        }
    }
}

/// Polls until the connection fails, which is given, or something else does.
async fn poll(
    plan: &Plan,
    client: &Client,
    watched: &mut [Watched<'_>],
    out: &mut impl Write,
) -> Result<Failure, Failure> {
    let mut ticks = interval(plan.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        for key in &mut *watched {
            match key.ask(client, out).await {
                Ok(()) => {}
                Err(failure @ Failure::Connection(_)) => return Ok(failure),
                Err(failure) => return Err(failure),
            }
        }
        out.flush()?;
    }
}

/// A key and how far it is printed.
struct Watched<'a> {
    key: &'a KeyBuf,
    last: Option<Point>,
    /// The first answer is behind us: from now on every point is new.
    begun: bool,
    complaint: Option<String>,
}

impl<'a> Watched<'a> {
    fn new(key: &'a KeyBuf) -> Self {
        Self { key, last: None, begun: false, complaint: None }
    }

    async fn ask(&mut self, client: &Client, out: &mut impl Write) -> Result<(), Failure> {
        let reply = client.get(Selector::Key(self.key.as_key())).await?;
        let mut lines = Vec::new();
        let mut written = Ok(());
        let outcome = reply
            .for_each_data(|data| {
                for point in decode_points(data) {
                    let (key, point) = point?;
                    if self.begun && key == self.key.as_key() && self.is_news(point) {
                        encode_point(key, point, &mut lines);
                        self.last = Some(point);
                    } else if !self.begun {
                        self.last = Some(point);
                    }
                }
                if written.is_ok() {
                    written = out.write_all(&lines);
                }
                lines.clear();
                Ok(())
            })
            .await;
        written?;
        match outcome {
            Ok(()) => self.complaint = None,
            // A server that can't serve now may do so later; it is said once.
            Err(ClientError::Refused(reason)) => {
                if self.complaint.as_ref() != Some(&reason) {
                    tell(&format!("{}: {reason}", self.key));
                    self.complaint = Some(reason);
                }
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
        if !std::mem::replace(&mut self.begun, true)
            && let Some(last) = self.last
        {
            encode_point(self.key.as_key(), last, &mut lines);
            out.write_all(&lines)?;
        }
        Ok(())
    }

    fn is_news(&self, point: Point) -> bool {
        self.last.is_none_or(|last| {
            point.timestamp > last.timestamp
                || (point.timestamp == last.timestamp
                    && point.value.to_bits() != last.value.to_bits())
        })
    }
}
