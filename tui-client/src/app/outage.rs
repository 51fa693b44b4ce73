//! A connection that goes away and comes back: how long to wait before the next try, and what of
//! it is news for a person. A peer that takes connections and answers nothing is no server that
//! is back.

use std::time::Duration;

use shared::client::Backoff;

/// How it stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Stage {
    /// Nothing has happened yet.
    #[default]
    New,
    /// The peer has answered since it was connected to.
    Well,
    /// There is no connection.
    Away,
    /// There is one again, without an answer yet.
    Back,
    /// Connections come and go without an answer.
    Unsteady,
}

/// What a person should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// The connection is gone, or could not be made.
    Lost,
    /// It was made for the first time.
    Connected,
    /// It was made again.
    Back,
    /// It comes and goes without an answer; nothing more is told until there is one.
    Unsteady,
}

/// The news of a connection that is gone for this reason.
pub fn told(news: News, reason: &str) -> String {
    match news {
        News::Lost => format!("{reason}; trying again until it works"),
        News::Unsteady => format!("still no answer: {reason}; trying until there is one"),
        News::Connected => "connected".to_owned(),
        News::Back => "connected again".to_owned(),
    }
}

/// The state of a connection over its failures.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outage {
    backoff: Backoff,
    stage: Stage,
    /// There was a connection at least once.
    known: bool,
}

impl Outage {
    /// The connection is gone, or could not be made: how long to wait, and what is news.
    pub fn failed(&mut self) -> (Duration, Option<News>) {
        let (stage, news) = match self.stage {
            Stage::New | Stage::Well => (Stage::Away, Some(News::Lost)),
            Stage::Away => (Stage::Away, None),
            Stage::Back => (Stage::Unsteady, Some(News::Unsteady)),
            Stage::Unsteady => (Stage::Unsteady, None),
        };
        self.stage = stage;
        (self.backoff.failed(), news)
    }

    /// There is a connection.
    pub fn connected(&mut self) -> Option<News> {
        let known = std::mem::replace(&mut self.known, true);
        if self.stage == Stage::Unsteady {
            return None;
        }
        if self.stage == Stage::Away {
            self.stage = Stage::Back;
        }
        Some(if known { News::Back } else { News::Connected })
    }

    /// The peer has answered.
    pub fn answered(&mut self) -> Option<News> {
        self.backoff.succeeded();
        let before = std::mem::replace(&mut self.stage, Stage::Well);
        (before == Stage::Unsteady).then_some(News::Back)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_and_comes_back_is_told_each_time() {
        let mut outage = Outage::default();
        let mut news = News::Connected;
        for _ in 0..3 {
            assert_eq!(outage.failed(), (Backoff::FIRST, Some(News::Lost)));
            assert_eq!(outage.failed(), (2 * Backoff::FIRST, None));
            assert_eq!((outage.connected(), outage.answered()), (Some(news), None));
            news = News::Back;
        }
    }

    #[test]
    fn a_peer_that_answers_nothing_is_tried_ever_more_slowly_and_told_once() {
        let mut outage = Outage::default();
        let (mut told, mut before) = (Vec::new(), Duration::ZERO);
        for _ in 0..20 {
            told.extend(outage.connected());
            let (wait, news) = outage.failed();
            told.extend(news);
            assert!(wait >= before);
            before = wait;
        }
        assert_eq!(before, Backoff::CAP);
        assert_eq!(told, [News::Connected, News::Lost, News::Back, News::Unsteady]);
        assert_eq!((outage.connected(), outage.answered()), (None, Some(News::Back)));
        assert_eq!(outage.failed(), (Backoff::FIRST, Some(News::Lost)));
    }
}
