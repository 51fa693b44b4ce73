//! Takes points back, after a question on a terminal.

use std::io::{self, BufRead, BufReader, IsTerminal, stderr, stdin};

use jiff::tz::TimeZone;
use shared::response::{WRONG_COMMAND, decode_points};
use shared::selector::{Aggregate, Buckets, Clause, Step, Time};
use shared::{Client, Request, Selector};
use tokio::task::spawn_blocking;

use super::connection::{connect, has_points, take_reply};
use super::message::write_message;
use super::{Failure, REFUSED, USAGE, mistake, signals, warn};
use crate::cli::Plan;
use crate::clock::unix_now;
use crate::request::deletion::{NOT_ALLOWED, range_of};
use crate::system::os::streams::Input;
use crate::text::escape::named;
use crate::text::number::plural;
use crate::text::time;

/// Selects nothing: its range ends before it begins.
const PROBE: &[u8] = b"del tui-client.probe[1:0]";

/// Deletes the points that a selector selects. Without `yes` a terminal is needed, which is asked
/// with their number.
pub(super) async fn run(plan: &Plan, selector: &str) -> Result<(), Failure> {
    let (request, yes) = (format!("del {selector}"), plan.yes);
    if let Err(bad) = Request::decode(request.as_bytes()) {
        return Err(mistake(request.as_bytes(), &bad));
    }
    let can_ask = stdin().is_terminal() && stderr().is_terminal();
    if !yes && !can_ask {
        warn("del asks on a terminal; --yes deletes without asking");
        return Err(Failure::Exit(USAGE));
    }
    let connection = connect(plan).await?;
    let (points, keys) = count(&connection, selector).await?;
    let counted =
        format!("{} of {}", plural(points, "point", "points"), plural(keys, "key", "keys"));
    if !yes {
        if points == 0 {
            // So answers a server without selectors, too.
            let key = selector.split('[').next().unwrap_or(selector);
            if has_points(&connection, key).await? && !has_points(&connection, "*[last]").await? {
                return refuse(NOT_ALLOWED);
            }
            warn(&format!("no points for {}", named(selector)));
            return Ok(());
        }
        if !allows_deletes(&connection).await? {
            return refuse(NOT_ALLOWED);
        }
        let times = times(selector, unix_now());
        if !is_confirmed(format!("delete {counted}, {selector}{times}? [y/N] ")).await? {
            return refuse("nothing is deleted");
        }
    }
    let reply = connection.send(request.as_bytes()).await?;
    match take_reply(reply, |_| Ok(())).await?.as_deref() {
        None => {
            warn(&match points {
                0 => format!("no points for {}", named(selector)),
                _ => format!("deleted {counted}"),
            });
            Ok(())
        }
        Some(WRONG_COMMAND) => refuse(NOT_ALLOWED),
        Some(reason) => refuse(&format!("del {selector}: {reason}")),
    }
}

/// The server takes a `del`: consent is asked for nothing that it would refuse.
async fn allows_deletes(connection: &Client) -> Result<bool, Failure> {
    let reply = connection.send(PROBE).await?;
    Ok(take_reply(reply, |_| Ok(())).await?.as_deref() != Some(WRONG_COMMAND))
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

/// The times that a selector selects, in words: what a forgotten unit means is seen. Empty for all.
fn times(selector: &str, now: i64) -> String {
    let (from, to) = range_of(selector).map_or((None, None), |(_, from, to)| (from, to));
    let date = |time| {
        let at = match time {
            Time::At(at) => at,
            Time::Ago(ago) => now.saturating_sub(ago.seconds()),
        };
        time::date(at, &TimeZone::UTC)
    };
    match (from.map(date), to.map(date)) {
        (None, None) => String::new(),
        (Some(from), None) => format!(", from {from} UTC on"),
        (None, Some(to)) => format!(", up to {to} UTC"),
        (Some(from), Some(to)) => format!(", from {from} to {to} UTC"),
    }
}

/// Asks on the terminal. A signal is an exit code, on a line of its own.
async fn is_confirmed(question: String) -> Result<bool, Failure> {
    let asking = spawn_blocking(move || {
        write_message(&question);
        let mut answer = String::new();
        BufReader::new(Input).read_line(&mut answer)?;
        let answer = answer.trim();
        Ok(answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes"))
    });
    let interrupted = signals::listen(None)?;
    tokio::select! {
        answer = asking => answer.map_err(io::Error::other)?.map_err(Failure::Local),
        code = interrupted => {
            write_message("\n");
            Err(Failure::Exit(code))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_told_in_dates() {
        for (selector, told) in [
            ("a", ""),
            ("a[-15:]", ", from 1969-12-31 23:59:45 UTC on"),
            ("a*[-15m:]", ", from 2001-09-09 01:31:40 UTC on"),
            ("a[:0]", ", up to 1970-01-01 00:00:00 UTC"),
            ("a[0:1]", ", from 1970-01-01 00:00:00 to 1970-01-01 00:00:01 UTC"),
        ] {
            assert_eq!(times(selector, 1_000_000_000), told, "{selector}");
        }
    }
}
