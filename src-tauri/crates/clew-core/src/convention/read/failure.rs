//! Why a span failed, from codes, types and messages of all kinds (semconv.md §5).

use std::sync::LazyLock;

use regex::{RegexSet, RegexSetBuilder};

use super::key_map::KeyMap;
use crate::model::{ErrorClass, ErrorFact, Operation, Stated, as_u64, display};

/// Attributes that hold an HTTP status, or a provider's code, which may be one.
const HTTP: &[&str] = &[
    "http.response.status_code",
    "http.status_code",
    "error.code",
    "error.type",
    "llm.error.type",
];
/// Attributes that hold a gRPC status by number or name.
const GRPC: &[&str] = &["rpc.grpc.status_code", "rpc.response.status_code"];

/// What types and messages say, in order of trust: a provider states a prompt that is too long, or filtered, with the
/// code of any bad request, and a limit or a timeout of its own with any text.
const WORDS: &[(ErrorClass, &[&str])] = &[
    (
        ErrorClass::ContextLength,
        &[
            r"context.?length",
            r"maximum context",
            r"context window",
            r"prompt is too long",
            r"(input|prompt|request) (is|was)? ?too (long|large)",
            r"exceeds? the (maximum|max|limit)[a-z ]* (tokens|token count|context)",
            r"too many (input|prompt) tokens",
            r"string_above_max_length",
        ],
    ),
    (
        ErrorClass::ContentFilter,
        &[
            r"content.?(filter|policy|management)",
            r"responsible.?ai.?policy",
            r"(blocked|flagged|stopped)[a-z ]* (by|for) [a-z ]*(safety|policy|moderation|guardrail|filter)",
            r"prohibited.?content",
            r"moderation_blocked",
        ],
    ),
    (
        ErrorClass::RateLimit,
        &[
            r"rate.?limit",
            r"too.?many.?requests",
            r"resource.?(has been )?exhausted",
            r"throttl",
            r"quota",
            r"overloaded",
            r"\b429\b",
            r"tokens per (minute|day)",
        ],
    ),
    (
        ErrorClass::Cancelled,
        &[
            r"cancell?ed",
            r"cancellation",
            r"abort(ed|error)",
            r"client disconnected",
            r"keyboardinterrupt",
            r"generatorexit",
        ],
    ),
    (
        ErrorClass::Timeout,
        &[r"time.?d? ?out", r"deadline.?exceeded", r"\b(408|504)\b"],
    ),
    (
        ErrorClass::Auth,
        &[
            r"authenticat",
            r"unauthori[sz]ed",
            r"permission.?denied",
            r"(invalid|incorrect|missing|expired|no)[a-z ]* (api.?key|token|credential)",
            r"api.?key[a-z_ ]* (is )?(invalid|incorrect|missing|expired|not)",
            r"invalid_api_key",
            r"access.?denied",
            r"forbidden",
            r"\b(401|403)\b",
        ],
    ),
    (
        ErrorClass::Server,
        &[
            r"internal.?server",
            r"server.?error",
            r"service.?unavailable",
            r"bad.?gateway",
            r"\b(500|502|503|520|521|522|523|524)\b",
        ],
    ),
];

struct Words {
    set: RegexSet,
    classes: Vec<ErrorClass>,
}

static KNOWN: LazyLock<Option<Words>> = LazyLock::new(|| {
    let patterns = WORDS.iter().flat_map(|(_, patterns)| patterns.iter());
    let classes = WORDS
        .iter()
        .flat_map(|(class, patterns)| patterns.iter().map(|_| *class));
    let set = RegexSetBuilder::new(patterns)
        .case_insensitive(true)
        .build();
    Some(Words {
        set: set.ok()?,
        classes: classes.collect(),
    })
});

/// The class that a type or a message tells.
fn by_words(text: &str) -> Option<ErrorClass> {
    let known = KNOWN.as_ref()?;
    let first = known.set.matches(text).iter().next()?;
    known.classes.get(first).copied()
}

/// The class of an HTTP status; 529 is Anthropic's for an overload, 499 nginx's for a client that left.
fn by_http(code: u64) -> Option<ErrorClass> {
    Some(match code {
        429 | 529 => ErrorClass::RateLimit,
        408 | 504 | 524 => ErrorClass::Timeout,
        401 | 403 | 407 => ErrorClass::Auth,
        413 => ErrorClass::ContextLength,
        499 => ErrorClass::Cancelled,
        500..=599 => ErrorClass::Server,
        _ => return None,
    })
}

/// The class of a gRPC status, by number or name.
fn by_grpc(status: &str) -> Option<ErrorClass> {
    Some(match status.to_ascii_uppercase().as_str() {
        "1" | "CANCELLED" => ErrorClass::Cancelled,
        "4" | "DEADLINE_EXCEEDED" => ErrorClass::Timeout,
        "7" | "16" | "PERMISSION_DENIED" | "UNAUTHENTICATED" => ErrorClass::Auth,
        "8" | "RESOURCE_EXHAUSTED" => ErrorClass::RateLimit,
        "2" | "13" | "14" | "15" | "UNKNOWN" | "INTERNAL" | "UNAVAILABLE" | "DATA_LOSS" => {
            ErrorClass::Server
        }
        _ => return None,
    })
}

/// Why the span failed: a prompt too long or filtered by its words, else by its code, else by its words; a tool that
/// failed is a tool's error whatever it says, unless the caller gave up.
pub(super) fn class(
    map: &KeyMap,
    operation: Option<Operation>,
    error: &Stated<ErrorFact>,
) -> Stated<ErrorClass> {
    let stated = |class, key: &str| Stated::new(class, &error.convention, key);
    let fact = &error.value;
    let texts = [fact.kind.as_deref(), fact.message.as_deref()];
    let said = texts.into_iter().flatten().find_map(by_words);
    if operation == Some(Operation::Tool) && said != Some(ErrorClass::Cancelled) {
        return stated(ErrorClass::Tool, &error.key);
    }
    let certain =
        said.filter(|class| matches!(class, ErrorClass::ContextLength | ErrorClass::ContentFilter));
    if let Some(class) = certain {
        return stated(class, &error.key);
    }
    let number = |key: &str| {
        let value = map.get(key)?;
        as_u64(value).or_else(|| display(value).trim().parse().ok())
    };
    let coded = HTTP
        .iter()
        .find_map(|key| Some((by_http(number(key)?)?, *key)))
        .or_else(|| {
            GRPC.iter()
                .find_map(|key| Some((by_grpc(&display(map.get(key)?))?, *key)))
        });
    match (coded, said) {
        (Some((class, key)), _) => stated(class, key),
        (None, Some(class)) => stated(class, &error.key),
        (None, None) => stated(ErrorClass::Other, &error.key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convention::tests::with_attributes;
    use opentelemetry_proto::tonic::common::v1::any_value::Value;

    fn classed(
        attributes: &[(&str, Value)],
        operation: Operation,
        kind: Option<&str>,
        message: Option<&str>,
    ) -> ErrorClass {
        let fact = ErrorFact {
            kind: kind.map(ToOwned::to_owned),
            message: message.map(ToOwned::to_owned),
        };
        with_attributes(attributes, |view| {
            let error = Stated::new(fact.clone(), "general", "status");
            class(&KeyMap::new(view, true), Some(operation), &error).value
        })
    }

    #[test]
    fn every_pattern_can_be_read() {
        assert!(KNOWN.is_some());
    }

    /// Types and messages as providers and SDKs write them.
    #[test]
    fn types_and_messages_tell_the_class() {
        use ErrorClass::{
            Auth, Cancelled, ContentFilter, ContextLength, Other, RateLimit, Server, Timeout,
        };
        for (kind, message, expected) in [
            (
                "openai.RateLimitError",
                "Error code: 429 - {'error': {'message': 'Rate limit reached for gpt-4o'}}",
                RateLimit,
            ),
            ("rate_limit_error", "", RateLimit),
            ("OverloadedError", "Overloaded", RateLimit),
            (
                "AI_APICallError",
                "You exceeded your current quota, please check your plan",
                RateLimit,
            ),
            (
                "ThrottlingException",
                "Too many requests, please wait before trying again.",
                RateLimit,
            ),
            (
                "google.api_core.exceptions.ResourceExhausted",
                "429 Resource has been exhausted (e.g. check quota).",
                RateLimit,
            ),
            (
                "Exception",
                "Rate limit reached for gpt-4o in organization org-x on tokens per min (TPM)",
                RateLimit,
            ),
            ("openai.APITimeoutError", "Request timed out.", Timeout),
            ("ReadTimeout", "", Timeout),
            ("TimeoutError", "", Timeout),
            ("DeadlineExceeded", "504 Deadline Exceeded", Timeout),
            (
                "openai.AuthenticationError",
                "Error code: 401 - Incorrect API key provided: sk-…",
                Auth,
            ),
            ("PermissionDeniedError", "", Auth),
            ("Exception", "Invalid API key", Auth),
            (
                "openai.BadRequestError",
                "Error code: 400 - This model's maximum context length is 128000 tokens.",
                ContextLength,
            ),
            (
                "BadRequestError",
                "prompt is too long: 213712 tokens > 200000 maximum",
                ContextLength,
            ),
            (
                "BadRequestError",
                "{'code': 'context_length_exceeded'}",
                ContextLength,
            ),
            (
                "ValidationException",
                "Input is too long for requested model.",
                ContextLength,
            ),
            (
                "BadRequestError",
                "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
                ContentFilter,
            ),
            ("ContentPolicyViolationError", "", ContentFilter),
            ("InternalServerError", "", Server),
            (
                "APIStatusError",
                "Error code: 503 - Service Unavailable",
                Server,
            ),
            ("asyncio.CancelledError", "", Cancelled),
            ("AbortError", "This operation was aborted", Cancelled),
            ("ValueError", "no such order", Other),
            ("KeyError", "'author'", Other),
        ] {
            let message = (!message.is_empty()).then_some(message);
            let found = classed(&[], Operation::Llm, Some(kind), message);
            assert_eq!(found, expected, "{kind}: {message:?}");
        }
    }

    #[test]
    fn a_code_comes_before_words_but_for_prompts_too_long_or_filtered() {
        let code = |code: i64| [("http.response.status_code", Value::IntValue(code))];
        for (status, expected) in [
            (429, ErrorClass::RateLimit),
            (529, ErrorClass::RateLimit),
            (503, ErrorClass::Server),
            (504, ErrorClass::Timeout),
            (401, ErrorClass::Auth),
            (400, ErrorClass::Other),
        ] {
            let found = classed(&code(status), Operation::Llm, None, Some("it did not work"));
            assert_eq!(found, expected, "{status}");
        }
        let long = Some("maximum context length is 128000 tokens");
        let found = classed(&code(400), Operation::Llm, None, long);
        assert_eq!(found, ErrorClass::ContextLength);
        let found = classed(&code(500), Operation::Llm, None, Some("request timed out"));
        assert_eq!(found, ErrorClass::Server);
        let typed = [("error.type", Value::StringValue("429".to_owned()))];
        assert_eq!(
            classed(&typed, Operation::Llm, Some("429"), None),
            ErrorClass::RateLimit
        );
        let grpc = [("rpc.grpc.status_code", Value::IntValue(8))];
        assert_eq!(
            classed(&grpc, Operation::Llm, None, None),
            ErrorClass::RateLimit
        );
    }

    #[test]
    fn a_tool_that_fails_is_a_tools_error_unless_the_caller_gave_up() {
        let found = classed(
            &[],
            Operation::Tool,
            Some("TimeoutError"),
            Some("timed out"),
        );
        assert_eq!(found, ErrorClass::Tool);
        let found = classed(&[], Operation::Tool, Some("CancelledError"), None);
        assert_eq!(found, ErrorClass::Cancelled);
    }
}
