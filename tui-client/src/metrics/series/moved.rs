//! How far a value has moved.

/// How far a value has moved since it is compared with an earlier one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Moved {
    /// There was no value then.
    New,
    /// There were points, and there are no more of them: the next one is late.
    Stopped {
        /// It was late then already.
        before: bool,
    },
    /// There was one.
    From {
        /// The value then.
        before: f64,
        /// The newest value.
        now: f64,
    },
}

impl Moved {
    /// What is said of a series by a word alone, which finds it in filters.
    pub const WORDS: [&'static str; 2] = ["new", "stopped"];

    /// The difference; infinite for a new series, none for one that stopped.
    pub fn by(self) -> f64 {
        match self {
            Self::New => f64::INFINITY,
            Self::Stopped { .. } => 0.0,
            Self::From { before, now } => now - before,
        }
    }

    /// The difference in hundredths of the value then; none from zero or of a new series.
    pub fn percent(self) -> Option<f64> {
        match self {
            Self::From { before, now } if before != 0.0 => {
                Some((now - before) / before.abs() * 100.0)
            }
            _ => None,
        }
    }

    /// What is said where there is no percentage; none where it has not moved.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::New => Some("new"),
            Self::Stopped { .. } => Some("stopped"),
            Self::From { before: 0.0, now } if now != 0.0 => Some("from 0"),
            Self::From { .. } => None,
        }
    }

    /// How surprising it is: the percentage without its sign, which is beyond all others from zero and for a
    /// new series; above all that it has stopped since. One that had stopped before comes after all that
    /// has moved.
    pub fn surprise(self) -> f64 {
        match self {
            Self::Stopped { before: false } => f64::INFINITY,
            Self::Stopped { before: true } => f64::MIN_POSITIVE,
            _ => match self.percent() {
                Some(percent) => percent.abs().min(f64::MAX),
                None if self.by() == 0.0 => 0.0,
                None => f64::MAX,
            },
        }
    }
}
