//! The routes of the browser host.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router, middleware};
use futures_util::Stream;
use futures_util::stream;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;

use super::gate::{self, Gate};
use super::{Shared, next_topics, stopping};
use crate::api::{self, OpenFiles, Reply};
use crate::error::{Error, ErrorCode};
use crate::event::Topic;

/// Largest parameters of a command in bytes.
const PARAMS_LIMIT: usize = 1024 * 1024;
/// How often a quiet event stream shows that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// One route: its method, its path in axum's notation, what answers it.
pub struct Route {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The path; `{…}` stands for a part of it.
    pub path: &'static str,
    handler: fn() -> MethodRouter<Shared>,
}

/// Every route. There is none beside these, and all of them lie behind the gate.
pub const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        path: "/api/{command}",
        handler: || post(call).layer(DefaultBodyLimit::max(PARAMS_LIMIT)),
    },
    Route {
        method: "GET",
        path: "/events",
        handler: || get(events),
    },
    Route {
        method: "POST",
        path: "/files",
        handler: || post(give_file).layer(DefaultBodyLimit::disable()),
    },
    Route {
        method: "POST",
        path: "/link",
        handler: || post(link).layer(DefaultBodyLimit::max(PARAMS_LIMIT)),
    },
    Route {
        method: "GET",
        path: "/",
        handler: || get(index),
    },
    Route {
        method: "GET",
        path: "/{*path}",
        handler: || get(asset),
    },
];

pub(super) fn router(shared: Shared, gate: Arc<Gate>) -> Router {
    ROUTES
        .iter()
        .fold(Router::new(), |router, route| {
            router.route(route.path, (route.handler)())
        })
        .layer(middleware::from_fn_with_state(gate, gate::pass))
        .with_state(shared)
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = match self.code {
            ErrorCode::BadRequest => StatusCode::BAD_REQUEST,
            ErrorCode::UnknownCommand | ErrorCode::NotFound => StatusCode::NOT_FOUND,
            ErrorCode::Busy => StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::Io | ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let busy = self.code == ErrorCode::Busy;
        let mut response = (status, Json(self)).into_response();
        if busy {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// The answer to a body of another type than `wanted`. A form could be sent by any page without asking first; these
/// types cannot.
fn wrong_type(headers: &HeaderMap, wanted: &str) -> Option<Response> {
    let stated = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    if stated.is_some_and(|stated| stated.eq_ignore_ascii_case(wanted)) {
        return None;
    }
    let error = Error::new(
        ErrorCode::BadRequest,
        format!("the content type must be {wanted}"),
    );
    Some((StatusCode::UNSUPPORTED_MEDIA_TYPE, Json(error)).into_response())
}

async fn call(
    State(shared): State<Shared>,
    Path(command): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refusal) = wrong_type(&headers, "application/json") {
        return refusal;
    }
    let uploads = Arc::clone(&shared.uploads);
    let opened = (command == "open_files")
        .then(|| serde_json::from_slice::<OpenFiles>(&body).ok())
        .flatten();
    // A task of its own: a client that leaves must not cut a command short, and a panic costs one answer.
    let answer =
        tokio::spawn(async move { api::dispatch(&shared.engine, &command, &body).await }).await;
    if let Some(opened) = opened {
        uploads.forget(&opened.tokens);
    }
    match answer {
        Ok(Ok(Reply::Json(bytes))) => ([(CONTENT_TYPE, "application/json")], bytes).into_response(),
        Ok(Ok(Reply::Packed(bytes))) => {
            ([(CONTENT_TYPE, "application/octet-stream")], bytes).into_response()
        }
        Ok(Err(error)) => error.into_response(),
        Err(_) => Error::internal("the command panicked; the log says where").into_response(),
    }
}

/// A code for a link that a browser is started with.
async fn link(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    if let Some(refusal) = wrong_type(&headers, "application/json") {
        return refusal;
    }
    Json(serde_json::json!({ "code": shared.gate.code() })).into_response()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileName {
    name: String,
    /// The whole path of the file that was read, where the sender knows it.
    path: Option<String>,
}

async fn give_file(
    State(shared): State<Shared>,
    Query(FileName { name, path }): Query<FileName>,
    request: Request,
) -> Response {
    if let Some(refusal) = wrong_type(request.headers(), "application/octet-stream") {
        return refusal;
    }
    let received = shared
        .uploads
        .receive(&shared.engine, &name, path, request.into_body());
    match received.await {
        Ok(token) => Json(serde_json::json!({ "token": token })).into_response(),
        Err(error) => error.into_response(),
    }
}

/// The stream of stale topics: one JSON array a message.
async fn events(
    State(shared): State<Shared>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let missed = headers.contains_key("last-event-id");
    let first = if missed {
        Topic::ALL.to_vec()
    } else {
        Vec::new()
    };
    let state = (shared.engine.subscribe(), shared.stop.clone(), first, 0u64);
    let messages = stream::unfold(state, |(mut topics, mut stop, pending, id)| async move {
        let stale = if pending.is_empty() {
            {
                tokio::select! {
                    stale = next_topics(&mut topics) => stale?,
                    () = stopping(&mut stop) => return None,
                }
            }
        } else {
            pending
        };
        // An id makes the browser say `Last-Event-ID` when it comes back after a break.
        let event = Event::default()
            .id(id.to_string())
            .data(serde_json::to_string(&stale).ok()?);
        Some((Ok(event), (topics, stop, Vec::new(), id.wrapping_add(1))))
    });
    Sse::new(messages).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

async fn index(State(shared): State<Shared>) -> Response {
    file(&shared, "index.html")
}

async fn asset(State(shared): State<Shared>, Path(path): Path<String>) -> Response {
    file(&shared, &path)
}

fn file(shared: &Shared, path: &str) -> Response {
    match (shared.assets)(path) {
        Some(bytes) => ([(CONTENT_TYPE, media_type(path))], bytes).into_response(),
        None => (
            StatusCode::NOT_FOUND,
            [(CONTENT_TYPE, "text/plain; charset=utf-8")],
            "There is no such page.\n",
        )
            .into_response(),
    }
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
