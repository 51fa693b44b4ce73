//! The name that was meant by one that is not known.

/// The known name nearest to a text, if it is near enough to have been meant: one edit for each three
/// letters and one besides.
pub fn nearest<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let distance = |name: &str| edits(&text, &name.to_lowercase().chars().collect::<Vec<_>>());
    let nearest = known.into_iter().map(|name| (distance(name), name)).min_by_key(|near| near.0);
    nearest.filter(|&(edits, _)| edits <= 1 + text.len() / 3).map(|(_, name)| name)
}

/// The letters to be put in, left out, changed or exchanged with their neighbour.
fn edits(from: &[char], to: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, &c) in from.iter().enumerate() {
        let mut next = vec![at + 1];
        for (place, &other) in to.iter().enumerate() {
            let same = row[place] + usize::from(c != other);
            let mut least = same.min(row[place + 1] + 1).min(next[place] + 1);
            let swaps = at > 0 && place > 0 && from[at - 1] == other && to[place - 1] == c;
            if swaps {
                least = least.min(before[place - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_a_letter_or_two_is_understood() {
        let known = ["watch", "window", "columns", "filter", "focus"];
        for (typed, meant) in [
            ("colums", Some("columns")),
            ("column", Some("columns")),
            ("Filter", Some("filter")),
            ("filtre", Some("filter")),
            ("windw", Some("window")),
            ("wacht", Some("watch")),
            ("fokus", Some("focus")),
            ("pallette", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, known), meant, "{typed}");
        }
        assert_eq!(nearest("x", []), None);
    }
}
