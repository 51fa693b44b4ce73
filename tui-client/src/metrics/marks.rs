//! Marks: moments with a name, such as a deploy or a reboot. They are ordinary points, of keys that
//! begin with `mark.`, so that scripts can put them, too.

use std::collections::{BTreeMap, BTreeSet};

use crate::metrics::reply::PointLists;

/// What the keys of marks begin with.
pub const PREFIX: &str = "mark.";

/// Newest points of each mark that are asked for.
const ASKED: u32 = 1000;

/// More marks are not kept: the oldest go.
const MAX_MARKS: usize = 10_000;

/// The name of a mark as typed: with dashes in place of blanks, which no key holds.
pub fn name(typed: &str) -> String {
    typed.split_whitespace().collect::<Vec<_>>().join("-")
}

/// A moment with a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// Unix seconds.
    pub at: i64,
    /// The key behind `mark.`.
    pub name: String,
}

/// What the keys of marks begin with.
#[derive(Debug, Clone)]
pub struct Prefixes(Vec<String>);

impl Prefixes {
    /// The name of the mark that a key is of, and the place of its prefix.
    fn parse<'a>(&self, key: &'a str) -> Option<(usize, &'a str)> {
        let mut prefixes = (0..).zip(&self.0);
        prefixes.find_map(|(place, prefix)| Some((place, key.strip_prefix(prefix.as_str())?)))
    }

    /// The key is one of a mark.
    pub fn has(&self, key: &str) -> bool {
        self.parse(key).is_some()
    }
}

/// The marks that are known, in the order of their times.
#[derive(Debug)]
pub struct Marks {
    /// Each with the places of the prefixes that its keys have: several servers may have the same one.
    all: BTreeMap<Mark, BTreeSet<usize>>,
    prefixes: Prefixes,
    /// So many of the prefixes, from the first one on, are those of marks that are put.
    own: usize,
    /// They were asked for, and are told since.
    are_asked_for: bool,
}

impl Default for Marks {
    fn default() -> Self {
        Self::of_keys(vec![PREFIX.to_owned()])
    }
}

impl Marks {
    /// No marks, of keys that begin with one of these.
    pub fn of_keys(prefixes: Vec<String>) -> Self {
        let own = prefixes.len();
        Self { all: BTreeMap::new(), prefixes: Prefixes(prefixes), own, are_asked_for: false }
    }

    /// Besides, marks of keys that begin with one of these, which others put.
    #[must_use]
    pub fn with_others(mut self, prefixes: Vec<String>) -> Self {
        self.prefixes.0.extend(prefixes);
        self
    }

    /// Forgets all; they are to be asked for.
    pub fn clear(&mut self) {
        (self.all, self.are_asked_for) = (BTreeMap::new(), false);
    }

    /// What the keys of marks begin with.
    pub fn prefixes(&self) -> &Prefixes {
        &self.prefixes
    }

    /// The keys of marks.
    pub fn pattern(&self) -> String {
        match &self.prefixes.0[..] {
            [one] => format!("{one}*"),
            all => format!("{{{}*}}", all.join("*,")),
        }
    }

    /// The patterns of the keys of marks that are put.
    pub fn own(&self) -> impl Iterator<Item = String> {
        self.prefixes.0.iter().take(self.own).map(|prefix| format!("{prefix}*"))
    }

    /// The selector of the newest points of each mark.
    pub fn selector(&self) -> String {
        format!("{}[last:{ASKED}]", self.pattern())
    }

    /// The keys of a mark of this name.
    pub fn keys(&self, name: &str) -> impl Iterator<Item = String> {
        self.prefixes.0.iter().take(self.own).map(move |prefix| format!("{prefix}{name}"))
    }

    /// The name of the mark that a key is of.
    pub fn name_of<'a>(&self, key: &'a str) -> Option<&'a str> {
        self.prefixes.parse(key).map(|(_, name)| name)
    }

    /// They are to be asked for; from now on they are not.
    pub fn are_due(&mut self) -> bool {
        !std::mem::replace(&mut self.are_asked_for, true)
    }

    /// They are to be asked for anew, because some may have been missed.
    pub fn renew(&mut self) {
        self.are_asked_for = false;
    }

    /// Takes a point; says whether it is a mark that was not known.
    pub fn tell(&mut self, key: &str, at: i64) -> bool {
        let Some((place, name)) = self.prefixes.parse(key) else { return false };
        let of = self.all.entry(Mark { at, name: name.to_owned() }).or_default();
        let is_new = of.insert(place);
        if self.all.len() > MAX_MARKS {
            self.all.pop_first();
        }
        is_new
    }

    /// Forgets a point that was taken back.
    pub fn take_back(&mut self, key: &str, at: i64) {
        let Some((place, name)) = self.prefixes.parse(key) else { return };
        let mark = Mark { at, name: name.to_owned() };
        if let Some(of) = self.all.get_mut(&mark) {
            of.remove(&place);
            if of.is_empty() {
                self.all.remove(&mark);
            }
        }
    }

    /// Takes the newest points of all marks; what is told meanwhile stays.
    pub fn take(&mut self, points: &PointLists) {
        for (key, points) in points.iter() {
            for point in points {
                self.tell(key, point.timestamp);
            }
        }
    }

    /// The marks from a time to another, both included.
    pub fn within(&self, (from, to): (i64, i64)) -> impl Iterator<Item = &Mark> {
        let first = Mark { at: from, name: String::new() };
        let from_then = self.all.range(first..).map(|(mark, _)| mark);
        from_then.take_while(move |mark| mark.at <= to)
    }

    /// The marks that are not later than a time, the newest first, then those that are, in their order.
    fn back_from(&self, at: i64) -> impl Iterator<Item = &Mark> {
        let earlier = self.all.keys().rev().filter(move |mark| mark.at <= at);
        earlier.chain(self.all.keys().filter(move |mark| mark.at > at))
    }

    /// The newest mark of this name that is not later than a time, else the first one after it.
    pub fn named(&self, name: &str, at: i64) -> Option<&Mark> {
        self.back_from(at).find(|mark| mark.name == name)
    }

    /// The names of the marks, each once: of those that are not later than a time, the newest first,
    /// then of the later ones, the first one first.
    pub fn names(&self, at: i64) -> impl Iterator<Item = &str> {
        let mut seen = BTreeSet::new();
        let names = self.back_from(at).map(|mark| mark.name.as_str());
        names.filter(move |name| seen.insert(*name))
    }

    /// The newest mark that is not later than a time.
    pub fn last(&self, until: i64) -> Option<&Mark> {
        self.all.keys().rev().find(|mark| mark.at <= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_points_of_some_keys_in_the_order_of_time() {
        let mut marks = Marks::default();
        for (key, at) in [("mark.deploy", 30), ("mark.boot", 10), ("mark.deploy", 20)] {
            assert!(marks.tell(key, at));
            assert!(!marks.tell(key, at), "again");
        }
        assert!(!marks.tell("palm.cpu", 5));
        let names =
            |range| marks.within(range).map(|mark| (mark.at, &*mark.name)).collect::<Vec<_>>();
        assert_eq!(names((10, 20)), [(10, "boot"), (20, "deploy")]);
        assert_eq!(marks.named("deploy", 29).map(|mark| mark.at), Some(20));
        assert_eq!(marks.named("deploy", 19).map(|mark| mark.at), Some(20), "the next later one");
        assert_eq!(marks.named("reboot", 99), None);
        assert_eq!(marks.names(29).collect::<Vec<_>>(), ["deploy", "boot"]);
        assert_eq!(marks.names(19).collect::<Vec<_>>(), ["boot", "deploy"]);
        assert_eq!(marks.names(9).collect::<Vec<_>>(), ["boot", "deploy"], "the later ones, too");
        assert_eq!(marks.last(19).map(|mark| &*mark.name), Some("boot"));
        marks.take_back("mark.deploy", 20);
        assert_eq!(marks.named("deploy", 29).map(|mark| mark.at), Some(30));
        assert!(marks.prefixes().has("mark.x") && !marks.prefixes().has("palm.mark.x"));
    }

    #[test]
    fn a_mark_of_several_servers_is_one_until_the_last_takes_it_back() {
        let prefixes = ["a/mark.", "b/mark."].map(str::to_owned).to_vec();
        let mut marks = Marks::of_keys(prefixes);
        assert_eq!(marks.selector(), "{a/mark.*,b/mark.*}[last:1000]");
        assert_eq!(Marks::default().selector(), "mark.*[last:1000]");
        assert_eq!(marks.keys("x").collect::<Vec<_>>(), ["a/mark.x", "b/mark.x"]);
        assert!(!marks.tell("mark.deploy", 7) && !marks.tell("c/mark.deploy", 7));
        assert!(marks.tell("a/mark.deploy", 7) && marks.tell("b/mark.deploy", 7));
        assert_eq!(marks.within((0, 9)).count(), 1);
        marks.take_back("a/mark.deploy", 7);
        assert_eq!(marks.last(9).map(|mark| &*mark.name), Some("deploy"));
        marks.take_back("b/mark.deploy", 7);
        assert_eq!(marks.last(9), None);
    }
}
