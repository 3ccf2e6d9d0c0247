//! Replies: OTLP's success, partial success and failure, in the form that the request came in (otlp.md §2, §6).

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use clew_core::otlp::{Encoding, Problem, Refusal, Signal};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use opentelemetry_proto::tonic::collector::{logs, metrics, trace};
use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::grpc;
use crate::ingest::Refused;

/// How a request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// gRPC: always HTTP 200, the outcome in trailers.
    Grpc,
    /// HTTP, with bodies in the request's encoding.
    Http(Encoding),
}

/// Why a request was not taken, and what its sender can do.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    code: Code,
    http: StatusCode,
    /// What is wrong, for the sender and the Connect page; never content.
    pub(super) message: String,
    /// What to do about it.
    pub(super) fix: String,
    /// A few words under which refused requests are counted.
    pub(super) reason: &'static str,
    /// After how long to send again; `None` where the same request would fail again.
    retry: Option<Duration>,
}

impl Failure {
    fn new(
        (code, http): (Code, StatusCode),
        reason: &'static str,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            code,
            http,
            message: message.into(),
            fix: fix.into(),
            reason,
            retry: None,
        }
    }

    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::new(
            (Code::InvalidArgument, StatusCode::BAD_REQUEST),
            "malformed",
            message,
            "check that the exporter's protocol is what its Content-Type says, and that nothing in between rewrites it",
        )
    }

    pub(super) fn too_large(message: impl Into<String>) -> Self {
        Self::new(
            (Code::ResourceExhausted, StatusCode::PAYLOAD_TOO_LARGE),
            "too large",
            message,
            "send smaller batches: OTEL_BSP_MAX_EXPORT_BATCH_SIZE sets spans a request",
        )
    }

    pub(super) fn unknown_path(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(
            (Code::Unimplemented, StatusCode::NOT_FOUND),
            "unknown path",
            message,
            fix,
        )
    }

    pub(super) fn wrong_method() -> Self {
        Self::new(
            (Code::Unimplemented, StatusCode::METHOD_NOT_ALLOWED),
            "wrong method",
            "OTLP is sent by POST",
            "point an OTLP exporter here; to look at traces open Clew's own address",
        )
    }

    pub(super) fn long_path() -> Self {
        Self::new(
            (Code::InvalidArgument, StatusCode::URI_TOO_LONG),
            "unknown path",
            "the URL is too long",
            "the paths are /v1/traces, /v1/logs and /v1/metrics",
        )
    }

    pub(super) fn unsupported(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(
            (Code::Unimplemented, StatusCode::UNSUPPORTED_MEDIA_TYPE),
            "unsupported encoding",
            message,
            fix,
        )
    }

    pub(super) fn forbidden(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(
            (Code::PermissionDenied, StatusCode::FORBIDDEN),
            "forbidden",
            message,
            fix,
        )
    }

    pub(super) fn unauthenticated() -> Self {
        Self::new(
            (Code::Unauthenticated, StatusCode::UNAUTHORIZED),
            "no ingest key",
            "the request carries no or another ingest key",
            "set OTEL_EXPORTER_OTLP_HEADERS to x-clew-key=<the key>",
        )
    }

    pub(super) fn timed_out(message: impl Into<String>) -> Self {
        Self::new(
            (Code::DeadlineExceeded, StatusCode::REQUEST_TIMEOUT),
            "timed out",
            message,
            "check the connection between exporter and Clew",
        )
    }

    /// More bytes are being received than may be in memory at once.
    pub(super) fn crowded() -> Self {
        Self::new(
            (Code::Unavailable, StatusCode::TOO_MANY_REQUESTS),
            "busy",
            "too many bytes are being received at once: send again",
            "the exporter sends again by itself; nothing to do unless this lasts",
        )
        .retry_after(Duration::from_secs(1))
    }

    pub(super) fn internal() -> Self {
        Self::new(
            (Code::Internal, StatusCode::INTERNAL_SERVER_ERROR),
            "defect",
            "Clew failed to take the request; this is a defect of Clew",
            "the log of Clew says more",
        )
    }

    /// The HTTP status that says so.
    #[cfg(test)]
    pub(super) fn status(&self) -> StatusCode {
        self.http
    }

    fn retry_after(mut self, wait: Duration) -> Self {
        self.retry = Some(wait.clamp(Duration::from_secs(1), Duration::from_secs(60)));
        self
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        let message = refused.to_string();
        let (http, reason, wait, fix) = match refused {
            Refused::Busy(wait) => (
                StatusCode::TOO_MANY_REQUESTS,
                "busy",
                wait,
                "the exporter sends again by itself; nothing to do unless this lasts",
            ),
            Refused::Unavailable(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "storage unavailable",
                Duration::from_secs(5),
                "see Clew's status for the disk or database; the exporter sends again by itself",
            ),
            Refused::ShuttingDown => (
                StatusCode::SERVICE_UNAVAILABLE,
                "shutting down",
                Duration::from_secs(5),
                "start Clew again",
            ),
        };
        Self::new((Code::Unavailable, http), reason, message, fix).retry_after(wait)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Malformed(_) => Self::malformed(refusal.to_string()),
            Refusal::TooMany { .. } => Self::too_large(refusal.to_string()),
        }
    }
}

/// A whole body, perhaps with trailers behind it.
#[derive(Debug, Default)]
pub(super) struct ReplyBody {
    data: Full<Bytes>,
    trailers: Option<HeaderMap>,
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match Pin::new(&mut self.data).poll_frame(context) {
            Poll::Ready(None) => Poll::Ready(self.trailers.take().map(Frame::trailers).map(Ok)),
            other => other,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_end_stream() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.data.size_hint()
    }
}

/// The reply to a request that was stored, except for what `problems` says.
pub(super) fn success(form: Form, signal: Signal, problems: &[Problem]) -> Response<ReplyBody> {
    let partial = partial_success(problems);
    match form {
        Form::Grpc => {
            let message = protobuf(signal, partial);
            let mut framed = BytesMut::with_capacity(message.len().saturating_add(5));
            framed.put_u8(0);
            framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
            framed.put_slice(&message);
            let mut response = Response::new(ReplyBody {
                data: Full::new(framed.freeze()),
                trailers: Some(HeaderMap::from_iter([(
                    http::HeaderName::from_static("grpc-status"),
                    HeaderValue::from_static("0"),
                )])),
            });
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, grpc::CONTENT_TYPE);
            headers.insert("grpc-accept-encoding", grpc::ACCEPTED);
            response
        }
        Form::Http(Encoding::Protobuf) => http_reply(
            StatusCode::OK,
            Encoding::Protobuf,
            protobuf(signal, partial),
        ),
        Form::Http(Encoding::Json) => {
            let body = match partial {
                None => serde_json::json!({}),
                Some((rejected, message)) => {
                    let field = match signal {
                        Signal::Traces => "rejectedSpans",
                        Signal::Logs => "rejectedLogRecords",
                        Signal::Metrics => "rejectedDataPoints",
                    };
                    // Protobuf's JSON writes 64-bit integers as strings.
                    serde_json::json!({
                        "partialSuccess": { field: rejected.to_string(), "errorMessage": message }
                    })
                }
            };
            http_reply(StatusCode::OK, Encoding::Json, body.to_string().into())
        }
    }
}

fn protobuf(signal: Signal, partial: Option<(i64, String)>) -> Bytes {
    match signal {
        Signal::Traces => trace::v1::ExportTraceServiceResponse {
            partial_success: partial.map(|(rejected_spans, error_message)| {
                trace::v1::ExportTracePartialSuccess {
                    rejected_spans,
                    error_message,
                }
            }),
        }
        .encode_to_vec(),
        Signal::Logs => logs::v1::ExportLogsServiceResponse {
            partial_success: partial.map(|(rejected_log_records, error_message)| {
                logs::v1::ExportLogsPartialSuccess {
                    rejected_log_records,
                    error_message,
                }
            }),
        }
        .encode_to_vec(),
        Signal::Metrics => metrics::v1::ExportMetricsServiceResponse {
            partial_success: partial.map(|(rejected_data_points, error_message)| {
                metrics::v1::ExportMetricsPartialSuccess {
                    rejected_data_points,
                    error_message,
                }
            }),
        }
        .encode_to_vec(),
    }
    .into()
}

/// How many items were rejected, and why in words: up to five reasons, each with its count and its first item.
/// Items that were kept repaired make a warning with nothing rejected.
fn partial_success(problems: &[Problem]) -> Option<(i64, String)> {
    const REASONS: usize = 5;
    if problems.is_empty() {
        return None;
    }
    let mut reasons: Vec<(&Problem, u64)> = Vec::new();
    let mut others: u64 = 0;
    for problem in problems {
        let known = reasons.iter().position(|(first, _)| {
            first.rejected == problem.rejected && first.reason == problem.reason
        });
        match known {
            Some(position) => reasons[position].1 = reasons[position].1.saturating_add(1),
            None if reasons.len() < REASONS => reasons.push((problem, 1)),
            None => others = others.saturating_add(1),
        }
    }
    let mut message = reasons
        .iter()
        .map(|(first, count)| {
            let act = if first.rejected {
                "rejected"
            } else {
                "repaired"
            };
            format!("{count} {act}: {} (first: {})", first.reason, first.item)
        })
        .collect::<Vec<_>>()
        .join("; ");
    if others > 0 {
        message.push_str(&format!("; {others} more for other reasons"));
    }
    let rejected = problems.iter().filter(|problem| problem.rejected).count();
    Some((i64::try_from(rejected).unwrap_or(i64::MAX), message))
}

/// The reply to a request of which nothing was taken: `google.rpc.Status` in the request's encoding, or gRPC trailers.
pub(super) fn failure(form: Form, failure: &Failure) -> Response<ReplyBody> {
    let status = status(failure);
    let encoding = match form {
        Form::Grpc => {
            let mut response = status.into_http::<ReplyBody>();
            response
                .headers_mut()
                .insert("grpc-accept-encoding", grpc::ACCEPTED);
            return response;
        }
        Form::Http(encoding) => encoding,
    };
    let body = match encoding {
        // Where there are details, gRPC's are the whole `google.rpc.Status`, as protobuf.
        Encoding::Protobuf if !status.details().is_empty() => {
            Bytes::copy_from_slice(status.details())
        }
        Encoding::Protobuf => tonic_types::Status {
            code: i32::from(failure.code),
            message: status.message().to_owned(),
            details: Vec::new(),
        }
        .encode_to_vec()
        .into(),
        Encoding::Json => json_status(failure, status.message()).into(),
    };
    let mut response = http_reply(failure.http, encoding, body);
    let headers = response.headers_mut();
    if let Some(wait) = failure.retry {
        // Whole seconds, rounded up: earlier is too early.
        let seconds = wait.as_millis().div_ceil(1_000);
        headers.insert(
            header::RETRY_AFTER,
            HeaderValue::from(u64::try_from(seconds).unwrap_or(u64::MAX)),
        );
    }
    match failure.http {
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(header::ALLOW, HeaderValue::from_static("POST, OPTIONS"));
        }
        StatusCode::REQUEST_TIMEOUT => {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    response
}

/// What both gRPC and HTTP say of a failure: code, words, and how long to wait where sending again helps.
fn status(failure: &Failure) -> Status {
    let message = format!("{}: {}", failure.message, failure.fix);
    match failure.retry {
        Some(wait) => Status::with_error_details(
            failure.code,
            message,
            ErrorDetails::with_retry_info(Some(wait)),
        ),
        None => Status::new(failure.code, message),
    }
}

/// `google.rpc.Status` in protobuf's JSON mapping: an `Any` names its type, a duration is seconds with an `s`.
fn json_status(failure: &Failure, message: &str) -> String {
    let code = i32::from(failure.code);
    match failure.retry {
        None => serde_json::json!({ "code": code, "message": message }),
        Some(wait) => serde_json::json!({
            "code": code,
            "message": message,
            "details": [{
                "@type": "type.googleapis.com/google.rpc.RetryInfo",
                "retryDelay": format!("{}s", wait.as_secs_f64()),
            }],
        }),
    }
    .to_string()
}

fn http_reply(status: StatusCode, encoding: Encoding, body: Bytes) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody {
        data: Full::new(body),
        trailers: None,
    });
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(match encoding {
            Encoding::Protobuf => "application/x-protobuf",
            Encoding::Json => "application/json",
        }),
    );
    response
}

/// The reply without a body.
pub(super) fn no_content() -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(reason: &str, rejected: bool) -> Problem {
        Problem {
            item: "span 3 of scope `a`".to_owned(),
            reason: reason.to_owned(),
            rejected,
        }
    }

    #[test]
    fn partial_success_is_unset_when_all_is_well() {
        assert_eq!(partial_success(&[]), None);
    }

    #[test]
    fn partial_success_counts_the_rejected_and_names_reasons() {
        let problems = [
            problem("trace id has 2 bytes, not 16", true),
            problem("trace id has 2 bytes, not 16", true),
            problem("a name is not UTF-8", false),
        ];
        let (rejected, message) = partial_success(&problems).expect("problems");
        assert_eq!(rejected, 2);
        assert_eq!(
            message,
            "2 rejected: trace id has 2 bytes, not 16 (first: span 3 of scope `a`); \
             1 repaired: a name is not UTF-8 (first: span 3 of scope `a`)"
        );
        let warning = partial_success(&problems[2..]).expect("a problem");
        assert_eq!(warning.0, 0);
        assert!(!warning.1.is_empty());
    }

    #[test]
    fn a_thousand_reasons_stay_short() {
        let problems: Vec<_> = (0..1_000)
            .map(|n| problem(&format!("reason {n}"), true))
            .collect();
        let (rejected, message) = partial_success(&problems).expect("problems");
        assert_eq!(rejected, 1_000);
        assert!(
            message.ends_with("; 995 more for other reasons"),
            "{message}"
        );
    }

    #[test]
    fn only_a_passing_trouble_may_be_retried() {
        let busy = Failure::from(Refused::Busy(Duration::from_millis(1_500)));
        let response = failure(Form::Http(Encoding::Json), &busy);
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["retry-after"], "2");
        assert_eq!(
            json_status(&busy, "busy"),
            r#"{"code":14,"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.5s"}],"message":"busy"}"#
        );
        let response = failure(Form::Grpc, &busy);
        assert_eq!(response.headers()["grpc-status"], "14");
        assert!(response.headers().contains_key("grpc-status-details-bin"));

        let large = Failure::too_large("the request is over 64 MiB");
        let response = failure(Form::Grpc, &large);
        assert_eq!(response.headers()["grpc-status"], "8");
        assert!(!response.headers().contains_key("grpc-status-details-bin"));
        let response = failure(Form::Http(Encoding::Protobuf), &large);
        assert_eq!(response.status(), 413);
        assert!(!response.headers().contains_key("retry-after"));
        assert!(!json_status(&large, "large").contains("details"));
    }

    #[tokio::test]
    async fn the_protobuf_body_says_how_long_to_wait() {
        use http_body_util::BodyExt as _;

        let busy = Failure::from(Refused::Busy(Duration::from_millis(1_500)));
        let response = failure(Form::Http(Encoding::Protobuf), &busy);
        let body = response.into_body().collect().await.expect("a body");
        let status = tonic_types::Status::decode(body.to_bytes()).expect("a google.rpc.Status");
        assert_eq!(status.code, 14);
        assert!(status.message.starts_with("the writer is behind"));
        let [detail] = &status.details[..] else {
            panic!("one detail: {:?}", status.details);
        };
        assert_eq!(detail.type_url, "type.googleapis.com/google.rpc.RetryInfo");
        // Field 1, a Duration of one second and half a billion nanoseconds.
        assert_eq!(detail.value, b"\x0a\x08\x08\x01\x10\x80\xca\xb5\xee\x01");
    }
}
