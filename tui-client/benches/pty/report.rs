//! A figure next to its bound.

use std::fmt;
use std::time::Duration;

/// Prints a figure and its bound; gives whether it is held.
pub fn say(what: &str, measured: impl fmt::Display, bound: &str, held: bool) -> bool {
    let (measured, verdict) = (measured.to_string(), if held { "held" } else { "NOT HELD" });
    println!("  {what:<44} {measured:<42} {bound:<18} {verdict}");
    held
}

/// Prints a figure that has no bound, to compare others with.
pub fn tell(what: &str, measured: impl fmt::Display) {
    println!("  {what:<44} {measured}");
}

/// Times of the same thing, the shortest first.
pub struct Times(Vec<Duration>);

impl Times {
    pub fn at(&self, per_cent: usize) -> Duration {
        self.0[(self.0.len() - 1) * per_cent / 100]
    }

    /// Prints them; gives whether 99 % are within the bound.
    pub fn say(&self, what: &str, bound: Duration) -> bool {
        say(what, self, &format!("p99 within {bound:?}"), self.at(99) <= bound)
    }
}

impl FromIterator<Duration> for Times {
    fn from_iter<I: IntoIterator<Item = Duration>>(times: I) -> Self {
        let mut times: Vec<_> = times.into_iter().collect();
        times.sort_unstable();
        Self(times)
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (half, most, worst) = (self.at(50), self.at(99), self.at(100));
        write!(f, "p50 {half:.1?}, p99 {most:.1?}, worst {worst:.1?}")
    }
}
