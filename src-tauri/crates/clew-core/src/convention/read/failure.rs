//! Why a span failed, from codes, types and messages of all kinds (semconv.md §5).

use std::sync::LazyLock;

use regex::{Regex, RegexSet, RegexSetBuilder};

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

/// What types and messages say, in order of trust: a limit on tokens a minute is stated in the words of a prompt that is
/// too long, a filter with the code of any bad request, and a limit or a timeout of a provider's own with any text.
const WORDS: &[(ErrorClass, &[&str])] = &[
    (
        ErrorClass::RateLimit,
        &[
            r"tokens per (min|minute|day)\b",
            r"\b(TPM|RPM|TPD|RPD)\b",
            r"rate_limit_exceeded",
        ],
    ),
    (
        ErrorClass::ContextLength,
        &[
            r"context.?length",
            r"maximum context",
            r"context.?window",
            r"prompt is too long",
            r"(input|prompt) (is|was)? ?too (long|large)",
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
    // A file or a disk of the program's own machine: no provider says so.
    (
        ErrorClass::Other,
        &[
            r"\berrno (1|13|122)\b",
            r"\bos error (1|13)\b",
            r"\b(eacces|eperm)\b",
            r"disk quota",
        ],
    ),
    (
        ErrorClass::RateLimit,
        &[
            r"rate.?limit",
            r"too.?many.?requests",
            r"resource.?(has been )?exhausted",
            r"throttl",
            r"(\b|_|insufficient)quotas?(\b|_|.?exceeded)",
            r"overloaded",
        ],
    ),
    (
        ErrorClass::Cancelled,
        &[
            // The names of types; a message that tells of a cancelled order is none of them.
            r"cancell?ed.?(error|exception)",
            r"cancell?ation.?(error|exception)",
            r"^[a-z0-9_.]*cancell?ed$",
            r"abort.?error",
            r"api.?user.?abort",
            r"keyboardinterrupt",
            r"generatorexit",
            r"\b(request|operation|a task) (was|has been) (aborted|cancell?ed)",
            r"\bcontext cancell?ed\b",
            r"\buser aborted (a|the) request",
            r"client disconnected",
        ],
    ),
    (
        ErrorClass::Timeout,
        &[
            r"\btimed?[ -]out\b",
            r"timed?_?out(\b|_|s\b|error|exception|expired)",
            r"deadline.?exceeded",
            // What axios calls a timeout of its own.
            r"\beconnaborted\b",
        ],
    ),
    (
        ErrorClass::Auth,
        &[
            r"authenticat",
            r"unauthori[sz]ed",
            r"permission.?denied",
            r"\b(invalid|incorrect|missing|expired|no)\b[a-z -]{0,24}\b(api.?key|(access|auth|bearer|api) token|credential)",
            r"api.?key[a-z_ ]* (is )?(invalid|incorrect|missing|expired|not)",
            r"invalid_api_key",
            r"access.?denied",
            r"forbidden",
        ],
    ),
    (
        ErrorClass::Server,
        &[
            r"internal.?server",
            r"server.?error",
            r"service.?unavailable",
            r"bad.?gateway",
        ],
    ),
];

/// A number of three digits where a status stands: after a word that announces one, or at the start of the text.
const CODE: &str = r#"(?i)(?:(?P<said>(?:\b|_|status|error|http|response)(?:code|status|http(?:/[0-9](?:\.[0-9])?)?)["']?(?: (?:is|was|of))?\s?[:=(]?\s?["']?)|(?:^|error)["'\[(]?\s?[:=(]?\s?["']?)(?P<code>[0-9]{3})"#;

/// What follows a number that counts or measures something and is no status, in lower case.
const UNITS: &[&str] = &[
    "ms",
    "s",
    "sec",
    "secs",
    "second",
    "seconds",
    "min",
    "minutes",
    "b",
    "kb",
    "mb",
    "gb",
    "kib",
    "mib",
    "gib",
    "k",
    "usd",
    "bytes",
    "characters",
    "tokens",
    "items",
    "rows",
];

/// Bytes of a message in which words are looked for: whole answers and prompts are quoted in some.
const READ: usize = 16 * 1024;

struct Words {
    set: RegexSet,
    classes: Vec<ErrorClass>,
    code: Regex,
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
        code: Regex::new(CODE).ok()?,
    })
});

/// The class that the words of a type or a message tell.
fn by_words(text: &str) -> Option<ErrorClass> {
    let known = KNOWN.as_ref()?;
    let first = known.set.matches(text).iter().next()?;
    known.classes.get(first).copied()
}

/// The class that a status within a type or a message tells ("Error code: 429").
fn by_code(text: &str) -> Option<ErrorClass> {
    let known = KNOWN.as_ref()?;
    known.code.captures_iter(text).find_map(|found| {
        let code = found.name("code")?;
        let after = &text[code.end()..];
        let stands = stands_alone(after) && (found.name("said").is_some() || opens(after));
        by_http(code.as_str().parse().ok().filter(|_| stands)?)
    })
}

/// Whether the number before this text is whole and without a unit.
fn stands_alone(after: &str) -> bool {
    let mut rest = after.chars();
    match rest.next() {
        None => return true,
        Some('%' | '$' | '€' | '_') => return false,
        Some('.' | ',' | ':' | '-') if rest.next().is_some_and(|next| next.is_ascii_digit()) => {
            return false;
        }
        Some(next) if next.is_alphanumeric() => return false,
        Some(_) => {}
    }
    let unit = next_word(after);
    !UNITS.iter().any(|known| unit.eq_ignore_ascii_case(known))
}

/// Whether what follows a number that nothing announces reads like a reason ("429 Resource has been exhausted") and not
/// like what it counts ("500 documents").
fn opens(after: &str) -> bool {
    let word = next_word(after);
    word == "status" || !word.starts_with(|first: char| first.is_lowercase())
}

/// The word after a space; empty where something else stands there.
fn next_word(after: &str) -> &str {
    let word = after.strip_prefix(' ').unwrap_or_default();
    let end = word.find(|next: char| !next.is_alphanumeric());
    &word[..end.unwrap_or(word.len())]
}

/// The parts of a message that tell what went wrong: what stands before its traceback, and the line of the exception
/// after it. Frames between them hold file names, line numbers and code in which any word may stand.
fn told(message: &str) -> [&str; 2] {
    const PYTHON: &str = "Traceback (most recent call last)";
    let head = capped(message.split(PYTHON).next().unwrap_or_default());
    let is_frame = |line: &str| {
        let frame = line.trim_start_matches([' ', '\t']).strip_prefix("at ");
        frame.is_some_and(|frame| frame.contains(['(', ':']))
    };
    let mut lines = head.match_indices('\n').map(|(at, _)| at);
    let frames = lines.find(|at| head[at + 1..].lines().next().is_some_and(is_frame));
    let head = &head[..frames.unwrap_or(head.len())];
    // Of exceptions that led to one another the last.
    let last = message.rfind(PYTHON).and_then(|at| {
        let mut lines = message[at..].lines().skip(1);
        lines.find(|line| line.starts_with(|first: char| first.is_alphabetic()))
    });
    [head, capped(last.unwrap_or_default())]
}

fn capped(text: &str) -> &str {
    &text[..text.floor_char_boundary(READ)]
}

/// The class of an HTTP status; 529 is Anthropic's for an overload, 499 nginx's for a client that left. 400, 413 and 422
/// are said of any request that is not taken: words tell why.
fn by_http(code: u64) -> Option<ErrorClass> {
    Some(match code {
        429 | 529 => ErrorClass::RateLimit,
        408 | 504 | 524 => ErrorClass::Timeout,
        401 | 403 | 407 => ErrorClass::Auth,
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

/// Why the span failed: by its code, else by its words; a tool that failed is a tool's error whatever it says, unless its
/// type says that the caller gave up.
pub(super) fn class(
    map: &KeyMap,
    operation: Option<Operation>,
    error: &Stated<ErrorFact>,
) -> Stated<ErrorClass> {
    let stated = |class, key: &str| Stated::new(class, &error.convention, key);
    let fact = &error.value;
    let kind = fact.kind.as_deref().unwrap_or_default();
    // Claude Code has a span of a tool's execution below the tool's own.
    if operation == Some(Operation::Tool) || kind == "tool_error" {
        let gave_up = by_words(kind) == Some(ErrorClass::Cancelled);
        let class = if gave_up {
            ErrorClass::Cancelled
        } else {
            ErrorClass::Tool
        };
        return stated(class, &error.key);
    }
    let [head, last] = told(fact.message.as_deref().unwrap_or_default());
    let texts = [kind, head, last];
    let coded = by_attributes(map).or_else(|| {
        let class = texts.into_iter().find_map(by_code)?;
        Some((class, error.key.as_str()))
    });
    let said = || texts.into_iter().find_map(by_words);
    match coded {
        // OpenRouter refuses with 403 what moderation has flagged.
        Some((ErrorClass::Auth, _))
            if [head, last]
                .into_iter()
                .any(|text| by_words(text) == Some(ErrorClass::ContentFilter)) =>
        {
            stated(ErrorClass::ContentFilter, &error.key)
        }
        Some((class, key)) => stated(class, key),
        None => stated(said().unwrap_or(ErrorClass::Other), &error.key),
    }
}

/// The class that a status in an attribute of its own tells, and the attribute.
fn by_attributes(map: &KeyMap) -> Option<(ErrorClass, &'static str)> {
    let number = |key: &str| {
        let value = map.get(key)?;
        as_u64(value).or_else(|| display(value).trim().parse().ok())
    };
    HTTP.iter()
        .find_map(|key| Some((by_http(number(key)?)?, *key)))
        .or_else(|| {
            GRPC.iter()
                .find_map(|key| Some((by_grpc(&display(map.get(key)?))?, *key)))
        })
}

#[cfg(test)]
mod tests;
