//! The AI SDK (Vercel): `ai.*` of versions 3 to 7 beside `gen_ai.*`, with an outer span for the call of the SDK and an
//! inner one for each call of the model.

use serde_json::{Value as Json, json};

use super::read::{self, KeyMap, Reader, Table, Unit, event_message, structured};
use super::vocabulary::CacheRow;
use super::{Convention, Vocabulary};
use crate::model::{CacheCounting, Facts, Message, Operation, Part, Stated, ToolDefinition};

/// The AI SDK's attributes.
#[derive(Debug)]
pub(super) struct VercelAi;

const ID: &str = "vercel_ai";

static VOCABULARY: Vocabulary = Vocabulary {
    version: "ai 7.0, 6, 5, 4 and 3",
    source: "https://ai-sdk.dev/docs/ai-sdk-core/telemetry#collected-data",
    scopes: &["ai", "gen_ai"],
    marks: &[
        "ai.operationId",
        "ai.model.",
        "ai.prompt",
        "ai.prompt.",
        "ai.response.",
        "ai.result.",
        "ai.settings.",
        "ai.telemetry.",
        "ai.toolCall.",
        "ai.usage.",
    ],
    known: &[
        "operation.name",
        "resource.name",
        "ai.request.headers.",
        "ai.prompt",
        "ai.prompt.toolChoice",
        "ai.prompt.format",
        "ai.response.",
        "ai.result.",
        "ai.settings.",
        "ai.telemetry.",
        "ai.schema",
        "ai.schema.name",
        "ai.schema.description",
        "ai.embedding",
        "ai.embeddings",
        "ai.usage.",
        "ai.stream.msToFirstChunk",
        "ai.finishReason",
        "gen_ai.execute_tool.duration",
        "gen_ai.finishReason",
    ],
    table: Table {
        operation: &["ai.operationId"],
        operations: &[
            ("ai.generatetext.dogenerate", Operation::Llm),
            ("ai.streamtext.dostream", Operation::Llm),
            ("ai.generateobject.dogenerate", Operation::Llm),
            ("ai.streamobject.dostream", Operation::Llm),
            ("ai.generatetext", Operation::Chain),
            ("ai.streamtext", Operation::Chain),
            ("ai.generateobject", Operation::Chain),
            ("ai.streamobject", Operation::Chain),
            ("ai.toolcall", Operation::Tool),
            ("ai.embed", Operation::Chain),
            ("ai.embedmany", Operation::Chain),
            ("ai.embed.doembed", Operation::Embedding),
            ("ai.embedmany.doembed", Operation::Embedding),
            ("ai.rerank", Operation::Chain),
            ("ai.rerank.dorerank", Operation::Reranker),
        ],
        provider: &["ai.model.provider"],
        request_model: &["ai.model.id"],
        response_model: &["ai.response.model"],
        response_id: &["ai.response.id"],
        input_tokens: &[
            "ai.usage.inputTokens",
            "ai.usage.promptTokens",
            "ai.usage.tokens",
            "gen_ai.usage.input_tokens",
        ],
        output_tokens: &[
            "ai.usage.outputTokens",
            "ai.usage.completionTokens",
            "gen_ai.usage.output_tokens",
        ],
        total_tokens: &["ai.usage.totalTokens"],
        cache_read: &[
            "ai.usage.inputTokenDetails.cacheReadTokens",
            "ai.usage.cachedInputTokens",
            "gen_ai.usage.cache_read.input_tokens",
        ],
        cache_write: &[
            "ai.usage.inputTokenDetails.cacheWriteTokens",
            "gen_ai.usage.cache_creation.input_tokens",
        ],
        reasoning: &[
            "ai.usage.outputTokenDetails.reasoningTokens",
            "ai.usage.reasoningTokens",
        ],
        cost_usd: &["ai.total_cost"],
        finish_reasons: &[
            "ai.response.finishReason",
            "ai.finishReason",
            "gen_ai.finishReason",
        ],
        ttft: &[
            ("ai.response.msToFirstChunk", Unit::Millis),
            ("ai.stream.msToFirstChunk", Unit::Millis),
        ],
        chunk_events: &["ai.stream.firstChunk"],
        total_time: &[("ai.response.msToFinish", Unit::Millis)],
        tokens_per_second: &[
            "ai.response.avgOutputTokensPerSecond",
            "ai.response.avgCompletionTokensPerSecond",
        ],
        parameters: &[
            ("temperature", &["ai.settings.temperature"]),
            ("top_p", &["ai.settings.topP"]),
            ("top_k", &["ai.settings.topK"]),
            (
                "max_tokens",
                &["ai.settings.maxOutputTokens", "ai.settings.maxTokens"],
            ),
            ("seed", &["ai.settings.seed"]),
            ("max_steps", &["ai.settings.maxSteps"]),
            ("max_retries", &["ai.settings.maxRetries"]),
            ("mode", &["ai.settings.mode"]),
            ("output", &["ai.settings.output"]),
            ("tool_choice", &["ai.prompt.toolChoice"]),
            ("schema", &["ai.schema"]),
        ],
        input: &["ai.prompt.messages"],
        input_value: &["ai.value", "ai.values"],
        tool_name: &["ai.toolCall.name"],
        tool_call_id: &["ai.toolCall.id"],
        tool_arguments: &["ai.toolCall.args", "ai.toolCall.input"],
        tool_result: &["ai.toolCall.result", "ai.toolCall.output"],
        session: &["ai.telemetry.metadata.sessionId"],
        user: &["ai.telemetry.metadata.userId"],
        feature: &["ai.telemetry.metadata.feature", "ai.telemetry.functionId"],
        tags: &["ai.telemetry.metadata.tags"],
        ..Table::EMPTY
    },
    cache: &[
        CacheRow {
            providers: &[],
            with: "ai.usage.inputTokenDetails.noCacheTokens",
            without: "",
            counting: CacheCounting::Inclusive,
            source: "AI SDK 6 and newer: inputTokens is the sum of noCacheTokens, cacheReadTokens and cacheWriteTokens.",
        },
        CacheRow {
            providers: &["anthropic", "aws.bedrock"],
            with: "ai.operationId",
            without: "ai.usage.inputTokenDetails.noCacheTokens",
            counting: CacheCounting::Exclusive,
            source: "AI SDK 4 and 5 with Anthropic or Bedrock: inputTokens is the provider's own count, which leaves cached tokens out.",
        },
        CacheRow::all(
            CacheCounting::Inclusive,
            "AI SDK: inputTokens is the provider's own count; this provider's includes cached tokens.",
        ),
    ],
};

impl Convention for VercelAi {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "AI SDK"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }

    fn version(&self, map: &KeyMap) -> Option<String> {
        let has = |key| map.has(key);
        let generation = if map.view().scope.name == "gen_ai" {
            "7"
        } else if has("ai.usage.inputTokenDetails.noCacheTokens") {
            "6 or newer"
        } else if has("ai.settings.maxTokens")
            || has("ai.settings.maxSteps")
            || has("ai.prompt.format")
        {
            "4 or older"
        } else if has("ai.usage.inputTokens") || has("ai.settings.maxOutputTokens") {
            "5"
        } else {
            return None;
        };
        Some(generation.to_owned())
    }

    fn read(&self, map: &KeyMap) -> Facts {
        let reader = Reader::new(ID, map);
        let mut facts = reader.read(&VOCABULARY.table);
        cached(&reader, &mut facts);
        // What a tool answered and what is embedded are written as JSON.
        if let Some(tool) = &mut facts.tool {
            tool.value.result = tool.value.result.take().map(plain);
        }
        if let Some(value) = &mut facts.input_value {
            value.value = plain(std::mem::take(&mut value.value));
        }
        let agent = map.has("ai.response.toolCalls")
            || map
                .get("ai.settings.maxSteps")
                .and_then(crate::model::as_u64)
                .is_some_and(|steps| steps > 1);
        if let Some(operation) = &mut facts.operation
            && operation.value == Operation::Chain
        {
            if agent {
                operation.value = Operation::Agent;
            }
            facts.display_name = reader.text(&["ai.telemetry.functionId"]);
        }
        if map.content() {
            if facts.input.is_none() {
                facts.input = prompt(&reader);
            }
            facts.output = answer(&reader, &facts);
            facts.tools = tools(&reader);
        }
        if facts.streaming.is_none()
            && facts
                .operation
                .as_ref()
                .is_some_and(|operation| operation.key == "ai.operationId")
        {
            let id = map.get("ai.operationId").map(crate::model::display);
            let stream = id.is_some_and(|id| id.starts_with("ai.stream"));
            facts.streaming = Some(reader.stated(stream, "ai.operationId"));
        }
        facts
    }
}

/// A JSON string as its text; anything else as it is.
fn plain(text: String) -> String {
    match read::parse(&text) {
        Some(Json::String(inner)) => inner,
        _ => text,
    }
}

/// Versions 4 and 5 leave what the cache held, and what was written to it, to the provider's own metadata.
fn cached(reader: &Reader, facts: &mut Facts) {
    let Some(usage) = &mut facts.usage else {
        return;
    };
    if usage.value.cache_write.is_some() && usage.value.cache_read.is_some() {
        return;
    }
    let keys = &["ai.response.providerMetadata", "ai.result.providerMetadata"];
    let Some(stated) = reader.json(keys) else {
        return;
    };
    if let Some(openai) = read::field(&stated.value, &["openai"]) {
        // Version 4; OpenAI counts both as parts.
        let number = |name: &str| openai.get(name).and_then(Json::as_u64);
        usage.value.cache_read = usage.value.cache_read.or(number("cachedPromptTokens"));
        usage.value.reasoning = usage.value.reasoning.or(number("reasoningTokens"));
    }
    let Some(anthropic) = read::field(&stated.value, &["anthropic"]) else {
        return;
    };
    let number = |name: &str| anthropic.get(name).and_then(Json::as_u64);
    let hour = anthropic
        .pointer("/usage/cache_creation/ephemeral_1h_input_tokens")
        .and_then(Json::as_u64);
    let exclusive = facts.cache_rule.as_ref().map(|rule| rule.value.counting)
        == Some(CacheCounting::Exclusive)
        || facts.cache_rule.is_none();
    let mut added = 0;
    if usage.value.cache_write.is_none() {
        usage.value.cache_write = number("cacheCreationInputTokens");
        added += usage.value.cache_write.unwrap_or(0);
    }
    if usage.value.cache_read.is_none() {
        usage.value.cache_read = number("cacheReadInputTokens");
        added += usage.value.cache_read.unwrap_or(0);
    }
    usage.value.cache_write_1h = usage.value.cache_write_1h.or(hour.filter(|hour| *hour > 0));
    if exclusive && added > 0 {
        usage.value.input = usage.value.input.map(|input| input.saturating_add(added));
        facts.cache_rule = facts.cache_rule.take().or_else(|| {
            Some(reader.stated(
                crate::model::CacheRule {
                    counting: CacheCounting::Exclusive,
                    source: VOCABULARY.cache[1].source.to_owned(),
                },
                &stated.key,
            ))
        });
    }
}

/// What the SDK was called with: `{system, prompt, messages}`.
fn prompt(reader: &Reader) -> Option<Stated<Vec<Message>>> {
    let stated = reader.json(&["ai.prompt"])?;
    let mut messages = Vec::new();
    if let Some(system) = read::text(&stated.value, &["system", "instructions"]) {
        messages.push(read::text_message("system", system));
    }
    for name in ["messages", "prompt"] {
        match read::field(&stated.value, &[name]) {
            Some(Json::String(text)) => messages.push(read::text_message("user", text.clone())),
            Some(list) => messages.extend(read::from_json(list, "user").into_iter().flatten()),
            None => {}
        }
    }
    (!messages.is_empty()).then(|| reader.stated(messages, &stated.key))
}

/// The answer, whose pieces stand in attributes of their own.
fn answer(reader: &Reader, facts: &Facts) -> Option<Stated<Vec<Message>>> {
    let mut parts = Vec::new();
    let mut first = None;
    let mut add = |key: &str, read: Vec<Part>| {
        if !read.is_empty() {
            first.get_or_insert_with(|| key.to_owned());
            parts.extend(read);
        }
    };
    if let Some(stated) = reader.text(&["ai.response.reasoning", "ai.result.reasoning"]) {
        add(&stated.key, vec![Part::Reasoning { text: stated.value }]);
    }
    if let Some(stated) = reader.text(&["ai.response.text", "ai.result.text"]) {
        add(&stated.key, vec![Part::Text { text: stated.value }]);
    }
    if let Some(stated) = reader.text(&["ai.response.object", "ai.result.object"]) {
        add(&stated.key, vec![Part::Text { text: stated.value }]);
    }
    for keys in [
        ["ai.response.toolCalls", "ai.result.toolCalls"],
        ["ai.response.files", "ai.result.files"],
    ] {
        if let Some(stated) = reader.json(&keys) {
            let read = stated
                .value
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(piece);
            add(&stated.key, read.collect());
        }
    }
    let key = first?;
    let finish = facts.finish_reasons.as_ref();
    let message = Message {
        role: "assistant".to_owned(),
        parts,
        finish_reason: finish.and_then(|reasons| reasons.value.first().cloned()),
        ..Message::default()
    };
    Some(reader.stated(vec![message], &key))
}

/// A tool call or a file of an answer; versions before 6 do not say which.
fn piece(json: &Json) -> Option<Part> {
    let mut typed = json.clone();
    let fields = typed.as_object_mut()?;
    if !fields.contains_key("type") {
        let kind = if fields.contains_key("toolName") {
            "tool-call"
        } else {
            "file"
        };
        fields.insert("type".to_owned(), Json::from(kind));
    }
    let message = event_message(&json!({ "content": [typed] }), "assistant");
    message.parts.into_iter().next()
}

fn tools(reader: &Reader) -> Option<Stated<Vec<ToolDefinition>>> {
    reader.first(&["ai.prompt.tools"], |value| {
        Some(read::tool_definitions(&structured(value)?)).filter(|tools| !tools.is_empty())
    })
}
