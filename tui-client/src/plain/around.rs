//! What is sound of a `get` that the server refuses because its disk has lost points: windows around the times of
//! the loss, and in these the keys one by one.

use std::collections::BTreeSet;
use std::io::Write;

use shared::response::{LOST_POINTS, UNREAD_POINTS, decode_points};
use shared::{Client, Key, KeyBuf, Selector};

use super::connection::take_reply;
use super::message::warn;
use super::printer::Printer;
use super::{Failure, NO_SELECTORS};

/// Windows that are asked for: a server that refuses more has lost too much to be asked around.
const MAX_WINDOWS: usize = 64;

/// Bytes of keys in a request.
const MAX_KEYS: usize = 3000;

/// The first and the last timestamp.
type Window = (i64, i64);

/// Prints what is sound of the points of a pattern, whose `get` was refused for this reason, and says what is
/// not.
///
/// # Errors
/// When the connection or the output fails.
pub(super) async fn print(
    connection: &Client,
    pattern: &str,
    reason: &str,
    out: &mut Printer<impl Write>,
) -> Result<(), Failure> {
    let mut said = BTreeSet::from([reason.to_owned()]);
    let mut keys: BTreeSet<KeyBuf> = Key::new(pattern).map(Key::to_owned).into_iter().collect();
    let is_complete = !keys.is_empty() || learn(connection, pattern, &mut keys).await?;
    let (mut windows, mut gaps) = (Vec::new(), Vec::new());
    split((i64::MIN, i64::MAX), times(reason), &mut windows, &mut gaps);
    let mut asked = 0;
    while let Some(window) = windows.pop() {
        asked += 1;
        if asked > MAX_WINDOWS {
            gaps.push(window);
            continue;
        }
        if let Some(reason) = ask(connection, pattern, window, out, &mut keys).await? {
            split(window, times(&reason), &mut windows, &mut gaps);
            say(reason, &mut said);
        }
    }
    gaps.sort_unstable();
    for &gap in &gaps {
        for group in groups(&keys) {
            print_keys(connection, group, gap, out, &mut said).await?;
        }
    }
    if !is_complete {
        for gap in gaps {
            warn(&format!("keys that have points {} alone are not known", in_words(gap)));
        }
    }
    Ok(())
}

/// Prints the points of keys in a window, but for those whose points are lost.
async fn print_keys(
    connection: &Client,
    keys: Vec<KeyBuf>,
    window: Window,
    out: &mut Printer<impl Write>,
    said: &mut BTreeSet<String>,
) -> Result<(), Failure> {
    let mut groups = vec![keys];
    while let Some(mut group) = groups.pop() {
        let names: Vec<_> = group.iter().map(KeyBuf::as_str).collect();
        let pattern = match names[..] {
            [] => continue,
            [key] => key.to_owned(),
            _ => format!("{{{}}}", names.join(",")),
        };
        let Some(reason) = ask(connection, &pattern, window, out, &mut BTreeSet::new()).await?
        else {
            continue;
        };
        if group.len() == 1 {
            say(reason, said);
        } else {
            let second = group.split_off(group.len() / 2);
            // The first half is asked for first.
            groups.extend([second, group]);
        }
    }
    Ok(())
}

/// Adds all keys of a pattern. Answers whether the server tells them: it knows the newest point of most keys
/// also where others of theirs are lost.
async fn learn(
    connection: &Client,
    pattern: &str,
    keys: &mut BTreeSet<KeyBuf>,
) -> Result<bool, Failure> {
    let selector = format!("{pattern}[last]");
    let Ok(selector) = Selector::from_bytes(selector.as_bytes()) else {
        return Ok(false);
    };
    let each = |data: &[u8]| {
        add_keys(data, keys);
        Ok(())
    };
    Ok(take_reply(connection.get(selector).await?, each).await?.is_none())
}

/// Prints the points of a pattern in a window, and adds their keys; the reason when it is refused.
async fn ask(
    connection: &Client,
    pattern: &str,
    (from, to): Window,
    out: &mut Printer<impl Write>,
    keys: &mut BTreeSet<KeyBuf>,
) -> Result<Option<String>, Failure> {
    let bound = |at: i64, none: i64| if at == none { String::new() } else { at.to_string() };
    let selector = format!("{pattern}[{}:{}]", bound(from, i64::MIN), bound(to, i64::MAX));
    let Ok(selector) = Selector::from_bytes(selector.as_bytes()) else {
        return Ok(Some(NO_SELECTORS.to_owned()));
    };
    let each = |data: &[u8]| {
        add_keys(data, keys);
        out.data(data)
    };
    take_reply(connection.get(selector).await?, each).await
}

/// Adds the keys of data lines.
fn add_keys(data: &[u8], keys: &mut BTreeSet<KeyBuf>) {
    for (key, _) in decode_points(data).flatten() {
        if !keys.contains(key.as_str()) {
            keys.insert(key.to_owned());
        }
    }
}

/// Keys that go into a request each; one with a comma by itself.
fn groups(keys: &BTreeSet<KeyBuf>) -> Vec<Vec<KeyBuf>> {
    let mut groups: Vec<Vec<KeyBuf>> = Vec::new();
    let mut bytes = 0;
    for key in keys {
        let has_comma = key.as_str().contains(',');
        bytes += key.as_str().len() + 1;
        match groups.last_mut() {
            Some(group) if bytes <= MAX_KEYS && !has_comma => group.push(key.clone()),
            _ => {
                groups.push(vec![key.clone()]);
                // Nothing goes along with a comma.
                bytes = if has_comma { MAX_KEYS } else { key.as_str().len() };
            }
        }
    }
    groups
}

/// Splits a window into what is outside of the times of a loss and the gap; all is a gap where that is not
/// known.
fn split(
    (from, to): Window,
    lost: Option<Window>,
    windows: &mut Vec<Window>,
    gaps: &mut Vec<Window>,
) {
    let (start, end) = lost.unwrap_or((from, to));
    let gap = (start.max(from), end.min(to));
    if gap.0 > gap.1 {
        gaps.push((from, to));
        return;
    }
    gaps.push(gap);
    if gap.1 < to {
        windows.push((gap.1 + 1, to));
    }
    if from < gap.0 {
        windows.push((from, gap.0 - 1));
    }
}

/// From when to when points are lost, as a server says it.
fn times(reason: &str) -> Option<Window> {
    let lost = reason.strip_prefix(LOST_POINTS)?;
    let words: Vec<_> = lost.strip_suffix(UNREAD_POINTS).unwrap_or(lost).split(' ').collect();
    match words[..] {
        [.., "of", "any", "time"] => Some((i64::MIN, i64::MAX)),
        [.., "up", "to", to] => Some((i64::MIN, to.parse().ok()?)),
        [.., "from", from, "on"] => Some((from.parse().ok()?, i64::MAX)),
        [.., "from", from, "to", to] => Some((from.parse().ok()?, to.parse().ok()?)),
        _ => None,
    }
}

fn in_words(window: Window) -> String {
    match window {
        (i64::MIN, i64::MAX) => "of any time".to_owned(),
        (i64::MIN, to) => format!("up to {to}"),
        (from, i64::MAX) => format!("from {from} on"),
        (from, to) => format!("from {from} to {to}"),
    }
}

/// Says a reason once.
fn say(reason: String, said: &mut BTreeSet<String>) {
    if !said.contains(&reason) {
        warn(&reason);
        said.insert(reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_of_a_loss_are_read() {
        for window in [(3, 5), (i64::MIN, -7), (-3, i64::MAX), (i64::MIN, i64::MAX)] {
            for keys in ["unknown keys", "a:", "from"] {
                let reason = format!("{LOST_POINTS}{keys} {}", in_words(window));
                assert_eq!(times(&reason), Some(window), "{reason}");
                assert_eq!(times(&format!("{reason}{UNREAD_POINTS}")), Some(window), "{reason}");
            }
        }
        for other in ["the disk is full", "the disk has lost points of a", "from 3 to 5"] {
            assert_eq!(times(other), None, "{other}");
        }
    }

    #[test]
    fn a_window_is_split_around_a_loss() {
        let all = (i64::MIN, i64::MAX);
        for (window, lost, around, gap) in [
            (all, Some((3, 5)), vec![(6, i64::MAX), (i64::MIN, 2)], (3, 5)),
            (all, Some(all), vec![], all),
            (all, None, vec![], all),
            ((0, 9), Some((i64::MIN, 4)), vec![(5, 9)], (0, 4)),
            ((0, 9), Some((9, 20)), vec![(0, 8)], (9, 9)),
            // A loss that is elsewhere explains nothing.
            ((0, 9), Some((10, 20)), vec![], (0, 9)),
        ] {
            let (mut windows, mut gaps) = (Vec::new(), Vec::new());
            split(window, lost, &mut windows, &mut gaps);
            assert_eq!((windows, gaps), (around, vec![gap]), "{window:?} without {lost:?}");
        }
    }

    #[test]
    fn keys_with_commas_are_asked_for_by_themselves() {
        let keys: BTreeSet<KeyBuf> =
            ["a", "b,c", "d", "e"].iter().map(|key| key.parse().unwrap()).collect();
        let groups = groups(&keys);
        let names: Vec<Vec<_>> =
            groups.iter().map(|group| group.iter().map(KeyBuf::as_str).collect()).collect();
        assert_eq!(names, [vec!["a"], vec!["b,c"], vec!["d", "e"]]);
        let long: BTreeSet<KeyBuf> =
            (0..9).map(|at| format!("{at}{}", "k".repeat(1000)).parse().unwrap()).collect();
        let groups = super::groups(&long);
        assert!(
            groups.iter().all(|group| group.len() == 2 || group.len() == 1),
            "{}",
            groups.len()
        );
        assert_eq!(groups.concat().len(), 9);
    }
}
