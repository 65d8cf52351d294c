//! One client holds as many connections open as it can, and other requests from the same address are still answered.

use crate::start;
use loopiq_testing::{Connection, Database, Service};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The service's host and port.
fn host(service: &Service) -> String {
    service.url.trim_start_matches("http://").to_owned()
}

/// Opens connections, and sends this on each.
async fn hold(host: &str, count: usize, sent: &str) -> Vec<TcpStream> {
    let mut held = Vec::new();
    for _ in 0..count {
        let mut stream = TcpStream::connect(host).await.expect("a connection");
        // The service may have closed the connection already.
        let _ = stream.write_all(sent.replace("HOST", host).as_bytes()).await;
        held.push(stream);
    }
    held
}

/// The time that `/healthz` takes on a new connection.
async fn alive_after(service: &Service) -> Duration {
    #[expect(clippy::disallowed_methods, reason = "measures a duration")]
    let began = Instant::now();
    let mut connection = Connection::open(&service.url).await.expect("a connection");
    let reply = connection
        .send("GET", "/healthz", &[], String::new())
        .await
        .expect("an answer");
    assert_eq!(reply.status, 200);
    began.elapsed()
}

/// Resident memory, in KiB.
fn memory(service: &Service) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", service.pid())).expect("its status");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .expect("VmRSS");
    line.trim().trim_end_matches(" kB").trim().parse().expect("a number")
}

fn descriptors(service: &Service) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", service.pid()))
        .expect("its files")
        .count()
}

/// Waits until the service closes the connection, and returns what it sent.
async fn closed(stream: &mut TcpStream, within: Duration) -> Option<String> {
    let mut response = Vec::new();
    let read = tokio::time::timeout(within, stream.read_to_end(&mut response)).await;
    // A reset also counts as closed.
    read.ok().map(|_| String::from_utf8_lossy(&response).into_owned())
}

const HALF_HEAD: &str = "GET / HTTP/1.1\r\nhost: HOST\r\nx-slow: ";
const HALF_BODY: &str = "POST /do/approve HTTP/1.1\r\nhost: HOST\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 1000\r\n\r\nid=";

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_holds_connections_open_does_not_block_others() {
    let database = Database::new().await;
    let service = start(&database, "127.0.0.1:0");
    let host = host(&service);
    let before = memory(&service);
    let mut slowest = alive_after(&service).await;
    let mut held = Vec::new();
    for (count, sent) in [(1_010, HALF_HEAD), (1_010, HALF_BODY), (4_000, "")] {
        for part in 0..10 {
            held.extend(hold(&host, count / 10, sent).await);
            let took = alive_after(&service).await;
            assert!(took < Duration::from_secs(1), "{took:?} after part {part} of {count}");
            slowest = slowest.max(took);
        }
        let after = memory(&service);
        eprintln!(
            "{count} more connections: /healthz after {slowest:?} at the slowest, {before} KiB before and {after} KiB now, {} descriptors",
            descriptors(&service)
        );
        assert!(after < before + 64 * 1024, "{before} KiB, and {after} KiB now");
        assert!(descriptors(&service) < 500, "{}", descriptors(&service));
    }
    // The first connections were evicted, because they have sent no complete request.
    assert!(closed(&mut held[0], Duration::from_secs(5)).await.is_some());
    service.stop().expect("a graceful stop with open connections");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_client_is_disconnected_and_an_active_one_is_not() {
    let database = Database::new().await;
    let service = crate::start_with(
        &database,
        "127.0.0.1:0",
        &[
            ("LOOPIQ_HEAD_TIMEOUT", "1"),
            ("LOOPIQ_IDLE_TIMEOUT", "3"),
            ("LOOPIQ_REQUEST_TIMEOUT", "2"),
            ("LOOPIQ_MAX_CONNECTIONS_PER_ADDRESS", "20"),
        ],
    );
    let host = host(&service);
    let long = Duration::from_secs(30);
    #[expect(clippy::disallowed_methods, reason = "measures a duration")]
    let began = Instant::now();
    let mut half = hold(&host, 1, HALF_HEAD).await.remove(0);
    let mut silent = hold(&host, 1, "").await.remove(0);
    let mut body = hold(&host, 1, HALF_BODY).await.remove(0);
    // The time limit also applies to a head that arrives byte by byte.
    let mut trickle = TcpStream::connect(&host).await.expect("a connection");
    let trickled = tokio::spawn(async move {
        while trickle.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    assert_eq!(closed(&mut half, long).await.as_deref(), Some(""));
    assert!((1..3).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    tokio::time::timeout(long, trickled)
        .await
        .expect("cut off")
        .expect("ended");
    let response = closed(&mut body, long).await.expect("closed");
    assert!(
        response.starts_with("HTTP/1.1 408") && response.contains("did not arrive in time"),
        "{response}"
    );
    assert_eq!(closed(&mut silent, long).await.as_deref(), Some(""));
    assert!((3..10).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());

    // A connection with regular requests stays open longer than all these limits.
    let mut kept = Connection::open(&service.url).await.expect("a connection");
    for _ in 0..8 {
        let reply = kept.send("GET", "/healthz", &[], String::new()).await.expect("kept");
        assert_eq!(reply.status, 200);
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    service.stop().expect("a graceful stop");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_size_of_a_head_is_limited() {
    let database = Database::new().await;
    let service = start(&database, "127.0.0.1:0");
    let host = host(&service);
    let ask = async |headers: String| {
        let mut stream = TcpStream::connect(&host).await.expect("a connection");
        let head = format!("GET /healthz HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}\r\n");
        let _ = stream.write_all(head.as_bytes()).await;
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        answer.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(
        ask(format!("x-long: {}\r\n", "a".repeat(60_000))).await,
        "HTTP/1.1 200 OK"
    );
    let too_large = "HTTP/1.1 431 Request Header Fields Too Large";
    for size in [70_000, 400_000, 900_000] {
        let response = ask(format!("x-long: {}\r\n", "a".repeat(size))).await;
        // The client still sends when the response arrives, and may see only a closed connection.
        assert!(response == too_large || response.is_empty(), "{size}: {response}");
    }
    assert_eq!(ask("x-many: a\r\n".repeat(98)).await, "HTTP/1.1 200 OK");
    assert_eq!(ask("x-many: a\r\n".repeat(150)).await, too_large);
    service.stop().expect("a graceful stop");
}

/// The service answers while it is out of file descriptors, and accepts connections again afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn the_service_recovers_from_a_lack_of_file_descriptors() {
    let database = Database::new().await;
    // The limit of connections is above the number of files, so that it does not prevent the shortage.
    let service = crate::start_with(
        &database,
        "127.0.0.1:0",
        &[
            ("LOOPIQ_MAX_CONNECTIONS", "100000"),
            ("LOOPIQ_MAX_CONNECTIONS_PER_ADDRESS", "100000"),
        ],
    );
    let host = host(&service);
    let limit = std::process::Command::new("prlimit")
        .args(["--nofile=200:200", "--pid", &service.pid().to_string()])
        .status();
    if !limit.is_ok_and(|status| status.success()) {
        eprintln!("skipped: prlimit cannot be run here");
        return;
    }
    let held = hold(&host, 400, HALF_HEAD).await;
    let mut served = 0;
    for _ in 0..20 {
        let took = alive_after(&service).await;
        assert!(took < Duration::from_secs(2), "{took:?}");
        served += 1;
    }
    assert_eq!(served, 20);
    assert!(descriptors(&service) <= 200);
    drop(held);
    service.stop().expect("a graceful stop");
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_can_have_an_address_of_their_own() {
    let database = Database::new().await;
    let metrics_address = crate::address();
    let service = crate::start_with(&database, "127.0.0.1:0", &[("LOOPIQ_METRICS_LISTEN", &metrics_address)]);
    let ask = async |url: &str, path: &str| {
        let mut connection = Connection::open(url).await.expect("a connection");
        connection
            .send("GET", path, &[], String::new())
            .await
            .expect("an answer")
    };
    assert_eq!(ask(&service.url, "/metrics").await.status, 404);
    assert_eq!(ask(&service.url, "/healthz").await.status, 200);
    let own = format!("http://{metrics_address}");
    let metrics = ask(&own, "/metrics").await;
    assert_eq!(metrics.status, 200);
    assert!(metrics.text().contains("loopiq_connections "), "{}", metrics.text());
    assert_eq!(ask(&own, "/readyz").await.status, 200);
    // The address serves nothing else.
    for path in ["/", "/login", "/mcp", "/favicon.svg"] {
        assert_eq!(ask(&own, path).await.status, 404, "{path}");
    }
    service.stop().expect("a graceful stop");
}
