//! Sizes, bombs and memory (reliability.md A1-A3, M1, M3, M5, M6).

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clew_tests::{PATIENCE, at_most};

use super::Rig;
use super::client::{self, framed, protobuf};
use super::signals::compress;

const MIB: usize = 1024 * 1024;
const LIMIT: usize = 64 * MIB;
/// Longest time for two refusals of a struct bomb, 2 seconds each (A3).
const REPLIES: Duration = Duration::from_secs(4);

/// A request of exactly `size` bytes: one field that nobody knows.
fn request_of(size: usize) -> Vec<u8> {
    // Field 999, bytes, with a length of four bytes.
    let length = size - 6;
    let seven_bits = |shift: usize| u8::try_from(length >> shift & 0x7f).expect("seven bits");
    let mut body = vec![0xba, 0x3e];
    body.extend([
        seven_bits(0) | 0x80,
        seven_bits(7) | 0x80,
        seven_bits(14) | 0x80,
        seven_bits(21),
    ]);
    body.resize(size, 0);
    body
}

/// Reliability A1.
#[tokio::test]
async fn the_limit_is_64_mib_to_the_byte() {
    let rig = Rig::start().await;
    for address in rig.ports() {
        for (size, status, code) in [(LIMIT - 1, 200, 0), (LIMIT, 200, 0), (LIMIT + 1, 413, 8)] {
            let body = request_of(size);
            let reply = client::post(address, "/v1/traces", body.clone()).await;
            assert_eq!(reply.status, status, "{size} over HTTP: {}", reply.text());
            assert_eq!(reply.header("retry-after"), "", "{size}");

            let reply = client::call(&body)
                .send(address, client::method("traces"))
                .await;
            assert_eq!(reply.grpc_status(), Some(code), "{size} over gRPC");
            assert!(!reply.has_details(), "{size}");

            let packed = compress("zstd", &body);
            let reply = protobuf(packed.clone())
                .with("content-encoding", "zstd")
                .send(address, "/v1/traces")
                .await;
            assert_eq!(reply.status, status, "{size} compressed");
            let call = framed(1, &packed).with("grpc-encoding", "zstd");
            let reply = call.send(address, client::method("traces")).await;
            assert_eq!(reply.grpc_status(), Some(code), "{size} compressed");
        }
        let mut chunked = b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
            Content-Type: application/x-protobuf\r\nTransfer-Encoding: chunked\r\n\r\n"
            .to_vec();
        for chunk in request_of(LIMIT + 1).chunks(MIB) {
            let mut size = String::new();
            write!(size, "{:x}\r\n", chunk.len()).expect("memory takes all");
            chunked.extend(size.bytes());
            chunked.extend(chunk);
            chunked.extend(b"\r\n");
        }
        chunked.extend(b"0\r\n\r\n");
        let reply = client::raw(address, &chunked).await;
        assert_eq!(client::status_of(&reply), 413, "undeclared");
    }
    assert!(rig.refused("too large") >= 10);
    rig.assert_alive().await;
}

/// A bomb: its first bytes, and those of which each repetition is 64 MiB of zeros. Gzip and deflate are one stream,
/// whose end nobody reads; zstd is one frame after another.
fn bomb(encoding: &str) -> (Vec<u8>, Vec<u8>) {
    let zeros = || {
        let mut packed = flate2::Compress::new(flate2::Compression::best(), false);
        let mut block = Vec::with_capacity(MIB);
        packed
            .compress_vec(&vec![0; LIMIT], &mut block, flate2::FlushCompress::Full)
            .expect("it fits");
        assert_eq!(packed.total_in(), LIMIT as u64, "all of it");
        block
    };
    match encoding {
        "gzip" => (vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff], zeros()),
        "deflate" => (vec![0x78, 0x9c], zeros()),
        _ => (Vec::new(), compress(encoding, &vec![0; LIMIT])),
    }
}

/// Repetitions that make 10 GiB.
const REPETITIONS: usize = 160;

/// Sends a chunked body of `first` and then `piece` again and again, generated as it is sent, until `times` are sent or
/// the server answers; the status.
async fn stream(
    address: SocketAddr,
    header: &str,
    first: &[u8],
    piece: &[u8],
    times: usize,
) -> u16 {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let connection = tokio::net::TcpStream::connect(address).await;
    let (mut read, mut write) = connection.expect("it listens").into_split();
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/x-protobuf\r\n\
         {header}Transfer-Encoding: chunked\r\n\r\n"
    );
    let chunk =
        |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    let start = [
        head.as_bytes(),
        &*if first.is_empty() {
            Vec::new()
        } else {
            chunk(first)
        },
    ]
    .concat();
    let piece = chunk(piece);
    let sending = tokio::spawn(async move {
        let all = async {
            write.write_all(&start).await?;
            for _ in 0..times {
                write.write_all(&piece).await?;
            }
            write.write_all(b"0\r\n\r\n").await
        };
        // The server may close before it has read everything.
        let _ = all.await;
        // Closing this half would tell it that nobody waits for the answer.
        write
    });
    let mut reply = Vec::new();
    let answered = tokio::time::timeout(PATIENCE, read.read_to_end(&mut reply));
    let _ = answered.await.expect("the socket is closed");
    sending.abort();
    client::status_of(&reply)
}

/// Fields of a length, around what they hold.
fn nested(tags: &[u8], inner: Vec<u8>) -> Vec<u8> {
    tags.iter().rev().fold(inner, |inner, tag| {
        let mut outer = vec![*tag];
        let mut length = inner.len();
        while length >= 0x80 {
            outer.push(u8::try_from(length & 0x7f).expect("seven bits") | 0x80);
            length >>= 7;
        }
        outer.push(u8::try_from(length).expect("seven bits"));
        outer.extend(inner);
        outer
    })
}

/// Millions of empty messages where OTLP repeats one.
fn structs(size: usize) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let empty = |tag: u8| [tag, 0].repeat(size / 2);
    vec![
        ("traces", "resources", empty(0x0a)),
        ("traces", "scopes", nested(&[0x0a], empty(0x12))),
        ("traces", "spans", nested(&[0x0a, 0x12], empty(0x12))),
        (
            "traces",
            "attributes",
            nested(&[0x0a, 0x12, 0x12], empty(0x4a)),
        ),
        ("traces", "events", nested(&[0x0a, 0x12, 0x12], empty(0x5a))),
        ("traces", "links", nested(&[0x0a, 0x12, 0x12], empty(0x6a))),
        ("logs", "records", nested(&[0x0a, 0x12], empty(0x12))),
        (
            "metrics",
            "points",
            nested(&[0x0a, 0x12, 0x12, 0x2a], empty(0x0a)),
        ),
        (
            "metrics",
            "exemplars",
            nested(&[0x0a, 0x12, 0x12, 0x2a, 0x0a], empty(0x2a)),
        ),
    ]
}

/// This test binary once more, as nothing but a server: its memory is Clew's alone.
struct Server {
    child: Child,
    /// Everything that it writes.
    _folder: tempfile::TempDir,
    ports: [SocketAddr; 2],
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let said = folder.path().join("ports");
        let child = Command::new(std::env::current_exe().expect("a test binary"))
            .args(["--exact", "receive::limits::a_server_for_another_test"])
            .env("CLEW_TEST_SERVER", &said)
            .env("TMPDIR", folder.path())
            .stdout(Stdio::null())
            .stdin(Stdio::piped())
            .spawn()
            .expect("it starts");
        let deadline = Instant::now() + PATIENCE;
        let ports = loop {
            assert!(Instant::now() < deadline, "it listens");
            let text = std::fs::read_to_string(&said).unwrap_or_default();
            let ports: Vec<_> = text.lines().filter_map(|line| line.parse().ok()).collect();
            if let [grpc, http] = ports[..] {
                break [grpc, http];
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        Self {
            child,
            _folder: folder,
            ports,
        }
    }

    /// Largest resident memory since the last call, in MiB, and from now on a new measure.
    fn peak(&self) -> usize {
        let process = format!("/proc/{}", self.child.id());
        let status = std::fs::read_to_string(format!("{process}/status")).expect("it runs");
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let kib = line.and_then(|line| line.split_ascii_whitespace().nth(1));
        // "5" resets the high-water mark.
        std::fs::write(format!("{process}/clear_refs"), "5").expect("it can be reset");
        kib.and_then(|kib| kib.parse::<usize>().ok())
            .expect("a number")
            / 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Not a test of its own: does nothing unless [`Server::start`] has started it.
#[tokio::test]
async fn a_server_for_another_test() {
    use std::io::Read as _;
    let Some(said) = std::env::var_os("CLEW_TEST_SERVER") else {
        return;
    };
    let rig = Rig::start().await;
    let ports = rig.ports().map(|port| port.to_string()).join("\n");
    let said = std::path::PathBuf::from(said);
    let whole = said.with_extension("new");
    std::fs::write(&whole, ports).expect("the folder is there");
    std::fs::rename(whole, said).expect("the folder is there");
    // Until killed, or until the test that started it has gone and its end of the pipe with it.
    let gone = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let _ = gone.await;
}

/// Reliability A2, A3.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn bombs_take_little_memory_and_no_time() {
    let server = Server::start();
    for address in server.ports {
        for encoding in ["gzip", "deflate", "zstd"] {
            let (first, piece) = bomb(encoding);
            let before = server.peak();
            let header = format!("Content-Encoding: {encoding}\r\n");
            let status = stream(address, &header, &first, &piece, REPETITIONS).await;
            assert_eq!(status, 413, "{encoding}");
            let whole = [first, piece.repeat(REPETITIONS)].concat();
            let call = framed(1, &whole).with("grpc-encoding", encoding);
            let reply = call.send(address, client::method("traces")).await;
            assert_eq!(reply.grpc_status(), Some(8), "{encoding}");
            let grown = server.peak().saturating_sub(before);
            assert!(grown <= 128, "{encoding}: {grown} MiB more");
        }
        // 10 GiB as they are: the server stops listening long before.
        let before = server.peak();
        let zeros = vec![0; 8 * MIB];
        assert_eq!(stream(address, "", &[], &zeros, 1_280).await, 413);
        let grown = server.peak().saturating_sub(before);
        assert!(grown <= 128, "plain: {grown} MiB more");
    }
    // Below, far above and at the largest request that is read at all.
    for size in [8 * MIB, 32 * MIB, LIMIT] {
        for (signal, what, body) in structs(size) {
            let started = Instant::now();
            let reply = client::post(server.ports[1], &format!("/v1/{signal}"), body.clone()).await;
            assert_eq!(reply.status, 413, "{what} of {size}: {}", reply.text());
            let call = client::call(&body)
                .send(server.ports[0], client::method(signal))
                .await;
            assert_eq!(call.grpc_status(), Some(8), "{what} of {size}");
            let took = started.elapsed();
            assert!(
                took < at_most(REPLIES),
                "{what} of {size}: {took:?} for two"
            );
            let peak = server.peak();
            assert!(peak <= 768, "{what} of {size}: {peak} MiB");
        }
    }
}

/// A request of so many spans, as small as a span can be.
fn spans(number: u32) -> Vec<u8> {
    let mut inner = Vec::new();
    for id in 1..=number {
        // Trace id, span id.
        inner.extend([0x12, 28, 0x0a, 16]);
        inner.extend(u128::from(id).to_be_bytes());
        inner.extend([0x12, 8]);
        inner.extend(u64::from(id).to_be_bytes());
    }
    nested(&[0x0a, 0x12], inner)
}

/// Reliability A3.
#[tokio::test]
async fn the_item_limit_is_exact_and_nothing_above_it_is_stored() {
    let rig = Rig::start().await;
    let over = client::post(rig.http, "/v1/traces", spans(250_001)).await;
    assert_eq!(over.status, 413, "{}", over.text());
    assert!(over.text().contains("250000 spans"), "{}", over.text());
    let call = client::call(&spans(250_001));
    let call = call.send(rig.grpc, client::method("traces")).await;
    assert_eq!(call.grpc_status(), Some(8));
    assert_eq!(rig.rows("spans"), 0);
    let reply = client::post(rig.http, "/v1/traces", spans(250_000)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.body.is_empty(), "all of them: {}", reply.text());
    assert_eq!(rig.rows("spans"), 250_000);
}

#[tokio::test]
async fn what_does_not_fit_in_memory_now_is_sent_again() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let rig = Rig::start().await;
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Length: {LIMIT}\r\n\r\n"
    );
    // Four requests that stay unfinished hold nearly all of the 256 MiB.
    let part = vec![0; LIMIT - MIB / 2];
    let mut unfinished = Vec::new();
    for _ in 0..4 {
        let mut stream = tokio::net::TcpStream::connect(rig.http)
            .await
            .expect("it listens");
        stream.write_all(head.as_bytes()).await.expect("it reads");
        stream.write_all(&part).await.expect("it reads");
        unfinished.push(stream);
    }
    let deadline = Instant::now() + PATIENCE;
    let body = request_of(8 * MIB);
    loop {
        let reply = client::post(rig.http, "/v1/traces", body.clone()).await;
        if reply.status == 429 {
            assert_eq!(reply.header("retry-after"), "1");
            // The same in the body: code, words, and RetryInfo of one second.
            let retry_info = b"type.googleapis.com/google.rpc.RetryInfo\x12\x04\x0a\x02\x08\x01";
            assert!(
                reply
                    .body
                    .windows(retry_info.len())
                    .any(|part| part == retry_info),
                "{:?}",
                reply.body
            );
            let reply = client::json(vec![b' '; 8 * MIB])
                .send(rig.http, "/v1/traces")
                .await;
            assert_eq!(reply.status, 429);
            let body: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
            assert_eq!(body["code"], 14);
            assert_eq!(
                body["details"],
                serde_json::json!([{
                    "@type": "type.googleapis.com/google.rpc.RetryInfo",
                    "retryDelay": "1s",
                }])
            );
            break;
        }
        assert!(Instant::now() < deadline, "status {}", reply.status);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let call = client::call(&body)
        .send(rig.grpc, client::method("traces"))
        .await;
    assert_eq!(call.grpc_status(), Some(14));
    assert!(call.has_details(), "RetryInfo");

    // A client that goes gives its share back.
    let mut gone = unfinished.pop().expect("four");
    gone.shutdown().await.expect("it closes");
    let _ = gone.read(&mut [0; 1]).await;
    drop(gone);
    let deadline = Instant::now() + PATIENCE;
    while client::post(rig.http, "/v1/traces", body.clone())
        .await
        .status
        != 200
    {
        assert!(Instant::now() < deadline, "the share comes back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
