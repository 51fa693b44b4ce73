//! Consent to a `del`: it is sent when it is entered twice, and the second time it is known how much
//! goes where the server can tell.

use shared::Request;

use crate::app::context::Context;
use crate::app::message::Message;
use crate::metrics::reply::PointLists;
use crate::request::deletion::{Form, Selected, counting_selector, selector_to_delete, times};
use crate::request::pending::{Priority, Query, QueryTag};
use crate::text::escape::named;
use crate::wire_log::entry::Tone;

/// The question before a `del` is sent to a server that does not tell how much goes.
const ASK_TO_DELETE: &str =
    "deletes points if the server has --allow-delete; Enter sends, esc clears";

/// What is said of a `del` after the server has refused one of a key.
const REFUSES_DELETES: &str = "not sent, refused before: the server is without --allow-delete";

/// What is said while it is not known yet how much goes.
const COUNTING: &str = "counting what it deletes …";

/// The `del` that waits for consent, and what is known of the server.
#[derive(Debug, Default)]
pub struct Deletion {
    asked: Option<Asked>,
    /// The number of the last query for a count.
    queries: u64,
    /// The last one that was sent.
    sent: Option<Asked>,
    /// What the server has refused on this connection.
    refused: Vec<Form>,
    /// The server has taken a `del` on this connection.
    is_allowed: bool,
}

/// A `del` that was entered, and how much it deletes.
#[derive(Debug)]
struct Asked {
    request: String,
    count: Count,
}

/// How much a `del` deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Count {
    /// The answer to the query with this number tells.
    Awaited(u64),
    Known(Selected),
    /// The server does not tell.
    Unknown,
}

impl Deletion {
    /// A request is entered; says whether it may be sent: anything but a `del` that was not entered
    /// just before. `counts`: the server tells how much a selector selects.
    pub fn may_send(&mut self, request: &str, counts: bool, cx: &mut Context) -> bool {
        let before = self.asked.take().filter(|asked| asked.request == request);
        if !matches!(Request::decode(request.as_bytes()), Ok(Request::Del(_))) {
            return true;
        }
        match before {
            Some(Asked { count: Count::Awaited(_), .. }) => {
                cx.say(Tone::Bad, COUNTING);
                self.asked = before;
                return false;
            }
            Some(_) => {
                self.sent = before;
                return true;
            }
            None => {}
        }
        let selector = selector_to_delete(request).unwrap_or_default();
        let is_refused =
            |refused: &&Form| Form::of(selector).is_some_and(|form| form.includes(**refused));
        if let Some(refused) = self.refused.iter().find(is_refused) {
            let why = match refused.name() {
                None => REFUSES_DELETES.to_owned(),
                Some(name) => format!("not sent: the server has refused a del with {name}"),
            };
            cx.say(Tone::Bad, why);
            return false;
        }
        let count = if let Some(selector) = counting_selector(selector).filter(|_| counts) {
            self.queries += 1;
            let tag = QueryTag::Deletion(self.queries);
            cx.send(Message::Query(Query { selector, tag, priority: Priority::Now }));
            cx.say(Tone::Bad, COUNTING);
            Count::Awaited(self.queries)
        } else {
            cx.say(Tone::Bad, ASK_TO_DELETE);
            Count::Unknown
        };
        self.asked = Some(Asked { request: request.to_owned(), count });
        false
    }

    /// Takes the answer to the query with this number, `None` if it was refused or lost, and asks for
    /// consent if the `del` still stands on the command `line`.
    pub fn on_count(
        &mut self,
        query: u64,
        points: Option<&PointLists>,
        line: &str,
        cx: &mut Context,
    ) {
        let Some(asked) = self.asked.as_mut().filter(|it| it.count == Count::Awaited(query)) else {
            return;
        };
        let selector = selector_to_delete(&asked.request).unwrap_or_default();
        if selector_to_delete(line) != Some(selector) {
            self.asked = None;
            return;
        }
        let Some(selected) = points.map(Selected::counted) else {
            asked.count = Count::Unknown;
            return cx.say(Tone::Bad, ASK_TO_DELETE);
        };
        asked.count = Count::Known(selected);
        if selected.points == 0 {
            cx.say(Tone::Plain, format!("nothing to delete: no points for {}", named(selector)));
            self.asked = None;
            return;
        }
        let allowed = if self.is_allowed { "" } else { ", if the server allows it" };
        let times = times(selector, cx.now().unix());
        // The range before all else: the rest may be cut on a narrow screen.
        let times = times.map_or(String::new(), |times| format!("{times}: "));
        cx.say(Tone::Bad, format!("{times}Enter deletes {selected}, esc clears{allowed}"));
    }

    /// Takes the reply to a `del`, refused as a wrong command or taken. Returns what went, as far as
    /// it is known. A refusal counts for what asks no less of the server.
    pub fn answered(&mut self, request: &str, is_refused: bool) -> Option<Selected> {
        let form = selector_to_delete(request).and_then(Form::of)?;
        if is_refused {
            self.refused.push(form);
            return None;
        }
        self.refused.retain(|&refused| !form.includes(refused));
        self.is_allowed = true;
        match self.sent.take().filter(|sent| sent.request == request)?.count {
            Count::Known(selected) => Some(selected),
            Count::Awaited(_) | Count::Unknown => None,
        }
    }

    /// The line is cleared: what stood there is no longer asked about.
    pub fn withdraw(&mut self) {
        self.asked = None;
    }

    /// The connection is lost: the next server may be another one.
    pub fn forget_server(&mut self) {
        (self.asked, self.sent, self.is_allowed) = (None, None, false);
        self.refused.clear();
    }
}
