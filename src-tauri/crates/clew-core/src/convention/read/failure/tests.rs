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

/// Texts in which a word or a number stands that means something else.
#[test]
fn what_only_looks_like_a_sign_is_none() {
    use ErrorClass::{Auth, Other, RateLimit, Timeout};
    for (kind, message, expected) in [
        ("ValueError", "score 0.429 below the threshold", Other),
        ("ValueError", "max_length must be <= 500", Other),
        ("Exception", "took 503 ms", Other),
        ("Exception", "503 ms are too long", Other),
        ("Exception", "500 documents were left out", Other),
        ("Exception", "Error: 500 rows", Other),
        ("Exception", "status: 500 MB left", Other),
        ("Exception", "code: 401,000", Other),
        ("Exception", "it cost $429", Other),
        (
            "ConnectionError",
            "('Connection aborted.', RemoteDisconnected('Remote end closed connection'))",
            Other,
        ),
        (
            "AxiosError",
            "timeout of 10000ms exceeded ECONNABORTED",
            Timeout,
        ),
        ("ECONNABORTED", "", Timeout),
        ("Exception", "Order 1002 was cancelled", Other),
        ("SyntaxError", "Invalid or unexpected token", Other),
        ("Exception", "cannot find matching token", Other),
        ("Exception", "Unknown token", Other),
        (
            "ValueError",
            "tokenizer does not have a padding token",
            Other,
        ),
        ("Exception", "not enough tokens", Other),
        ("Exception", "missing access token", Auth),
        ("Exception", "no API key was given", Auth),
        ("authentication_error", "invalid x-api-key", Auth),
        ("ValueError", "start time outside business hours", Other),
        ("Exception", "runtime output is empty", Other),
        ("RuntimeOutputError", "", Other),
        ("KeyError", "'quotation'", Other),
        ("Exception", "insufficient_quota", RateLimit),
        (
            "PermissionError",
            "[Errno 13] Permission denied: 'out.txt'",
            Other,
        ),
        ("Error", "EACCES: permission denied, open 'out.txt'", Other),
        ("Exception", "413 Request Entity Too Large", Other),
        (
            "AI_APICallError",
            "Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Requested 45000",
            RateLimit,
        ),
    ] {
        let message = (!message.is_empty()).then_some(message);
        let found = classed(&[], Operation::Llm, Some(kind), message);
        assert_eq!(found, expected, "{kind}: {message:?}");
    }
}

#[test]
fn a_status_is_read_where_one_stands() {
    for (message, expected) in [
        ("Error code: 429 - {}", ErrorClass::RateLimit),
        ("429 {\"error\":{}}", ErrorClass::RateLimit),
        ("429 status code (no body)", ErrorClass::RateLimit),
        ("401", ErrorClass::Auth),
        ("Request failed with status code 503", ErrorClass::Server),
        ("HTTP/1.1 502", ErrorClass::Server),
        ("HTTPError: 500 Server Error", ErrorClass::Server),
        ("{'status_code': 504}", ErrorClass::Timeout),
        ("{\"statusCode\": 401, \"more\": 1}", ErrorClass::Auth),
        ("the reply had a status of 403.", ErrorClass::Auth),
        (
            "Error code: 403 - your input was flagged for sexual content by moderation",
            ErrorClass::ContentFilter,
        ),
    ] {
        let found = classed(&[], Operation::Llm, None, Some(message));
        assert_eq!(found, expected, "{message}");
    }
}

/// As LangSmith sends them: the traceback stands in the message, and runs through a thread pool's line 401.
#[test]
fn frames_of_a_traceback_tell_nothing() {
    let frames = "Traceback (most recent call last):\n\n\n  File \"concurrent/futures/_base.py\", line 401, in __get_result\n    raise TimeoutError(self.cancelled)\n\n\n";
    let message = format!("ValueError('no such order'){frames}ValueError: no such order");
    let class = |message: &str| classed(&[], Operation::Chain, None, Some(message));
    assert_eq!(class(&message), ErrorClass::Other);
    let limited = format!("{frames}openai.RateLimitError: Error code: 429\nDuring task x");
    assert_eq!(class(&limited), ErrorClass::RateLimit);
    let led =
        format!("{frames}KeyError: 'forbidden'\n\nDuring handling of it:\n\n{frames}ValueError: x");
    assert_eq!(class(&led), ErrorClass::Other);
    let script =
        "Error: no such order\n    at get (file:///app/status.js:401:13)\n    at TimeoutError";
    assert_eq!(class(script), ErrorClass::Other);
    let plain = "Invalid request:\n  at least one key is an invalid API key";
    assert_eq!(class(plain), ErrorClass::Auth);
    for long in ["é", "\n", "\n at ", " "] {
        assert_eq!(class(&long.repeat(1 << 20)), ErrorClass::Other, "{long:?}");
    }
}

#[test]
fn a_code_comes_before_words_but_where_it_is_said_of_any_request() {
    let code = |code: i64| [("http.response.status_code", Value::IntValue(code))];
    for (status, expected) in [
        (429, ErrorClass::RateLimit),
        (529, ErrorClass::RateLimit),
        (503, ErrorClass::Server),
        (504, ErrorClass::Timeout),
        (401, ErrorClass::Auth),
        (400, ErrorClass::Other),
        (413, ErrorClass::Other),
        (422, ErrorClass::Other),
    ] {
        let found = classed(&code(status), Operation::Llm, None, Some("it did not work"));
        assert_eq!(found, expected, "{status}");
    }
    let long = Some("maximum context length is 128000 tokens");
    for (status, expected) in [
        (400, ErrorClass::ContextLength),
        (413, ErrorClass::ContextLength),
        (422, ErrorClass::ContextLength),
        (429, ErrorClass::RateLimit),
    ] {
        let found = classed(&code(status), Operation::Llm, None, long);
        assert_eq!(found, expected, "{status}");
    }
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
    let said = Some("Order 1002 was cancelled");
    let found = classed(&[], Operation::Tool, Some("ValueError"), said);
    assert_eq!(found, ErrorClass::Tool);
    let said = Some("The operation was cancelled");
    assert_eq!(
        classed(&[], Operation::Tool, None, said),
        ErrorClass::Tool,
        "a tool's own words say nothing of who called it"
    );
}
