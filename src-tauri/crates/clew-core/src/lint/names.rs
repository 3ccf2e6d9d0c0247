//! Lints about names.

use super::{Observed, Seen, name};

/// Deprecated keys, what took their place, and since which version of the semantic conventions (semconv.md §2-§6).
const DEPRECATED: &[(&str, &str, &str)] = &[
    ("gen_ai.system", "gen_ai.provider.name", "1.37"),
    (
        "gen_ai.usage.prompt_tokens",
        "gen_ai.usage.input_tokens",
        "1.27",
    ),
    (
        "gen_ai.usage.completion_tokens",
        "gen_ai.usage.output_tokens",
        "1.27",
    ),
    ("gen_ai.prompt", "gen_ai.input.messages", "1.37"),
    ("gen_ai.completion", "gen_ai.output.messages", "1.37"),
    (
        "gen_ai.openai.request.response_format",
        "gen_ai.output.type",
        "1.30",
    ),
    ("gen_ai.openai.request.seed", "gen_ai.request.seed", "1.30"),
    (
        "gen_ai.openai.request.service_tier",
        "openai.request.service_tier",
        "1.37",
    ),
    (
        "gen_ai.openai.response.service_tier",
        "openai.response.service_tier",
        "1.37",
    ),
    ("http.status_code", "http.response.status_code", "1.21"),
    ("http.method", "http.request.method", "1.21"),
    ("http.url", "url.full", "1.21"),
    ("net.peer.name", "server.address", "1.21"),
];

/// Beginnings of scopes that read `OTEL_SEMCONV_STABILITY_OPT_IN` (opentelemetry-python-contrib, -js-contrib). Many others
/// begin like them, OpenLLMetry's among them, for which it does nothing.
const OPT_IN: &[&str] = &[
    "opentelemetry.instrumentation.genai.",
    "opentelemetry.instrumentation.openai_v2",
    "opentelemetry.instrumentation.google_genai",
    "opentelemetry.util.genai",
    "opentelemetry.instrumentation.aiohttp_client",
    "opentelemetry.instrumentation.aiohttp_server",
    "opentelemetry.instrumentation.asgi",
    "opentelemetry.instrumentation.django",
    "opentelemetry.instrumentation.falcon",
    "opentelemetry.instrumentation.fastapi",
    "opentelemetry.instrumentation.flask",
    "opentelemetry.instrumentation.httpx",
    "opentelemetry.instrumentation.requests",
    "opentelemetry.instrumentation.starlette",
    "opentelemetry.instrumentation.urllib",
    "opentelemetry.instrumentation.wsgi",
    "@opentelemetry/instrumentation-http",
];

/// A key that the conventions have given up, of which Clew goes on reading what it means. One that stands beside its
/// successor is there for older readers.
pub(super) fn deprecated(span: &Observed) -> Option<Seen> {
    // The AI SDK states the new names from version 7 on, which sends nothing by the set-up of version 6.
    if span.scope() == "ai" {
        return None;
    }
    let attributes = &span.view.span.attributes;
    let has = |key: &str| attributes.iter().any(|one| one.key == key);
    let (old, new, since) = DEPRECATED
        .iter()
        .find(|(old, new, _)| has(old) && !has(new))?;
    let what = format!("{old} is called {new} since semantic conventions {since}; Clew reads both");
    let scope = span.scope();
    if OPT_IN.iter().any(|known| scope.starts_with(known)) {
        let advice = "Ask for the new names where the program starts.";
        let setting = "OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental,http";
        return Some(Seen::new(what, advice).set(setting));
    }
    let who = if scope.is_empty() {
        "the instrumentation"
    } else {
        name(scope)
    };
    let advice = format!("Update {who}; where you set {old} yourself, set {new}.");
    Some(Seen::new(what, advice))
}

/// A program that does not say what it is called.
pub(super) fn no_service(span: &Observed) -> Option<Seen> {
    let service = span.service();
    (service.is_empty() || service.starts_with("unknown_service")).then(|| {
        Seen::new(
            "A program does not say its name: it stands among others without one",
            "Name it where it starts.",
        )
        .set("OTEL_SERVICE_NAME=my-agent")
    })
}
