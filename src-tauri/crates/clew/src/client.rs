//! Speaks to the Clew that runs, over loopback.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use clew_engine::api::Reply;
use clew_engine::instance::Instance;
use clew_engine::{Error, ErrorCode};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::BoxBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;

type Body = BoxBody<Bytes, std::io::Error>;

/// Time for loopback to answer a connection.
const CONNECT: Duration = Duration::from_secs(2);
/// Bytes of a file sent at a time.
const CHUNK: usize = 256 * 1024;

/// The API of a running Clew.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    instance: Instance,
}

#[derive(Debug, Deserialize)]
struct Failure {
    code: ErrorCode,
    message: String,
}

#[derive(Debug, Deserialize)]
struct Given {
    token: String,
}

#[derive(Debug, Deserialize)]
struct Coded {
    code: String,
}

impl Client {
    /// Finds the running Clew of a database and makes sure that it answers.
    pub(crate) async fn find(database: &Path) -> Option<Self> {
        let client = Self {
            instance: Instance::find(database)?,
        };
        match client.call("get_status", b"{}".to_vec()).await {
            Ok(_) => Some(client),
            Err(error) => {
                tracing::warn!("instance.json names a Clew that does not answer: {error}");
                None
            }
        }
    }

    /// Where it is.
    pub(crate) fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Asks a command; `params` is JSON.
    pub(crate) async fn call(&self, name: &str, params: Vec<u8>) -> Result<Reply, Error> {
        let request = self
            .request(&format!("/api/{name}"), "application/json")
            .body(Full::new(Bytes::from(params)).map_err(never).boxed())
            .map_err(Error::internal)?;
        let response = send(&self.instance.ui, request).await?;
        let status = response.status();
        let packed = response
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind == "application/octet-stream");
        let bytes = read(response).await?;
        match (status, packed) {
            (StatusCode::OK, true) => Ok(Reply::Packed(bytes)),
            (StatusCode::OK, false) => Ok(Reply::Json(bytes)),
            _ => Err(failure(status, &bytes)),
        }
    }

    /// Hands a file over; returns the token that names it.
    pub(crate) async fn give_file(&self, path: &Path) -> anyhow::Result<String> {
        let cannot = || format!("cannot read {}", path.display());
        let file = tokio::fs::File::open(path).await.with_context(cannot)?;
        let kind = file.metadata().await.with_context(cannot)?;
        anyhow::ensure!(kind.is_file(), "{} is not a file", path.display());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Opened again, in whatever way, it is the same source.
        let origin = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let (name, origin) = (percent(&name), percent(&origin.to_string_lossy()));
        let request = self
            .request(
                &format!("/files?name={name}&path={origin}"),
                "application/octet-stream",
            )
            .body(StreamBody::new(chunks(file)).boxed())?;
        let response = send(&self.instance.ui, request).await?;
        let status = response.status();
        let bytes = read(response).await?;
        if status != StatusCode::OK {
            return Err(failure(status, &bytes).into());
        }
        Ok(serde_json::from_slice::<Given>(&bytes)?.token)
    }

    /// A code that opens one page once: for a link that stands in the arguments of a browser.
    pub(crate) async fn code(&self) -> anyhow::Result<String> {
        let request = self
            .request("/link", "application/json")
            .body(Full::new(Bytes::from_static(b"{}")).map_err(never).boxed())?;
        let response = send(&self.instance.ui, request).await?;
        let status = response.status();
        let bytes = read(response).await?;
        if status != StatusCode::OK {
            return Err(failure(status, &bytes).into());
        }
        Ok(serde_json::from_slice::<Coded>(&bytes)?.code)
    }

    fn request(&self, path: &str, kind: &str) -> http::request::Builder {
        Request::post(path)
            .header(HOST, &self.instance.ui)
            .header(AUTHORIZATION, format!("Bearer {}", self.instance.token))
            .header(CONTENT_TYPE, kind)
    }
}

/// Posts `body` to an address of this machine; returns status and text of the answer.
pub(crate) async fn post(
    address: &str,
    path: &str,
    kind: &str,
    key: Option<&str>,
    body: Vec<u8>,
) -> Result<(StatusCode, Vec<u8>), Error> {
    let mut request = Request::post(path)
        .header(HOST, address)
        .header(CONTENT_TYPE, kind);
    if let Some(key) = key {
        request = request.header("x-clew-key", key);
    }
    let request = request
        .body(Full::new(Bytes::from(body)).map_err(never).boxed())
        .map_err(Error::internal)?;
    let response = send(address, request).await?;
    let status = response.status();
    Ok((status, read(response).await?))
}

async fn send(address: &str, request: Request<Body>) -> Result<Response<Incoming>, Error> {
    let failed = |error: &dyn std::fmt::Display| {
        Error::new(
            ErrorCode::Io,
            format!("cannot reach Clew at {address}: {error}"),
        )
    };
    let stream = tokio::time::timeout(CONNECT, TcpStream::connect(address))
        .await
        .map_err(|_| failed(&"no answer within 2 s"))?
        .map_err(|error| failed(&error))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| failed(&error))?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!("the connection to Clew broke: {error}");
        }
    });
    sender
        .send_request(request)
        .await
        .map_err(|error| failed(&error))
}

async fn read(response: Response<Incoming>) -> Result<Vec<u8>, Error> {
    let body = response.into_body().collect().await.map_err(|error| {
        Error::new(ErrorCode::Io, format!("cannot read Clew's answer: {error}"))
    })?;
    Ok(body.to_bytes().to_vec())
}

fn failure(status: StatusCode, body: &[u8]) -> Error {
    serde_json::from_slice::<Failure>(body).map_or_else(
        |_| Error::new(ErrorCode::Io, format!("Clew answered {status}")),
        |failure| Error::new(failure.code, failure.message),
    )
}

fn never(never: std::convert::Infallible) -> std::io::Error {
    match never {}
}

fn chunks(
    file: tokio::fs::File,
) -> impl futures_util::Stream<Item = std::io::Result<Frame<Bytes>>> + Send + Sync + 'static {
    futures_util::stream::try_unfold(file, |mut file| async move {
        use tokio::io::AsyncReadExt as _;

        let mut chunk = bytes::BytesMut::with_capacity(CHUNK);
        let read = file.read_buf(&mut chunk).await?;
        Ok((read > 0).then(|| (Frame::data(chunk.freeze()), file)))
    })
}

/// Percent-encodes everything but letters, digits and `-._~`.
pub(crate) fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
