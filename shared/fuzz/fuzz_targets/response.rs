//! What a server answers: the same replies, in whatever pieces the bytes arrive.

#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::response::{ReplyDecoder, ReplyEvent, decode_news, decode_points};

/// The bytes of the replies as far as they are whole, and whether they go on with something else.
fn read(pieces: &[&[u8]]) -> (Vec<u8>, bool) {
    let (mut decoder, mut waiting, mut said) = (ReplyDecoder::default(), Vec::new(), Vec::new());
    for piece in pieces {
        waiting.extend_from_slice(piece);
        let mut input = &waiting[..];
        loop {
            match decoder.next_event(&mut input) {
                Ok(Some(ReplyEvent::Status(status))) => {
                    said.extend_from_slice(format!("{status:?}\n").as_bytes());
                }
                Ok(Some(ReplyEvent::Data(lines))) => {
                    assert!(lines.ends_with(b"\n"), "whole lines");
                    decode_points(lines).zip(decode_news(lines)).for_each(drop);
                    said.extend_from_slice(lines);
                }
                Ok(Some(ReplyEvent::End)) => said.push(b'\n'),
                Ok(None) => break,
                Err(_) => return (said, true),
            }
        }
        let rest = input.len();
        waiting.drain(..waiting.len() - rest);
    }
    (said, false)
}

fuzz_target!(|input: (u16, &[u8])| {
    let (cut, bytes) = input;
    let (first, second) = bytes.split_at(usize::from(cut) % (bytes.len() + 1));
    assert_eq!(read(&[bytes]), read(&[first, second]));
});
