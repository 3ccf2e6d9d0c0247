//! Which path or gRPC method takes which signal, and what a wrong one was probably meant to be.

use clew_core::otlp::Signal;

/// What a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// An OTLP signal that Clew takes.
    Otlp(Signal),
    /// The profiles signal, still in development (otlp.md §1).
    Profiles,
    /// Anything else.
    Unknown,
}

/// Reads an HTTP path: any that ends in `/v1/{traces,logs,metrics}` counts, whatever a vendor's exporter puts before,
/// with or without a slash behind.
pub(super) fn of_path(path: &str) -> Route {
    const SIGNALS: [(&str, Route); 5] = [
        ("/v1/traces", Route::Otlp(Signal::Traces)),
        ("/v1/logs", Route::Otlp(Signal::Logs)),
        ("/v1/metrics", Route::Otlp(Signal::Metrics)),
        ("/v1development/profiles", Route::Profiles),
        ("/v1/profiles", Route::Profiles),
    ];
    let path = path.strip_suffix('/').unwrap_or(path);
    SIGNALS
        .iter()
        .find(|(end, _)| path.ends_with(end))
        .map_or(Route::Unknown, |(_, route)| *route)
}

/// Reads the path of a gRPC call: service and method must match to the letter.
pub(super) fn of_method(path: &str) -> Route {
    match path {
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => {
            Route::Otlp(Signal::Traces)
        }
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => Route::Otlp(Signal::Logs),
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => {
            Route::Otlp(Signal::Metrics)
        }
        "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export" => {
            Route::Profiles
        }
        _ => Route::Unknown,
    }
}

/// Says which path was probably meant.
pub(super) fn hint(path: &str) -> &'static str {
    let path = path.to_ascii_lowercase();
    if path.contains("/api/v2/spans") || path.contains("/api/v1/spans") {
        "this is Zipkin's path: switch the exporter to OTLP, which posts to /v1/traces"
    } else if path.ends_with("/api/traces") {
        "this is Jaeger's path: switch the exporter to OTLP, which posts to /v1/traces"
    } else if path.contains("trace") || path.contains("span") {
        "the path for traces is /v1/traces"
    } else if path.contains("log") {
        "the path for logs is /v1/logs"
    } else if path.contains("metric") {
        "the path for metrics is /v1/metrics"
    } else {
        "the paths are /v1/traces, /v1/logs and /v1/metrics: OTEL_EXPORTER_OTLP_ENDPOINT takes the address without \
         them, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT the whole URL with /v1/traces"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_prefix_of_a_vendor_is_taken() {
        for (path, route) in [
            ("/v1/traces", Route::Otlp(Signal::Traces)),
            ("/v1/logs/", Route::Otlp(Signal::Logs)),
            ("//v1/traces", Route::Otlp(Signal::Traces)),
            ("/api/public/otel/v1/traces", Route::Otlp(Signal::Traces)),
            (
                "/api/v1/private/otel/v1/metrics",
                Route::Otlp(Signal::Metrics),
            ),
            ("/v1development/profiles", Route::Profiles),
            ("/", Route::Unknown),
            ("", Route::Unknown),
            ("/v1/trace", Route::Unknown),
            ("/v1/traces//", Route::Unknown),
            ("/xv1/traces", Route::Unknown),
            ("/v1/Traces", Route::Unknown),
        ] {
            assert_eq!(of_path(path), route, "{path}");
        }
    }

    #[test]
    fn a_wrong_path_is_told_the_right_one() {
        assert!(hint("/v1/trace").ends_with("/v1/traces"));
        assert!(hint("/v1/Log").ends_with("/v1/logs"));
        assert!(hint("/metrics").ends_with("/v1/metrics"));
        assert!(hint("/").contains("OTEL_EXPORTER_OTLP_ENDPOINT"));
        assert!(hint("/api/v2/spans").contains("Zipkin"));
        assert!(hint("/api/traces").contains("Jaeger"));
    }
}
