//! Clients that say exactly what they are told to, right or wrong.

use std::net::SocketAddr;

use bytes::Bytes;
use clew_tests::PATIENCE;
use http_body_util::{BodyExt as _, Full};
use hyper::http::{HeaderMap, Request, Version};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Of gRPC: in trailers, or in headers where there is no message.
    pub(crate) trailers: HeaderMap,
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(|value| value.to_str());
        value.and_then(Result::ok).unwrap_or_default()
    }

    /// The status of a call, or `None` where the reply is not gRPC's.
    pub(crate) fn grpc_status(&self) -> Option<u32> {
        let status = self
            .trailers
            .get("grpc-status")
            .or_else(|| self.headers.get("grpc-status"));
        status?.to_str().ok()?.parse().ok()
    }

    /// The delay of `RetryInfo`, where the call's status has details.
    pub(crate) fn has_details(&self) -> bool {
        self.trailers.contains_key("grpc-status-details-bin")
            || self.headers.contains_key("grpc-status-details-bin")
    }
}

/// A request over HTTP/1.1 or HTTP/2.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    method: &'static str,
    headers: Vec<(String, String)>,
    body: Bytes,
    http2: bool,
}

impl Ask {
    pub(crate) fn new(method: &'static str) -> Self {
        Self {
            method,
            headers: Vec::new(),
            body: Bytes::new(),
            http2: false,
        }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) async fn send(self, address: SocketAddr, path: &str) -> Reply {
        let mut request = Request::builder()
            .method(self.method)
            .uri(format!("http://{address}{path}"));
        if self.http2 {
            request = request.version(Version::HTTP_2);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(self.body)).expect("a request");
        let client = Client::builder(TokioExecutor::new())
            .http2_only(self.http2)
            .http2_initial_stream_window_size(4 * 1024 * 1024)
            .build_http();
        let reply = tokio::time::timeout(PATIENCE, client.request(request)).await;
        let reply = reply.expect("a reply in time").expect("a reply");
        let (head, body) = reply.into_parts();
        let body = body.collect().await.expect("a whole reply");
        let trailers = body.trailers().cloned().unwrap_or_default();
        Reply {
            status: head.status.as_u16(),
            headers: head.headers,
            body: body.to_bytes(),
            trailers,
        }
    }
}

/// A `POST` of protobuf.
pub(crate) async fn post(address: SocketAddr, path: &str, body: impl Into<Bytes>) -> Reply {
    protobuf(body).send(address, path).await
}

/// A request in protobuf.
pub(crate) fn protobuf(body: impl Into<Bytes>) -> Ask {
    Ask::new("POST")
        .with("content-type", "application/x-protobuf")
        .body(body)
}

/// A request in JSON.
pub(crate) fn json(body: impl Into<Bytes>) -> Ask {
    Ask::new("POST")
        .with("content-type", "application/json")
        .body(body)
}

/// A gRPC call with one message, uncompressed.
pub(crate) fn call(message: &[u8]) -> Ask {
    framed(0, message)
}

/// A gRPC call with one message and these flags.
pub(crate) fn framed(flags: u8, message: &[u8]) -> Ask {
    let length = u32::try_from(message.len()).expect("a message below 4 GiB");
    let mut body = Vec::with_capacity(message.len() + 5);
    body.push(flags);
    body.extend_from_slice(&length.to_be_bytes());
    body.extend_from_slice(message);
    raw_call(body)
}

/// A gRPC call with this body.
pub(crate) fn raw_call(body: impl Into<Bytes>) -> Ask {
    Ask {
        http2: true,
        ..Ask::new("POST")
    }
    .with("content-type", "application/grpc")
    .with("te", "trailers")
    .body(body)
}

/// gRPC's path of a signal.
pub(crate) fn method(signal: &str) -> &'static str {
    match signal {
        "traces" => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        "logs" => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        "metrics" => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        "profiles" => {
            "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export"
        }
        _ => "/nobody.knows.This/Method",
    }
}

/// Writes bytes to a socket and reads until it is closed.
pub(crate) async fn raw(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    // The peer may close before it has read everything.
    let _ = stream.write_all(bytes).await;
    let mut reply = Vec::new();
    let read = stream.read_to_end(&mut reply);
    let _ = tokio::time::timeout(PATIENCE, read)
        .await
        .expect("the socket is closed");
    reply
}

/// The status of a raw HTTP/1 reply; 0 where there is none.
pub(crate) fn status_of(reply: &[u8]) -> u16 {
    let text = String::from_utf8_lossy(reply);
    let line = text.strip_prefix("HTTP/1.");
    let status = line.and_then(|line| line.get(2..5));
    status.and_then(|status| status.parse().ok()).unwrap_or(0)
}
