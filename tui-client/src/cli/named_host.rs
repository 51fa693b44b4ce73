//! A host of the command line, which may have a name.

use std::str::FromStr;

use shared::host::Host;

use crate::sources::check_name;

/// `[NAME=]HOST[:PORT]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedHost {
    pub(super) name: Option<String>,
    pub(super) host: Host,
}

impl FromStr for NamedHost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains(',') {
            return Err("one host; several are a --host each".to_owned());
        }
        let (name, host) = match text.split_once('=') {
            Some((name, host)) => (Some(name.to_owned()), host),
            None => (None, text),
        };
        if let Some(name) = &name {
            check_name(name).map_err(|why| why.to_string())?;
        }
        let host = host.parse().map_err(|why: shared::host::HostError| why.to_string())?;
        Ok(Self { name, host })
    }
}
