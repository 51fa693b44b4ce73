//! Steps of the time axis, from seconds to thousands of years, and their times in a time zone.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use TimeStep::{Days, Months, Seconds, Years};

const DAY: i64 = 86_400;

/// 1970-01-05, a Monday, in days since 1970-01-01.
const MONDAY: i64 = 4;

/// A step between ticks of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeStep {
    /// Seconds, at most half a day, counted from midnight.
    Seconds(i64),
    /// Whole days; steps of seven begin on Mondays.
    Days(i64),
    /// Months, from the first of one to the first of another.
    Months(i64),
    /// Years, from one 1st of January to another.
    Years(i64),
}

/// All steps, the shortest first.
pub(super) const STEPS: [TimeStep; 36] = [
    Seconds(1),
    Seconds(2),
    Seconds(5),
    Seconds(10),
    Seconds(15),
    Seconds(30),
    Seconds(60),
    Seconds(120),
    Seconds(300),
    Seconds(600),
    Seconds(900),
    Seconds(1800),
    Seconds(3600),
    Seconds(7200),
    Seconds(10_800),
    Seconds(21_600),
    Seconds(43_200),
    Days(1),
    Days(2),
    Days(7),
    Months(1),
    Months(2),
    Months(3),
    Months(6),
    Years(1),
    Years(2),
    Years(5),
    Years(10),
    Years(20),
    Years(50),
    Years(100),
    Years(200),
    Years(500),
    Years(1000),
    Years(2000),
    Years(5000),
];

impl TimeStep {
    /// The mean length in seconds.
    pub(super) fn seconds(self) -> i64 {
        match self {
            Seconds(seconds) => seconds,
            Days(days) => days * DAY,
            Months(months) => months * 2_629_746,
            Years(years) => years * 31_556_952,
        }
    }

    /// The times of the step from one time to another, at most `max`, rising; none of a time that no
    /// calendar has.
    pub(super) fn times(self, (from, to): (i64, i64), zone: &TimeZone, max: usize) -> Vec<i64> {
        let mut times = Vec::new();
        let mut next = self.first(from, zone);
        while let Some((number, time)) = next.filter(|&(_, time)| time <= to && times.len() < max) {
            if time >= from {
                times.push(time);
            }
            next = self.after(number, time, zone);
        }
        times
    }

    /// The last time of the step that is not after `from`, or one a little before or after it, and
    /// its number.
    fn first(self, from: i64, zone: &TimeZone) -> Option<(i64, i64)> {
        let date = Timestamp::from_second(from).ok()?.to_zoned_datetime(zone.clone()).date();
        let number = match self {
            Seconds(_) => return self.after(0, from - 1, zone),
            Days(days) => (day_of(date)? - MONDAY).div_euclid(days),
            Months(months) => {
                (i64::from(date.year()) * 12 + i64::from(date.month()) - 1).div_euclid(months)
            }
            Years(years) => i64::from(date.year()).div_euclid(years),
        };
        // The calendar may begin later.
        [number, number + 1].into_iter().find_map(|number| Some((number, self.time(number, zone)?)))
    }

    /// The time after the one with this number, and its number.
    fn after(self, number: i64, time: i64, zone: &TimeZone) -> Option<(i64, i64)> {
        let Seconds(step) = self else {
            return Some((number + 1, self.time(number + 1, zone)?));
        };
        let offset = |time: i64| {
            let time = Timestamp::from_second(time).ok()?;
            Some(i64::from(zone.to_offset(time).seconds()))
        };
        let aligned = |offset: i64| ((time + offset).div_euclid(step) + 1) * step - offset;
        let now = offset(time)?;
        let next = aligned(now);
        let then = offset(next)?;
        if then == now {
            return Some((number + 1, next));
        }
        // The clock is changed in between: whichever time of day comes first by the clock of then.
        let mut changed = (0..=DAY / step).map(|n| aligned(then) + n * step);
        Some((number + 1, changed.find(|&next| next > time && offset(next) == Some(then))?))
    }

    /// The time of the first moment of a day, month or year.
    fn time(self, number: i64, zone: &TimeZone) -> Option<i64> {
        let date = match self {
            Seconds(_) => return None,
            Days(days) => {
                let midnight = (number * days + MONDAY).checked_mul(DAY)?;
                Timestamp::from_second(midnight).ok()?.to_zoned_datetime(TimeZone::UTC).date()
            }
            Months(months) => {
                let month = number * months;
                let year = i16::try_from(month.div_euclid(12)).ok()?;
                Date::new(year, i8::try_from(month.rem_euclid(12) + 1).ok()?, 1).ok()?
            }
            Years(years) => Date::new(i16::try_from(number * years).ok()?, 1, 1).ok()?,
        };
        Some(date.to_zoned_datetime(zone.clone()).ok()?.timestamp().as_second())
    }
}

/// Days since 1970-01-01.
fn day_of(date: Date) -> Option<i64> {
    Some(date.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp().as_second().div_euclid(DAY))
}
