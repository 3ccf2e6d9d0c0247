//! OpenInference (Arize): `openinference.span.kind`, flattened messages, documents, tools and token counts.

use serde_json::Value as Json;

use super::Convention;
use super::read::{
    self, Flat, Reader, Slots, Table, compact, documents, event_message, from_json, media, parse,
    repeats, role_name, text_message, tool_definitions,
};
use crate::model::{
    Document, Facts, Message, Operation, Part, SpanView, Stated, ToolDefinition, as_f64,
};

/// OpenInference's attributes.
#[derive(Debug)]
pub(super) struct OpenInference;

const ID: &str = "openinference";

/// Beginnings of response ids, by which one is told from other ids in an output.
const RESPONSE_IDS: &[&str] = &["chatcmpl-", "resp_", "msg_", "cmpl-"];

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

const TABLE: Table = Table {
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
    request_model: &["embedding.model_name", "reranker.model_name"],
    response_model: &["llm.model_name"],
    input_tokens: &["llm.token_count.prompt", "decision.token_count.input"],
    output_tokens: &["llm.token_count.completion"],
    total_tokens: &["llm.token_count.total"],
    cache_read: &[
        "llm.token_count.prompt_details.cache_read",
        "llm.token_count.prompt_details.cache_input",
    ],
    cache_write: &["llm.token_count.prompt_details.cache_write"],
    reasoning: &["llm.token_count.completion_details.reasoning"],
    cost_usd: &["llm.cost.total"],
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
};

impl Convention for OpenInference {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "OpenInference"
    }

    fn read(&self, view: &SpanView) -> Facts {
        let reader = Reader::new(ID, view);
        if !speaks(view, &reader) {
            return Facts::default();
        }
        let mut facts = reader.read(&TABLE);
        let mut slots = Slots::new();
        let operation = facts.operation.as_ref().map(|operation| operation.value);
        facts.ttft_nanos = read::first_event(view, ID, &["First Token Stream Event"]);
        facts.streaming = facts
            .ttft_nanos
            .as_ref()
            .map(|first| Stated::new(true, ID, &first.key));
        parameters(&reader, &mut facts);
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
        metadata(&reader, &mut facts);
        let (input, output) = (
            reader.text(&["input.value"]),
            reader.text(&["output.value"]),
        );
        if matches!(operation, Some(Operation::Llm) | None) {
            facts.response_id = output.as_ref().and_then(response_id);
        }
        match operation {
            Some(Operation::Tool) => {
                let mut tool = facts.tool.unwrap_or_else(|| {
                    Stated::new(
                        crate::model::ToolFact::default(),
                        ID,
                        "openinference.span.kind",
                    )
                });
                tool.value.name = tool.value.name.or_else(|| Some(view.span.name.clone()));
                tool.value.arguments = tool.value.arguments.or(input.map(|input| input.value));
                let answer = output.map(|output| tool_answer(&output.value));
                tool.value.result = tool.value.result.or(answer);
                facts.tool = Some(tool);
            }
            Some(Operation::Llm) => {
                // The raw request and response repeat the messages: read where there are none, values where unreadable.
                facts.input = facts.input.or_else(|| spoken(input.as_ref(), "user"));
                facts.output = facts
                    .output
                    .or_else(|| spoken(output.as_ref(), "assistant"));
                facts.input_value = input.filter(|_| facts.input.is_none());
                facts.output_value = output.filter(|_| facts.output.is_none());
            }
            _ => {
                if matches!(operation, Some(Operation::Retriever)) {
                    facts.query = facts.query.or_else(|| input.clone());
                    facts.documents = facts.documents.or_else(|| listed(output.as_ref()));
                }
                facts.input_value = input;
                facts.output_value = output;
            }
        }
        facts
    }
}

/// Whether the span is OpenInference's; its token, message and value keys are its own, `session.id` is anyone's.
fn speaks(view: &SpanView, reader: &Reader) -> bool {
    reader.has("openinference.span.kind")
        || view.scope.name.starts_with("openinference.")
        || view.span.attributes.iter().any(|attribute| {
            [
                "llm.input_messages.",
                "llm.output_messages.",
                "llm.token_count.",
                "llm.model_name",
                "retrieval.documents.",
                "reranker.",
                "embedding.embeddings.",
                "input.value",
                "output.value",
            ]
            .iter()
            .any(|prefix| attribute.key.starts_with(prefix))
        })
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

/// What LangChain programs put into `metadata`: user, session and agent.
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
}

/// The messages in a raw request or response.
fn spoken(value: Option<&Stated<String>>, role: &str) -> Option<Stated<Vec<Message>>> {
    let stated = value?;
    let read = from_json(&parse(&stated.value)?, role)?;
    Some(Stated::new(read, ID, &stated.key))
}

/// The documents in a raw answer of a retriever.
fn listed(value: Option<&Stated<String>>) -> Option<Stated<Vec<Document>>> {
    let stated = value?;
    let read = documents(&parse(&stated.value)?);
    (!read.is_empty()).then(|| Stated::new(read, ID, &stated.key))
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

/// The provider's response id in a raw response, or in the message that LangChain makes of it.
fn response_id(output: &Stated<String>) -> Option<Stated<String>> {
    let json = parse(&output.value)?;
    let looks = |id: &str| RESPONSE_IDS.iter().any(|prefix| id.starts_with(prefix));
    let top = read::text(&json, &["id"]).filter(|id| looks(id) || json.get("choices").is_some());
    let id = top.or_else(|| {
        // Breadth first through at most 1,000 nodes: the id stands close to the top.
        let mut queue = std::collections::VecDeque::from([&json]);
        let mut left = 1_000;
        while let Some(node) = queue.pop_front() {
            left -= 1;
            if left == 0 {
                return None;
            }
            match node {
                Json::Object(fields) => {
                    if let Some(id) = read::text(node, &["id"]).filter(|id| looks(id)) {
                        return Some(id);
                    }
                    queue.extend(
                        fields
                            .values()
                            .filter(|value| value.is_object() || value.is_array()),
                    );
                }
                Json::Array(items) => queue.extend(items),
                _ => {}
            }
        }
        None
    })?;
    Some(Stated::new(id, ID, &output.key))
}

/// A tool's answer as it was meant: LangChain wraps it in a serialised tool message.
fn tool_answer(output: &str) -> String {
    let message = parse(output).filter(|json| {
        json.get("kwargs").is_some() || read::text(json, &["type"]).as_deref() == Some("tool")
    });
    let Some(json) = message else {
        return output.to_owned();
    };
    let read = event_message(&json, "tool");
    match read.parts.as_slice() {
        [Part::ToolResult { content, .. }] => content.clone(),
        _ => compact(&json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_id_is_found_below_the_top_but_not_in_other_ids() {
        let of = |json: &str| response_id(&Stated::new(json.to_owned(), ID, "output.value"));
        let found = of(
            r#"{"generations":[[{"message":{"kwargs":{"id":"run-1","response_metadata":{"id":"chatcmpl-7"}}}}]]}"#,
        );
        assert_eq!(found.map(|id| id.value).as_deref(), Some("chatcmpl-7"));
        assert_eq!(of(r#"{"id":"doc-1","page_content":"x"}"#), None);
        assert_eq!(of("plain text"), None);
    }
}
