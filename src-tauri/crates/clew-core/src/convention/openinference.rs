//! OpenInference (Arize): `openinference.span.kind`, flattened messages, documents, tools and token counts.

use serde_json::Value as Json;

use super::read::{
    self, Flat, KeyMap, Reader, Slots, Table, media, repeats, role_name, text_message,
    tool_definitions,
};
use super::vocabulary::CacheRow;
use super::{Convention, Vocabulary};
use crate::model::{
    CacheCounting, Document, Facts, Message, Operation, Part, SpanView, Stated, ToolDefinition,
    as_f64,
};

/// OpenInference's attributes.
#[derive(Debug)]
pub(super) struct OpenInference;

const ID: &str = "openinference";

/// Entries of the invocation parameters that are content and not a setting.
const NOT_PARAMETERS: &[&str] = &[
    "model",
    "model_name",
    "messages",
    "input",
    "prompt",
    "tools",
    "contents",
];

static VOCABULARY: Vocabulary = Vocabulary {
    version: "openinference-semantic-conventions 0.1.42",
    source: "https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md",
    scopes: &["openinference.", "@arizeai"],
    marks: &[
        "openinference.span.kind",
        "llm.input_messages.",
        "llm.output_messages.",
        "llm.token_count.",
        "llm.model_name",
        "retrieval.documents.",
        "reranker.",
        "embedding.embeddings.",
        "input.value",
        "output.value",
    ],
    known: &[
        "llm.input_messages.",
        "llm.output_messages.",
        "llm.token_count.",
        "llm.cost.",
        "llm.prompts.",
        "llm.choices.",
        "llm.tools.",
        "llm.invocation_parameters",
        "llm.function_call",
        "embedding.",
        "reranker.",
        "retrieval.documents.",
        "input.mime_type",
        "output.mime_type",
        "input.value",
        "output.value",
        "metadata",
        "tool.description",
        "tool.parameters",
        "tool.json_schema",
        "graph.node.id",
        "graph.node.name",
        "graph.node.parent_id",
        "prompt.vendor",
        "prompt.url",
        "openinference.project.name",
        "annotations.",
        "evaluations.",
    ],
    table: Table {
        operation: &["openinference.span.kind"],
        operations: &[
            ("llm", Operation::Llm),
            ("chain", Operation::Chain),
            ("prompt", Operation::Chain),
            ("decision", Operation::Chain),
            ("agent", Operation::Agent),
            ("tool", Operation::Tool),
            ("retriever", Operation::Retriever),
            ("embedding", Operation::Embedding),
            ("reranker", Operation::Reranker),
            ("guardrail", Operation::Guardrail),
            ("evaluator", Operation::Evaluator),
            ("unknown", Operation::Other),
        ],
        provider: &["llm.provider", "llm.system"],
        request_model: &[
            "llm.request.model_name",
            "embedding.model_name",
            "reranker.model_name",
        ],
        response_model: &["llm.response.model_name", "llm.model_name"],
        input_tokens: &["llm.token_count.prompt", "decision.token_count.input"],
        output_tokens: &["llm.token_count.completion"],
        total_tokens: &["llm.token_count.total"],
        cache_read: &[
            "llm.token_count.prompt_details.cache_read",
            "llm.token_count.prompt_details.cache_input",
        ],
        cache_write: &["llm.token_count.prompt_details.cache_write"],
        reasoning: &["llm.token_count.completion_details.reasoning"],
        audio_input: &["llm.token_count.prompt_details.audio"],
        audio_output: &["llm.token_count.completion_details.audio"],
        cost_usd: &["llm.cost.total"],
        chunk_events: &["First Token Stream Event"],
        input_value: &["input.value"],
        output_value: &["output.value"],
        finish_reasons: &["llm.finish_reason"],
        tool_name: &["tool.name"],
        tool_call_id: &["tool.id", "tool_call.id"],
        query: &["reranker.query"],
        prompt_name: &["prompt.name", "prompt.id"],
        prompt_version: &["llm.prompt_template.version"],
        prompt_template: &["llm.prompt_template.template"],
        prompt_variables: &["llm.prompt_template.variables"],
        agent: &["agent.name"],
        session: &["session.id"],
        user: &["user.id"],
        tags: &["tag.tags"],
        ..Table::EMPTY
    },
    cache: &[CacheRow::all(
        CacheCounting::Inclusive,
        "OpenInference: llm.token_count.prompt includes its prompt_details.",
    )],
};

impl Convention for OpenInference {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "OpenInference"
    }

    fn vocabulary(&self) -> &'static Vocabulary {
        &VOCABULARY
    }

    fn read(&self, map: &KeyMap) -> Facts {
        let view = map.view();
        let reader = Reader::new(ID, map);
        let mut facts = reader.read(&VOCABULARY.table);
        let operation = facts.operation.as_ref().map(|operation| operation.value);
        facts.streaming = facts
            .ttft_nanos
            .as_ref()
            .map(|first| Stated::new(true, ID, &first.key));
        parameters(&reader, &mut facts);
        metadata(&reader, &mut facts);
        if matches!(operation, Some(Operation::Llm) | None) {
            facts.response_id = reader
                .text(&["output.value"])
                .and_then(|output| read::response_id(ID, &output));
        }
        if !map.content() {
            return facts;
        }
        let mut slots = Slots::new();
        facts.input = conversation(view, "llm.input_messages", "user", &mut slots)
            .or_else(|| texts(view, "llm.prompts", "prompt.text", "user", &mut slots));
        facts.output =
            conversation(view, "llm.output_messages", "assistant", &mut slots).or_else(|| {
                texts(
                    view,
                    "llm.choices",
                    "completion.text",
                    "assistant",
                    &mut slots,
                )
            });
        facts.tools = tools(view, &mut slots);
        facts.documents = retrieved(view, &mut slots);
        facts
    }
}

/// Model and parameters of `llm.invocation_parameters`, whatever names the provider gives them.
fn parameters(reader: &Reader, facts: &mut Facts) {
    let keys = &[
        "llm.invocation_parameters",
        "embedding.invocation_parameters",
    ];
    let Some(stated) = reader.first(keys, read::structured) else {
        return;
    };
    let Json::Object(fields) = &stated.value else {
        return;
    };
    if facts.request_model.is_none() {
        let model = read::text(&stated.value, &["model", "model_name"]);
        facts.request_model = model.map(|model| Stated::new(model, ID, &stated.key));
    }
    if facts.streaming.is_none() {
        let stream = read::field(&stated.value, &["stream"]).and_then(Json::as_bool);
        facts.streaming = stream.map(|stream| Stated::new(stream, ID, &stated.key));
    }
    let settings: Vec<(String, String)> = fields
        .iter()
        .filter(|(name, value)| !NOT_PARAMETERS.contains(&name.as_str()) && !value.is_null())
        .take(100)
        .map(|(name, value)| (name.clone(), value.to_string()))
        .collect();
    if !settings.is_empty() {
        facts.parameters = Some(Stated::new(settings, ID, &stated.key));
    }
}

/// What LangChain programs put into `metadata`: user, session, agent and feature.
fn metadata(reader: &Reader, facts: &mut Facts) {
    let Some(stated) = reader.first(&["metadata"], read::structured) else {
        return;
    };
    let entry = |names: &[&str]| {
        let text = read::text(&stated.value, names)?;
        Some(Stated::new(text, ID, &stated.key))
    };
    let user = facts.user.take();
    facts.user = user.or_else(|| entry(&["user_id"]));
    let session = facts.session.take();
    facts.session = session.or_else(|| entry(&["session_id", "thread_id", "conversation_id"]));
    let agent = facts.agent.take();
    facts.agent = agent.or_else(|| entry(&["lc_agent_name"]));
    let feature = facts.feature.take();
    facts.feature = feature.or_else(|| entry(&["feature"]));
}

fn conversation(
    view: &SpanView,
    prefix: &str,
    role: &str,
    slots: &mut Slots,
) -> Option<Stated<Vec<Message>>> {
    let flat = Flat::read(&view.span.attributes, prefix, slots)?;
    let read: Vec<Message> = flat
        .items()
        .into_iter()
        .filter_map(|item| item.at("message"))
        .map(|item| message(item, role))
        .collect();
    let said = read.iter().any(|message| !message.parts.is_empty());
    said.then(|| Stated::new(read, ID, &format!("{prefix}.*")))
}

fn message(flat: &Flat, role: &str) -> Message {
    let stated = flat
        .text("role")
        .map_or_else(|| role.to_owned(), |stated| role_name(&stated));
    let mut parts = Vec::new();
    let contents = flat.at("contents").map(Flat::items).unwrap_or_default();
    let content = flat.text("content");
    if stated == "tool" && contents.is_empty() {
        parts.push(Part::ToolResult {
            id: flat.text("tool_call_id"),
            name: flat.text("name"),
            content: content.unwrap_or_default(),
        });
    } else {
        parts.extend(content.map(|text| Part::Text { text }));
    }
    for item in contents {
        if let Some(item) = item.at("message_content") {
            parts.extend(content_part(item));
        }
        if let Some(call) = item.at("tool_call").and_then(call) {
            parts.push(call);
        }
    }
    let calls = flat.at("tool_calls").map(Flat::items).unwrap_or_default();
    for call in calls.iter().filter_map(|item| call(item.at("tool_call")?)) {
        if !repeats(&parts, &call) {
            parts.push(call);
        }
    }
    if let Some(name) = flat.text("function_call_name") {
        parts.push(Part::ToolCall {
            id: None,
            name,
            arguments: flat
                .text("function_call_arguments_json")
                .unwrap_or_default(),
        });
    }
    Message {
        role: stated,
        name: flat.text("name"),
        parts,
        finish_reason: flat
            .text("finish_reason")
            .and_then(|reason| read::finish_reason(&reason)),
    }
}

fn call(flat: &Flat) -> Option<Part> {
    Some(Part::ToolCall {
        id: flat.text("id"),
        name: flat.text("function.name")?,
        arguments: flat.text("function.arguments").unwrap_or_default(),
    })
}

fn content_part(flat: &Flat) -> Option<Part> {
    let kind = flat.text("type").unwrap_or_default();
    if let Some(uri) = flat.text("image.image.url") {
        return Some(media("image", None, Some(uri), None));
    }
    if let Some(uri) = flat.text("audio.audio.url") {
        return Some(media(
            "audio",
            flat.text("audio.audio.mime_type"),
            Some(uri),
            None,
        ));
    }
    match kind.as_str() {
        "reasoning" | "thinking" => Some(Part::Reasoning {
            text: flat.text("text").or_else(|| flat.text("reasoning"))?,
        }),
        "refusal" => Some(Part::Refusal {
            text: flat.text("text")?,
        }),
        "tool_use" | "tool_call" => Some(Part::ToolCall {
            id: flat.text("id"),
            name: flat.text("name")?,
            arguments: flat.text("data").unwrap_or_default(),
        }),
        _ => Some(Part::Text {
            text: flat.text("text")?,
        }),
    }
}

/// Text completions: one text each.
fn texts(
    view: &SpanView,
    prefix: &str,
    path: &str,
    role: &str,
    slots: &mut Slots,
) -> Option<Stated<Vec<Message>>> {
    let flat = Flat::read(&view.span.attributes, prefix, slots)?;
    let read: Vec<Message> = flat
        .items()
        .into_iter()
        .filter_map(|item| item.text(path))
        .map(|text| text_message(role, text))
        .collect();
    (!read.is_empty()).then(|| Stated::new(read, ID, &format!("{prefix}.*")))
}

fn tools(view: &SpanView, slots: &mut Slots) -> Option<Stated<Vec<ToolDefinition>>> {
    let flat = Flat::read(&view.span.attributes, "llm.tools", slots)?;
    let tools: Vec<ToolDefinition> = flat
        .items()
        .into_iter()
        .filter_map(|item| item.value("tool.json_schema"))
        .filter_map(read::structured)
        .flat_map(|schema| tool_definitions(&schema))
        .collect();
    (!tools.is_empty()).then(|| Stated::new(tools, ID, "llm.tools.*"))
}

/// Documents that came out: of a retriever, else of a reranker.
fn retrieved(view: &SpanView, slots: &mut Slots) -> Option<Stated<Vec<Document>>> {
    ["retrieval.documents", "reranker.output_documents"]
        .iter()
        .find_map(|prefix| {
            let flat = Flat::read(&view.span.attributes, prefix, slots)?;
            let documents: Vec<Document> = flat
                .items()
                .into_iter()
                .filter_map(|item| item.at("document"))
                .map(|item| Document {
                    id: item.text("id"),
                    content: item.text("content"),
                    score: item.value("score").and_then(as_f64),
                    metadata: item.text("metadata").or_else(|| {
                        item.at("metadata")
                            .map(|metadata| metadata.json().to_string())
                    }),
                })
                .collect();
            (!documents.is_empty()).then(|| Stated::new(documents, ID, &format!("{prefix}.*")))
        })
}
