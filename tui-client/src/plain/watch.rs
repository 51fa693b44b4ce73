//! New points of the watched keys, a data line each, across restarts of the server.

use std::io::{Write, stdout};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use shared::client::{Backoff, ClientError};
use shared::response::decode_points;
use shared::{Client, KeyBuf, Point, Selector};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::format::Printer;
use super::{Connection, Failure, connect, dial, take_reply, tell};
use crate::cli::Plan;

/// Runs until standard output is closed. The first connection must succeed, so that a wrong
/// `--port` shows at once; later ones are tried again until they do.
pub(super) async fn run(
    plan: &Plan,
    keys: &[KeyBuf],
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    let connection = connect(plan, out).await?;
    tokio::select! {
        outcome = follow(plan, keys, connection, out) => outcome,
        () = output_closed() => Ok(()),
    }
}

/// Comes when nobody reads standard output any longer, which matters where there is nothing to
/// write for a long time.
async fn output_closed() {
    let closed = tokio::task::spawn_blocking(|| {
        let output = stdout();
        // No events are asked for: an error or the end is told in any case.
        let mut output = [PollFd::new(&output, PollFlags::empty())];
        rustix::event::poll(&mut output, None)
    });
    if !matches!(closed.await, Ok(Ok(_))) {
        std::future::pending::<()>().await;
    }
}

async fn follow(
    plan: &Plan,
    keys: &[KeyBuf],
    mut connection: Connection,
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    let mut watched: Vec<_> = keys.iter().map(Watched::new).collect();
    loop {
        let Failure::Connection(reason) = poll(plan, &connection.0, &mut watched, out).await?
        else {
            return Ok(());
        };
        tell(&format!("{reason}; trying again until it works"));
        connection = reconnect(plan).await;
        tell("connected again");
    }
}

async fn reconnect(plan: &Plan) -> Connection {
    let mut backoff = Backoff::default();
    loop {
        sleep(backoff.failed()).await;
        if let Ok(connection) = dial(plan).await {
            return connection;
        }
    }
}

/// Polls until the connection fails, which is given, or something else does.
async fn poll(
    plan: &Plan,
    client: &Client,
    watched: &mut [Watched<'_>],
    out: &mut Printer<impl Write>,
) -> Result<Failure, Failure> {
    let mut ticks = interval(plan.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        for key in &mut *watched {
            match key.ask(client, plan.timeout, out).await {
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

    async fn ask(
        &mut self,
        client: &Client,
        limit: Duration,
        out: &mut Printer<impl Write>,
    ) -> Result<(), Failure> {
        let reply = client.get(Selector::Key(self.key.as_key())).await?;
        let refused = take_reply(reply, limit, |data| {
            for point in decode_points(data) {
                let (key, point) = point.map_err(ClientError::from)?;
                if self.begun && key == self.key.as_key() && self.is_news(point) {
                    out.point(key, point)?;
                    self.last = Some(point);
                } else if !self.begun {
                    self.last = Some(point);
                }
            }
            Ok(())
        });
        if let Some(reason) = refused.await? {
            // A server that can't serve now may do so later; it is said once.
            if self.complaint.as_ref() != Some(&reason) {
                tell(&format!("{}: {reason}", self.key));
                self.complaint = Some(reason);
            }
            return Ok(());
        }
        self.complaint = None;
        if !std::mem::replace(&mut self.begun, true)
            && let Some(last) = self.last
        {
            out.point(self.key.as_key(), last)?;
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
