//! Which keys a client may change, as its certificate says.

use std::sync::Arc;

/// The keys that a client may put and delete. Reading is not limited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum WriteScope {
    /// All.
    #[default]
    All,
    /// Those that are this name up to their first dot.
    Host(Arc<str>),
    /// None.
    Nothing,
}

impl WriteScope {
    /// What a certificate allows that is for `name`, in lower case.
    pub fn of_certificate(name: Option<&str>) -> Self {
        name.map_or(Self::Nothing, |name| Self::Host(name.into()))
    }

    /// A key may be changed.
    pub fn allows(&self, key: &str) -> bool {
        match self {
            Self::All => true,
            Self::Host(name) => key.split('.').next() == Some(name),
            Self::Nothing => false,
        }
    }

    /// The rule, for a client that has broken it.
    pub fn rule(&self) -> String {
        match self {
            // A name may hold what ends a line, or what a terminal obeys.
            Self::Host(name) => format!(
                "the certificate of this client is for {0}: with --limit-by-certificate it changes \
                 only keys that are {0} up to their first dot, and none by a glob",
                name.escape_debug()
            ),
            Self::All | Self::Nothing => {
                "the certificate of this client has no name: with --limit-by-certificate it changes \
                 no keys"
                    .to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_name_up_to_its_first_dot() {
        let palm = WriteScope::of_certificate(Some("palm"));
        for (key, is_allowed) in [
            ("palm", true),
            ("palm.cpu", true),
            ("palm.cpu.user", true),
            ("palm.", true),
            ("palms.cpu", false),
            ("pal", false),
            ("Palm.cpu", false),
            ("cpu.palm", false),
            (".palm", false),
        ] {
            assert_eq!(palm.allows(key), is_allowed, "{key}");
            assert!(WriteScope::All.allows(key) && !WriteScope::Nothing.allows(key));
            // A name with dots is that of no key.
            assert!(!WriteScope::of_certificate(Some("palm.cpu")).allows(key));
        }
    }

    #[test]
    fn a_rule_is_one_line_whatever_the_certificate_says() {
        let rule = WriteScope::of_certificate(Some("a\n\u{1b}[2J")).rule();
        assert!(!rule.chars().any(char::is_control), "{rule}");
    }
}
