//! Codex's telemetry: spans of turns, model calls and tools, and its log events, with bare keys.

use super::read::{KeyMap, Layer, Reader, Table, Unit, log_name};
use super::vocabulary::CacheRow;
use super::{Convention, Vocabulary};
use crate::model::{CacheCounting, Facts, Operation, Stated};

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
];

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
    ],
    table: Table {
        provider: &["provider_name"],
        request_model: &["model", "slug"],
        request_id: &["request_id"],
        input_tokens: &["gen_ai.usage.input_tokens", "input_token_count"],
        output_tokens: &["gen_ai.usage.output_tokens", "output_token_count"],
        cache_read: &["gen_ai.usage.cache_read.input_tokens", "cached_token_count"],
        reasoning: &[
            "codex.usage.reasoning_output_tokens",
            "reasoning_token_count",
        ],
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

    fn read(&self, map: &KeyMap) -> Facts {
        let mut reader = Reader::new(ID, map);
        let view = map.view();
        for log in view
            .logs
            .iter()
            .filter(|log| log_name(log).starts_with("codex."))
        {
            reader.push(Layer::new(log_name(log), &log.attributes));
        }
        for event in view
            .span
            .events
            .iter()
            .filter(|event| event.name.starts_with("codex."))
        {
            reader.push(Layer::new(&event.name, &event.attributes));
        }
        let mut facts = reader.read(&VOCABULARY.table);
        let name = view.span.name.as_str();
        let known = SPANS.iter().find(|(known, _)| *known == name);
        facts.operation = if map.has("codex.usage.total_tokens") {
            // The span of the response's last event, which alone knows what the call used.
            Some(reader.stated(Operation::Llm, "codex.usage.total_tokens"))
        } else {
            known.map(|(_, operation)| Stated::new(*operation, ID, "span name"))
        };
        facts
    }
}
