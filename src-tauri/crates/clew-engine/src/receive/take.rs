//! One request from its head to its reply: gates, body, decoding, commit.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use clew_core::otlp::{self, Encoding, Limits, Problem, Signal};
use http::request::Parts;
use http::{Method, Request, Response, Version, header};
use hyper::body::Body;
use tokio::sync::OwnedSemaphorePermit;

use super::body::{Budget, Held, Intake};
use super::gate::{self, AllowedHosts, Origin};
use super::inflate::{Compression, inflate};
use super::reply::{self, Failure, Form, ReplyBody};
use super::route::{self, Route};
use super::{cors, grpc, http as form};
use crate::census::{Census, Delivery, Manifest};
use crate::ingest::Ingest;

/// Largest request after decompression, in bytes: 64 MiB, as OTLP recommends (otlp.md §3).
const LIMIT: usize = 64 * 1024 * 1024;
/// Longest path that is looked at, in bytes.
const LONGEST_PATH: usize = 8 * 1024;
/// Bodies from this size on are decoded off the async threads, in bytes.
const LARGE: usize = 64 * 1024;

/// What takes requests, shared by all connections.
#[derive(Debug)]
pub(super) struct Receiver {
    pub(super) ingest: Ingest,
    pub(super) census: Arc<Census>,
    pub(super) key: Option<String>,
    pub(super) allowed: AllowedHosts,
    pub(super) budget: Budget,
}

/// A body that has arrived, and what its head says of it.
struct Parcel {
    signal: Signal,
    encoding: Encoding,
    compression: Option<Compression>,
    body: Bytes,
    /// The body's share of the budget, kept until the commit.
    reserved: Option<OwnedSemaphorePermit>,
    delivery: Delivery,
}

impl Receiver {
    /// Answers one request. Dropping the future (the client has gone) stops reading, never a commit.
    pub(super) async fn answer<B>(
        self: &Arc<Self>,
        request: Request<B>,
        peer: IpAddr,
    ) -> Response<ReplyBody>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let (head, body) = request.into_parts();
        let call = head.version == Version::HTTP_2 && grpc::is_call(&head.headers);
        let form = if call {
            Form::Grpc
        } else {
            Form::Http(form::encoding(&head.headers).unwrap_or(Encoding::Json))
        };
        let route = if call {
            route::of_method(head.uri.path())
        } else {
            route::of_path(head.uri.path())
        };
        let origin = gate::origin(&head.headers);
        let mut intake = Intake::new(body, head.headers.contains_key(header::EXPECT));
        let taken = self.take(&head, form, route, &origin, &mut intake, peer);
        let mut response = match taken.await {
            Ok(response) => response,
            Err(failure) => {
                self.note(&head.method, &failure, peer);
                intake.drain().await;
                reply::failure(form, &failure)
            }
        };
        if route != Route::Unknown && !response.headers().contains_key(header::VARY) {
            cors::allow(&origin, response.headers_mut());
        }
        if head.method == Method::HEAD {
            *response.body_mut() = ReplyBody::default();
        }
        response
    }

    async fn take<B>(
        self: &Arc<Self>,
        head: &Parts,
        form: Form,
        route: Route,
        origin: &Origin,
        intake: &mut Intake<B>,
        peer: IpAddr,
    ) -> Result<Response<ReplyBody>, Failure>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let path = head.uri.path();
        if path.len() > LONGEST_PATH {
            return Err(Failure::long_path());
        }
        gate::check(head, origin, self.key.as_deref(), &self.allowed)?;
        let signal = match route {
            Route::Otlp(signal) => signal,
            Route::Profiles => {
                return Err(Failure::unknown_path(
                    "Clew takes traces, logs and metrics, not profiles",
                    "switch the profiles exporter off (OTEL_PROFILES_EXPORTER=none)",
                ));
            }
            Route::Unknown => return Err(unknown(form, path)),
        };
        if form != Form::Grpc && head.method == Method::OPTIONS {
            return Ok(cors::preflight(origin, &head.headers));
        }
        if head.method != Method::POST {
            return Err(Failure::wrong_method());
        }
        let (encoding, compression, transport) = if form == Form::Grpc {
            grpc::check_format(&head.headers)?;
            let compression = grpc::compression(&head.headers)?;
            (Encoding::Protobuf, compression, "gRPC")
        } else {
            let encoding = form::encoding(&head.headers).ok_or_else(form::unknown_encoding)?;
            let transport = match encoding {
                Encoding::Protobuf => "HTTP/protobuf",
                Encoding::Json => "HTTP/JSON",
            };
            (encoding, form::compression(&head.headers)?, transport)
        };
        self.ingest.ready()?;
        let (body, compression, reserved) = if form == Form::Grpc {
            let held = intake.read(LIMIT + grpc::PREFIX, &self.budget).await?;
            let (body, reserved) = held.into_parts();
            let (message, compression) = grpc::message(body, compression)?;
            (message, compression, reserved)
        } else {
            let (body, reserved) = intake.read(LIMIT, &self.budget).await?.into_parts();
            (body, compression, reserved)
        };
        let user_agent = head.headers.get(header::USER_AGENT);
        let key = self.key.as_deref();
        let delivery = Delivery {
            transport,
            user_agent: user_agent
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned(),
            peer,
            authenticated: key.is_some_and(|key| gate::carries(&head.headers, key)),
        };
        let parcel = Parcel {
            signal,
            encoding,
            compression,
            body,
            reserved,
            delivery,
        };
        let deadline = match form {
            Form::Grpc => grpc::timeout(&head.headers),
            Form::Http(_) => None,
        };
        let problems = self.deliver(parcel, deadline).await?;
        Ok(reply::success(form, signal, &problems))
    }

    /// Decodes and commits in a task of its own, so that a client that goes away cancels neither.
    async fn deliver(
        self: &Arc<Self>,
        parcel: Parcel,
        deadline: Option<Duration>,
    ) -> Result<Vec<Problem>, Failure> {
        let receiver = Arc::clone(self);
        let task = tokio::spawn(async move { receiver.store(parcel).await });
        let outcome = match deadline {
            None => task.await,
            Some(deadline) => match tokio::time::timeout(deadline, task).await {
                Ok(outcome) => outcome,
                Err(_) => {
                    return Err(Failure::timed_out(
                        "the client's deadline passed before the commit",
                    ));
                }
            },
        };
        outcome.unwrap_or_else(|panic| {
            tracing::error!(%panic, "a request could not be stored");
            Err(Failure::internal())
        })
    }

    async fn store(&self, parcel: Parcel) -> Result<Vec<Problem>, Failure> {
        let delivery = parcel.delivery.clone();
        let budget = self.budget.clone();
        let unpacked = if parcel.compression.is_some() || parcel.body.len() >= LARGE {
            tokio::task::spawn_blocking(move || unpack(parcel, &budget))
                .await
                .map_err(|panic| {
                    tracing::error!(%panic, "a request could not be decoded");
                    Failure::internal()
                })?
        } else {
            unpack(parcel, &budget)
        };
        let Unpacked {
            batch,
            problems,
            manifest,
            reserved,
        } = unpacked?;
        if !manifest.is_empty() {
            let committed = self.ingest.commit(0, batch).await?;
            self.census.received(now(), &delivery, manifest, committed);
        }
        // Not before: what was not taken is sent again.
        for problem in problems.iter().filter(|problem| problem.rejected) {
            self.census.refused_items(&problem.reason, 1);
        }
        drop(reserved);
        Ok(problems)
    }

    /// Shows a failure on the Connect page; a browser that looks around is none.
    fn note(&self, method: &Method, failure: &Failure, peer: IpAddr) {
        if ![Method::POST, Method::OPTIONS].contains(method) {
            return;
        }
        self.census.refused_items(failure.reason, 1);
        let peer = peer.to_canonical();
        let what = if peer.is_loopback() {
            failure.message.clone()
        } else {
            format!("{} (from {peer})", failure.message)
        };
        self.census.problem(now(), &what, &failure.fix);
    }
}

fn unknown(form: Form, path: &str) -> Failure {
    // What a mistyped address shows is its end; the rest may hold anything.
    let shown: String = path.chars().take(80).collect();
    if form == Form::Grpc {
        Failure::unknown_path(
            format!("there is no gRPC method {shown:?}"),
            "Clew takes Export of OTLP's TraceService, LogsService and MetricsService",
        )
    } else {
        Failure::unknown_path(
            format!("{shown:?} is not a path of OTLP"),
            route::hint(path),
        )
    }
}

struct Unpacked {
    batch: otlp::Batch,
    problems: Vec<Problem>,
    manifest: Manifest,
    reserved: Option<OwnedSemaphorePermit>,
}

fn unpack(parcel: Parcel, budget: &Budget) -> Result<Unpacked, Failure> {
    let (body, reserved) = match parcel.compression {
        None => (parcel.body, parcel.reserved),
        // What is compressed goes, with its reservation, when this arm ends.
        Some(compression) => {
            inflate(compression, &parcel.body, LIMIT, budget).map(Held::into_parts)?
        }
    };
    let (batch, problems) = if body.is_empty() {
        (otlp::Batch::default(), Vec::new())
    } else {
        otlp::decode(parcel.signal, parcel.encoding, &body, &Limits::default())?
    };
    Ok(Unpacked {
        manifest: Manifest::of(&batch),
        batch,
        problems,
        reserved,
    })
}

/// Microseconds since the epoch.
pub(super) fn now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |time| {
            u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
        })
}
