//! Names of sources: as typed, or made of the hosts.

use shared::client::ConnectOptions;
use shared::host::with_port;
use shared::key::{Key, KeyError};

use super::{SEPARATOR, Source};

/// Longest name in bytes: the room that it takes from the keys behind it.
pub const MAX_NAME: usize = 64;

/// Why a source can't be called so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameError {
    /// No characters at all.
    Empty,
    /// More than [`MAX_NAME`] bytes.
    TooLong,
    /// A character that no key holds, or one that a name does not.
    Forbidden(char),
    /// Another source is called so, too.
    Twice(String),
    /// Another source is the same server.
    SameServer(String),
}

impl std::fmt::Display for NameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => write!(f, "a name is missing before the ="),
            Self::TooLong => write!(f, "a name has at most {MAX_NAME} bytes"),
            Self::Forbidden(c) => write!(f, "a name holds no {c:?}"),
            Self::Twice(name) => write!(f, "two hosts are called {name}"),
            Self::SameServer(address) => {
                write!(f, "{address} is given twice; NAME=HOST gives each a name of its own")
            }
        }
    }
}

impl std::error::Error for NameError {}

/// Checks the name of a source.
///
/// # Errors
/// The rule that it breaks.
pub fn check_name(name: &str) -> Result<(), NameError> {
    if let Some(c) = name.chars().find(|&c| c == SEPARATOR || c == ',') {
        return Err(NameError::Forbidden(c));
    }
    match Key::new(name) {
        Err(KeyError::Empty) => Err(NameError::Empty),
        Err(KeyError::Forbidden(c)) => Err(NameError::Forbidden(c)),
        Ok(_) if name.len() <= MAX_NAME => Ok(()),
        Ok(_) | Err(KeyError::TooLong | KeyError::NotUtf8) => Err(NameError::TooLong),
    }
}

/// Checks what the keys of a run begin with.
///
/// # Errors
/// Why a prefix can't be that of a run.
pub fn check_run(run: &str) -> Result<(), &'static str> {
    match run {
        "" => Err("a prefix of keys is not empty"),
        // Within the braces of a glob it would end an alternative.
        run if run.contains(',') => {
            Err("a prefix of keys holds no comma; several are given one by one")
        }
        _ => Ok(()),
    }
}

/// Sources of servers, some with a name. The others are called by their host up to its first dot, by
/// their whole host where two would be called the same, or by host and port where that is not enough.
///
/// # Errors
/// When two are called the same all the same, or a host is none of a name.
pub fn named_hosts(
    hosts: impl IntoIterator<Item = (Option<String>, ConnectOptions)>,
) -> Result<Vec<Source>, NameError> {
    let hosts: Vec<_> = hosts.into_iter().collect();
    let forms: Vec<Vec<String>> =
        hosts.iter().map(|(name, server)| forms(name.as_ref(), server)).collect();
    let mut chosen = vec![0; forms.len()];
    let name = |chosen: &[usize], at: usize| -> Option<&String> {
        let forms = forms.get(at)?;
        forms.get(*chosen.get(at)?).or(forms.last())
    };
    // Each round gives those that share a name their next form; the last form stays.
    for _ in 0..2 {
        let names: Vec<_> = (0..forms.len()).map(|at| name(&chosen, at)).collect();
        let shared: Vec<bool> = names
            .iter()
            .map(|one| names.iter().filter(|other| *other == one).count() > 1)
            .collect();
        chosen.iter_mut().zip(shared).for_each(|(form, is_shared)| *form += usize::from(is_shared));
    }
    let mut sources: Vec<Source> = Vec::new();
    for (at, (given, server)) in hosts.iter().enumerate() {
        let name = name(&chosen, at).cloned().unwrap_or_default();
        check_name(&name)?;
        if sources.iter().any(|other| other.name == name) {
            return Err(match given {
                Some(_) => NameError::Twice(name),
                None => NameError::SameServer(with_port(&server.host, server.port)),
            });
        }
        sources.push(Source { name, run: String::new(), is_marks: false, server: server.clone() });
    }
    Ok(sources)
}

/// What a server may be called, from short to long.
fn forms(name: Option<&String>, server: &ConnectOptions) -> Vec<String> {
    if let Some(name) = name {
        return vec![name.clone()];
    }
    let ConnectOptions { host, port, .. } = server;
    let is_address = host.parse::<std::net::IpAddr>().is_ok() || host.contains(':');
    let short = host.split('.').next().filter(|_| !is_address).unwrap_or(host);
    vec![short.to_owned(), host.clone(), format!("{host}:{port}")]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(hosts: &[&str]) -> Result<Vec<String>, String> {
        let hosts = hosts.iter().map(|typed| {
            let (name, host) = match typed.split_once('=') {
                Some((name, host)) => (Some(name.to_owned()), host),
                None => (None, *typed),
            };
            let (host, port) = host.rsplit_once('@').unwrap_or((host, "10001"));
            (name, ConnectOptions::new(host, port.parse().unwrap()))
        });
        let named = named_hosts(hosts).map_err(|why| why.to_string())?;
        Ok(named.into_iter().map(|source| source.name).collect())
    }

    #[test]
    fn a_name_is_as_short_as_tells_its_host_apart() {
        for (hosts, called) in [
            (&["web1", "db=10.0.0.7"][..], &["web1", "db"][..]),
            (&["web1.example.org", "db.example.org"], &["web1", "db"]),
            (&["db.a.org", "db.b.org", "x"], &["db.a.org", "db.b.org", "x"]),
            (&["localhost@1", "localhost@2"], &["localhost:1", "localhost:2"]),
            (&["10.0.0.7", "10.0.0.8"], &["10.0.0.7", "10.0.0.8"]),
            (&["::1", "a"], &["::1", "a"]),
            (&["a=x@1", "a.org"], &["a", "a.org"]),
            (&["a=x@1", "a@7"], &["a", "a:7"]),
            (&["db.a.org@1", "db.a.org@2", "db.b.org"], &["db.a.org:1", "db.a.org:2", "db.b.org"]),
        ] {
            assert_eq!(names(hosts).unwrap(), called, "{hosts:?}");
        }
    }

    #[test]
    fn a_name_that_a_key_can_t_hold_is_refused_in_a_sentence() {
        let long = format!("{}=x", "n".repeat(MAX_NAME + 1));
        for (hosts, said) in [
            (&["a", "a"][..], "a:10001 is given twice; NAME=HOST gives each a name of its own"),
            (&["a=x", "a=y"], "two hosts are called a"),
            (&["=x"], "a name is missing before the ="),
            (&["a/b=x"], "a name holds no '/'"),
            (&["a,b=x"], "a name holds no ','"),
            (&["a*=x"], "a name holds no '*'"),
            (&["a b=x"], "a name holds no ' '"),
            (&[&long], "a name has at most 64 bytes"),
        ] {
            assert_eq!(names(hosts).unwrap_err(), said, "{hosts:?}");
        }
    }
}
