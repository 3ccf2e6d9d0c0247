//! HTTP's part of a request: content type and content encoding.

use clew_core::otlp::Encoding;
use http::{HeaderMap, HeaderValue, header};

use super::inflate::Compression;
use super::reply::Failure;

/// How the body is written. Strict, because a content type that a page may send without preflight must never be read
/// (reliability.md A5, S5): one header, one of three types, in any case, with any parameters.
pub(super) fn encoding(headers: &HeaderMap) -> Option<Encoding> {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let media_type = value.to_str().ok()?.split(';').next()?.trim();
    match media_type.to_ascii_lowercase().as_str() {
        "application/x-protobuf" | "application/protobuf" => Some(Encoding::Protobuf),
        "application/json" => Some(Encoding::Json),
        _ => None,
    }
}

/// The failure where [`encoding`] is `None`.
pub(super) fn unknown_encoding() -> Failure {
    Failure::unsupported(
        "the Content-Type is not one of OTLP",
        "send application/x-protobuf or application/json; gRPC-Web is not taken",
    )
}

/// How the body is compressed; one compression, not several on top of each other.
pub(super) fn compression(headers: &HeaderMap) -> Result<Option<Compression>, Failure> {
    let mut found = None;
    let names = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .flat_map(|value: &HeaderValue| value.as_bytes().split(|byte| *byte == b','));
    for name in names {
        let one = match name.trim_ascii().to_ascii_lowercase().as_slice() {
            b"" | b"identity" => continue,
            b"gzip" | b"x-gzip" => Compression::Gzip,
            b"deflate" | b"zlib" => Compression::Zlib,
            b"zstd" => Compression::Zstd,
            _ => {
                return Err(Failure::unsupported(
                    "the Content-Encoding is not one that Clew reads",
                    "set OTEL_EXPORTER_OTLP_COMPRESSION to gzip or none",
                ));
            }
        };
        if found.is_some() {
            return Err(Failure::unsupported(
                "the body is compressed more than once",
                "compress it once, by gzip, zstd or deflate",
            ));
        }
        found = Some(one);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &header::HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, value.parse().expect("a header value"));
        }
        headers
    }

    #[test]
    fn content_types_are_strict() {
        use Encoding::{Json, Protobuf};
        for (values, expected) in [
            (&["application/x-protobuf"][..], Some(Protobuf)),
            (&["application/protobuf"], Some(Protobuf)),
            (&["Application/JSON; charset=utf-8"], Some(Json)),
            (&["application/json;x=y"], Some(Json)),
            (&[], None),
            (&[""], None),
            (&["text/plain"], None),
            (&["text/plain; application/json"], None),
            (&["application/jsonx"], None),
            (&["application/json, text/plain"], None),
            (&["application/json", "text/plain"], None),
            (&["multipart/form-data; boundary=x"], None),
            (&["application/x-www-form-urlencoded"], None),
            (&["application/grpc-web"], None),
        ] {
            let found = encoding(&headers(&header::CONTENT_TYPE, values));
            assert_eq!(found, expected, "{values:?}");
        }
    }

    #[test]
    fn one_compression_is_read() {
        for (values, expected) in [
            (&[][..], Some(None)),
            (&["identity"], Some(None)),
            (&[""], Some(None)),
            (&["gzip"], Some(Some(Compression::Gzip))),
            (&["GZIP"], Some(Some(Compression::Gzip))),
            (&["identity, gzip"], Some(Some(Compression::Gzip))),
            (&["deflate"], Some(Some(Compression::Zlib))),
            (&["zstd"], Some(Some(Compression::Zstd))),
            (&["gzip, gzip"], None),
            (&["gzip", "zstd"], None),
            (&["br"], None),
            (&["snappy"], None),
            (&["gzip;q=1"], None),
        ] {
            let found = compression(&headers(&header::CONTENT_ENCODING, values)).ok();
            assert_eq!(found, expected, "{values:?}");
        }
    }
}
