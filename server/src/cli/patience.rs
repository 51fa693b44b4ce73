//! How long something is waited for, as options take it: `30s`, `5min`, `none`.

use std::str::FromStr;
use std::time::Duration;

use super::age;

/// A limit, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience(Option<Duration>);

impl Patience {
    /// The limit, if there is one.
    pub fn limit(self) -> Option<Duration> {
        self.0
    }
}

impl FromStr for Patience {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "none" => Ok(Self(None)),
            "0" | "0s" => Err("must be at least 1s, or none for no limit".to_owned()),
            span => age::parse(span).map(|limit| Self(Some(limit))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_limit_or_none() {
        for (text, limit) in
            [("30s", Some(30)), ("5min", Some(300)), (" 1h ", Some(3600)), ("none", None)]
        {
            let limit = limit.map(Duration::from_secs);
            assert_eq!(text.parse(), Ok(Patience(limit)), "{text}");
        }
        for wrong in ["", "0", "0s", "30", "off", "1ms", "-1s"] {
            assert!(wrong.parse::<Patience>().is_err(), "{wrong}");
        }
    }
}
