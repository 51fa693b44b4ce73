//! The span of time that the numbers and trends of the table are about.

/// Buckets of the trend of a window, as many as the widest column has cells.
pub const TREND_STEPS: i64 = 48;

/// A span of time that ends now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Window {
    Minute,
    #[default]
    Minutes15,
    Hour,
    Day,
    All,
}

impl Window {
    /// From the shortest to the longest.
    pub const ALL: [Self; 5] = [Self::Minute, Self::Minutes15, Self::Hour, Self::Day, Self::All];

    /// Its name: `15m`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minute => "1m",
            Self::Minutes15 => "15m",
            Self::Hour => "1h",
            Self::Day => "1d",
            Self::All => "all",
        }
    }

    /// The window of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|window| window.name() == name)
    }

    /// The next longer one if positive, else the next shorter one, if there is one.
    pub fn beside(self, step: i8) -> Option<Self> {
        let at = Self::ALL.iter().position(|&window| window == self)?;
        Self::ALL.get(at.checked_add_signed(step.into())?).copied()
    }

    /// Its length in seconds; none without a beginning.
    pub fn seconds(self) -> Option<i64> {
        match self {
            Self::Minute => Some(60),
            Self::Minutes15 => Some(900),
            Self::Hour => Some(3600),
            Self::Day => Some(86_400),
            Self::All => None,
        }
    }

    /// The range of a selector: `-15m:`.
    pub fn range(self) -> &'static str {
        match self {
            Self::Minute => "-1m:",
            Self::Minutes15 => "-15m:",
            Self::Hour => "-1h:",
            Self::Day => "-1d:",
            Self::All => ":",
        }
    }

    /// The end of the range: the server's now, because what lies ahead is not of the last minutes.
    pub fn end(self) -> &'static str {
        if self == Self::All { "" } else { "-0s" }
    }

    /// Seconds in a bucket of the trend; none without a beginning.
    pub fn trend_step(self) -> Option<i64> {
        self.seconds().map(trend_step)
    }

    /// Seconds after which its numbers are asked for again: told points keep them up to date at the
    /// newer end, and this is what they may be late at the older one: no more than a thirtieth.
    pub fn refresh(self) -> u64 {
        self.seconds().map_or(600, |seconds| seconds.unsigned_abs() / 30).min(600)
    }
}

/// The window of time of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChartWindow {
    /// The points of the newest quarter of an hour, or all where these are too few.
    #[default]
    Opening,
    /// All points but strays of the future.
    All,
    /// All points.
    WithStrays,
    /// The newest seconds; the window follows new points.
    Last(i64),
    /// From a Unix second to another.
    Fixed(i64, i64),
}

/// Seconds in a bucket of the trend of so many seconds.
pub fn trend_step(seconds: i64) -> i64 {
    // Rounded up, so that there are no more buckets than cells.
    (seconds.saturating_add(TREND_STEPS - 1) / TREND_STEPS).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_have_names_and_neighbours() {
        for window in Window::ALL {
            assert_eq!(Window::named(window.name()), Some(window));
            let longer = window.beside(1);
            assert_eq!(longer.and_then(|longer| longer.beside(-1)), longer.map(|_| window));
            let of_window = window.seconds().map(i64::unsigned_abs);
            assert!(of_window.is_none_or(|seconds| window.refresh() * 30 <= seconds), "{window:?}");
            let Some((seconds, step)) = window.seconds().zip(window.trend_step()) else { continue };
            assert!(seconds / step <= TREND_STEPS && step * TREND_STEPS < 2 * seconds);
        }
        assert_eq!((Window::Minute.beside(-1), Window::All.beside(1)), (None, None));
    }
}
