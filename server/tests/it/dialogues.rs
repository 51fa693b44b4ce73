//! Every dialogue of the wire format, against the real server: request bytes in, reply bytes out.

use shared::dialogue::{self, Turn};

use server::clock::Clock;

use crate::harness::server::{Connection, TestServer};

const DIALOGUES: [(&str, &str); 8] = [
    ("protocol", include_str!("../../../shared/tests/data/protocol.dialogue")),
    ("framing", include_str!("../../../shared/tests/data/framing.dialogue")),
    ("requests", include_str!("../../../shared/tests/data/requests.dialogue")),
    ("order", include_str!("../../../shared/tests/data/order.dialogue")),
    ("selectors", include_str!("../../../shared/tests/data/selectors.dialogue")),
    ("steps", include_str!("../../../shared/tests/data/steps.dialogue")),
    ("deletes", include_str!("../../../shared/tests/data/deletes.dialogue")),
    ("follow", include_str!("../../../shared/tests/data/follow.dialogue")),
];

/// What the server's clock shows, in Unix seconds.
const NOW: i64 = 1_150_864_300;

async fn expect(connection: &mut Connection, bytes: &[u8], place: &str) {
    let read = connection.read(bytes.len()).await;
    assert_eq!(String::from_utf8_lossy(&read), String::from_utf8_lossy(bytes), "{place}");
}

async fn expect_end(mut connection: Connection, place: &str) {
    connection.close_sending().await;
    let rest = connection.read_to_end().await;
    assert_eq!(String::from_utf8_lossy(&rest), "", "{place}: nothing more comes");
}

#[tokio::test]
async fn the_server_answers_each_dialogue_byte_for_byte() {
    for (name, text) in DIALOGUES {
        let server = TestServer::start_at(Clock::new(|| NOW)).await;
        let mut connection = server.connect().await;
        for (number, turn) in dialogue::parse(text).unwrap().into_iter().enumerate() {
            match turn {
                Turn::Client(bytes) => connection.send(&bytes).await,
                Turn::Server(bytes) => {
                    expect(&mut connection, &bytes, &format!("{name}, turn {number}")).await;
                }
                Turn::Close => connection.close_sending().await,
            }
        }
        expect_end(connection, name).await;
        server.stop().await;
    }
}

/// All requests at once and byte by byte: the same replies in the same order.
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
            let server = TestServer::start().await;
            let mut connection = server.connect().await;
            for piece in said.chunks(size) {
                connection.send(piece).await;
            }
            expect(&mut connection, &answered, &format!("{name} in pieces of {size}")).await;
            expect_end(connection, name).await;
            server.stop().await;
        }
    }
}

/// The last request of a full read buffer keeps the empty line that was sent with it.
#[tokio::test]
async fn an_empty_line_is_found_across_the_end_of_the_read_buffer() {
    let server = TestServer::start().await;
    for buffer in [8 * 1024, 16 * 1024] {
        for end in ["\n\n", "\r\n\r\n"] {
            // Requests that fill the server's buffer to within the width of a line end.
            for short_by in 0..6 {
                let mut connection = server.connect().await;
                let mut said = "x\n\n".repeat(buffer / 3 - 40);
                let fill = buffer - short_by - said.len() - end.len();
                said.push_str(&"y".repeat(fill));
                said.push_str(end);
                connection.send(&said).await;
                connection.close_sending().await;
                let read = connection.read_to_end().await;
                let requests = buffer / 3 - 40 + 1;
                assert_eq!(read.len(), requests * "error\nwrong command\n\n".len());
            }
        }
    }
    server.stop().await;
}
