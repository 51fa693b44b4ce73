//! What is said of a connection that comes and goes.

use shared::client::LinkEvent;

/// An event as a sentence; `reason` says why the connection was lost.
pub fn link_message(event: LinkEvent, reason: &str) -> String {
    match event {
        LinkEvent::Lost => format!("{reason}; trying again until it works"),
        LinkEvent::Unsteady => format!("still no answer: {reason}; trying until there is one"),
        LinkEvent::Connected => "connected".to_owned(),
        LinkEvent::Reconnected => "connected again".to_owned(),
    }
}
