//! Following over real sockets.

use server::clock::Clock;
use server::store::local::LocalConfig;

use crate::harness::server::{Connection, TestServer};

async fn expect(connection: &mut Connection, text: &str) {
    let read = connection.read(text.len()).await;
    assert_eq!(String::from_utf8_lossy(&read), text);
}

async fn ask(connection: &mut Connection, request: &str, reply: &str) {
    connection.send(request).await;
    expect(connection, reply).await;
}

#[tokio::test]
async fn followers_are_told_what_others_do() {
    let server = TestServer::start().await;
    let (mut writer, mut palm) = (server.connect().await, server.connect().await);
    let (mut all, mut cpu) = (server.connect().await, server.connect().await);
    ask(&mut writer, "put palm.cpu 1 1\nput oak.cpu 2 1\n", "ok\n\nok\n\n").await;
    ask(&mut palm, "get palm.*[:+]\n", "ok\npalm.cpu 1.0 1\n").await;
    ask(&mut all, "get *[+]\n", "ok\n").await;
    ask(&mut cpu, "get palm.cpu[5:+]\n", "ok\n").await;
    ask(&mut writer, "put palm.mem 3 2\nput palm.cpu 4 1\nput palm.cpu 4 1\n", &"ok\n\n".repeat(3))
        .await;
    expect(&mut palm, "palm.mem 3.0 2\npalm.cpu 4.0 1\npalm.cpu 4.0 1\n").await;
    expect(&mut all, "palm.mem 3.0 2\npalm.cpu 4.0 1\npalm.cpu 4.0 1\n").await;
    expect(&mut cpu, "palm.cpu 4.0 1\npalm.cpu 4.0 1\n").await;
    // Taken back, and put again.
    ask(&mut writer, "del palm.*\nput palm.cpu 5 9\n", "ok\n\nok\n\n").await;
    for connection in [&mut palm, &mut all] {
        expect(connection, "palm.cpu - 1\npalm.mem - 2\npalm.cpu 5.0 9\n").await;
    }
    expect(&mut cpu, "palm.cpu - 1\npalm.cpu 5.0 9\n").await;
    // The client has said all that it will say, and still follows.
    cpu.close_sending().await;
    ask(&mut writer, "put palm.cpu 6 10\n", "ok\n\n").await;
    expect(&mut cpu, "palm.cpu 6.0 10\n").await;
    expect(&mut palm, "palm.cpu 6.0 10\n").await;
    expect(&mut all, "palm.cpu 6.0 10\n").await;
    ask(&mut palm, "get palm.cpu[last]\n", "\nok\npalm.cpu 6.0 10\n\n").await;
    server.stop().await;
    for connection in [&mut cpu, &mut all] {
        assert_eq!(String::from_utf8(connection.read_to_end().await).unwrap(), "");
    }
}

/// One that does not read costs the puts nothing, is cut off, and does not hold up a stop.
#[tokio::test]
async fn a_follower_that_does_not_read_is_cut_off() {
    let config = LocalConfig { follow_buffer: 1 << 20, ..LocalConfig::default() };
    let server = TestServer::start_with(Clock::default(), config).await;
    let (mut writer, mut deaf) = (server.connect().await, server.connect().await);
    ask(&mut deaf, "get *[+]\n", "ok\n").await;
    // More than the buffers of the sockets and of the server hold.
    let puts = "put palm.cpu 1.25 1150864247\n".repeat(2000);
    for _ in 0..500 {
        writer.send(&puts).await;
        let replies = writer.read(2000 * "ok\n\n".len()).await;
        assert_eq!(replies.len(), 2000 * "ok\n\n".len());
    }
    let news = String::from_utf8(deaf.read_to_end().await).unwrap();
    let (whole, cut) = news.rsplit_once('\n').unwrap();
    assert!(whole.lines().all(|line| line == "palm.cpu 1.25 1150864247"));
    assert!(!news.contains("\n\n") && "palm.cpu 1.25 1150864247".starts_with(cut));
    assert!(whole.lines().count() < 1_000_000, "it is cut off");
    let mut still = server.connect().await;
    ask(&mut still, "get *[+]\n", "ok\n").await;
    for _ in 0..20 {
        writer.send(&puts).await;
        writer.read(2000 * "ok\n\n".len()).await;
    }
    server.stop().await;
}
