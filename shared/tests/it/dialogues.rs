//! The codec reads both sides of every dialogue, however the bytes are cut.

use shared::dialogue::{self, Turn};
use shared::frame::RequestFramer;
use shared::response::{BadReply, ReplyDecoder, ReplyEvent, Status};
use shared::{Request, response};

const DIALOGUES: [(&str, &str); 7] = [
    ("protocol", include_str!("../data/protocol.dialogue")),
    ("framing", include_str!("../data/framing.dialogue")),
    ("requests", include_str!("../data/requests.dialogue")),
    ("order", include_str!("../data/order.dialogue")),
    ("selectors", include_str!("../data/selectors.dialogue")),
    ("steps", include_str!("../data/steps.dialogue")),
    ("deletes", include_str!("../data/deletes.dialogue")),
];

/// The requests in what a client says, each as it would be encoded again, bad ones as `None`.
fn decode_requests(framer: &mut RequestFramer, pieces: &[&[u8]]) -> Vec<Option<Vec<u8>>> {
    let (mut buffer, mut requests) = (Vec::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        let mut input = buffer.as_slice();
        while let Some(line) = framer.next_request(&mut input) {
            requests.push(match Request::decode_line(line) {
                Ok(request) => {
                    let mut encoded = Vec::new();
                    request.encode(&mut encoded);
                    Some(encoded)
                }
                Err(_) => None,
            });
        }
        let left = input.len();
        buffer.drain(..buffer.len() - left);
    }
    requests
}

/// The replies in what a server says: status and data.
fn decode_replies(pieces: &[&[u8]]) -> Result<Vec<(Status, Vec<u8>)>, BadReply> {
    let mut decoder = ReplyDecoder::default();
    let (mut buffer, mut replies) = (Vec::new(), Vec::new());
    let mut current = None;
    for piece in pieces {
        buffer.extend_from_slice(piece);
        let mut input = buffer.as_slice();
        while let Some(event) = decoder.next_event(&mut input)? {
            match event {
                ReplyEvent::Status(status) => current = Some((status, Vec::new())),
                ReplyEvent::Data(data) => current.as_mut().unwrap().1.extend_from_slice(data),
                ReplyEvent::End => replies.push(current.take().unwrap()),
            }
        }
        let left = input.len();
        buffer.drain(..buffer.len() - left);
    }
    assert!(current.is_none(), "a reply is left open");
    Ok(replies)
}

#[test]
fn every_dialogue_has_one_reply_to_each_request() {
    for (name, text) in DIALOGUES {
        let mut framer = RequestFramer::default();
        let mut due: Vec<Option<Vec<u8>>> = Vec::new();
        for turn in dialogue::parse(text).unwrap() {
            match turn {
                Turn::Client(bytes) => due.extend(decode_requests(&mut framer, &[&bytes])),
                Turn::Server(bytes) => {
                    framer.answered();
                    let replies = decode_replies(&[&bytes]).unwrap();
                    assert_eq!(replies.len(), due.len(), "{name}: replies to {due:?}");
                    for (request, (status, data)) in due.drain(..).zip(replies) {
                        assert_eq!(request.is_some(), status == Status::Ok, "{name}: {request:?}");
                        if status == Status::Error {
                            assert_eq!(data, b"wrong command\n", "{name}");
                        }
                    }
                }
                Turn::Close => {}
            }
        }
        assert!(due.is_empty(), "{name}: unanswered {due:?}");
    }
}

#[test]
fn every_cut_of_every_dialogue_reads_the_same() {
    for (name, text) in DIALOGUES {
        for turn in dialogue::parse(text).unwrap() {
            match turn {
                Turn::Client(bytes) => {
                    let whole = decode_requests(&mut RequestFramer::default(), &[&bytes]);
                    for cut in cuts(bytes.len()) {
                        let (head, tail) = bytes.split_at(cut);
                        let parts = decode_requests(&mut RequestFramer::default(), &[head, tail]);
                        assert_eq!(parts, whole, "{name}: cut at {cut}");
                    }
                    let single: Vec<_> = bytes.chunks(1).collect();
                    assert_eq!(decode_requests(&mut RequestFramer::default(), &single), whole);
                }
                Turn::Server(bytes) => {
                    let whole = decode_replies(&[&bytes]).unwrap();
                    for cut in cuts(bytes.len()) {
                        let (head, tail) = bytes.split_at(cut);
                        assert_eq!(decode_replies(&[head, tail]).unwrap(), whole, "{name}: {cut}");
                    }
                    let single: Vec<_> = bytes.chunks(1).collect();
                    assert_eq!(decode_replies(&single).unwrap(), whole);
                }
                Turn::Close => {}
            }
        }
    }
}

/// Every place in a short text; in a long one every place near its ends and around the limits.
fn cuts(len: usize) -> impl Iterator<Item = usize> {
    (0..=len).filter(move |&cut| cut < 5000 || cut + 200 > len)
}

#[test]
fn an_error_reply_is_one_line_whatever_the_reason() {
    let mut reply = Vec::new();
    response::encode_error("disk\nfull\r", &mut reply);
    assert_eq!(reply, b"error\ndisk full \n\n");
}

#[test]
fn a_peer_of_another_protocol_is_recognised() {
    for (line, is) in [
        (&b"HTTP/1.1 400 Bad Request\r\n"[..], BadReply::Http),
        (b"<!DOCTYPE HTML>\n", BadReply::Http),
        (b"<html>\n", BadReply::Http),
        // The alert of a message that was not expected.
        (b"\x15\x03\x01\0\x02\x02\n", BadReply::Tls),
        (b"SSH-2.0-x\r\n", BadReply::Status("SSH-2.0-x".to_owned())),
    ] {
        assert_eq!(decode_replies(&[line]), Err(is));
    }
    let endless = [b'x'; 10_000];
    assert_eq!(decode_replies(&[b"ok\n", &endless, b"\n"]), Err(BadReply::LineTooLong));
}
