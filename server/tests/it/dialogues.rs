//! Every dialogue of the wire format, against the real server: request bytes in, reply bytes out.

use shared::dialogue::{self, Turn};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::served::Served;

const DIALOGUES: [(&str, &str); 5] = [
    ("protocol", include_str!("../../../shared/tests/data/protocol.dialogue")),
    ("framing", include_str!("../../../shared/tests/data/framing.dialogue")),
    ("requests", include_str!("../../../shared/tests/data/requests.dialogue")),
    ("order", include_str!("../../../shared/tests/data/order.dialogue")),
    ("selectors", include_str!("../../../shared/tests/data/selectors.dialogue")),
];

async fn expect(stream: &mut TcpStream, bytes: &[u8], place: &str) {
    let mut read = Vec::new();
    let wanted = u64::try_from(bytes.len()).unwrap();
    (&mut *stream).take(wanted).read_to_end(&mut read).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&read), String::from_utf8_lossy(bytes), "{place}");
}

async fn expect_end(mut stream: TcpStream, place: &str) {
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&rest), "", "{place}: nothing more comes");
}

#[tokio::test]
async fn the_server_answers_each_dialogue_byte_for_byte() {
    for (name, text) in DIALOGUES {
        let served = Served::start().await;
        let mut stream = served.connect().await;
        for (number, turn) in dialogue::parse(text).unwrap().into_iter().enumerate() {
            match turn {
                Turn::Client(bytes) => stream.write_all(&bytes).await.unwrap(),
                Turn::Server(bytes) => {
                    expect(&mut stream, &bytes, &format!("{name}, turn {number}")).await;
                }
                Turn::Close => stream.shutdown().await.unwrap(),
            }
        }
        stream.shutdown().await.unwrap();
        expect_end(stream, name).await;
        served.stop().await;
    }
}

/// All of what the client says at once, and byte by byte: the same replies in the same order.
#[tokio::test]
async fn packets_make_no_difference() {
    for (name, text) in [DIALOGUES[0], DIALOGUES[3]] {
        let (mut said, mut answered) = (Vec::new(), Vec::new());
        for turn in dialogue::parse(text).unwrap() {
            match turn {
                Turn::Client(bytes) => said.extend(bytes),
                Turn::Server(bytes) => answered.extend(bytes),
                Turn::Close => {}
            }
        }
        for size in [1, 3, said.len()] {
            let served = Served::start().await;
            let mut stream = served.connect().await;
            stream.set_nodelay(true).unwrap();
            for piece in said.chunks(size) {
                stream.write_all(piece).await.unwrap();
            }
            expect(&mut stream, &answered, &format!("{name} in pieces of {size}")).await;
            stream.shutdown().await.unwrap();
            expect_end(stream, name).await;
            served.stop().await;
        }
    }
}

/// The last request of a full read buffer keeps the empty line that was sent with it.
#[tokio::test]
async fn an_empty_line_is_found_across_the_end_of_the_read_buffer() {
    let served = Served::start().await;
    for buffer in [8 * 1024, 16 * 1024] {
        for end in ["\n\n", "\r\n\r\n"] {
            // Requests that fill the server's buffer to within the width of a line end.
            for short_by in 0..6 {
                let mut stream = served.connect().await;
                let mut said = "x\n\n".repeat(buffer / 3 - 40);
                let fill = buffer - short_by - said.len() - end.len();
                said.push_str(&"y".repeat(fill));
                said.push_str(end);
                stream.write_all(said.as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
                let mut read = String::new();
                stream.read_to_string(&mut read).await.unwrap();
                let requests = buffer / 3 - 40 + 1;
                assert_eq!(read.len(), requests * "error\nwrong command\n\n".len());
            }
        }
    }
    served.stop().await;
}
