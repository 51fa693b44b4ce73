//! What holds for all input.

use proptest::prelude::*;
use shared::frame::RequestFramer;
use shared::point::parse_value;
use shared::response::{ReplyDecoder, decode_points, encode_point};
use shared::{Key, Point, Request, Selector};

fn key() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9._:/=ж😀-]{1,40}"
}

fn point() -> impl Strategy<Value = Point> {
    let value = prop_oneof![
        any::<f64>().prop_filter("finite", |value| value.is_finite()),
        (-1_000_000i32..1_000_000).prop_map(|cents| f64::from(cents) / 100.0),
    ];
    (value, any::<i64>()).prop_map(|(value, timestamp)| Point { timestamp, value })
}

proptest! {
    #[test]
    fn a_request_reads_back_as_it_was_written(key in key(), point in point(), all: bool) {
        let key = Key::new(&key).unwrap();
        let selector = if all { Selector::ALL } else { key.into() };
        for request in [Request::Put(key, point), Request::Get(selector)] {
            let mut line = Vec::new();
            request.encode(&mut line);
            prop_assert_eq!(line.pop(), Some(b'\n'));
            prop_assert_eq!(Request::decode(&line), Ok(request));
        }
    }

    #[test]
    fn the_short_way_to_a_number_is_exact(text in "-?[0-9]{0,17}(\\.[0-9]{0,17})?") {
        let exact = text.parse::<f64>().ok().map(f64::to_bits);
        prop_assert_eq!(parse_value(text.as_bytes()).ok().map(f64::to_bits), exact);
    }

    #[test]
    fn a_second_blank_makes_no_difference(
        key in "[a-zж*\u{1}]{0,6}",
        value in "[+-]?[0-9]{0,17}[.e]?[0-9]{0,3}",
        timestamp in "[+-]?[0-9]{0,20}[.e]?",
        tail in "[ ]?[a1]?",
    ) {
        // One blank each may take the short way, two can't.
        let short = format!("put {key} {value} {timestamp}{tail}");
        let long = format!("put  {key}  {value}  {timestamp}{tail}");
        let [short, long] = [&short, &long].map(|line| {
            Request::decode(line.as_bytes()).map_err(|bad| bad.reason)
        });
        prop_assert_eq!(short, long);
    }

    #[test]
    fn a_data_line_reads_back_bit_by_bit(points in prop::collection::vec((key(), point()), 0..20)) {
        let mut data = Vec::new();
        for (key, point) in &points {
            encode_point(Key::new(key).unwrap(), *point, &mut data);
        }
        let read: Vec<_> = decode_points(&data).collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(read.len(), points.len());
        for ((key, point), (read_key, read_point)) in points.iter().zip(read) {
            prop_assert_eq!(key.as_str(), read_key.as_str());
            prop_assert_eq!(point.timestamp, read_point.timestamp);
            prop_assert_eq!(point.value.to_bits(), read_point.value.to_bits());
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(pieces in prop::collection::vec(prop::collection::vec(byte(), 0..200), 0..20)) {
        let (mut requests, mut replies) = (RequestFramer::default(), ReplyDecoder::default());
        let (mut request_buffer, mut reply_buffer) = (Vec::new(), Vec::new());
        for piece in pieces {
            request_buffer.extend_from_slice(&piece);
            let mut input = request_buffer.as_slice();
            while let Some(line) = requests.next_request(&mut input) {
                if let Err(bad) = Request::decode_line(line) {
                    prop_assert!(bad.at.start <= bad.at.end);
                }
            }
            let left = input.len();
            request_buffer.drain(..request_buffer.len() - left);

            reply_buffer.extend_from_slice(&piece);
            let mut input = reply_buffer.as_slice();
            while let Ok(Some(_)) = replies.next_event(&mut input) {}
            let left = input.len();
            reply_buffer.drain(..reply_buffer.len() - left);
            decode_points(&piece).for_each(drop);
        }
    }
}

/// Any byte, but often one that means something.
fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        any::<u8>(),
        prop::sample::select(&b"put get ok error\n\n\n\r\t*[]{}?.+-e0123456789"[..]),
    ]
}
