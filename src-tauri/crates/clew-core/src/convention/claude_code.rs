//! Claude Code's tracing: spans of interactions, requests and tools with bare keys, and its log events.

use super::read::{KeyMap, Layer, Reader, Table, Unit, log_name};
use super::vocabulary::CacheRow;
use super::{Convention, Vocabulary};
use crate::model::{CacheCounting, Facts, Operation};

/// Claude Code's attributes.
#[derive(Debug)]
pub(super) struct ClaudeCode;

const ID: &str = "claude_code";

static VOCABULARY: Vocabulary = Vocabulary {
    version: "Claude Code 2.1",
    source: "https://code.claude.com/docs/en/monitoring-usage",
    scopes: &["com.anthropic.claude_code"],
    marks: &["claude_code.", "span.type"],
    known: &[
        "claude_code.",
        "duration_ms",
        "attempt",
        "success",
        "agent_id",
        "parent_agent_id",
        "prompt.id",
        "message.uuid",
        "client_request_id",
        "organization.id",
        "user.account_uuid",
        "user.account_id",
        "user.email",
        "terminal.type",
        "app.version",
        "interaction.sequence",
        "interaction.duration_ms",
        "user_prompt_length",
        "llm_request.context",
        "response.has_tool_call",
        "query_source",
        "speed",
        "status_code",
        "decision",
        "source",
        "file_path",
        "full_command",
        "permission_mode",
    ],
    table: Table {
        operation: &["span.type"],
        operations: &[
            ("llm_request", Operation::Llm),
            ("claude_code.llm_request", Operation::Llm),
            ("interaction", Operation::Agent),
            ("claude_code.interaction", Operation::Agent),
            ("tool", Operation::Tool),
            ("claude_code.tool", Operation::Tool),
            ("tool.execution", Operation::Other),
            ("tool.blocked_on_user", Operation::Other),
            ("hook", Operation::Other),
        ],
        request_model: &["gen_ai.request.model", "model"],
        response_id: &["gen_ai.response.id"],
        request_id: &["request_id"],
        input_tokens: &["input_tokens"],
        output_tokens: &["output_tokens"],
        cache_read: &["cache_read_tokens"],
        cache_write: &["cache_creation_tokens"],
        cost_usd: &["cost_usd"],
        finish_reasons: &["stop_reason"],
        ttft: &[("ttft_ms", Unit::Millis)],
        total_time: &[("duration_ms", Unit::Millis)],
        input_value: &["user_prompt", "new_context"],
        output_value: &["response.model_output"],
        tool_name: &["tool_name"],
        tool_call_id: &["tool_use_id", "gen_ai.tool.call.id"],
        tool_arguments: &["tool_input", "tool_parameters"],
        tool_result: &["tool_output", "tool_result"],
        system: &["system_prompt"],
        session: &["session.id"],
        user: &["user.id"],
        agent: &["agent_name", "subagent_type"],
        ..Table::EMPTY
    },
    cache: &[CacheRow::all(
        CacheCounting::Exclusive,
        "Claude Code: input_tokens is Anthropic's, which leaves cached tokens out.",
    )],
};

impl Convention for ClaudeCode {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "Claude Code"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }

    fn read(&self, map: &KeyMap) -> Facts {
        let mut reader = Reader::new(ID, map);
        // What a request cost stands in the log record beside its span.
        for log in map.view().logs {
            if matches!(log_name(log), "claude_code.api_request" | "api_request") {
                reader.push(Layer::new(log_name(log), &log.attributes));
            }
        }
        let mut facts = reader.read(&VOCABULARY.table);
        if facts.operation.as_ref().map(|stated| stated.value) == Some(Operation::Llm)
            && facts.provider.is_none()
        {
            facts.provider = Some(reader.stated("anthropic".to_owned(), "span.type"));
        }
        facts
    }
}
