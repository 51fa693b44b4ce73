//! Takes points back, after a question on a terminal.

use std::io::{self, IsTerminal, Write, stderr, stdin};

use shared::response::{WRONG_COMMAND, decode_points};
use shared::selector::{Aggregate, Buckets, Clause, Step};
use shared::{Client, Selector};
use tokio::task::spawn_blocking;

use super::connection::{connect, has_points, take_reply};
use super::{Failure, REFUSED, USAGE, warn};
use crate::cli::Plan;
use crate::request::deletion::{NOT_ALLOWED, range_of};
use crate::text::number::plural;

/// Deletes the points that a selector selects. Without `yes` a terminal is needed, which is asked
/// with their number.
pub(super) async fn run(plan: &Plan, selector: &str, yes: bool) -> Result<(), Failure> {
    let can_ask = stdin().is_terminal() && stderr().is_terminal();
    if !yes && !can_ask {
        warn("del asks on a terminal; --yes deletes without asking");
        return Err(Failure::Exit(USAGE));
    }
    let connection = connect(plan).await?;
    if !yes {
        let (points, keys) = count(&connection, selector).await?;
        if points == 0 {
            // So answers a server without selectors, too.
            let key = selector.split('[').next().unwrap_or(selector);
            if has_points(&connection, key).await? && !has_points(&connection, "*[last]").await? {
                return refuse(NOT_ALLOWED);
            }
            warn(&format!("no points for {selector}"));
            return Ok(());
        }
        let (points, keys) = (plural(points, "point", "points"), plural(keys, "key", "keys"));
        if !is_confirmed(format!("delete {points} of {keys}? [y/N] ")).await? {
            return refuse("nothing is deleted");
        }
    }
    let reply = connection.send(format!("del {selector}").as_bytes()).await?;
    match take_reply(reply, |_| Ok(())).await?.as_deref() {
        None => Ok(()),
        Some(WRONG_COMMAND) => refuse(NOT_ALLOWED),
        Some(reason) => refuse(&format!("{reason}: del {selector}")),
    }
}

fn refuse(why: &str) -> Result<(), Failure> {
    warn(why);
    Err(Failure::Exit(REFUSED))
}

/// The numbers of points and keys that a selector selects; none where the server does not tell.
async fn count(connection: &Client, selector: &str) -> Result<(u64, u64), Failure> {
    let (mut points, mut keys) = (0, 0);
    let Some((pattern, from, to)) = range_of(selector) else { return Ok((points, keys)) };
    // A count is an exact number of a float far beyond what a store holds.
    let buckets = Some(Buckets { step: Step::All, how: Aggregate::Count });
    let counted = format!("{pattern}[{}]", Clause::Range { from, to, buckets });
    let Ok(counted) = Selector::from_bytes(counted.as_bytes()) else { return Ok((points, keys)) };
    let reply = connection.get(counted).await?;
    take_reply(reply, |data| {
        for (_, count) in decode_points(data).flatten() {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
            let count = count.value as u64;
            (points, keys) = (points + count, keys + 1);
        }
        Ok(())
    })
    .await?;
    Ok((points, keys))
}

/// Asks on the terminal.
async fn is_confirmed(question: String) -> Result<bool, Failure> {
    let asking = spawn_blocking(move || {
        write!(stderr(), "{question}")?;
        let mut answer = String::new();
        stdin().read_line(&mut answer)?;
        let answer = answer.trim();
        Ok(answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes"))
    });
    asking.await.map_err(io::Error::other)?.map_err(Failure::Local)
}
