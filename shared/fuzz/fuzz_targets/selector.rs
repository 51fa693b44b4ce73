//! The word after `get`: what is decoded is encoded as it was, and a glob has an answer for every key.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::{Glob, Selector};

fuzz_target!(|input: (&[u8], &str)| {
    let (bytes, key) = input;
    match Selector::from_bytes(bytes) {
        Ok(selector) => {
            let mut encoded = Vec::new();
            selector.encode(&mut encoded);
            assert_eq!(encoded, bytes);
            let glob = Glob::from(selector.pattern());
            let is_match = glob.matches(key);
            let prefixes = glob.prefixes();
            let may_match = prefixes.iter().any(|prefix| key.starts_with(prefix.as_str()));
            assert!(may_match || !is_match, "{key:?} begins with none of {prefixes:?}");
            if let Some(only) = selector.pattern().as_key() {
                assert_eq!(is_match, only.as_str() == key);
            }
        }
        Err(bad) => assert!(bytes.get(bad.at.clone()).is_some(), "{bad:?}"),
    }
});
