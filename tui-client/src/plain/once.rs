//! The last point of each key, once.

use std::io::Write;

use shared::response::decode_points;
use shared::{Client, Key, KeyBuf, Point, Selector};

use super::format::Printer;
use super::{Failure, connect, take_reply, tell};
use crate::cli::Plan;

/// Prints the last point of these keys, or of all when there are none.
pub(super) async fn run(
    plan: &Plan,
    keys: &[KeyBuf],
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    let (client, _breaker) = connect(plan, out).await?;
    if keys.is_empty() {
        return print(plan, &client, Selector::All, out).await;
    }
    let mut outcome = Ok(());
    for key in keys {
        match print(plan, &client, Selector::Key(key.as_key()), out).await {
            // The other keys may still be served.
            Err(Failure::Refused) => outcome = Err(Failure::Refused),
            other => other?,
        }
    }
    outcome
}

async fn print(
    plan: &Plan,
    client: &Client,
    selector: Selector<'_>,
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    // The points of a key come together, in the order of time.
    let mut last: Option<(KeyBuf, Point)> = None;
    let reply = client.get(selector).await?;
    let refused = take_reply(reply, plan.timeout, |data| {
        for point in decode_points(data) {
            let (key, point) = point.map_err(shared::client::ClientError::from)?;
            match &mut last {
                Some((same, last)) if same.as_key() == key => *last = point,
                before => {
                    write(before.as_ref(), out)?;
                    *before = Some((Key::to_owned(key), point));
                }
            }
        }
        Ok(())
    });
    if let Some(reason) = refused.await? {
        tell(&format!("{selector}: {reason}"));
        return Err(Failure::Refused);
    }
    write(last.as_ref(), out)
}

fn write(last: Option<&(KeyBuf, Point)>, out: &mut Printer<impl Write>) -> Result<(), Failure> {
    last.map_or(Ok(()), |(key, point)| out.point(key.as_key(), *point))
}
