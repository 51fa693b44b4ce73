//! Names and addresses of a host as they are typed and shown.

use std::str::FromStr;

use crate::{DEFAULT_HOST, DEFAULT_PORT};

/// A host as it is typed, which may have the port behind it: `localhost`, `127.0.0.1:10001`,
/// `[::1]:10001`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    name: String,
    port: Option<u16>,
}

/// Why a text is no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// Nothing, or nothing before a port.
    #[error("a host is missing, such as localhost")]
    Empty,
    /// A URL.
    #[error("a host has no {scheme} before it; {host} is enough")]
    Scheme {
        /// With its `://`.
        scheme: String,
        /// What would do.
        host: String,
    },
    /// Something behind a slash.
    #[error("a host has no / behind it; {0} is enough")]
    Path(String),
    /// White space or a control character.
    #[error("a host holds no blanks")]
    Blank,
    /// What stands behind the colon.
    #[error("a port is a number up to 65535, not {0:?}")]
    Port(String),
    /// Another one stands behind the host.
    #[error("port {0} behind the host, but --port {1}")]
    TwoPorts(u16, u16),
}

impl Host {
    /// A name or an address, an IPv6 address without brackets.
    pub fn into_name(self) -> String {
        self.name
    }

    /// The port behind the host, else the `usual` one, else [`DEFAULT_PORT`].
    pub fn port_or(&self, usual: Option<u16>) -> u16 {
        self.port.or(usual).unwrap_or(DEFAULT_PORT)
    }

    /// The port behind the host or the `given` one, else [`DEFAULT_PORT`].
    ///
    /// # Errors
    /// [`HostError::TwoPorts`] when they differ.
    pub fn port(&self, given: Option<u16>) -> Result<u16, HostError> {
        match (self.port, given) {
            (Some(behind), Some(given)) if behind != given => {
                Err(HostError::TwoPorts(behind, given))
            }
            (behind, given) => Ok(behind.or(given).unwrap_or(DEFAULT_PORT)),
        }
    }
}

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        if let Some((scheme, rest)) = text.split_once("://") {
            let host = rest.split('/').next().unwrap_or_default();
            let host = if host.is_empty() { DEFAULT_HOST } else { host }.to_owned();
            return Err(HostError::Scheme { scheme: format!("{scheme}://"), host });
        }
        if let Some((host, _)) = text.split_once('/').filter(|(host, _)| !host.is_empty()) {
            return Err(HostError::Path(host.to_owned()));
        }
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(HostError::Blank);
        }
        let (name, port) = match text.rsplit_once(':') {
            // Several colons without brackets are an IPv6 address.
            Some((name, port)) if name.ends_with(']') || !name.contains(':') => (name, Some(port)),
            _ => (text, None),
        };
        let is_port = |port: &str| port.bytes().all(|digit| digit.is_ascii_digit());
        let number = port.map(|port| port.parse().ok().filter(|_| is_port(port)));
        let (Some(None), Some(port)) = (number, port) else {
            let name = bare(name).to_owned();
            return if name.is_empty() {
                Err(HostError::Empty)
            } else {
                Ok(Self { name, port: number.flatten() })
            };
        };
        Err(HostError::Port(port.to_owned()))
    }
}

/// A host without the brackets in which an IPv6 address stands before a port: `[::1]` is `::1`.
pub fn bare(host: &str) -> &str {
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.filter(|inner| inner.contains(':')).unwrap_or(host)
}

/// `host:port`, an IPv6 address in brackets.
pub fn with_port(host: &str, port: u16) -> String {
    let host = bare(host);
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_may_stand_behind_a_host() {
        for (typed, name, port) in [
            ("localhost", "localhost", None),
            ("127.0.0.1:21100", "127.0.0.1", Some(21_100)),
            ("palm:0", "palm", Some(0)),
            ("::1", "::1", None),
            ("::1:7", "::1:7", None),
            ("[::1]", "::1", None),
            ("[::1]:7", "::1", Some(7)),
            ("[fe80::1%eth0]:65535", "fe80::1%eth0", Some(65_535)),
        ] {
            let host: Host = typed.parse().unwrap();
            assert_eq!((&*host.name, host.port), (name, port), "{typed}");
        }
        for (typed, said) in [
            ("", "a host is missing, such as localhost"),
            (":10001", "a host is missing, such as localhost"),
            ("http://localhost", "a host has no http:// before it; localhost is enough"),
            ("https://palm:7/metrics?", "a host has no https:// before it; palm:7 is enough"),
            ("http://", "a host has no http:// before it; localhost is enough"),
            ("localhost/", "a host has no / behind it; localhost is enough"),
            ("local host", "a host holds no blanks"),
            ("palm:65536", "a port is a number up to 65535, not \"65536\""),
            ("palm:", "a port is a number up to 65535, not \"\""),
            ("palm:+7", "a port is a number up to 65535, not \"+7\""),
            ("[::1]:http", "a port is a number up to 65535, not \"http\""),
        ] {
            assert_eq!(typed.parse::<Host>().unwrap_err().to_string(), said, "{typed}");
        }
    }

    #[test]
    fn two_ports_are_one_if_they_are_the_same() {
        let port = |typed: &str, given| typed.parse::<Host>().unwrap().port(given);
        assert_eq!(port("palm", None), Ok(DEFAULT_PORT));
        assert_eq!(port("palm", Some(7)), Ok(7));
        assert_eq!(port("palm:7", None), Ok(7));
        assert_eq!(port("palm:7", Some(7)), Ok(7));
        assert_eq!(port("palm:7", Some(8)), Err(HostError::TwoPorts(7, 8)));
        let port_or = |typed: &str, usual| typed.parse::<Host>().unwrap().port_or(usual);
        assert_eq!((port_or("palm:7", Some(8)), port_or("palm", Some(8))), (7, 8));
        assert_eq!(port_or("palm", None), DEFAULT_PORT);
        let said = "port 7 behind the host, but --port 8";
        assert_eq!(port("palm:7", Some(8)).unwrap_err().to_string(), said);
    }

    #[test]
    fn an_ipv6_address_has_brackets_before_its_port_and_nowhere_else() {
        for (typed, host, shown) in [
            ("localhost", "localhost", "localhost:7"),
            ("127.0.0.1", "127.0.0.1", "127.0.0.1:7"),
            ("::1", "::1", "[::1]:7"),
            ("[::1]", "::1", "[::1]:7"),
            ("[fe80::1%eth0]", "fe80::1%eth0", "[fe80::1%eth0]:7"),
            ("[palm]", "[palm]", "[palm]:7"),
            ("[::1", "[::1", "[[::1]:7"),
            ("", "", ":7"),
        ] {
            assert_eq!(bare(typed), host);
            assert_eq!(with_port(typed, 7), shown);
        }
    }
}
