//! What browsers ask before a page on this machine may post, and what they must read in replies (reliability.md S4).
//!
//! Deliberately absent: credentials, `*`, and these headers on anything but the OTLP paths.

use http::{HeaderMap, HeaderName, HeaderValue, Response, header};

use super::gate::Origin;
use super::reply::{ReplyBody, no_content};

/// Headers that exporters in browsers send, where a preflight does not name them.
const HEADERS: HeaderValue = HeaderValue::from_static(
    "content-type, content-encoding, x-clew-key, authorization, traceparent, tracestate, baggage",
);

/// The reply to `OPTIONS`. The page's origin has been checked; without one it is a plain question for the methods.
pub(super) fn preflight(origin: &Origin, request: &HeaderMap) -> Response<ReplyBody> {
    let mut response = no_content();
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static("POST, OPTIONS"));
    if let Origin::Loopback(_) = origin {
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("POST"),
        );
        let asked = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            asked
                .filter(|names| are_names(names))
                .cloned()
                .unwrap_or(HEADERS),
        );
        headers.insert(
            header::ACCESS_CONTROL_MAX_AGE,
            HeaderValue::from_static("600"),
        );
    }
    allow(origin, headers);
    response
}

/// Lets the page read a reply.
pub(super) fn allow(origin: &Origin, headers: &mut HeaderMap) {
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Origin::Loopback(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("retry-after"),
        );
    }
}

/// Whether the value is a list of header names, and so safe to send back. `*` is a header name to HTTP but a wildcard
/// here.
fn are_names(value: &HeaderValue) -> bool {
    value.len() <= 1_024
        && value.as_bytes().split(|byte| *byte == b',').all(|name| {
            let name = name.trim_ascii();
            !name.contains(&b'*') && HeaderName::from_bytes(name).is_ok()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(names: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(
            header::ACCESS_CONTROL_REQUEST_HEADERS,
            HeaderValue::from_static(names),
        )])
    }

    #[test]
    fn a_page_of_this_machine_is_told_what_it_may_send() {
        let page = Origin::Loopback(HeaderValue::from_static("http://localhost:3000"));
        let response = preflight(&page, &asked("content-type,x-team"));
        assert_eq!(response.status(), 204);
        let headers = response.headers();
        assert_eq!(
            headers["access-control-allow-origin"],
            "http://localhost:3000"
        );
        assert_eq!(headers["access-control-allow-methods"], "POST");
        assert_eq!(
            headers["access-control-allow-headers"],
            "content-type,x-team"
        );
        assert_eq!(headers["vary"], "Origin");
        assert!(!headers.contains_key("access-control-allow-credentials"));
    }

    #[test]
    fn wildcards_and_nonsense_are_not_sent_back() {
        let page = Origin::Loopback(HeaderValue::from_static("http://localhost:3000"));
        for names in ["*", "content-type, *", "a b", "", ",,"] {
            let response = preflight(&page, &asked(names));
            assert_eq!(response.headers()["access-control-allow-headers"], HEADERS);
        }
    }

    #[test]
    fn no_page_no_permission() {
        let response = preflight(&Origin::Absent, &HeaderMap::new());
        assert!(
            !response
                .headers()
                .contains_key("access-control-allow-origin")
        );
        assert!(
            !response
                .headers()
                .contains_key("access-control-allow-methods")
        );
    }
}
