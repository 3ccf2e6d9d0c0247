//! Messages, tool definitions and documents in every shape that is seen, told apart by their fields and not by who
//! wrote them (semconv.md §6).

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use serde_json::Value as Json;

use super::json::{compact, field, parse, structured, text};
use super::outcome::finish_reason;
use crate::model::{Document, Message, Part, ToolDefinition, display};

/// One message that says this text.
pub(in crate::convention) fn text_message(role: &str, text: String) -> Message {
    Message {
        role: role.to_owned(),
        parts: vec![Part::Text { text }],
        ..Message::default()
    }
}

/// The messages in an attribute; what is no message in any known shape becomes one text part of a message of `role`.
/// `None` where the value is empty.
pub(in crate::convention) fn messages(value: &Value, role: &str) -> Option<Vec<Message>> {
    let read = match structured(value) {
        Some(json) => {
            from_json(&json, role).unwrap_or_else(|| vec![text_message(role, display(value))])
        }
        None => {
            let text = match value {
                Value::StringValue(raw) => match parse(raw) {
                    Some(Json::String(text)) => text,
                    _ => raw.clone(),
                },
                other => display(other),
            };
            vec![text_message(role, text)]
        }
    };
    let said = |message: &Message| {
        !message
            .parts
            .iter()
            .all(|part| matches!(part, Part::Text { text } if text.is_empty()))
    };
    let stated = |message: &Message| message.finish_reason.is_some();
    read.iter()
        .any(|message| said(message) || stated(message))
        .then_some(read)
}

/// The messages in JSON; `None` where it has none of the known shapes.
pub(in crate::convention) fn from_json(json: &Json, role: &str) -> Option<Vec<Message>> {
    match json {
        Json::Array(items) if items.is_empty() => None,
        Json::Array(items) if items.iter().all(Json::is_array) => {
            // LangChain: one list of messages a prompt.
            let lists = items.iter().map(|list| from_json(list, role));
            Some(
                lists
                    .collect::<Option<Vec<_>>>()?
                    .into_iter()
                    .flatten()
                    .collect(),
            )
        }
        Json::Array(items)
            if items.iter().any(is_message)
                && items.iter().all(|item| is_message(item) || is_part(item)) =>
        {
            // OpenAI's Responses list calls and their results beside messages.
            let alone = |item: &Json| Message {
                role: role.to_owned(),
                parts: part(item).into_iter().collect(),
                ..Message::default()
            };
            let read = |item: &Json| {
                if is_message(item) {
                    message(item, role)
                } else {
                    alone(item)
                }
            };
            Some(items.iter().map(read).collect())
        }
        Json::Array(items) if items.iter().all(is_part) => Some(vec![Message {
            role: role.to_owned(),
            parts: items.iter().filter_map(part).collect(),
            ..Message::default()
        }]),
        Json::Array(items) if items.iter().all(Json::is_string) => Some(
            items
                .iter()
                .map(|item| text_message(role, compact(item)))
                .collect(),
        ),
        Json::Object(_) => object(json, role),
        _ => None,
    }
}

fn object(json: &Json, role: &str) -> Option<Vec<Message>> {
    if is_message(json) {
        return Some(vec![message(json, role)]);
    }
    // A request: messages beside its parameters; its system prompt may stand apart.
    if let Some(list) = field(json, &["messages", "contents"]).filter(|list| list.is_array()) {
        let mut read = from_json(list, role)?;
        let system = field(json, &["system", "systemInstruction", "system_instruction"]);
        if let Some(system) = system.and_then(system_message) {
            read.insert(0, system);
        }
        return Some(read);
    }
    if let Some(list) = field(json, &["input", "output"]).filter(|list| list.is_array()) {
        return from_json(list, role);
    }
    // A response: one message for each choice, candidate or generation (LangChain: one list a prompt).
    let choices = field(json, &["choices", "candidates", "generations"])?.as_array()?;
    let read: Vec<Message> = choices
        .iter()
        .flat_map(|choice| {
            choice
                .as_array()
                .map_or(std::slice::from_ref(choice), Vec::as_slice)
        })
        .filter_map(|choice| {
            let inner = field(choice, &["message", "content"]).filter(|inner| is_message(inner))?;
            let mut read = message(inner, role);
            let reason = text(choice, &["finish_reason", "finishReason"]);
            read.finish_reason = reason.and_then(|reason| finish_reason(&reason));
            Some(read)
        })
        .collect();
    (!read.is_empty()).then_some(read)
}

fn system_message(system: &Json) -> Option<Message> {
    let parts = parts_of(system);
    (!parts.is_empty()).then(|| Message {
        role: "system".to_owned(),
        parts,
        ..Message::default()
    })
}

/// The message that a legacy event or log record carries: its role is implied by its name, its fields stand in `body`.
///
/// Text fields that hold JSON lists of parts (Bedrock blocks of Strands, multimodal content) are opened.
pub(in crate::convention) fn event_message(body: &Json, role: &str) -> Message {
    let body = match body {
        Json::String(raw) => parse(raw)
            .filter(Json::is_object)
            .unwrap_or_else(|| serde_json::json!({ "content": raw })),
        other => other.clone(),
    };
    let inner = field(&body, &["message"]).map(open);
    let mut read = match &inner {
        Some(inner @ Json::Object(_)) if is_message(inner) || inner.get("role").is_some() => {
            message(inner, role)
        }
        Some(inner) => Message {
            role: role.to_owned(),
            parts: parts_of(inner),
            ..Message::default()
        },
        None => {
            let mut opened = body.clone();
            if let Some(content) = opened.get_mut("content") {
                *content = open(content);
            }
            message(&opened, role)
        }
    };
    if let Some(calls) = field(&body, &["tool_calls"]).filter(|_| inner.is_some()) {
        read.parts
            .extend(calls.as_array().into_iter().flatten().filter_map(part));
    }
    let reason = text(&body, &["finish_reason"]);
    if let Some(reason) = reason.and_then(|reason| finish_reason(&reason)) {
        read.finish_reason = Some(reason);
    }
    read
}

/// Text that holds a JSON list of parts or a message, as that JSON; anything else as it is.
fn open(json: &Json) -> Json {
    let Json::String(raw) = json else {
        return json.clone();
    };
    match parse(raw) {
        Some(Json::Array(items)) if !items.is_empty() && items.iter().all(is_part) => {
            Json::Array(items)
        }
        Some(inner @ Json::Object(_)) if is_message(&inner) => inner,
        _ => json.clone(),
    }
}

fn is_message(json: &Json) -> bool {
    let named = |name: &str| json.get(name).is_some();
    let constructor =
        || field(json, &["kwargs", "data"]).is_some_and(|inner| inner.get("content").is_some());
    let langchain = || {
        text(json, &["type"]).is_some_and(|kind| {
            matches!(
                kind.as_str(),
                "human" | "ai" | "system" | "tool" | "function"
            ) && named("content")
        })
    };
    (named("role")
        && (named("parts") || named("content") || named("tool_calls") || named("refusal")))
        || (named("parts") && json.get("parts").is_some_and(Json::is_array))
        || constructor()
        || langchain()
}

fn is_part(json: &Json) -> bool {
    if json.is_string() || !json.is_object() {
        return false;
    }
    !matches!(part(json), None | Some(Part::Text { .. }))
        || json.get("text").is_some_and(Json::is_string)
        || text(json, &["type"]).is_some_and(|kind| kind == "text")
}

fn message(json: &Json, role: &str) -> Message {
    // LangChain's serialised forms keep the message under `kwargs` with its class in `id`, or under `data`.
    let inner = field(json, &["kwargs", "data"]).filter(|inner| inner.is_object());
    let inner = inner.filter(|_| json.get("lc").is_some() || json.get("content").is_none());
    let class = json
        .get("id")
        .and_then(|id| id.as_array()?.last()?.as_str())
        .filter(|_| inner.is_some());
    let json = inner.unwrap_or(json);
    let stated = text(json, &["role"])
        .or_else(|| class.map(ToOwned::to_owned))
        .or_else(|| text(json, &["type"]).filter(|_| json.get("parts").is_none()));
    let role = stated.map_or_else(|| role.to_owned(), |stated| role_name(&stated));
    let mut parts = Vec::new();
    if let Some(reasoning) = text(json, &["reasoning_content", "reasoning"]) {
        parts.push(Part::Reasoning { text: reasoning });
    }
    let content = field(json, &["parts"]).or_else(|| field(json, &["content"]));
    let answered =
        text(json, &["tool_call_id"]).or_else(|| text(json, &["id"]).filter(|_| role == "tool"));
    let name = text(json, &["name"]);
    if role == "tool" && json.get("parts").is_none() {
        let blocks = content.map(parts_of).unwrap_or_default();
        let holds_results = blocks
            .iter()
            .any(|part| matches!(part, Part::ToolResult { .. }));
        if holds_results {
            parts.extend(blocks);
        } else {
            parts.push(Part::ToolResult {
                id: answered,
                name: name.clone(),
                content: content.map(result_text).unwrap_or_default(),
            });
        }
    } else if let Some(content) = content {
        parts.extend(parts_of(content));
    }
    if let Some(refusal) = text(json, &["refusal"]) {
        parts.push(Part::Refusal { text: refusal });
    }
    let extra = field(json, &["additional_kwargs"]);
    let calls = field(json, &["tool_calls"])
        .or_else(|| extra.and_then(|extra| field(extra, &["tool_calls"])));
    for call in calls.and_then(Json::as_array).into_iter().flatten() {
        // Anthropic's clients repeat a call both as content and as `tool_calls`.
        if let Some(call) =
            part(call).filter(|call| !parts.contains(call) && !repeats(&parts, call))
        {
            parts.push(call);
        }
    }
    if let Some(call) = field(json, &["function_call"]).and_then(|call| named_call(call, None)) {
        parts.push(call);
    }
    let reason = text(json, &["finish_reason", "stop_reason"]);
    Message {
        role,
        name,
        parts,
        finish_reason: reason.and_then(|reason| finish_reason(&reason)),
    }
}

/// Whether a call with the same id is among the parts.
pub(in crate::convention) fn repeats(parts: &[Part], call: &Part) -> bool {
    let Part::ToolCall { id: Some(id), .. } = call else {
        return false;
    };
    parts
        .iter()
        .any(|part| matches!(part, Part::ToolCall { id: Some(other), .. } if other == id))
}

fn role_name(stated: &str) -> String {
    match stated {
        "human" | "HumanMessage" | "HumanMessageChunk" => "user".to_owned(),
        "ai" | "model" | "AIMessage" | "AIMessageChunk" => "assistant".to_owned(),
        "SystemMessage" => "system".to_owned(),
        "function" | "ToolMessage" | "FunctionMessage" => "tool".to_owned(),
        other => other.to_owned(),
    }
}

fn parts_of(content: &Json) -> Vec<Part> {
    match content {
        Json::Null => Vec::new(),
        Json::String(text) if text.is_empty() => Vec::new(),
        Json::Array(items) => items.iter().filter_map(part).collect(),
        Json::Object(_) => part(content).into_iter().collect(),
        other => vec![Part::Text {
            text: compact(other),
        }],
    }
}

/// One part by its fields; `None` for `null` and empty text. A shape that nobody knows becomes its JSON as text.
fn part(json: &Json) -> Option<Part> {
    match json {
        Json::Null => return None,
        Json::Object(_) => {}
        other => {
            let text = compact(other);
            return (!text.is_empty()).then_some(Part::Text { text });
        }
    }
    let kind = text(json, &["type"]).unwrap_or_default();
    tool_part(json, &kind)
        .or_else(|| spoken_part(json, &kind))
        .or_else(|| media_part(json, &kind))
        .or_else(|| {
            let blank = text(json, &["text", "content"]).is_none()
                && json.as_object().is_some_and(|fields| {
                    fields.iter().all(|(name, value)| {
                        name == "type" || value.is_null() || value.as_str() == Some("")
                    })
                });
            (!blank).then(|| Part::Text {
                text: json.to_string(),
            })
        })
}

fn tool_part(json: &Json, kind: &str) -> Option<Part> {
    match kind {
        "tool_call" | "tool-call" | "tool_use" | "server_tool_call" | "server_tool_use"
        | "function_call" => {
            return named_call(
                json,
                text(json, &["call_id", "id", "toolCallId", "tool_call_id"]),
            );
        }
        "function" => return named_call(field(json, &["function"])?, text(json, &["id"])),
        "tool_call_response"
        | "tool-result"
        | "tool_result"
        | "server_tool_call_response"
        | "function_call_output" => {
            let content = field(json, &["response", "result", "output", "content"]);
            return Some(Part::ToolResult {
                id: text(
                    json,
                    &["call_id", "tool_use_id", "toolCallId", "tool_call_id", "id"],
                ),
                name: text(json, &["name", "toolName"]),
                content: content.map(result_text).unwrap_or_default(),
            });
        }
        _ => {}
    }
    if let Some(call) = field(json, &["toolUse"]) {
        return named_call(call, text(call, &["toolUseId"]));
    }
    if let Some(call) = field(json, &["functionCall", "function_call"]) {
        return named_call(call, text(call, &["id"]));
    }
    // OpenAI's list of calls, and LangChain's, which names the arguments `args`.
    if let Some(call) = field(json, &["function"]) {
        return named_call(call, text(json, &["id"]));
    }
    if kind.is_empty()
        && json.get("name").is_some()
        && field(json, &["args", "arguments"]).is_some()
    {
        return named_call(json, text(json, &["id", "tool_call_id"]));
    }
    let result = field(
        json,
        &["toolResult", "functionResponse", "function_response"],
    )?;
    let content = field(result, &["content", "response"]);
    Some(Part::ToolResult {
        id: text(result, &["toolUseId", "id"]),
        name: text(result, &["name"]),
        content: content.map(result_text).unwrap_or_default(),
    })
}

fn named_call(call: &Json, id: Option<String>) -> Option<Part> {
    let arguments = field(call, &["arguments", "args", "input"]);
    Some(Part::ToolCall {
        id,
        name: text(call, &["name", "toolName"])?,
        arguments: arguments.map(compact).unwrap_or_default(),
    })
}

/// A tool's result as text: blocks of plain text are joined, anything else stays JSON.
fn result_text(content: &Json) -> String {
    let block = |item: &Json| {
        let fields = item.as_object()?;
        let plain = fields.keys().all(|name| name == "text" || name == "type");
        plain
            .then(|| item.get("text")?.as_str().map(ToOwned::to_owned))
            .flatten()
    };
    let texts = |items: &Vec<Json>| items.iter().map(block).collect::<Option<Vec<_>>>();
    match content {
        Json::Array(items) if !items.is_empty() => {
            texts(items).map_or_else(|| compact(content), |texts| texts.join("\n"))
        }
        other => compact(other),
    }
}

fn spoken_part(json: &Json, kind: &str) -> Option<Part> {
    if matches!(kind, "reasoning" | "thinking" | "summary_text")
        || json.get("thought").and_then(Json::as_bool) == Some(true)
    {
        let text = text(json, &["content", "text", "thinking"])
            .or_else(|| field(json, &["summary"]).map(result_text))?;
        return Some(Part::Reasoning { text });
    }
    if let Some(content) = field(json, &["reasoningContent"]) {
        let inner = field(content, &["reasoningText"]).unwrap_or(content);
        return Some(Part::Reasoning {
            text: text(inner, &["text"])?,
        });
    }
    if kind == "refusal" {
        return Some(Part::Refusal {
            text: text(json, &["refusal", "content", "text"])?,
        });
    }
    if matches!(kind, "" | "text" | "input_text" | "output_text") {
        let nested = field(json, &["text"]).and_then(|inner| text(inner, &["value"]));
        return nested
            .or_else(|| text(json, &["content", "text"]))
            .map(|text| Part::Text { text });
    }
    None
}

fn media_part(json: &Json, kind: &str) -> Option<Part> {
    let modality = |mime: Option<&str>, fallback: &str| {
        let top = mime
            .and_then(|mime| mime.split('/').next())
            .unwrap_or_default();
        let known = matches!(top, "image" | "audio" | "video");
        if known { top } else { fallback }.to_owned()
    };
    let mime = text(json, &["mime_type", "mimeType", "media_type", "mediaType"]);
    match kind {
        "blob" | "uri" | "file" | "media" => {
            let stated = text(json, &["modality"]);
            let data = text(json, &["content", "data"]).filter(|_| kind != "uri");
            return Some(Part::Media {
                modality: stated.unwrap_or_else(|| modality(mime.as_deref(), "file")),
                mime_type: mime,
                uri: text(json, &["uri", "url", "file_id", "file_uri", "filename"]),
                data,
            });
        }
        "image_url" | "input_image" | "image" => {
            let source = field(json, &["image_url", "image", "source"]).unwrap_or(json);
            let uri = source
                .as_str()
                .map(ToOwned::to_owned)
                .or_else(|| text(source, &["url", "uri", "file_id"]));
            let mime = mime.or_else(|| text(source, &["media_type", "mime_type"]));
            let data = text(source, &["data"]);
            return Some(media("image", mime, uri, data));
        }
        "input_audio" | "audio" => {
            let source = field(json, &["input_audio", "audio"]).unwrap_or(json);
            let mime =
                mime.or_else(|| text(source, &["format"]).map(|format| format!("audio/{format}")));
            return Some(media(
                "audio",
                mime,
                text(source, &["url", "id"]),
                text(source, &["data"]),
            ));
        }
        _ => {}
    }
    if let Some(inline) = field(json, &["inlineData", "inline_data"]) {
        let mime = text(inline, &["mimeType", "mime_type"]);
        let modality = modality(mime.as_deref(), "file");
        return Some(media(&modality, mime, None, text(inline, &["data"])));
    }
    if let Some(file) = field(json, &["fileData", "file_data"]) {
        let mime = text(file, &["mimeType", "mime_type"]);
        let modality = modality(mime.as_deref(), "file");
        return Some(media(
            &modality,
            mime,
            text(file, &["fileUri", "file_uri"]),
            None,
        ));
    }
    for (name, modality) in [("image", "image"), ("video", "video"), ("document", "file")] {
        // Bedrock: {"image": {"format": "png", "source": {"bytes": …}}}
        if let Some(block) = field(json, &[name]).filter(|block| block.get("source").is_some()) {
            let mime = text(block, &["format"]).map(|format| format!("{name}/{format}"));
            let data = field(block, &["source"]).and_then(|source| text(source, &["bytes"]));
            return Some(media(modality, mime, None, data));
        }
    }
    None
}

/// A media part; a `data:` URI is taken apart into type and content.
pub(in crate::convention) fn media(
    modality: &str,
    mime_type: Option<String>,
    uri: Option<String>,
    data: Option<String>,
) -> Part {
    let inline = uri.as_deref().and_then(|uri| {
        let (head, content) = uri.strip_prefix("data:")?.split_once(',')?;
        let mime = head.strip_suffix(";base64")?;
        Some((mime.to_owned(), content.to_owned()))
    });
    match inline {
        Some((mime, content)) => Part::Media {
            modality: modality.to_owned(),
            mime_type: mime_type.or(Some(mime).filter(|mime| !mime.is_empty())),
            uri: None,
            data: data.or(Some(content)),
        },
        None => Part::Media {
            modality: modality.to_owned(),
            mime_type,
            uri,
            data,
        },
    }
}

/// Tools in a list of definitions, in OTel's, OpenAI's, Anthropic's or Gemini's shape; an element may be JSON text.
pub(in crate::convention) fn tool_definitions(json: &Json) -> Vec<ToolDefinition> {
    let items = match json {
        Json::Array(items) => items.as_slice(),
        Json::Object(_) => std::slice::from_ref(json),
        _ => return Vec::new(),
    };
    let mut tools = Vec::new();
    for item in items {
        let opened = item.as_str().and_then(parse);
        let item = opened.as_ref().unwrap_or(item);
        if let Some(list) = field(item, &["functionDeclarations", "function_declarations"]) {
            tools.extend(
                list.as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(tool_definition),
            );
        } else {
            tools.extend(tool_definition(item));
        }
    }
    tools
}

fn tool_definition(json: &Json) -> Option<ToolDefinition> {
    if let Json::String(name) = json {
        return (!name.is_empty()).then(|| ToolDefinition {
            name: name.clone(),
            ..ToolDefinition::default()
        });
    }
    // Bedrock wraps a tool in `toolSpec`, OpenAI in `function`.
    let inner = field(json, &["function", "toolSpec"]).filter(|inner| inner.is_object());
    let json = inner.unwrap_or(json);
    let schema = field(
        json,
        &[
            "parameters",
            "input_schema",
            "inputSchema",
            "parametersJsonSchema",
            "args",
        ],
    );
    Some(ToolDefinition {
        name: text(json, &["name", "type"])?,
        description: text(json, &["description"]),
        parameters: schema.map(compact),
    })
}

/// Documents in a list, in any of the shapes of semconv.md §6; empty where it is not a list of documents.
pub(in crate::convention) fn documents(json: &Json) -> Vec<Document> {
    let list = match json {
        Json::Object(_) => field(json, &["documents", "results", "matches"]),
        other => Some(other),
    };
    let items = list.and_then(Json::as_array);
    items
        .into_iter()
        .flatten()
        .filter_map(|item| match item {
            Json::String(text) => Some(Document {
                content: Some(text.clone()),
                ..Document::default()
            }),
            Json::Object(_) => Some(document(item)),
            _ => None,
        })
        .collect()
}

fn document(json: &Json) -> Document {
    let json = field(json, &["document"])
        .filter(|inner| inner.is_object())
        .unwrap_or(json);
    let kwargs = field(json, &["kwargs"]).unwrap_or(json);
    let score = field(
        kwargs,
        &["score", "relevance_score", "similarity", "distance"],
    );
    Document {
        id: text(kwargs, &["id"]),
        content: text(kwargs, &["content", "page_content", "text", "document"]),
        score: score.and_then(|score| match score {
            Json::String(text) => text.parse().ok().filter(|score: &f64| score.is_finite()),
            other => other.as_f64(),
        }),
        metadata: field(kwargs, &["metadata"]).map(compact),
    }
}
