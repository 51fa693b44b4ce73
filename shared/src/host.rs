//! Names and addresses of a host as they are typed and shown.

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
