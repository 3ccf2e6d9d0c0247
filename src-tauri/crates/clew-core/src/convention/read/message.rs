//! Conversations in every shape that is seen, told apart by their fields and not by who wrote them (semconv.md §6).

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use serde_json::Value as Json;

use super::json::{compact, field, parse, structured, text};
use super::outcome::finish_reason;
use super::part::{is_part, named_call, part, parts_of, repeats, result_text};
use crate::model::{Message, Part, display};

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
    messages_of(value, structured(value), role)
}

/// [`messages`] of a value whose JSON has been parsed.
pub(super) fn messages_of(value: &Value, json: Option<Json>, role: &str) -> Option<Vec<Message>> {
    let read = match json {
        Some(Json::Array(items)) if items.is_empty() => return None,
        Some(Json::Object(fields)) if fields.is_empty() => return None,
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
            let read = |item: &Json| {
                if is_message(item) {
                    message(item, role)
                } else {
                    alone(item, role)
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

/// A piece that stands where a message should: its kind says who speaks.
fn alone(json: &Json, role: &str) -> Message {
    let part = part(json);
    let role = match part {
        Some(Part::ToolCall { .. } | Part::Reasoning { .. }) => "assistant",
        Some(Part::ToolResult { .. }) => "tool",
        _ => role,
    };
    Message {
        role: role.to_owned(),
        parts: part.into_iter().collect(),
        ..Message::default()
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
    let parts = parts_of(field(system, &["parts", "content"]).unwrap_or(system));
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

/// The role under its one name; a role that nobody else uses stays as stated.
pub(in crate::convention) fn role_name(stated: &str) -> String {
    match stated {
        "human" | "HumanMessage" | "HumanMessageChunk" => "user".to_owned(),
        "ai" | "model" | "tool-call" | "AIMessage" | "AIMessageChunk" => "assistant".to_owned(),
        "SystemMessage" => "system".to_owned(),
        "function" | "tool-response" | "ToolMessage" | "FunctionMessage" => "tool".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests;
