//! A line of a client: what is decoded is encoded as a line that means the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::Request;

fuzz_target!(|line: &[u8]| {
    match Request::decode(line) {
        Ok(request) => {
            let mut encoded = Vec::new();
            request.encode(&mut encoded);
            assert_eq!(encoded.pop(), Some(b'\n'));
            assert!(!encoded.contains(&b'\n'), "a request is one line");
            assert_eq!(Request::decode(&encoded), Ok(request));
        }
        // What is shown of a mistake is a piece of the line.
        Err(bad) => assert!(line.get(bad.at.clone()).is_some(), "{bad:?}"),
    }
});
