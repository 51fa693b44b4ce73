//! The last point of each key, once.

use std::io::Write;

use shared::response::decode_points;
use shared::{Key, KeyBuf, Point, Selector};

use super::connection::Connection;
use super::format::Printer;
use super::watch::selectors;
use super::{Failure, tell, unix_now};
use crate::app::fold::Fold;
use crate::app::glob::Glob;
use crate::app::sentinel::Sentinel;
use crate::cli::Plan;

/// Prints the last point of these keys, or of all when there are none. An alert that fires then is
/// told.
pub(super) async fn run(
    plan: &Plan,
    keys: &[Glob],
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    let connection = Connection::make(plan).await?;
    out.begin()?;
    let mut sentinel = Sentinel::new(&plan.alerts);
    let selectors = if keys.is_empty() { vec!["*".to_owned()] } else { selectors(keys) };
    let mut outcome = Ok(());
    let mut found = vec![false; keys.len()];
    for selector in &selectors {
        match print(&connection, (selector, keys), &mut found, &mut sentinel, out).await {
            // The other keys may still be served.
            Err(Failure::Refused) => outcome = Err(Failure::Refused),
            other => other?,
        }
    }
    if outcome.is_ok() {
        let missing = keys.iter().zip(found).filter(|&(_, found)| !found);
        missing.for_each(|(pattern, _)| tell(&format!("no points for {pattern}")));
    }
    if sentinel.fired() { outcome.and(Err(Failure::Alerted)) } else { outcome }
}

async fn print(
    connection: &Connection,
    (selector, keys): (&str, &[Glob]),
    found: &mut [bool],
    sentinel: &mut Sentinel,
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    let Ok(selector) = Selector::from_bytes(selector.as_bytes()) else {
        return Ok(());
    };
    let mut wanted = |key: &str| {
        let mut any = keys.is_empty();
        for (pattern, found) in keys.iter().zip(&mut *found) {
            let matches = pattern.matches(key);
            (any, *found) = (any || matches, *found || matches);
        }
        any
    };
    // The points of a key come together, in the order of time.
    let mut last: Option<(KeyBuf, Point)> = None;
    let mut fold = Fold::new(2);
    let reply = connection.client.get(selector).await?;
    let refused = connection.take_reply(reply, |data| {
        if !sentinel.is_empty() {
            fold.add_lines(data);
        }
        for point in decode_points(data) {
            let (key, point) = point.map_err(shared::client::ClientError::from)?;
            match &mut last {
                Some((same, last)) if same.as_key() == key => *last = point,
                _ if !wanted(key.as_str()) => {}
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
    // Each key is asked for once, so that none can go away.
    for news in sentinel.judge(&fold.finish().series, |_| false, unix_now()) {
        tell(&news.text);
    }
    write(last.as_ref(), out)
}

fn write(last: Option<&(KeyBuf, Point)>, out: &mut Printer<impl Write>) -> Result<(), Failure> {
    last.map_or(Ok(()), |(key, point)| out.point(key.as_key(), *point))
}
