//! gRPC's part of a unary call: one frame in, `grpc-timeout`, the names of compressions.
//!
//! tonic's own server cannot be told to answer as OTLP asks: it checks the length and decompresses before a codec sees
//! anything, and answers `OUT_OF_RANGE` (which exporters retry for ever) and `INTERNAL` (reliability.md M3, M4), with
//! zstd windows of up to 128 MiB. A unary request is five bytes and a message, so the frame is read here; statuses,
//! details and clients are tonic's.

use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http::{HeaderMap, HeaderValue, header};

use super::inflate::Compression;
use super::reply::Failure;

/// The content type of replies.
pub(super) const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/grpc");
/// The compressions that a client may use.
pub(super) const ACCEPTED: HeaderValue = HeaderValue::from_static("identity,gzip,zstd,deflate");
/// Bytes before the message: a flag and the length.
pub(super) const PREFIX: usize = 5;

/// Whether the request is a gRPC call, in whatever message format. gRPC-Web is not.
pub(super) fn is_call(headers: &HeaderMap) -> bool {
    const NAME: &[u8] = b"application/grpc";
    headers.get(header::CONTENT_TYPE).is_some_and(|value| {
        let value = value.as_bytes();
        value
            .get(..NAME.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(NAME))
            && matches!(value.get(NAME.len()), None | Some(b'+' | b';' | b' '))
    })
}

/// Refuses messages that are not protobuf.
pub(super) fn check_format(headers: &HeaderMap) -> Result<(), Failure> {
    let format = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .and_then(|value| value.trim().split_once('+'))
        .map_or("proto", |(_, format)| format);
    if format.eq_ignore_ascii_case("proto") {
        Ok(())
    } else {
        Err(Failure::unsupported(
            "gRPC messages must be protobuf",
            "send content type application/grpc, or post JSON to /v1/traces",
        ))
    }
}

/// How messages of the call are compressed when they are.
pub(super) fn compression(headers: &HeaderMap) -> Result<Option<Compression>, Failure> {
    match headers.get("grpc-encoding").map(HeaderValue::as_bytes) {
        None | Some(b"identity" | b"") => Ok(None),
        Some(b"gzip") => Ok(Some(Compression::Gzip)),
        Some(b"deflate") => Ok(Some(Compression::Zlib)),
        Some(b"zstd") => Ok(Some(Compression::Zstd)),
        Some(_) => Err(Failure::unsupported(
            "the message is compressed in a way that Clew does not read",
            "set OTEL_EXPORTER_OTLP_COMPRESSION to gzip or none",
        )),
    }
}

/// How long the client waits: at most eight digits and a unit. An unreadable value is no limit.
pub(super) fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number.saturating_mul(3_600))),
        "M" => Some(Duration::from_secs(number.saturating_mul(60))),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

/// Takes the one message out of a unary call's body, with how it is compressed.
pub(super) fn message(
    mut body: Bytes,
    compression: Option<Compression>,
) -> Result<(Bytes, Option<Compression>), Failure> {
    if body.len() < PREFIX {
        return Err(Failure::malformed("the call holds no whole message"));
    }
    let compression = match (body.get_u8(), compression) {
        (0, _) => None,
        (1, None) => {
            return Err(Failure::malformed(
                "the message says that it is compressed, the call does not say how",
            ));
        }
        (1, compression) => compression,
        _ => return Err(Failure::malformed("the message has unknown flags")),
    };
    let length = usize::try_from(body.get_u32()).unwrap_or(usize::MAX);
    match length.cmp(&body.len()) {
        std::cmp::Ordering::Equal => Ok((body, compression)),
        std::cmp::Ordering::Greater => Err(Failure::malformed("the message is cut off")),
        std::cmp::Ordering::Less => Err(Failure::malformed(
            "an export call holds exactly one message",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let value = HeaderValue::from_str(value).expect("a header value");
        HeaderMap::from_iter([(http::HeaderName::from_static(name), value)])
    }

    #[test]
    fn grpc_is_known_by_its_content_type() {
        for (value, call) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("Application/GRPC; charset=utf-8", true),
            ("application/grpc+json", true),
            ("application/grpc-web", false),
            ("application/grpc-web+proto", false),
            ("application/json", false),
        ] {
            assert_eq!(is_call(&headers("content-type", value)), call, "{value}");
        }
        assert!(check_format(&headers("content-type", "application/grpc+proto")).is_ok());
        assert!(check_format(&headers("content-type", "application/grpc+json")).is_err());
    }

    #[test]
    fn timeouts_are_read_to_the_letter() {
        for (value, expected) in [
            ("10S", Some(Duration::from_secs(10))),
            ("9999999m", Some(Duration::from_millis(9_999_999))),
            ("1H", Some(Duration::from_secs(3_600))),
            ("99999999H", Some(Duration::from_secs(359_999_996_400))),
            ("100000000n", None),
            ("S", None),
            ("", None),
            ("+1S", None),
            ("1s", None),
            ("1 S", None),
        ] {
            assert_eq!(
                timeout(&headers("grpc-timeout", value)),
                expected,
                "{value}"
            );
        }
    }

    #[test]
    fn a_call_holds_one_whole_message() {
        let read = |body: &'static [u8], compression| {
            message(Bytes::from_static(body), compression).map(|(bytes, how)| (bytes.to_vec(), how))
        };
        let good = read(b"\0\0\0\0\x02ab", Some(Compression::Gzip)).expect("a message");
        assert_eq!(good, (b"ab".to_vec(), None));
        let good = read(b"\x01\0\0\0\x02ab", Some(Compression::Gzip)).expect("a message");
        assert_eq!(good, (b"ab".to_vec(), Some(Compression::Gzip)));
        assert!(read(b"\0\0\0\0\0", None).is_ok());
        for bad in [
            &b""[..],
            b"\0\0\0\0",
            b"\0\0\0\0\x03ab",
            b"\0\0\0\0\x01ab",
            b"\x01\0\0\0\x02ab",
            b"\x02\0\0\0\x02ab",
            b"\0\xff\xff\xff\xffab",
        ] {
            assert!(read(bad, None).is_err(), "{bad:?}");
        }
    }
}
