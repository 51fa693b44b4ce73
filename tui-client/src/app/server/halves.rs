//! Queries for several keys that the server refuses because its disk has lost points of one: asked again in
//! halves, until the answer lacks that key alone.

use std::collections::{BTreeMap, BTreeSet};

use shared::Key;

use crate::metrics::reply::PointLists;
use crate::request::pending::{Priority, Query, QueryTag};

/// Reasons that are remembered, so that each is said once.
const MAX_REASONS: usize = 256;

/// Queries that are asked in halves.
#[derive(Debug, Default)]
pub struct Halves {
    next: u64,
    groups: BTreeMap<u64, Group>,
    said: BTreeSet<String>,
    /// Why a key was refused last.
    reasons: BTreeMap<String, String>,
}

/// The halves of a query, and those of these.
#[derive(Debug)]
struct Group {
    tag: QueryTag,
    /// Those without an answer.
    left: usize,
    answer: HalvedAnswer,
}

/// The answer to a query that was asked in halves.
#[derive(Debug, Default)]
pub struct HalvedAnswer {
    /// The points of all keys but those.
    pub points: PointLists,
    /// The keys that can't be answered.
    pub lost: Vec<String>,
}

impl Halves {
    /// Whether this reason was not said yet; it counts as said then.
    pub fn is_news(&mut self, reason: &str) -> bool {
        if self.said.len() >= MAX_REASONS {
            self.said.clear();
        }
        self.said.insert(reason.to_owned())
    }

    /// Why a key was refused last, as far as that is remembered.
    pub fn reason(&self, key: &str) -> Option<&str> {
        self.reasons.get(key).map(String::as_str)
    }

    /// Remembers why the one key of a request line is refused.
    pub fn note_reason(&mut self, line: &str, reason: &str) {
        let Some((keys, _)) = keys_of(line) else { return };
        for key in keys {
            if self.reasons.len() >= MAX_REASONS && !self.reasons.contains_key(key) {
                self.reasons.clear();
            }
            self.reasons.insert(key.to_owned(), reason.to_owned());
        }
    }

    /// The queries for the halves of one that was refused, with this request line; none when it is for one
    /// key.
    pub fn split(&mut self, tag: QueryTag, line: &str) -> Vec<Query> {
        let Some((keys, clause)) = keys_of(line).filter(|(keys, _)| keys.len() > 1) else {
            return Vec::new();
        };
        let group = match tag {
            QueryTag::Half(group) => group,
            tag => {
                self.next += 1;
                let group = Group { tag, left: 1, answer: HalvedAnswer::default() };
                self.groups.insert(self.next, group);
                self.next
            }
        };
        let Some(known) = self.groups.get_mut(&group) else { return Vec::new() };
        known.left += 1;
        let (first, second) = keys.split_at(keys.len() / 2);
        let query = |keys: &[&str]| {
            let pattern = match keys {
                [key] => (*key).to_owned(),
                keys => format!("{{{}}}", keys.join(",")),
            };
            let selector = format!("{pattern}{clause}");
            Query { selector, tag: QueryTag::Half(group), priority: Priority::Soon }
        };
        vec![query(first), query(second)]
    }

    /// Takes the points of a half. The whole answer, when it was the last one.
    pub fn take(&mut self, group: u64, points: &PointLists) -> Option<(QueryTag, HalvedAnswer)> {
        let all = &mut self.groups.get_mut(&group)?.answer.points;
        for (key, points) in points.iter() {
            let Ok(key) = Key::new(key) else { continue };
            for &point in points {
                all.push(key, point);
            }
        }
        self.finish(group)
    }

    /// Takes that the one key of a refused query is lost; as [`Halves::take`].
    pub fn lose(&mut self, tag: QueryTag, line: &str) -> Option<(QueryTag, HalvedAnswer)> {
        let (keys, _) = keys_of(line)?;
        let lost = keys.into_iter().map(str::to_owned);
        let QueryTag::Half(group) = tag else {
            return Some((tag, HalvedAnswer { lost: lost.collect(), ..HalvedAnswer::default() }));
        };
        self.groups.get_mut(&group)?.answer.lost.extend(lost);
        self.finish(group)
    }

    fn finish(&mut self, group: u64) -> Option<(QueryTag, HalvedAnswer)> {
        let known = self.groups.get_mut(&group)?;
        known.left -= 1;
        if known.left > 0 {
            return None;
        }
        let Group { tag, answer, .. } = self.groups.remove(&group)?;
        Some((tag, answer))
    }

    /// Forgets a query of which a half got no answer: who has asked.
    pub fn fail(&mut self, group: u64) -> Option<QueryTag> {
        self.groups.remove(&group).map(|group| group.tag)
    }

    /// Who has asked for the whole.
    pub fn asked(&self, group: u64) -> Option<QueryTag> {
        self.groups.get(&group).map(|group| group.tag)
    }

    /// Forgets the queries that are wanted no longer.
    pub fn drop_unwanted(&mut self, unwanted: impl Fn(QueryTag) -> bool) {
        self.groups.retain(|_, group| !unwanted(group.tag));
    }
}

/// Whether a request is for keys one by one, not for a pattern.
pub fn is_of_keys(line: &str) -> bool {
    keys_of(line).is_some()
}

/// The keys that a request is for, one by one, and its clause; none for a pattern.
fn keys_of(line: &str) -> Option<(Vec<&str>, &str)> {
    let selector = line.strip_prefix("get ")?;
    let clause = selector.find('[').unwrap_or(selector.len());
    let (pattern, clause) = selector.split_at(clause);
    let keys = match pattern.strip_prefix('{') {
        Some(list) => list.strip_suffix('}')?.split(',').collect(),
        None => vec![pattern],
    };
    let are_keys = keys.iter().all(|key| Key::new(key).is_ok());
    are_keys.then_some((keys, clause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::pending::RowPart;
    use crate::request::pending::RowQuery;

    const TAG: QueryTag = QueryTag::Rows(RowQuery { batch: 7, part: RowPart::Recent });

    /// What is answered of keys of which some are lost, and how many queries that takes.
    fn answered(count: usize, lost: &[usize]) -> (usize, HalvedAnswer) {
        let keys: Vec<_> = (0..count).map(|number| format!("key{number}")).collect();
        let lost: Vec<_> = lost.iter().map(|&number| keys[number].clone()).collect();
        let mut halves = Halves::default();
        let line = format!("get {{{}}}[last:16]", keys.join(","));
        let mut queries = halves.split(TAG, &line);
        let mut asked = 0;
        let mut outcome = None;
        while let Some(Query { selector, tag, .. }) = queries.pop() {
            assert!(outcome.is_none(), "it is answered before {selector}");
            asked += 1;
            let line = format!("get {selector}");
            assert!(line.ends_with("[last:16]"), "{line}");
            let QueryTag::Half(group) = tag else { panic!("{tag:?}") };
            assert_eq!(halves.asked(group), Some(TAG));
            let (keys, _) = keys_of(&line).unwrap();
            if !keys.iter().any(|key| lost.iter().any(|lost| lost == key)) {
                let mut points = PointLists::default();
                let point = shared::Point { timestamp: 1, value: 2.0 };
                for key in keys {
                    points.push(Key::new(key).unwrap(), point);
                }
                outcome = halves.take(group, &points);
                continue;
            }
            let more = halves.split(tag, &line);
            if more.is_empty() {
                outcome = halves.lose(tag, &line);
            }
            queries.extend(more);
        }
        let (tag, answer) = outcome.expect("all is answered");
        assert_eq!((tag, halves.groups.len()), (TAG, 0));
        (asked, answer)
    }

    #[test]
    fn an_answer_lacks_the_lost_keys_alone() {
        for (count, lost, most) in
            [(2, &[0][..], 2), (2, &[0, 1], 2), (3, &[1], 4), (48, &[47], 12), (48, &[0, 20], 22)]
        {
            let (asked, answer) = answered(count, lost);
            assert!(asked <= most, "{asked} queries for {lost:?} of {count}");
            assert_eq!(answer.lost.len(), lost.len(), "{:?}", answer.lost);
            assert_eq!(answer.points.len(), count - lost.len());
        }
    }

    #[test]
    fn what_is_no_list_of_keys_is_not_split() {
        let mut halves = Halves::default();
        for line in ["get *[last]", "get a[last]", "get {a*,b}[last]", "get a", "put {a,b} 1 1"] {
            assert_eq!(halves.split(TAG, line), [], "{line}");
        }
        let (tag, answer) = halves.lose(TAG, "get a[last]").unwrap();
        assert_eq!((tag, &answer.lost[..]), (TAG, &["a".to_owned()][..]));
        assert!(halves.lose(TAG, "get *[last]").is_none());
    }

    #[test]
    fn what_fails_or_is_wanted_no_longer_is_forgotten() {
        let mut halves = Halves::default();
        for _ in 0..2 {
            assert_eq!(halves.split(TAG, "get {a,b}[last]").len(), 2);
        }
        assert_eq!((halves.fail(1), halves.fail(1)), (Some(TAG), None));
        assert!(halves.take(1, &PointLists::default()).is_none());
        halves.drop_unwanted(|tag| tag == TAG);
        assert_eq!(halves.asked(2), None);
    }

    #[test]
    fn a_reason_is_said_once() {
        let mut halves = Halves::default();
        assert!(halves.is_news("a") && halves.is_news("b") && !halves.is_news("a"));
        for number in 0..1000 {
            halves.is_news(&number.to_string());
            halves.note_reason(&format!("get key{number}[last]"), "lost");
        }
        assert!(halves.said.len() <= MAX_REASONS && halves.reasons.len() <= MAX_REASONS);
        assert_eq!((halves.reason("key999"), halves.reason("key1000")), (Some("lost"), None));
    }
}
