//! Marks: moments with a name, such as a deploy or a reboot. They are ordinary points, of keys that
//! begin with `mark.`, so that scripts can put them, too.

use std::collections::BTreeSet;

use crate::metrics::reply::PointLists;

/// What the keys of marks begin with.
pub const PREFIX: &str = "mark.";

/// The keys of marks.
pub const PATTERN: &str = "mark.*";

/// The request for the newest points of each mark.
pub const SELECTOR: &str = "mark.*[last:1000]";

/// More marks are not kept: the oldest go.
const MAX_MARKS: usize = 10_000;

/// A moment with a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// Unix seconds.
    pub at: i64,
    /// The key behind `mark.`.
    pub name: String,
}

/// The marks that are known, in the order of their times.
#[derive(Debug, Default)]
pub struct Marks {
    all: BTreeSet<Mark>,
    /// They were asked for, and are told since.
    are_asked_for: bool,
}

impl Marks {
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
        let Some(name) = key.strip_prefix(PREFIX) else { return false };
        let is_new = self.all.insert(Mark { at, name: name.to_owned() });
        if self.all.len() > MAX_MARKS {
            self.all.pop_first();
        }
        is_new
    }

    /// Forgets a point that was taken back.
    pub fn take_back(&mut self, key: &str, at: i64) {
        if let Some(name) = key.strip_prefix(PREFIX) {
            self.all.remove(&Mark { at, name: name.to_owned() });
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
        self.all.range(first..).take_while(move |mark| mark.at <= to)
    }

    /// The newest mark of this name that is not later than a time.
    pub fn named(&self, name: &str, until: i64) -> Option<&Mark> {
        self.all.iter().rev().find(|mark| mark.at <= until && mark.name == name)
    }

    /// The newest mark that is not later than a time.
    pub fn last(&self, until: i64) -> Option<&Mark> {
        self.all.iter().rev().find(|mark| mark.at <= until)
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
        assert_eq!(marks.named("deploy", 19), None);
        assert_eq!(marks.last(19).map(|mark| &*mark.name), Some("boot"));
        marks.take_back("mark.deploy", 20);
        assert_eq!(marks.named("deploy", 29), None);
    }
}
