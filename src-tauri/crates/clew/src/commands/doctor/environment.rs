//! What the environment of this shell would make a program do.

use super::Check;

/// Longest wait before an export that still feels live, in milliseconds.
const LIVE_DELAY: u64 = 1_000;

/// Looks at the variables that OpenTelemetry reads. `addresses` are those of Clew for OTLP.
pub(super) fn all(addresses: [&str; 2], variable: impl Fn(&str) -> Option<String>) -> Vec<Check> {
    let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let mut checks = Vec::new();
    endpoints(addresses, &set, &mut checks);
    switches(&set, &mut checks);
    content(&set, &mut checks);
    if checks.is_empty() {
        checks.push(Check::ok("environment", "nothing here keeps traces away"));
    }
    checks
}

fn endpoints(addresses: [&str; 2], set: &impl Fn(&str) -> Option<String>, checks: &mut Vec<Check>) {
    for name in [
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    ] {
        let Some(endpoint) = set(name) else { continue };
        let wanted = format!("{name}=http://{}", addresses[1]);
        let Ok(uri) = endpoint.trim().parse::<http::Uri>() else {
            checks.push(Check::failure(
                "endpoint",
                format!("{name} is no address: {endpoint}"),
                wanted,
            ));
            continue;
        };
        let ports = addresses.map(|address| {
            address
                .rsplit_once(':')
                .and_then(|(_, port)| port.parse::<u16>().ok())
        });
        let host = uri.host().unwrap_or_default();
        if uri.scheme_str() == Some("https") {
            checks.push(Check::failure(
                "endpoint",
                format!("{name} says https: Clew speaks plain http, on this machine"),
                wanted,
            ));
        } else if !matches!(host, "localhost" | "127.0.0.1" | "[::1]") {
            checks.push(Check::warning(
                "endpoint",
                format!("{name} sends to {host}, not here"),
                wanted,
            ));
        } else if !ports.contains(&uri.port_u16()) {
            checks.push(Check::failure(
                "endpoint",
                format!("{name} names a port that is not Clew's: {endpoint}"),
                wanted,
            ));
        } else if name == "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
            && !uri.path().ends_with("/v1/traces")
            && set("OTEL_EXPORTER_OTLP_PROTOCOL").as_deref() != Some("grpc")
        {
            checks.push(Check::failure(
                "endpoint",
                format!("{name} is used as it stands over HTTP, and lacks /v1/traces"),
                format!("{wanted}/v1/traces"),
            ));
        }
    }
    let protocol = set("OTEL_EXPORTER_OTLP_PROTOCOL");
    if let Some(protocol) = protocol
        && !["grpc", "http/protobuf", "http/json"].contains(&protocol.as_str())
    {
        checks.push(Check::failure(
            "protocol",
            format!("OTEL_EXPORTER_OTLP_PROTOCOL is unknown: {protocol}"),
            "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
        ));
    }
}

fn switches(set: &impl Fn(&str) -> Option<String>, checks: &mut Vec<Check>) {
    if set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        checks.push(Check::failure(
            "sdk",
            "OTEL_SDK_DISABLED=true switches OpenTelemetry off",
            "unset OTEL_SDK_DISABLED",
        ));
    }
    if let Some(exporter) = set("OTEL_TRACES_EXPORTER")
        && !exporter.split(',').any(|each| each.trim() == "otlp")
    {
        checks.push(Check::failure(
            "exporter",
            format!("OTEL_TRACES_EXPORTER={exporter} sends no traces by OTLP"),
            "OTEL_TRACES_EXPORTER=otlp",
        ));
    }
    if let Some(file) = set("OTEL_CONFIG_FILE").or_else(|| set("OTEL_EXPERIMENTAL_CONFIG_FILE")) {
        checks.push(Check::warning(
            "config file",
            format!("{file} replaces all other OTEL_ variables"),
            "put Clew's address into that file, or unset the variable",
        ));
    }
    if let Some(sampler) = set("OTEL_TRACES_SAMPLER")
        && !["always_on", "parentbased_always_on"].contains(&sampler.as_str())
    {
        checks.push(Check::warning(
            "sampler",
            format!("OTEL_TRACES_SAMPLER={sampler} drops traces"),
            "OTEL_TRACES_SAMPLER=parentbased_always_on",
        ));
    }
    if let Some(limit) = set("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT") {
        checks.push(Check::warning(
            "limit",
            format!("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT={limit} cuts prompts and answers"),
            "unset OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        ));
    }
    let delay = set("OTEL_BSP_SCHEDULE_DELAY");
    let is_live = delay.as_deref().is_some_and(|delay| {
        delay
            .trim()
            .parse()
            .is_ok_and(|delay: u64| delay <= LIVE_DELAY)
    });
    if !is_live {
        checks.push(Check::warning(
            "delay",
            "programs wait 5 s before they send (OTEL_BSP_SCHEDULE_DELAY)",
            "OTEL_BSP_SCHEDULE_DELAY=200",
        ));
    }
}

/// Model calls state no prompts and answers unless they are asked to, in one of two dialects.
fn content(set: &impl Fn(&str) -> Option<String>, checks: &mut Vec<Check>) {
    const NAME: &str = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT";
    const DIALECT: &str = "OTEL_SEMCONV_STABILITY_OPT_IN";
    let value = set(NAME).map(|value| value.to_ascii_lowercase());
    let is_new = set(DIALECT).is_some_and(|value| value.contains("gen_ai_latest_experimental"));
    match (value.as_deref(), is_new) {
        (Some("span_only" | "event_only" | "span_and_event"), true) => {}
        (Some("true"), _) => checks.push(Check::warning(
            "content",
            format!("only old instrumentations understand {NAME}=true, and those not together with {DIALECT}"),
            format!("{DIALECT}=gen_ai_latest_experimental {NAME}=span_only"),
        )),
        (Some("span_only" | "event_only" | "span_and_event"), false) => {
            checks.push(Check::warning(
                "content",
                format!("{NAME} has a value that older instrumentations ignore"),
                format!("{DIALECT}=gen_ai_latest_experimental"),
            ));
        }
        _ => checks.push(Check::warning(
            "content",
            "OpenTelemetry's own instrumentations leave prompts and answers out",
            format!("{DIALECT}=gen_ai_latest_experimental {NAME}=span_only"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    const GOOD: [(&str, &str); 3] = [
        ("OTEL_BSP_SCHEDULE_DELAY", "200"),
        (
            "OTEL_SEMCONV_STABILITY_OPT_IN",
            "gen_ai_latest_experimental",
        ),
        (
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
            "span_and_event",
        ),
    ];

    fn found(extra: &[(&str, &str)]) -> Vec<(&'static str, Verdict)> {
        all(["127.0.0.1:4317", "127.0.0.1:4318"], |name| {
            extra
                .iter()
                .chain(&GOOD)
                .find(|(each, _)| *each == name)
                .map(|(_, value)| (*value).to_owned())
        })
        .into_iter()
        .map(|check| (check.name, check.verdict))
        .collect()
    }

    #[test]
    fn a_good_environment_passes() {
        assert_eq!(found(&[]), [("environment", Verdict::Ok)]);
        for endpoint in [
            "http://localhost:4318",
            "http://127.0.0.1:4317/",
            "http://[::1]:4318",
        ] {
            let found = found(&[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)]);
            assert_eq!(found, [("environment", Verdict::Ok)], "{endpoint}");
        }
    }

    #[test]
    fn each_mistake_is_named() {
        let cases = [
            (
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "http://localhost:4319",
                "endpoint",
                Verdict::Failure,
            ),
            (
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "https://localhost:4318",
                "endpoint",
                Verdict::Failure,
            ),
            (
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "http://a b",
                "endpoint",
                Verdict::Failure,
            ),
            (
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "http://collector:4318",
                "endpoint",
                Verdict::Warning,
            ),
            (
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                "http://localhost:4318",
                "endpoint",
                Verdict::Failure,
            ),
            (
                "OTEL_EXPORTER_OTLP_PROTOCOL",
                "protobuf",
                "protocol",
                Verdict::Failure,
            ),
            ("OTEL_SDK_DISABLED", "TRUE", "sdk", Verdict::Failure),
            (
                "OTEL_TRACES_EXPORTER",
                "console",
                "exporter",
                Verdict::Failure,
            ),
            (
                "OTEL_CONFIG_FILE",
                "otel.yaml",
                "config file",
                Verdict::Warning,
            ),
            (
                "OTEL_TRACES_SAMPLER",
                "traceidratio",
                "sampler",
                Verdict::Warning,
            ),
            (
                "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
                "128",
                "limit",
                Verdict::Warning,
            ),
            ("OTEL_BSP_SCHEDULE_DELAY", "5000", "delay", Verdict::Warning),
            (
                "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
                "true",
                "content",
                Verdict::Warning,
            ),
            (
                "OTEL_SEMCONV_STABILITY_OPT_IN",
                "http",
                "content",
                Verdict::Warning,
            ),
        ];
        for (name, value, check, verdict) in cases {
            assert_eq!(
                found(&[(name, value)]),
                [(check, verdict)],
                "{name}={value}"
            );
        }
        // Today's instrumentations refuse the old word, whatever else is set.
        let old = [
            ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true"),
            ("OTEL_SEMCONV_STABILITY_OPT_IN", ""),
        ];
        assert_eq!(found(&old), [("content", Verdict::Warning)]);
    }
}
