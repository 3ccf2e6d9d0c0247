//! What lists, trees and totals need of a span: its row, and the few derived facts beside it.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::ledger::is_call;
use crate::convention::conversation;
use crate::estimate::{Estimate, estimate};
use crate::model::{
    Bill, ErrorClass, Facts, Message, Operation, Part, SpanId, Stage, UnixNanos, Usage, first_token,
};
use crate::quality::Finding;

/// Characters of a preview.
const PREVIEW: usize = 200;
/// Longest raw value that is read for a preview, in bytes.
const MAX_GIST: usize = 64 * 1024;
/// Most bills that a row keeps; the calls of further ones have the price that a list makes.
const MAX_BILLS: usize = 256;

/// One span of a trace as tree, waterfall and summary see it.
#[derive(Debug, Clone, PartialEq)]
pub struct SpanRow {
    /// Its id, unique within the trace.
    pub span_id: SpanId,
    /// Its parent; `None` at a root.
    pub parent: Option<SpanId>,
    /// When it started; 0 where not stated.
    pub start: UnixNanos,
    /// When it ended; 0 while pending.
    pub end: UnixNanos,
    /// Its name as received.
    pub name: String,
    /// `service.name` of its resource.
    pub service: String,
    /// 0 unset, 1 ok, 2 error.
    pub status: u8,
    /// Whether text that was not UTF-8 was repaired.
    pub repaired: bool,
    /// How many different contents were received under its id, this one included.
    pub variants: u32,
    /// Microseconds since the epoch at which it was received.
    pub received_micros: u64,
    /// What it says of itself; `None` until that is derived. Apart from the row, which is moved and sorted a lot.
    pub facts: Option<Box<RowFacts>>,
}

impl SpanRow {
    /// Whether the span ended in an error: by its status, or by what it says of itself.
    #[must_use]
    pub fn failed(&self) -> bool {
        let stated = self
            .facts
            .as_ref()
            .is_some_and(|facts| facts.error.is_some());
        self.status == 2 || stated
    }

    /// What a person would call the span: its display name, else its name.
    #[must_use]
    pub fn title(&self) -> &str {
        let stated = self
            .facts
            .as_ref()
            .and_then(|facts| facts.display_name.as_deref());
        stated.unwrap_or(&self.name)
    }

    /// Nanoseconds to its first token; `None` where not stated, or where what is stated cannot be.
    #[must_use]
    pub fn ttft_nanos(&self) -> Option<u64> {
        first_token(self.facts.as_ref()?.ttft_nanos?, self.start.0, self.end.0)
    }

    /// What kind of step it is.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.facts
            .as_ref()
            .map_or(Operation::Other, |facts| facts.operation)
    }
}

/// The derived facts that lists and waterfalls need of a span: small, and a pure function of [`Facts`] and findings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowFacts {
    /// What kind of step it is.
    pub operation: Operation,
    /// A better title than the span's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Who serves the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The model that answered, else the one that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The model that was asked for, where another one answered.
    pub request_model: Option<String>,
    /// The provider's id of the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_id: Option<String>,
    /// The id of the request, of a model call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What names the call where one SDK tells of it in two spans.
    pub same_call: Option<String>,
    /// The tier that served the call.
    pub service_tier: Option<String>,
    /// Whether the call was part of a batch.
    pub batch: bool,
    /// Whether the call was sent to an address of this machine.
    pub loopback: bool,
    /// The feature or kind of task that the call serves.
    pub feature: Option<String>,
    /// Token counts as stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Whether `usage` leaves out what was read from the provider's cache, and reasoning.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_partial: bool,
    /// Tokens counted in what is recorded, where none are stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
    /// Stated cost in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// What its log records say of requests that other spans made, each request once: at most 256, by request id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bills: Vec<Bill>,
    /// Nanoseconds to the first token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttft_nanos: Option<u64>,
    /// Why the model stopped, the first choice's reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish: Option<String>,
    /// Why it went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_class: Option<ErrorClass>,
    /// The stage of a pipeline that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// What went wrong, on one line of at most 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Session id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// User id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The agent's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The prompt template's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_name: Option<String>,
    /// The prompt template's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_version: Option<String>,
    /// Documents retrieved.
    pub documents: u32,
    /// The input on one line of at most 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_preview: Option<String>,
    /// The output on one line of at most 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_preview: Option<String>,
    /// Ids of the heuristics that fired.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
}

impl RowFacts {
    /// Takes what a row needs out of everything that is known of a span.
    #[must_use]
    pub fn of(facts: &Facts, findings: &[Finding]) -> Self {
        fn value<T: Clone>(stated: Option<&crate::model::Stated<T>>) -> Option<T> {
            stated.map(|stated| stated.value.clone())
        }
        let prompt = facts.prompt.as_ref().map(|prompt| &prompt.value);
        let finish = facts.finish_reasons.as_ref();
        let error = facts.error.as_ref().map(|error| {
            let (kind, message) = (&error.value.kind, &error.value.message);
            let text = match (kind, message) {
                (Some(kind), Some(message)) if message.starts_with(kind.as_str()) => {
                    message.clone()
                }
                (Some(kind), Some(message)) => format!("{kind}: {message}"),
                (kind, message) => message
                    .clone()
                    .or_else(|| kind.clone())
                    .unwrap_or_else(|| "error".to_owned()),
            };
            let told = text.split("Traceback (most recent call last)").next();
            preview(told.unwrap_or_default()).unwrap_or_else(|| "error".to_owned())
        });
        let operation = value(facts.operation.as_ref()).unwrap_or(Operation::Other);
        Self {
            operation,
            display_name: value(facts.display_name.as_ref()).and_then(|name| preview(&name)),
            provider: value(facts.provider.as_ref()),
            model: value(
                facts
                    .response_model
                    .as_ref()
                    .or(facts.request_model.as_ref()),
            ),
            request_model: value(facts.request_model.as_ref())
                .filter(|_| facts.response_model.is_some()),
            response_id: value(facts.response_id.as_ref()),
            request_id: value(facts.request_id.as_ref()).filter(|_| is_call(operation)),
            same_call: value(facts.same_call.as_ref()),
            service_tier: value(facts.service_tier.as_ref()),
            batch: facts.batch.as_ref().is_some_and(|batch| batch.value),
            loopback: facts
                .server
                .as_ref()
                .is_some_and(|server| is_loopback(&server.value)),
            feature: value(facts.feature.as_ref()),
            usage: value(facts.usage.as_ref()),
            is_partial: facts.left_out.is_some(),
            estimate: estimate(facts),
            cost_usd: value(facts.cost_usd.as_ref()),
            bills: bills(facts),
            ttft_nanos: value(facts.ttft_nanos.as_ref()),
            finish: finish.and_then(|reasons| reasons.value.first().cloned()),
            error,
            error_class: facts.error_class.as_ref().map(|class| class.value),
            stage: facts.stage.as_ref().map(|stage| stage.value),
            session: value(facts.session.as_ref()),
            user: value(facts.user.as_ref()),
            agent: value(facts.agent.as_ref()),
            prompt_name: prompt.and_then(|prompt| prompt.name.clone()),
            prompt_version: prompt.and_then(|prompt| prompt.version.clone()),
            documents: facts
                .document_count
                .as_ref()
                .map_or(0, |count| u32::try_from(count.value).unwrap_or(u32::MAX)),
            input_preview: input_preview(facts),
            output_preview: output_preview(facts),
            findings: findings
                .iter()
                .filter(|finding| finding.fired())
                .map(|finding| finding.heuristic.clone())
                .collect(),
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// The bills of a span in an order that does not follow from their arrival, and of several for one request the highest.
fn bills(facts: &Facts) -> Vec<Bill> {
    let stated = facts.bills.as_ref();
    let mut bills = stated.map_or_else(Vec::new, |bills| bills.value.clone());
    bills.sort_by(|one, two| {
        let cost = |bill: &Bill| bill.usd.unwrap_or(0.0);
        (&one.request, cost(two), two.written)
            .partial_cmp(&(&two.request, cost(one), one.written))
            .unwrap_or(Ordering::Equal)
    });
    bills.dedup_by(|one, two| one.request.is_some() && one == two);
    bills.truncate(MAX_BILLS);
    bills
}

/// Whether a stated address, a host or a URL, is one of this machine.
fn is_loopback(server: &str) -> bool {
    let rest = server.split_once("://").map_or(server, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let bare = match host.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None if host.matches(':').count() == 1 => host.split(':').next().unwrap_or_default(),
        None => host,
    };
    let name = bare.to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || bare
            .parse::<core::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback() || address.is_unspecified())
}

fn input_preview(facts: &Facts) -> Option<String> {
    let input = facts.input.as_ref().map(|input| input.value.as_slice());
    let asked = input.and_then(|messages| {
        let user = messages
            .iter()
            .rev()
            .filter(|message| message.role == "user")
            .find_map(said);
        let mut spoken = messages
            .iter()
            .rev()
            .filter(|message| message.role != "system");
        user.or_else(|| spoken.find_map(said))
    });
    asked
        .or_else(|| facts.tool.as_ref()?.value.arguments.clone())
        .or_else(|| Some(facts.query.as_ref()?.value.clone()))
        .or_else(|| Some(gist(&facts.input_value.as_ref()?.value, "user")))
        .and_then(|text| preview(&text))
}

fn output_preview(facts: &Facts) -> Option<String> {
    let output = facts.output.as_ref().map(|output| output.value.as_slice());
    let answered = output.and_then(|messages| messages.iter().find_map(said));
    answered
        .or_else(|| facts.tool.as_ref()?.value.result.clone())
        .or_else(|| Some(gist(&facts.output_value.as_ref()?.value, "assistant")))
        .and_then(|text| preview(&text))
}

/// What a message says: its texts, else what it asks of a tool or got from it.
fn said(message: &Message) -> Option<String> {
    let texts: Vec<&str> = message
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::Text { text } | Part::Refusal { text } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    if texts.iter().any(|text| !text.trim().is_empty()) {
        return Some(texts.join(" "));
    }
    message.parts.iter().find_map(|part| match part {
        Part::ToolCall {
            name, arguments, ..
        } => Some(format!("{name}({arguments})")),
        Part::ToolResult { content, .. } => Some(content.clone()),
        Part::Media { modality, .. } => Some(format!("[{modality}]")),
        _ => None,
    })
}

/// What a raw value says: the last message of `role` in it, the one text in an object such as `{"input": "…"}`, else all
/// of it.
fn gist(value: &str, role: &str) -> String {
    if value.len() > MAX_GIST || !value.starts_with(['{', '[']) {
        return value.to_owned();
    }
    if let Some(messages) = conversation(value) {
        let last = messages.iter().rev().filter(|message| message.role == role);
        let text = last.chain(messages.iter().rev()).find_map(said);
        return text.unwrap_or_default();
    }
    let Ok(Json::Object(fields)) = serde_json::from_str(value) else {
        return value.to_owned();
    };
    let mut texts = fields.values().filter_map(Json::as_str);
    match (texts.next(), texts.next()) {
        (Some(text), None) => text.to_owned(),
        _ => value.to_owned(),
    }
}

/// The text on one line, cut to 200 characters; `None` where nothing is left.
fn preview(text: &str) -> Option<String> {
    let mut line = String::new();
    let mut left = PREVIEW;
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
            left = left.saturating_sub(1);
        }
        let cut: String = word.chars().take(left).collect();
        left = left.saturating_sub(cut.chars().count());
        line.push_str(&cut);
        if left == 0 {
            break;
        }
    }
    let line = line.trim_end().to_owned();
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ErrorFact, Stated};
    use crate::quality::HeuristicKind;

    fn stated<T>(value: T) -> Option<Stated<T>> {
        Some(Stated::new(value, "test", "key"))
    }

    fn message(role: &str, text: &str) -> Message {
        Message {
            role: role.to_owned(),
            parts: vec![Part::Text {
                text: text.to_owned(),
            }],
            ..Message::default()
        }
    }

    #[test]
    fn previews_show_the_users_last_words_and_the_answer() {
        let mut call = message("assistant", "");
        call.parts = vec![Part::ToolCall {
            id: None,
            name: "find".to_owned(),
            arguments: "{}".to_owned(),
        }];
        let facts = Facts {
            input: stated(vec![
                message("system", "be brief"),
                message("user", "first"),
                message("assistant", "answer"),
                message("user", "where is\n  my order?"),
            ]),
            output: stated(vec![call]),
            ..Facts::default()
        };
        let row = RowFacts::of(&facts, &[]);
        assert_eq!(row.input_preview.as_deref(), Some("where is my order?"));
        assert_eq!(row.output_preview.as_deref(), Some("find({})"));
        let silent = Facts {
            input: stated(vec![message("system", "be brief")]),
            ..Facts::default()
        };
        assert_eq!(RowFacts::of(&silent, &[]).input_preview, None);
    }

    #[test]
    fn previews_of_raw_values_show_what_they_say() {
        for (value, expected) in [
            ("plain words", "plain words"),
            (r#"{"input": "only text", "n": 3}"#, "only text"),
            (
                r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}]}"#,
                "hi",
            ),
            (r#"{"a": "one", "b": "two"}"#, r#"{"a": "one", "b": "two"}"#),
            (r#"{"cut": "#, r#"{"cut":"#),
        ] {
            let facts = Facts {
                input_value: stated(value.to_owned()),
                ..Facts::default()
            };
            let preview = RowFacts::of(&facts, &[]).input_preview;
            assert_eq!(preview.as_deref(), Some(expected));
        }
    }

    #[test]
    fn previews_have_one_line_of_at_most_two_hundred_characters() {
        let facts = Facts {
            output_value: stated("ä\n".repeat(10_000)),
            ..Facts::default()
        };
        let preview = RowFacts::of(&facts, &[]).output_preview.expect("text");
        assert!(preview.chars().count() <= 200 && preview.starts_with("ä ä ä"));
        let long = Facts {
            output_value: stated("x".repeat(10_000)),
            ..Facts::default()
        };
        assert_eq!(
            RowFacts::of(&long, &[])
                .output_preview
                .map(|text| text.len()),
            Some(200)
        );
    }

    #[test]
    fn an_error_is_told_once_and_without_its_traceback() {
        for (kind, message, expected) in [
            (Some("Timeout"), Some("slow"), "Timeout: slow"),
            (Some("Timeout"), Some("Timeout: slow"), "Timeout: slow"),
            (
                None,
                Some("E('x')Traceback (most recent call last):\n File"),
                "E('x')",
            ),
            (Some("429"), None, "429"),
            (None, None, "error"),
        ] {
            let facts = Facts {
                error: stated(ErrorFact {
                    kind: kind.map(ToOwned::to_owned),
                    message: message.map(ToOwned::to_owned),
                }),
                ..Facts::default()
            };
            assert_eq!(RowFacts::of(&facts, &[]).error.as_deref(), Some(expected));
        }
    }

    #[test]
    fn addresses_of_this_machine_are_known() {
        for (server, expected) in [
            ("localhost", true),
            ("LOCALHOST:8000", true),
            ("http://127.0.0.1:11434/v1", true),
            ("::1", true),
            ("http://[::1]:8080", true),
            ("0.0.0.0", true),
            ("models.localhost", true),
            ("api.openai.com", false),
            ("https://localhost.example.com", false),
            ("https://localhost@example.com/", false),
            ("10.0.0.1:80", false),
        ] {
            assert_eq!(is_loopback(server), expected, "{server}");
        }
    }

    #[test]
    fn only_heuristics_that_fired_are_named() {
        let finding = |heuristic: &str, kind: HeuristicKind, value: f64| Finding {
            heuristic: heuristic.to_owned(),
            kind,
            value,
            evidence: Vec::new(),
        };
        let row = RowFacts::of(
            &Facts::default(),
            &[
                finding("refusal", HeuristicKind::Finding, 1.0),
                finding("hallucination_marker", HeuristicKind::Finding, 0.0),
                finding("sentiment", HeuristicKind::Score, -0.2),
            ],
        );
        assert_eq!(row.findings, ["refusal"]);
    }
}
