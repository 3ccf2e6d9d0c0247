//! Codex's telemetry: spans of turns, model calls and tools, and its events, with bare keys.
//!
//! Its events come as log records, with their content, and at the same span as span events, without. Most have the place
//! in the source as their name, and their own name in the attribute `event.name`.
//!
//! What a call used is read from its span alone. The event `codex.sse_event` of `response.completed` has the same counts
//! (`input_token_count` and the like), but names no trace, no span and no response: nothing tells whether a span has
//! counted them already, so they are shown as a log record and counted nowhere.

use opentelemetry_proto::tonic::common::v1::KeyValue;

use super::read::{KeyMap, Layer, Reader, Table, Unit};
use super::vocabulary::CacheRow;
use super::{Convention, Vocabulary};
use crate::model::{CacheCounting, Facts, Operation, Stated, as_str};

/// Codex's attributes.
#[derive(Debug)]
pub(super) struct Codex;

const ID: &str = "codex";

/// Span names of the Codex command line that say what a span is.
const SPANS: &[(&str, Operation)] = &[
    ("run_turn", Operation::Agent),
    ("run_sampling_request", Operation::Chain),
    ("try_run_sampling_request", Operation::Chain),
    ("dispatch_tool_call", Operation::Tool),
    ("dispatch_tool_call_with_state", Operation::Tool),
];

/// Events whose attributes tell of the span at which they stand.
const EVENTS: &[&str] = &[
    "codex.api_request",
    "codex.conversation_starts",
    "codex.tool_result",
    "codex.user_prompt",
];

/// The event of the first token of a turn: its duration is the time until then.
const FIRST_TOKEN: &str = "codex.turn_ttft";

static VOCABULARY: Vocabulary = Vocabulary {
    version: "codex 0.169",
    source: "https://github.com/openai/codex/blob/main/codex-rs/otel/src/events/session_telemetry.rs",
    scopes: &[
        "codex_otel",
        "codex_cli_rs",
        "codex_exec",
        "codex_core",
        "codex",
    ],
    marks: &["codex.", "conversation.id", "codex_otel."],
    known: &[
        "codex.",
        "conversation.id",
        "from",
        "event.kind",
        "auth_mode",
        "auth.",
        "originator",
        "app.version",
        "terminal.type",
        "slug",
        "attempt",
        "prompt_length",
        "duration_ms",
        "success",
        "otel.",
        "thread.id",
        "turn.id",
        "turn_id",
        "thread_id",
        "approval_policy",
        "sandbox_policy",
        "reasoning_effort",
        "reasoning_summary",
        "provider_name",
        "mcp_server",
        "mcp_server_origin",
        "output_length",
        "output_line_count",
        "busy_ns",
        "idle_ns",
        "target",
        "submission.id",
        "app_server.",
        "rpc.",
        "transport",
        "wire_api",
        "api.path",
        "session_init.",
        "thread_start.",
        "cwd",
        "item_count",
        "tool_source",
        "tool_namespace",
        "tool_spec_count",
        "cell.id",
        "runtime_tool_call_id",
        "aborted",
        "turn.has_metadata_header",
    ],
    table: Table {
        provider: &["provider_name"],
        request_model: &["model", "slug"],
        request_id: &["request_id"],
        input_tokens: &["gen_ai.usage.input_tokens"],
        output_tokens: &["gen_ai.usage.output_tokens"],
        cache_read: &["gen_ai.usage.cache_read.input_tokens"],
        cache_write: &["gen_ai.usage.cache_write.input_tokens"],
        reasoning: &["codex.usage.reasoning_output_tokens"],
        total_tokens: &["codex.usage.total_tokens"],
        total_time: &[("duration_ms", Unit::Millis)],
        ttft: &[("ttft_ms", Unit::Millis)],
        input_value: &["prompt"],
        tool_name: &["tool_name"],
        tool_call_id: &["call_id"],
        tool_arguments: &["arguments"],
        tool_result: &["output"],
        session: &["conversation.id"],
        ..Table::EMPTY
    },
    cache: &[CacheRow::all(
        CacheCounting::Inclusive,
        "Codex: the counts are those of OpenAI's Responses, where cached tokens are a part of the input.",
    )],
};

impl Convention for Codex {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "Codex"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }

    fn version(&self, map: &KeyMap) -> Option<String> {
        map.service_version()
    }

    fn read(&self, map: &KeyMap) -> Facts {
        let mut reader = Reader::new(ID, map);
        let view = map.view();
        let logs = view.logs.iter();
        let logs = logs.map(|log| (log.event_name.as_str(), log.attributes.as_slice()));
        let events = view.span.events.iter();
        let events = events.map(|event| (event.name.as_str(), event.attributes.as_slice()));
        for (written, attributes) in logs.chain(events) {
            let name = name_of(written, attributes);
            if EVENTS.contains(&name) {
                reader.push(Layer::new(name, attributes));
            } else if name == FIRST_TOKEN {
                let until = attributes.iter().rfind(|it| it.key == "duration_ms");
                if let Some(value) = until.and_then(|it| it.value.as_ref()?.value.as_ref()) {
                    reader.push(Layer::renamed(&[("ttft_ms", FIRST_TOKEN, value)]));
                }
            }
        }
        let mut facts = reader.read(&VOCABULARY.table);
        let name = view.span.name.as_str();
        let known = SPANS.iter().find(|(known, _)| *known == name);
        facts.operation = if map.has("codex.usage.total_tokens") {
            // The span of the response's last event, which alone knows what the call used.
            Some(reader.stated(Operation::Llm, "codex.usage.total_tokens"))
        } else if let Some((_, operation)) = known {
            Some(Stated::new(*operation, ID, "span name"))
        } else {
            // Many of its spans name the model, and none of the others calls it.
            let is_own = VOCABULARY.scope(&view.scope.name) > 0;
            is_own.then(|| Stated::new(Operation::Other, ID, "span name"))
        };
        facts
    }
}

/// What an event is called: its attribute says it where its name is a place in the source.
fn name_of<'a>(written: &'a str, attributes: &'a [KeyValue]) -> &'a str {
    let stated = attributes.iter().rfind(|it| it.key == "event.name");
    stated
        .and_then(|it| as_str(it.value.as_ref()?.value.as_ref()?))
        .unwrap_or(written)
}
