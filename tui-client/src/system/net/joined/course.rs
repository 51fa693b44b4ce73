//! The course of a run whose times are shifted: its points, each told when its time has come in the view.

use std::time::Duration;

use shared::Client;
use shared::client::{ClientError, ConnectOptions, ReplyPiece};
use shared::response::{Status, decode_points};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};

use crate::clock::unix_now;
use crate::sources::DataLines;

/// The least time between two questions for the points that are due.
const MIN_STEP: Duration = Duration::from_secs(1);

/// The longest of these times.
const MAX_STEP: Duration = Duration::from_secs(30);

/// An answer takes at most this part of the time.
const SHARE: u32 = 50;

/// Wait before a connection is made again.
const RETRY: Duration = Duration::from_secs(5);

/// Bytes of an answer that are told at once.
const MAX_GATHERED: usize = 32 * 1024;

/// What comes of a part of a follow.
pub(super) enum Told {
    /// Whole lines.
    Lines(Vec<u8>),
    /// It has ended.
    Ended,
    /// Its connection is lost.
    Lost,
}

/// The course of some keys of a run.
#[derive(Debug, Clone)]
pub(super) struct Course {
    /// Where the run is.
    pub(super) server: ConnectOptions,
    /// The pattern of its keys there.
    pub(super) keys: String,
    /// Seconds by which its times are shifted.
    pub(super) shift: u64,
}

/// How a connection ends.
enum Stopped {
    /// The points are wanted no longer.
    Unwanted,
    /// It is lost, or an answer was refused.
    Lost,
}

impl From<ClientError> for Stopped {
    fn from(_: ClientError) -> Self {
        Self::Lost
    }
}

impl Course {
    /// Tells the points from now on, until they are wanted no longer. `ahead` is the newest time on the
    /// server of what was put since, as far as it is still to come.
    pub(super) async fn tell(
        self,
        lines: DataLines,
        mut ahead: watch::Receiver<i64>,
        told: mpsc::Sender<Told>,
    ) {
        let mut from = self.now();
        while let Err(Stopped::Lost) =
            self.tell_over_one(&lines, &mut from, &mut ahead, &told).await
        {
            sleep(RETRY).await;
        }
    }

    /// The time on the server that is now in the view.
    fn now(&self) -> i64 {
        unix_now().saturating_sub_unsigned(self.shift)
    }

    /// As [`Course::tell`], over one connection.
    async fn tell_over_one(
        &self,
        lines: &DataLines,
        from: &mut i64,
        ahead: &mut watch::Receiver<i64>,
        told: &mpsc::Sender<Told>,
    ) -> Result<(), Stopped> {
        let client = Client::connect(&self.server).await.map_err(|_| Stopped::Lost)?;
        let mut end = self.newest(&client).await?;
        let mut wait = MIN_STEP;
        loop {
            end = end.max(*ahead.borrow_and_update());
            if end < *from {
                // The run is over, unless more is put.
                ahead.changed().await.map_err(|_| Stopped::Unwanted)?;
                continue;
            }
            sleep(wait).await;
            let to = self.now();
            if to < *from {
                continue;
            }
            let begun = Instant::now();
            let line = format!("get {}[{from}:{to}]", self.keys);
            let mut reply = client.send(line.as_bytes()).await?;
            let mut due = Vec::new();
            while let Some(piece) = reply.next().await? {
                match piece {
                    ReplyPiece::Status(Status::Ok) => {}
                    ReplyPiece::Status(Status::Error) => return Err(Stopped::Lost),
                    ReplyPiece::Data(data) => lines.add(&data, &mut due),
                }
                if due.len() >= MAX_GATHERED {
                    send(&mut due, told).await?;
                }
            }
            send(&mut due, told).await?;
            *from = to.saturating_add(1);
            wait = (begun.elapsed() * SHARE).clamp(MIN_STEP, MAX_STEP);
        }
    }

    /// The newest time of its keys on the server.
    async fn newest(&self, client: &Client) -> Result<i64, ClientError> {
        let mut reply = client.send(format!("get {}[last]", self.keys).as_bytes()).await?;
        let mut newest = i64::MIN;
        while let Some(piece) = reply.next().await? {
            if let ReplyPiece::Data(data) = piece {
                let times = decode_points(&data).flatten().map(|(_, point)| point.timestamp);
                newest = times.max().unwrap_or(newest).max(newest);
            }
        }
        Ok(newest)
    }
}

/// Tells what is due.
async fn send(due: &mut Vec<u8>, told: &mpsc::Sender<Told>) -> Result<(), Stopped> {
    if due.is_empty() {
        return Ok(());
    }
    told.send(Told::Lines(std::mem::take(due))).await.map_err(|_| Stopped::Unwanted)
}
