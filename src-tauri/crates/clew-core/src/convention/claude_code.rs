//! Claude Code's tracing: spans of interactions, requests and tools with bare keys, and its log events.
//!
//! An event stands at the span that was open when it was written: what a request cost, and what the model said in
//! answer, at the interaction or at the tool whose agent asked, and not at the request's own span. Both name the request,
//! so that the ledger of the trace finds whose bill it is.

use opentelemetry_proto::tonic::logs::v1::LogRecord;

use super::read::{KeyMap, Layer, Reader, Table, Unit, id, log_name};
use super::vocabulary::CacheRow;
use super::{Convention, Vocabulary};
use crate::model::{Bill, CacheCounting, Facts, Operation, Stated, as_f64, as_u64};

/// Claude Code's attributes.
#[derive(Debug)]
pub(super) struct ClaudeCode;

const ID: &str = "claude_code";

/// The event that tells of a request to the model.
const REQUEST: &str = "claude_code.api_request";
/// The event that has what the model said.
const RESPONSE: &str = "claude_code.assistant_response";
/// The event of a tool's span that has what came out of it.
const TOOL_OUTPUT: &str = "tool.output";

/// What the layers of events state.
static SAID: Table = Table {
    output_value: &["response"],
    tool_result: &["output", "content", "diff"],
    ..Table::EMPTY
};

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
        "permission_mode",
        "anthropic.provider",
        "anthropic.custom_base_url",
        "parent.source",
        "queued_sends",
        "query_source_safe",
        "tool_name_safe",
        "bash_command_class",
        "bash_argv0",
        "first_content_ms",
        "effort",
        "error_class",
        "system_prompt_hash",
        "system_prompt_preview",
        "system_prompt_length",
        "system_reminders",
        "system_reminders_count",
        "tools_count",
        "new_context_message_count",
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
        tools: &["tools"],
        tool_arguments: &["tool_input", "tool_parameters", "full_command", "file_path"],
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

    fn version(&self, map: &KeyMap) -> Option<String> {
        map.service_version()
    }

    fn read(&self, map: &KeyMap) -> Facts {
        let logs = map.view().logs;
        let mut reader = Reader::new(ID, map);
        let is_request = reader
            .text(VOCABULARY.table.operation)
            .is_some_and(|kind| kind.value.ends_with("llm_request"));
        if is_request {
            for log in logs.iter().filter(|log| event(log) == REQUEST) {
                reader.push(Layer::new(REQUEST, &log.attributes));
            }
        }
        let mut facts = reader.read(&VOCABULARY.table);
        if facts.operation.as_ref().map(|stated| stated.value) == Some(Operation::Llm)
            && facts.provider.is_none()
        {
            facts.provider = Some(reader.stated("anthropic".to_owned(), "span.type"));
        }
        if !is_request {
            facts.bills = bills(logs);
        }
        let mut events = Reader::apart(ID, map);
        if let Some(last) = logs.iter().rfind(|log| event(log) == RESPONSE) {
            events.push(Layer::new(RESPONSE, &last.attributes));
        }
        for output in &map.view().span.events {
            if output.name == TOOL_OUTPUT {
                events.push(Layer::new(TOOL_OUTPUT, &output.attributes));
            }
        }
        let said = events.read(&SAID);
        facts.output_value = facts.output_value.or(said.output_value);
        if facts.operation.as_ref().map(|stated| stated.value) == Some(Operation::Tool)
            && let Some(tool) = &mut facts.tool
        {
            // What a tool adds to the context is its result.
            let added = facts.input_value.take().map(|added| added.value);
            let result = tool.value.result.take().or(added);
            let result = result.or_else(|| said.tool.and_then(|said| said.value.result));
            tool.value.result = result.map(unmarked);
            tool.value.arguments = tool.value.arguments.take().map(unmarked);
        }
        facts
    }
}

/// The name of an event with the prefix that newer versions write in the body alone.
fn event(log: &LogRecord) -> &'static str {
    let name = log_name(log);
    let bare = name.strip_prefix("claude_code.").unwrap_or(name);
    match bare {
        "api_request" => REQUEST,
        "assistant_response" => RESPONSE,
        _ => "",
    }
}

/// What the events at a span say of requests that have spans of their own.
fn bills(logs: &[LogRecord]) -> Option<Stated<Vec<Bill>>> {
    let requests = logs.iter().filter(|log| event(log) == REQUEST);
    let bills: Vec<Bill> = requests.filter_map(bill).collect();
    (!bills.is_empty()).then(|| Stated::new(bills, ID, REQUEST))
}

fn bill(log: &LogRecord) -> Option<Bill> {
    let value = |key: &str| {
        let stated = log.attributes.iter().rfind(|it| it.key == key)?;
        stated.value.as_ref()?.value.as_ref()
    };
    let usd = value("cost_usd").and_then(as_f64);
    let usd = usd.filter(|usd| usd.is_finite() && *usd > 0.0);
    let tokens = |key: &str| value(key).and_then(as_u64);
    let written = tokens("cache_creation_5m_tokens").zip(tokens("cache_creation_1h_tokens"));
    // Zero and zero is what it writes where the provider did not say.
    let written = written.filter(|written| *written != (0, 0));
    (usd.is_some() || written.is_some()).then(|| Bill {
        request: value("request_id").and_then(id),
        usd,
        written,
    })
}

/// A text without the line that says which tool it is of.
fn unmarked(text: String) -> String {
    let rest = text
        .strip_prefix("[TOOL ")
        .and_then(|marked| marked.split_once("]\n"));
    match rest {
        Some((mark, rest)) if !mark.contains('\n') => rest.to_owned(),
        _ => text,
    }
}
