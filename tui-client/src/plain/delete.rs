//! Takes points back, after a question on a terminal.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufRead, BufReader, IsTerminal, stderr, stdin};

use shared::response::{WRONG_COMMAND, decode_points};
use shared::{Client, Request, Selector};
use tokio::task::spawn_blocking;

use super::connection::{connect, has_points, take_reply};
use super::message::write_message;
use super::{Failure, REFUSED, USAGE, mistake, signals, warn};
use crate::cli::Plan;
use crate::clock::unix_now;
use crate::request::deletion::{Form, NOT_ALLOWED, PROBE_KEY, Selected, counting_selector, times};
use crate::sources::{SEPARATOR, check_name};
use crate::system::os::streams::Input;
use crate::text::escape::named;

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
    let (mut selected, uncounted) = count(&connection, selector).await?;
    if !yes {
        // One of several servers that does not tell is not to be taken for one without points.
        if let Some(reason) = uncounted.filter(|reason| reason != WRONG_COMMAND) {
            return refuse(&format!("del {selector}: {reason}"));
        }
        let key = selector.split('[').next().unwrap_or(selector);
        // So answers a server without selectors, too.
        if selected.points == 0
            && has_points(&connection, key).await?
            && !has_points(&connection, "*[last]").await?
        {
            if key != selector {
                return refuse("the server knows no ranges");
            }
            selected = count_of_key(&connection, key).await?;
        }
        if selected.points == 0 {
            warn(&format!("no points for {}", named(selector)));
            return Ok(());
        }
        if let Some(reason) = refusal(&connection, selector).await? {
            return refuse(if reason == WRONG_COMMAND { NOT_ALLOWED } else { &reason });
        }
        let times = times(selector, unix_now());
        let times = times.map_or(String::new(), |times| format!(", {times}"));
        if !is_confirmed(format!("delete {selected}, {selector}{times}? [y/N] ")).await? {
            return refuse("nothing is deleted");
        }
    }
    let reply = connection.send(request.as_bytes()).await?;
    match take_reply(reply, |_| Ok(())).await?.as_deref() {
        None => {
            warn(&match selected.points {
                0 => format!("no points for {}", named(selector)),
                _ => format!("deleted {selected}"),
            });
            Ok(())
        }
        Some(WRONG_COMMAND) => refuse(NOT_ALLOWED),
        Some(reason) => refuse(&format!("del {selector}: {reason}")),
    }
}

/// Why the server refuses a `del` of this form, if it does: consent is asked for nothing that it would
/// refuse, and a server that knows no ranges may yet take one of a key.
async fn refusal(connection: &Client, selector: &str) -> Result<Option<String>, Failure> {
    // A name that no store holds.
    let random = RandomState::new().hash_one(selector);
    let Some(form) = Form::of(selector) else { return Ok(None) };
    // In a view of several servers, of the one that the selector is for.
    let named = selector.split_once(SEPARATOR).filter(|(name, _)| check_name(name).is_ok());
    let name = named.map_or(String::new(), |(name, _)| format!("{name}{SEPARATOR}"));
    let probe = form.probe(&format!("{name}{PROBE_KEY}{random:016x}"));
    let reply = connection.send(probe.as_bytes()).await?;
    take_reply(reply, |_| Ok(())).await
}

fn refuse(why: &str) -> Result<(), Failure> {
    warn(why);
    Err(Failure::Exit(REFUSED))
}

/// What a selector selects; nothing where the server does not tell, and why where it says so.
async fn count(connection: &Client, selector: &str) -> Result<(Selected, Option<String>), Failure> {
    let mut selected = Selected::default();
    let Some(counted) = counting_selector(selector) else { return Ok((selected, None)) };
    let Ok(counted) = Selector::from_bytes(counted.as_bytes()) else { return Ok((selected, None)) };
    let refused = take_reply(connection.get(counted).await?, |data| {
        for (_, count) in decode_points(data).flatten() {
            selected.add(count.value);
        }
        Ok(())
    })
    .await?;
    Ok((selected, refused))
}

/// The points of a key, of a server that does not count them.
async fn count_of_key(connection: &Client, key: &str) -> Result<Selected, Failure> {
    let mut points = 0;
    let Ok(key) = Selector::from_bytes(key.as_bytes()) else { return Ok(Selected::default()) };
    take_reply(connection.get(key).await?, |data| {
        points += decode_points(data).flatten().count() as u64;
        Ok(())
    })
    .await?;
    Ok(Selected { points, keys: points.min(1) })
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
