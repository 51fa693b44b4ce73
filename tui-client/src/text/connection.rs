//! What is said of a connection that comes and goes.

use shared::client::LinkEvent;

/// Nothing listens at the address.
pub const NO_SERVER: &str = "no server there";

/// The host does not answer.
pub const NO_ANSWER: &str = "no answer from the host";

/// The name of the host has no address.
pub const NO_HOST: &str = "no such host: check --host";

/// Why there is no connection to `host:port`, with what helps; `reason` is one of those above or
/// another.
pub fn connect_message(reason: &str, address: &str) -> String {
    let (what, help) = what_and_help(reason, address);
    let between = if help.contains('?') { ":" } else { ";" };
    format!("{what}{between} {help}")
}

/// The same in two parts.
pub fn what_and_help<'a>(reason: &'a str, address: &str) -> (String, &'a str) {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    match reason {
        NO_SERVER => {
            (format!("no server at {address}"), "is it started? --host and --port choose another")
        }
        NO_ANSWER => (format!("no answer from {address}"), "is the host up, and is the port open?"),
        NO_HOST => (format!("no host is called {host}"), "--host names another"),
        other => match other.split_once("; ") {
            Some((what, help)) => (format!("{address}: {what}"), help),
            None => (format!("{address}: {other}"), "--host and --port choose another"),
        },
    }
}

/// An event as a sentence; `reason` says why the connection was lost.
pub fn link_message(event: LinkEvent, reason: &str) -> String {
    match event {
        LinkEvent::Lost => format!("{reason}; trying again until it works"),
        LinkEvent::Unsteady => format!("still no answer: {reason}; trying until there is one"),
        LinkEvent::Connected => "connected".to_owned(),
        LinkEvent::Reconnected => "connected again".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_to_connect_names_the_address_and_what_helps() {
        for (reason, text) in [
            (NO_SERVER, "no server at [::1]:1: is it started? --host and --port choose another"),
            (NO_ANSWER, "no answer from [::1]:1: is the host up, and is the port open?"),
            (NO_HOST, "no host is called [::1]; --host names another"),
            ("cannot connect: x", "[::1]:1: cannot connect: x; --host and --port choose another"),
            ("no TLS; --tls has it", "[::1]:1: no TLS; --tls has it"),
        ] {
            assert_eq!(connect_message(reason, "[::1]:1"), text);
        }
    }
}
